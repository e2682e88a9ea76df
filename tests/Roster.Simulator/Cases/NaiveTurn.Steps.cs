using System.Globalization;
using Roster.Core.Journal;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <content>Phase 9: ready enrollments run their steps.</content>
internal sealed partial class NaiveTurn
{
    private void RunReady()
    {
        engine.Runs++;
        while (_ready.Count > 0)
        {
            var first = engine.Workflows.SelectMany(w => _ready.Where(e => e.Workflow == w)).First();
            _ready.Remove(first);
            Run(first);
        }
    }

    private void Run(NaiveEnrollment enrollment)
    {
        while (enrollment.Step is { } id)
        {
            if (WhyLeave(enrollment) is { } reason)
            {
                End(enrollment, reason);
                return;
            }

            if (engine.StateOf(enrollment.Workflow) == WorkflowState.Paused)
            {
                Hold(enrollment);
                return;
            }

            if (IsTooOften(enrollment, id))
            {
                End(enrollment, EndReason.LoopGuard);
                return;
            }

            Lines.Add(CaseWords.Entered(enrollment.Workflow, enrollment.Number, id));
            enrollment.EnteredAt = now;
            enrollment.EnteredAfter = engine.Sequence;
            enrollment.EnteredRun = engine.Runs;
            Enter(enrollment, Find(enrollment.Workflow, id)!);
            if (enrollment.Standing != Standing.Ready)
            {
                return;
            }
        }

        End(enrollment, EndReason.Completed);
    }

    /// <summary>The check before every step (ENG-07).</summary>
    private EndReason? WhyLeave(NaiveEnrollment enrollment)
    {
        var definition = engine.Newest(enrollment.Workflow);
        if (definition.SuppressionLists.Any(_record.Lists.Contains))
        {
            return EndReason.Suppressed;
        }

        if (definition.UnenrollWhen is { } when && NaiveFilters.Holds(when, Now))
        {
            return EndReason.UnenrollmentTrigger;
        }

        return MeetsGoal(enrollment.Workflow, enrollment.GoalsHeld) ? EndReason.GoalMet
            : NoLongerMeets(enrollment) ? EndReason.NoLongerMeets
            : null;
    }

    private void Hold(NaiveEnrollment enrollment)
    {
        enrollment.Standing = Standing.Held;
        Lines.Add(CaseWords.Held(enrollment.Workflow, enrollment.Number, enrollment.Step!));
    }

    /// <summary>ENG-10; otherwise the run is noted.</summary>
    private bool IsTooOften(NaiveEnrollment enrollment, string step)
    {
        if (!enrollment.Runs.TryGetValue(step, out var runs))
        {
            enrollment.Runs[step] = runs = [];
        }

        var inTurn = _stepsRun[enrollment.Number] = _stepsRun.GetValueOrDefault(enrollment.Number) + 1;
        if (inTurn > engine.Settings.StepsPerTurnMax || runs.Count(at => at > now - HourMs) >= engine.Settings.StepRunsPerHourMax)
        {
            return true;
        }

        runs.Add(now);
        return false;
    }

    /// <summary>Runs one step: it stays in it, or knows the next one.</summary>
    private void Enter(NaiveEnrollment enrollment, StepDefinition step)
    {
        switch (step)
        {
            case DelayStepDefinition delay:
                EnterDelay(enrollment, delay);
                break;
            case WaitStepDefinition wait:
                EnterWait(enrollment, wait);
                break;
            case BranchStepDefinition branch:
                var taken = branch.Branches.FirstOrDefault(b => NaiveFilters.Holds(b.Criteria!, Now));
                Take(enrollment, taken?.Name ?? "default", taken?.Next ?? branch.DefaultNext);
                break;
            case ValueBranchStepDefinition branch:
                var match = branch.Cases.FirstOrDefault(c => IsSame(branch.Property, c.Value));
                Take(enrollment, match?.Value ?? "default", match?.Next ?? branch.DefaultNext);
                break;
            case SplitStepDefinition split:
                var path = split.Paths[engine.Split(enrollment, step.Id)];
                Take(enrollment, path.Name, path.Next);
                break;
            case GoToStepDefinition goTo:
                Take(enrollment, nameof(StepResult.Success), goTo.Step);
                break;
            case var action when engine.StateOf(enrollment.Workflow) != WorkflowState.On:
                // EDT-04: actions of a workflow that is off are skipped.
                Take(enrollment, nameof(StepResult.SkippedOff), action.Next);
                break;
            case WorkerStepDefinition worker:
                EnterWorker(enrollment, worker);
                break;
            default:
                Act(step);
                Take(enrollment, nameof(StepResult.Success), step.Next);
                break;
        }
    }

