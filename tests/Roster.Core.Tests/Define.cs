using Roster.Core.Calendars;
using Roster.Core.Filters;
using Roster.Core.Workflows;

namespace Roster.Core.Tests;

/// <summary>Short ways to write definitions.</summary>
internal static class Define
{
    public static PropertyFilterDefinition Is(string property, Operator op, params string[] values) => new(property, op, values, false, string.Empty);

    public static PropertyFilterDefinition Eq(string property, string value) => Is(property, Operator.IsEqualTo, value);

    public static CriteriaDefinition All(params FilterDefinition[] filters) => new([new FilterGroupDefinition(filters)]);

    public static CriteriaDefinition Any(params FilterDefinition[] filters) => new([.. filters.Select(f => new FilterGroupDefinition([f]))]);

    public static FilterDefinition Happened(string eventType, params FilterDefinition[] where) => new EventHistoryFilterDefinition(eventType, where, false, null);

    public static FilterDefinition InList(string list, bool negate = false) => new ListFilterDefinition(list, negate);

    public static FilterDefinition Status(string workflow, WorkflowStatus status, string goal = "", bool negate = false) => new WorkflowFilterDefinition(workflow, status, goal, negate);

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

    public static StepDefinition Delay(string id, DelayDefinition delay, string next = "", string missed = "") =>
        new DelayStepDefinition(id, next, delay.Amount, delay.Unit) { Delay = delay, MissedNext = missed };

    public static StepDefinition WaitEvent(string id, string type, string next = "", TimeSpan? timeout = null, string timeoutNext = "", bool lookback = false, params FilterDefinition[] where) =>
        new WaitStepDefinition(id, next, [new EventTriggerDefinition(type, where, null, null)], null) { Timeout = timeout, TimeoutNext = timeoutNext, Lookback = lookback };

    public static StepDefinition WaitFor(string id, CriteriaDefinition criteria, string next = "", TimeSpan? timeout = null, string timeoutNext = "", bool lookback = false) =>
        new WaitStepDefinition(id, next, [], criteria) { Timeout = timeout, TimeoutNext = timeoutNext, Lookback = lookback };

    public static StepDefinition EnrollIn(string id, string workflow, string next = "") => new OtherWorkflowStepDefinition(id, next, workflow, true);

    public static StepDefinition UnenrollFrom(string id, string workflow, string next = "") => new OtherWorkflowStepDefinition(id, next, workflow, false);

    public static StepDefinition AddTo(string id, string list, string next = "") => new ListStepDefinition(id, next, list, true);

    public static StepDefinition RemoveFrom(string id, string list, string next = "") => new ListStepDefinition(id, next, list, false);

    public static StepDefinition Email(string id, string next = "", bool wait = true) =>
        new WorkerStepDefinition(id, next, "mail", [], [], wait, null) { MarketingEmail = true };

    public static StepDefinition Values(string id, string property, string defaultNext, params (string Value, string Next)[] cases) =>
        new ValueBranchStepDefinition(id, string.Empty, property, [.. cases.Select(c => new ValueCaseDefinition(c.Value, c.Next))], defaultNext);

    public static StepDefinition OutputValues(string id, string step, string name, string defaultNext, params (string Value, string Next)[] cases) =>
        new ValueBranchStepDefinition(id, string.Empty, string.Empty, [.. cases.Select(c => new ValueCaseDefinition(c.Value, c.Next))], defaultNext)
        {
            Output = new StepOutputDefinition(step, name),
        };

    public static StepDefinition Split(string id, bool sticky, params (string Name, int? Percent, string Next)[] paths) =>
        new SplitStepDefinition(id, string.Empty, [.. paths.Select(p => new SplitPathDefinition(p.Name, p.Percent, p.Next))], sticky);

    public static StepDefinition GoTo(string id, string step) => new GoToStepDefinition(id, string.Empty, step);

    public static StepDefinition Put(string id, string property, SetMode mode, ValueSourceDefinition? source = null, string value = "", string next = "") =>
        new SetPropertyStepDefinition(id, next, property, value, false) { Mode = mode, Source = source };

    public static StepDefinition Format(string id, ValueSourceDefinition input, string property, string next, params (FormatFunction Function, string Argument)[] functions) =>
        new FormatStepDefinition(id, next, input, [.. functions.Select(f => new FormatCallDefinition(f.Function, f.Argument))], property);

    public static StepDefinition Rotate(string id, bool overwrite, string next, params string[] users) => new RotateOwnerStepDefinition(id, next, users, string.Empty, overwrite);

    public static StepDefinition DeleteRecord(string id, string next = "") => new DeleteRecordStepDefinition(id, next);

    public static StepDefinition At(this StepDefinition step, int offsetDays, string timeOfDay) => step with { At = new AnchorOffsetDefinition(offsetDays, timeOfDay) };

    public static StartDefinition OnAnchor(string date = "", string property = "", bool annually = false, CriteriaDefinition? criteria = null, bool reenroll = false) =>
        new(StartKind.DateAnchor, null, true, [], reenroll, []) { Anchor = new AnchorDefinition(date, property, annually, criteria) };

    public static StartDefinition OnDate(string property, int offsetDays, string timeOfDay, bool yearly = false, bool reenroll = false, CriteriaDefinition? criteria = null, bool skipMissed = false) =>
        new(StartKind.Schedule, null, true, [], reenroll, [])
        {
            Schedule = new ScheduleDefinition(ScheduleKind.Date)
            {
                Property = property,
                OffsetDays = offsetDays,
                TimeOfDay = timeOfDay,
                Yearly = yearly,
                Criteria = criteria,
                AllRecords = criteria is null,
                SkipMissed = skipMissed,
            },
        };

    public static WindowsDefinition Open(string start, string end, TimeSpan? spread = null, Weekdays days = Weekdays.All, params string[] blocked) =>
        new([new WindowDefinition(days, start, end)], blocked, spread ?? TimeSpan.Zero);

    public static WorkflowDefinition WithGoal(this WorkflowDefinition workflow, CriteriaDefinition criteria) => workflow with { Goals = [new GoalDefinition("goal", criteria)] };

    public static WorkflowDefinition WithGoals(this WorkflowDefinition workflow, params GoalDefinition[] goals) => workflow with { Goals = goals };
}
