using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Criteria that depend on the clock: the record is woken at the instant at which one may flip (TRG-09).</content>
public sealed partial class Turn
{
    /// <summary>The instant of the flip that this turn handles; none in other turns.</summary>
    private Timestamp _flipHandled;

    /// <summary>
    /// Sets the record's flip timer: the earliest instant at which anything that looks at this record and depends on the clock may change.
    /// A function of state and catalog, so nothing has to be remembered.
    /// </summary>
    private void ArmFlip()
    {
        var isPending = !_state.FlipAt.IsNone && _state.FlipAt <= _now && _flipHandled.IsNone;
        if ((!_index.HasTimed && _state.FlipAt.IsNone) || (isPending && _state.IsLive))
        {
            // A flip that is due has a turn of its own, after the timers that come before it (ENG-04).
            return;
        }

        var next = _state.IsLive && _index.HasTimed ? NextFlip() : Timestamp.None;
        if (next != _state.FlipAt)
        {
            Write(JournalEntry.FlipArmed(next));
        }
    }

    private Timestamp NextFlip()
    {
        var next = Timestamp.None;
        foreach (var index in _index.Members.Timed)
        {
            next = Earlier(next, _index.Lists[index].Criteria!);
        }

        foreach (var index in _index.Starts.Timed)
        {
            foreach (var criteria in _catalog.Workflows[index].Start.Triggers)
            {
                next = Earlier(next, criteria);
            }
        }

        foreach (var index in _index.DateSchedules)
        {
            var workflow = _catalog.Workflows[index];
            next = Earlier(next, workflow.Start.Schedule!.Dates!.NextAfter(ValueOf(workflow.Start.Schedule.DateProperty), _now, workflow.Zone));
        }

        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (_catalog.FindWorkflow(enrollment.Workflow) is { } workflow)
            {
                next = NextFlip(next, workflow, enrollment);
            }
        }

        return NextFlipOfWatched(next);
    }

    private Timestamp NextFlip(Timestamp next, CompiledWorkflow workflow, in EnrollmentState enrollment)
    {
        foreach (var goal in workflow.Goals)
        {
            next = Earlier(next, goal.Criteria);
        }

        next = workflow.Settings.UnenrollWhen is { } unenroll ? Earlier(next, unenroll) : next;
        var steps = StepsOf(workflow, enrollment);
        next = steps.Settings.UnenrollIfNotMeeting ? Earlier(next, steps.Start.Criteria!) : next;
        return enrollment.Phase == StepPhase.Wait && steps.Find(enrollment.Step) is CompiledWait { Criteria: { } waited }
            ? Earlier(next, waited)
            : next;
    }

    private Timestamp NextFlipOfWatched(Timestamp next)
    {
        foreach (ref readonly var summary in _state.Summaries)
        {
            if (summary.LastEnd == EndReason.Completed && _catalog.FindWorkflow(summary.Workflow) is { Goals.Length: > 0 } workflow)
            {
                foreach (var goal in workflow.Goals)
                {
                    next = (summary.GoalsMet & goal.Bit) == 0 ? Earlier(next, goal.Criteria) : next;
                }
            }
        }

        return next;
    }

    private Timestamp Earlier(Timestamp next, Criteria criteria) => criteria.DependsOnTime ? Earlier(next, criteria.NextFlip(_state, _now)) : next;

    private static Timestamp Earlier(Timestamp left, Timestamp right) => left.IsNone || (!right.IsNone && right < left) ? right : left;
}
