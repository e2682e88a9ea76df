using System.Collections.Concurrent;
using Roster.Core.Workflows;
using Roster.Engine.Measures;
using Roster.Engine.Messages;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Engine.Delivery;

/// <summary>
/// Carries out the tasks that the engine sends itself: webhooks and e-mails. Delivery is outside the commit: an intent is durable before it is sent, is
/// sent at least once with the same key, and leaves the outbox with the commit of what came of it.
/// </summary>
/// <remarks>Each queue of each tenant has a lane of its own, so that one receiver that hangs holds up nobody else's; all share <see cref="FairSlots"/>.</remarks>
public sealed class DeliveryPump : IAsyncDisposable
{
    /// <summary>Attempts under way at once, of all tenants.</summary>
    public const int DefaultInFlightMax = 256;

    private readonly IDeliveryHost _host;
    private readonly TimeProvider _time;
    private readonly FairSlots _slots;
    private readonly EngineInstruments _instruments;
    private readonly ConcurrentDictionary<int, RateGate> _rates = new();
    private readonly ConcurrentDictionary<(int Tenant, string Queue), Lazy<(DeliveryLane Lane, Task Run)>> _lanes = new();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Creates a pump.</summary>
    /// <param name="host">The host.</param>
    /// <param name="inFlightMax">Attempts under way at once, of all tenants.</param>
    /// <param name="time">Measures rates and pauses: real time, since a manual clock stands still meanwhile.</param>
    /// <param name="instruments">Hear of every attempt.</param>
    public DeliveryPump(IDeliveryHost host, int inFlightMax, TimeProvider time, EngineInstruments instruments)
    {
        _instruments = instruments;
        _host = host;
        _time = time;
        _slots = new FairSlots(inFlightMax);
    }

    /// <summary>Starts: what was open before is sent, and whatever comes.</summary>
    public async Task StartAsync(IRecordStore store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        _host.Outbox.OwnQueueChanged += Ensure;
        await LookAgainAsync(store, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Looks at the store for queues that nobody told of.</summary>
    public async Task LookAgainAsync(IRecordStore store, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        foreach (var queue in await store.ReadEffectQueuesAsync(cancellationToken).ConfigureAwait(false))
        {
            if (queue.Queue[0] == TaskQueues.Own && queue.Queue is not (MessageCodec.Queue or DeadLetterCodec.Queue))
            {
                Ensure(queue.Tenant, queue.Queue);
            }
        }
    }

    /// <summary>Whether the circuit breaker of a queue is open.</summary>
    public bool IsOpen(int tenant, string queue) => _lanes.TryGetValue((tenant, queue), out var lane) && lane.Value.Lane.Breaker.IsOpen;

    /// <summary>Queues that were worked off since the start, and whether the circuit breaker of each is open.</summary>
    internal IEnumerable<(string Tenant, string Queue, bool IsOpen)> Breakers =>
        _lanes.Where(lane => lane.Value.IsValueCreated).Select(lane => (_host.Tenant(lane.Key.Tenant).Id, lane.Key.Queue, lane.Value.Value.Lane.Breaker.IsOpen));

    /// <summary>Stops: attempts under way are given up and made again after the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        _host.Outbox.OwnQueueChanged -= Ensure;
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_lanes.Values.Select(lane => lane.Value.Run)).ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Ensure(int tenant, string queue)
    {
        if (!_stop.IsCancellationRequested)
        {
            _ = _lanes.GetOrAdd((tenant, queue), static (key, pump) => new Lazy<(DeliveryLane, Task)>(() => pump.Open(key.Tenant, key.Queue)), this).Value;
        }
    }

    private (DeliveryLane Lane, Task Run) Open(int tenant, string queue)
    {
        var owner = _host.Tenant(tenant);
        var deliverer = _host.FindDeliverer(owner, queue) ?? NobodyDeliverer.Instance;
        var lane = new DeliveryLane(_host, deliverer, _slots, _rates.GetOrAdd(tenant, static _ => new RateGate()), _time, _instruments, owner, queue);
        using (ExecutionContext.SuppressFlow())
        {
            return (lane, deliverer is NobodyDeliverer ? Task.CompletedTask : Task.Run(() => lane.RunAsync(_stop.Token)));
        }
    }

    /// <summary>Stands for a queue that nobody works off here, as mail without a mail server: its tasks stay open.</summary>
    private sealed class NobodyDeliverer : IDeliverer
    {
        public static readonly NobodyDeliverer Instance = new();

        public int ConcurrencyMax => 1;

        public int PerSecond => 0;

        public Task<DeliveryOutcome> DeliverAsync(Delivery delivery, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("Nobody delivers this queue.");
    }
}
