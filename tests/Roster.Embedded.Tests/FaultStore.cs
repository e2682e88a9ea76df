using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Embedded.Tests;

/// <summary>A store that fails when it is told to. What it decorates sees only what did not fail.</summary>
internal sealed class FaultStore(IRecordStore inner) : IRecordStore
{
    private readonly HashSet<long> _fullAt = [];
    private long _fatalAt;
    private int _fullNext;
    private long _commits;

    /// <summary>Asked before each commit; waits until the task is done. Null for none.</summary>
    public Func<Task>? Gate { get; set; }

    /// <summary>Thrown by the next commit: its outcome is unknown.</summary>
    public Exception? FatalNext { get; set; }

    /// <summary>Whether every commit finds the disk full.</summary>
    public bool IsFull { get; set; }

    /// <summary>Thrown by reads of single records and keys. Null for none.</summary>
    public Exception? ReadFailure { get; set; }

    /// <summary>Sees which records are about to be loaded by number, several at once. Null for nobody.</summary>
    public Action<IReadOnlyList<long>>? OnLoadNumbers { get; set; }

    /// <summary>Answers in place of the store.</summary>
    public Func<TimerEntry, int, IReadOnlyList<TimerEntry>>? OnReadTimers { get; set; }

    /// <summary>Awaited before records are loaded by their keys.</summary>
    public Func<Task>? LoadGate { get; set; }

    /// <summary>Changes what a scan gives.</summary>
    public Func<IReadOnlyList<LoadedRecord>, IReadOnlyList<LoadedRecord>>? OnScan { get; set; }

    /// <summary>Changes what counters are.</summary>
    public Func<IReadOnlyList<KeyValuePair<CounterKey, long>>, IReadOnlyList<KeyValuePair<CounterKey, long>>>? OnReadCounters { get; set; }

    /// <summary>Changes what queues are open.</summary>
    public Func<IReadOnlyList<EffectQueueCount>, IReadOnlyList<EffectQueueCount>>? OnReadQueues { get; set; }

    /// <summary>Sees each batch that is about to be committed. Null for nobody.</summary>
    public Action<TurnBatch>? OnCommit { get; set; }

    /// <summary>Commits asked for so far.</summary>
    public long Commits => Interlocked.Read(ref _commits);

    public string Name => inner.Name;

    public bool NeedsHeads => inner.NeedsHeads;

    public StoreStatus Status => inner.Status;

    /// <summary>The next so many commits find the disk full.</summary>
    public void FailNext(int count) => Volatile.Write(ref _fullNext, count);

    /// <summary>The n-th commit from now finds the disk full.</summary>
    public void FailAt(long n) => _fullAt.Add(Commits + n);

    /// <summary>The outcome of the n-th commit from now is unknown, as when the process is killed in it.</summary>
    public void CrashAt(long n) => Volatile.Write(ref _fatalAt, Commits + n);

    public async ValueTask CommitAsync(TurnBatch batch, CancellationToken cancellationToken)
    {
        var commit = Interlocked.Increment(ref _commits);
        if (Gate is { } gate)
        {
            await gate();
        }

        if (commit == Volatile.Read(ref _fatalAt))
        {
            throw new IOException($"The process ends in commit {commit}.");
        }

        if (FatalNext is { } fatal)
        {
            FatalNext = null;
            throw fatal;
        }

        if (IsFull || _fullAt.Contains(commit) || Interlocked.Decrement(ref _fullNext) >= 0)
        {
            throw new StoreFullException($"Commit {commit} finds the disk full.");
        }

        OnCommit?.Invoke(batch);
        await inner.CommitAsync(batch, cancellationToken);
    }

    public void UseCheckpointSource(ICheckpointSource source) => inner.UseCheckpointSource(source);

    public ValueTask<long> ReserveRecordSequencesAsync(int count, CancellationToken cancellationToken) => inner.ReserveRecordSequencesAsync(count, cancellationToken);

    public async ValueTask LoadAsync(IReadOnlyList<RecordKey> keys, IList<LoadedRecord> results, CancellationToken cancellationToken)
    {
        if (LoadGate is { } gate)
        {
            await gate();
        }

        if (ReadFailure is { } failure)
        {
            throw failure;
        }

        await inner.LoadAsync(keys, results, cancellationToken);
    }

