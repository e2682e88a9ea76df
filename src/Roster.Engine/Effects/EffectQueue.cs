using System.Collections.Concurrent;
using Roster.Core;
using Roster.Core.Turns;
using Roster.Engine.Delivery;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Engine.Effects;

/// <summary>The open effects of one queue of one tenant: ready, leased, or waiting for the next attempt. Thread-safe.</summary>
internal sealed class EffectQueue
{
    /// <summary>Effects in memory at most before further ones are left in the store.</summary>
    public const int WindowMax = 20_000;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<EffectId, EffectQueue> _index;
    private readonly Dictionary<EffectId, Item> _items = [];
    private readonly PriorityQueue<EffectId, long> _ready = new();
    private readonly PriorityQueue<(EffectId Id, int Attempt), Timestamp> _later = new();
    private readonly RateGate _rate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastSequence;
    private bool _hasMoreInStore = true;
    private bool _isLoading;
    private int _out;

    /// <summary>What is known of attempts that failed: few do, so the items of all others need no room for it.</summary>
    private readonly Dictionary<EffectId, List<Attempt>> _failed = [];
    private readonly HashSet<EffectId> _resent = [];
    private QueueLimits _limits;

    public EffectQueue(ConcurrentDictionary<EffectId, EffectQueue> index) => _index = index;

    public bool NeedsWindow
    {
        get
        {
            lock (_gate)
            {
                return _hasMoreInStore && !_isLoading;
            }
        }
    }

    public void Add(StoredEffect effect)
    {
        lock (_gate)
        {
            if (_isLoading || _items.Count >= WindowMax || _hasMoreInStore)
            {
                // Order: what is in the store and not here is older. It comes with a later window.
                _hasMoreInStore = true;
            }
            else
            {
                Insert(effect);
            }

            Pulse();
        }
    }

    /// <summary>Takes a dead letter in to be offered once more; false when there are too many of them already.</summary>
    public bool Resend(StoredEffect effect)
    {
        lock (_gate)
        {
            if (_items.ContainsKey(effect.Id))
            {
                return true;
            }

            if (_resent.Count >= WindowMax)
            {
                return false;
            }

            _resent.Add(effect.Id);
            _items.Add(effect.Id, new Item(effect));
            _index[effect.Id] = this;
            _ready.Enqueue(effect.Id, effect.Sequence);
            Pulse();
            return true;
        }
    }

    public void Limit(QueueLimits limits)
    {
        lock (_gate)
        {
            _limits = limits;
            Pulse();
        }
    }

    /// <summary>The store has newer ones.</summary>
    public void MarkMore()
    {
        lock (_gate)
        {
            _hasMoreInStore = true;
            Pulse();
        }
    }

    public void Remove(EffectId id)
    {
        lock (_gate)
        {
            if (_items.Remove(id, out var item))
            {
                SetOut(item, isOut: false);
                _resent.Remove(id);
                _failed.Remove(id);
            }

            _index.TryRemove(id, out _);
        }
    }

    public List<LeasedEffect> Lease(int countMax, TimeSpan leaseFor, string owner, Timestamp now)
    {
        var leased = new List<LeasedEffect>();
        lock (_gate)
        {
            MoveDue(now);
            while (leased.Count < countMax && HasRoom(now) && _ready.TryDequeue(out var id, out _))
            {
                if (!_items.TryGetValue(id, out var item) || item.IsLeased)
                {
                    continue;
                }

                if (_limits.PerSecond > 0)
                {
                    _rate.Take(_limits.PerSecond, now);
                }

                item.Attempt++;
                item.IsLeased = true;
                item.Owner = owner;
                SetOut(item, isOut: true);
                item.LeaseFor = leaseFor;
                item.Until = now.PlusMs((long)leaseFor.TotalMilliseconds);
                item.FirstTriedAt = item.FirstTriedAt.IsNone ? now : item.FirstTriedAt;
                _later.Enqueue((id, item.Attempt), item.Until);
                leased.Add(new LeasedEffect(item.Effect, item.Attempt, item.Until));
            }

            ForgetEnded();
        }

        return leased;
    }

