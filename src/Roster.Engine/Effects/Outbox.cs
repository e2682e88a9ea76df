using System.Collections.Concurrent;
using Roster.Core;
using Roster.Engine.Commits;
using Roster.Core.Turns;
using Roster.Core.Workflows;
using Roster.Engine.Messages;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Engine.Effects;

/// <summary>A task leased to a worker.</summary>
/// <param name="Effect">The effect.</param>
/// <param name="Attempt">From 1.</param>
/// <param name="LeaseUntil">When the lease ends.</param>
public sealed record LeasedEffect(StoredEffect Effect, int Attempt, Timestamp LeaseUntil);

/// <summary>
/// Open effects, ready for workers. An effect is here only after its commit is durable, and stays until its completion is: at least
/// once, with the same key for every attempt (ACT-03). Leases are volatile in this host: after a restart everything open is
/// offered again (ERR-08).
/// </summary>
/// <remarks>Thread-safe. Bounded: each queue holds a window of the oldest effects; the rest is read from the store when the window runs low.</remarks>
public sealed class Outbox
{
    /// <summary>Dead letters of one queue that may be under way again at once.</summary>
    public const int ResentMax = EffectQueue.WindowMax;

    private readonly ConcurrentDictionary<(int Tenant, string Queue), EffectQueue> _queues = new();
    private readonly ConcurrentDictionary<EffectId, EffectQueue> _queueOf = new();
    private readonly IRecordStore _store;
    private readonly TimeProvider _clock;
    private readonly Action<EffectId>? _cancelled;
    private readonly Func<int, string, QueueLimits>? _limits;

    /// <summary>Creates an outbox over a store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancelled">Told of a withdrawn effect that nobody had leased, so that nobody will complete it (UNE-07).</param>
    /// <param name="limits">Limits of a queue of a tenant when it is first used; null for none.</param>
    public Outbox(IRecordStore store, TimeProvider clock, Action<EffectId>? cancelled = null, Func<int, string, QueueLimits>? limits = null)
    {
        _store = store;
        _clock = clock;
        _cancelled = cancelled;
        _limits = limits;
    }

    /// <summary>Called when an effect of a queue that the engine works off itself was added, or may have been: tenant and queue.</summary>
    public event Action<int, string>? OwnQueueChanged;

    /// <summary>A batch is durable: its effects may leave, and those completed are gone.</summary>
    public void OnDurable(TurnBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.EffectsAdded.Count == 0 && batch.EffectsRemoved.Count == 0)
        {
            return;
        }

