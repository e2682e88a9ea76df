using Roster.Core.Journal;
using Roster.Engine.Stores;

namespace Roster.Engine.Turns;

/// <summary>From journal entries to counters: used when a turn is committed and when counters are recounted, so the two cannot differ (MET-01).</summary>
public static class CounterFold
{
    /// <summary>Counts one turn.</summary>
    /// <param name="turn">What the turn is about.</param>
    /// <param name="entries">Its entries; only skeletons are looked at.</param>
    /// <param name="count">Gets each counter and its change.</param>
    public static void Fold(in TurnInfo turn, ReadOnlySpan<JournalEntry> entries, Action<CounterKey, long> count)
    {
        ArgumentNullException.ThrowIfNull(count);
        switch (turn.Cause)
        {
            case TurnCause.Event or TurnCause.Command:
                count(new CounterKey(turn.Tenant, 0, 0, CounterKind.Applied, 0, 0), 1);
                break;
            case TurnCause.Timer:
                count(new CounterKey(turn.Tenant, 0, 0, CounterKind.TimerFired, 0, 0), 1);
                break;
            default:
                break;
        }

        foreach (ref readonly var entry in entries)
        {
            if (entry.Kind is EntryKind.EventReceived or EntryKind.PropertyChanged or EntryKind.PropertyTouched)
            {
                continue;
            }

            Fold(turn, entry, count);
        }
    }

    private static void Fold(in TurnInfo turn, in JournalEntry entry, Action<CounterKey, long> count)
    {
        var tenant = new CounterKey(turn.Tenant, 0, 0, CounterKind.None, 0, 0);
        var workflow = tenant with { Workflow = entry.Workflow, Version = entry.Version };
        switch (entry.Kind)
        {
            case EntryKind.RecordCreated:
                count(tenant with { Kind = CounterKind.RecordCreated }, 1);
                break;
            case EntryKind.PropertyLate:
                count(tenant with { Kind = CounterKind.LateWrite }, 1);
                break;
            case EntryKind.LoopGuard:
                count(tenant with { Kind = CounterKind.LoopGuard }, 1);
                break;
            case EntryKind.ListJoined:
                count(tenant with { Workflow = entry.Subject, Kind = CounterKind.ListMembers }, 1);
                break;
            case EntryKind.ListLeft:
                count(tenant with { Workflow = entry.Subject, Kind = CounterKind.ListMembers }, -1);
                break;
            case EntryKind.Enrolled:
                count(workflow with { Kind = CounterKind.Enrolled }, 1);
                count(workflow with { Version = 0, Kind = CounterKind.EnrolledOn, Code = turn.Day }, 1);
                if (entry.Flag)
                {
                    count(workflow with { Kind = CounterKind.RecordsEnrolled }, 1);
                }

                break;
            case EntryKind.EnrollmentRefused:
                count(workflow with { Kind = CounterKind.Refused, Code = entry.Code }, 1);
                break;
            case EntryKind.EnrollmentEnded:
                FoldEnd(turn, entry, workflow, count);
                break;
            case EntryKind.EnrollmentAdapted:
                FoldAdaption(entry, workflow, count);
                break;
            case EntryKind.GoalMet when entry.Flag:
                count(workflow with { Kind = CounterKind.GoalMet, Code = entry.Subject }, 1);
                break;
            case EntryKind.EmailEngaged:
                FoldEmail(entry, workflow, count);
                break;
            case EntryKind.EffectRequested:
                count(workflow with { Kind = CounterKind.EffectRequested, Step = entry.Step }, 1);
                break;
            case EntryKind.EffectCompleted:
                count(workflow with { Kind = CounterKind.EffectCompleted, Step = entry.Step, Code = entry.Code }, 1);
                break;
            default:
                FoldStep(turn, entry, workflow with { Step = entry.Step }, count);
                break;
        }
    }

    private static void FoldStep(in TurnInfo turn, in JournalEntry entry, CounterKey step, Action<CounterKey, long> count)
    {
        switch (entry.Kind)
        {
            case EntryKind.StepEntered:
                count(step with { Kind = CounterKind.StepEntered }, 1);
                break;
            case EntryKind.StepMoved:
                count(step with { Kind = CounterKind.StepAbandoned }, 1);
                break;
            case EntryKind.StepFinished:
                count(step with { Kind = CounterKind.StepFinished, Code = entry.Code }, 1);
                count(step with { Kind = CounterKind.BranchTaken, Code = entry.Subject }, 1);
                if (!entry.OccurredAt.IsNone)
                {
                    count(step with { Version = 0, Kind = CounterKind.StepTime, Code = StepTimes.BucketOf(turn.At.Ms - entry.OccurredAt.Ms) }, 1);
                }

                if (entry.Result == StepResult.Failed || entry.Result == StepResult.SkippedOff)
                {
                    count(step with { Kind = CounterKind.StepError, Code = entry.Result == StepResult.Failed ? (int)entry.Number : -1 }, 1);
                }

                break;
            default:
                break;
        }
    }

    private static void FoldEnd(in TurnInfo turn, in JournalEntry entry, CounterKey workflow, Action<CounterKey, long> count)
    {
        count(workflow with { Kind = CounterKind.Ended, Code = entry.Code }, 1);
        var kind = entry.EndReason.IsCompletion() ? CounterKind.CompletedOn : CounterKind.UnenrolledOn;
        count(workflow with { Version = 0, Kind = kind, Code = turn.Day }, 1);
        if (entry.Step != 0)
        {
            count(workflow with { Kind = CounterKind.StepAbandoned, Step = entry.Step }, 1);
        }

        if (entry.Flag)
        {
            count(workflow with { Kind = CounterKind.NoResponse }, 1);
        }
    }

    /// <summary>What became of e-mails: per step, per workflow, per enrollment, whoever it is the first time for (MET-10 to MET-16).</summary>
    private static void FoldEmail(in JournalEntry entry, CounterKey workflow, Action<CounterKey, long> count)
    {
        var scopes = (EmailScopes)entry.Subject;
        if ((scopes & EmailScopes.Step) != 0)
        {
            count(workflow with { Kind = CounterKind.Email, Step = entry.Step, Code = entry.Code }, 1);
        }

        if ((scopes & EmailScopes.Workflow) != 0)
        {
            count(workflow with { Kind = CounterKind.Email, Code = entry.Code }, 1);
        }

        if ((scopes & EmailScopes.Enrollment) != 0)
        {
            count(workflow with { Kind = CounterKind.EmailEnrollments, Code = entry.Code }, 1);
        }

        if ((scopes & EmailScopes.Engagement) != 0)
        {
            count(workflow with { Kind = CounterKind.EmailEnrollments, Code = (int)EmailSignal.Engaged }, 1);
        }

        if (!entry.DueAt.IsNone)
        {
            count(workflow with { Version = 0, Kind = CounterKind.ReactionTime, Step = entry.Step, Code = StepTimes.BucketOf(entry.OccurredAt.Ms - entry.DueAt.Ms) }, 1);
        }
    }

    /// <summary>Counts by version stay right when an enrollment goes over to a new one.</summary>
    private static void FoldAdaption(in JournalEntry entry, CounterKey workflow, Action<CounterKey, long> count)
    {
        var former = workflow with { Version = (int)entry.Number };
        count(workflow with { Kind = CounterKind.Adapted }, 1);
        count(former with { Kind = CounterKind.Adapted }, -1);
        if (entry.Step != 0)
        {
            count(workflow with { Kind = CounterKind.StepAdapted, Step = entry.Step }, 1);
            count(former with { Kind = CounterKind.StepAdapted, Step = entry.Step }, -1);
        }
    }
}
