using Google.Protobuf;
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
using Roster.Engine.Turns;
using Roster.Storage.V1;
using NamedValue = Roster.Core.Journal.NamedValue;
using Value = Roster.Core.Values.Value;

namespace Roster.Protocol.Tests.Storage;

/// <summary>
/// What Core and Engine write by hand is what the generated classes of <c>roster.storage.v1</c> read, and they write the same bytes: so
/// the stored form is protobuf, canonical, and any program can read it.
/// </summary>
public sealed class StoredFormTests
{
    private readonly RecordState _state = new();
    private readonly Turn _turn = new();
    private readonly PackedWriter _writer = new();
    private readonly TenantSchema _schema;
    private readonly TenantCatalog _catalog;
    private byte[] _head = [];
    private long _now = 1_770_000_000_000;
    private ulong _turnId;

    public StoredFormTests()
    {
        var schema = TenantSchema.New(TenantSettings.Default with { DedupeIds = 100 });
        foreach (var (name, type) in new[]
        {
            ("stage", PropertyType.String), ("score", PropertyType.Number), ("flag", PropertyType.Bool), ("tags", PropertyType.Enumeration), ("day", PropertyType.Date), ("at", PropertyType.DateTime),
        })
        {
            schema = schema.WithProperty(schema.FindObjectType("contact")!, name, type, ["a", "b"]);
        }

        _schema = schema.WithEventType("clicked");
        var steps = new StepDefinition[]
        {
            new WorkerStepDefinition("t", "d", "mail", [KeyValuePair.Create("template", "x")], ["stage", "score"], false, TimeSpan.FromDays(3)),
            new DelayStepDefinition("d", "b", 1, DelayUnit.Hours),
            new BranchStepDefinition("b", "", [new IfBranchDefinition("again", new CriteriaDefinition([new FilterGroupDefinition([new PropertyFilterDefinition("stage", Operator.IsKnown, [], false, "")])]), "t")], "s"),
            new SetPropertyStepDefinition("s", "", "stage", "x", false),
        };
        var start = new StartDefinition(StartKind.Event, null, true, [new EventTriggerDefinition("clicked", [], null, true)], true, []);
        var goal = new GoalDefinition("g", new CriteriaDefinition([new FilterGroupDefinition([new PropertyFilterDefinition("stage", Operator.IsEqualTo, ["won"], false, "")])]));
        var numbers = new Dictionary<string, int>();
        var compiled = WorkflowCompiler.Compile(
            new WorkflowDefinition("w", "contact", start, [goal], steps, "", ""), new WorkflowIdentity("w", 3, 2, WorkflowState.On, new Timestamp(1)), new DefinitionScope(_schema, [], []),
            id => numbers.TryGetValue(id, out var n) ? n : numbers[id] = numbers.Count + 1, _ => 1, out _);
        var withoutLoop = WorkflowCompiler.Compile(
            new WorkflowDefinition("x", "contact", new StartDefinition(StartKind.Manual, null, true, [], true, []), [], [new SetPropertyStepDefinition("s", "d", "score", "1", false), new DelayStepDefinition("d", "", 5, DelayUnit.Hours)], "", ""),
            new WorkflowIdentity("x", 4, 1, WorkflowState.On, new Timestamp(2)), new DefinitionScope(_schema, [], []), id => id == "s" ? 1 : 2, _ => 1, out _);
        _catalog = new TenantCatalog(5, "acme", 1, _schema, [compiled!, withoutLoop!]);
    }

    [Fact]
    public void What_became_of_emails_and_what_an_inbox_gave_out_parse_and_serialise_to_the_same_bytes()
    {
        var now = new Timestamp(1_770_000_000_000);
        _state.Reset(new RecordKey(5, 1, "olga"), 9);
        _state.BeginTurn(now, 7);
        foreach (var entry in new[]
        {
            JournalEntry.RecordCreated(now),
            JournalEntry.Enrolled(3, 1, 1, TriggerKind.Manual, 1, isFirst: true),
            JournalEntry.EmailEngaged(3, 1, 1, 4, EmailSignal.Sent, EmailScopes.Step | EmailScopes.Workflow, now, Timestamp.None),
            JournalEntry.EmailEngaged(3, 1, 1, 4, EmailSignal.Opened, EmailScopes.Step | EmailScopes.Enrollment | EmailScopes.Engagement, now, now),
            JournalEntry.StepEntered(3, 1, 1, 4, 1, Timestamp.None, isCounted: true, StepPhase.Slot),
            JournalEntry.EnrollmentSlotTaken(20_454),
            JournalEntry.EmailSlotTaken(now.PlusMs(60_000), isBulk: true),
            JournalEntry.EmailSlotTaken(now.PlusMs(60_000), isBulk: false),
            JournalEntry.EmailSlotTaken(now, isBulk: true),
            JournalEntry.EmailSlotTaken(now, isBulk: false),
            JournalEntry.EmailSlotReleased(now, isBulk: true),
        })
        {
            _state.Apply(entry);
        }

        _state.EndTurn();
        _state.Pack(_writer);
        var parsed = RecordHead.Parser.ParseFrom(_writer.Written);

        Assert.Equal(_writer.Written.ToArray(), parsed.ToByteArray());
        Assert.Equal((4, 1 << (int)EmailSignal.Sent | 1 << (int)EmailSignal.Opened, true), (parsed.EmailMarks.Single().Step, parsed.EmailMarks[0].Signals, parsed.EmailMarks[0].HasReacted));
        Assert.Equal((20_454, 1, 2, 1), (parsed.Inbox.Day, parsed.Inbox.Enrollments, parsed.Inbox.Emails.Count, parsed.Inbox.BulkEmails.Count));
        var loaded = new RecordState();
        loaded.Load(_writer.Written);
        Assert.Equal(_state.Slots, loaded.Slots);
    }

