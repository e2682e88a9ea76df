using System.Runtime.InteropServices;
using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.Postgres.Internal;

/// <summary>
/// A batch on its way into tables: what must be known to judge its turns, the judgement, and the rows to write, column by column, as the
/// statements take them. One is used over and over.
/// </summary>
internal sealed class CommitPlan
{
    private readonly Dictionary<long, Known> _known = [];
    private readonly HashSet<RecordKey> _takenKeys = [];
    private readonly HashSet<EffectId> _openEffects = [];
    private readonly Dictionary<EffectId, (long Sequence, EffectAdd Effect)> _addedEffects = [];
    private readonly Dictionary<(long Record, int Index), byte[]?> _sections = [];
    private readonly Dictionary<(int Tenant, string Kind, string Id), byte[]?> _documents = [];
    private readonly HashSet<int> _tenants = [];
    private readonly Dictionary<int, long> _versions = [];
    private readonly HashSet<long> _conflicts = [];
    private readonly HashSet<int> _staleTenants = [];
    private readonly HashSet<ulong> _turnIds = [];

    /// <summary>Records, keys and effects to look up.</summary>
    public List<long> Numbers { get; } = [];

    public KeyRows Keys { get; } = new();

    public EffectIds Removed { get; } = new();

    /// <summary>Tenants whose versions of definitions are to be looked up.</summary>
    public List<int> DecidedOn { get; } = [];

    /// <summary>Records whose turns are conflicts, or whose states are not the newest ones any more.</summary>
    public IReadOnlyCollection<long> Conflicts => _conflicts;

    /// <summary>Tenants whose definitions are not those that the batch was decided on.</summary>
    public IReadOnlyCollection<int> StaleTenants => _staleTenants;

    /// <summary>What to write.</summary>
    public KeyRows CreatedKeys { get; } = new();

    public HeadRows CreatedHeads { get; } = new();

    public HeadRows ChangedHeads { get; } = new();

    public JournalRows Journal { get; } = new();

    public ActivityRows Activity { get; } = new();

    public SectionRows WrittenSections { get; } = new();

    public SectionRows RemovedSections { get; } = new();

    public EnrollmentChanges Enrollments { get; } = new();

    public EffectIds ClosedEffects { get; } = new();

    public EffectRows OpenedEffects { get; } = new();

    public DocumentRows WrittenDocuments { get; } = new();

    public DocumentRows RemovedDocuments { get; } = new();

    public List<int> ChangedCatalogs { get; } = [];

    public CounterRows Counters { get; } = new();

    /// <summary>The row of the owner after the commit.</summary>
    public OwnerRow Owner { get; private set; }

    /// <summary>Whether the commit would change nothing.</summary>
    public bool IsEmpty => Journal.Positions.Count == 0 && WrittenDocuments.Tenants.Count == 0 && RemovedDocuments.Tenants.Count == 0 && Counters.Values.Count == 0;

    /// <summary>Gathers what must be looked up.</summary>
    public void Begin(TurnBatch batch)
    {
        _known.Clear();
        _takenKeys.Clear();
        _openEffects.Clear();
        Numbers.Clear();
        Keys.Clear();
        Removed.Clear();
        DecidedOn.Clear();
        _versions.Clear();
        DecidedOn.AddRange(batch.DecidedOn.Keys);
        foreach (var check in batch.Checks)
        {
            if (_known.TryAdd(check.RecordNumber, new Known { Last = -1 }))
            {
                Numbers.Add(check.RecordNumber);
            }

            if (check.Key.Id is not null)
            {
                Keys.Add(check.Key, check.RecordNumber);
            }
        }

        foreach (ref readonly var turn in batch.Turns)
        {
            if (_known.TryAdd(turn.RecordNumber, new Known { Last = -1 }))
            {
                Numbers.Add(turn.RecordNumber);
            }

            if (turn.CreatedKey.Id is not null)
            {
                Keys.Add(turn.CreatedKey, turn.RecordNumber);
            }

            for (var i = 0; i < turn.EffectsRemoved.Count; i++)
            {
                Removed.Add(batch.EffectsRemoved[turn.EffectsRemoved.Start + i]);
            }
        }
    }