    private void Take(NaiveEnrollment enrollment, string how, string next)
    {
        Lines.Add(CaseWords.Left(enrollment.Workflow, enrollment.Number, enrollment.Step!, how));
        enrollment.Step = NullIfEmpty(next);
    }

    private void EnterDelay(NaiveEnrollment enrollment, DelayStepDefinition delay)
    {
        var due = DueAt(enrollment.Workflow, delay, now);
        if (due > now)
        {
            enrollment.Standing = Standing.Delay;
            enrollment.DueAt = due;
        }
        else if (due == now)
        {
            Take(enrollment, nameof(StepResult.Success), delay.Next);
        }
        else
        {
            Take(enrollment, nameof(StepResult.Skipped), Missed(delay) ?? string.Empty);
        }
    }

    private void EnterWait(NaiveEnrollment enrollment, WaitStepDefinition wait)
    {
        var holds = wait.Criteria is { } criteria && NaiveFilters.Holds(criteria, Now);
        var isOver = wait.Lookback && (holds || _record.History.Any(o => o.Number > enrollment.BeganAfter && wait.Events.Any(t => Matches(t, o) && !NeedsEarlierRecord(t, o))));
        if (isOver)
        {
            Take(enrollment, "met=true", wait.Next);
            return;
        }

        enrollment.Standing = Standing.Wait;
        enrollment.HeldAtEntry = holds;
        enrollment.DueAt = wait.Timeout is { } timeout ? now + (long)timeout.TotalMilliseconds : null;
    }

    private void EnterWorker(NaiveEnrollment enrollment, WorkerStepDefinition worker)
    {
        enrollment.Execution = enrollment.Runs[worker.Id].Count;
        var timesOutAt = now + (long)(worker.Timeout ?? TimeSpan.FromDays(7)).TotalMilliseconds;
        _record.Tasks.Add(new NaiveTask(enrollment.Number, enrollment.Workflow, worker.Id, enrollment.Execution, timesOutAt, _turn));
        if (worker.Wait)
        {
            enrollment.Standing = Standing.Task;
        }
        else
        {
            Take(enrollment, nameof(StepResult.Success), worker.Next);
        }
    }

    /// <summary>Text ignores case; a property with several options matches nothing (BRA-02).</summary>
    private bool IsSame(string property, string wanted) => _record.Value(property) is { } value && (CaseSchema.Properties[property] == CaseSchema.Number
        ? decimal.Parse(value, CultureInfo.InvariantCulture) == decimal.Parse(wanted, CultureInfo.InvariantCulture)
        : string.Equals(value, wanted, StringComparison.InvariantCultureIgnoreCase));

    private void Act(StepDefinition step)
    {
        switch (step)
        {
            case SetPropertyStepDefinition set:
                Write(_queued, set.Property, ValueOf(set), now);
                RecomputeLists(_queued);
                break;
            case ListStepDefinition list:
                ChangeMembership(_queued, list.ListId, list.Adds);
                RecomputeLists(_queued);
                break;
            case OtherWorkflowStepDefinition { Enrolls: true } other:
                _queued.Add(new Change(++engine.Sequence, null, Enroll: other.WorkflowId));
                break;
            case OtherWorkflowStepDefinition other:
                _queued.Add(new Change(++engine.Sequence, null, Unenroll: other.WorkflowId, Reason: EndReason.ByWorkflow));
                break;
            default:
                throw new NotSupportedException($"{step}");
        }
    }

    /// <summary>Unknown counts as 0 at an increment; append adds to a set or a text (ACT-20).</summary>
    private string? ValueOf(SetPropertyStepDefinition set)
    {
        var present = _record.Value(set.Property);
        return set.Clear ? null
            : set.Mode == SetMode.Increment
                ? NaiveFilters.Plain(decimal.Parse(present ?? "0", CultureInfo.InvariantCulture) + decimal.Parse(set.Value, CultureInfo.InvariantCulture))
            : set.Mode != SetMode.Append || present is null ? NaiveFilters.Canonical(set.Property, set.Value)
            : CaseSchema.Properties[set.Property] == CaseSchema.Options ? NaiveFilters.Canonical(set.Property, present + ";" + set.Value)
            : present + set.Value;
    }
}
