using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Phase 5: exits, and the checks before every step (ENG-07).</content>
public sealed partial class Turn
{
    /// <summary>Unenrolls for requests, joins of suppression lists and unenrollment triggers that became true in this round.</summary>
    private void Exit()
    {
        CollectExits();
        while (_exits.Count > 0)
        {
            var number = TakeFirst(_exits);
            var workflow = WorkflowOf(number)!;
            var index = _state.FindEnrollment(number);
            if (Requested(workflow.Number) is { } request)
            {
                End(index, request.By == 0 ? EndReason.Manual : EndReason.ByWorkflow, request.By);
            }
            else if (JoinedSuppression(workflow) is > 0 and var list)
            {
                End(index, EndReason.Suppressed, list);
            }
            else if (workflow.IsSequence)
            {
                ExitSequence(workflow, index);
            }
            else if (workflow.Settings.UnenrollWhen is { } unenroll && (IsRechecked(workflow) ? AcceptsSafely(unenroll) : BecameTrueSafely(unenroll)))
            {
                End(index, EndReason.UnenrollmentTrigger);
            }
        }
    }

    /// <summary>As <see cref="BecameTrue"/>; a side that cannot be judged does not hold (ENG-12).</summary>
    private bool BecameTrueSafely(Filters.Criteria criteria)
    {
        try
        {
            return BecameTrue(criteria);
        }
        catch (Filters.EvaluationException)
        {
            return AcceptsSafely(criteria);
        }
    }

    private void CollectExits()
    {
        _exits.Clear();
        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (_catalog.FindWorkflow(enrollment.Workflow) is { } workflow
                && (workflow.Settings.UnenrollWhen is not null || workflow.Settings.SuppressionLists.Length > 0 || workflow.IsSequence || _present.Unenrolls.Count > 0))
            {
                _exits.Add(enrollment.Number);
            }
        }
    }

    private Request? Requested(int workflow)
    {
        foreach (var request in _present.Unenrolls)
        {
            if (request.Workflow == workflow)
            {
                return request;
            }
        }

        return null;
    }

    /// <summary>A suppression list that the record joined in this round, also one that it left again (SUP-03); 0 for none.</summary>
    private int JoinedSuppression(CompiledWorkflow workflow)
    {
        foreach (var list in workflow.Settings.SuppressionLists)
        {
            if (_present.Joined.Contains(list))
            {
                return list;
            }
        }

        return 0;
    }

    /// <summary>The first suppression list that the record is a member of; 0 for none (SUP-01).</summary>
    private int FindSuppression(CompiledWorkflow workflow)
    {
        foreach (var list in workflow.Settings.SuppressionLists)
        {
            if (_state.IsMember(list))
            {
                return list;
            }
        }

        return 0;
    }

    /// <summary>Checks before a step whether the enrollment must leave, in the order of ENG-07; true when it did.</summary>
    private bool EndBeforeStep(CompiledWorkflow workflow, int index)
    {
        if (FindSuppression(workflow) is > 0 and var list)
        {
            End(index, EndReason.Suppressed, list);
            return true;
        }

        if (workflow.Settings.UnenrollWhen is { } unenroll && AcceptsSafely(unenroll))
        {
            End(index, EndReason.UnenrollmentTrigger);
            return true;
        }

        if (EndIfGoalMet(workflow, index))
        {
            return true;
        }

        var enrollment = _state.Enrollments[index];
        CountGoals(workflow, enrollment.Number, enrollment.GoalsHeld, enrollment.HasMatched, exits: false, GoalScope.All);
        return EndIfNotMeeting(workflow, index);
    }

    /// <summary>
    /// UNE-01: criteria that have matched while the enrollment is active stop to hold. UNE-02: those that never did are waited for. A
    /// pinned enrollment keeps the criteria of its version, so that nobody leaves by a publish.
    /// </summary>
    private bool EndIfNotMeeting(CompiledWorkflow newest, int index)
    {
        var enrollment = _state.Enrollments[index];
        var workflow = StepsOf(newest, enrollment);
        if (!workflow.Settings.UnenrollIfNotMeeting || workflow.Start.Criteria is not { } criteria)
        {
            return false;
        }

        var holds = AcceptsOr(criteria, enrollment.HasMatched);
        if (holds && !enrollment.HasMatched)
        {
            Write(JournalEntry.EnrollmentLatched(workflow.Number, workflow.Version, enrollment.Number, hasMatched: true, enrollment.GoalsHeld));
        }
        else if (!holds && enrollment.HasMatched)
        {
            End(index, EndReason.NoLongerMeets);
            return true;
        }

        return false;
    }

    /// <summary>Ends an enrollment. Tasks that were not handed out are withdrawn; who has one may still complete it (UNE-07).</summary>
    private void End(int index, EndReason reason, int detail = 0)
    {
        var enrollment = _state.Enrollments[index];
        for (var i = _state.OpenEffects.Length - 1; i >= 0 && !reason.IsCompletion(); i--)
        {
            var effect = _state.OpenEffects[i];
            if (effect.Enrollment == enrollment.Number && !effect.IsWithdrawn)
            {
                Withdraw(effect);
            }
        }

        var isInStep = enrollment.Phase is not (StepPhase.Ready or StepPhase.Held) && enrollment.Execution > 0;
        Write(JournalEntry.EnrollmentEnded(enrollment.Workflow, enrollment.Version, enrollment.Number, isInStep ? enrollment.Step : 0, reason, detail, IsUnanswered(enrollment, reason)));
        _ready.Remove(enrollment.Number);
        if (_catalog.IsSequence(enrollment.Workflow))
        {
            ReturnSlot(enrollment);
            QueueSequenceEnd(enrollment.Workflow, reason);
        }
        else if (reason == EndReason.Completed)
        {
            QueueStatus(enrollment.Workflow, _index.Types.Completed);
        }
        else
        {
            QueueStatus(enrollment.Workflow, _index.Types.Unenrolled, new NamedValue("reason", Value.OfText(ApiNames.Of(reason.ToString()))));
        }
    }

    private void Withdraw(OpenEffect effect)
    {
        if (_requested.Contains((effect.Enrollment, effect.Step, effect.Execution)))
        {
            // It was asked for in this turn, so nobody can have it.
            Write(JournalEntry.EffectCompleted(
                effect.Workflow, effect.Version, effect.Enrollment, effect.Step, effect.Execution, StepResult.Cancelled, string.Empty, string.Empty, []));
            if (effect.IsMarketing && _catalog.FindWorkflow(effect.Workflow) is { } workflow)
            {
                SettlePendingGoals(workflow, effect.Enrollment);
            }

            return;
        }

        Write(JournalEntry.EffectWithdrawn(effect.Workflow, effect.Version, effect.Enrollment, effect.Step, effect.Execution, effect.IsBlocked));
    }
}
