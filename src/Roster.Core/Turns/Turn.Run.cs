using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Phase 9: ready enrollments run their steps until they wait or end.</content>
public sealed partial class Turn
{
    private const string NoBranchMatched = "NO_BRANCH_MATCHED";

    /// <summary>Where enrollments whose step was finished go on; those not in it go on after their present step.</summary>
    private readonly Dictionary<int, int> _goesOn = [];

    /// <summary>Steps that enrollments ran in earlier rounds of the turn (ENG-10).</summary>
    private readonly Dictionary<int, int> _stepCounts = [];

    private void MakeReady(int enrollment)
    {
        if (!_ready.Contains(enrollment))
        {
            _ready.Add(enrollment);
        }
    }

    /// <summary>Runs what is ready, oldest workflow first (ENG-05).</summary>
    private void RunReady()
    {
        _writes.Clear();
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
        var (leftIndex, rightIndex) = (_state.FindEnrollment(left), _state.FindEnrollment(right));
        if (leftIndex < 0 || rightIndex < 0)
        {
            return left < right;
        }

        var (leftOrder, rightOrder) = (_catalog.OrderOf(_state.Enrollments[leftIndex].Workflow), _catalog.OrderOf(_state.Enrollments[rightIndex].Workflow));
        return leftOrder == rightOrder ? left < right : leftOrder < rightOrder;
    }

    private CompiledWorkflow? WorkflowOf(int enrollment)
    {
        var index = _state.FindEnrollment(enrollment);
        return index < 0 ? null : _catalog.FindWorkflow(_state.Enrollments[index].Workflow);
    }

    /// <summary>The version whose steps and windows an enrollment runs: the newest, or its own when it is pinned (EDT-07, EDT-11).</summary>
    private CompiledWorkflow StepsOf(CompiledWorkflow newest, in EnrollmentState enrollment) =>
        enrollment.Version == newest.Version || newest.Settings.PublishPolicy != PublishPolicy.Pinned ? newest : _catalog.FindVersion(enrollment.Workflow, enrollment.Version)!;

    private void Run(int number)
    {
        if (WorkflowOf(number) is not { } workflow)
        {
            return;
        }

        var steps = StepsOf(workflow, _state.Enrollments[_state.FindEnrollment(number)]);
        var step = NextStep(steps, _state.Enrollments[_state.FindEnrollment(number)]);
        for (var count = _stepCounts.GetValueOrDefault(number); ; count++)
        {
            var index = _state.FindEnrollment(number);
            if (step == 0)
            {
                End(index, workflow.IsSequence ? EndReason.Finished : EndReason.Completed);
                return;
            }

            if (EndBeforeStep(workflow, index))
            {
                return;
            }

            if (workflow.Identity.State == WorkflowState.Paused)
            {
                Hold(steps, _state.Enrollments[index], step);
                return;
            }

            if (count >= _catalog.Schema.Settings.StepsPerTurnMax || IsRunTooOften(steps, _state.Enrollments[index], step))
            {
                End(index, EndReason.LoopGuard);
                return;
            }

            _stepCounts[number] = count + 1;
            if (Enter(workflow, steps, index, steps.Find(step)!) is not { } next)
            {
                return;
            }

            step = next;
        }
    }

    /// <summary>A paused workflow runs no step: the enrollment stands still before it (EDT-05).</summary>
    private void Hold(CompiledWorkflow steps, in EnrollmentState enrollment, int step)
    {
        if (enrollment.Phase != StepPhase.Held || !enrollment.DueAt.IsNone || enrollment.Step != step)
        {
            Write(JournalEntry.StepHeld(steps.Number, steps.Version, enrollment.Number, step));
        }
    }

    /// <summary>
    /// The step to enter: the first one after the enrollment, else the one after the step that was finished. A step that a publish
    /// removed is replaced by its surviving successor (EDT-09); one that a publish gave another kind is entered anew (EDT-10).
    /// </summary>
    private int NextStep(CompiledWorkflow steps, in EnrollmentState enrollment)
    {
        if (_goesOn.Remove(enrollment.Number, out var next))
        {
            return steps.Find(next) is not null || next == 0 ? next : steps.Moved.GetValueOrDefault(next);
        }

        var present = steps.Find(enrollment.Step);
        if (present is null)
        {
            return steps.Moved.GetValueOrDefault(enrollment.Step);
        }

        return enrollment.Execution == 0 || IsMoved(enrollment) ? enrollment.Step : present.Next;
    }