    /// <summary>Makes the lease that an owner has just got shorter or longer; when it ends then.</summary>
    public Timestamp LeaseFor(EffectId id, TimeSpan time, string owner, Timestamp now)
    {
        lock (_gate)
        {
            var until = now.PlusMs((long)time.TotalMilliseconds);
            if (_items.TryGetValue(id, out var item) && item.IsLeased && item.Owner == owner)
            {
                var isSooner = until < item.Until;
                var isNext = !_later.TryPeek(out _, out var next) || until < next;
                item.LeaseFor = time;
                item.Until = until;
                if (isSooner)
                {
                    _later.Enqueue((id, item.Attempt), until);
                }

                // Who waits, waits for the end of what would have been next.
                if (isSooner && isNext)
                {
                    Pulse();
                }
            }

            return until;
        }
    }

    public long BeginWindow()
    {
        lock (_gate)
        {
            _isLoading = true;
            _hasMoreInStore = false;
            return _lastSequence;
        }
    }

    public void EndWindow(IReadOnlyList<StoredEffect> loaded)
    {
        lock (_gate)
        {
            _isLoading = false;
            foreach (var effect in loaded)
            {
                Insert(effect);
            }

            _hasMoreInStore |= loaded.Count >= WindowMax;
            Pulse();
        }
    }

    public void Keep(string owner, IReadOnlyCollection<EffectId>? ids, Timestamp now)
    {
        lock (_gate)
        {
            foreach (var (id, item) in _items)
            {
                if (item.IsLeased && item.Owner == owner && (ids is null || ids.Contains(id)))
                {
                    item.Until = now.PlusMs((long)item.LeaseFor.TotalMilliseconds);
                }
            }
        }
    }

    public void Release(string owner)
    {
        lock (_gate)
        {
            foreach (var (id, item) in _items)
            {
                if (item.IsLeased && item.Owner == owner)
                {
                    item.IsLeased = false;
                    SetOut(item, isOut: false);
                    _ready.Enqueue(id, item.Effect.Sequence);
                }
            }

            Pulse();
        }
    }

    public (int Attempts, Timestamp FirstTriedAt)? Attempts(EffectId id)
    {
        lock (_gate)
        {
            return _items.TryGetValue(id, out var item) ? (item.Attempt, item.FirstTriedAt) : null;
        }
    }

    /// <summary>Notes how an attempt ended and returns all that are known.</summary>
    public AttemptLog? NoteAttempt(EffectId id, Attempt attempt)
    {
        lock (_gate)
        {
            if (!_items.TryGetValue(id, out var item))
            {
                return null;
            }

            if (!_failed.TryGetValue(id, out var failed))
            {
                _failed[id] = failed = [];
            }
            else if (failed.Count >= DeadLetterCodec.AttemptsMax)
            {
                failed.RemoveAt(0);
            }

            // Most attempts fail in the same way: one text for all of them.
            var error = failed.Count > 0 && failed[^1].Error == attempt.Error ? failed[^1].Error : DeadLetterCodec.Cut(attempt.Error);
            failed.Add(attempt with { Error = error });
            return new AttemptLog(item.Attempt, item.FirstTriedAt, [.. failed], _resent.Contains(id));
        }
    }

    public bool IsResent(EffectId id)
    {
        lock (_gate)
        {
            return _resent.Contains(id);
        }
    }

    public bool Retry(EffectId id, Timestamp at)
    {
        lock (_gate)
        {
            if (!_items.TryGetValue(id, out var item))
            {
                return false;
            }

            SetOut(item, isOut: false);
            item.IsLeased = true;
            item.Owner = string.Empty;
            item.Until = at;
            _later.Enqueue((id, item.Attempt), at);
            Pulse();
            return true;
        }
    }

    public bool IsLeased(EffectId id, Timestamp now)
    {
        lock (_gate)
        {
            MoveDue(now);
            return _items.TryGetValue(id, out var item) && item.IsLeased;
        }
    }

    public long CountLeased(Timestamp now)
    {
        lock (_gate)
        {
            MoveDue(now);
            return _items.Values.Count(i => i.IsLeased);
        }
    }

    /// <summary>The oldest open effect in memory. What only the store has is newer.</summary>
    public StoredEffect? Oldest()
    {
        lock (_gate)
        {
            return _items.Values.MinBy(i => i.Effect.Sequence)?.Effect;
        }
    }

