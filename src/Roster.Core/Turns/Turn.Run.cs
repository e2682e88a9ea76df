using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Phase 9: ready enrollments run their steps until they wait or end.</content>
public sealed partial class Turn
{
    private const string NoBranchMatched = "NO_BRANCH_MATCHED";

    /// <summary>Runs what is ready, oldest workflow first (ENG-05).</summary>
    private void RunReady()
    {
        while (_ready.Count > 0)
        {
            Run(TakeFirst(_ready));
        }
    }

    /// <summary>Takes the enrollment that goes first in a phase (ENG-05).</summary>
    private int TakeFirst(List<int> enrollments)
    {
        var first = 0;
        for (var i = 1; i < enrollments.Count; i++)
        {
            first = IsBefore(enrollments[i], enrollments[first]) ? i : first;
        }

        var number = enrollments[first];
        enrollments.RemoveAt(first);
        return number;
    }

    private bool IsBefore(int left, int right)
    {
        var leftWorkflow = WorkflowOf(left);
        var rightWorkflow = WorkflowOf(right);
        if (leftWorkflow is null || rightWorkflow is null || ReferenceEquals(leftWorkflow, rightWorkflow))
        {
            return left < right;
        }

        return _catalog.Workflows.IndexOf(leftWorkflow) < _catalog.Workflows.IndexOf(rightWorkflow);
    }

    private CompiledWorkflow? WorkflowOf(int enrollment)
    {
        var index = _state.FindEnrollment(enrollment);
        return index < 0 ? null : _catalog.FindWorkflow(_state.Enrollments[index].Workflow);
    }

    private void Run(int number)
    {
        if (WorkflowOf(number) is not { } workflow)
        {
            return;
        }

        var step = NextStep(workflow, _state.Enrollments[_state.FindEnrollment(number)]);
        for (var steps = 0; ; steps++)
        {
            var index = _state.FindEnrollment(number);
            if (step == 0)
            {
                End(index, EndReason.Completed);
                return;
            }

            if (EndIfGoalMet(workflow, index))
            {
                return;
            }

            if (steps >= _catalog.Schema.Settings.StepsPerTurnMax || IsRunTooOften(workflow, _state.Enrollments[index], step))
            {
                End(index, EndReason.LoopGuard);
                return;
            }

            if (Enter(workflow, index, workflow.Find(step)!) is not { } next)
            {
                return;
            }

            step = next;
        }
    }

    /// <summary>
    /// The step to enter: the first one after the enrollment, else the one after the step that was finished. A step that a publish
    /// removed is replaced by its surviving successor (EDT-09); one that a publish gave another kind is entered anew (EDT-10).
    /// </summary>
    private int NextStep(CompiledWorkflow workflow, in EnrollmentState enrollment)
    {
        var isFirst = enrollment.Execution == 0;
        var present = workflow.Find(enrollment.Step);
        if (present is null)
        {
            return workflow.Moved.GetValueOrDefault(enrollment.Step);
        }

        return isFirst || _enteredAnew == enrollment.Number ? enrollment.Step : present.Next;
    }

    private bool IsRunTooOften(CompiledWorkflow workflow, in EnrollmentState enrollment, int step)
    {
        if (!workflow.HasLoops)
        {
            return false;
        }

        foreach (var runs in enrollment.Runs ?? [])
        {
            if (runs.Step == step)
            {
                return _now.Ms - runs.HourStart.Ms < HourMs && runs.HourCount >= _catalog.Schema.Settings.StepRunsPerHourMax;
            }
        }

        return false;
    }

    /// <summary>Runs one step. Returns the step that follows, 0 for the end, or null when the enrollment waits.</summary>
    private int? Enter(CompiledWorkflow workflow, int index, CompiledStep step)
    {
        var enrollment = _state.Enrollments[index];
        var execution = ExecutionOf(enrollment, step.Number);
        switch (step)
        {
            case CompiledDelay delay:
                return EnterDelay(workflow, enrollment, delay, execution);
            case CompiledBranch branch:
                return EnterBranch(workflow, enrollment, branch, execution);
            case CompiledSetProperty set:
                return EnterSetProperty(workflow, enrollment, set, execution);
            case CompiledWorker worker:
                return EnterWorker(workflow, enrollment, worker, execution);
            default:
                throw new InvalidOperationException($"Step kind {step.Kind} is not known to the turn.");
        }
    }

