using Roster.Core;
using Roster.Core.Hashing;
using Roster.Core.Turns;
using Roster.Engine.Commits;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.V1;

namespace Roster.Engine.Hosting;

/// <summary>Something for a shard to do.</summary>
internal abstract class WorkItem : ICommitWaiter
{
    /// <summary>Whose input it is, which shows how long it waits (MET-17); 0 when it is no input of a tenant.</summary>
    public virtual int Tenant => 0;

    /// <summary>
    /// Makes it as it was before it ran, so that it can run again: another process was quicker and nothing of it was written. False when it is not to run
    /// again; then it fails instead.
    /// </summary>
    public virtual bool TryReset() => false;

    /// <inheritdoc/>
    public abstract void OnCommitted(Exception? failure);
}

/// <summary>The events of a batch that belong to one shard.</summary>
internal sealed class EventSlice(IngestBatch batch, int[] indexes, Backlog backlog) : WorkItem
{
    private int _isDecided;

    public IngestBatch Batch { get; } = batch;

    public override int Tenant => Batch.Tenant;

    public int[] Indexes { get; } = indexes;

    /// <summary>How many are done: a slice may pause to load what it needs.</summary>
    public int Done { get; set; }

    /// <summary>How many of those are durable: while a slice pauses, what it did so far may be committed.</summary>
    public int Durable { get; set; }

    /// <summary>All of them are decided: they wait for the commit only.</summary>
    public void SetDecided()
    {
        if (Interlocked.Exchange(ref _isDecided, 1) == 0)
        {
            backlog.Remove(Indexes.Length);
        }
    }

    /// <summary>What is durable does not run again: its events would be duplicates of themselves.</summary>
    public override bool TryReset()
    {
        Done = Durable;
        Batch.Reset(this);
        return true;
    }

    public override void OnCommitted(Exception? failure)
    {
        SetDecided();
        Batch.SliceDone(failure);
    }
}

/// <summary>A batch on its way through the shards.</summary>
internal sealed class IngestBatch(int tenant, AdmittedEvent[] events, Hash128[] hashes, List<IndexedResult> results, Action<int> onDone)
{
    private readonly TaskCompletionSource<IReadOnlyList<IndexedResult>> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private int _open;
    private Exception? _failure;
    private int[] _refused = [];
    private EventSlice? _counts;

    public Task<IReadOnlyList<IndexedResult>> Task => _done.Task;

    public int Tenant => tenant;

    public int Slices
    {
        set => _open = value;
    }

    public ref readonly AdmittedEvent Event(int index) => ref events[index];

    public Hash128 Hash(int index) => hashes[index];

    public void AddResult(int index, in TurnResult result)
    {
        if (result.Status == TurnStatus.Applied)
        {
            return;
        }

        lock (_gate)
        {
            results.Add(new IndexedResult { Index = index, Result = Results.ToWire(result) });
        }
    }

    /// <summary>Counts what was refused before it reached a record, once, with the commit of the batch (MET-17).</summary>
    public void CountRefused(EventSlice slice, TurnBatch turns)
    {
        if (_refused.Length == 0 || Interlocked.CompareExchange(ref _counts, slice, null) is not null)
        {
            return;
        }

        foreach (var reason in _refused)
        {
            turns.Count(new CounterKey(tenant, 0, 0, CounterKind.RefusedInput, 0, reason), 1);
        }
    }

    /// <summary>Notes what was refused before it reached a record.</summary>
    public void NoteRefused() => _refused = [.. results.Select(r => (int)r.Result.Refusal.Reason)];

    /// <summary>What a slice did was not written.</summary>
    public void Reset(EventSlice slice)
    {
        Interlocked.CompareExchange(ref _counts, null, slice);
        lock (_gate)
        {
            results.RemoveAll(r => Array.BinarySearch(slice.Indexes, r.Index) is var at && at >= slice.Durable);
        }
    }