    public ValueTask<LoadedRecord> LoadAsync(long recordNumber, CancellationToken cancellationToken) =>
        ReadFailure is { } failure ? throw failure : inner.LoadAsync(recordNumber, cancellationToken);

    public ValueTask<IReadOnlyList<LoadedRecord>> LoadAsync(IReadOnlyList<long> recordNumbers, CancellationToken cancellationToken)
    {
        OnLoadNumbers?.Invoke(recordNumbers);
        return ReadFailure is { } failure ? throw failure : inner.LoadAsync(recordNumbers, cancellationToken);
    }

    public void KeepHead(long recordNumber, long position, ReadOnlySpan<byte> head) => inner.KeepHead(recordNumber, position, head);

    public ValueTask<byte[]?> LoadSectionAsync(long recordNumber, int sectionIndex, CancellationToken cancellationToken) => inner.LoadSectionAsync(recordNumber, sectionIndex, cancellationToken);

    public ValueTask<IReadOnlyList<TimerEntry>> ReadTimersAsync(TimerEntry after, int limit, CancellationToken cancellationToken) =>
        OnReadTimers is { } read ? new(read(after, limit)) : inner.ReadTimersAsync(after, limit, cancellationToken);

    public ValueTask<IReadOnlyList<StoredEffect>> ReadEffectsAsync(int tenant, string queue, long afterSequence, int limit, CancellationToken cancellationToken) =>
        inner.ReadEffectsAsync(tenant, queue, afterSequence, limit, cancellationToken);

    public async ValueTask<IReadOnlyList<EffectQueueCount>> ReadEffectQueuesAsync(CancellationToken cancellationToken)
    {
        var queues = await inner.ReadEffectQueuesAsync(cancellationToken);
        return OnReadQueues is { } change ? change(queues) : queues;
    }

    public ValueTask<IReadOnlyList<StoredTurn>> ReadTimelineAsync(long recordNumber, long beforePosition, int limit, CancellationToken cancellationToken) =>
        inner.ReadTimelineAsync(recordNumber, beforePosition, limit, cancellationToken);

    public ValueTask<IReadOnlyList<StoredTurn>> ReadJournalAsync(long afterPosition, int limit, CancellationToken cancellationToken) => inner.ReadJournalAsync(afterPosition, limit, cancellationToken);

    public ValueTask<IReadOnlyList<KeyValuePair<CounterKey, long>>?> ReadRemovedCountersAsync(int tenant, CancellationToken cancellationToken) =>
        inner.ReadRemovedCountersAsync(tenant, cancellationToken);

    public ValueTask<IReadOnlyList<StoredTurn>> ReadActivityAsync(int tenant, int workflow, long beforePosition, int limit, CancellationToken cancellationToken) =>
        inner.ReadActivityAsync(tenant, workflow, beforePosition, limit, cancellationToken);

    public async ValueTask<IReadOnlyList<LoadedRecord>> ScanRecordsAsync(long afterNumber, int limit, CancellationToken cancellationToken)
    {
        var records = await inner.ScanRecordsAsync(afterNumber, limit, cancellationToken);
        return OnScan is { } change ? change(records) : records;
    }

    public ValueTask<IReadOnlyList<StoredDocument>> ReadDocumentsAsync(CancellationToken cancellationToken) => inner.ReadDocumentsAsync(cancellationToken);

    public async ValueTask<IReadOnlyList<KeyValuePair<CounterKey, long>>> ReadCountersAsync(int tenant, CancellationToken cancellationToken)
    {
        var counters = await inner.ReadCountersAsync(tenant, cancellationToken);
        return OnReadCounters is { } change ? change(counters) : counters;
    }

    public ValueTask EraseAsync(Erasure erasure, CancellationToken cancellationToken) => inner.EraseAsync(erasure, cancellationToken);

    public ValueTask ScrubAsync(CancellationToken cancellationToken) => inner.ScrubAsync(cancellationToken);

    public ValueTask<CheckpointResult> CheckpointAsync(CancellationToken cancellationToken) => inner.CheckpointAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