    [Fact]
    public void Heads_skeletons_payloads_tasks_and_sections_parse_and_serialise_to_the_same_bytes()
    {
        var random = new Random(9);
        var kinds = new HashSet<EntryKind>();
        var tasks = 0;
        for (var i = 0; i < 600; i++)
        {
            _now += random.Next(2_000_000);
            while (_head.Length > 0 && Loaded().NextDueAt is var due && !due.IsNone && due.Ms <= _now)
            {
                Run(TimerInput.Instance, kinds, ref tasks);
            }

            Run(Input(random, i), kinds, ref tasks);
        }

        Assert.Contains(EntryKind.PropertyLate, kinds);
        Assert.Contains(EntryKind.EventIdsForgotten, kinds);
        Assert.Contains(EntryKind.GoalMet, kinds);
        Assert.True(tasks > 20 && kinds.Count >= 14, $"{tasks} tasks, kinds {string.Join(' ', kinds)}");
    }

    private TurnInput Input(Random random, int i)
    {
        if (random.Next(10) == 0)
        {
            return new CommandInput(random.Next(2) == 0 ? CommandKind.Enroll : CommandKind.Unenroll, random.Next(3, 5), $"c{i}", "caller");
        }

        if (random.Next(6) == 0 && _head.Length > 0 && Loaded().OpenEffects.Length > 0)
        {
            var effect = _state.OpenEffects[0];
            return new CompletionInput(effect.Enrollment, effect.Step, effect.Execution, StepResult.Failed, "WORKER", "text", [new NamedValue("out", Value.OfNumber(1.5m)), new NamedValue("none", Value.Unknown)]);
        }

        var type = _schema.FindObjectType("contact")!;
        var writes = new List<PropertyWrite>();
        foreach (var (name, text) in new[] { ("stage", new[] { "", "a", "won", "ü" }[random.Next(4)]), ("score", $"{random.Next(-5, 5)}.{random.Next(3)}"), ("flag", "true"), ("tags", "a;b"), ("day", "1969-05-05"), ("at", "1970-01-01T00:00:00Z") })
        {
            if (random.Next(3) == 0)
            {
                Assert.True(Value.TryParse(text, type.Find(name)!.Type, out var value));
                writes.Add(new PropertyWrite(type.Find(name)!, value));
            }
        }

        var occurredAt = random.Next(2) == 0 ? Timestamp.None : new Timestamp(_now - random.Next(10_000_000) + 1_000);
        return new EventInput($"e{i}", random.Next(3) == 0 ? _schema.FindEventType("clicked") : 1, occurredAt, i % 2 == 0 ? "src" : "", [new NamedValue("p", Value.OfDate(new NodaTime.LocalDate(2020, 1, 1)))], [.. writes], false);
    }

    private RecordState Loaded()
    {
        _state.Load(_head);
        return _state;
    }

    private void Run(TurnInput input, HashSet<EntryKind> kinds, ref int tasks)
    {
        var isNew = _head.Length == 0;
        if (isNew)
        {
            _state.Reset(new RecordKey(5, 1, "ada@example.org"), 257);
        }
        else
        {
            _state.Load(_head);
        }

        var expected = _state.TurnId;
        if (_turn.Decide(_state, input, _catalog, new Timestamp(_now), ++_turnId).Status != TurnStatus.Applied)
        {
            return;
        }

        var info = new TurnInfo(5, 1, 257, _turnId, expected, _state.LastTurnAt, _state.NextDueAt, TurnCause.Event);
        _head = Same(RecordHead.Parser, w => _state.Pack(w));
        var skeleton = Same(TurnSkeleton.Parser, w => TurnEncoder.WriteSkeleton(w, info, _turn.Entries));
        var payload = Same(TurnPayload.Parser, w => TurnEncoder.WritePayload(w, isNew ? "ada@example.org" : "", _turn.Entries, _state.SectionWrites));
        foreach (var entry in _turn.Entries)
        {
            kinds.Add(entry.Kind);
            if (entry.Kind == EntryKind.EffectRequested)
            {
                var packed = TaskCodec.Pack(_state, entry, info);
                Assert.Equal(packed, OutboxTask.Parser.ParseFrom(packed).ToByteArray());
                var task = TaskCodec.Unpack(packed);
                Assert.Equal((5, 257L, "ada@example.org", 3, entry.Enrollment, entry.Step, entry.Execution, "mail"), (task.Tenant, task.RecordNumber, task.RecordId, task.Workflow, task.Enrollment, task.Step, task.Execution, task.Queue));
                Assert.DoesNotContain(task.Properties, p => p.Name.StartsWith('.'));
                tasks++;
            }
        }

        var decoded = TurnDecoder.Decode(new Engine.Stores.StoredTurn(1, 0, skeleton, payload));
        Assert.Equal(info, decoded.Info);
        Assert.Equal(skeleton, Written(w => TurnEncoder.WriteSkeleton(w, decoded.Info, decoded.Entries)));
        Assert.Equal(payload, Written(w => TurnEncoder.WritePayload(w, decoded.CreatedId, decoded.Entries, _state.SectionWrites)));
    }

    private byte[] Same<T>(MessageParser<T> parser, Action<PackedWriter> write)
        where T : IMessage<T>
    {
        var bytes = Written(write);
        Assert.Equal(bytes, parser.ParseFrom(bytes).ToByteArray());
        return bytes;
    }

    private byte[] Written(Action<PackedWriter> write)
    {
        _writer.Clear();
        write(_writer);
        return _writer.Written.ToArray();
    }
}
