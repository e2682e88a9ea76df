using System.Threading.Channels;
using Roster.Core;
using Roster.Core.Hashing;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Engine.Catalog;
using Roster.Engine.Commits;
using Roster.Engine.Erasing;
using Roster.Engine.Measures;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Engine.Hosting;

/// <summary>
/// A loop that owns a part of the records: it runs their turns one after another, so everything about one record happens in one
/// order, without locks around a record and without races (ENG-01).
/// </summary>
/// <remarks>
/// The gate guards the cache and the open batch against the committer, which takes the batch and reports back; it is never held
/// across an await. A turn may be decided on a state whose commit is in flight; replies and effects wait for their own commit. When
/// a commit fails, everything that is not durable is dropped and read again from the store.
/// </remarks>
internal sealed partial class Shard : ICommitSource
{
    private const int OpenBytesMax = 8 << 20;
    private const int OpenTurnsMax = 8_192;
    private const int SequencesReserved = 1_024;
    private const long SectionBytesMax = 32 << 20;

    private readonly Lock _gate = new();
    private readonly Channel<WorkItem> _queue = Channel.CreateUnbounded<WorkItem>(new UnboundedChannelOptions { SingleReader = true });
    private readonly IRecordStore _store;
    private readonly ErasedIds _erased;
    private readonly TenantDirectory _tenants;
    private readonly TimeProvider _clock;
    private readonly ShardMeasures _measures;
    private readonly Action _signalCommitter;
    private readonly Action<RecordState>? _beforeTurn;
    private readonly Func<Task> _refresh;
    private readonly bool _isShared;
    private readonly List<WorkItem> _again = [];
    private readonly TurnRunner _runner;
    private readonly RecordState _state = new();
    private readonly RecordCache _cache;
    private readonly SemaphoreSlim _room = new(0);
    private readonly Dictionary<long, Dictionary<int, byte[]>> _sections = [];
    private readonly List<RecordKey> _missingKeys = [];
    private readonly List<Hash128> _missingHashes = [];
    private readonly List<LoadedRecord> _loaded = [];
    private long _sectionBytes;
    private OpenBatch _open = new();
    private OpenBatch? _spare = new();
    private Task _loop = Task.CompletedTask;
    private int _failures;
    private int _conflicts;
    private int _lastFull;
    private int _againFront;
    private bool _isStale;
    private EventSlice? _running;
    private (EventSlice? Slice, int Done) _taken;
    private bool _isWaitingForRoom;
    private long _nextSequence;
    private long _sequencesLeft;

    public Shard(
        IRecordStore store,
        ErasedIds erased,
        TenantDirectory tenants,
        TimeProvider clock,
        ShardMeasures measures,
        ulong ownerEpoch,
        long cacheBytes,
        Action signalCommitter,
        Action<RecordState>? beforeTurn,
        Func<Task> refresh)
    {
        _refresh = refresh;
        _isShared = store.IsShared;
        _store = store;
        _erased = erased;
        _tenants = tenants;
        _clock = clock;
        _measures = measures;
        _signalCommitter = signalCommitter;
        _beforeTurn = beforeTurn;
        _runner = new TurnRunner(ownerEpoch, store.NeedsHeads);
        _cache = new RecordCache(cacheBytes, store.KeepHead);
    }

    /// <summary>Commits that have failed.</summary>
    public int Failures => Volatile.Read(ref _failures);

    public void Start() => _loop = Task.Run(RunAsync);

    public void Post(WorkItem item)
    {
        if (item.Tenant != 0)
        {
            _measures.OnPosted(item.Tenant);
        }

        var entry = item;
        if (item is TimerItem { IsManual: false } timers)
        {
            _due.Enqueue(timers);
            entry = WakeItem.Instance;
        }

        if (!_queue.Writer.TryWrite(entry))
        {
            DoneWaiting(item);
            item.OnCommitted(new Roster.Engine.RosterException(Roster.Engine.RosterError.Unavailable, "The engine is stopping."));
        }
    }

    /// <summary>Handles what is queued and stops.</summary>
    public Task StopAsync()
    {
        _queue.Writer.TryComplete();
        return _loop;
    }

    public OpenBatch? TakeBatch()
    {
        lock (_gate)
        {
            if (_open.IsEmpty || _spare is null)
            {
                return null;
            }

            _taken = (_running, _running?.Done ?? 0);
            var taken = _open;
            _open = _spare;
            _spare = null;
            MakeRoom();
            return taken;
        }
    }

    public void OnCommitted(OpenBatch batch)
    {
        lock (_gate)
        {
            for (var i = 0; i < batch.Slots.Count; i++)
            {
                _cache.SetDurable(batch.Slots[i], batch.Turns.Turns[i].Position);
            }

            if (_taken.Slice is { } slice)
            {
                slice.Durable = _taken.Done;
                _taken = default;
            }

            batch.Clear();
            _spare = batch;
            if (!_open.IsEmpty)
            {
                _signalCommitter();
            }
        }
    }

    public void OnFailed(OpenBatch batch, Exception failure)
    {
        ICommitWaiter[] waiters;
        lock (_gate)
        {
            _lastFull = ++_failures;
            _cache.DropPending();
            waiters = [.. batch.Waiters, .. _open.Waiters];
            batch.Clear();
            _open.Clear();
            _spare = batch;
            MakeRoom();
        }

        foreach (var waiter in waiters)
        {
            waiter.OnCommitted(failure);
        }
    }

