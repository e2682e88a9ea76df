using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Phase 6: goals while active and after completing, then no-longer-meets.</content>
public sealed partial class Turn
{
    /// <summary>Goals and criteria of active enrollments, in the order of ENG-05, then goals that are watched after completing (GOAL-07).</summary>
    private void CheckGoals()
    {
        _exits.Clear();
        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (_catalog.FindWorkflow(enrollment.Workflow) is { } workflow && (workflow.Goals.Length > 0 || StepsOf(workflow, enrollment).Settings.UnenrollIfNotMeeting))
            {
                _exits.Add(enrollment.Number);
            }
        }

        while (_exits.Count > 0)
        {
            var number = TakeFirst(_exits);
            CheckGoals(WorkflowOf(number)!, _state.FindEnrollment(number));
        }

        WatchGoals();
    }

    private void CheckGoals(CompiledWorkflow workflow, int index)
    {
        var enrollment = _state.Enrollments[index];
        foreach (var goal in workflow.Goals)
        {
            if (goal.IsExit && AcceptsSafely(goal.Criteria))
            {
                EndIfGoalMet(workflow, index);
                return;
            }
        }

        if (!workflow.HasOnlyExitGoals || enrollment.GoalsHeld != 0)
        {
            _state.TryGetSummary(workflow.Number, out var summary);
            CountGoals(workflow, enrollment.Number, enrollment.GoalsHeld, enrollment.HasMatched, exits: false, ScopeOf(workflow, summary));
        }

        var own = StepsOf(workflow, enrollment);
        if (own.Settings.UnenrollIfNotMeeting && (IsRechecked(workflow) || IsTouched(own.Start.Criteria!)))
        {
            EndIfNotMeeting(workflow, _state.FindEnrollment(enrollment.Number));
        }
    }

    /// <summary>Goals stay watched after a completion, with no time limit; the latest enrollment decides (GOAL-07).</summary>
    private void WatchGoals()
    {
        for (var i = 0; i < _state.Summaries.Length; i++)
        {
            var summary = _state.Summaries[i];
            if (summary.LastEnd == EndReason.Completed && summary.LastEndedAt != default && _catalog.FindWorkflow(summary.Workflow) is { Goals.Length: > 0 } workflow
                && _state.FindActive(summary.Workflow) < 0)
            {
                CountGoals(workflow, summary.LastEnrollment, summary.GoalsHeld, hasMatched: false, exits: true, ScopeOf(workflow, summary));
            }
        }
    }

    /// <summary>
    /// Counts goals that hold and did not hold before: one that held already, or that was met before an e-mail could count it, must stop
    /// and hold again (GOAL-02, GOAL-06).
    /// </summary>
    /// <param name="workflow">The workflow.</param>
    /// <param name="enrollment">The enrollment that they count for.</param>
    /// <param name="held">Goals that held before, as bits.</param>
    /// <param name="hasMatched">What the enrollment remembers besides.</param>
    /// <param name="exits">Whether goals with <c>exit = true</c> count here too.</param>
    /// <param name="scope">Whether also those are judged that look at nothing that changed in the round.</param>
    private void CountGoals(CompiledWorkflow workflow, int enrollment, ulong held, bool hasMatched, bool exits, GoalScope scope)
    {
        var (now, hasJudged) = (held, false);
        foreach (var goal in workflow.Goals)
        {
            if (goal.IsExit && !exits)
            {
                // It does not hold, else the enrollment had ended: should it lose its exit, it counts when it holds again.
                now &= ~goal.Bit;
                continue;
            }

            if (scope == GoalScope.Touched && !IsTouched(goal.Criteria))
            {
                continue;
            }

            hasJudged = true;
            if (!AcceptsSafely(goal.Criteria))
            {
                now &= ~goal.Bit;
            }
            else if (!IsCounted(workflow, goal) && ((now & goal.Bit) == 0 || (goal.IsExit && CanCount(workflow, goal))))
            {
                // That it held before keeps a goal with exit from being met again and again without counting, not from counting.
                now |= goal.Bit;
                Meet(workflow, goal, enrollment);
            }
        }

        // That the goals of a version were judged is remembered with what the turn writes anyway.
        if (now != held || (scope == GoalScope.Published && hasJudged && _entries.Count > 0))
        {
            Write(JournalEntry.EnrollmentLatched(workflow.Number, workflow.Version, enrollment, hasMatched, now, scope == GoalScope.Published ? workflow.Version : 0));
        }
    }

    /// <summary>Which goals a round judges.</summary>
    private enum GoalScope
    {
        /// <summary>Those that look at something that changed.</summary>
        Touched,

        /// <summary>All of them.</summary>
        All,

        /// <summary>All of them, because a publish may have brought some that hold already (GOAL-04, GOAL-12).</summary>
        Published,
    }

    private GoalScope ScopeOf(CompiledWorkflow workflow, in WorkflowSummary summary) =>
        summary.GoalsVersion < workflow.Version ? GoalScope.Published : IsRechecked(workflow) ? GoalScope.All : GoalScope.Touched;

    /// <summary>Whether it counts when it is met now (GOAL-06, GOAL-10).</summary>
    private bool CanCount(CompiledWorkflow workflow, CompiledGoal goal) => goal.CountsAll || (_state.TryGetSummary(workflow.Number, out var summary) && summary.IsMailed);

    private bool IsCounted(CompiledWorkflow workflow, CompiledGoal goal) => _state.TryGetSummary(workflow.Number, out var summary) && (summary.GoalsMet & goal.Bit) != 0;

    /// <summary>The first goal with <c>exit = true</c> that holds; null for none.</summary>
    private CompiledGoal? FindExitGoal(CompiledWorkflow workflow)
    {
        foreach (var goal in workflow.Goals)
        {
            if (goal.IsExit && AcceptsSafely(goal.Criteria))
            {
                return goal;
            }
        }

        return null;
    }

    /// <summary>The goal that refuses an enrollment (GOAL-03); null for none.</summary>
    /// <exception cref="Filters.EvaluationException">A goal cannot be judged.</exception>
    private CompiledGoal? FindRefusingGoal(CompiledWorkflow workflow)
    {
        foreach (var goal in workflow.Goals)
        {
            if (goal.IsExit && goal.Criteria.Accepts(Now))
            {
                return goal;
            }
        }

        return null;
    }

    private bool EndIfGoalMet(CompiledWorkflow workflow, int index)
    {
        var enrollment = _state.Enrollments[index];
        if (FindExitGoal(workflow) is not { } goal)
        {
            return false;
        }

        foreach (var met in workflow.Goals)
        {
            if ((met.IsExit || (enrollment.GoalsHeld & met.Bit) == 0) && !IsCounted(workflow, met) && (ReferenceEquals(met, goal) || AcceptsSafely(met.Criteria)))
            {
                Meet(workflow, met, enrollment.Number);
            }
            else if (ReferenceEquals(met, goal))
            {
                Write(JournalEntry.GoalMet(workflow.Number, workflow.Version, enrollment.Number, goal.Number, goal.Id, isCounted: false));
            }
        }

        End(_state.FindEnrollment(enrollment.Number), EndReason.GoalMet, goal.Number);
        return true;
    }

    /// <summary>
    /// A goal is met: it counts when the workflow has sent an e-mail before, or needs none (GOAL-06, GOAL-10); while such an e-mail is in
    /// flight, its completion decides (GOAL-08).
    /// </summary>
    private void Meet(CompiledWorkflow workflow, CompiledGoal goal, int enrollment)
    {
        var isCounted = CanCount(workflow, goal);
        Write(JournalEntry.GoalMet(workflow.Number, workflow.Version, enrollment, goal.Number, goal.Id, isCounted));
        if (isCounted)
        {
            QueueStatus(workflow.Number, _index.Types.Goal, new NamedValue("goal", Value.OfText(goal.Id)));
        }
        else if (IsMailInFlight(workflow))
        {
            Write(JournalEntry.GoalPending(workflow.Number, workflow.Version, enrollment, goal.Number, isPending: true));
        }
    }

    private bool IsMailInFlight(CompiledWorkflow workflow)
    {
        foreach (ref readonly var effect in _state.OpenEffects)
        {
            if (effect.Workflow == workflow.Number && effect.IsMarketing)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>An e-mail in flight was completed: goals that waited for it count when it was sent, and stop waiting when none is left (GOAL-08).</summary>
    private void SettlePendingGoals(CompiledWorkflow workflow, int enrollment)
    {
        if (!_state.TryGetSummary(workflow.Number, out var summary) || summary.GoalsPending == 0)
        {
            return;
        }

        foreach (var goal in workflow.Goals)
        {
            if ((summary.GoalsPending & goal.Bit) == 0)
            {
                continue;
            }

            if (summary.IsMailed)
            {
                Write(JournalEntry.GoalMet(workflow.Number, workflow.Version, enrollment, goal.Number, goal.Id, isCounted: true));
                QueueStatus(workflow.Number, _index.Types.Goal, new NamedValue("goal", Value.OfText(goal.Id)));
            }
            else if (!IsMailInFlight(workflow))
            {
                Write(JournalEntry.GoalPending(workflow.Number, workflow.Version, enrollment, goal.Number, isPending: false));
            }
        }
    }
}
