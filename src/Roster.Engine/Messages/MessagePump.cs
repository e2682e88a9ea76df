using Roster.Core;
using Roster.Core.Turns;
using Roster.Engine.Stores;

namespace Roster.Engine.Messages;

/// <summary>
/// Delivers messages between records (ENG-15). A message is a row of the outbox: here once its commit is durable, gone with the commit of the
/// receiver's turn. Delivery is in the order of the store, so two records see each other's messages in send order.
/// </summary>
/// <remarks>
/// Thread-safe. Bounded: a window of messages is on its way, some more wait in memory, the rest stays in the store. When a delivery fails,
/// everything on its way is awaited, and what is left is read from the store again: those that were applied are gone there.
/// </remarks>
public sealed class MessagePump : IAsyncDisposable
{
    private const int WindowMax = 2_048;
    private const int WaitingMax = 16_384;

    private readonly IRecordStore _store;
    private readonly IMessageHost _host;
    private readonly Func<CancellationToken, Task> _pause;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Lane> _lanes = [];
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource? _idle;

    /// <summary>Creates a pump.</summary>
    /// <param name="store">The store.</param>
    /// <param name="host">The host.</param>
    /// <param name="pause">Waits a little, in real time, before what failed is tried again.</param>
    public MessagePump(IRecordStore store, IMessageHost host, Func<CancellationToken, Task> pause)
    {
        _store = store;
        _host = host;
        _pause = pause;
    }

