using Roster.Core;
using Roster.Core.Packing;
using Roster.Core.Records;

namespace Roster.Engine.Stores;

/// <summary>A turn in a batch. Ranges are offsets into <see cref="TurnBatch.Bytes"/>.</summary>
public struct TurnHeader
{
    /// <summary>The record.</summary>
    public long RecordNumber;

    /// <summary>The tenant.</summary>
    public int Tenant;

    /// <summary>Turn id that the turn was decided on; 0 for a new record.</summary>
    public ulong ExpectedTurnId;

    /// <summary>Turn id of this turn.</summary>
    public ulong TurnId;

    /// <summary>Earliest instant at which the record goes on by itself after this turn; none when it does not.</summary>
    public Timestamp NextDueAt;

    /// <summary>The key, when this turn created the record; default otherwise.</summary>
    public RecordKey CreatedKey;

    /// <summary>Packed skeleton.</summary>
    public ByteRange Skeleton;

    /// <summary>Packed payload.</summary>
    public ByteRange Payload;

    /// <summary>Packed head after the turn; empty unless <see cref="IRecordStore.NeedsHeads"/>.</summary>
    public ByteRange Head;

    /// <summary>First of its effects in <see cref="TurnBatch.EffectsAdded"/>, and how many.</summary>
    public (int Start, int Count) EffectsAdded;

    /// <summary>First of its effects in <see cref="TurnBatch.EffectsRemoved"/>, and how many.</summary>
    public (int Start, int Count) EffectsRemoved;

    /// <summary>First of its sections in <see cref="TurnBatch.Sections"/>, and how many.</summary>
    public (int Start, int Count) Sections;

    /// <summary>Set by the store: position of the committed turn, 0 for a conflict.</summary>
    public long Position;
}

/// <summary>A state that an input was judged by without a turn: the answer holds only while the state is the newest one.</summary>
/// <param name="RecordNumber">The record; for one that does not exist, the number that was kept for it.</param>
/// <param name="TurnId">Its latest turn; 0 when it does not exist.</param>
/// <param name="Key">The key of a record that does not exist; default otherwise.</param>
public readonly record struct StateCheck(long RecordNumber, ulong TurnId, RecordKey Key);

/// <summary>A range of bytes.</summary>
/// <param name="Start">First byte.</param>
/// <param name="Length">Number of bytes.</param>
public readonly record struct ByteRange(int Start, int Length);

/// <summary>Turns and documents that become durable together. Reused from commit to commit. Not thread-safe.</summary>
public sealed class TurnBatch
{
    private readonly Dictionary<CounterKey, long> _counters = [];
    private readonly Dictionary<int, long> _decidedOn = [];
    private TurnHeader[] _turns = new TurnHeader[64];

    /// <summary>Skeletons, payloads and heads, one after another.</summary>
    public PackedWriter Bytes { get; } = new(64 * 1024);

    /// <summary>The turns, in order; turns of one record are in the order in which they were decided.</summary>
    public Span<TurnHeader> Turns => _turns.AsSpan(0, TurnCount);

    /// <summary>Number of turns.</summary>
    public int TurnCount { get; private set; }

    /// <summary>Effects that turns add.</summary>
    public List<EffectAdd> EffectsAdded { get; } = [];

    /// <summary>Effects that turns remove.</summary>
    public List<EffectId> EffectsRemoved { get; } = [];

    /// <summary>Those of <see cref="EffectsRemoved"/> that were withdrawn and not completed (UNE-07). Not for the store.</summary>
    public HashSet<EffectId> EffectsWithdrawn { get; } = [];

    /// <summary>Sections that turns write or remove. Their content is in the payload too, so a log need not keep it twice.</summary>
    public List<SectionWrite> Sections { get; } = [];

    /// <summary>Workflows that turns concern, for the activity index: tenant, workflow, index of the turn.</summary>
    public List<(int Tenant, int Workflow, int Turn)> Activity { get; } = [];