    public void FoundHead(long number, ulong turnId, long position, long dueMs) =>
        _known[number] = new Known { Stored = turnId, TurnId = turnId, Position = position, DueMs = dueMs, Last = -1 };

    /// <param name="index">Index in <see cref="Keys"/>.</param>
    public void FoundKey(int index) => _takenKeys.Add(Keys.Keys[index]);

    public void FoundEffect(EffectId id) => _openEffects.Add(id);

    public void FoundVersion(int tenant, long version) => _versions[tenant] = version;

    /// <summary>Judges each turn by what is stored and what the turns before it did, sets positions, and makes the rows.</summary>
    public void Judge(TurnBatch batch, in OwnerRow owner)
    {
        ClearRows();
        Owner = owner with { Batch = owner.Batch + 1 };
        CheckKeysAndVersions(batch);
        var bytes = batch.Bytes.WrittenMemory;
        for (var i = 0; i < batch.TurnCount; i++)
        {
            ref var turn = ref batch.Turns[i];
            ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_known, turn.RecordNumber);
            turn.Position = 0;
            if (!IsConflict(batch, turn, known))
            {
                Take(batch, i, ref turn, ref known, bytes);
            }
            else
            {
                _conflicts.Add(turn.RecordNumber);
            }
        }

        CheckStates(batch);

