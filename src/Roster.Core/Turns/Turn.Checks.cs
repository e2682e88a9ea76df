using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>The checks of section 7: turns ask for the first that fails, explanations for each (ENR-02, HIS-07).</content>
public sealed partial class Turn
{
    private const long HourMs = 3_600_000;

    /// <summary>Source of events from an external CRM sync (TRG-13).</summary>
    private const string ExternalCrm = "external_crm";

    /// <summary>A failure in one workflow never stops another: it stands in the place of the check that failed (ENG-12).</summary>
    private Decision CheckSafely(CompiledWorkflow workflow, in Consideration consideration, out int detail)
    {
        try
        {
            return Check(workflow, consideration, out detail);
        }
        catch (EvaluationException)
        {
            detail = 0;
            return Decision.EvaluationFailed;
        }
    }

    /// <summary>The first check that fails gives the decision (ENR-02). The numbers of the decisions are the order of the checks.</summary>
    private Decision Check(CompiledWorkflow workflow, in Consideration consideration, out int detail)
    {
        detail = 0;
        if (workflow.Settings.Sequence is { } sequence)
        {
            return CheckSequence(workflow, sequence, consideration);
        }

        for (var check = Decision.RecordGone; check < Decision.Enrolled; check++)
        {
            if (!Passes(check, workflow, consideration, out detail))
            {
                return check;
            }
        }

        return Decision.Enrolled;
    }

    /// <summary>One check of ENR-02, whatever the others say; <paramref name="detail"/> is the list or goal that decided, or 0.</summary>
    /// <exception cref="EvaluationException">It cannot be judged (ENG-12).</exception>
    private bool Passes(Decision check, CompiledWorkflow workflow, in Consideration consideration, out int detail)
    {
        detail = 0;
        if (workflow.Settings.Sequence is { } sequence)
        {
            return PassesSequence(check, workflow, sequence, consideration);
        }

        switch (check)
        {
            case Decision.RecordGone:
                return RefuseGone() is null;
            case Decision.TypeMismatch:
                return workflow.ObjectType.Number == _state.ObjectType;
            case Decision.WorkflowOff:
                return workflow.IsEnrolling;
            case Decision.SourceNotAllowed:
                return workflow.Settings.AllowExternalCrm || !_isFirstRound || !IsExternalCrm;
            case Decision.NewRecord:
                return !consideration.IsNewRecordBarred;
            case Decision.MergeOff:
                return consideration.Trigger != TriggerKind.Merge || workflow.Settings.EnrollOnMerge;
            case Decision.EvaluationFailed:
                return !consideration.IsEvaluationFailed;
            case Decision.RefinementNotMet:
                return !consideration.IsRefinementFailed;
            case Decision.AlreadyActive:
                return _state.FindActive(workflow.Number) < 0;
            case Decision.ReenrollmentOff:
                return IsReenrollmentOpen(workflow, consideration) || !WasEnrolled(workflow);
            case Decision.ReenrollmentTriggerNotSelected:
                return !NeedsReenrollmentTrigger(workflow, consideration) || consideration.IsReenrollFired || !WasEnrolled(workflow);
            case Decision.CriteriaNotMet:
                return IgnoresTriggers(consideration) || workflow.Start.Criteria?.Accepts(JudgingOfStart(workflow, consideration)) != false;
            case Decision.Suppressed:
                detail = FindSuppression(workflow);
                return detail == 0;
            case Decision.UnenrollmentTriggerMet:
                return workflow.Settings.UnenrollWhen?.Accepts(Now) != true;
            case Decision.GoalAlreadyMet:
                detail = FindRefusingGoal(workflow)?.Number ?? 0;
                return detail == 0;
            case Decision.AnchorUnknown:
                return workflow.Start.Anchor is not { } anchor || AnchorOf(workflow, anchor) is not null;
            case Decision.LoopGuard:
                return !consideration.IsLastRound && EnrollmentsInLastHour(workflow) < _catalog.Schema.Settings.EnrollmentsPerHourMax;
            case Decision.LimitReached:
                return !IsTenantFull && _state.Enrollments.Length < _catalog.Schema.Settings.ActiveEnrollmentsPerRecordMax;
            default:
                throw new InvalidOperationException($"Decision {check} is the outcome of no check.");
        }
    }

    /// <summary>Whether the input comes from an external CRM sync. What steps change, in later rounds, is the doing of their workflows.</summary>
    private bool IsExternalCrm => (_event?.Source ?? _command?.Caller) is { } source && (source == ExternalCrm || source.StartsWith(ExternalCrm + ":", StringComparison.Ordinal));

    private bool IsTenantFull => _catalog.Schema.Settings.ActiveEnrollmentsMax is > 0 and var max && _catalog.ActiveEnrollments >= max;

    private bool WasEnrolled(CompiledWorkflow workflow) => _state.TryGetSummary(workflow.Number, out var summary) && summary.TimesEnrolled > 0;

    /// <summary>The job of existing records never re-enrolls (TRG-08); a recurrence always does (SCH-09).</summary>
    private static bool IsReenrollmentOpen(CompiledWorkflow workflow, in Consideration consideration) =>
        (workflow.Start.Reenroll && consideration.Trigger != TriggerKind.Existing) || consideration.Trigger == TriggerKind.Recurrence;

    /// <summary>Jobs, scheduled runs and recurrences are requests by name for which the criteria must hold all the same (ENR-02, SCH-09).</summary>
    private static bool NeedsCriteria(in Consideration consideration) => consideration.Trigger is TriggerKind.Existing or TriggerKind.Recurrence or TriggerKind.Schedule;

    /// <summary>A request by hand or by another workflow (TRG-10, TRG-11).</summary>
    private static bool IgnoresTriggers(in Consideration consideration) => consideration.IsExplicit && !NeedsCriteria(consideration);

    /// <summary>Whether only re-enrollment triggers may enroll again (REN-02).</summary>
    private static bool NeedsReenrollmentTrigger(CompiledWorkflow workflow, in Consideration consideration) =>
        workflow.Start.Kind is StartKind.Filter or StartKind.DateAnchor && !consideration.IsExplicit && !NeedsCriteria(consideration);

    /// <summary>REN-05: for a re-enrollment trigger the refine-bys of the initial criteria are left out.</summary>
    private Judging JudgingOfStart(CompiledWorkflow workflow, in Consideration consideration) =>
        Now with { IgnoresRefinements = consideration.IsReenrollFired && WasEnrolled(workflow) };

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
}
