using Roster.Engine.Delivery;
using System.Diagnostics.Metrics;

namespace Roster.Engine.Hosting;

/// <summary>Options of the embedded host.</summary>
public class HostOptions
{
    /// <summary>Default of <see cref="Shards"/>.</summary>
    public const int DefaultShards = 2;

    /// <summary>Default of <see cref="CacheBytes"/>: 256 MB.</summary>
    public const long DefaultCacheBytes = 256L << 20;

    /// <summary>Default of <see cref="EventsInFlightMax"/>.</summary>
    public const int DefaultEventsInFlightMax = 100_000;

    /// <summary>Default of <see cref="EventsWaitingMax"/>.</summary>
    public const int DefaultEventsWaitingMax = 4_000;

    /// <summary>
    /// Loops that run turns; each owns a part of the records. 1 to 64, default 2. More than there are cores only costs.
    /// </summary>
    public int Shards { get; set; } = DefaultShards;

    /// <summary>
    /// Bytes for record heads in memory, all shards together. From 1 MB, default 256 MB. More keeps more records at hand; what
    /// is not in memory is read from the store.
    /// </summary>
    public long CacheBytes { get; set; } = DefaultCacheBytes;

    /// <summary>
    /// Events that may be taken and not yet durable. 1,000 to 10,000,000, default 100,000. Beyond it batches are refused with
    /// RESOURCE_EXHAUSTED before anything of them is taken.
    /// </summary>
    public int EventsInFlightMax { get; set; } = DefaultEventsInFlightMax;

    /// <summary>
    /// Events that may wait to be decided before streams read no further (<see cref="IRosterEngine.WhenTakingAsync"/>). 100 to 10,000,000, default 4,000: some
    /// 50 milliseconds of work for two cores. More makes every event wait in memory as objects; fewer leaves shards without work.
    /// </summary>
    public int EventsWaitingMax { get; set; } = DefaultEventsWaitingMax;

    /// <summary>Webhooks and e-mails under way at once, of all tenants, which get places in turn. 1 to 10,000, default 256.</summary>
    public int DeliveriesInFlightMax { get; set; } = DeliveryPump.DefaultInFlightMax;

    /// <summary>Sends webhooks; stays the caller's to dispose, after the engine. Default: none, and webhooks stay open.</summary>
    public IWebhookTransport? Webhooks { get; set; }

    /// <summary>Sends e-mails; stays the caller's to dispose, after the engine. Default: none, and e-mails without a queue stay open.</summary>
    public IMailTransport? Mail { get; set; }

    /// <summary>What measures rates and pauses of deliveries: real time, since a manual clock stands still meanwhile.</summary>
    internal TimeProvider DeliveryTime { get; set; } = TimeProvider.System;

    /// <summary>Makes the meter of the engine's instruments (<c>docs/metrics.md</c>). Default: none, and the engine has a meter of its own.</summary>
    public IMeterFactory? Meters { get; set; }

    /// <summary>What measures turns and waiting: real time, since a manual clock stands still meanwhile.</summary>
    internal TimeProvider Stopwatch { get; set; } = TimeProvider.System;

    /// <summary>
    /// How work of the engine's own waits before it tries again what found the engine overloaded or the disk full: 100 ms of real time. Not of
    /// the engine's clock: room comes in real time, and a manual clock may be waiting for this very work.
    /// </summary>
    internal Func<CancellationToken, Task> PauseWhenOverloaded { get; set; } = token => Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, token);

    /// <summary>
    /// How a job waits before a chunk while events wait to be decided (EDT-06): 20 ms of real time, some four times what a chunk takes, so that jobs
    /// take at most a fifth of a core from live events. How often events wait is how busy the engine is.
    /// </summary>
    internal Func<CancellationToken, Task> GiveWayToEvents { get; set; } = token => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);

    /// <summary>For tests: called when the engine knows what became of an attempt to deliver.</summary>
    internal Action? DeliveryReported { get; set; }

    /// <summary>For tests: version of the zone database.</summary>
    internal string ZonesVersion { get; set; } = Core.TimeZones.Version;

    /// <summary>For tests: called when due timers were given to their shards.</summary>
    internal Action? TimersSent { get; set; }

    /// <summary>For tests: called before each turn is decided; what it throws is what a bug in a turn would throw.</summary>
    internal Action<Core.Records.RecordState>? BeforeTurn { get; set; }

    /// <summary>One sentence per option that is out of its range; empty when all are fine.</summary>
    public virtual IReadOnlyList<string> Check()
    {
        var problems = new List<string>();
        if (Shards is < 1 or > 64)
        {
            problems.Add($"Shards is {Shards}; allowed are 1 to 64.");
        }

        if (CacheBytes < 1 << 20)
        {
            problems.Add($"CacheBytes is {CacheBytes}; at least {1 << 20} are needed.");
        }

        if (EventsInFlightMax is < 1_000 or > 10_000_000)
        {
            problems.Add($"EventsInFlightMax is {EventsInFlightMax}; allowed are 1,000 to 10,000,000.");
        }

        if (EventsWaitingMax is < 100 or > 10_000_000)
        {
            problems.Add($"EventsWaitingMax is {EventsWaitingMax}; allowed are 100 to 10,000,000.");
        }

        if (DeliveriesInFlightMax is < 1 or > 10_000)
        {
            problems.Add($"DeliveriesInFlightMax is {DeliveriesInFlightMax}; allowed are 1 to 10,000.");
        }

        return problems;
    }
}
