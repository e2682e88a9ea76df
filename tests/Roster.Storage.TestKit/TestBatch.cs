using Roster.Core;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Storage.TestKit;

/// <summary>
/// Builds batches as the engine does: entries are folded into the state, and the skeleton, payload, head and sections are what the
/// real encoder makes of them.
/// </summary>
public sealed class TestBatch
{
    private static readonly Timestamp Start = new(1_800_000_000_000);
    private readonly RecordState _state = new();
    private static long _turns;

    public TurnBatch Batch { get; } = new();

    /// <summary>Positions that the store gave, in the order of the turns.</summary>
    public long[] Positions => Batch.Turns.ToArray().Select(turn => turn.Position).ToArray();

    /// <summary>Adds a turn of a record: its first one creates it.</summary>
    public TestBatch Turn(TestRecord record, params TurnPart[] parts)
    {
        var isFirst = record.Head.Length == 0;
        var expected = record.TurnId;
        var at = Start.PlusMs(++_turns);
        Begin(record, isFirst);
        var entries = parts.SelectMany(part => part.Entries).ToList();
        if (isFirst)
        {
            entries.Insert(0, JournalEntry.RecordCreated(at));
        }

        var turnId = StableTurnId(record, expected, at);
        _state.BeginTurn(at, turnId);
        foreach (var entry in entries)
        {
            _state.Apply(entry);
        }

        _state.EndTurn();
        var due = parts.LastOrDefault(part => part.DueAt is not null)?.DueAt ?? Timestamp.None;
        var info = new TurnInfo(record.Key.Tenant, record.Key.ObjectType, record.Number, turnId, expected, at, due, TurnCause.Event);
        ref var turn = ref Batch.AddTurn();
        turn.RecordNumber = record.Number;
        turn.Tenant = record.Key.Tenant;
        turn.ExpectedTurnId = expected;
        turn.TurnId = turnId;
        turn.NextDueAt = due;
        turn.CreatedKey = isFirst ? record.Key : default;
        Write(ref turn, info, entries.ToArray(), isFirst ? record.Key.Id : string.Empty);
        AddParts(ref turn, record, parts);
        record.TurnId = turnId;
        record.Head = Batch.Bytes.Written.Slice(turn.Head.Start, turn.Head.Length).ToArray();
        return this;
    }

    public TestBatch Document(int tenant, string kind, string id, byte[]? content)
    {
        Batch.Documents.Add(new StoredDocument(tenant, kind, id, content));
        return this;
    }

    public TestBatch Count(CounterKey key, long change)
    {
        Batch.Count(key, change);
        return this;
    }

    public TestBatch Clear()
    {
        Batch.Clear();
        return this;
    }

    /// <summary>Commits, overwrites the bytes that were lent, and empties the batch; returns the positions.</summary>
    public async Task<long[]> CommitAsync(IRecordStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        await store.CommitAsync(Batch, CancellationToken.None);
        var positions = Positions;
        Batch.Bytes.Patch(0, Batch.Bytes.Length).Fill(0xDB);
        foreach (var effect in Batch.EffectsAdded)
        {
            effect.Task.AsSpan().Fill(0xDB);
        }

        Clear();
        return positions;
    }

    private void Begin(TestRecord record, bool isFirst)
    {
        if (isFirst)
        {
            _state.Reset(record.Key, record.Number);
        }
        else
        {
            _state.Load(record.Head);
        }
    }

    private void Write(ref TurnHeader turn, in TurnInfo info, JournalEntry[] entries, string createdId)
    {
        var bytes = Batch.Bytes;
        var start = bytes.Length;
        TurnEncoder.WriteSkeleton(bytes, info, entries);
        turn.Skeleton = new ByteRange(start, bytes.Length - start);
        start = bytes.Length;
        TurnEncoder.WritePayload(bytes, createdId, entries, _state.SectionWrites);
        turn.Payload = new ByteRange(start, bytes.Length - start);
        start = bytes.Length;
        _state.Pack(bytes);
        turn.Head = new ByteRange(start, bytes.Length - start);
        turn.Sections = (Batch.Sections.Count, _state.SectionWrites.Count);
        Batch.Sections.AddRange(_state.SectionWrites);
    }

    private void AddParts(ref TurnHeader turn, TestRecord record, TurnPart[] parts)
    {
        turn.EffectsAdded = (Batch.EffectsAdded.Count, parts.Sum(part => part.Adds.Count));
        turn.EffectsRemoved = (Batch.EffectsRemoved.Count, parts.Sum(part => part.Removes.Count));
        foreach (var part in parts)
        {
            Batch.EffectsAdded.AddRange(part.Adds.Select(add => add with { Tenant = record.Key.Tenant, Task = [.. add.Task] }));
            Batch.EffectsRemoved.AddRange(part.Removes);
            Batch.Activity.AddRange(part.Workflows.Select(workflow => (record.Key.Tenant, workflow, Batch.TurnCount - 1)));
        }
    }

    private static ulong StableTurnId(TestRecord record, ulong expected, Timestamp at) =>
        unchecked((((ulong)record.Number * 0x9E37_79B9_7F4A_7C15) ^ (expected * 31) ^ (ulong)at.Ms) | 1);
}

/// <summary>Something that a turn does.</summary>
public sealed class TurnPart
{
    public List<JournalEntry> Entries { get; } = [];

    public List<EffectAdd> Adds { get; } = [];

    public List<EffectId> Removes { get; } = [];

    public List<int> Workflows { get; } = [];

    public Timestamp? DueAt { get; private init; }

    /// <summary>A property takes a value.</summary>
    public static TurnPart Set(int property, string value) =>
        new() { Entries = { JournalEntry.PropertyChanged(property, Value.OfText(value), new Timestamp(1_700_000_000_000), "test") } };

    /// <summary>Events are received: enough of them move a section out of the head.</summary>
    public static TurnPart Events(int first, int count)
    {
        var part = new TurnPart();
        for (var i = first; i < first + count; i++)
        {
            var hash = new Hash128((ulong)i * 7919, (ulong)i * 104_729);
            part.Entries.Add(JournalEntry.EventReceived(3, new Timestamp(1_700_000_000_000 + i), isClamped: false, $"event-{i}", hash, (uint)i, "test", []));
        }

        return part;
    }

    /// <summary>A section of the record is removed.</summary>
    public static TurnPart Forget(int section) => new() { Entries = { JournalEntry.EventIdsForgotten(section) } };

    /// <summary>The record goes on by itself at an instant. Without it, it does not.</summary>
    public static TurnPart Due(long ms) => new() { DueAt = new Timestamp(ms) };

    /// <summary>An effect is added.</summary>
    public static TurnPart Add(EffectId id, string queue, params byte[] task) => new() { Adds = { new EffectAdd(id, 0, queue, task) } };

    /// <summary>An effect is removed.</summary>
    public static TurnPart Remove(EffectId id) => new() { Removes = { id } };

    /// <summary>The turn concerns a workflow.</summary>
    public static TurnPart Concerns(int workflow) => new() { Workflows = { workflow } };
}
