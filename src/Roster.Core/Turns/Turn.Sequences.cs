using System.Globalization;
using Roster.Core.Calendars;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Sequences;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>
/// Sequences (section 20 of the rules): who may enroll, what the inbox grants. An enrollment of a sequence is one of a workflow that is
/// pinned to its version; what differs is here, in <c>Turn.SequenceSteps</c> and in <c>Turn.SequenceExits</c>.
/// </content>
public sealed partial class Turn
{
    private const string RequestField = "request";
    private const string TriggerField = "trigger";
    private const string ByField = "by";
    private const string DayField = "day";
    private const string BulkField = "bulk";
    private const string EnrollmentField = "enrollment";
    private const string ExecutionField = "execution";

    /// <summary>What a slot is for: <see cref="RecordMessage.Subject"/> of the messages about it. Stored with them.</summary>
    private const int EnrollmentSlot = 1;

    private const int EmailSlot = 2;

    /// <summary>The checks of SEQ-04 in their order.</summary>
    private static readonly Decision[] SequenceChecks =
    [
        Decision.RecordGone, Decision.TypeMismatch, Decision.SenderNotConnected, Decision.AlreadyActive, Decision.NoAddress, Decision.OptedOut, Decision.Bounced, Decision.LoopGuard,
        Decision.LimitReached,
    ];

    private bool PassesSequence(Decision check, CompiledWorkflow workflow, CompiledSequence sequence, in Consideration consideration) => check switch
    {
        Decision.RecordGone => RefuseGone() is null,
        Decision.TypeMismatch => workflow.ObjectType.Number == _state.ObjectType,
        Decision.SenderNotConnected => workflow.IsEnrolling && _catalog.FindInbox(sequence.Owner) is { IsConnected: true },
        Decision.AlreadyActive => FindActiveSequence() < 0,
        Decision.NoAddress => !ValueOf(sequence.Address.Number).IsUnknown,
        Decision.OptedOut => !IsOptedOut(sequence),
        Decision.Bounced => !HasBounced(sequence),
        Decision.LoopGuard => !consideration.IsLastRound && EnrollmentsInLastHour(workflow) < _catalog.Schema.Settings.EnrollmentsPerHourMax,
        Decision.LimitReached => !IsTenantFull && _state.Enrollments.Length < _catalog.Schema.Settings.ActiveEnrollmentsPerRecordMax,
        _ => throw new InvalidOperationException($"Decision {check} is the outcome of no check of a sequence."),
    };

    private Decision CheckSequence(CompiledWorkflow workflow, CompiledSequence sequence, in Consideration consideration)
    {
        foreach (var check in SequenceChecks)
        {
            if (!PassesSequence(check, workflow, sequence, consideration))
            {
                return check;
            }
        }

        return Decision.Enrolled;
    }

    private string FoundOfSequence(Decision check, CompiledWorkflow workflow, CompiledSequence sequence, bool passes) => check switch
    {
        Decision.SenderNotConnected => passes ? $"the inbox of {sequence.Owner} is connected" : $"{sequence.Owner} has no connected inbox",
        Decision.AlreadyActive => FindActiveSequence() is >= 0 and var index ? $"active in sequence {_catalog.FindWorkflow(_state.Enrollments[index].Workflow)?.Identity.Id}" : "not active in any sequence",
        Decision.NoAddress => passes ? $"{sequence.Address.Name} is known" : $"{sequence.Address.Name} is unknown",
        Decision.OptedOut => passes ? "not opted out" : $"opted out: {sequence.Consent.Name}, or an e-mail was unsubscribed",
        Decision.Bounced => passes ? "no e-mail to the present address bounced" : "an e-mail to the present address bounced",
        Decision.LimitReached => $"{FoundOfLimits()}; the inbox is asked when all checks pass",
        Decision.TypeMismatch => $"the sequence is for {workflow.ObjectType.Name}, the record is a {_catalog.Schema.ObjectType(_state.ObjectType).Name}",
        _ => Found(check, workflow, default, passes),
    };

