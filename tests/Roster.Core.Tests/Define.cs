using Roster.Core.Filters;
using Roster.Core.Workflows;

namespace Roster.Core.Tests;

/// <summary>Short ways to write definitions.</summary>
internal static class Define
{
    public static FilterDefinition Is(string property, Operator op, params string[] values) => new(property, op, values, false, string.Empty);

    public static FilterDefinition Eq(string property, string value) => Is(property, Operator.IsEqualTo, value);

    public static CriteriaDefinition All(params FilterDefinition[] filters) => new([filters]);

    public static CriteriaDefinition Any(params FilterDefinition[] filters) => new([.. filters.Select(f => (IReadOnlyList<FilterDefinition>)[f])]);

    public static StartDefinition OnFilter(CriteriaDefinition criteria, bool fireOnCreate = true, bool reenroll = false, params CriteriaDefinition[] reenrollWhen) =>
        new(StartKind.Filter, criteria, fireOnCreate, [], reenroll, reenrollWhen);

    public static StartDefinition OnEvent(string type, bool reenroll = false, CriteriaDefinition? onlyIf = null, bool? allowNew = null, params FilterDefinition[] where) =>
        new(StartKind.Event, null, true, [new EventTriggerDefinition(type, where, onlyIf, allowNew)], reenroll, []);

    public static StartDefinition OnEvents(bool reenroll, params EventTriggerDefinition[] events) => new(StartKind.Event, null, true, events, reenroll, []);

    public static StartDefinition ByHand(bool reenroll = false) => new(StartKind.Manual, null, true, [], reenroll, []);

    public static StepDefinition Delay(string id, int amount, DelayUnit unit, string next = "") => new DelayStepDefinition(id, next, amount, unit);

    public static StepDefinition Set(string id, string property, string value, string next = "") => new SetPropertyStepDefinition(id, next, property, value, value.Length == 0);

    public static StepDefinition Work(string id, string next = "", bool wait = true, string queue = "mail", TimeSpan? timeout = null, params string[] properties) =>
        new WorkerStepDefinition(id, next, queue, [KeyValuePair.Create("template", id)], properties, wait, timeout);

    public static StepDefinition Branch(string id, string defaultNext, params (string Name, CriteriaDefinition Criteria, string Next)[] branches) =>
        new BranchStepDefinition(id, string.Empty, [.. branches.Select(b => new IfBranchDefinition(b.Name, b.Criteria, b.Next))], defaultNext);

    public static WorkflowDefinition Workflow(string id, StartDefinition? start, params StepDefinition[] steps) => new(id, "contact", start, [], steps, string.Empty, string.Empty);

    public static WorkflowDefinition WithGoal(this WorkflowDefinition workflow, CriteriaDefinition criteria) => workflow with { Goals = [new GoalDefinition("goal", criteria)] };
}
