using System.Collections.Frozen;
using Roster.Core;
using Roster.Core.Catalog;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <summary>
/// Drives <see cref="Turn"/> for one record as a host does: the state is packed between turns, sections are kept apart, a turn that
/// misses some is decided again.
/// </summary>
internal sealed class CoreEngine
{
    private static readonly RecordKey Key = new(1, 1, "ada");

    private readonly List<(string Id, List<WorkflowDefinition> Versions, WorkflowState State)> _workflows = [];
    private readonly Dictionary<(string Workflow, string Step), int> _steps = [];
    private readonly Dictionary<(string Workflow, string Goal), int> _goals = [];
    private readonly Dictionary<int, byte[]> _sections = [];
    private readonly List<(Timestamp At, ulong Id, JournalEntry[] Entries)> _journal = [];
    private readonly IReadOnlyList<CaseList> _lists;
    private readonly TenantSchema _schema;
    private readonly RecordState _state = new();
    private readonly Turn _turn = new();
    private readonly PackedWriter _writer = new();
    private readonly Dictionary<(int Enrollment, int Step), StepDefinition> _entered = [];
    private TenantCatalog? _catalog;
    private byte[]? _head;
    private ulong _turnId;

    public CoreEngine(TenantSettings settings, IReadOnlyList<CaseList> lists)
    {
        _lists = lists;
        var schema = TenantSchema.New(settings);
        foreach (var (name, type) in CaseSchema.Properties)
        {
            schema = schema.WithProperty(schema.FindObjectType(CaseSchema.ObjectType)!, name, TypeOf(type), type == CaseSchema.Options ? ["a", "b", "c"] : []);
        }

        foreach (var type in CaseSchema.ClientEvents.Concat(CaseSchema.OwnEvents))
        {
            schema = schema.WithEventType(type);
        }

        _schema = schema;
    }

    /// <summary>Entries of the latest turn.</summary>
    public JournalEntry[] Last { get; private set; } = [];

    public Timestamp NextDueAt
    {
        get
        {
            Load(withSections: false);
            return _head is null ? Timestamp.None : _state.NextDueAt;
        }
    }

    /// <exception cref="InvalidCaseException">The definition is refused.</exception>
    public void Publish(WorkflowDefinition definition, WorkflowState? state)
    {
        var index = _workflows.FindIndex(w => w.Id == definition.Id);
        if (index < 0)
        {
            _workflows.Add((definition.Id, [definition], state!.Value));
        }
        else
        {
            _workflows[index].Versions.Add(definition);
        }

        _catalog = null;
    }

    public void Switch(string workflow, WorkflowState state)
    {
        var index = _workflows.FindIndex(w => w.Id == workflow);
        _workflows[index] = _workflows[index] with { State = state };
        _catalog = null;
    }

    /// <summary>One turn; null is the record's earliest timer.</summary>
    public TurnStory Run(CaseInput? input, CaseTask? task, long now)
    {
        Last = [];
        if (ToInput(input, task) is not { } asked)
        {
            return new TurnStory(string.Empty, "NOTHING", [], [.. Describe()]);
        }

        Load(withSections: false);
        _catalog ??= Build();
        var result = _turn.Decide(_state, asked, _catalog, new Timestamp(now), ++_turnId);
        if (result.Status == TurnStatus.NeedsSections)
        {
            Load(withSections: true);
            result = _turn.Decide(_state, asked, _catalog, new Timestamp(now), _turnId);
        }

        if (result.Status == TurnStatus.Applied)
        {
            Keep();
        }

        var status = result.Status switch
        {
            TurnStatus.Applied => "APPLIED",
            TurnStatus.Duplicate => "DUPLICATE",
            TurnStatus.Mismatch => "MISMATCH",
            TurnStatus.Nothing => "NOTHING",
            _ => $"{result.Status} {result.Refusal}",
        };
        return new TurnStory(string.Empty, status, [.. Last.Select(Word).OfType<string>()], [.. Describe()]);
    }