    public async Task WaitAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        Task changed;
        Timestamp until;
        var now = clock.Now();
        lock (_gate)
        {
            MoveDue(now);
            if ((_ready.Count > 0 || _hasMoreInStore) && HasRoom(now))
            {
                return;
            }

            changed = _changed.Task;
            until = _later.TryPeek(out _, out var at) ? at : Timestamp.None;
            if ((_ready.Count > 0 || _hasMoreInStore) && _limits.PerSecond > 0)
            {
                var place = now.PlusMs((long)_rate.Wait(_limits.PerSecond, now).TotalMilliseconds + 1);
                until = until.IsNone || place < until ? place : until;
            }
        }

        if (until.IsNone)
        {
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(changed, clock.DelayUntilAsync(until, stop.Token)).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private void Insert(StoredEffect effect)
    {
        if (_items.TryAdd(effect.Id, new Item(effect)))
        {
            _index[effect.Id] = this;
            _ready.Enqueue(effect.Id, effect.Sequence);
        }

        _lastSequence = Math.Max(_lastSequence, effect.Sequence);
    }

    /// <summary>Ended leases and due retries become ready again.</summary>
    private void MoveDue(Timestamp now)
    {
        while (_later.TryPeek(out var later, out var at) && at <= now)
        {
            _later.Dequeue();
            if (!_items.TryGetValue(later.Id, out var item) || !item.IsLeased || item.Attempt != later.Attempt)
            {
                continue;
            }

            if (item.Until > now)
            {
                _later.Enqueue(later, item.Until);
                continue;
            }

            item.IsLeased = false;
            SetOut(item, isOut: false);
            _ready.Enqueue(later.Id, item.Effect.Sequence);
        }
    }

    /// <summary>Whether the limits of the queue let one more out now.</summary>
    private bool HasRoom(Timestamp now) =>
        (_limits.LeasedMax == 0 || _out < _limits.LeasedMax) && (_limits.PerSecond == 0 || _rate.Wait(_limits.PerSecond, now) == TimeSpan.Zero);

    /// <summary>Counts what is out: leased, and not waiting for its next attempt.</summary>
    private void SetOut(Item item, bool isOut)
    {
        if (item.IsOut != isOut)
        {
            item.IsOut = isOut;
            _out += isOut ? 1 : -1;
            if (!isOut && _limits.LeasedMax > 0)
            {
                Pulse();
            }
        }
    }

    /// <summary>Leases of effects that were completed stay in line until they would have ended: not when they are most of it.</summary>
    private void ForgetEnded()
    {
        if (_later.Count < 1024 || _later.Count < 4 * _items.Count)
        {
            return;
        }

        var open = _later.UnorderedItems.Where(later => _items.TryGetValue(later.Element.Id, out var item) && item.Attempt == later.Element.Attempt).ToArray();
        _later.Clear();
        _later.EnqueueRange(open);
        _later.TrimExcess();
    }

    private void Pulse()
    {
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.TrySetResult();
    }

    private sealed class Item(StoredEffect effect)
    {
        public StoredEffect Effect { get; } = effect;

        public int Attempt { get; set; }

        public bool IsLeased { get; set; }

        public string Owner { get; set; } = string.Empty;

        public TimeSpan LeaseFor { get; set; }

        public Timestamp Until { get; set; }

        public Timestamp FirstTriedAt { get; set; }

        public bool IsOut { get; set; }
    }
}

/// <summary>Limits of a queue; 0 for none.</summary>
/// <param name="LeasedMax">Tasks that may be leased at once.</param>
/// <param name="PerSecond">Tasks that are handed out per second.</param>
public readonly record struct QueueLimits(int LeasedMax, int PerSecond);

/// <summary>What is known of the attempts of a task.</summary>
/// <param name="Count">Attempts since the engine started, or since it was sent again.</param>
/// <param name="FirstTriedAt">When the first of them began; none when it was not leased since.</param>
/// <param name="Latest">The newest, oldest first.</param>
/// <param name="IsResent">Whether it is a dead letter that is sent again.</param>
public sealed record AttemptLog(int Count, Timestamp FirstTriedAt, IReadOnlyList<Attempt> Latest, bool IsResent);