        AddHeads(batch, bytes);
        AddActivity(batch);
        AddOther(batch);
    }

    /// <summary>Lets go of the buffers of the batch.</summary>
    public void End() => ClearRows();

    private bool IsConflict(TurnBatch batch, in TurnHeader turn, in Known known)
    {
        if (known.TurnId != turn.ExpectedTurnId || (turn.CreatedKey.Id is not null && _takenKeys.Contains(turn.CreatedKey)))
        {
            return true;
        }

        for (var i = 0; i < turn.EffectsRemoved.Count; i++)
        {
            if (!_openEffects.Contains(batch.EffectsRemoved[turn.EffectsRemoved.Start + i]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Of what is stored before any turn of the batch: keys of records that are said not to exist, and versions of definitions.</summary>
    private void CheckKeysAndVersions(TurnBatch batch)
    {
        foreach (var check in batch.Checks)
        {
            if (check.Key.Id is not null && _takenKeys.Contains(check.Key))
            {
                _conflicts.Add(check.RecordNumber);
            }
        }

        foreach (var (tenant, version) in batch.DecidedOn)
        {
            if (_versions.GetValueOrDefault(tenant) != version)
            {
                _staleTenants.Add(tenant);
            }
        }
    }

    /// <summary>A state that was looked at is the stored one, or one that a turn of the batch made, whose own chain was checked.</summary>
    private void CheckStates(TurnBatch batch)
    {
        if (batch.Checks.Count == 0)
        {
            return;
        }

        foreach (ref readonly var turn in batch.Turns)
        {
            _turnIds.Add(turn.TurnId);
        }

        foreach (var check in batch.Checks)
        {
            if (_known[check.RecordNumber].Stored != check.TurnId && !_turnIds.Contains(check.TurnId))
            {
                _conflicts.Add(check.RecordNumber);
            }
        }
    }

    private void Take(TurnBatch batch, int index, ref TurnHeader turn, ref Known known, ReadOnlyMemory<byte> bytes)
    {
        turn.Position = Owner.NextPosition;
        Owner = Owner with
        {
            Position = turn.Position,
            NextPosition = turn.Position + 1 + turn.EffectsAdded.Count,
            Records = Owner.Records + (turn.CreatedKey.Id is null ? 0 : 1),
            Timers = Owner.Timers + (turn.NextDueAt.IsNone ? 0 : 1) - (known.DueMs == 0 ? 0 : 1),
            Effects = Owner.Effects + turn.EffectsAdded.Count - turn.EffectsRemoved.Count,
        };
        if (turn.CreatedKey.Id is not null)
        {
            _takenKeys.Add(turn.CreatedKey);
            CreatedKeys.Add(turn.CreatedKey, turn.RecordNumber);
        }

        var (skeleton, payload) = (Slice(bytes, turn.Skeleton), Slice(bytes, turn.Payload));
        Journal.Add(turn.Position, turn.RecordNumber, known.Position, skeleton, payload);
        Enrollments.Add(turn.Tenant, turn.RecordNumber, skeleton.Span);
        TakeEffects(batch, turn);
        for (var i = 0; i < turn.Sections.Count; i++)
        {
            var (section, content) = batch.Sections[turn.Sections.Start + i];
            _sections[(turn.RecordNumber, section)] = content;
        }

        known.TurnId = turn.TurnId;
        known.Position = turn.Position;
        known.DueMs = turn.NextDueAt.Ms;
        known.Last = index;
    }

    private void TakeEffects(TurnBatch batch, in TurnHeader turn)
    {
        for (var i = 0; i < turn.EffectsRemoved.Count; i++)
        {
            var id = batch.EffectsRemoved[turn.EffectsRemoved.Start + i];
            _openEffects.Remove(id);
            if (!_addedEffects.Remove(id))
            {
                ClosedEffects.Add(id);
            }
        }

        for (var i = 0; i < turn.EffectsAdded.Count; i++)
        {
            var effect = batch.EffectsAdded[turn.EffectsAdded.Start + i];
            _openEffects.Add(effect.Id);
            _addedEffects.Add(effect.Id, (turn.Position + i, effect));
        }
    }

    /// <summary>A record with several turns in the batch is written once, as its last turn left it.</summary>
    private void AddHeads(TurnBatch batch, ReadOnlyMemory<byte> bytes)
    {
        foreach (var number in Numbers)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_known, number);
            if (known.Last >= 0)
            {
                ref readonly var turn = ref batch.Turns[known.Last];
                (known.Stored == 0 ? CreatedHeads : ChangedHeads).Add(turn, known.Stored, Slice(bytes, turn.Head));
            }
        }
    }

    private void AddActivity(TurnBatch batch)
    {
        foreach (var (tenant, workflow, index) in batch.Activity)
        {
            if (batch.Turns[index].Position is > 0 and var position)
            {
                Activity.Add(tenant, workflow, position);
            }
        }
    }

    private void AddOther(TurnBatch batch)
    {
        Enrollments.Settle();
        foreach (var (sequence, effect) in _addedEffects.Values)
        {
            OpenedEffects.Add(sequence, effect);
        }

        foreach (var ((record, index), content) in _sections)
        {
            (content is null ? RemovedSections : WrittenSections).Add(record, index, content);
        }

        // Of several writes of one document the last one counts.
        foreach (var document in batch.Documents)
        {
            _documents[(document.Tenant, document.Kind, document.Id)] = document.Content;
            if (document.IsDefinition && _tenants.Add(document.Tenant))
            {
                ChangedCatalogs.Add(document.Tenant);
            }
        }

        foreach (var ((tenant, kind, id), content) in _documents)
        {
            (content is null ? RemovedDocuments : WrittenDocuments).Add(tenant, kind, id, content);
        }

        foreach (var (key, change) in batch.Counters)
        {
            if (change != 0)
            {
                Counters.Add(key, change);
            }
        }
    }

    private void ClearRows()
    {
        _addedEffects.Clear();
        _sections.Clear();
        _documents.Clear();
        _tenants.Clear();
        _conflicts.Clear();
        _staleTenants.Clear();
        _turnIds.Clear();
        CreatedKeys.Clear();
        CreatedHeads.Clear();
        ChangedHeads.Clear();
        Journal.Clear();
        Activity.Clear();
        WrittenSections.Clear();
        RemovedSections.Clear();
        Enrollments.Clear();
        ClosedEffects.Clear();
        OpenedEffects.Clear();
        WrittenDocuments.Clear();
        RemovedDocuments.Clear();
        ChangedCatalogs.Clear();
        Counters.Clear();
    }

    private static ReadOnlyMemory<byte> Slice(ReadOnlyMemory<byte> bytes, ByteRange range) => bytes.Slice(range.Start, range.Length);

    /// <summary>A record of the batch: as stored, and as the turns so far leave it.</summary>
    private struct Known
    {
        /// <summary>Turn id in the table; 0 for a record that is not there.</summary>
        public ulong Stored;

        public ulong TurnId;
        public long Position;
        public long DueMs;

        /// <summary>Index of its last turn that is no conflict; -1 for none.</summary>
        public int Last;
    }
}
