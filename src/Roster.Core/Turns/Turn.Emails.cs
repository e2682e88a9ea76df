using Roster.Core.Catalog;
using Roster.Core.Journal;
using Roster.Core.Records;

namespace Roster.Core.Turns;

/// <content>What becomes of e-mails, noted once per recipient, so that counters are folds of the journal (MET-01, MET-10 to MET-16).</content>
public sealed partial class Turn
{
    /// <summary>Property of events about an e-mail: the key of the task that sent it (ACT-03).</summary>
    private const string TaskKeyProperty = "task_key";

    private const string MachineProperty = "machine";
    private const string LinkKindProperty = "link_kind";

    /// <summary>Notes what an event says of an e-mail that a step sent. One that names no e-mail of this record counts nowhere.</summary>
    private void NoteEmail(EventInput input, Timestamp occurredAt)
    {
        var mail = _index.Types.MailEventOf(input.EventType);
        if (mail == MailEvent.None || input.IsBaseline || _state.EmailMarks.IsEmpty || !TryReadTaskKey(input.Properties, out var enrollment, out var step))
        {
            return;
        }

        foreach (ref readonly var mark in _state.EmailMarks)
        {
            if (mark.Enrollment == enrollment && StepId(mark.Workflow, mark.Step) == step)
            {
                Note(mail, input, mark, occurredAt);
                return;
            }
        }
    }

    /// <summary>An e-mail that somebody reacted to was delivered; one that was clicked was opened (MET-10).</summary>
    private void Note(MailEvent mail, EventInput input, EmailMark mark, Timestamp at)
    {
        var isMachine = IsTrue(input.Properties, MachineProperty);
        switch (mail)
        {
            case MailEvent.Delivered:
                Take(EmailSignal.Delivered);
                break;
            case MailEvent.Opened:
                Open();
                break;
            case MailEvent.Clicked when TextOf(input.Properties, LinkKindProperty) is not ("unsubscribe" or "preferences"):
                Open();
                Take(EmailSignal.Clicked, !isMachine);
                break;
            case MailEvent.Replied when !IsTrue(input.Properties, AutoReplyProperty):
                Take(EmailSignal.Delivered);
                Take(EmailSignal.Replied, reacts: true);
                break;
            case MailEvent.Bounced:
                Take(EmailSignal.Bounced);
                break;
            case MailEvent.Unsubscribed:
                Take(EmailSignal.Unsubscribed);
                break;
            case MailEvent.MarkedSpam:
                Take(EmailSignal.MarkedSpam);
                break;
            case MailEvent.MeetingBooked:
                Take(EmailSignal.Met);
                break;
            default:
                break;
        }

        void Open()
        {
            Take(EmailSignal.Delivered);
            Take(EmailSignal.Opened, !isMachine);
            if (!isMachine)
            {
                Take(EmailSignal.OpenedByPerson);
            }
        }

        void Take(EmailSignal signal, bool reacts = false) => NoteSignal(mark.Workflow, mark.Version, mark.Enrollment, mark.Step, signal, at, reacts);
    }

    /// <summary>Notes one thing, unless it is the first time for nobody.</summary>
    private void NoteSignal(int workflow, int version, int enrollment, int step, EmailSignal signal, Timestamp at, bool reacts)
    {
        // A meeting that no e-mail led to counts for the enrollment only.
        var scopes = step == 0 ? EmailScopes.None : EmailScopes.Workflow;
        var own = default(EmailMark);
        foreach (ref readonly var mark in _state.EmailMarks)
        {
            if (mark.Workflow == workflow)
            {
                own = mark.Step == step ? mark : own;
                scopes = mark.Has(signal) ? EmailScopes.None : scopes;
            }
        }

        if (signal is EmailSignal.Sent || (signal is EmailSignal.Delivered or EmailSignal.Bounced && !own.HasLatest(signal)))
        {
            // These count for each e-mail, all others once per recipient (MET-10, MET-11).
            scopes = EmailScopes.Step | EmailScopes.Workflow;
        }
        else if (step != 0 && !own.Has(signal))
        {
            scopes |= EmailScopes.Step;
        }

        if (_state.TryGetSummary(workflow, out var summary) && summary.LastEnrollment == enrollment && (summary.Signals & (1 << (int)signal)) == 0)
        {
            scopes |= EmailScopes.Enrollment;
            scopes |= RecordState.IsReaction(signal) && (summary.Signals & (1 << (int)EmailSignal.Engaged)) == 0 ? EmailScopes.Engagement : EmailScopes.None;
        }

        var sentAt = reacts && !own.HasReacted ? own.SentAt : Timestamp.None;
        if (scopes != EmailScopes.None || !sentAt.IsNone)
        {
            Write(JournalEntry.EmailEngaged(workflow, version, enrollment, step, signal, scopes, at, sentAt));
        }
    }
}