    /// <summary>Documents to write.</summary>
    public List<StoredDocument> Documents { get; } = [];

    /// <summary>Changes of counters.</summary>
    public IReadOnlyDictionary<CounterKey, long> Counters => _counters;

    /// <summary>States that inputs were judged by without a turn. Only for a store that several processes write.</summary>
    public List<StateCheck> Checks { get; } = [];

    /// <summary>Versions of the definitions that the batch was decided on, by tenant; 0 is the engine. Only for a store that several processes write.</summary>
    public IReadOnlyDictionary<int, long> DecidedOn => _decidedOn;

    /// <summary>Whether there is nothing to commit.</summary>
    public bool IsEmpty => TurnCount == 0 && Documents.Count == 0 && _counters.Count == 0 && Checks.Count == 0;

    /// <summary>Notes the version of a tenant's definitions that something was decided on; of several the oldest counts.</summary>
    public void NoteDecidedOn(int tenant, long version)
    {
        ref var noted = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_decidedOn, tenant, out var isKnown);
        noted = isKnown ? Math.Min(noted, version) : version;
    }

    /// <summary>Adds to a counter.</summary>
    public void Count(CounterKey key, long change)
    {
        ref var counter = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_counters, key, out _);
        counter += change;
    }

    /// <summary>Adds a turn and returns its header to be filled.</summary>
    public ref TurnHeader AddTurn()
    {
        if (TurnCount == _turns.Length)
        {
            Array.Resize(ref _turns, _turns.Length * 2);
        }

        ref var turn = ref _turns[TurnCount++];
        turn = default;
        return ref turn;
    }

    /// <summary>Appends all of another batch.</summary>
    public void Append(TurnBatch other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var bytes = Bytes.Length;
        var turns = TurnCount;
        var (added, removed, sections) = (EffectsAdded.Count, EffectsRemoved.Count, Sections.Count);
        Bytes.Raw(other.Bytes.Written);
        foreach (ref readonly var from in other.Turns)
        {
            ref var turn = ref AddTurn();
            turn = from;
            turn.Skeleton = new ByteRange(from.Skeleton.Start + bytes, from.Skeleton.Length);
            turn.Payload = new ByteRange(from.Payload.Start + bytes, from.Payload.Length);
            turn.Head = new ByteRange(from.Head.Start + bytes, from.Head.Length);
            turn.EffectsAdded = (from.EffectsAdded.Start + added, from.EffectsAdded.Count);
            turn.EffectsRemoved = (from.EffectsRemoved.Start + removed, from.EffectsRemoved.Count);
            turn.Sections = (from.Sections.Start + sections, from.Sections.Count);
        }

        EffectsAdded.AddRange(other.EffectsAdded);
        EffectsRemoved.AddRange(other.EffectsRemoved);
        EffectsWithdrawn.UnionWith(other.EffectsWithdrawn);
        Sections.AddRange(other.Sections);
        Documents.AddRange(other.Documents);
        foreach (var (tenant, workflow, turn) in other.Activity)
        {
            Activity.Add((tenant, workflow, turn + turns));
        }

        foreach (var (key, change) in other._counters)
        {
            Count(key, change);
        }

        Checks.AddRange(other.Checks);
        foreach (var (tenant, version) in other._decidedOn)
        {
            NoteDecidedOn(tenant, version);
        }
    }

    /// <summary>Empties the batch and keeps its buffers.</summary>
    public void Clear()
    {
        Bytes.Clear();
        _turns.AsSpan(0, TurnCount).Clear();
        TurnCount = 0;
        EffectsAdded.Clear();
        EffectsRemoved.Clear();
        EffectsWithdrawn.Clear();
        Sections.Clear();
        Activity.Clear();
        Documents.Clear();
        _counters.Clear();
        Checks.Clear();
        _decidedOn.Clear();
    }
}
