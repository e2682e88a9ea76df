using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <content>Phases 5 to 7: exits, goals, waits.</content>
internal sealed partial class NaiveTurn
{
    /// <summary>Active enrollments, oldest workflow first (ENG-05); a copy, since enrollments end on the way.</summary>
    private List<NaiveEnrollment> ActiveInOrder() => [.. engine.Workflows.SelectMany(w => _record.Active.Where(e => e.Workflow == w))];

    /// <summary>Requests to leave, joins of suppression lists and flips of unenrollment triggers of this round.</summary>
    private void CheckExits()
    {
        foreach (var enrollment in ActiveInOrder())
        {
            var definition = engine.Newest(enrollment.Workflow);
            var isRechecked = _rechecked == enrollment.Workflow;
            if (_present.Find(c => c.Unenroll == enrollment.Workflow) is { } asked)
            {
                End(enrollment, asked.Reason);
            }
            else if (definition.SuppressionLists.Any(HasJoined))
            {
                End(enrollment, EndReason.Suppressed);
            }
            else if (definition.UnenrollWhen is { } when && (Became(when) || (isRechecked && NaiveFilters.Holds(when, Now))))
            {
                End(enrollment, EndReason.UnenrollmentTrigger);
            }
        }

        // A publish is looked at once.
        _rechecked = null;
    }

    private bool HasJoined(string list) => _present.Exists(c => c.Joined == list);

    private bool Became(CriteriaDefinition criteria) => NaiveFilters.Holds(criteria, Now) && !NaiveFilters.Holds(criteria, _before);

    /// <summary>Goals, then no-longer-meets, workflow by workflow.</summary>
    private void CheckGoals()
    {
        foreach (var enrollment in ActiveInOrder())
        {
            if (MeetsGoal(enrollment.Workflow, enrollment.GoalsHeld))
            {
                End(enrollment, EndReason.GoalMet);
            }
            else if (NoLongerMeets(enrollment))
            {
                End(enrollment, EndReason.NoLongerMeets);
            }
        }
    }

    /// <summary>Goals stay watched after completion (GOAL-07).</summary>
    private void CheckWatched()
    {
        foreach (var workflow in engine.Workflows.Where(w => !_record.Active.Exists(e => e.Workflow == w)))
        {
            if (_record.Summaries.GetValueOrDefault(workflow) is { LastEnd: EndReason.Completed } watched)
            {
                MeetsGoal(workflow, watched.GoalsHeld);
            }
        }
    }

    /// <summary>Counts what is met (GOAL-06, GOAL-09); true when a goal that holds ends the enrollment (GOAL-04).</summary>
    private bool MeetsGoal(string workflow, HashSet<string> held)
    {
        var exits = false;
        var counted = _record.Summaries[workflow].Counted;
        var goals = engine.Newest(workflow).Goals;
        for (var i = 0; i < goals.Count; i++)
        {
            if (!NaiveFilters.Holds(goals[i].Criteria!, Now))
            {
                held.Remove(goals[i].Id);
                continue;
            }

            exits |= IsExit(goals, i);
            if ((IsExit(goals, i) || !held.Contains(goals[i].Id)) && counted.Add(goals[i].Id))
            {
                Lines.Add(CaseWords.Goal(workflow, goals[i].Id));
                Happen(_queued, "workflow_goal", now, new() { ["workflow"] = workflow, ["goal"] = goals[i].Id });
            }
        }

        return exits;
    }

    private static bool IsExit(IReadOnlyList<GoalDefinition> goals, int index) => goals[index].Exit ?? index == 0;

    /// <summary>The latch "has matched" looks forward only (UNE-02).</summary>
    private bool NoLongerMeets(NaiveEnrollment enrollment)
    {
        var definition = engine.Newest(enrollment.Workflow);
        if (!definition.UnenrollIfNotMeeting)
        {
            return false;
        }

        var holds = NaiveFilters.Holds(definition.Start!.Criteria!, Now);
        var leaves = enrollment.HasMatched && !holds;
        enrollment.HasMatched |= holds;
        return leaves;
    }

    /// <summary>Date delays follow their property (DLY-10).</summary>
    private void FollowProperties()
    {
        foreach (var enrollment in ActiveInOrder().Where(e => e.Standing == Standing.Delay))
        {
            var step = (DelayStepDefinition)Find(enrollment.Workflow, enrollment.Step!)!;
            if (step.Delay.Property is not { FollowProperty: true } until || !_present.Exists(c => c.Property == until.Property))
            {
                continue;
            }

            var due = DueAt(enrollment.Workflow, step, enrollment.EnteredAt);
            if (due > now)
            {
                enrollment.DueAt = due;
            }
            else if (due == now)
            {
                Leave(enrollment, nameof(StepResult.Success), NullIfEmpty(step.Next));
            }
            else
            {
                Leave(enrollment, nameof(StepResult.Skipped), Missed(step));
            }
        }
    }

    private static string? Missed(DelayStepDefinition step) => NullIfEmpty(step.MissedNext.Length > 0 ? step.MissedNext : step.Next);

    private long? DueAt(string workflow, DelayStepDefinition step, long start) => NaiveDelays.DueAt(
        step.Delay, engine.Newest(workflow).TimeZone, start, step.Delay.Property is { } until ? _record.Value(until.Property) : null);

    private void ReleaseWaits()
    {
        foreach (var enrollment in ActiveInOrder().Where(e => e.Standing == Standing.Wait))
        {
            var wait = (WaitStepDefinition)Find(enrollment.Workflow, enrollment.Step!)!;
            if (IsReleased(enrollment, wait))
            {
                Leave(enrollment, "met=true", NullIfEmpty(wait.Next));
            }
        }
    }

    /// <summary>A wait sees what happened after it was entered (DLY-12, DLY-15, ENG-06).</summary>
    private bool IsReleased(NaiveEnrollment enrollment, WaitStepDefinition wait)
    {
        if (wait.Criteria is { } criteria)
        {
            // Entered while the changes of this round were being made: only what came after counts.
            var held = _round > 0 && enrollment.EnteredRun == engine.Runs ? enrollment.HeldAtEntry : NaiveFilters.Holds(criteria, _before);
            return !held && NaiveFilters.Holds(criteria, Now);
        }

        return _present.Exists(c => c.Number > enrollment.EnteredAfter && c.Occurrence is { } o && wait.Events.Any(t => Matches(t, o) && !NeedsEarlierRecord(t, o)));
    }

    private static bool Matches(EventTriggerDefinition trigger, NaiveOccurrence occurrence) =>
        trigger.EventType == occurrence.Type && trigger.Where.All(f => NaiveFilters.Passes(f, occurrence.Properties));

    private void End(NaiveEnrollment enrollment, EndReason reason)
    {
        _record.Active.Remove(enrollment);
        _ready.Remove(enrollment);
        if (reason != EndReason.Completed)
        {
            // A task that was never committed is withdrawn before anybody sees it (UNE-07).
            _record.Tasks.RemoveAll(t => t.Enrollment == enrollment.Number && t.Turn == _turn);
        }

        var summary = _record.Summaries[enrollment.Workflow];
        summary.LastEnd = reason;
        summary.GoalsHeld = enrollment.GoalsHeld;
        Lines.Add(CaseWords.Ended(enrollment.Workflow, enrollment.Number, reason));
        Dictionary<string, string> about = new() { ["workflow"] = enrollment.Workflow };
        if (reason != EndReason.Completed)
        {
            about["reason"] = reason.ToString();
        }

        Happen(_queued, reason == EndReason.Completed ? "workflow_completed" : "workflow_unenrolled", now, about);
    }
}