    /// <summary>Index of the active enrollment in any sequence (SEQ-03), or -1.</summary>
    private int FindActiveSequence()
    {
        for (var i = 0; i < _state.Enrollments.Length; i++)
        {
            if (_catalog.IsSequence(_state.Enrollments[i].Workflow))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Consent withdrawn, or an e-mail unsubscribed from and no consent given since.</summary>
    private bool IsOptedOut(CompiledSequence sequence)
    {
        var isGivenAt = Timestamp.None;
        if (_state.TryGetProperty(sequence.Consent.Number, isBefore: false, out var consent) && consent.Value is { Type: PropertyType.String } value)
        {
            if (IsWithdrawn(value.Text))
            {
                return true;
            }

            isGivenAt = consent.OccurredAt;
        }

        return _state.TryGetEvents(_index.Types.EmailUnsubscribed, out var unsubscribed) && (isGivenAt.IsNone || unsubscribed.LastAt > isGivenAt);
    }

    private static bool IsWithdrawn(string consent) => consent is "UNSUBSCRIBED" or "NOT_GRANTED";

    private bool HasBounced(CompiledSequence sequence) =>
        _state.TryGetEvents(_index.Types.EmailBounced, out var bounced)
        && !(_state.TryGetProperty(sequence.Address.Number, isBefore: false, out var address) && address.UpdatedAt > bounced.LastAt);

    /// <summary>All checks of the contact have passed. Whether the inbox has room is known to it alone (SEQ-04): it is asked.</summary>
    private void AskToEnroll(CompiledWorkflow workflow, CompiledSequence sequence, in Consideration consideration)
    {
        var isCommand = _command is { Kind: CommandKind.Enroll } command && command.Target == workflow.Number;
        var facts = (isCommand ? _command!.Facts : null) ?? new SequenceFacts(sequence.Owner);
        Send(new RecordMessage(MessageKind.SlotRequest, _index.Types.Inbox, sequence.Owner)
        {
            Workflow = workflow.Number,
            Subject = EnrollmentSlot,
            Fields =
            [
                .. facts.ToValues(),
                new NamedValue(RequestField, Value.OfText(isCommand ? _command!.RequestId : string.Empty)),
                new NamedValue(TriggerField, Value.OfNumber((int)consideration.Trigger)),
                new NamedValue(ByField, Value.OfNumber(consideration.Detail)),
            ],
        });
    }

    /// <summary>The inbox: it grants what its limits allow, and says so (SEQ-15).</summary>
    private void AnswerSlot(RecordMessage message)
    {
        var inbox = _catalog.FindInbox(_state.Id);
        var granted = Timestamp.None;
        var day = 0;
        if (inbox is not null && message.Subject == EnrollmentSlot)
        {
            day = NodaTime.Period.DaysBetween(new NodaTime.LocalDate(1970, 1, 1), LocalTimes.Of(_now, inbox.Zone).Date);
            if (day != _state.SlotDay || _state.SlotEnrollments < inbox.Limits.EnrollmentsPerDay)
            {
                Write(JournalEntry.EnrollmentSlotTaken(day));
                granted = _now;
            }
        }
        else if (inbox is not null)
        {
            var isBulk = IsTrue(message.Fields, BulkField);
            granted = InboxSlots.FirstFree(_state.Slots, _now, isBulk, inbox.Limits);
            Write(JournalEntry.EmailSlotTaken(granted, isBulk));
        }

        Send(new RecordMessage(MessageKind.SlotAnswer, message.FromType, message.FromId)
        {
            Workflow = message.Workflow,
            Step = message.Step,
            Subject = message.Subject,
            OccurredAt = granted,
            Fields = [.. message.Fields, new NamedValue(DayField, Value.OfNumber(day))],
        });
    }

    private void ReleaseSlot(RecordMessage message)
    {
        if (message.OccurredAt.IsNone)
        {
            return;
        }

        Write(message.Subject == EnrollmentSlot
            ? JournalEntry.EnrollmentSlotReleased(NumberOf(message.Fields, DayField))
            : JournalEntry.EmailSlotReleased(message.OccurredAt, IsTrue(message.Fields, BulkField)));
    }

    /// <summary>What was granted is not used: the inbox hears of it.</summary>
    private void GiveBack(RecordMessage answer)
    {
        if (!answer.OccurredAt.IsNone)
        {
            Send(answer with { Kind = MessageKind.SlotRelease, ToType = answer.FromType, ToId = answer.FromId });
        }
    }

    private void AcceptSlotAnswer(RecordMessage message)
    {
        if (message.Subject == EnrollmentSlot)
        {
            DecideSequence(message);
            return;
        }

        var index = _state.FindEnrollment(NumberOf(message.Fields, EnrollmentField));
        var enrollment = index < 0 ? default : _state.Enrollments[index];
        if (index < 0 || !IsAsking(enrollment) || enrollment.Step != message.Step || enrollment.Execution != NumberOf(message.Fields, ExecutionField))
        {
            GiveBack(message);
            return;
        }

        if (message.OccurredAt.IsNone)
        {
            End(index, EndReason.SenderGone);
            return;
        }

        Write(JournalEntry.StepRescheduled(enrollment.Workflow, enrollment.Version, enrollment.Number, enrollment.Step, enrollment.Execution, message.OccurredAt));
        if (message.OccurredAt <= _now)
        {
            MakeReady(enrollment.Number);
        }
    }

    /// <summary>The inbox has answered: the checks are made again on what the contact is now, and the decision is journaled (SEQ-04).</summary>
    private void DecideSequence(RecordMessage message)
    {
        var trigger = (TriggerKind)NumberOf(message.Fields, TriggerField);
        var requestId = TextOf(message.Fields, RequestField);
        var by = NumberOf(message.Fields, ByField);
        var workflow = _catalog.FindWorkflow(message.Workflow);
        _decision = workflow?.Settings.Sequence is not { } sequence || _firesNothing
            ? workflow is null ? Decision.WorkflowOff : Decision.LoopGuard
            : CheckSequence(workflow, sequence, new Consideration { IsExplicit = true, Trigger = trigger });
        _decision = _decision == Decision.Enrolled && message.OccurredAt.IsNone ? Decision.LimitReached : _decision;
        if (_decision != Decision.Enrolled || workflow is null)
        {
            Write(JournalEntry.Refused(message.Workflow, workflow?.Version ?? 0, trigger, _decision, requestId: requestId));
            GiveBack(message);
            return;
        }

        var facts = SequenceFacts.Of(message.Fields);
        var isFirst = !_state.TryGetSummary(workflow.Number, out var summary) || summary.TimesEnrolled == 0;
        var first = workflow.Find(facts.FirstStep) is null ? workflow.FirstStep : facts.FirstStep;
        _enrollmentOfCommand = _state.LastEnrollment + 1;
        Write(JournalEntry.Enrolled(workflow.Number, workflow.Version, _enrollmentOfCommand, trigger, first, isFirst, by, facts.ToValues(), requestId));
        MakeReady(_enrollmentOfCommand);
        QueueSequence(workflow.Number, _index.Types.SequenceEnrolled);
    }

    /// <summary>A message of a sequence came back: the inbox or the contact has gone.</summary>
    private void TakeBackSlot(RecordMessage message)
    {
        switch (message.Kind)
        {
            case MessageKind.SlotAnswer:
                ReleaseSlot(message);
                break;
            case MessageKind.SlotRequest when message.Subject == EnrollmentSlot && _state.IsLive:
                _decision = Decision.SenderNotConnected;
                Write(JournalEntry.Refused(
                    message.Workflow, _catalog.FindWorkflow(message.Workflow)?.Version ?? 0, (TriggerKind)NumberOf(message.Fields, TriggerField), _decision,
                    requestId: TextOf(message.Fields, RequestField)));
                break;
            case MessageKind.SlotRequest when _state.FindEnrollment(NumberOf(message.Fields, EnrollmentField)) is >= 0 and var index:
                End(index, EndReason.SenderGone);
                break;
            default:
                break;
        }
    }

    /// <summary>Lifts the pause that the record stands in (SEQ-09). One that stands in none is a success without effect.</summary>
    private TurnResult LiftPause(CommandInput input)
    {
        var number = 0;
        if (_state.FindActive(input.Target) is >= 0 and var index && _catalog.FindWorkflow(input.Target) is { } workflow)
        {
            var enrollment = _state.Enrollments[index];
            if (enrollment.Phase == StepPhase.Wait && StepsOf(workflow, enrollment).Find(enrollment.Step) is CompiledPause)
            {
                number = enrollment.Number;
                FinishStep(enrollment, StepResult.Success);
            }
        }

        return RunRounds() with { Enrollment = number };
    }

    /// <summary>Edits an e-mail that is still to be sent, for this contact alone (SEQ-14).</summary>
    private TurnResult EditEmail(CommandInput input)
    {
        var number = 0;
        if (_state.FindActive(input.Target) is >= 0 and var index && _catalog.FindWorkflow(input.Target) is { } workflow)
        {
            var enrollment = _state.Enrollments[index];
            var steps = StepsOf(workflow, enrollment);
            var isWaiting = enrollment.Step == input.Step && IsMoved(enrollment);
            if (steps.Find(input.Step) is CompiledEmail && (isWaiting || _state.RunsOf(enrollment, input.Step) == 0))
            {
                number = enrollment.Number;
                Write(JournalEntry.EmailEdited(steps.Number, steps.Version, number, input.Step, input.Content));
            }
        }

        return RunRounds() with { Enrollment = number };
    }

    private static int NumberOf(NamedValue[]? fields, string name) => NamedValues.Find(fields, name) is { Type: PropertyType.Number } value ? (int)value.Number : 0;

    private static string TextOf(NamedValue[]? fields, string name) => NamedValues.Find(fields, name) is { Type: PropertyType.String } value ? value.Text : string.Empty;

    private static bool IsTrue(NamedValue[]? fields, string name) => NamedValues.Find(fields, name) is { Type: PropertyType.Bool, Bool: true };

    /// <summary>The e-mail that an event is about, by the key of the task that sent it (ACT-03); false when it is not one of this record.</summary>
    private bool TryReadTaskKey(NamedValue[]? properties, out int enrollment, out string step)
    {
        enrollment = 0;
        step = string.Empty;
        var parts = TextOf(properties, TaskKeyProperty).Split('/');
        if (parts.Length != 5 || parts[0] != _catalog.TenantId || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var record) || record != _state.Number)
        {
            return false;
        }

        step = parts[3];
        return int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out enrollment);
    }
}
