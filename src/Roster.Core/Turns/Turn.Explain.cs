using NodaTime.Text;
using Roster.Core.Catalog;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Workflows;

namespace Roster.Core.Turns;

/// <content>Explanations: the checks of a turn, each by itself, with what was found (HIS-07).</content>
public sealed partial class Turn
{
    /// <summary>
    /// Says why a record would be enrolled or not. Nothing is changed: the state stays what it is. The entries of the latest turn are
    /// forgotten, as by the next one.
    /// </summary>
    /// <param name="state">
    /// The record, loaded, with the sections that <see cref="CompiledWorkflow.NeedsHistory"/> and <see cref="CompiledWorkflow.NeedsEvents"/>
    /// name; or reset, for one that does not exist.
    /// </param>
    /// <param name="workflow">Any version or the draft, also of a workflow that is off. It need not be in the catalog.</param>
    /// <param name="catalog">The tenant's catalog.</param>
    /// <param name="now">The engine clock.</param>
    public EnrollmentExplanation Explain(RecordState state, CompiledWorkflow workflow, TenantCatalog catalog, Timestamp now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(workflow);
        ArgumentNullException.ThrowIfNull(catalog);
        _state = state;
        _catalog = catalog;
        _index = catalog.For(state.ObjectType);
        _now = state.LastTurnAt > now ? state.LastTurnAt : now;
        Forget();
        _isNewRecord = !state.Exists;
        var byHand = CheckSafely(workflow, new Consideration { IsExplicit = true, Trigger = TriggerKind.Manual }, out _);
        if (workflow.ObjectType.Number != state.ObjectType)
        {
            return new EnrollmentExplanation
            {
                At = _now,
                Decision = byHand,
                DecisionByHand = byHand,
                Checks = ExplainChecks(workflow, default, Decision.TypeMismatch),
                IsPossible = false,
            };
        }

        var consideration = ConsiderTrigger(workflow);
        var checks = ExplainChecks(workflow, consideration, Decision.LimitReached);
        var explanation = new EnrollmentExplanation
        {
            At = _now,
            Decision = checks.Find(c => !c.Passes)?.Decision ?? Decision.Enrolled,
            DecisionByHand = byHand,
            Checks = checks,
            Start = ExplainStart(workflow, consideration),
            UnenrollWhen = workflow.Settings.UnenrollWhen is { } unenroll ? Place("unenrollWhen", unenroll, Now) : null,
            Goals = [.. workflow.Goals.Select((g, i) => new GoalExplanation(g.Id, g.Number, g.IsExit, IsCounted(workflow, g), Place($"goals[{i}].criteria", g.Criteria, Now)))],
            ReenrollWhen = [.. workflow.Start.ReenrollWhen.Select((c, i) => Place($"start.reenrollWhen[{i}]", c, Now))],
            EventTriggers = [.. workflow.Start.Events.Select(TextOf)],
        };
        return AddChanges(explanation, workflow);
    }

    /// <summary>A consideration as a trigger that fires now would start it. Criteria count as fired where they hold.</summary>
    private Consideration ConsiderTrigger(CompiledWorkflow workflow)
    {
        var start = workflow.Start;
        var consideration = default(Consideration);
        switch (start.Kind)
        {
            case StartKind.Event:
                consideration.Trigger = TriggerKind.Event;
                for (var i = 0; i < start.Events.Length; i++)
                {
                    var trigger = start.Events[i];
                    var occurred = new Occurred(trigger.EventType, _now, [], IsEvent: !IsSignal(trigger.EventType), 0);
                    Take(trigger, occurred, hasFired: i > 0, ref consideration);
                }

                break;
            case StartKind.Schedule:
                consideration.Trigger = TriggerKind.Schedule;
                break;
            case StartKind.Filter or StartKind.DateAnchor:
                consideration.Trigger = TriggerKind.Filter;
                consideration.IsNewRecordBarred = IsBarredAsNew(start);
                consideration.IsReenrollFired = start.Reenroll && Array.Exists(start.ReenrollWhen, AcceptsSafely);
                consideration.IsEvaluationFailed = Array.Exists([.. start.Triggers], c => TryAccept(c) is null);
                break;
            default:
                consideration.IsExplicit = true;
                consideration.Trigger = TriggerKind.Manual;
                break;
        }

        return consideration;
    }

    /// <summary>Whether occurrences of a type are made of changes, and are not events that were sent (TRG-21, TRG-22, TRG-25, TRG-27).</summary>
    private bool IsSignal(int eventType)
    {
        var types = _index.Types;
        return eventType == StandardEventTypes.PropertyChangedNumber || eventType == types.ListJoined || eventType == types.ListLeft || eventType == types.RecordCreated
            || eventType == types.Enrolled || eventType == types.Unenrolled || eventType == types.Completed || eventType == types.Goal;
    }