    public void SliceDone(Exception? failure)
    {
        _failure = failure ?? _failure;
        if (Interlocked.Decrement(ref _open) > 0)
        {
            return;
        }

        onDone(events.Length);
        if (_failure is null)
        {
            results.Sort(static (left, right) => left.Index.CompareTo(right.Index));
            _done.TrySetResult(results);
        }
        else
        {
            _done.TrySetException(_failure);
        }
    }
}

/// <summary>One input for one record, named by its key or its number.</summary>
internal sealed class TurnItem(int tenant, RecordKey key, Hash128 hash, long number, Func<Core.Records.RecordState, TurnInput?> input) : WorkItem
{
    private readonly TaskCompletionSource<TurnResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override int Tenant => tenant;

    public RecordKey Key { get; } = key;

    public Hash128 Hash { get; } = hash;

    public long Number { get; } = number;

    /// <summary>Makes the input once the state is at hand; null is nothing to do.</summary>
    public Func<Core.Records.RecordState, TurnInput?> Input { get; } = input;

    public TurnResult Result { get; set; }

    /// <summary>The turn time is not before this; none for no bound.</summary>
    public Core.Timestamp NotBefore { get; init; }

    /// <summary>It fails when a commit has failed beyond so many; -1 for whatever has failed.</summary>
    public int FailuresExpected { get; init; } = -1;

    public Task<TurnResult> Task => _done.Task;

    /// <summary>Whether it fails when another process was quicker: a message that somebody else delivered is not to be delivered again.</summary>
    public bool FailsOnConflict { get; init; }

    public override bool TryReset() => !FailsOnConflict;

    public override void OnCommitted(Exception? failure)
    {
        if (failure is null)
        {
            _done.TrySetResult(Result);
        }
        else
        {
            _done.TrySetException(failure);
        }
    }
}

/// <summary>Records whose timers are due.</summary>
internal sealed class TimerItem(long[] numbers, Core.Timestamp asOf, bool isManual) : WorkItem
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long[] Numbers { get; } = numbers;

    public int Done { get; set; }

    public Core.Timestamp AsOf { get; } = asOf;

    public bool IsManual { get; } = isManual;

    /// <summary>Commits that had failed when it began; null before.</summary>
    public int? FailuresAtStart { get; set; }

    public Task Task => _done.Task;

    public override bool TryReset()
    {
        Done = 0;
        FailuresAtStart = null;
        return true;
    }

    public override void OnCommitted(Exception? failure)
    {
        if (failure is null)
        {
            _done.TrySetResult();
        }
        else
        {
            _done.TrySetException(failure);
        }
    }
}

/// <summary>Nothing to do but to look for due timers.</summary>
internal sealed class WakeItem : WorkItem
{
    public static readonly WakeItem Instance = new();

    public override void OnCommitted(Exception? failure)
    {
        // Nobody waits.
    }
}

/// <summary>Reads a head as it is durable.</summary>
internal sealed class ReadItem(RecordKey key, Hash128 hash, long number) : WorkItem
{
    private readonly TaskCompletionSource<byte[]?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RecordKey Key { get; } = key;

    public Hash128 Hash { get; } = hash;

    public long Number { get; } = number;

    public byte[]? Head { get; set; }

    public Task<byte[]?> Task => _done.Task;

    public override bool TryReset() => true;

    public override void OnCommitted(Exception? failure)
    {
        if (failure is null)
        {
            _done.TrySetResult(Head);
        }
        else
        {
            _done.TrySetException(failure);
        }
    }
}

/// <summary>Done when all that the shard decided before it is durable or was taken back.</summary>
internal sealed class BarrierItem(bool isFlush = false) : WorkItem
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Task => _done.Task;

    /// <summary>What comes before it runs again first, unless the loop itself waits.</summary>
    public override bool TryReset() => !isFlush;

    public override void OnCommitted(Exception? failure) => _done.TrySetResult();
}