        foreach (ref readonly var turn in batch.Turns)
        {
            for (var i = 0; i < turn.EffectsAdded.Count; i++)
            {
                var added = batch.EffectsAdded[turn.EffectsAdded.Start + i];
                if (IsNotOffered(added.Queue))
                {
                    continue;
                }

                if (added.Queue[0] == TaskQueues.Own)
                {
                    OwnQueueChanged?.Invoke(added.Tenant, added.Queue);
                }

                QueueOf(added.Tenant, added.Queue).Add(new StoredEffect(turn.Position + i, added.Id, added.Tenant, added.Queue, added.Task));
            }

            for (var i = 0; i < turn.EffectsRemoved.Count; i++)
            {
                var removed = batch.EffectsRemoved[turn.EffectsRemoved.Start + i];
                OnRemoved(removed, batch.EffectsWithdrawn.Contains(removed));
            }
        }
    }

    /// <summary>Some process has added effects to a queue: they are in the store.</summary>
    public void OnAdded(int tenant, string queue)
    {
        ArgumentNullException.ThrowIfNull(queue);
        if (IsNotOffered(queue))
        {
            return;
        }

        QueueOf(tenant, queue).MarkMore();
        if (queue[0] == TaskQueues.Own)
        {
            OwnQueueChanged?.Invoke(tenant, queue);
        }
    }

    /// <summary>Looks at the store again for every queue that is known.</summary>
    public void LookAgain()
    {
        foreach (var queue in _queues.Values)
        {
            queue.MarkMore();
        }
    }

    /// <summary>Some process has removed an effect.</summary>
    public void OnRemoved(EffectId id, bool isWithdrawn)
    {
        var isLeased = false;
        if (_queueOf.TryRemove(id, out var queue))
        {
            isLeased = queue.IsLeased(id, Now);
            queue.Remove(id);
        }

        if (!isLeased && isWithdrawn)
        {
            _cancelled?.Invoke(id);
        }
    }

    /// <summary>Leases up to so many effects, oldest first.</summary>
    public async Task<IReadOnlyList<LeasedEffect>> LeaseAsync(
        int tenant, string queue, int countMax, TimeSpan leaseFor, string owner, CancellationToken cancellationToken)
    {
        var target = QueueOf(tenant, queue);
        while (true)
        {
            var leased = target.Lease(countMax, leaseFor, owner, Now);
            if (leased.Count > 0 || !target.NeedsWindow)
            {
                return leased;
            }

            var after = target.BeginWindow();
            var loaded = await _store.ReadEffectsAsync(tenant, queue, after, EffectQueue.WindowMax, cancellationToken).ConfigureAwait(false);
            target.EndWindow(loaded);
            if (loaded.Count == 0)
            {
                return [];
            }
        }
    }

    /// <summary>Gives a lease that its owner has just got another length, from now on and for each time that it is kept alive (ERR-08). Returns when it ends.</summary>
    public Timestamp LeaseFor(EffectId id, TimeSpan time, string owner)
    {
        var now = Now;
        return _queueOf.TryGetValue(id, out var queue) ? queue.LeaseFor(id, time, owner, now) : now.PlusMs((long)time.TotalMilliseconds);
    }

    /// <summary>Waits until there may be something to lease.</summary>
    public Task WaitAsync(int tenant, string queue, CancellationToken cancellationToken) =>
        QueueOf(tenant, queue).WaitAsync(_clock, cancellationToken);

    /// <summary>Keeps leases alive.</summary>
    public void Keep(int tenant, string queue, string owner, IReadOnlyCollection<EffectId>? ids) => QueueOf(tenant, queue).Keep(owner, ids, Now);

    /// <summary>Gives leases of an owner back.</summary>
    public void Release(int tenant, string queue, string owner) => QueueOf(tenant, queue).Release(owner);

    /// <summary>The attempts of an effect so far and when it was first tried, or null when it is not in memory.</summary>
    public (int Attempts, Timestamp FirstTriedAt)? Attempts(EffectId id) => _queueOf.TryGetValue(id, out var queue) ? queue.Attempts(id) : null;

    /// <summary>Notes how an attempt ended; returns all attempts so far, or null when the effect is not in memory.</summary>
    public AttemptLog? NoteAttempt(EffectId id, string error) => _queueOf.TryGetValue(id, out var queue) ? queue.NoteAttempt(id, new Attempt(Now, error)) : null;

    /// <summary>Offers a dead letter once more (ERR-11); false when there are too many of them in its queue.</summary>
    public bool Resend(StoredEffect effect)
    {
        ArgumentNullException.ThrowIfNull(effect);
        var isTaken = QueueOf(effect.Tenant, effect.Queue).Resend(effect);
        if (isTaken && effect.Queue[0] == TaskQueues.Own)
        {
            OwnQueueChanged?.Invoke(effect.Tenant, effect.Queue);
        }

        return isTaken;
    }

    /// <summary>Whether an effect is a dead letter that is being sent again.</summary>
    public bool IsResent(EffectId id) => _queueOf.TryGetValue(id, out var queue) && queue.IsResent(id);

    /// <summary>Changes the limits of a queue.</summary>
    public void Limit(int tenant, string queue, QueueLimits limits) => QueueOf(tenant, queue).Limit(limits);

    /// <summary>Offers an effect again at an instant.</summary>
    public bool Retry(EffectId id, Timestamp at) => _queueOf.TryGetValue(id, out var queue) && queue.Retry(id, at);

    /// <summary>Forgets an effect that turned out not to be open any more.</summary>
    public void Drop(EffectId id)
    {
        if (_queueOf.TryRemove(id, out var queue))
        {
            queue.Remove(id);
        }
    }

    /// <summary>Effects that are leased.</summary>
    public long CountLeased(int tenant, string queue) => QueueOf(tenant, queue).CountLeased(Now);

    /// <summary>The oldest open effect of a queue, when it is in memory; null when nothing of the queue is.</summary>
    internal StoredEffect? OldestInMemory(int tenant, string queue) =>
        _queues.TryGetValue((tenant, queue), out var known) ? known.Oldest() : null;

    private Timestamp Now => _clock.Now();

    /// <summary>Messages between records have a pump of their own, and dead letters are offered to nobody.</summary>
    private static bool IsNotOffered(string queue) => queue[0] == TaskQueues.Own && queue is MessageCodec.Queue or DeadLetterCodec.Queue;

    private EffectQueue QueueOf(int tenant, string queue) => _queues.GetOrAdd(
        (tenant, queue),
        static (key, outbox) =>
        {
            var made = new EffectQueue(outbox._queueOf);
            if (outbox._limits?.Invoke(key.Tenant, key.Queue) is { } limits && limits != default)
            {
                made.Limit(limits);
            }

            return made;
        },
        this);
}
