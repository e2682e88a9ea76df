using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Phase 8: considerations and the checks of section 7 in their order.</content>
public sealed partial class Turn
{
    private const long HourMs = 3_600_000;

    private struct Consideration
    {
        public bool IsExplicit;
        public TriggerKind Trigger;
        public bool IsNewRecordBarred;
        public bool IsRefinementFailed;
        public bool IsReenrollFired;
        public bool IsLastRound;
    }

    private void ConsiderAll(int round, bool isLastRound)
    {
        CollectCandidates(isFirstRound: round == 0);
        for (var i = 0; i < _candidates.Count; i++)
        {
            var workflow = _catalog.Workflows[_candidates[i]];
            var consideration = new Consideration { IsLastRound = isLastRound };
            var isConsidered = workflow.Start.Kind == StartKind.Event
                ? round == 0 && FiresByEvent(workflow, ref consideration)
                : FiresByFilter(workflow, isFirstRound: round == 0, ref consideration);
            if (isConsidered)
            {
                Conclude(workflow, consideration.Trigger, Check(workflow, consideration));
            }
        }
    }

    /// <summary>Event triggers are OR-ed; one that passes is enough (TRG-05, TRG-06, REC-10).</summary>
    private bool FiresByEvent(CompiledWorkflow workflow, ref Consideration consideration)
    {
        var hasFired = false;
        consideration.Trigger = TriggerKind.Event;
        foreach (var trigger in workflow.Start.Events)
        {
            if (!trigger.Fires(_event!.EventType, _event.Properties))
            {
                continue;
            }

            var isBarred = !trigger.AllowNewRecord && (_isNewRecord || _eventOccurredAt < _state.CreatedAt);
            var isRefused = trigger.OnlyIf?.Accepts(_state) == false;
            if (!hasFired || (!isBarred && !isRefused))
            {
                consideration.IsNewRecordBarred = isBarred;
                consideration.IsRefinementFailed = isRefused;
            }

            hasFired = true;
        }

        return hasFired;
    }

    /// <summary>Criteria that go from false to true, of the start or of a re-enrollment trigger (TRG-07, REN-02, REN-04, REN-07).</summary>
    private bool FiresByFilter(CompiledWorkflow workflow, bool isFirstRound, ref Consideration consideration)
    {
        var start = workflow.Start;
        var hasStarted = start.Criteria is not null && BecameTrue(start.Criteria);
        consideration.Trigger = TriggerKind.Filter;
        consideration.IsNewRecordBarred = isFirstRound && _isNewRecord && !start.FireOnCreate;
        if (start.Reenroll)
        {
            foreach (var criteria in start.ReenrollWhen)
            {
                consideration.IsReenrollFired |= BecameTrue(criteria) || (criteria.LooksAtChange(_state) && criteria.HoldsForAnotherValue(_state));
            }
        }

        return hasStarted || consideration.IsReenrollFired;
    }

    private bool BecameTrue(Criteria criteria) => criteria.LooksAtChange(_state) && criteria.Accepts(_state) && !criteria.Accepts(_state, isBefore: true);

    /// <summary>The checks of ENR-02, in order; the first that fails gives the decision.</summary>
    private Decision Check(CompiledWorkflow workflow, in Consideration consideration)
    {
        if (workflow.ObjectType.Number != _state.ObjectType)
        {
            return Decision.TypeMismatch;
        }

        if (workflow.Identity.State is not (WorkflowState.On or WorkflowState.Paused))
        {
            return Decision.WorkflowOff;
        }

        if (consideration.IsNewRecordBarred)
        {
            return Decision.NewRecord;
        }

        if (consideration.IsRefinementFailed)
        {
            return Decision.RefinementNotMet;
        }

        if (_state.FindActive(workflow.Number) >= 0)
        {
            return Decision.AlreadyActive;
        }

        var reenrollment = CheckReenrollment(workflow, consideration);
        if (reenrollment != Decision.Enrolled)
        {
            return reenrollment;
        }

        return HoldsGoal(workflow) ? Decision.GoalAlreadyMet : CheckLimits(workflow, consideration);
    }

    private Decision CheckReenrollment(CompiledWorkflow workflow, in Consideration consideration)
    {
        var start = workflow.Start;
        var wasEnrolled = _state.TryGetSummary(workflow.Number, out var summary) && summary.TimesEnrolled > 0;
        if (wasEnrolled && !start.Reenroll)
        {
            return Decision.ReenrollmentOff;
        }

        if (consideration.IsExplicit || start.Kind != StartKind.Filter)
        {
            return Decision.Enrolled;
        }

        if (wasEnrolled && !consideration.IsReenrollFired)
        {
            return Decision.ReenrollmentTriggerNotSelected;
        }

        return start.Criteria!.Accepts(_state) ? Decision.Enrolled : Decision.CriteriaNotMet;
    }

    private Decision CheckLimits(CompiledWorkflow workflow, in Consideration consideration)
    {
        var settings = _catalog.Schema.Settings;
        if (consideration.IsLastRound || EnrollmentsInLastHour(workflow) >= settings.EnrollmentsPerHourMax)
        {
            return Decision.LoopGuard;
        }

        return _state.Enrollments.Length >= settings.ActiveEnrollmentsPerRecordMax ? Decision.LimitReached : Decision.Enrolled;
    }

    private int EnrollmentsInLastHour(CompiledWorkflow workflow)
    {
        if (!_state.TryGetSummary(workflow.Number, out var summary))
        {
            return 0;
        }

        var since = _now.PlusMs(-HourMs);
        if (summary.RecentEnrollments is null)
        {
            return summary.TimesEnrolled > 0 && summary.LastEnrolledAt > since ? 1 : 0;
        }

        var count = 0;
        foreach (var at in summary.RecentEnrollments)
        {
            count += at > since ? 1 : 0;
        }

        return count;
    }

    private void Conclude(CompiledWorkflow workflow, TriggerKind trigger, Decision decision)
    {
        if (decision != Decision.Enrolled)
        {
            Write(JournalEntry.Refused(workflow.Number, workflow.Version, trigger, decision));
            return;
        }

        var isFirst = !_state.TryGetSummary(workflow.Number, out var summary) || summary.TimesEnrolled == 0;
        Write(JournalEntry.Enrolled(workflow.Number, workflow.Version, _state.LastEnrollment + 1, trigger, workflow.FirstStep, isFirst));
        _ready.Add(_state.LastEnrollment);
    }
}
