using System.Collections.Frozen;
using NodaTime;
using Roster.Core.Calendars;
using Roster.Core.Filters;
using Roster.Core.Schema;

namespace Roster.Core.Workflows;

/// <summary>
/// Checks a definition against the tenant's schema and compiles it. Everything wrong is reported, not only the first thing
/// (EDT-03); with an error there is no compiled workflow.
/// </summary>
public sealed partial class WorkflowCompiler
{
    /// <summary>Most goal ids that a workflow may ever have had: a record keeps a bit for each.</summary>
    public const int GoalIdsMax = 64;

    /// <summary>Most events of a start or a wait.</summary>
    public const int EventsMax = 100;

    /// <summary>Most days of a delay (DLY-02, DLY-03).</summary>
    public const int DelayDaysMax = 3_650;

    /// <summary>Most suppression lists, and most workflows of a kick-out (UNE-05).</summary>
    public const int ReferencesMax = 100;

    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromDays(7);

    private readonly DefinitionScope _scope;
    private readonly WorkflowDefinition _definition;
    private readonly Func<string, int> _stepNumber;
    private readonly Func<string, int> _goalNumber;
    private readonly List<WorkflowProblem> _problems = [];
    private readonly Dictionary<string, int> _stepIndexes = new(StringComparer.Ordinal);
    private readonly HashSet<int> _readOutputs = [];
    private ObjectTypeDefinition _type = new(0, string.Empty, []);
    private DateTimeZone _zone = DateTimeZone.Utc;
    private CriteriaCompiler _criteria = null!;
    private bool _readsEventProperties;

    private WorkflowCompiler(DefinitionScope scope, WorkflowDefinition definition, Func<string, int> stepNumber, Func<string, int> goalNumber)
    {
        _scope = scope;
        _definition = definition;
        _stepNumber = stepNumber;
        _goalNumber = goalNumber;
    }

    /// <summary>Checks and compiles.</summary>
    /// <param name="definition">The definition.</param>
    /// <param name="identity">Id, number, version and state it gets.</param>
    /// <param name="scope">What it may refer to; event types of triggers must be in the schema already.</param>
    /// <param name="stepNumber">Number of a step id in this workflow: the same id has the same number in every version.</param>
    /// <param name="goalNumber">Number of a goal id in this workflow, from 1: the same id has the same number in every version.</param>
    /// <param name="problems">Errors first, then warnings.</param>
    /// <returns>The compiled workflow, or null when there is an error.</returns>
    public static CompiledWorkflow? Compile(
        WorkflowDefinition definition,
        WorkflowIdentity identity,
        DefinitionScope scope,
        Func<string, int> stepNumber,
        Func<string, int> goalNumber,
        out IReadOnlyList<WorkflowProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(scope);
        var compiler = new WorkflowCompiler(scope, definition, stepNumber, goalNumber);
        var compiled = compiler.Compile(identity);
        problems = [.. compiler._problems.Select(compiler.InSequence).OrderByDescending(p => p.IsError)];
        return problems.Any(p => p.IsError) ? null : compiled;
    }

    private TenantSettings Limits => _scope.Schema.Settings;

