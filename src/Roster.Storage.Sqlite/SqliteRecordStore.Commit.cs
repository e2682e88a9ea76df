using System.Runtime.InteropServices;
using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <content>
/// Commits, on the thread of the caller: look up what the turns follow, encode those that are no conflict, append, and only then
/// change what is in memory.
/// </content>
public sealed partial class SqliteRecordStore
{
    // Guarded by the commit lock; emptied by every commit.
    private readonly Lazy<TableReader> _commitReader;
    private readonly LogBatch _batch = new();
    private readonly Dictionary<long, HeadRow> _latest = [];
    private readonly List<long> _unknown = [];
    private readonly HashSet<RecordKey> _takenKeys = [];
    private readonly List<RecordKey> _unknownKeys = [];
    private readonly Dictionary<EffectId, EffectAt> _openEffects = [];
    private readonly List<EffectId> _unknownEffects = [];
    private readonly List<EffectAt> _removedEffects = [];
    private readonly List<bool> _hadTimer = [];
    private int _removedApplied;
    private long _lookedUpEnd;
    private long _numberMax;
    private bool _isClosed;
    private int _isWalCheckpointQueued;
    private int _commitsWaiting;

    /// <inheritdoc/>
    public ValueTask CommitAsync(TurnBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        cancellationToken.ThrowIfCancellationRequested();
        BatchRules.Check(batch, NeedsHeads);
        Interlocked.Increment(ref _commitsWaiting);
        lock (_commitLock)
        {
            Interlocked.Decrement(ref _commitsWaiting);
            ObjectDisposedException.ThrowIf(_isClosed, this);
            ThrowIfFailed();
            LookUp(batch);
            Encode(batch);
            if (_batch.TurnCount > 0 || batch.Documents.Count > 0 || batch.Counters.Count > 0)
            {
                _batch.Seal(batch);
                Append(batch);
                lock (_gate)
                {
                    Apply(batch);
                }

                AfterCommit();
            }
        }

        return default;
    }

    /// <summary>Finds the latest turn of every record of the batch, and the effects that it removes: in memory, then in the tables.</summary>
    private void LookUp(TurnBatch batch)
    {
        _latest.Clear();
        _unknown.Clear();
        _takenKeys.Clear();
        _unknownKeys.Clear();
        _openEffects.Clear();
        _unknownEffects.Clear();
        lock (_gate)
        {
            _lookedUpEnd = _checkpointEnd;
            foreach (ref readonly var turn in batch.Turns)
            {
                LookUpInMemory_NeedsGate(batch, turn);
            }
        }

        if (_unknown.Count + _unknownKeys.Count + _unknownEffects.Count > 0)
        {
            LookUpInTables();
        }
    }

    private void LookUpInMemory_NeedsGate(TurnBatch batch, in TurnHeader turn)
    {
        ref var latest = ref CollectionsMarshal.GetValueRefOrAddDefault(_latest, turn.RecordNumber, out var isSeen);
        if (!isSeen)
        {
            ref var entry = ref _map.Find(turn.RecordNumber);
            if (!RecordMap.IsMissing(ref entry))
            {
                latest = new HeadRow(entry.Position, entry.TurnId, entry.NextDueMs);
            }
            else if (turn.RecordNumber <= _numberMax)
            {
                _unknown.Add(turn.RecordNumber);
            }
        }

        if (turn.CreatedKey.Id is not null)
        {
            if (FindCreated_NeedsGate(turn.CreatedKey) != 0)
            {
                _takenKeys.Add(turn.CreatedKey);
            }
            else
            {
                _unknownKeys.Add(turn.CreatedKey);
            }
        }

        for (var i = 0; i < turn.EffectsRemoved.Count; i++)
        {
            var id = batch.EffectsRemoved[turn.EffectsRemoved.Start + i];
            if (FindEffect_NeedsGate(id, out var effect))
            {
                _openEffects[id] = effect;
            }
            else if (!IsRemoved_NeedsGate(id))
            {
                _unknownEffects.Add(id);
            }
        }
    }

    private void LookUpInTables()
    {
        var reader = _commitReader.Value;
        try
        {
            reader.Begin();
            foreach (var number in _unknown)
            {
                _latest[number] = reader.FindKnown(number);
            }

            foreach (var key in _unknownKeys)
            {
                if (reader.FindNumber(key) != 0)
                {
                    _takenKeys.Add(key);
                }
            }

            foreach (var id in _unknownEffects)
            {
                var (tenant, queue, sequence) = reader.FindEffect(id);

                // Beyond it are rows of a checkpoint that is not complete; those effects are in the delta.
                if (sequence > 0 && sequence < _lookedUpEnd)
                {
                    _openEffects[id] = new EffectAt(id, QueueOf(tenant, queue), sequence, Position: 0);
                }
            }

            reader.End();
        }
        finally
        {
            reader.Clean();
        }
    }

