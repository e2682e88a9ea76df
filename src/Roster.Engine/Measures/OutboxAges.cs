using Roster.Core;
using Roster.Engine.Effects;
using Roster.Engine.Messages;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Engine.Measures;

/// <summary>Says since when the oldest open task or message of each tenant is open (MET-17). Thread-safe.</summary>
internal sealed class OutboxAges(IRecordStore store, Func<Outbox> outbox, Func<MessagePump> messages)
{
    private IReadOnlyDictionary<int, Timestamp> _latest = new Dictionary<int, Timestamp>();
    private int _isReading;

    /// <summary>Reads it: one entry per tenant that has something open.</summary>
    public async Task<IReadOnlyDictionary<int, Timestamp>> ReadAsync(CancellationToken cancellationToken)
    {
        var oldest = new Dictionary<int, Timestamp>();
        foreach (var queue in await store.ReadEffectQueuesAsync(cancellationToken).ConfigureAwait(false))
        {
            if (queue.Queue == DeadLetterCodec.Queue)
            {
                // Nobody waits for them.
                continue;
            }

            var since = queue.Queue == MessageCodec.Queue ? messages().OldestOpen(queue.Tenant) : Timestamp.None;
            if (since.IsNone)
            {
                since = await OldestOpenAsync(queue.Tenant, queue.Queue, cancellationToken).ConfigureAwait(false);
            }

            if (!since.IsNone && (!oldest.TryGetValue(queue.Tenant, out var other) || since < other))
            {
                oldest[queue.Tenant] = since;
            }
        }

        Volatile.Write(ref _latest, oldest);
        return oldest;
    }

    /// <summary>
    /// For those who cannot wait: what was read last, after beginning to read again. Where the store answers at once it is the present; with a
    /// store behind a network it is what the call before began to read.
    /// </summary>
    public IReadOnlyDictionary<int, Timestamp> Latest()
    {
        if (Interlocked.Exchange(ref _isReading, 1) == 0)
        {
            _ = RefreshAsync();
        }

        return Volatile.Read(ref _latest);
    }

    private async Task RefreshAsync()
    {
        try
        {
            await ReadAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // A store that cannot be read now is the business of others; whoever measures keeps what was known.
        }
        finally
        {
            Volatile.Write(ref _isReading, 0);
        }
    }

    private async ValueTask<Timestamp> OldestOpenAsync(int tenant, string queue, CancellationToken cancellationToken)
    {
        var effect = outbox().OldestInMemory(tenant, queue)
            ?? (await store.ReadEffectsAsync(tenant, queue, 0, 1, cancellationToken).ConfigureAwait(false)).FirstOrDefault();
        return effect is null ? Timestamp.None
            : queue == MessageCodec.Queue ? MessageCodec.Unpack(effect.Task).At
            : TaskCodec.Unpack(effect.Task).RequestedAt;
    }
}
