using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Inputs other than events: requests by hand, timers, completions.</content>
public sealed partial class Turn
{
    private const string TimeoutCode = "TIMEOUT";

    private TurnResult DecideCommand(CommandInput input)
    {
        if (!_state.Exists && input.Kind == CommandKind.Unenroll)
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        var content = input.HashContent();
        if (Refuse(input.IdHash, content) is { } refused)
        {
            return refused;
        }

        BeginTurn();
        CreateIfNew(_now);
        Write(JournalEntry.CommandReceived(input.Kind, input.Workflow, _now, input.RequestId, input.IdHash, content, input.Caller));
        ForgetOldIds();
        return input.Kind == CommandKind.Enroll ? EnrollByHand(input) : UnenrollByHand(input);
    }

    private TurnResult EnrollByHand(CommandInput input)
    {
        var workflow = _catalog.FindWorkflow(input.Workflow);
        if (workflow is null)
        {
            Write(JournalEntry.Refused(input.Workflow, 0, TriggerKind.Manual, Decision.WorkflowOff));
            return new TurnResult(TurnStatus.Applied, Decision: Decision.WorkflowOff);
        }

        if (workflow.NeedsHistory && _state.IsMissing(SectionKind.PropertyHistory))
        {
            return new TurnResult(TurnStatus.NeedsSections, Missing: SectionKind.PropertyHistory);
        }

        var decision = Check(workflow, new Consideration { IsExplicit = true, Trigger = TriggerKind.Manual });
        Conclude(workflow, TriggerKind.Manual, decision);
        var enrollment = decision == Decision.Enrolled ? _state.LastEnrollment : 0;
        _state.BeginRound();
        RunReady();
        var result = _state.ChangedCount == 0 ? new TurnResult(TurnStatus.Applied) : RunRounds(firstRound: 1);
        return result with { Decision = decision, Enrollment = enrollment };
    }

    private TurnResult UnenrollByHand(CommandInput input)
    {
        var index = _state.FindActive(input.Workflow);
        if (index < 0)
        {
            return new TurnResult(TurnStatus.Applied);
        }

        var number = _state.Enrollments[index].Number;
        End(index, EndReason.Manual);
        return new TurnResult(TurnStatus.Applied, Enrollment: number);
    }

    /// <summary>The one timer that is first in the order of ENG-04.</summary>
    private TurnResult DecideTimer()
    {
        var due = _state.NextDueAt;
        if (due.IsNone || due > _now)
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        BeginTurn();
        var (delay, timeout) = FindFirstDue(due);
        if (timeout >= 0)
        {
            Complete(_state.OpenEffects[timeout], StepResult.Failed, TimeoutCode, "No completion came in time.", []);
        }
        else
        {
            FinishStep(_state.Enrollments[delay], StepResult.Success);
        }

        return RunRounds();
    }

    /// <summary>Of all that is due at one instant the first by enrollment number, then step id: the index of an enrollment in a delay, or of a task.</summary>
    private (int Delay, int Timeout) FindFirstDue(Timestamp due)
    {
        var first = (Delay: -1, Timeout: -1);
        var least = (Enrollment: int.MaxValue, Workflow: 0, Step: 0);
        for (var i = 0; i < _state.Enrollments.Length; i++)
        {
            ref readonly var enrollment = ref _state.Enrollments[i];
            if (enrollment.Phase == StepPhase.Delay && enrollment.DueAt == due && enrollment.Number < least.Enrollment)
            {
                least = (enrollment.Number, enrollment.Workflow, enrollment.Step);
                first = (i, -1);
            }
        }

        for (var i = 0; i < _state.OpenEffects.Length; i++)
        {
            var effect = _state.OpenEffects[i];
            var isBefore = effect.Enrollment < least.Enrollment
                || (effect.Enrollment == least.Enrollment && string.CompareOrdinal(StepId(effect.Workflow, effect.Step), StepId(least.Workflow, least.Step)) < 0);
            if (effect.TimesOutAt == due && isBefore)
            {
                least = (effect.Enrollment, effect.Workflow, effect.Step);
                first = (-1, i);
            }
        }

        return first == (-1, -1) ? throw new InvalidOperationException($"Record {_state.Number} is due at {due} but has nothing that is.") : first;
    }

    private string StepId(int workflow, int step) => _catalog.FindWorkflow(workflow)?.Find(step)?.Id ?? string.Empty;

    private TurnResult DecideCompletion(CompletionInput input)
    {
        var index = _state.FindEffect(input.Enrollment, input.Step, input.Execution);
        if (index < 0)
        {
            return new TurnResult(TurnStatus.Nothing);
        }

        BeginTurn();
        Complete(_state.OpenEffects[index], input.Result, input.FailureCode, input.FailureText, input.Outputs);
        return RunRounds();
    }

    private void Complete(OpenEffect effect, StepResult result, string code, string text, NamedValue[] outputs)
    {
        Write(JournalEntry.EffectCompleted(effect.Workflow, effect.Version, effect.Enrollment, effect.Step, effect.Execution, result, code, text, outputs));
        var index = _state.FindEnrollment(effect.Enrollment);
        if (index >= 0)
        {
            var enrollment = _state.Enrollments[index];
            if (enrollment.Phase == StepPhase.Effect && enrollment.Step == effect.Step && enrollment.Execution == effect.Execution)
            {
                FinishStep(enrollment, result, code);
            }
        }
    }

    /// <summary>The present step is over: the enrollment is ready for what follows it.</summary>
    private void FinishStep(EnrollmentState enrollment, StepResult result, string? failure = null)
    {
        Write(JournalEntry.StepFinished(enrollment.Workflow, enrollment.Version, enrollment.Number, enrollment.Step, enrollment.Execution, result, failure: failure));
        _ready.Add(enrollment.Number);
        var present = _catalog.FindWorkflow(enrollment.Workflow)?.Find(enrollment.Step);
        if (present is not null && !(enrollment.Phase == StepPhase.Delay ? present is CompiledDelay : present is CompiledWorker))
        {
            _enteredAnew = enrollment.Number;
        }
    }
}