    private void Encode(TurnBatch batch)
    {
        _batch.Begin(_logEnd);
        _hadTimer.Clear();
        _removedEffects.Clear();
        var bytes = batch.Bytes.Written;
        foreach (ref var turn in batch.Turns)
        {
            turn.Position = 0;
            ref var latest = ref CollectionsMarshal.GetValueRefOrNullRef(_latest, turn.RecordNumber);
            _hadTimer.Add(latest.NextDueMs != 0);
            if (IsConflict(batch, turn, latest))
            {
                continue;
            }

            var flags = Flags(turn, latest);
            WriteEffects(batch, turn);
            turn.Position = _batch.AddTurn(
                bytes.Slice(turn.Skeleton.Start, turn.Skeleton.Length), bytes.Slice(turn.Payload.Start, turn.Payload.Length), flags, latest.Position);
            latest = new HeadRow(turn.Position, turn.TurnId, turn.NextDueAt.Ms);
            NoteEncoded(batch, turn);
        }
    }

    private bool IsConflict(TurnBatch batch, in TurnHeader turn, in HeadRow latest)
    {
        if (latest.TurnId != turn.ExpectedTurnId || (turn.CreatedKey.Id is not null && _takenKeys.Contains(turn.CreatedKey)))
        {
            return true;
        }

        for (var i = 0; i < turn.EffectsRemoved.Count; i++)
        {
            if (!_openEffects.ContainsKey(batch.EffectsRemoved[turn.EffectsRemoved.Start + i]))
            {
                return true;
            }
        }

        return false;
    }

    private static FrameFlags Flags(in TurnHeader turn, in HeadRow latest) =>
        (turn.CreatedKey.Id is null ? FrameFlags.None : FrameFlags.Creates)
        | (latest.NextDueMs == 0 ? FrameFlags.None : FrameFlags.HadTimer)
        | (turn.Sections.Count == 0 ? FrameFlags.None : FrameFlags.HasSections)
        | (turn.EffectsAdded.Count + turn.EffectsRemoved.Count == 0 ? FrameFlags.None : FrameFlags.HasEffects);

    private void WriteEffects(TurnBatch batch, in TurnHeader turn)
    {
        for (var i = 0; i < turn.EffectsRemoved.Count; i++)
        {
            var effect = _openEffects[batch.EffectsRemoved[turn.EffectsRemoved.Start + i]];
            TurnExtra.WriteRemoved(_batch.Extra, effect);
            _removedEffects.Add(effect);
        }

        for (var i = 0; i < turn.EffectsAdded.Count; i++)
        {
            TurnExtra.WriteAdded(_batch.Extra, batch.EffectsAdded[turn.EffectsAdded.Start + i]);
        }
    }

    /// <summary>Later turns of the batch are judged by what this one did.</summary>
    private void NoteEncoded(TurnBatch batch, in TurnHeader turn)
    {
        if (turn.CreatedKey.Id is not null)
        {
            _takenKeys.Add(turn.CreatedKey);
        }

        for (var i = 0; i < turn.EffectsRemoved.Count; i++)
        {
            _openEffects.Remove(batch.EffectsRemoved[turn.EffectsRemoved.Start + i]);
        }

        for (var i = 0; i < turn.EffectsAdded.Count; i++)
        {
            var effect = batch.EffectsAdded[turn.EffectsAdded.Start + i];
            _openEffects[effect.Id] = new EffectAt(effect.Id, QueueOf(effect.Tenant, effect.Queue), turn.Position + i, turn.Position);
        }
    }

    private void Append(TurnBatch batch)
    {
        try
        {
            _log.Append(_batch);
        }
        catch (Exception e)
        {
            foreach (ref var turn in batch.Turns)
            {
                turn.Position = 0;
            }

            if (e is not StoreFullException)
            {
                Fail(e);
            }

            throw;
        }
    }

    private void AfterCommit()
    {
        if (_log.IsWalLarge && Interlocked.Exchange(ref _isWalCheckpointQueued, 1) == 0)
        {
            // Not before this commit is answered; the next one may have to wait for it.
            ThreadPool.UnsafeQueueUserWorkItem(static store => store.CheckpointWal(), this, preferLocal: false);
        }

        if (IsCheckpointDue())
        {
            _checkpointWanted.Set();
        }
    }

    private void CheckpointWal()
    {
        lock (_commitLock)
        {
            Volatile.Write(ref _isWalCheckpointQueued, 0);
            if (_isClosed || _failure is not null)
            {
                return;
            }

            try
            {
                _log.CheckpointWal();
            }
            catch (StoreFullException)
            {
                // The WAL still has everything; the next attempt may find room.
            }
            catch (Exception e)
            {
                Fail(e);
            }
        }
    }
}