    /// <summary>Whether the present step is an action that was entered and moved, so that it has not run yet.</summary>
    private static bool IsMoved(in EnrollmentState enrollment) =>
        enrollment.Execution > 0 && enrollment.Phase is StepPhase.Window or StepPhase.Anchor or StepPhase.Slot or StepPhase.Held;

    /// <summary>ENG-10. An action that was moved had its run counted when it was entered.</summary>
    private bool IsRunTooOften(CompiledWorkflow steps, in EnrollmentState enrollment, int step) =>
        !IsEntered(enrollment, steps.Find(step)!) && _state.RunsSince(enrollment, step, _now.PlusMs(-HourMs)) >= _catalog.Schema.Settings.StepRunsPerHourMax;

    private static bool IsEntered(in EnrollmentState enrollment, CompiledStep step) => IsMoved(enrollment) && enrollment.Step == step.Number && step.IsAction;

    /// <summary>Runs one step. Returns the step that follows, 0 for the end, or null when the enrollment waits.</summary>
    private int? Enter(CompiledWorkflow workflow, CompiledWorkflow steps, int index, CompiledStep step)
    {
        var enrollment = _state.Enrollments[index];
        var isEntered = IsEntered(enrollment, step);
        var execution = isEntered ? enrollment.Execution : _state.RunsOf(enrollment, step.Number) + 1;
        if (steps.Settings.Sequence is { } sequence)
        {
            return EnterSequenceStep(steps, sequence, enrollment, step, execution, isEntered);
        }

        switch (step)
        {
            case CompiledDelay delay:
                return EnterDelay(steps, enrollment, delay, execution);
            case CompiledWait wait:
                return EnterWait(steps, enrollment, wait, execution);
            case CompiledBranch branch:
                return EnterBranch(steps, enrollment, branch, execution);
            case CompiledValueBranch branch:
                return EnterValueBranch(steps, enrollment, branch, execution);
            case CompiledSplit split:
                return EnterSplit(steps, enrollment, split, execution);
            case CompiledGoTo goTo:
                Entered(steps, enrollment, goTo, execution, Timestamp.None);
                Finished(steps, enrollment, goTo, execution, StepResult.Success);
                return goTo.Next;
            default:
                return EnterAction(workflow, steps, enrollment, step, execution, isEntered);
        }
    }

    /// <summary>
    /// Runs of a step are counted by itself when it can come again and again: in a graph with a loop, and where its tasks need keys of
    /// their own (ACT-03). Of others the state keeps a trail, since a publish may put a step behind one that it was before.
    /// </summary>
    private void Entered(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledStep step, int execution, Timestamp dueAt, StepPhase phase = StepPhase.Ready) =>
        Write(JournalEntry.StepEntered(
            steps.Number, steps.Version, enrollment.Number, step.Number, execution, dueAt, steps.HasLoops || step is CompiledWorker, phase));

    private void Finished(
        CompiledWorkflow steps, in EnrollmentState enrollment, CompiledStep step, int execution, StepResult result, int branch = 0, string? name = null, string? failure = null, NamedValue[]? outputs = null) =>
        Write(JournalEntry.StepFinished(steps.Number, steps.Version, enrollment.Number, step.Number, execution, result, branch, name, failure, outputs, EnteredBefore(enrollment, step.Number)));

    /// <summary>When the step was entered, if that was in an earlier turn.</summary>
    private Timestamp EnteredBefore(in EnrollmentState enrollment, int step) =>
        enrollment.Step == step && enrollment.Phase != StepPhase.Ready && enrollment.EnteredAt != _now ? enrollment.EnteredAt : Timestamp.None;

    /// <summary>The present step is over: the enrollment is ready for what follows it.</summary>
    private void FinishStep(
        in EnrollmentState enrollment, StepResult result, int branch = 0, string? name = null, string? failure = null, int? next = null, NamedValue[]? outputs = null)
    {
        Write(JournalEntry.StepFinished(
            enrollment.Workflow, enrollment.Version, enrollment.Number, enrollment.Step, enrollment.Execution, result, branch, name, failure, outputs,
            EnteredBefore(enrollment, enrollment.Step)));
        MakeReady(enrollment.Number);
        if (next is not null)
        {
            _goesOn[enrollment.Number] = next.Value;
        }
    }

