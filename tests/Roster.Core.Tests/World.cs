using System.Collections.Frozen;
using System.Collections.Immutable;
using Roster.Core.Catalog;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests;

/// <summary>
/// A host of one record without threads or a store: it packs and loads the state between turns, keeps sections apart, runs due timers
/// before inputs, and keeps the journal.
/// </summary>
internal sealed class World
{
    public static readonly Timestamp Start = Timestamp.FromInstant(NodaTime.Instant.FromUtc(2026, 1, 5, 12, 0));

    private readonly List<(WorkflowDefinition Definition, WorkflowState State, int Version)> _workflows = [];
    private readonly Dictionary<(string Workflow, string Step), int> _stepNumbers = [];
    private readonly Dictionary<(string Workflow, string Goal), int> _goalNumbers = [];
    private readonly List<(string Id, CriteriaDefinition? Criteria)> _lists = [];
    private readonly Dictionary<(string Workflow, int Version), WorkflowDefinition> _versions = [];
    private readonly Dictionary<int, byte[]> _sections = [];
    private RecordState _state = new();
    private Turn _turn = new();
    private readonly PackedWriter _writer = new();
    private readonly RecordState _folded = new();
    private readonly Dictionary<string, Func<CompiledSettings, CompiledSettings>> _changes = [];
    private readonly string _objectType;
    private byte[]? _head;
    private ulong _turnId;
    private int _ids;

    public World(TenantSettings? settings = null, string objectType = "contact")
    {
        _objectType = objectType;
        Schema = TenantSchema.New(settings ?? TenantSettings.Default);
        foreach (var (name, type) in Properties)
        {
            Schema = Schema.WithProperty(Type, name, type, type == PropertyType.Enumeration ? ["a", "b", "c", "d"] : []);
        }

        foreach (var type in new[]
            {
                "clicked", "bought", "form_submitted", StandardEventTypes.ListJoined, StandardEventTypes.ListLeft, StandardEventTypes.RecordCreated,
                StandardEventTypes.WorkflowEnrolled, StandardEventTypes.WorkflowUnenrolled, StandardEventTypes.WorkflowCompleted, StandardEventTypes.WorkflowGoal,
            })
        {
            Schema = Schema.WithEventType(type);
        }

        _folded.Reset(Key, 7);
        Catalog = Build();
    }

    private RecordKey Key => new(1, Type.Number, "ada");

    private ObjectTypeDefinition Type => Schema.FindObjectType(_objectType)!;

    public static IReadOnlyList<(string Name, PropertyType Type)> Properties { get; } =
    [
        ("stage", PropertyType.String), ("name", PropertyType.String), ("score", PropertyType.Number), ("flag", PropertyType.Bool),
        ("tags", PropertyType.Enumeration), ("day", PropertyType.Date), ("at", PropertyType.DateTime), ("other", PropertyType.String),
        ("owner", PropertyType.String), ("zone", PropertyType.String),
    ];

    public TenantSchema Schema { get; set; }

    public TenantCatalog Catalog { get; private set; }

    public Timestamp Now { get; set; } = Start;

    public List<(Timestamp At, ulong Id, JournalEntry[] Entries)> Journal { get; } = [];

    /// <summary>Whether every turn is decided by a new object on a new state, so that nothing of an earlier turn can be left behind.</summary>
    public bool IsForgetful { get; init; }

    public JournalEntry[] Last => Journal[^1].Entries;

    public int NeededSections { get; private set; }

    /// <summary>The state as a reader has it.</summary>
    public RecordState State
    {
        get
        {
            Load(withSections: true);
            return _state;
        }
    }

    public byte[] Head => _head ?? [];

    public World Publish(WorkflowDefinition definition, WorkflowState state = WorkflowState.On)
    {
        var index = _workflows.FindIndex(w => w.Definition.Id == definition.Id);
        if (index < 0)
        {
            _workflows.Add((definition, state, 1));
        }
        else
        {
            _workflows[index] = (definition, state, _workflows[index].Version + 1);
        }

        _versions[(definition.Id, _workflows.Single(w => w.Definition.Id == definition.Id).Version)] = definition;
        Catalog = Build();
        return this;
    }

