using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Phase 7: waits for events and criteria (DLY-12 to DLY-15).</content>
public sealed partial class Turn
{
    private const int MetBranch = 1;
    private const int TimeoutBranch = 2;

    /// <summary>Waits entered in this turn: the change after which they look, and whether their criteria held then (ENG-06).</summary>
    private readonly Dictionary<int, (int Sequence, bool Held)> _entered = [];

    private readonly List<int> _released = [];

    private void ReleaseWaits()
    {
        _released.Clear();
        foreach (ref readonly var enrollment in _state.Enrollments)
        {
            if (enrollment.Phase == StepPhase.Wait)
            {
                _released.Add(enrollment.Number);
            }
        }

        while (_released.Count > 0)
        {
            var number = TakeFirst(_released);
            var index = _state.FindEnrollment(number);
            var enrollment = _state.Enrollments[index];
            if (WorkflowOf(number) is { } workflow && StepsOf(workflow, enrollment).Find(enrollment.Step) is CompiledWait wait && IsReleased(wait, number))
            {
                FinishWait(enrollment, wait, isMet: true);
            }
        }
    }

    /// <summary>Exactly one outcome is recorded; each has a way of its own, and an output when a later step reads it (DLY-14).</summary>
    private void FinishWait(in EnrollmentState enrollment, CompiledWait? wait, bool isMet)
    {
        var outputs = wait is null || WorkflowOf(enrollment.Number) is not { } workflow ? null : OutcomeOf(StepsOf(workflow, enrollment), wait, isMet);
        FinishStep(
            enrollment, StepResult.Success, isMet ? MetBranch : TimeoutBranch, isMet ? "met" : "timeout", next: isMet ? wait?.Next : wait?.TimeoutNext, outputs: outputs);
    }

    private static NamedValue[]? OutcomeOf(CompiledWorkflow steps, CompiledWait wait, bool isMet) => steps.Settings.ReadOutputs.Contains(wait.Number)
        ? [new NamedValue("met", Value.OfBool(isMet)), new NamedValue("hs_event_criteria_met", Value.OfBool(isMet))]
        : null;

    private bool IsReleased(CompiledWait wait, int enrollment)
    {
        var isNew = _entered.TryGetValue(enrollment, out var entered);
        if (wait.Criteria is { } criteria)
        {
            if (!isNew)
            {
                return BecameTrueSafely(criteria);
            }

            // Entered in the round before: what held then is the side before.
            _entered.Remove(enrollment);
            var holds = AcceptsSafely(criteria);
            Remember(criteria, holds);
            return holds && !entered.Held;
        }

        foreach (var occurred in _present.Occurred)
        {
            if ((!isNew || occurred.Sequence > entered.Sequence) && IsMatch(wait, occurred, enrollment))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsMatch(CompiledWait wait, in Occurred occurred, int enrollment)
    {
        if (wait.OfTask != 0 && !NamedValues.Find(occurred.Properties, "task").Equals(_state.FindOutput(enrollment, wait.OfTask, CompiledCreate.IdOutput)))
        {
            return false;
        }

        foreach (var trigger in wait.Events)
        {
            if (IsMatch(trigger, occurred))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsMatch(CompiledEventTrigger trigger, in Occurred occurred) =>
        trigger.Fires(occurred, _now) && (trigger.AllowNewRecord || !IsOfNewRecord(occurred)) && TryAccept(trigger.OnlyIf) == true;

    private int? EnterWait(CompiledWorkflow workflow, in EnrollmentState enrollment, CompiledWait wait, int execution)
    {
        var held = wait.Criteria is { } criteria && AcceptsSafely(criteria);
        if (wait.Lookback && (held || HappenedSince(wait, enrollment)))
        {
            Entered(workflow, enrollment, wait, execution, Timestamp.None);
            Finished(workflow, enrollment, wait, execution, StepResult.Success, MetBranch, "met", outputs: OutcomeOf(workflow, wait, isMet: true));
            return wait.Next;
        }

        Entered(workflow, enrollment, wait, execution, wait.TimeoutMs == 0 ? Timestamp.None : _now.PlusMs(wait.TimeoutMs), StepPhase.Wait);
        _entered[enrollment.Number] = (_sequence, held);
        return null;
    }

    /// <summary>Whether an event of the history came after the enrollment began and matches (DLY-13).</summary>
    private bool HappenedSince(CompiledWait wait, in EnrollmentState enrollment)
    {
        foreach (var trigger in wait.Events)
        {
            var occurrences = _state.Occurrences(trigger.EventType, _catalog.Schema.Settings.EventHistoryMax);
            while (occurrences.MoveNext())
            {
                var occurrence = occurrences.Current;
                if (occurrence.AfterEnrollment < enrollment.Number)
                {
                    break;
                }

                var occurred = new Occurred(trigger.EventType, occurrence.OccurredAt, occurrence.Properties, IsEvent: true, Sequence: 0);
                if (IsMatch(trigger, occurred))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