    /// <summary>The first branch that accepts is taken (BRA-01), else the default (BRA-03). Criteria that cannot be judged accept nothing (ENG-12).</summary>
    private int EnterBranch(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledBranch branch, int execution)
    {
        Entered(steps, enrollment, branch, execution, Timestamp.None);
        for (var i = 0; i < branch.Branches.Length; i++)
        {
            if (AcceptsSafely(branch.Branches[i].Criteria))
            {
                Finished(steps, enrollment, branch, execution, StepResult.Success, i + 1, branch.Branches[i].Name);
                return branch.Branches[i].Next;
            }
        }

        return TakeDefault(steps, enrollment, branch, execution);
    }

    /// <summary>Whether criteria hold; those that cannot be judged accept nothing (ENG-12).</summary>
    private bool AcceptsSafely(Filters.Criteria criteria) => AcceptsOr(criteria, fallback: false);

    private bool AcceptsOr(Filters.Criteria criteria, bool fallback)
    {
        try
        {
            return criteria.Accepts(Now);
        }
        catch (Filters.EvaluationException)
        {
            return fallback;
        }
    }

    private int TakeDefault(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledStep branch, int execution)
    {
        Finished(steps, enrollment, branch, execution, StepResult.Success, 0, branch.Next == 0 ? NoBranchMatched : null);
        return branch.Next;
    }

    /// <summary>Values are compared one by one; text ignores case; a property with several options matches none (BRA-02).</summary>
    private int EnterValueBranch(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledValueBranch branch, int execution)
    {
        Entered(steps, enrollment, branch, execution, Timestamp.None);
        var value = branch.Property is { } property ? ValueOf(property.Number) : _state.FindOutput(enrollment.Number, branch.OutputStep, branch.OutputName);
        for (var i = 0; i < branch.Cases.Length && !value.IsUnknown; i++)
        {
            if (IsSame(value, branch.Cases[i]))
            {
                Finished(steps, enrollment, branch, execution, StepResult.Success, i + 1, branch.Cases[i].Text);
                return branch.Cases[i].Next;
            }
        }

        return TakeDefault(steps, enrollment, branch, execution);
    }

    private static bool IsSame(in Value value, CompiledCase wanted) => value.Type switch
    {
        PropertyType.String => string.Equals(value.Text, wanted.Text, StringComparison.OrdinalIgnoreCase),
        PropertyType.Enumeration => value.Options.Length == 1 && string.Equals(value.Options[0], wanted.Text, StringComparison.OrdinalIgnoreCase),
        PropertyType.Number => Value.TryParse(wanted.Text, PropertyType.Number, out var number) && !number.IsUnknown && number.Number == value.Number,
        _ => !wanted.Value.IsUnknown ? wanted.Value.Equals(value) : string.Equals(value.ToString(), wanted.Text, StringComparison.OrdinalIgnoreCase),
    };

    /// <summary>The path is a hash of tenant, workflow, step and record, so that it is the same for good (BRA-05).</summary>
    private int EnterSplit(CompiledWorkflow steps, in EnrollmentState enrollment, CompiledSplit split, int execution)
    {
        Entered(steps, enrollment, split, execution, Timestamp.None);
        var key = split.Sticky
            ? $"{_catalog.TenantId}/{steps.Identity.Id}/{split.Id}/{_state.Id}"
            : $"{_catalog.TenantId}/{steps.Identity.Id}/{split.Id}/{_state.Id}/{enrollment.Number}/{execution}";
        var hash = StableHash.Hash128(key).High;
        var path = split.Bounds.Length == 0 ? (int)(hash % (ulong)split.Paths.Length) : PathOf(split.Bounds, (int)(hash % 100));
        Finished(steps, enrollment, split, execution, StepResult.Success, path + 1, split.Names[path]);
        return split.Paths[path];
    }

    private static int PathOf(int[] bounds, int drawn)
    {
        var path = 0;
        while (drawn >= bounds[path])
        {
            path++;
        }

        return path;
    }
}
