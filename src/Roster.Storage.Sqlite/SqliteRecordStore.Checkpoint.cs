using System.Runtime.InteropServices;
using Roster.Core;
using Roster.Core.Packing;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <content>
/// Checkpoints, on a thread of their own. The delta is frozen and commits go on in a new one; what is frozen is written in the
/// order of the keys, in short transactions; the last one notes the position. Until that one is durable nothing relies on the rows:
/// readers ignore effects and index rows beyond the former checkpoint, heads and sections are as new as some turn, keys never change.
/// </content>
public sealed partial class SqliteRecordStore
{
    private const int SliceRows = 500;
    private const int ActivityRowPositions = 256;

    /// <summary>Longest pause after a slice: without traffic a checkpoint still goes on.</summary>
    private static readonly TimeSpan PaceMax = TimeSpan.FromMilliseconds(50);

    /// <summary>Part of the time until the next checkpoint in which this one is to be done.</summary>
    private const double PaceTarget = 0.8;

    /// <summary>Part of the room for evicted heads that makes a checkpoint due; what comes while it is written has the rest.</summary>
    private const double EvictedPart = 0.5;

    private readonly Thread _checkpoints;
    private readonly AutoResetEvent _checkpointWanted = new(initialState: false);
    private readonly TaskCompletionSource _checkpointsEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<TaskCompletionSource<CheckpointResult>> _checkpointRequests = [];
    private bool _isAwaited;
    private long _checkpointNotBefore;
    private long _frozenEnd;
    private long _rowsToWrite;
    private long _rowsWritten;

