using NodaTime;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <summary>
/// Checks a definition against the tenant's schema and compiles it. Everything wrong is reported, not only the first thing
/// (EDT-03); with an error there is no compiled workflow.
/// </summary>
public sealed partial class WorkflowCompiler
{
    /// <summary>Most steps of a workflow (<c>steps_max</c>).</summary>
    public const int StepsMax = 500;

    /// <summary>Most branches of an if/then (<c>if_branches_max</c>, BRA-01).</summary>
    public const int IfBranchesMax = 20;

    /// <summary>Most filters of one criteria (<c>filters_max</c>, FIL-01).</summary>
    public const int FiltersMax = 250;

    /// <summary>Most operands of one filter (<c>values_max</c>).</summary>
    public const int ValuesMax = 250;

    /// <summary>Most goals.</summary>
    public const int GoalsMax = 1;

    /// <summary>Most days of a delay (DLY-02, DLY-03).</summary>
    public const int DelayDaysMax = 3_650;

    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromDays(7);

    private readonly TenantSchema _schema;
    private readonly WorkflowDefinition _definition;
    private readonly Func<string, int> _stepNumber;
    private readonly List<WorkflowProblem> _problems = [];
    private readonly Dictionary<string, int> _stepIndexes = new(StringComparer.Ordinal);
    private ObjectTypeDefinition _type = new(0, string.Empty, []);
    private DateTimeZone _zone = DateTimeZone.Utc;

    private WorkflowCompiler(TenantSchema schema, WorkflowDefinition definition, Func<string, int> stepNumber)
    {
        _schema = schema;
        _definition = definition;
        _stepNumber = stepNumber;
    }

    /// <summary>Checks and compiles.</summary>
    /// <param name="definition">The definition.</param>
    /// <param name="identity">Id, number, version and state it gets.</param>
    /// <param name="schema">The tenant's schema; event types of triggers must be in it already.</param>
    /// <param name="stepNumber">Number of a step id in this workflow: the same id has the same number in every version.</param>
    /// <param name="problems">Errors first, then warnings.</param>
    /// <returns>The compiled workflow, or null when there is an error.</returns>
    public static CompiledWorkflow? Compile(
        WorkflowDefinition definition, WorkflowIdentity identity, TenantSchema schema, Func<string, int> stepNumber, out IReadOnlyList<WorkflowProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var compiler = new WorkflowCompiler(schema, definition, stepNumber);
        var compiled = compiler.Compile(identity);
        problems = [.. compiler._problems.OrderByDescending(p => p.IsError)];
        return problems.Any(p => p.IsError) ? null : compiled;
    }

