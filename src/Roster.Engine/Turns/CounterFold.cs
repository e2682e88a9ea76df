using Roster.Core.Journal;
using Roster.Engine.Stores;

namespace Roster.Engine.Turns;

/// <summary>From journal entries to counters: used when a turn is committed and when counters are recounted, so the two cannot differ (MET-01).</summary>
public static class CounterFold
{
    /// <summary>Counts one turn.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="cause">What input the turn handled.</param>
    /// <param name="entries">Its entries; only skeletons are looked at.</param>
    /// <param name="count">Gets each counter and its change.</param>
    public static void Fold(int tenant, TurnCause cause, ReadOnlySpan<JournalEntry> entries, Action<CounterKey, long> count)
    {
        ArgumentNullException.ThrowIfNull(count);
        switch (cause)
        {
            case TurnCause.Event or TurnCause.Command:
                count(new CounterKey(tenant, 0, 0, CounterKind.Applied, 0, 0), 1);
                break;
            case TurnCause.Timer:
                count(new CounterKey(tenant, 0, 0, CounterKind.TimerFired, 0, 0), 1);
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

            Fold(tenant, entry, count);
        }
    }

    private static void Fold(int tenant, in JournalEntry entry, Action<CounterKey, long> count)
    {
        var workflow = new CounterKey(tenant, entry.Workflow, entry.Version, CounterKind.None, 0, 0);
        switch (entry.Kind)
        {
            case EntryKind.RecordCreated:
                count(new CounterKey(tenant, 0, 0, CounterKind.RecordCreated, 0, 0), 1);
                break;
            case EntryKind.Enrolled:
                count(workflow with { Kind = CounterKind.Enrolled }, 1);
                if (entry.Flag)
                {
                    count(workflow with { Kind = CounterKind.RecordsEnrolled }, 1);
                }

                break;
            case EntryKind.EnrollmentRefused:
                count(workflow with { Kind = CounterKind.Refused, Code = entry.Code }, 1);
                break;
            case EntryKind.EnrollmentEnded:
                count(workflow with { Kind = CounterKind.Ended, Code = entry.Code }, 1);
                if (entry.Step != 0)
                {
                    count(workflow with { Kind = CounterKind.StepAbandoned, Step = entry.Step }, 1);
                }

                break;
            case EntryKind.StepEntered:
                count(workflow with { Kind = CounterKind.StepEntered, Step = entry.Step }, 1);
                break;
            case EntryKind.StepFinished:
                count(workflow with { Kind = CounterKind.StepFinished, Step = entry.Step, Code = entry.Code }, 1);
                count(workflow with { Kind = CounterKind.BranchTaken, Step = entry.Step, Code = entry.Subject }, 1);
                break;
            case EntryKind.GoalMet when entry.Flag:
                count(workflow with { Kind = CounterKind.GoalMet, Code = entry.Subject }, 1);
                break;
            case EntryKind.EffectRequested:
                count(workflow with { Kind = CounterKind.EffectRequested, Step = entry.Step }, 1);
                break;
            case EntryKind.EffectCompleted:
                count(workflow with { Kind = CounterKind.EffectCompleted, Step = entry.Step, Code = entry.Code }, 1);
                break;
            default:
                break;
        }
    }
}
