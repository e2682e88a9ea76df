using System.Globalization;
using Roster.Core.Catalog;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Sequences;

/// <summary>
/// A host of contacts, companies and inboxes without threads or a store: messages arrive at once, due timers run before inputs, and after each
/// turn the fold of the journal is compared with the state.
/// </summary>
internal sealed class SequenceWorld
{
    /// <summary>A Monday, 12:00 UTC.</summary>
    public static readonly Timestamp Start = Timestamp.FromInstant(NodaTime.Instant.FromUtc(2026, 1, 5, 12, 0));

    public const string Owner = "olga";

    private readonly List<(string Id, List<WorkflowDefinition> Versions)> _definitions = [];
    private readonly Dictionary<(string Workflow, string Step), int> _stepNumbers = [];
    private readonly Dictionary<string, InboxInfo> _inboxes = [];
    private readonly HashSet<string> _dropped = [];
    private readonly Dictionary<(int Type, string Id), Actor> _actors = [];
    private readonly Queue<(Actor From, int Sequence, RecordMessage Message)> _onTheirWay = new();
    private ulong _turnId;
    private int _ids;

    public SequenceWorld(TenantSettings? settings = null)
    {
        Schema = TenantSchema.New(settings ?? TenantSettings.Default).WithObjectType(SequenceLowering.InboxType);
        foreach (var name in new[] { "email", "name", "zone", Consents.PropertyOf("one_to_one") })
        {
            Schema = Schema.WithProperty(Schema.FindObjectType("contact")!, name, PropertyType.String, []);
        }

        foreach (var (name, type) in new[] { ("title", PropertyType.String), ("body", PropertyType.String), ("due_at", PropertyType.DateTime), ("task_type", PropertyType.String), ("owner", PropertyType.String) })
        {
            Schema = Schema.WithProperty(Schema.FindObjectType("task")!, name, type, []);
        }

        foreach (var type in StandardEventTypes.OfSequences.Concat(
            [StandardEventTypes.TaskCompleted, StandardEventTypes.SequenceEnrolled, StandardEventTypes.SequenceFinished, StandardEventTypes.SequenceUnenrolled, StandardEventTypes.SequenceMeeting, "bought"]))
        {
            Schema = Schema.WithEventType(type);
        }

        Catalog = Build();
        Inbox();
    }

    public TenantSchema Schema { get; private set; }

    public TenantCatalog Catalog { get; private set; }

    public Timestamp Now { get; set; } = Start;

    public List<WorkflowProblem> Problems { get; } = [];

    /// <summary>Done once, after an inbox was asked for an enrollment and before its answer arrives.</summary>
    public Action? AfterSlotRequest { get; set; }

    /// <summary>What a turn of a contact wrote, in order.</summary>
    public List<(string Contact, Timestamp At, JournalEntry Entry)> Journal { get; } = [];

    public SequenceWorld Inbox(string user = Owner, InboxLimits? limits = null, bool isConnected = true, string zone = "UTC")
    {
        _inboxes[user] = new InboxInfo(user, $"{user}@example.org", isConnected, TimeZones.Find(zone)!, limits ?? InboxLimits.Default);
        Catalog = Build();
        return this;
    }

    public SequenceWorld RemoveInbox(string user = Owner)
    {
        _inboxes.Remove(user);
        Catalog = Build();
        return this;
    }

    public SequenceWorld Save(SequenceDefinition sequence) => Save(SequenceLowering.ToWorkflow(sequence));

    public SequenceWorld Save(WorkflowDefinition definition)
    {
        var index = _definitions.FindIndex(d => d.Id == definition.Id);
        if (index < 0)
        {
            _definitions.Add((definition.Id, [definition]));
        }
        else
        {
            _definitions[index].Versions.Add(definition);
        }

        Catalog = Build();
        return this;
    }

    /// <summary>A sequence with id <c>s</c> of the owner.</summary>
    public SequenceWorld Steps(params SequenceStepDefinition[] steps) => Save(Sequence(steps));

    public static SequenceDefinition Sequence(params SequenceStepDefinition[] steps) => new("s", Owner, steps);

    public static SequenceStepDefinition Email(string id, double days = 0, bool sameThread = false, params string[] subjects) =>
        new SequenceEmailDefinition(
            id, subjects.Length == 0 ? [new EmailVariantDefinition(string.Empty, $"About {id}", "Dear {{name|friend}}", string.Empty)] : [.. subjects.Select(s => new EmailVariantDefinition(s, s, "b", string.Empty))], sameThread, string.Empty)
        {
            Delay = After(days),
        };

