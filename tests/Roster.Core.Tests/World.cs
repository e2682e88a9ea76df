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
    private readonly Dictionary<int, byte[]> _sections = [];
    private readonly RecordState _state = new();
    private readonly Turn _turn = new();
    private readonly PackedWriter _writer = new();
    private byte[]? _head;
    private ulong _turnId;
    private int _ids;

    public World(TenantSettings? settings = null)
    {
        Schema = TenantSchema.New(settings ?? TenantSettings.Default);
        foreach (var (name, type) in Properties)
        {
            Schema = Schema.WithProperty(Schema.FindObjectType("contact")!, name, type, type == PropertyType.Enumeration ? ["a", "b", "c", "d"] : []);
        }

        foreach (var type in new[] { "clicked", "bought", "form_submitted" })
        {
            Schema = Schema.WithEventType(type);
        }

        Catalog = Build();
    }

    public static IReadOnlyList<(string Name, PropertyType Type)> Properties { get; } =
    [
        ("stage", PropertyType.String), ("name", PropertyType.String), ("score", PropertyType.Number), ("flag", PropertyType.Bool),
        ("tags", PropertyType.Enumeration), ("day", PropertyType.Date), ("at", PropertyType.DateTime), ("other", PropertyType.String),
    ];

    public TenantSchema Schema { get; set; }

    public TenantCatalog Catalog { get; private set; }

    public Timestamp Now { get; set; } = Start;

    public List<(Timestamp At, ulong Id, JournalEntry[] Entries)> Journal { get; } = [];

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

    public CompiledWorkflow Compiled(string id) => Catalog.Workflows.Single(w => w.Identity.Id == id);

    public int Number(string id) => Compiled(id).Number;

    public int Step(string workflow, string step) => _stepNumbers[(workflow, step)];

    public int Property(string name) => Schema.FindObjectType("contact")!.Find(name)!.Number;

    public PropertyWrite Write(string name, string value)
    {
        var property = Schema.FindObjectType("contact")!.Find(name)!;
        Assert.True(Value.TryParse(value, property.Type, out var parsed));
        return new PropertyWrite(property, parsed);
    }

    public TurnResult Event(string type, Timestamp occurredAt, string id, bool baseline, NamedValue[] properties, params (string Name, string Value)[] writes) =>
        Run(new EventInput(
            id, type.Length == 0 ? 1 : Schema.FindEventType(type), occurredAt, "test", properties, [.. writes.Select(w => Write(w.Name, w.Value))], baseline));

    public TurnResult Event(string type, params (string Name, string Value)[] writes) => Event(type, Timestamp.None, $"e{++_ids}", false, [], writes);

    public TurnResult Set(string name, string value) => Event(string.Empty, (name, value));

    public TurnResult Enroll(string workflow, string? id = null) => Run(new CommandInput(CommandKind.Enroll, Number(workflow), id ?? $"c{++_ids}", "me"));

    public TurnResult Unenroll(string workflow, string? id = null) => Run(new CommandInput(CommandKind.Unenroll, Number(workflow), id ?? $"c{++_ids}", "me"));

    public TurnResult Complete(string workflow, string step, StepResult result = StepResult.Success, int enrollment = 1, int execution = 1, string code = "") =>
        Run(new CompletionInput(enrollment, Step(workflow, step), execution, result, code, string.Empty, []));

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

    /// <summary>Due timers, then the input (ENG-04).</summary>
    public TurnResult Run(TurnInput input)
    {
        while (_head is not null && State.NextDueAt is var due && !due.IsNone && due <= Now)
        {
            RunOne(TimerInput.Instance);
        }

        return RunOne(input);
    }

    public TurnResult RunOne(TurnInput input)
    {
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
        }

        return result;
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
        state.Reset(new RecordKey(1, 1, "ada"), 7);
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

    public string Text(string property) => State.TryGetProperty(Property(property), isBefore: false, out var view) ? view.Value.ToString() : string.Empty;

    public IEnumerable<JournalEntry> Entries(EntryKind kind) => Journal.SelectMany(t => t.Entries).Where(e => e.Kind == kind);

    public IEnumerable<string> Decisions(string workflow) => Journal.SelectMany(t => t.Entries)
        .Where(e => e.Workflow == Number(workflow) && e.Kind is EntryKind.Enrolled or EntryKind.EnrollmentRefused)
        .Where(e => e.Workflow == Number(workflow))
        .Select(e => e.Decision.ToString());

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
            _state.Reset(new RecordKey(1, 1, "ada"), 7);
            return;
        }

        _state.Load(_head);
        foreach (var section in withSections ? _state.Sections.ToList() : [])
        {
            _state.AddSection(section.Index, _sections[section.Index]);
        }
    }

    private TenantCatalog Build() => new(1, "acme", 1, Schema, _workflows.Select((w, i) => Compile(w.Definition, i + 1, w.Version, w.State)));

    private CompiledWorkflow Compile(WorkflowDefinition definition, int number, int version, WorkflowState state)
    {
        var identity = new WorkflowIdentity(definition.Id, number, version, state, new Timestamp(number));
        var compiled = WorkflowCompiler.Compile(definition, identity, Schema, id => StepNumber(definition.Id, id), out var problems);
        Assert.True(compiled is not null, string.Join('\n', problems.Select(p => $"{p.Path} {p.Code} {p.Message}")));
        return compiled;
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