    private List<CheckExplanation> ExplainChecks(CompiledWorkflow workflow, in Consideration consideration, Decision last)
    {
        var checks = new List<CheckExplanation>();
        foreach (var check in ChecksOf(workflow, last))
        {
            try
            {
                var passes = Passes(check, workflow, consideration, out var detail);
                var found = workflow.Settings.Sequence is { } sequence ? FoundOfSequence(check, workflow, sequence, passes) : Found(check, workflow, consideration, passes);
                checks.Add(new CheckExplanation(check, passes, found, detail));
            }
            catch (EvaluationException error)
            {
                checks.Add(new CheckExplanation(Decision.EvaluationFailed, Passes: false, $"cannot be judged: {error.Message}"));
            }
        }

        return checks;
    }

    /// <summary>The checks in their order: the numbers of the decisions are the order of ENR-02; sequences have their own (SEQ-04).</summary>
    private static IEnumerable<Decision> ChecksOf(CompiledWorkflow workflow, Decision last) => workflow.IsSequence
        ? SequenceChecks.TakeWhile((check, i) => i == 0 || SequenceChecks[i - 1] != last)
        : Enumerable.Range((int)Decision.RecordGone, (int)last).Select(check => (Decision)check);

    private PlacedCriteria[] ExplainStart(CompiledWorkflow workflow, in Consideration consideration)
    {
        var start = workflow.Start;
        if (start.Kind == StartKind.Event)
        {
            return [.. start.Events.Index().Where(e => e.Item.OnlyIf is not null).Select(e => Place($"start.event.anyOf[{e.Index}].onlyIf", e.Item.OnlyIf!, Now))];
        }

        var path = start.Kind switch
        {
            StartKind.Schedule => "start.schedule.criteria",
            StartKind.DateAnchor => "start.dateAnchor.criteria",
            _ => "start.filter.criteria",
        };
        return start.Criteria is null ? [] : [Place(path, start.Criteria, JudgingOfStart(workflow, consideration))];
    }

    private static PlacedCriteria Place(string path, Criteria criteria, in Judging judging)
    {
        try
        {
            return new PlacedCriteria(path, criteria.Explain(judging));
        }
        catch (EvaluationException)
        {
            return new PlacedCriteria(path, new CriteriaExplanation(false, [], null, []));
        }
    }

    /// <summary>What a check found, in words.</summary>
    private string Found(Decision check, CompiledWorkflow workflow, in Consideration consideration, bool passes)
    {
        var settings = workflow.Settings;
        return check switch
        {
            Decision.RecordGone => RefuseGone()?.Refusal?.Message ?? (_state.Exists ? "the record exists" : "the record does not exist and would be created"),
            Decision.TypeMismatch => $"the workflow is for {workflow.ObjectType.Name}, the record is a {_catalog.Schema.ObjectType(_state.ObjectType).Name}",
            Decision.WorkflowOff => $"the workflow is {workflow.Identity.State.ToString().ToLowerInvariant()}",
            Decision.SourceNotAllowed => settings.AllowExternalCrm ? "every source may enroll" : "every source may enroll but an external CRM sync",
            Decision.NewRecord => passes ? _isNewRecord ? "the trigger takes new records" : "the record existed before" : "the record does not exist, and what creates it does not enroll it",
            Decision.MergeOff => $"no merge; what one changes {(settings.EnrollOnMerge ? "may enroll" : "does not enroll")}",
            Decision.EvaluationFailed => passes ? "the triggers can be judged" : "the criteria of the triggers cannot be judged",
            Decision.RefinementNotMet => FoundOfRefinement(workflow, passes),
            Decision.AlreadyActive => FoundOfActive(workflow),
            Decision.ReenrollmentOff => $"{FoundOfSummary(workflow)}; re-enrollment is {(workflow.Start.Reenroll ? "on" : "off")}",
            Decision.ReenrollmentTriggerNotSelected => FoundOfReenrollment(workflow, consideration),
            Decision.CriteriaNotMet => FoundOfCriteria(workflow, consideration),
            Decision.Suppressed => FoundOfSuppression(workflow),
            Decision.UnenrollmentTriggerMet => settings.UnenrollWhen is null ? "no unenrollment triggers" : passes ? "the unenrollment triggers do not hold" : "the unenrollment triggers hold",
            Decision.GoalAlreadyMet => FoundOfGoals(workflow),
            Decision.AnchorUnknown => FoundOfAnchor(workflow),
            Decision.LoopGuard => $"{EnrollmentsInLastHour(workflow)} of at most {_catalog.Schema.Settings.EnrollmentsPerHourMax} enrollments in 60 minutes (enrollments_per_hour_max)",
            Decision.LimitReached => FoundOfLimits(),
            _ => throw new InvalidOperationException($"Decision {check} is the outcome of no check."),
        };
    }