    public static SequenceStepDefinition Task(string id, double days = 0, bool wait = false, SequenceTaskKind kind = SequenceTaskKind.Call) =>
        new SequenceTaskDefinition(id, kind, "Call {{name}}", string.Empty, wait) { Delay = After(days) };

    public static SequenceDelayDefinition After(double days) => new((long)(days * 86_400_000), (long)(days * 86_400_000));

    /// <summary>Drops a definition from the catalog, as a deletion does.</summary>
    public SequenceWorld Drop(string id)
    {
        _dropped.Add(id);
        Catalog = Build();
        return this;
    }

    public int Number(string id) => _definitions.FindIndex(d => d.Id == id) + 1;

    public int Step(string step, string sequence = "s") => _stepNumbers[(sequence, step)];

    /// <summary>A contact that has an address.</summary>
    public SequenceWorld Contact(string id, params (string Name, string Value)[] writes)
    {
        Event(id, string.Empty, [], [("email", $"{id}@example.com"), ("name", id), .. writes]);
        return this;
    }

    public void Link(string contact, string company) => Run(ActorOf("contact", contact), new EventInput($"e{++_ids}", 1, Timestamp.None, "test", [], [], isBaseline: false)
    {
        Associations = [new AssociationWrite(Schema.FindObjectType("company")!.Number, company, 0, Removes: false)],
    });

    public TurnResult Event(string contact, string type, NamedValue[] properties, params (string Name, string Value)[] writes) =>
        EventOf("contact", contact, type, properties, Timestamp.None, writes);

    public TurnResult EventOf(string objectType, string id, string type, NamedValue[] properties, Timestamp occurredAt, params (string Name, string Value)[] writes)
    {
        var definition = Schema.FindObjectType(objectType)!;
        return Run(ActorOf(objectType, id), new EventInput(
            $"e{++_ids}", type.Length == 0 ? 1 : Schema.FindEventType(type), occurredAt, "test", properties,
            [.. writes.Select(w => new PropertyWrite(definition.Find(w.Name)!, Value.OfText(w.Value)))], isBaseline: false));
    }

    /// <summary>An event about the e-mail that a step sent.</summary>
    public TurnResult About(string contact, string type, string step, int enrollment = 1, params NamedValue[] more) => Event(contact, type, [Key(contact, step, enrollment), .. more]);

    public NamedValue Key(string contact, string step, int enrollment = 1) =>
        new("task_key", Value.OfText(string.Create(CultureInfo.InvariantCulture, $"acme/{ActorOf("contact", contact).Number}/{enrollment}/{step}/1")));

    public static NamedValue Text(string name, string value) => new(name, Value.OfText(value));

    public static NamedValue Yes(string name) => new(name, Value.OfBool(true));

    /// <summary>Enrolls, and returns the decision when the inbox has answered.</summary>
    public Decision Enroll(string contact, string sequence = "s", SequenceFacts? facts = null, string? requestId = null)
    {
        var from = Journal.Count;
        Run(ActorOf("contact", contact), new CommandInput(CommandKind.Enroll, Number(sequence), requestId ?? $"c{++_ids}", Owner) { Facts = facts ?? new SequenceFacts(Owner) });
        return Journal.Skip(from).Where(e => e.Contact == contact && e.Entry.Kind is EntryKind.Enrolled or EntryKind.EnrollmentRefused).Select(e => e.Entry.Decision).LastOrDefault();
    }

    /// <summary>Enrolls a record of another type, and returns the decision.</summary>
    public Decision EnrollOther(string objectType, string id) =>
        Run(ActorOf(objectType, id), new CommandInput(CommandKind.Enroll, Number("s"), $"c{++_ids}", Owner) { Facts = new SequenceFacts(Owner) }).Decision;

    public TurnResult Command(string contact, CommandKind kind, string sequence = "s", string step = "", string other = "", params NamedValue[] content) =>
        Run(ActorOf("contact", contact), new CommandInput(kind, kind is CommandKind.Merge or CommandKind.Delete or CommandKind.Erase ? 0 : Number(sequence), $"c{++_ids}", "me")
        {
            Step = step.Length == 0 ? 0 : Step(step, sequence),
            OtherId = other,
            Content = content,
        });

    /// <summary>Whoever sends e-mails has sent one.</summary>
    public TurnResult Complete(string contact, string step, StepResult result = StepResult.Success, int enrollment = 1, string sequence = "s", params NamedValue[] outputs) =>
        Run(ActorOf("contact", contact), new CompletionInput(enrollment, Step(step, sequence), 1, result, result == StepResult.Failed ? "WORKER" : string.Empty, string.Empty, outputs));