    /// <summary>Delivers what the store has from an earlier run.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var queue in await _store.ReadEffectQueuesAsync(cancellationToken).ConfigureAwait(false))
        {
            if (queue.Queue == MessageCodec.Queue)
            {
                lock (_gate)
                {
                    var lane = LaneOf(queue.Tenant);
                    lane.Newest = long.MaxValue;
                    Begin(lane);
                }
            }
        }
    }

    /// <summary>A batch is durable: its messages may leave. Called in the order of the commits.</summary>
    public void OnDurable(TurnBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.EffectsAdded.Count == 0)
        {
            return;
        }

        foreach (ref readonly var turn in batch.Turns)
        {
            for (var i = 0; i < turn.EffectsAdded.Count; i++)
            {
                var added = batch.EffectsAdded[turn.EffectsAdded.Start + i];
                if (added.Queue == MessageCodec.Queue)
                {
                    Add(new StoredEffect(turn.Position + i, added.Id, added.Tenant, added.Queue, added.Task));
                }
            }
        }
    }

    /// <summary>Some process has sent messages: they are in the store, in their order.</summary>
    public void OnAdded(int tenant)
    {
        lock (_gate)
        {
            var lane = LaneOf(tenant);
            lane.Newest = long.MaxValue;
            Begin(lane);
        }
    }

    /// <summary>Completes when no message is on its way. What is sent meanwhile is waited for too.</summary>
    public Task WhenIdleAsync()
    {
        lock (_gate)
        {
            return IsIdle ? Task.CompletedTask : (_idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>
    /// Completes when the messages of a tenant that are durable now have been delivered. What they have their receivers send is not waited for.
    /// </summary>
    public Task WhenDeliveredAsync(int tenant)
    {
        lock (_gate)
        {
            var lane = LaneOf(tenant);
            var end = lane.Newest;
            if (lane.HasDelivered(end))
            {
                return Task.CompletedTask;
            }

            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lane.Waiters.Enqueue(waiter, end);
            return waiter.Task;
        }
    }

    /// <summary>Stops: what is not delivered stays in the store.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        Task[] loads;
        lock (_gate)
        {
            loads = [.. _lanes.Values.Select(l => l.Loading)];
            foreach (var lane in _lanes.Values)
            {
                foreach (var (waiter, _) in lane.Waiters.UnorderedItems)
                {
                    waiter.TrySetCanceled(_stop.Token);
                }
            }

            _idle?.TrySetResult();
        }

        await Task.WhenAll(loads).ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>Messages on their way.</summary>
    public int InFlight
    {
        get
        {
            lock (_gate)
            {
                return _lanes.Values.Sum(l => l.InFlight);
            }
        }
    }

    /// <summary>When the oldest message of a tenant that is in memory and not delivered was sent; none when there is none in memory.</summary>
    internal Timestamp OldestOpen(int tenant)
    {
        lock (_gate)
        {
            return _lanes.TryGetValue(tenant, out var lane) ? lane.OldestOpen : Timestamp.None;
        }
    }

    private bool IsIdle => _lanes.Values.All(l => !l.IsLoading && l.InFlight == 0 && l.Waiting.Count == 0);

    private Lane LaneOf(int tenant)
    {
        if (!_lanes.TryGetValue(tenant, out var lane))
        {
            _lanes[tenant] = lane = new Lane(tenant, _host.Mark());
        }

        return lane;
    }

    private void Add(StoredEffect effect)
    {
        lock (_gate)
        {
            var lane = LaneOf(effect.Tenant);
            lane.Newest = Math.Max(lane.Newest, effect.Sequence);
            if (effect.Sequence <= lane.LastRead)
            {
                // It was read from the store already.
                return;
            }

            if (lane.IsLoading || lane.HasFailed || lane.HasMore || lane.Waiting.Count >= WaitingMax)
            {
                // Order: what is in the store and not here is older. It comes with a later window.
                lane.HasMore = true;
                Begin(lane);
                return;
            }

            lane.LastRead = effect.Sequence;
            lane.Waiting.Enqueue(effect);
            Deliver(lane);
        }
    }

    /// <summary>Gives waiting messages to their receivers as long as there is room. In the gate.</summary>
    private void Deliver(Lane lane)
    {
        while (!lane.HasFailed && lane.InFlight < WindowMax && !_stop.IsCancellationRequested && lane.Waiting.TryDequeue(out var effect))
        {
            var message = MessageCodec.Unpack(effect.Task);
            lane.Leave(effect.Sequence, message.At);
            var key = new RecordKey(effect.Tenant, message.ToType, message.ToId);
            _ = FollowAsync(lane, message, effect, _host.DeliverAsync(key, new MessageInput(message, effect.Id.RecordNumber, effect.Id.Execution), lane.Mark));
        }

        if (lane.HasMore && lane.Waiting.Count == 0 && lane.InFlight == 0)
        {
            Begin(lane);
        }
    }

    private async Task FollowAsync(Lane lane, RecordMessage message, StoredEffect effect, Task<TurnResult> delivery)
    {
        var id = effect.Id;
        var hasFailed = false;
        try
        {
            var result = await delivery.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            if (result.Status == TurnStatus.Refused)
            {
                var returned = await _host.ReturnAsync(id.RecordNumber, new MessageReturnedInput(message, id.Execution, result.Refusal?.Reason ?? RefusalReason.Internal)).ConfigureAwait(false);
                hasFailed = returned.Status != TurnStatus.Applied;
            }
            else
            {
                hasFailed = result.Status != TurnStatus.Applied;
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // The store is full, or the host stops: the message is still in the store.
            hasFailed = true;
        }

        lock (_gate)
        {
            lane.Arrive(effect.Sequence, message.At);
            if (hasFailed)
            {
                lane.HasFailed = true;
                lane.Waiting.Clear();
            }

            if (lane.HasFailed && lane.InFlight == 0)
            {
                Begin(lane);
            }
            else
            {
                Deliver(lane);
            }

            Tell(lane);
        }
    }

    /// <summary>Reads what the store has, unless that is under way or what is on its way must be awaited first. In the gate.</summary>
    private void Begin(Lane lane)
    {
        if (lane.IsLoading || _stop.IsCancellationRequested || lane.InFlight > 0 || lane.Waiting.Count > 0)
        {
            lane.HasMore = true;
            return;
        }

        lane.IsLoading = true;
        lane.Loading = Task.Run(() => LoadAsync(lane));
    }

    private async Task LoadAsync(Lane lane)
    {
        try
        {
            while (true)
            {
                bool wasFailed;
                lock (_gate)
                {
                    wasFailed = lane.HasFailed;
                }

                if (wasFailed)
                {
                    await _pause(_stop.Token).ConfigureAwait(false);
                }

                long after;
                lock (_gate)
                {
                    // Nothing is on its way: all that the store has after a failure is not delivered.
                    after = wasFailed ? 0 : lane.LastRead;
                    lane.HasFailed = false;
                    lane.HasMore = false;
                    lane.Mark = wasFailed ? _host.Mark() : lane.Mark;
                }

                IReadOnlyList<StoredEffect> loaded;
                try
                {
                    loaded = await _store.ReadEffectsAsync(lane.Tenant, MessageCodec.Queue, after, WaitingMax, _stop.Token).ConfigureAwait(false);
                }
                catch (Exception failure) when (failure is not OperationCanceledException and not OutOfMemoryException)
                {
                    lock (_gate)
                    {
                        lane.HasFailed = true;
                    }

                    continue;
                }

                lock (_gate)
                {
                    Take(lane, loaded);
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
    }

    private void Take(Lane lane, IReadOnlyList<StoredEffect> loaded)
    {
        foreach (var effect in loaded)
        {
            lane.Waiting.Enqueue(effect);
            lane.LastRead = Math.Max(lane.LastRead, effect.Sequence);
        }

        lane.HasMore |= loaded.Count >= WaitingMax;
        lane.Newest = lane.HasMore ? lane.Newest : lane.LastRead;
        lane.IsLoading = false;
        Deliver(lane);
        Tell(lane);
    }

    /// <summary>Tells those who wait. In the gate.</summary>
    private void Tell(Lane lane)
    {
        while (lane.Waiters.TryPeek(out var waiter, out var end) && lane.HasDelivered(end))
        {
            lane.Waiters.Dequeue();
            waiter.TrySetResult();
        }

        if (IsIdle)
        {
            _idle?.TrySetResult();
            _idle = null;
        }
    }

    /// <summary>The messages of one tenant.</summary>
    private sealed class Lane(int tenant, object mark)
    {
        private readonly SortedSet<(long Sequence, long AtMs)> _inFlight = [];

        public int Tenant { get; } = tenant;

        public Queue<StoredEffect> Waiting { get; } = new();

        public object Mark { get; set; } = mark;

        /// <summary>Sequence of the newest message that was taken into memory.</summary>
        public long LastRead { get; set; }

        public int InFlight => _inFlight.Count;

        /// <summary>Those who wait, by the sequence up to which they do.</summary>
        public PriorityQueue<TaskCompletionSource, long> Waiters { get; } = new();

        /// <summary>The sequence of the newest durable message; until the first read, when an earlier run left some, the greatest number.</summary>
        public long Newest { get; set; }

        /// <summary>When the oldest message in memory was sent.</summary>
        public Timestamp OldestOpen =>
            _inFlight.Count > 0 ? new Timestamp(_inFlight.Min.AtMs)
            : Waiting.TryPeek(out var first) ? MessageCodec.Unpack(first.Task).At
            : Timestamp.None;

        public void Leave(long sequence, Timestamp at) => _inFlight.Add((sequence, at.Ms));

        public void Arrive(long sequence, Timestamp at) => _inFlight.Remove((sequence, at.Ms));

        /// <summary>Whether nothing up to a sequence is left: in the store only what is newer than what was read.</summary>
        public bool HasDelivered(long sequence)
        {
            if (HasFailed || ((IsLoading || HasMore) && LastRead < sequence))
            {
                return false;
            }

            return (_inFlight.Count == 0 || _inFlight.Min.Sequence > sequence) && (!Waiting.TryPeek(out var first) || first.Sequence > sequence);
        }

        /// <summary>The store has messages that are not in memory.</summary>
        public bool HasMore { get; set; }

        /// <summary>A delivery failed: nothing more leaves until the store has been read again.</summary>
        public bool HasFailed { get; set; }

        public bool IsLoading { get; set; }

        public Task Loading { get; set; } = Task.CompletedTask;
    }
}
