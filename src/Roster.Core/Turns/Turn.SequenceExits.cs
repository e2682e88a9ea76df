using Roster.Core.Catalog;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Sequences;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>What ends a sequence (SEQ-01, SEQ-10 to SEQ-13, SEQ-18), and who else hears of it.</content>
public sealed partial class Turn
{
    private const string UserProperty = "user";
    private const string AutoReplyProperty = "auto_reply";

    /// <summary>Ends an enrollment when something of this round ends it.</summary>
    private void ExitSequence(CompiledWorkflow newest, int index)
    {
        var enrollment = _state.Enrollments[index];
        var sequence = StepsOf(newest, enrollment).Settings.Sequence!;
        var reason = FindSequenceExit(enrollment, sequence);
        if (reason == EndReason.None)
        {
            return;
        }

        if (reason == EndReason.MeetingBooked)
        {
            NoteSignal(newest.Number, enrollment.Version, enrollment.Number, 0, EmailSignal.Met, _now, reacts: false);
            QueueSequence(newest.Number, _index.Types.SequenceMeeting);
        }

        End(index, reason);
        if ((reason == EndReason.Replied && sequence.OnReply == EngagementScope.Company) || (reason == EndReason.MeetingBooked && sequence.OnMeeting == EngagementScope.Company))
        {
            TellLinked(new RecordMessage(MessageKind.TellEngaged, _state.ObjectType, _state.Id) { Subject = _index.Types.Company, Workflow = newest.Number, Hops = _hops });
        }
    }

    private EndReason FindSequenceExit(in EnrollmentState enrollment, CompiledSequence sequence)
    {
        if (_catalog.FindInbox(sequence.Owner) is null)
        {
            return EndReason.SenderGone;
        }

        foreach (var occurred in _present.Occurred)
        {
            if (occurred.IsEvent && ReasonOf(occurred, enrollment, sequence) is not EndReason.None and var reason)
            {
                return reason;
            }
        }

        return HasChanged(sequence.Consent.Number) && ValueOf(sequence.Consent.Number) is { Type: PropertyType.String } consent && IsWithdrawn(consent.Text)
            ? EndReason.Unsubscribed
            : EndReason.None;
    }

    private EndReason ReasonOf(in Occurred occurred, in EnrollmentState enrollment, CompiledSequence sequence)
    {
        switch (_index.Types.MailEventOf(occurred.EventType))
        {
            case MailEvent.Replied or MailEvent.Received when IsTrue(occurred.Properties, AutoReplyProperty) || sequence.OnReply == EngagementScope.Nobody:
                return EndReason.None;
            case MailEvent.Replied when IsAbout(occurred.Properties, enrollment):
                return EndReason.Replied;
            case MailEvent.Replied or MailEvent.Received:
                return TextOf(occurred.Properties, UserProperty) == sequence.Owner ? EndReason.InboundEmail : EndReason.None;
            case MailEvent.MeetingBooked or MailEvent.MeetingLogged when sequence.OnMeeting == EngagementScope.Nobody:
                return EndReason.None;
            case MailEvent.MeetingBooked when IsAbout(occurred.Properties, enrollment):
                return EndReason.MeetingBooked;
            case MailEvent.MeetingBooked or MailEvent.MeetingLogged:
                return TextOf(occurred.Properties, UserProperty) is { Length: > 0 } user && user == EnrollingUser(enrollment, sequence) ? EndReason.MeetingBooked : EndReason.None;
            case MailEvent.Bounced:
                return EndReason.Bounced;
            case MailEvent.Unsubscribed:
                return EndReason.Unsubscribed;
            default:
                return EndReason.None;
        }
    }

    private bool IsAbout(NamedValue[] properties, in EnrollmentState enrollment) => TryReadTaskKey(properties, out var number, out _) && number == enrollment.Number;

    private static string EnrollingUser(in EnrollmentState enrollment, CompiledSequence sequence) =>
        SequenceFacts.Of(enrollment.EventProperties).User is { Length: > 0 } user ? user : sequence.Owner;

    /// <summary>The status of a sequence changed: its events fire in the next round (TRG-31).</summary>
    private void QueueSequence(int sequence, int eventType, params NamedValue[] more)
    {
        if (_index.Listens(eventType))
        {
            Queue(eventType, [new NamedValue("sequence", Value.OfText(_catalog.FindWorkflow(sequence)?.Identity.Id ?? string.Empty)), .. more]);
        }
    }