    public TurnResult Refresh(string contact, string sequence = "s") => Run(ActorOf("contact", contact), new RefreshInput(Number(sequence), 0, Timestamp.None, movesPinned: false));

    public RecordState State(string id, string objectType = "contact") => Load(ActorOf(objectType, id), withSections: true);

    public RecordState InboxState(string user = Owner) => State(user, SequenceLowering.InboxType);

    /// <summary>Why the latest enrollment ended; none when it is active.</summary>
    public EndReason End(string contact, string sequence = "s") =>
        State(contact).FindActive(Number(sequence)) >= 0 ? EndReason.None : State(contact).TryGetSummary(Number(sequence), out var summary) ? summary.LastEnd : EndReason.None;

    public EnrollmentState Active(string contact, string sequence = "s")
    {
        var state = State(contact);
        return state.Enrollments[state.FindActive(Number(sequence))];
    }

    /// <summary>The e-mails that were asked for, with their fields.</summary>
    public IEnumerable<JournalEntry> Sent(string contact) => Journal.Where(e => e.Contact == contact && e.Entry.Kind == EntryKind.EffectRequested).Select(e => e.Entry);

    /// <summary>When the e-mail of a step was asked for.</summary>
    public Timestamp SentAt(string contact, string step, string sequence = "s") =>
        Journal.Single(e => e.Contact == contact && e.Entry.Kind == EntryKind.EffectRequested && e.Entry.Step == Step(step, sequence)).At;

    public static string Field(in JournalEntry entry, string name) => NamedValues.Find(entry.Fields, name).ToString();

    /// <summary>Tasks linked to a contact, by id.</summary>
    public List<string> TasksOf(string contact) =>
        [.. State(contact).NewestAssociations.Where(a => a.ObjectType == Schema.FindObjectType("task")!.Number).Select(a => a.Id)];

    /// <summary>Moves the clock; due timers fire at their own instants.</summary>
    public SequenceWorld Pass(TimeSpan time) => PassTo(Now.PlusMs((long)time.TotalMilliseconds));

    public SequenceWorld PassTo(Timestamp end)
    {
        while (NextDue() is var (actor, due) && actor is not null && due <= end)
        {
            Now = due > Now ? due : Now;
            RunOne(actor, TimerInput.Instance);
            Settle();
        }

        Now = end;
        return this;
    }

    public SequenceWorld PassDays(double days) => Pass(TimeSpan.FromDays(days));

    private (Actor? Actor, Timestamp Due) NextDue()
    {
        var next = (Actor: (Actor?)null, Due: Timestamp.None);
        foreach (var actor in _actors.Values.Where(a => a.Head.Length > 0))
        {
            var due = Load(actor, withSections: false).NextDueAt;
            next = !due.IsNone && (next.Actor is null || due < next.Due) ? (actor, due) : next;
        }

        return next;
    }

    private TurnResult Run(Actor actor, TurnInput input)
    {
        while (actor.Head.Length > 0 && Load(actor, withSections: false).NextDueAt is { IsNone: false } due && due <= Now)
        {
            RunOne(actor, TimerInput.Instance);
            Settle();
        }

        var result = RunOne(actor, input);
        Settle();
        return result;
    }

    private void Settle()
    {
        for (var count = 0; _onTheirWay.TryDequeue(out var sent); count++)
        {
            Assert.True(count < 10_000, "Messages never come to rest.");
            if (sent.Message.Kind == MessageKind.SlotAnswer && AfterSlotRequest is { } meanwhile)
            {
                AfterSlotRequest = null;
                meanwhile();
            }

            var receiver = ActorOf(Schema.ObjectType(sent.Message.ToType).Name, sent.Message.ToId);
            var result = RunOne(receiver, new MessageInput(sent.Message, sent.From.Number, sent.Sequence));
            if (result.Status == TurnStatus.Refused)
            {
                Assert.Equal(TurnStatus.Applied, RunOne(sent.From, new MessageReturnedInput(sent.Message, sent.Sequence, result.Refusal!.Reason)).Status);
            }
            else
            {
                Assert.Equal(TurnStatus.Applied, result.Status);
            }
        }
    }