    /// <summary>Publishes workflows that refer to each other, in the order of their creation.</summary>
    public World Together(params WorkflowDefinition[] definitions)
    {
        _workflows.AddRange(definitions.Select(d => (d, WorkflowState.On, 1)));
        foreach (var definition in definitions)
        {
            _versions[(definition.Id, 1)] = definition;
        }

        Catalog = Build();
        return this;
    }

    public World Switch(string id, WorkflowState state)
    {
        var index = _workflows.FindIndex(w => w.Definition.Id == id);
        _workflows[index] = (_workflows[index].Definition, state, _workflows[index].Version);
        Catalog = Build();
        return this;
    }

    /// <summary>Declares a list; active when it has criteria.</summary>
    public World List(string id, CriteriaDefinition? criteria = null)
    {
        var index = _lists.FindIndex(l => l.Id == id);
        if (index < 0)
        {
            _lists.Add((id, criteria));
        }
        else
        {
            _lists[index] = (id, criteria);
        }

        Catalog = Build();
        return this;
    }

    /// <summary>Changes what a definition was compiled to: for criteria that no definition can ask for.</summary>
    public World Change(string id, Func<CompiledSettings, CompiledSettings> change)
    {
        _changes[id] = change;
        Catalog = Build();
        return this;
    }

    /// <summary>Drops a workflow, or a list, from the catalog.</summary>
    public World Drop(string id)
    {
        // Numbers are places in the list, so the place stays.
        _dropped.Add(id);
        Catalog = Build();
        return this;
    }

    private readonly HashSet<string> _dropped = [];

    /// <summary>Gives the tenant other settings.</summary>
    public World With(TenantSettings settings)
    {
        Schema = Schema.WithSettings(settings);
        Catalog = Build();
        return this;
    }

    /// <summary>Makes an event type known.</summary>
    public World Knows(string eventType)
    {
        Schema = Schema.WithEventType(eventType);
        Catalog = Build();
        return this;
    }

    /// <summary>Declares a property.</summary>
    public World Declare(string name, PropertyType type)
    {
        Schema = Schema.WithProperty(Type, name, type, []);
        Catalog = Build();
        return this;
    }

    public int ListNumber(string id) => _lists.FindIndex(l => l.Id == id) + 1;

    public bool IsMember(string list) => State.IsMember(ListNumber(list));

    public TurnResult AddToList(string list) => Run(new CommandInput(CommandKind.AddToList, ListNumber(list), $"c{++_ids}", "me"));

    public TurnResult RemoveFromList(string list) => Run(new CommandInput(CommandKind.RemoveFromList, ListNumber(list), $"c{++_ids}", "me"));

    public TurnResult Delete() => Run(new CommandInput(CommandKind.Delete, 0, $"c{++_ids}", "me"));

    public TurnResult Restore() => Run(new CommandInput(CommandKind.Restore, 0, $"c{++_ids}", "me"));

    public TurnResult Merge(string survivor) => Run(new CommandInput(CommandKind.Merge, 0, $"c{++_ids}", "me") { OtherId = survivor });

    public TurnResult Erase(string? id = null) => Run(new CommandInput(CommandKind.Erase, 0, id ?? $"c{++_ids}", "me"));

    public TurnResult FinishErasure() => Run(FinishErasureInput.Instance);

    public TurnResult Refresh(string workflow, Timestamp armsSince = default, bool movesPinned = false) =>
        Run(new RefreshInput(workflow.Length == 0 ? 0 : Number(workflow), 0, armsSince, movesPinned));

    public TurnResult RefreshList(string list) => Run(new RefreshInput(0, ListNumber(list), Timestamp.None, movesPinned: false));

    public CompiledWorkflow Compiled(string id) => Catalog.Workflows.Single(w => w.Identity.Id == id);

    public WorkflowDefinition Definition(string id) => _workflows.Single(w => w.Definition.Id == id).Definition;

    public int Number(string id) => Compiled(id).Number;