    private CompiledWorkflow? Compile(WorkflowIdentity identity)
    {
        if (!Names.IsId(_definition.Id))
        {
            Error("id", "BAD_ID", _definition.Id, "A workflow id has 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        if (_scope.Schema.FindObjectType(_definition.ObjectType) is { } type)
        {
            _type = type;
        }
        else
        {
            Error("objectType", "UNDECLARED_OBJECT_TYPE", _definition.ObjectType, $"Object type '{Refusal.Cut(_definition.ObjectType)}' is not declared.");
        }

        _zone = Zone("timeZone", _definition.TimeZone, TimeZones.Find(Limits.TimeZone) ?? DateTimeZone.Utc);
        _criteria = new CriteriaCompiler(_scope, _type, _zone, _problems.Add);
        CompileDataSources();
        var start = CompileStart();
        var steps = CompileSteps();
        var settings = CompileSettings(start, CompileGoals(steps));
        var first = FirstStep();
        var hasLoops = CheckGraph(first);
        CheckBlockedTriggers();
        CheckEnrollmentCycles();
        return _problems.Exists(p => p.IsError)
            ? null
            : new CompiledWorkflow(identity, _type, _zone, settings, steps, StepNumber(first), hasLoops);
    }

    private CompiledSettings CompileSettings(CompiledStart start, CompiledGoal[] goals)
    {
        var grace = Duration("catchUpGrace", _definition.CatchUpGrace, TimeSpan.FromMinutes(15), TimeSpan.Zero, TimeSpan.FromDays(7), "catch_up_grace");
        var spread = Duration("catchUpSpread", _definition.CatchUpSpread, TimeSpan.FromMinutes(60), TimeSpan.FromMinutes(1), TimeSpan.FromHours(24), "catch_up_spread");
        if (_definition.UnenrollIfNotMeeting && _definition.Start?.Kind != StartKind.Filter)
        {
            Error("unenrollIfNotMeeting", "NOT_FOR_START", $"{_definition.Start?.Kind}", "Only a filter start has criteria that can stop to hold (UNE-01).");
        }

        if (_definition.UnenrollFromAll && _definition.UnenrollFrom.Count > 0)
        {
            Error("unenrollFrom", "ALL_OR_SOME", string.Empty, "Name all workflows or some, not both (UNE-05).");
        }

        if (!Enum.IsDefined(_definition.CatchUp) || !Enum.IsDefined(_definition.PublishPolicy))
        {
            Error("catchUp", "MISSING_FIELD", $"{(int)_definition.CatchUp}, {(int)_definition.PublishPolicy}", "Catch-up is RUN, SKIP or SPREAD; a publish policy is LIVE or PINNED.");
        }

        return new CompiledSettings(start, goals)
        {
            SuppressionLists = References("suppressionLists", _definition.SuppressionLists, SuppressionList),
            UnenrollWhen = _definition.UnenrollWhen is null ? null : _criteria.Compile(_definition.UnenrollWhen, "unenrollWhen"),
            UnenrollIfNotMeeting = _definition.UnenrollIfNotMeeting,
            UnenrollFromAll = _definition.UnenrollFromAll,
            UnenrollFrom = References("unenrollFrom.workflowIds", _definition.UnenrollFrom, (id, path) => FindWorkflow(id, path, mustBeOfType: true)),
            Windows = CompileWindows(),
            CatchUp = _definition.CatchUp == CatchUp.None ? CatchUp.Run : _definition.CatchUp,
            CatchUpGraceMs = (long)grace.TotalMilliseconds,
            CatchUpSpreadMs = (long)spread.TotalMilliseconds,
            PublishPolicy = _definition.PublishPolicy == PublishPolicy.None ? PublishPolicy.Live : _definition.PublishPolicy,
            EnrollOnMerge = _definition.EnrollOnMerge,
            AllowExternalCrm = _definition.AllowExternalCrm,
            ReadsEventProperties = _readsEventProperties,
            ReadOutputs = _readOutputs.ToFrozenSet(),
            ReadFromAssociated = [.. _readFromAssociated],
            Sequence = CompileSequence(),
        };
    }

    private int[] References(string path, IReadOnlyList<string> ids, Func<string, string, int> find)
    {
        if (ids.Count > ReferencesMax)
        {
            Error(path, "TOO_MANY", $"{ids.Count}", $"At most {ReferencesMax}.");
        }

        return [.. ids.Select((id, i) => find(id, $"{path}[{i}]")).Where(n => n != 0).Distinct()];
    }

    private int SuppressionList(string id, string path)
    {
        var list = FindList(id, path);
        if (list is not null && list.ObjectType != _type.Number)
        {
            Error(path, "LIST_OF_OTHER_TYPE", id, $"List '{Refusal.Cut(id)}' is of another object type (SUP-01).");
        }

        return list?.Number ?? 0;
    }

    private ListInfo? FindList(string id, string path)
    {
        var list = _scope.FindList(id);
        if (list is null)
        {
            Error(path, "UNKNOWN_LIST", id, $"There is no list '{Refusal.Cut(id)}'.");
        }

        return list;
    }

    private int FindWorkflow(string id, string path, bool mustBeOfType)
    {
        var workflow = _scope.FindWorkflow(id);
        if (workflow is null)
        {
            Error(path, "UNKNOWN_WORKFLOW", id, $"There is no workflow '{Refusal.Cut(id)}'.");
        }
        else if (mustBeOfType && workflow.ObjectType != _type.Number)
        {
            Error(path, "WORKFLOW_OF_OTHER_TYPE", id, $"Workflow '{Refusal.Cut(id)}' is of another object type.");
        }

        return workflow?.Number ?? 0;
    }

    private CompiledGoal[] CompileGoals(CompiledStep[] steps)
    {
        if (_definition.Goals.Count > Limits.GoalsMax)
        {
            Error("goals", "TOO_MANY_GOALS", $"{_definition.Goals.Count}", $"A workflow has at most {Limits.GoalsMax} goals (setting goals_max).");
        }

        var isMailing = steps.OfType<CompiledWorker>().Any(w => w.IsMarketing);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        return _definition.Goals.Select((goal, i) =>
        {
            var number = 1;
            if (!Names.IsId(goal.Id))
            {
                Error($"goals[{i}].id", "BAD_ID", goal.Id, "A goal id has 1 to 100 characters of a-z, 0-9, _ and -.");
            }
            else if (!ids.Add(goal.Id))
            {
                Error($"goals[{i}].id", "DUPLICATE_GOAL", goal.Id, $"Goal id '{goal.Id}' is used twice.");
            }
            else if ((number = _goalNumber(goal.Id)) > GoalIdsMax)
            {
                Error($"goals[{i}].id", "TOO_MANY_GOAL_IDS", goal.Id, $"A workflow has at most {GoalIdsMax} goal ids over all its versions.");
                number = 1;
            }

            var countsAll = goal.Count == GoalCount.All || (goal.Count == GoalCount.None && !isMailing);
            return new CompiledGoal(number, goal.Id, _criteria.Compile(goal.Criteria, $"goals[{i}].criteria"), goal.Exit ?? i == 0, countsAll);
        }).ToArray();
    }

    /// <summary>Warns of a trigger that a goal or the unenrollment triggers always block (EDT-03).</summary>
    private void CheckBlockedTriggers()
    {
        if (_definition.Start is not { Kind: StartKind.Filter, Criteria: { } start })
        {
            return;
        }

        for (var i = 0; i < _definition.Goals.Count; i++)
        {
            if ((_definition.Goals[i].Exit ?? i == 0) && _definition.Goals[i].Criteria is { } goal && _criteria.Implies(start, goal))
            {
                Warning($"goals[{i}].criteria", "GOAL_IMPLIED_BY_START", _definition.Goals[i].Id, $"Whoever meets the start meets goal '{_definition.Goals[i].Id}' too: nobody enrolls (GOAL-03).");
            }
        }

        if (_definition.UnenrollWhen is { } unenroll && _criteria.Implies(start, unenroll))
        {
            Warning("unenrollWhen", "SUPPRESSION_IMPLIED_BY_START", string.Empty, "Whoever meets the start meets the unenrollment triggers too: nobody enrolls (SUP-05).");
        }
    }

    /// <summary>Warns of workflows that enroll each other in a circle.</summary>
    private void CheckEnrollmentCycles()
    {
        for (var i = 0; i < _definition.Steps.Count; i++)
        {
            if (_definition.Steps[i] is OtherWorkflowStepDefinition { Enrolls: true } other && LeadsBack(other.WorkflowId) is { } circle)
            {
                Warning($"steps[{i}].enrollInWorkflow.workflowId", "ENROLLMENT_CYCLE", other.WorkflowId, $"These workflows enroll each other in a circle: {_definition.Id} -> {circle}; the loop guards stop it (ENG-08, ENG-09).");
            }
        }
    }

    private string? LeadsBack(string from)
    {
        var stack = new Stack<(string Id, string Path)>([(from, from)]);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (stack.TryPop(out var present))
        {
            if (present.Id == _definition.Id)
            {
                return present.Path;
            }

            foreach (var next in seen.Add(present.Id) ? _scope.FindWorkflow(present.Id)?.EnrollsIn ?? [] : [])
            {
                stack.Push((next, $"{present.Path} -> {next}"));
            }
        }

        return null;
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

    private TimeSpan Duration(string path, TimeSpan? given, TimeSpan fallback, TimeSpan min, TimeSpan max, string setting)
    {
        var value = given ?? fallback;
        if (value < min || value > max)
        {
            Error(path, "OUT_OF_RANGE", $"{value}", $"Allowed is {min} to {max} (setting {setting}).");
            return fallback;
        }

        return value;
    }

    private static string Upper(Values.PropertyType type) => type.ToString().ToUpperInvariant();

    private void Error(string path, string code, string value, string message) => _problems.Add(new WorkflowProblem(true, path, code, Refusal.Cut(value), message));

    private void Warning(string path, string code, string value, string message) => _problems.Add(new WorkflowProblem(false, path, code, Refusal.Cut(value), message));
}