    /// <summary>Whether the journal, folded from nothing, gives the state (ENG-14).</summary>
    public bool ReplayGivesTheSame()
    {
        var state = new RecordState();
        state.Reset(Key, 7);
        foreach (var (at, id, entries) in _journal)
        {
            state.BeginTurn(at, id);
            foreach (var entry in entries)
            {
                state.Apply(entry);
            }

            state.EndTurn();
        }

        return _head is null || Pack(state).AsSpan().SequenceEqual(_head);
    }

    /// <summary>The way that the latest turn took at a split, as an index.</summary>
    public int? SplitTaken(int enrollment, string workflow, string step, int nth)
    {
        var number = _steps.GetValueOrDefault((workflow, step));
        var found = Last.Where(e => e.Kind == EntryKind.StepFinished && e.Enrollment == enrollment && e.Step == number && e.Subject > 0).ElementAtOrDefault(nth);
        return found.Subject == 0 ? null : found.Subject - 1;
    }

    private void Keep()
    {
        Last = _turn.Entries.ToArray();
        _journal.Add((_state.LastTurnAt, _turnId, Last));
        _head = Pack(_state);
        foreach (var write in _state.SectionWrites)
        {
            if (write.Content is null)
            {
                _sections.Remove(write.Index);
            }
            else
            {
                _sections[write.Index] = write.Content;
            }
        }
    }

    private byte[] Pack(RecordState state)
    {
        _writer.Clear();
        state.Pack(_writer);
        return _writer.Written.ToArray();
    }

    private void Load(bool withSections)
    {
        if (_head is null)
        {
            _state.Reset(Key, 7);
            return;
        }

        _state.Load(_head);
        foreach (var section in withSections ? _state.Sections.ToList() : [])
        {
            _state.AddSection(section.Index, _sections[section.Index]);
        }
    }

    private TurnInput? ToInput(CaseInput? input, CaseTask? task) => input switch
    {
        null => TimerInput.Instance,
        EventCase e => new EventInput(
            e.Id, _schema.FindEventType(e.Type), e.OccurredAt is { } at ? new Timestamp(at) : Timestamp.None, "test",
            [.. e.Properties.Select(p => new NamedValue(p.Name, Parse(p.Value, decimal.TryParse(p.Value, out _) ? PropertyType.Number : PropertyType.String)))],
            [.. e.Writes.Select(Write)], isBaseline: false),
        CommandCase c => new CommandInput(c.Kind, NumberOf(c), c.RequestId, "me"),
        CompleteCase c => task is null ? null : new CompletionInput(
            task.Enrollment, _steps[(task.Workflow, task.Step)], task.Execution, c.Result, c.Result == StepResult.Failed ? "NO" : string.Empty, string.Empty, []),
        RefreshCase r => new RefreshInput(WorkflowNumber(r.Workflow), 0, Timestamp.None, movesPinned: false),
        _ => throw new NotSupportedException($"{input}"),
    };

    private int NumberOf(CommandCase command) =>
        command.Kind is CommandKind.Enroll or CommandKind.Unenroll ? WorkflowNumber(command.Target) : _lists.ToList().FindIndex(l => l.Id == command.Target) + 1;

    private int WorkflowNumber(string id) => _workflows.FindIndex(w => w.Id == id) + 1;

    private PropertyWrite Write(CaseValue write)
    {
        var property = _schema.FindObjectType(CaseSchema.ObjectType)!.Find(write.Name)!;
        return new PropertyWrite(property, Parse(write.Value, property.Type));
    }

    private static Value Parse(string text, PropertyType type) => Value.TryParse(text, type, out var value) ? value : throw new InvalidCaseException($"'{text}' is no {type}.");