    private static string FoundOfRefinement(CompiledWorkflow workflow, bool passes) =>
        workflow.Start.Events.All(e => e.OnlyIf is null) ? "no \"only if\"" : passes ? "an \"only if\" holds, or a trigger has none" : "no \"only if\" holds";

    private string FoundOfActive(CompiledWorkflow workflow) => _state.FindActive(workflow.Number) is >= 0 and var index
        ? $"enrollment number {_state.Enrollments[index].Number} is active since {TextOf(_state.Enrollments[index].EnrolledAt)}"
        : "not active";

    private string FoundOfSummary(CompiledWorkflow workflow) => _state.TryGetSummary(workflow.Number, out var summary) && summary.TimesEnrolled > 0
        ? $"enrolled {(summary.TimesEnrolled == 1 ? "once" : $"{summary.TimesEnrolled} times")}"
        : "never enrolled";

    private string FoundOfReenrollment(CompiledWorkflow workflow, in Consideration consideration)
    {
        if (!NeedsReenrollmentTrigger(workflow, consideration))
        {
            return "this kind of start needs no re-enrollment trigger";
        }

        if (!WasEnrolled(workflow))
        {
            return "never enrolled";
        }

        return workflow.Start.ReenrollWhen.Length == 0 ? "no re-enrollment trigger is selected"
            : consideration.IsReenrollFired ? "a re-enrollment trigger holds"
            : "no re-enrollment trigger holds";
    }

    private string FoundOfCriteria(CompiledWorkflow workflow, in Consideration consideration)
    {
        if (workflow.Start.Criteria is not { } criteria)
        {
            return "no criteria";
        }

        var explanation = criteria.Explain(JudgingOfStart(workflow, consideration));
        return explanation.Accepts ? "the criteria hold"
            : explanation.FirstFailing is { } failing ? $"{failing.Path}: {failing.Test}, but it is {failing.Actual}"
            : "the criteria do not hold";
    }

    private string FoundOfSuppression(CompiledWorkflow workflow) => MemberLists(workflow) is { Count: > 0 } lists
        ? $"member of list {string.Join(", ", lists.Select(ListName))}"
        : workflow.Settings.SuppressionLists.Length == 0 ? "no suppression lists" : "not a member of a suppression list";

    private List<int> MemberLists(CompiledWorkflow workflow) => [.. workflow.Settings.SuppressionLists.Where(_state.IsMember)];

    private string ListName(int list) => _catalog.FindList(list)?.Info.Id ?? $"#{list}";

    private string FoundOfGoals(CompiledWorkflow workflow) => FindRefusingGoal(workflow) is { } goal
        ? $"goal {goal.Id} holds"
        : workflow.Goals.Any(g => g.IsExit) ? "no goal that ends the enrollment holds" : "no goal ends the enrollment";

    private string FoundOfAnchor(CompiledWorkflow workflow)
    {
        if (workflow.Start.Anchor is not { } anchor)
        {
            return "no date anchor";
        }

        return AnchorOf(workflow, anchor) is { } date ? $"the anchor is {LocalDatePattern.Iso.Format(date)}" : $"{PropertyName(workflow, anchor.Property)} is unknown";
    }

    private string FoundOfLimits()
    {
        var settings = _catalog.Schema.Settings;
        var ofTenant = settings.ActiveEnrollmentsMax > 0 ? $", {_catalog.ActiveEnrollments} of at most {settings.ActiveEnrollmentsMax} of the tenant (active_enrollments_max)" : string.Empty;
        return $"{_state.Enrollments.Length} of at most {settings.ActiveEnrollmentsPerRecordMax} active enrollments of the record (active_enrollments_per_record_max){ofTenant}";
    }

    private static string PropertyName(CompiledWorkflow workflow, int property) => workflow.ObjectType.Find(property)?.Name ?? $"#{property}";

    private static string TextOf(CompiledEventTrigger trigger) =>
        $"{trigger.Text}{(trigger.OnlyIf is null ? string.Empty : ", if its \"only if\" holds")}{(trigger.AllowNewRecord ? string.Empty : ", of a record that existed before")}";

    private static string TextOf(Timestamp at) => InstantPattern.ExtendedIso.Format(at.ToInstant());
}