    private static int ExecutionOf(in EnrollmentState enrollment, int step)
    {
        foreach (var runs in enrollment.Runs ?? [])
        {
            if (runs.Step == step)
            {
                return runs.Count + 1;
            }
        }

        return 1;
    }

    /// <summary>
    /// Runs of a step are counted when it can come again: in a graph with a loop, and where its tasks need keys of their own, since a
    /// publish may put a step behind one that it was before (ACT-03).
    /// </summary>
    private void Entered(CompiledWorkflow workflow, in EnrollmentState enrollment, CompiledStep step, int execution, Timestamp dueAt) =>
        Write(JournalEntry.StepEntered(
            workflow.Number, workflow.Version, enrollment.Number, step.Number, execution, dueAt, workflow.HasLoops || step is CompiledWorker));

    private void Finished(
        CompiledWorkflow workflow, in EnrollmentState enrollment, CompiledStep step, int execution, StepResult result, int branch = 0, string? name = null) =>
        Write(JournalEntry.StepFinished(workflow.Number, workflow.Version, enrollment.Number, step.Number, execution, result, branch, name));

    private int? EnterDelay(CompiledWorkflow workflow, in EnrollmentState enrollment, CompiledDelay delay, int execution)
    {
        var due = delay.DueAt(_now, workflow.Zone);
        if (due <= _now)
        {
            Entered(workflow, enrollment, delay, execution, Timestamp.None);
            Finished(workflow, enrollment, delay, execution, StepResult.Success);
            return delay.Next;
        }

        Entered(workflow, enrollment, delay, execution, due);
        return null;
    }

    /// <summary>The first branch that accepts is taken (BRA-01), else the default (BRA-03).</summary>
    private int? EnterBranch(CompiledWorkflow workflow, in EnrollmentState enrollment, CompiledBranch branch, int execution)
    {
        Entered(workflow, enrollment, branch, execution, Timestamp.None);
        for (var i = 0; i < branch.Branches.Length; i++)
        {
            if (branch.Branches[i].Criteria.Accepts(_state))
            {
                Finished(workflow, enrollment, branch, execution, StepResult.Success, i + 1, branch.Branches[i].Name);
                return branch.Branches[i].Next;
            }
        }

        Finished(workflow, enrollment, branch, execution, StepResult.Success, 0, branch.Default == 0 ? NoBranchMatched : null);
        return branch.Default;
    }

    private int? EnterSetProperty(CompiledWorkflow workflow, in EnrollmentState enrollment, CompiledSetProperty set, int execution)
    {
        Entered(workflow, enrollment, set, execution, Timestamp.None);
        if (workflow.Identity.State == WorkflowState.Off)
        {
            Finished(workflow, enrollment, set, execution, StepResult.SkippedOff);
            return set.Next;
        }

        WriteProperty(set.Property.Number, set.Value, _now, set.Source, workflow.Number, set.Number);
        Finished(workflow, enrollment, set, execution, StepResult.Success);
        return set.Next;
    }

    /// <summary>External actions become effects; the enrollment waits for the completion unless told not to (ACT-02).</summary>
    private int? EnterWorker(CompiledWorkflow workflow, in EnrollmentState enrollment, CompiledWorker worker, int execution)
    {
        Entered(workflow, enrollment, worker, execution, Timestamp.None);
        if (workflow.Identity.State == WorkflowState.Off)
        {
            Finished(workflow, enrollment, worker, execution, StepResult.SkippedOff);
            return worker.Next;
        }

        Write(JournalEntry.EffectRequested(
            workflow.Number, workflow.Version, enrollment.Number, worker.Number, execution, worker.Queue, worker.Wait, _now.PlusMs(worker.TimeoutMs), TaskFields(worker)));
        if (worker.Wait)
        {
            return null;
        }

        Finished(workflow, enrollment, worker, execution, StepResult.Success);
        return worker.Next;
    }

    /// <summary>Fixed fields, then the wanted properties as they are now; the latter are told apart by a leading dot.</summary>
    private NamedValue[] TaskFields(CompiledWorker worker)
    {
        if (worker.Properties.Length == 0)
        {
            return worker.Fields;
        }

        var fields = new List<NamedValue>(worker.Fields);
        foreach (var property in worker.Properties)
        {
            if (_state.TryGetProperty(property.Number, isBefore: false, out var view) && !view.IsUnknown)
            {
                fields.Add(new NamedValue("." + property.Name, view.Value));
            }
        }

        return [.. fields];
    }
}