    private static PropertyType TypeOf(string type) => type switch
    {
        CaseSchema.Text => PropertyType.String,
        CaseSchema.Number => PropertyType.Number,
        CaseSchema.Options => PropertyType.Enumeration,
        CaseSchema.Date => PropertyType.Date,
        _ => PropertyType.DateTime,
    };

    private TenantCatalog Build()
    {
        var scope = new DefinitionScope(
            _schema,
            _lists.Select((l, i) => new ListInfo(l.Id, i + 1, 1, l.Criteria is not null)),
            _workflows.Select((w, i) => new WorkflowInfo(w.Id, i + 1, 1, [], [])));
        var newest = _workflows.Select((w, i) => Compile(scope, w.Versions, i + 1, w.Versions.Count, w.State)).ToList();
        return new TenantCatalog(1, "acme", 1, _schema, newest, CompileLists(scope), []);
    }

    private IEnumerable<CompiledList> CompileLists(DefinitionScope scope)
    {
        var type = _schema.FindObjectType(CaseSchema.ObjectType)!;
        foreach (var list in _lists)
        {
            var problems = new List<WorkflowProblem>();
            var criteria = list.Criteria is null ? null : new CriteriaCompiler(scope, type, NodaTime.DateTimeZone.Utc, problems.Add).Compile(list.Criteria, "criteria");
            InvalidCaseException.ThrowIfAny(problems);
            yield return new CompiledList(scope.FindList(list.Id)!, criteria);
        }
    }

    private CompiledWorkflow Compile(DefinitionScope scope, List<WorkflowDefinition> versions, int number, int version, WorkflowState state)
    {
        var definition = versions[version - 1];
        var identity = new WorkflowIdentity(definition.Id, number, version, state, new Timestamp(number));
        var compiled = WorkflowCompiler.Compile(definition, identity, scope, s => NumberIn(_steps, definition.Id, s), g => NumberIn(_goals, definition.Id, g), out var problems);
        InvalidCaseException.ThrowIfAny(problems.Where(p => p.IsError));
        compiled!.SetFormer(FormerSteps.Of(versions, definition, s => NumberIn(_steps, definition.Id, s)));
        return compiled;
    }

    private static int NumberIn(Dictionary<(string Workflow, string Name), int> numbers, string workflow, string name)
    {
        if (!numbers.TryGetValue((workflow, name), out var number))
        {
            number = numbers.Keys.Count(k => k.Workflow == workflow) + 1;
            numbers[(workflow, name)] = number;
        }

        return number;
    }

    private IEnumerable<string> Describe()
    {
        Load(withSections: false);
        var type = _schema.FindObjectType(CaseSchema.ObjectType)!;
        foreach (var name in CaseSchema.Properties.Keys.Order(StringComparer.Ordinal))
        {
            if (_state.TryGetProperty(type.Find(name)!.Number, isBefore: false, out var view) && !view.IsUnknown)
            {
                yield return $"{name} = {Plain(view.Value)}";
            }
        }

        foreach (var list in _lists.Select((l, i) => (l.Id, Number: i + 1)).Where(l => _state.IsMember(l.Number)).OrderBy(l => l.Id, StringComparer.Ordinal))
        {
            yield return $"in {list.Id}";
        }

        foreach (var e in _state.Enrollments.ToArray().OrderBy(e => e.Number))
        {
            var standing = e.Phase switch
            {
                StepPhase.Delay => Standing.Delay,
                StepPhase.Wait => Standing.Wait,
                StepPhase.Effect => Standing.Task,
                StepPhase.Held => Standing.Held,
                _ => Standing.Ready,
            };
            var due = standing is Standing.Delay or Standing.Wait && !e.DueAt.IsNone ? e.DueAt.Ms : (long?)null;
            yield return CaseWords.Standing(_workflows[e.Workflow - 1].Id, e.Number, standing, StepName(e.Workflow, e.Step), due);
        }

        var tasks = _state.OpenEffects.ToArray().Select(t => (Task: new CaseTask(t.Enrollment, _workflows[t.Workflow - 1].Id, StepName(t.Workflow, t.Step), t.Execution), t.TimesOutAt));
        foreach (var (task, at) in tasks.OrderBy(t => t.Task.Enrollment).ThenBy(t => t.Task.Step, StringComparer.Ordinal).ThenBy(t => t.Task.Execution))
        {
            yield return CaseWords.Task(task, at.Ms);
        }
    }