    /// <summary>
    /// Another process was quicker. Whoever waits for what was decided goes back to the front of the line, in the same order, before the item at hand.
    /// </summary>
    public void OnConflict(OpenBatch batch, StoreConflictException conflict)
    {
        var failed = new List<WorkItem>();
        lock (_gate)
        {
            _failures++;
            _conflicts++;
            _isStale |= conflict.Tenants.Count > 0;
            _cache.DropPending();
            foreach (var number in conflict.Records)
            {
                _cache.DropStale(number);
            }

            foreach (var item in batch.Waiters.Concat(_open.Waiters).Cast<WorkItem>())
            {
                if (item.TryReset())
                {
                    _again.Insert(_againFront++, item);
                }
                else
                {
                    failed.Add(item);
                }
            }

            batch.Clear();
            _open.Clear();
            _spare = batch;
            MakeRoom();
        }

        failed.ForEach(item => item.OnCommitted(conflict));

        // The loop may be waiting for work.
        _queue.Writer.TryWrite(WakeItem.Instance);
    }

    /// <summary>Copies durable heads for a checkpoint.</summary>
    public void CopyHeads(IReadOnlyList<long> numbers, IList<DurableHead?> heads, Func<long, bool> isMine)
    {
        lock (_gate)
        {
            for (var i = 0; i < numbers.Count; i++)
            {
                if (!isMine(numbers[i]))
                {
                    continue;
                }

                var slot = _cache.Peek(numbers[i]);
                if (slot >= 0 && _cache.Pending(slot) == 0 && _cache.Position(slot) > 0)
                {
                    heads[i] = new DurableHead(_cache.Position(slot), _cache.Head(slot).ToArray());
                }
            }
        }
    }

    private void MakeRoom()
    {
        if (_isWaitingForRoom)
        {
            _isWaitingForRoom = false;
            _room.Release();
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            if (TakeAgain() is { } again)
            {
                await RunAgainAsync(again).ConfigureAwait(false);
            }
            else if (_queue.Reader.TryRead(out var item))
            {
                var turns = _runner.Decided;
                await TryRunAsync(item).ConfigureAwait(false);
                await RunDueAsync((int)Math.Clamp(_runner.Decided - turns, 1, TimersAtOnce)).ConfigureAwait(false);
            }
            else if (!_due.IsEmpty)
            {
                await RunDueAsync(TimersAtOnce).ConfigureAwait(false);
            }
            else if (!await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                if (!_isShared || !await HasMoreAsync().ConfigureAwait(false))
                {
                    return;
                }
            }
        }
    }

    /// <summary>The next item that must run again; from here on the front of that line is behind it.</summary>
    private WorkItem? TakeAgain()
    {
        if (!_isShared)
        {
            return null;
        }

        lock (_gate)
        {
            _againFront = 0;
            if (_again.Count == 0)
            {
                return null;
            }

            var item = _again[0];
            _again.RemoveAt(0);
            return item;
        }
    }

    private async Task RunAgainAsync(WorkItem item)
    {
        try
        {
            bool isStale;
            lock (_gate)
            {
                isStale = _isStale;
                _isStale = false;
            }

            if (isStale)
            {
                await _refresh().ConfigureAwait(false);
            }

            await RunAsync(item).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            // The edge of the loop, as for other items.
            item.OnCommitted(failure);
        }
    }

    /// <summary>At the end: what is in flight may have to run again.</summary>
    private async Task<bool> HasMoreAsync()
    {
        var conflicts = Volatile.Read(ref _conflicts);
        await FlushAsync().ConfigureAwait(false);
        lock (_gate)
        {
            return _again.Count > 0 || conflicts != _conflicts;
        }
    }

    private async Task TryRunAsync(WorkItem item)
    {
        try
        {
            await RunAsync(item).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            // The edge of the loop: reads failed, or a bug. The item fails; nothing of it is acknowledged.
            item.OnCommitted(failure);
        }

        DoneWaiting(item);
    }

    private void DoneWaiting(WorkItem item)
    {
        if (item.Tenant != 0)
        {
            _measures.OnDone(item.Tenant);
        }
    }

    private Task RunAsync(WorkItem item) => item switch
    {
        EventSlice slice => RunSliceAsync(slice),
        TimerItem timers => RunTimersAsync(timers, int.MaxValue),
        WakeItem => Task.CompletedTask,
        TurnItem turn => RunTurnAsync(turn),
        ReadItem read => ReadAsync(read),
        BarrierItem barrier => WaitForCommits(barrier),
        _ => throw new InvalidOperationException($"Work item {item.GetType().Name} is not known."),
    };

    private Timestamp Now => _clock.Now();

    /// <summary>Whoever finished decided turns waits with the batch that has the last of them; commits are in order.</summary>
    private void Finish(WorkItem item, int failuresAtStart)
    {
        if (failuresAtStart == _failures)
        {
            _open.Waiters.Add(item);
        }
        else if (_isShared && _lastFull <= failuresAtStart && item.TryReset())
        {
            // Others were quicker, and no more: it is decided again, after those that came before it, before those that came later.
            _again.Insert(_againFront, item);
        }
        else
        {
            item.OnCommitted(new StoreFullException("A commit failed; nothing of this is durable for sure. Send it again."));
        }
    }

    /// <summary>Commits are in order: the item waits with the batch after all that was decided before it.</summary>
    private Task WaitForCommits(BarrierItem item)
    {
        lock (_gate)
        {
            _open.Waiters.Add(item);
        }

        _signalCommitter();
        return Task.CompletedTask;
    }

    private bool HasRoom => _open.Turns.Bytes.Length < OpenBytesMax && _open.Turns.TurnCount < OpenTurnsMax;

    private Task WaitForRoomAsync()
    {
        lock (_gate)
        {
            if (HasRoom)
            {
                return Task.CompletedTask;
            }

            _isWaitingForRoom = true;
        }

        return _room.WaitAsync();
    }
}