    public int Step(string workflow, string step) => _stepNumbers[(workflow, step)];

    public int Property(string name) => Type.Find(name)!.Number;

    public PropertyWrite Write(string name, string value)
    {
        var property = Type.Find(name)!;
        Assert.True(Value.TryParse(value, property.Type, out var parsed));
        return new PropertyWrite(property, parsed);
    }

    public TurnResult Event(string type, Timestamp occurredAt, string id, bool baseline, NamedValue[] properties, params (string Name, string Value)[] writes) =>
        Run(new EventInput(
            id, type.Length == 0 ? 1 : Schema.FindEventType(type), occurredAt, "test", properties, [.. writes.Select(w => Write(w.Name, w.Value))], baseline));

    public TurnResult Event(string type, params (string Name, string Value)[] writes) => Event(type, Timestamp.None, $"e{++_ids}", false, [], writes);

    public TurnResult Set(string name, string value) => Event(string.Empty, (name, value));

    public TurnResult Enroll(string workflow, string? id = null, TriggerKind trigger = TriggerKind.Manual, string caller = "me") =>
        Run(new CommandInput(CommandKind.Enroll, Number(workflow), id ?? $"c{++_ids}", caller, trigger));

    public TurnResult Unenroll(string workflow, string? id = null) => Run(new CommandInput(CommandKind.Unenroll, Number(workflow), id ?? $"c{++_ids}", "me"));

    public TurnResult Complete(
        string workflow, string step, StepResult result = StepResult.Success, int enrollment = 1, int execution = 1, string code = "", NamedValue[]? outputs = null) =>
        Run(new CompletionInput(enrollment, Step(workflow, step), execution, result, code, string.Empty, outputs ?? []));

    /// <summary>Moves the clock; due timers fire at their own instants.</summary>
    public World Pass(TimeSpan time)
    {
        var end = Now.PlusMs((long)time.TotalMilliseconds);
        while (State.NextDueAt is var due && !due.IsNone && due <= end)
        {
            Now = due > Now ? due : Now;
            Assert.Equal(TurnStatus.Applied, RunOne(TimerInput.Instance).Status);
        }

        Now = end;
        return this;
    }

    /// <summary>Moves the clock while the engine is down, then runs what is due, all at the time of the restart.</summary>
    public World Down(TimeSpan time)
    {
        Now = Now.PlusMs((long)time.TotalMilliseconds);
        RunDue();
        return this;
    }

    /// <summary>Due timers, then the input (ENG-04).</summary>
    public TurnResult Run(TurnInput input)
    {
        RunDue();
        return RunOne(input);
    }

    private void RunDue()
    {
        for (var count = 0; _head is not null && State.NextDueAt is var due && !due.IsNone && due <= Now; count++)
        {
            Assert.True(count < 1_000, $"The timer of {due} is due again and again.");
            Assert.Equal(TurnStatus.Applied, RunOne(TimerInput.Instance).Status);
        }
    }

    public TurnResult RunOne(TurnInput input)
    {
        if (IsForgetful)
        {
            (_turn, _state) = (new Turn(), new RecordState());
        }

        Load(withSections: false);
        var turnId = ++_turnId;
        var result = _turn.Decide(_state, input, Catalog, Now, turnId);
        if (result.Status == TurnStatus.NeedsSections)
        {
            NeededSections++;
            Load(withSections: true);
            result = _turn.Decide(_state, input, Catalog, Now, turnId);
            Assert.NotEqual(TurnStatus.NeedsSections, result.Status);
        }

        if (result.Status == TurnStatus.Applied)
        {
            Journal.Add((_state.LastTurnAt, turnId, _turn.Entries.ToArray()));
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

            CheckTurn();
        }

        return result;
    }