    /// <inheritdoc/>
    public async ValueTask<CheckpointResult> CheckpointAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_isClosing, this);
        ThrowIfFailed();
        var request = new TaskCompletionSource<CheckpointResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _checkpointRequests.Add(request);
        }

        _checkpointWanted.Set();
        return await request.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private bool IsCheckpointDue()
    {
        lock (_gate)
        {
            return _frozen is null
                && _logEnd >= _checkpointNotBefore
                && Due_NeedsGate(_checkpointEnd) >= 1;
        }
    }

    /// <summary>What there is of what makes a checkpoint due, as a part of it: 1 when it is due.</summary>
    /// <param name="since">End of the log that the checkpoint before has.</param>
    private double Due_NeedsGate(long since)
    {
        var due = Math.Max(_live.Dirty.Count / (double)_options.CheckpointDirtyRecords, (_logEnd - since) / (double)_options.CheckpointLogBytes);
        return _options.EvictedHeadBytes == 0 ? due : Math.Max(due, _live.Evicted.FileBytes / (_options.EvictedHeadBytes * EvictedPart));
    }

    private void RunCheckpoints()
    {
        while (true)
        {
            var isWanted = _checkpointWanted.WaitOne(RetentionWait);
            List<TaskCompletionSource<CheckpointResult>> requests;
            lock (_gate)
            {
                (requests, _checkpointRequests) = (_checkpointRequests, []);
            }

            if (_isClosing || _failure is not null)
            {
                requests.ForEach(request => request.TrySetException(new ObjectDisposedException(Name, "The store closes, or it failed.")));
                if (_isClosing)
                {
                    _checkpointsEnded.SetResult();
                    return;
                }
            }
            else if (requests.Count > 0 || IsCheckpointDue() || (!isWanted && WantsToRemoveMore()))
            {
                RunCheckpoint(requests);
            }

            if (_failure is null)
            {
                RemoveOldTurns();
            }
        }
    }

    private void RunCheckpoint(List<TaskCompletionSource<CheckpointResult>> requests)
    {
        _isAwaited = requests.Count > 0;
        try
        {
            var result = WriteCheckpoint();
            requests.ForEach(request => request.TrySetResult(result));
        }
        catch (Exception e)
        {
            if (e is not (StoreFullException or OperationCanceledException))
            {
                Fail(e);
            }

            requests.ForEach(request => request.TrySetException(e));
        }
    }

    private CheckpointResult WriteCheckpoint()
    {
        if (Freeze() is not { } cut)
        {
            return new CheckpointResult(_checkpointPosition, 0);
        }

        var frozen = _frozen!;
        _rowsToWrite = frozen.EffectsRemoved.Count + frozen.EffectsAdded.Count + frozen.Created.Count + frozen.Sections.Count + frozen.Dirty.Count;
        _rowsWritten = 0;
        try
        {
            Stage("frozen");
            var rows = WriteSlices(frozen.EffectsRemoved.Values.ToArray(), effect => _tables.RemoveEffect(effect));
            rows += WriteEffects(frozen);
            rows += WriteKeys(frozen);
            rows += WriteSections(frozen);
            rows += WriteActivity(frozen);
            rows += WriteHeads(frozen);
            Stage("written");
            rows += WriteCut(frozen, cut);
            Stage("committed");
            lock (_gate)
            {
                _frozen = null;
                _checkpointPosition = cut.Position;
                _checkpointEnd = cut.End;
            }

            frozen.Evicted.Dispose();

            Stage("done");
            return new CheckpointResult(cut.Position, rows);
        }
        catch (Exception e) when (e is StoreFullException or OperationCanceledException)
        {
            Unfreeze();
            throw;
        }
    }

    /// <summary>Everything as of one moment; null when a checkpoint would change nothing.</summary>
    private Cut? Freeze()
    {
        lock (_gate)
        {
            if (_logEnd == _checkpointEnd)
            {
                return null;
            }

            _frozen = _live;
            _frozenEnd = _logEnd;
            _live = NewDelta(_frozen.Id + 1);
            var counters = _frozen.Counters.Select(key => KeyValuePair.Create(key, _counters[key.Tenant][key])).ToArray();
            var queues = _queues.Values.Select(queue => (queue, queue.Open)).ToArray();
            return new Cut(_position, _logEnd, _records, _timers, counters, queues);
        }
    }

    private void Unfreeze()
    {
        lock (_gate)
        {
            _live = Delta.Join(_frozen!, _live, NewDelta(_live.Id + 1));
            _frozen = null;

            // Not at every commit again: a full disk does not heal that fast.
            _checkpointNotBefore = _logEnd + (_options.CheckpointLogBytes / 8);
        }
    }

    private void Stage(string name) => _options.Hooks?.CheckpointStage?.Invoke(name);

    private long WriteSlices<T>(T[] items, Action<T> write)
    {
        foreach (var slice in items.Chunk(SliceRows))
        {
            WriteSlice(slice, write);
        }

        return items.Length;
    }

    private void WriteSlice<T>(T[] slice, Action<T> write)
    {
        if (_isClosing)
        {
            throw new OperationCanceledException("The store closes.");
        }

        if (_failure is not null)
        {
            throw new OperationCanceledException("The store failed.");
        }

        lock (_tablesLock)
        {
            RunOnTables(() => Array.ForEach(slice, write));
            CheckpointTablesWal();
        }

        Stage("slice");
        _rowsWritten += slice.Length;
        if (_rowsToWrite >= _options.PacedFrom)
        {
            Pace(_rowsWritten / (double)_rowsToWrite);
        }
    }

    private void CheckpointTablesWal()
    {
        try
        {
            _tables.CheckpointWalIfLarge();
        }
        catch (StoreFullException)
        {
            // The WAL still has everything; the next attempt may find room.
        }
    }

    /// <summary>An effect that was completed meanwhile never touches the table.</summary>
    private long WriteEffects(Delta frozen)
    {
        var added = frozen.EffectsAdded.Values
            .OrderBy(e => e.Queue.Tenant).ThenBy(e => e.Queue.Name, StringComparer.Ordinal).ThenBy(e => e.Sequence)
            .ToArray();
        using var log = _logReaders.Rent();
        var rows = 0L;
        foreach (var slice in added.Chunk(SliceRows))
        {
            EffectAt[] open;
            lock (_gate)
            {
                open = Array.FindAll(slice, effect => !_live.EffectsRemoved.ContainsKey(effect.Id));
            }

            var tasks = Array.ConvertAll(open, effect => (effect, ReadTask(log.Item, effect)));
            WriteSlice(tasks, item => _tables.WriteEffect(item.effect, item.Item2));
            rows += open.Length;
        }

        return rows;
    }

    private long WriteKeys(Delta frozen)
    {
        var keys = frozen.Created.ToArray();
        Array.Sort(keys, static (left, right) =>
            left.Key.Tenant != right.Key.Tenant ? left.Key.Tenant.CompareTo(right.Key.Tenant)
            : left.Key.ObjectType != right.Key.ObjectType ? left.Key.ObjectType.CompareTo(right.Key.ObjectType)
            : string.CompareOrdinal(left.Key.Id, right.Key.Id));
        return WriteSlices(keys, key => _tables.WriteKey(key.Key, key.Value));
    }

    private long WriteSections(Delta frozen)
    {
        var latest = frozen.Sections
            .SelectMany(record => record.Value.GroupBy(s => s.Index).Select(s => (Number: record.Key, Section: s.Last())))
            .OrderBy(s => s.Number).ThenBy(s => s.Section.Index);
        var rows = 0L;
        foreach (var slice in latest.Chunk(SliceRows))
        {
            var contents = Array.ConvertAll(slice, s => (s.Number, s.Section.Index, Content: s.Section.IsRemoved ? null : ReadSection(s.Section)));
            WriteSlice(contents, s => _tables.WriteSection(s.Number, s.Index, s.Content));
            rows += slice.Length;
        }

        return rows;
    }

    /// <summary>
    /// Cut into rows from the first position on, so that a checkpoint which is written again after it was cut short writes the
    /// same keys.
    /// </summary>
    private long WriteActivity(Delta frozen)
    {
        var rows = frozen.Activity
            .SelectMany(workflow => workflow.Value.Chunk(ActivityRowPositions).Select(positions => (workflow.Key, Positions: positions)))
            .OrderBy(row => row.Key).ThenBy(row => row.Positions[0])
            .ToArray();
        var packed = new PackedWriter();
        return WriteSlices(rows, row =>
        {
            packed.Clear();
            for (var i = 1; i < row.Positions.Length; i++)
            {
                packed.Varint((ulong)(row.Positions[i] - row.Positions[i - 1]));
            }

            _tables.WriteActivity(row.Key.Tenant, row.Key.Workflow, row.Positions[0], packed.Written);
        });
    }

    private long WriteHeads(Delta frozen)
    {
        var numbers = CollectionsMarshal.AsSpan(frozen.Dirty);
        numbers.Sort();
        using var reader = _tableReaders.Rent();
        var rows = 0L;
        var slice = new List<long>(SliceRows);
        for (var i = 0; i < numbers.Length; i++)
        {
            if (i == 0 || numbers[i] != numbers[i - 1])
            {
                slice.Add(numbers[i]);
            }

            if (slice.Count == SliceRows || (i == numbers.Length - 1 && slice.Count > 0))
            {
                rows += WriteHeads(slice, reader.Item);
                slice.Clear();
            }
        }

        return rows;
    }

    /// <summary>
    /// Waits a little when the checkpoint is ahead of what makes the next one due: its processor time and its writes are spread over the time there is,
    /// as PostgreSQL spreads its own (<c>checkpoint_completion_target</c>). Not when somebody waits for it, or for the next one.
    /// </summary>
    private void Pace(double done)
    {
        double due;
        lock (_gate)
        {
            if (_isAwaited || _checkpointRequests.Count > 0)
            {
                return;
            }

            due = Due_NeedsGate(_frozenEnd);
        }

        if (done <= due / PaceTarget || _isClosing || _failure is not null)
        {
            return;
        }

        Stage("pause");
        if (_checkpointWanted.WaitOne(PaceMax))
        {
            // Somebody asks for a checkpoint, or for the end.
            _checkpointWanted.Set();
        }
    }

    private long WriteHeads(List<long> numbers, TableReader reader)
    {
        lock (_gate)
        {
            // Written already: by the checkpoint that was given up before this one, or by the one before, which took a turn that was
            // committed while it ran. Such a record is clean, so the map may have forgotten it.
            numbers.RemoveAll(IsClean_NeedsGate);
        }

        var heads = TakeHeads(numbers, reader);
        WriteSlice(heads, head => _tables.WriteHead(head.Number, head.Position, head.TurnId, head.NextDueMs, head.Packed.Span));
        lock (_gate)
        {
            _cleanings++;
            foreach (var head in heads)
            {
                ref var entry = ref _map.Find(head.Number);
                if (entry.Position == head.Position)
                {
                    entry.DirtyIn = 0;
                }
            }
        }

        return heads.Length;
    }

    private bool IsClean_NeedsGate(long number)
    {
        ref var entry = ref _map.Find(number);
        return RecordMap.IsMissing(ref entry) || entry.DirtyIn == 0;
    }

    /// <summary>Heads with their latest turns: from the source where it has them, folded from the log where it does not.</summary>
    private HeadToWrite[] TakeHeads(List<long> numbers, TableReader reader)
    {
        var copies = new DurableHead?[numbers.Count];
        if (Volatile.Read(ref _source) is { } source)
        {
            source.CopyHeadsAsync(numbers, copies, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }

        var heads = new HeadToWrite[numbers.Count];
        lock (_gate)
        {
            for (var i = 0; i < heads.Length; i++)
            {
                ref var entry = ref _map.Find(numbers[i]);
                heads[i] = new HeadToWrite(entry.Number, entry.Position, entry.TurnId, entry.NextDueMs, default);
            }
        }

        using var log = _logReaders.Rent();
        log.Item.Begin();
        reader.Begin();
        for (var i = 0; i < heads.Length; i++)
        {
            heads[i] = copies[i] is { } copy ? Copied(heads[i], copy, log.Item) : Folded(heads[i], reader, log.Item);
        }

        reader.End();
        log.Item.End();
        return heads;
    }

    /// <summary>A copy may be of another turn than the latest one by now: what the row says of it is then in that turn.</summary>
    private static HeadToWrite Copied(HeadToWrite latest, DurableHead copy, LogReader log)
    {
        if (copy.Position == latest.Position)
        {
            return latest with { Packed = copy.Head };
        }

        var header = log.Read(copy.Position, log.Frames);
        var facts = TurnFacts.Read(header.Skeleton(log.Frames.Bytes.Span));
        return facts.RecordNumber == latest.Number
            ? new HeadToWrite(latest.Number, copy.Position, facts.TurnId, facts.NextDueMs, copy.Head)
            : throw new InvalidOperationException($"The head given for record {latest.Number} is of record {facts.RecordNumber}.");
    }

    private HeadToWrite Folded(HeadToWrite latest, TableReader reader, LogReader log)
    {
        if (TryReadEvicted(latest.Number, latest.Position, out var evicted))
        {
            return latest with { Packed = evicted };
        }

        var row = reader.FindHead(latest.Number, out var head);
        return row.Position >= latest.Position
            ? new HeadToWrite(latest.Number, row.Position, row.TurnId, row.NextDueMs, head)
            : latest with { Packed = Fold(reader, log, latest.Number, row, head, latest.Position).Head };
    }

    private long WriteCut(Delta frozen, Cut cut)
    {
        lock (_tablesLock)
        {
            RunOnTables(() =>
            {
                foreach (var ((tenant, kind, id), content) in frozen.Documents)
                {
                    _tables.WriteDocument(tenant, kind, id, content);
                }

                Array.ForEach(cut.Counters, counter => _tables.WriteCounter(counter.Key, counter.Value));
                Array.ForEach(cut.Queues, queue => _tables.WriteQueue(queue.Queue, queue.Open));
                _tables.WriteMeta(MetaNames.Position, cut.Position);
                _tables.WriteMeta(MetaNames.End, cut.End);
                _tables.WriteMeta(MetaNames.Records, cut.Records);
                _tables.WriteMeta(MetaNames.Timers, cut.Timers);
            });
        }

        return frozen.Documents.Count + cut.Counters.Length + cut.Queues.Length;
    }

    /// <summary>What a checkpoint stands for, beside the frozen delta.</summary>
    private sealed record Cut(
        long Position, long End, long Records, long Timers, KeyValuePair<CounterKey, long>[] Counters, (EffectQueue Queue, long Open)[] Queues);

    private readonly record struct HeadToWrite(long Number, long Position, ulong TurnId, long NextDueMs, ReadOnlyMemory<byte> Packed);
}
