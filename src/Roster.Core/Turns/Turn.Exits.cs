using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Phases 5 and 6: exits and goals.</content>
public sealed partial class Turn
{
    /// <summary>Phase 6: goals of active enrollments (GOAL-04), in the order of ENG-05.</summary>
    private void CheckGoals()
    {
        _exits.Clear();
        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (_catalog.FindWorkflow(enrollment.Workflow) is { Goals.Length: > 0 } workflow && HoldsGoal(workflow))
            {
                _exits.Add(enrollment.Number);
            }
        }

        while (_exits.Count > 0)
        {
            var number = TakeFirst(_exits);
            EndIfGoalMet(WorkflowOf(number)!, _state.FindEnrollment(number));
        }
    }

    private bool HoldsGoal(CompiledWorkflow workflow)
    {
        foreach (var goal in workflow.Goals)
        {
            if (goal.Criteria.Accepts(_state))
            {
                return true;
            }
        }

        return false;
    }

    private bool EndIfGoalMet(CompiledWorkflow workflow, int index)
    {
        for (var i = 0; i < workflow.Goals.Length; i++)
        {
            if (workflow.Goals[i].Criteria.Accepts(_state))
            {
                var number = _state.Enrollments[index].Number;
                var isFirst = !_state.TryGetSummary(workflow.Number, out var summary) || (summary.GoalsMet & (1UL << i)) == 0;
                Write(JournalEntry.GoalMet(workflow.Number, workflow.Version, number, i + 1, workflow.Goals[i].Id, isFirst));
                End(index, EndReason.GoalMet);
                return true;
            }
        }

        return false;
    }

    /// <summary>Ends an enrollment and withdraws its open tasks (UNE-07).</summary>
    private void End(int index, EndReason reason)
    {
        var enrollment = _state.Enrollments[index];
        for (var i = _state.OpenEffects.Length - 1; i >= 0; i--)
        {
            var effect = _state.OpenEffects[i];
            if (effect.Enrollment == enrollment.Number && reason != EndReason.Completed)
            {
                Write(JournalEntry.EffectCompleted(
                    effect.Workflow, effect.Version, effect.Enrollment, effect.Step, effect.Execution, StepResult.Cancelled, string.Empty, string.Empty, []));
            }
        }

        var isInStep = enrollment.Phase is StepPhase.Delay or StepPhase.Effect;
        Write(JournalEntry.EnrollmentEnded(enrollment.Workflow, enrollment.Version, enrollment.Number, isInStep ? enrollment.Step : 0, reason));
        _ready.Remove(enrollment.Number);
    }
}