    /// <summary>What holds after every turn: the fold of the journal is the state, and every enrollment waits for something.</summary>
    private void CheckTurn()
    {
        var (at, id, entries) = Journal[^1];
        _folded.BeginTurn(at, id);
        foreach (var entry in entries)
        {
            _folded.Apply(entry);
        }

        _folded.EndTurn();
        Assert.Equal(_head, Pack(_folded));
        foreach (var enrollment in State.Enrollments)
        {
            Assert.NotEqual(StepPhase.Ready, enrollment.Phase);
            Assert.True(enrollment.Phase is not StepPhase.Effect || (_state.FindEffect(enrollment.Number, enrollment.Step, enrollment.Execution) >= 0 && enrollment.DueAt.IsNone));
            Assert.True(enrollment.Phase is not (StepPhase.Delay or StepPhase.Window or StepPhase.Anchor) || !enrollment.DueAt.IsNone);
        }
    }

    public byte[] Pack(RecordState state)
    {
        _writer.Clear();
        state.Pack(_writer);
        return _writer.Written.ToArray();
    }

    /// <summary>The state that the journal gives, folded from nothing.</summary>
    public byte[] Replay()
    {
        var state = new RecordState();
        state.Reset(Key, 7);
        foreach (var (at, id, entries) in Journal)
        {
            state.BeginTurn(at, id);
            foreach (var entry in entries)
            {
                state.Apply(entry);
            }

            state.EndTurn();
        }

        return Pack(state);
    }

    /// <summary>The state that is left of the journal when all ids, texts and values are taken out of it (REC-17).</summary>
    public byte[] ReplayEmptied()
    {
        var state = new RecordState();
        state.Reset(new RecordKey(1, Type.Number, string.Empty), 7);
        foreach (var (at, id, entries) in Journal)
        {
            state.BeginTurn(at, id);
            foreach (var entry in entries)
            {
                state.Apply(entry with { Text = null, Source = null, Value = Value.Unknown, Fields = null, IdHash = default, ContentHash = 0 });
            }

            state.EndTurn();
            var due = state.NextDueAt;
            Assert.True(due.IsNone || due >= at || state.IsLive);
        }

        return Pack(state);
    }

    public string Text(string property) => State.TryGetProperty(Property(property), isBefore: false, out var view) ? view.Value.ToString() : string.Empty;

    public IEnumerable<JournalEntry> Entries(EntryKind kind) => Journal.SelectMany(t => t.Entries).Where(e => e.Kind == kind);

    public IEnumerable<string> Decisions(string workflow) => Journal.SelectMany(t => t.Entries)
        .Where(e => e.Workflow == Number(workflow) && e.Kind is EntryKind.Enrolled or EntryKind.EnrollmentRefused)
        .Where(e => e.Workflow == Number(workflow))
        .Select(e => e.Decision.ToString());

    /// <summary>What became of each step: <c>a Success</c>, <c>b Failed INVALID_VALUE</c>, <c>c Success yes</c>.</summary>
    public IEnumerable<string> Results(string workflow) => Entries(EntryKind.StepFinished).Where(e => e.Workflow == Number(workflow))
        .Select(e => $"{StepId(workflow, e.Step)} {e.Result} {e.Text}{e.Source}".TrimEnd());

    private string StepId(string workflow, int step) => _stepNumbers.Where(s => s.Key.Workflow == workflow && s.Value == step).Select(s => s.Key.Step).FirstOrDefault("-");

    public IEnumerable<string> Ends(string workflow) => Entries(EntryKind.EnrollmentEnded).Where(e => e.Workflow == Number(workflow)).Select(e => e.EndReason.ToString());

    /// <summary>The journal in words: what a person would compare.</summary>
    public string Story(int turn = -1)
    {
        var entries = turn < 0 ? Journal.SelectMany(t => t.Entries) : Journal[turn].Entries;
        return string.Join(' ', entries.Select(Word).Where(w => w.Length > 0));
    }