    private void QueueSequenceEnd(int sequence, EndReason reason)
    {
        if (reason == EndReason.Finished)
        {
            QueueSequence(sequence, _index.Types.SequenceFinished);
        }
        else
        {
            QueueSequence(sequence, _index.Types.SequenceUnenrolled, new NamedValue("reason", Value.OfText(ApiNames.Of(reason.ToString()))));
        }
    }

    /// <summary>Whether a sequence ran to its end without a reply or a meeting (MET-16).</summary>
    private bool IsUnanswered(in EnrollmentState enrollment, EndReason reason) =>
        reason == EndReason.Finished && (_state.SignalsOf(enrollment.Workflow) & ((1 << (int)EmailSignal.Replied) | (1 << (int)EmailSignal.Met))) == 0;

    /// <summary>
    /// Tells the links of a type that a contact is engaged: a contact its companies, a company its contacts (SEQ-13). Leaf by leaf when
    /// there are many (ENG-15).
    /// </summary>
    private void TellLinked(RecordMessage message)
    {
        if (_state.HasLeaves)
        {
            Send(message);
        }
        else
        {
            TellEach(message, _state.NewestAssociations);
        }
    }

    private void TellEach(RecordMessage message, IEnumerable<Association> links)
    {
        var kind = message.Subject == _index.Types.Company ? MessageKind.Engaged : MessageKind.ColleagueEngaged;
        foreach (var link in links)
        {
            if (link.ObjectType == message.Subject && !link.IsRemoved)
            {
                Send(new RecordMessage(kind, link.ObjectType, link.Id) { Workflow = message.Workflow });
            }
        }
    }

    /// <summary>One leaf of links is told, then the next one follows.</summary>
    private TurnResult DecideTellEngaged(MessageInput input)
    {
        var message = input.Message;
        if (!_state.IsLive)
        {
            return RefuseGone()!.Value;
        }

        var missing = _state.FindMissingAssociation(message.Cursor);
        if ((missing != 0 ? NeedsSections([missing]) : BeginTurn()) is { } other)
        {
            return other;
        }

        _hops = message.Hops;
        Write(JournalEntry.MessageReceived((int)message.Kind, message.FromType, message.FromId, input.Sender, message.Hops, message.Workflow, 0));
        var (links, next) = _state.ReadAssociations(message.Cursor);
        TellEach(message, links);
        if (next != 0)
        {
            Send(message with { Cursor = next });
        }

        return RunRounds();
    }

    /// <summary>Another contact of the company replied or met: the sequence ends here too (SEQ-13).</summary>
    private void HearColleague(RecordMessage message)
    {
        if (!_firesNothing && _catalog.IsSequence(message.Workflow) && _state.FindActive(message.Workflow) is >= 0 and var index)
        {
            End(index, EndReason.CompanyEngaged);
        }
    }

    /// <summary>
    /// An e-mail or a meeting of a record that was merged away: it is an event of the survivor (REC-15). Null when the event is of
    /// another kind, or the record has not been merged.
    /// </summary>
    private TurnResult? ForwardToSurvivor(EventInput input, uint content)
    {
        if (_state.Gone != GoneKind.Merged || _index.Types.MailEventOf(input.EventType) == MailEvent.None)
        {
            return null;
        }

        if ((FindDuplicate(input.IdHash, content) ?? BeginTurn()) is { } other)
        {
            return other;
        }

        var isClamped = input.OccurredAt > _now;
        var occurredAt = input.OccurredAt.IsNone || isClamped ? _now : input.OccurredAt;
        Write(JournalEntry.EventReceived(input.EventType, occurredAt, isClamped, input.EventId, input.IdHash, content, input.Source, input.Properties));
        Send(new RecordMessage(MessageKind.Occurred, _state.ObjectType, _state.MergedInto) { Subject = input.EventType, Fields = input.Properties, Source = input.Source, OccurredAt = occurredAt });
        return EndOfTurn();
    }

    /// <summary>The survivor was merged away itself meanwhile: the event goes on to where it went.</summary>
    private TurnResult? ForwardToSurvivor(MessageInput input)
    {
        var message = input.Message;
        if (_state.Gone != GoneKind.Merged || message.Kind != MessageKind.Occurred || _index.Types.MailEventOf(message.Subject) == MailEvent.None)
        {
            return null;
        }

        if (BeginTurn() is { } other)
        {
            return other;
        }

        _hops = message.Hops;
        Write(JournalEntry.MessageReceived((int)message.Kind, message.FromType, message.FromId, input.Sender, message.Hops, 0, 0));
        Send(message with { ToType = _state.ObjectType, ToId = _state.MergedInto });
        return EndOfTurn();
    }
}