    private TurnResult RunOne(Actor actor, TurnInput input)
    {
        var turn = new Turn();
        var turnId = ++_turnId;
        var state = Load(actor, withSections: false);
        var result = turn.Decide(state, input, Catalog, Now, turnId);
        if (result.Status == TurnStatus.NeedsSections)
        {
            state = Load(actor, withSections: true);
            result = turn.Decide(state, input, Catalog, Now, turnId);
        }

        if (result.Status != TurnStatus.Applied)
        {
            return result;
        }

        var entries = turn.Entries.ToArray();
        CheckReplay(actor, state, turnId, entries);
        actor.Head = Pack(state);
        foreach (var write in state.SectionWrites)
        {
            _ = write.Content is null ? actor.Sections.Remove(write.Index) : actor.Sections.TryAdd(write.Index, write.Content);
        }

        var at = state.LastTurnAt;
        Journal.AddRange(entries.Select(e => (actor.Id, at, e)));
        var messages = turn.Messages;
        for (var i = 0; i < messages.Length; i++)
        {
            _onTheirWay.Enqueue((actor, state.LastMessage - messages.Length + i + 1, messages[i]));
        }

        return result;
    }

    /// <summary>ENG-14: what the journal gives is the state.</summary>
    private void CheckReplay(Actor actor, RecordState after, ulong turnId, JournalEntry[] entries)
    {
        var folded = Load(actor, withSections: true);
        folded.BeginTurn(after.LastTurnAt, turnId);
        foreach (var entry in entries)
        {
            folded.Apply(entry);
        }

        folded.EndTurn();
        Assert.Equal(Pack(after), Pack(folded));
        var reloaded = new RecordState();
        reloaded.Load(Pack(after));
        Assert.Equal(Pack(after), Pack(reloaded));
    }

    private Actor ActorOf(string objectType, string id)
    {
        var key = (Type: Schema.FindObjectType(objectType)!.Number, Id: id);
        if (!_actors.TryGetValue(key, out var actor))
        {
            _actors[key] = actor = new Actor(key.Type, id, _actors.Count + 1);
        }

        return actor;
    }

    private static RecordState Load(Actor actor, bool withSections)
    {
        var state = new RecordState();
        state.Reset(new RecordKey(1, actor.Type, actor.Id), actor.Number);
        if (actor.Head.Length > 0)
        {
            state.Load(actor.Head);
        }

        foreach (var (index, content) in withSections ? actor.Sections : [])
        {
            state.AddSection(index, content);
        }

        return state;
    }

    private static byte[] Pack(RecordState state)
    {
        var writer = new PackedWriter();
        state.Pack(writer);
        return writer.Written.ToArray();
    }

    private TenantCatalog Build()
    {
        Problems.Clear();
        var scope = new DefinitionScope(
            Schema, [], _definitions.Select((d, i) => new WorkflowInfo(d.Id, i + 1, Schema.FindObjectType(d.Versions[^1].ObjectType)!.Number, [], [], d.Versions[^1].Sequence is not null)));
        var live = _definitions.Select((d, i) => (d.Versions, Number: i + 1)).Where(d => !_dropped.Contains(d.Versions[0].Id)).ToList();
        return new TenantCatalog(
            1, "acme", 1, Schema,
            live.Select(d => Compile(d.Versions[^1], d.Number, d.Versions.Count, scope)).OfType<CompiledWorkflow>(),
            [],
            live.SelectMany(d => Enumerable.Range(1, d.Versions.Count - 1).Select(v => Compile(d.Versions[v - 1], d.Number, v, scope))).OfType<CompiledWorkflow>(),
            _definitions.Select((d, i) => (d.Versions, Number: i + 1)).Where(d => d.Versions[^1].Sequence is not null).Select(d => d.Number),
            _inboxes.Values);
    }

    private CompiledWorkflow? Compile(WorkflowDefinition definition, int number, int version, DefinitionScope scope)
    {
        var identity = new WorkflowIdentity(definition.Id, number, version, WorkflowState.On, new Timestamp(number));
        var compiled = WorkflowCompiler.Compile(definition, identity, scope, step => StepNumber(definition.Id, step), _ => 1, out var problems);
        Problems.AddRange(problems);
        return compiled;
    }

    private int StepNumber(string workflow, string step)
    {
        if (!_stepNumbers.TryGetValue((workflow, step), out var number))
        {
            _stepNumbers[(workflow, step)] = number = _stepNumbers.Keys.Count(k => k.Workflow == workflow) + 1;
        }

        return number;
    }

    private sealed class Actor(int type, string id, long number)
    {
        public int Type { get; } = type;

        public string Id { get; } = id;

        public long Number { get; } = number;

        public byte[] Head { get; set; } = [];

        public Dictionary<int, byte[]> Sections { get; } = [];
    }
}