    private string Word(JournalEntry entry)
    {
        var workflow = Catalog.FindWorkflow(entry.Workflow)?.Identity.Id ?? "?";
        var step = _stepNumbers.Where(s => s.Key.Workflow == workflow && s.Value == entry.Step).Select(s => s.Key.Step).FirstOrDefault("-");
        return entry.Kind switch
        {
            EntryKind.Enrolled => $"enroll:{workflow}",
            EntryKind.EnrollmentRefused => $"refuse:{workflow}:{entry.Decision}",
            EntryKind.StepEntered => $"{workflow}.{step}",
            EntryKind.EnrollmentEnded => $"end:{workflow}:{entry.EndReason}",
            EntryKind.LoopGuard => "loop-guard",
            _ => string.Empty,
        };
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

    private TenantCatalog Build()
    {
        var live = _workflows.Select((w, i) => (w.Definition, Number: i + 1, w.Version, w.State)).Where(w => !_dropped.Contains(w.Definition.Id)).ToList();
        var newest = live.Select(w => Compile(w.Definition, w.Number, w.Version, w.State));
        // As hosts do: older versions are kept for those who are pinned to them.
        var older = live.Where(w => w.Definition.PublishPolicy == PublishPolicy.Pinned).SelectMany(w => Enumerable.Range(1, w.Version - 1).Select(v => Compile(_versions[(w.Definition.Id, v)], w.Number, v, w.State)));
        return new TenantCatalog(1, "acme", 1, Schema, newest, CompileLists(), older);
    }

    /// <summary>What definitions of this world may refer to.</summary>
    public DefinitionScope Scope => new(
        Schema,
        _lists.Where(l => !_dropped.Contains(l.Id)).Select(l => new ListInfo(l.Id, ListNumber(l.Id), Type.Number, l.Criteria is not null)),
        _workflows.Select((w, i) => new WorkflowInfo(w.Definition.Id, i + 1, Schema.FindObjectType(w.Definition.ObjectType)!.Number, [.. _goalNumbers.Where(g => g.Key.Workflow == w.Definition.Id).OrderBy(g => g.Value).Select(g => g.Key.Goal)], [])),
        ["crm"]);

    private IEnumerable<CompiledList> CompileLists()
    {
        foreach (var (id, criteria) in _lists.Where(l => !_dropped.Contains(l.Id)))
        {
            var problems = new List<WorkflowProblem>();
            var compiled = criteria is null ? null : new CriteriaCompiler(Scope, Type, NodaTime.DateTimeZone.Utc, problems.Add).Compile(criteria, "criteria");
            Assert.Empty(problems);
            yield return new CompiledList(Scope.FindList(id)!, compiled);
        }
    }

    private CompiledWorkflow Compile(WorkflowDefinition definition, int number, int version, WorkflowState state)
    {
        var identity = new WorkflowIdentity(definition.Id, number, version, state, new Timestamp(number));
        var compiled = WorkflowCompiler.Compile(definition, identity, Scope, id => StepNumber(definition.Id, id), id => GoalNumber(definition.Id, id), out var problems);
        Assert.True(compiled is not null, string.Join('\n', problems.Select(p => $"{p.Path} {p.Code} {p.Message}")));
        if (_changes.TryGetValue(definition.Id, out var change))
        {
            var steps = compiled.Steps.Select(s => compiled.Find(s.Number)!).ToArray();
            compiled = new CompiledWorkflow(identity, compiled.ObjectType, compiled.Zone, change(compiled.Settings), steps, compiled.FirstStep, compiled.HasLoops);
        }

        compiled.SetFormer(Former(definition));
        return compiled;
    }

    private FormerSteps Former(WorkflowDefinition newest) => FormerSteps.Of(
        [.. _versions.Where(v => v.Key.Workflow == newest.Id).OrderBy(v => v.Key.Version).Select(v => v.Value)], newest, id => StepNumber(newest.Id, id));

    private int GoalNumber(string workflow, string goal)
    {
        if (!_goalNumbers.TryGetValue((workflow, goal), out var number))
        {
            number = _goalNumbers.Keys.Count(k => k.Workflow == workflow) + 1;
            _goalNumbers[(workflow, goal)] = number;
        }

        return number;
    }

    private int StepNumber(string workflow, string step)
    {
        if (!_stepNumbers.TryGetValue((workflow, step), out var number))
        {
            number = _stepNumbers.Keys.Count(k => k.Workflow == workflow) + 1;
            _stepNumbers[(workflow, step)] = number;
        }

        return number;
    }
}