    private static string Plain(Value value) => value.Type == PropertyType.Number ? NaiveFilters.Plain(value.Number) : value.ToString();

    private string StepName(int workflow, int step) => step == 0
        ? "end"
        : _steps.First(s => s.Key.Workflow == _workflows[workflow - 1].Id && s.Value == step).Key.Step;

    /// <summary>An entry in the words of a story; null for what is not told.</summary>
    private string? Word(JournalEntry entry)
    {
        // A request about a list has the list's number there.
        var workflow = entry.Workflow == 0 || entry.Kind == EntryKind.CommandReceived ? string.Empty : _workflows[entry.Workflow - 1].Id;
        return entry.Kind switch
        {
            EntryKind.PropertyChanged => CaseWords.Wrote(PropertyName(entry.Subject), entry.Value.IsUnknown ? null : Plain(entry.Value)),
            EntryKind.PropertyLate => CaseWords.Late(PropertyName(entry.Subject)),
            EntryKind.ListJoined or EntryKind.ListLeft => CaseWords.List(_lists[entry.Subject - 1].Id, entry.Kind == EntryKind.ListJoined),
            EntryKind.Enrolled => CaseWords.Enrolled(workflow, entry.Enrollment),
            EntryKind.EnrollmentRefused => CaseWords.Refused(workflow, entry.Decision),
            EntryKind.StepEntered => Entered(entry),
            EntryKind.StepFinished => CaseWords.Left(workflow, entry.Enrollment, StepName(entry.Workflow, entry.Step), HowLeft(entry)),
            EntryKind.StepHeld => CaseWords.Held(workflow, entry.Enrollment, StepName(entry.Workflow, entry.Step)),
            EntryKind.GoalMet when entry.Flag => CaseWords.Goal(workflow, entry.Text!),
            EntryKind.EnrollmentEnded => CaseWords.Ended(workflow, entry.Enrollment, entry.EndReason),
            _ => null,
        };
    }

    private string PropertyName(int number) => _schema.FindObjectType(CaseSchema.ObjectType)!.Properties.First(p => p.Number == number).Name;

    /// <summary>Notes what kind of step was entered: a publish may give it another kind before it is left.</summary>
    private string Entered(in JournalEntry entry)
    {
        var name = StepName(entry.Workflow, entry.Step);
        _entered[(entry.Enrollment, entry.Step)] = _workflows[entry.Workflow - 1].Versions[entry.Version - 1].Steps.First(s => s.Id == name);
        return CaseWords.Entered(_workflows[entry.Workflow - 1].Id, entry.Enrollment, name);
    }

    private string HowLeft(in JournalEntry entry)
    {
        var step = _entered[(entry.Enrollment, entry.Step)];
        return step switch
        {
            WaitStepDefinition => entry.Text == "met" ? "met=true" : "met=false",
            BranchStepDefinition or ValueBranchStepDefinition or SplitStepDefinition => entry.Subject > 0 ? entry.Text! : "default",
            _ => entry.Result.ToString(),
        };
    }
}

/// <summary>The case makes no sense: a definition is refused. It says nothing about the rules.</summary>
internal sealed class InvalidCaseException(string message) : Exception(message)
{
    public static void ThrowIfAny(IEnumerable<WorkflowProblem> problems)
    {
        var found = problems.Select(p => $"{p.Path} {p.Code} {p.Message}").ToList();
        if (found.Count > 0)
        {
            throw new InvalidCaseException(string.Join('\n', found));
        }
    }
}