    private CompiledWorkflow? Compile(WorkflowIdentity identity)
    {
        if (!Names.IsId(_definition.Id))
        {
            Error("id", "BAD_ID", _definition.Id, "A workflow id has 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        if (_schema.FindObjectType(_definition.ObjectType) is { } type)
        {
            _type = type;
        }
        else
        {
            Error("objectType", "UNDECLARED_OBJECT_TYPE", _definition.ObjectType, $"Object type '{Refusal.Cut(_definition.ObjectType)}' is not declared.");
        }

        _zone = Zone("timeZone", _definition.TimeZone, TimeZones.Find(_schema.Settings.TimeZone) ?? DateTimeZone.Utc);
        var start = CompileStart();
        var goals = CompileGoals();
        var steps = CompileSteps();
        var first = FirstStep();
        var hasLoops = CheckGraph(first);
        return _problems.Exists(p => p.IsError)
            ? null
            : new CompiledWorkflow(identity, _type, _zone, start, goals, steps, StepNumber(first), hasLoops);
    }

    private CompiledStart CompileStart()
    {
        var start = _definition.Start;
        if (start is null || start.Kind == StartKind.None)
        {
            Error("start", "NO_START", string.Empty, "A workflow needs a start: filter, event or manual.");
            return new CompiledStart(StartKind.Manual, null, true, [], false, []);
        }

        var criteria = start.Kind == StartKind.Filter ? CompileCriteria(start.Criteria, "start.filter.criteria") : null;
        var events = start.Kind == StartKind.Event ? CompileEvents(start.Events) : [];
        var reenrollWhen = start.ReenrollWhen.Select((c, i) => CompileCriteria(c, $"start.reenrollWhen[{i}]")).ToArray();
        CheckReenrollment(start);
        return new CompiledStart(start.Kind, criteria, start.FireOnCreate, events, start.Reenroll, reenrollWhen);
    }

    private void CheckReenrollment(StartDefinition start)
    {
        if (start.ReenrollWhen.Count > 0 && start.Kind != StartKind.Filter)
        {
            Error("start.reenrollWhen", "REENROLL_NOT_FOR_START", start.Kind.ToString(), "Re-enrollment triggers belong to a filter start; an event start re-enrolls on every occurrence (REN-01).");
        }

        for (var i = 0; i < start.ReenrollWhen.Count; i++)
        {
            foreach (var (filter, path) in start.ReenrollWhen[i].AnyOf.SelectMany((group, g) => group.Select((f, n) => (f, $"anyOf[{g}].allOf[{n}].operator"))))
            {
                if (IsForbiddenForReenrollment(filter))
                {
                    Error($"start.reenrollWhen[{i}].{path}", "REENROLL_OPERATOR", OperatorTable.NameOf(filter.Operator), "Negative operators and several values are not allowed as re-enrollment trigger (REN-06).");
                }
            }
        }

        if (start.Reenroll && start.Kind == StartKind.Filter && start.ReenrollWhen.Count == 0)
        {
            Warning("start.reenrollWhen", "REENROLL_BY_HAND_ONLY", string.Empty, "Re-enrollment is on without a re-enrollment trigger: only manual and API starts re-enroll (REN-02).");
        }
    }

    private static bool IsForbiddenForReenrollment(FilterDefinition filter) => filter.Values.Count > 1 && filter.Operator != Operator.IsBetween
        || filter.Operator is Operator.IsUnknown or Operator.IsBlank or Operator.IsNotEqualTo or Operator.DoesNotContain or Operator.IsNotBetween
            or Operator.IsNoneOf or Operator.IsNotExactly or Operator.DoesNotContainAll or Operator.HasNeverBeenEqualTo or Operator.HasNeverContained
            or Operator.HasNeverBeenAnyOf or Operator.HasNeverBeenExactly or Operator.HasNeverContainedAll;

    private CompiledEventTrigger[] CompileEvents(IReadOnlyList<EventTriggerDefinition> events)
    {
        if (events.Count is 0 or > 100)
        {
            Error("start.event.anyOf", "EVENT_COUNT", $"{events.Count}", "An event start has 1 to 100 events.");
        }

        return events.Select((e, i) => CompileEvent(e, $"start.event.anyOf[{i}]")).ToArray();
    }

    private CompiledEventTrigger CompileEvent(EventTriggerDefinition trigger, string path)
    {
        var eventType = trigger.EventType.Length == 0 ? 0 : _schema.FindEventType(trigger.EventType);
        if (!Names.IsName(trigger.EventType))
        {
            Error($"{path}.eventType", "BAD_NAME", trigger.EventType, "An event type has 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        }

        else if (eventType == 0)
        {
            Error($"{path}.eventType", "TOO_MANY_EVENT_TYPES", trigger.EventType, $"The tenant has {TenantSchema.EventTypesMax} event types already.");
        }

        var where = trigger.Where.Select((f, i) => CompileEventFilter(f, $"{path}.where[{i}]")).ToArray();
        var onlyIf = trigger.OnlyIf is null ? null : CompileCriteria(trigger.OnlyIf, $"{path}.onlyIf");
        return new CompiledEventTrigger(eventType, where, onlyIf, trigger.AllowNewRecord ?? StandardEventTypes.AllowsNewRecord(trigger.EventType));
    }

    private CompiledGoal[] CompileGoals()
    {
        if (_definition.Goals.Count > GoalsMax)
        {
            Error("goals", "TOO_MANY_GOALS", $"{_definition.Goals.Count}", $"A workflow has at most {GoalsMax} goal.");
        }

        return _definition.Goals.Select((goal, i) =>
        {
            if (!Names.IsId(goal.Id))
            {
                Error($"goals[{i}].id", "BAD_ID", goal.Id, "A goal id has 1 to 100 characters of a-z, 0-9, _ and -.");
            }

            return new CompiledGoal(goal.Id, CompileCriteria(goal.Criteria, $"goals[{i}].criteria"));
        }).ToArray();
    }

    private DateTimeZone Zone(string path, string name, DateTimeZone fallback)
    {
        if (name.Length == 0)
        {
            return fallback;
        }

        if (TimeZones.Find(name) is { } zone)
        {
            return zone;
        }

        Error(path, "UNKNOWN_TIME_ZONE", name, $"'{Refusal.Cut(name)}' is no IANA zone name.");
        return fallback;
    }

    private static string Upper(PropertyType type) => type.ToString().ToUpperInvariant();

    private void Error(string path, string code, string value, string message) => _problems.Add(new WorkflowProblem(true, path, code, Refusal.Cut(value), message));

    private void Warning(string path, string code, string value, string message) => _problems.Add(new WorkflowProblem(false, path, code, Refusal.Cut(value), message));
}
