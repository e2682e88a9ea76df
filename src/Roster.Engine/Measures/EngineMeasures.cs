using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Google.Protobuf.WellKnownTypes;
using Roster.Engine.Catalog;
using Roster.Engine.Effects;
using Roster.Engine.Messages;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Engine.Measures;

/// <summary>
/// What an engine measures of itself, per tenant (MET-17): how late timers fire, how long turns take, how long the oldest input waits, how
/// old the oldest open task or message is, and counts of late writes, duplicates, refusals and loop guards.
/// </summary>
/// <remarks>Counts are those of the store and begin with it; durations begin with the process. Thread-safe.</remarks>
public sealed class EngineMeasures : IDisposable
{
    private const int PageSizeMax = 1_000;
    private const int DefaultPageSize = 100;

    private readonly ConcurrentDictionary<int, TenantCounts> _counts = new();
    private readonly TenantDirectory _tenants;
    private readonly TimeProvider _clock;
    private readonly EngineInstruments _instruments;
    private readonly OutboxAges _outboxAges;
    private readonly ShardMeasures[] _shards;

    /// <summary>Creates the measures of an engine.</summary>
    /// <param name="tenants">The tenants.</param>
    /// <param name="clock">The engine's clock: what tasks and messages are older by.</param>
    /// <param name="stopwatch">Measures turns and waiting: real time, also with a manual clock.</param>
    /// <param name="shards">Number of shards.</param>
    /// <param name="store">The store.</param>
    /// <param name="outbox">Open tasks.</param>
    /// <param name="messages">Open messages.</param>
    /// <param name="meters">Makes the meter; null for one of its own.</param>
    public EngineMeasures(
        TenantDirectory tenants, TimeProvider clock, TimeProvider stopwatch, int shards, IRecordStore store, Func<Outbox> outbox, Func<MessagePump> messages, IMeterFactory? meters)
    {
        _tenants = tenants;
        _clock = clock;
        _instruments = new EngineInstruments(meters);
        _outboxAges = new OutboxAges(store, outbox, messages);
        _shards = [.. Enumerable.Range(0, shards).Select(_ => new ShardMeasures(stopwatch, _instruments, TagOf))];
        Observe();
    }

    /// <summary>The instruments, for what is not kept here.</summary>
    internal EngineInstruments Instruments => _instruments;

    /// <summary>The measures of one shard.</summary>
    public ShardMeasures Shard(int index) => _shards[index];

    /// <summary>Counters of the store changed; at the start, this is what they are.</summary>
    public void Count(in CounterKey key, long change)
    {
        switch (key.Kind)
        {
            case CounterKind.Applied:
                Interlocked.Add(ref CountsOf(key.Tenant).Applied, change);
                break;
            case CounterKind.Duplicate:
                Interlocked.Add(ref CountsOf(key.Tenant).Duplicate, change);
                break;
            case CounterKind.Mismatch:
                Interlocked.Add(ref CountsOf(key.Tenant).Mismatch, change);
                break;
            case CounterKind.RefusedInput:
                Interlocked.Add(ref CountsOf(key.Tenant).Refused, change);
                break;
            case CounterKind.LateWrite:
                Interlocked.Add(ref CountsOf(key.Tenant).LateWrites, change);
                break;
            case var _ when IsLoopGuard(key):
                Interlocked.Add(ref CountsOf(key.Tenant).LoopGuards, change);
                break;
            default:
                break;
        }
    }

    /// <summary>Whether a counter counts trips of loop guards: turns and messages cut, enrollments ended or refused (ENG-08 to ENG-11).</summary>
    public static bool IsLoopGuard(in CounterKey key) =>
        key is { Kind: CounterKind.LoopGuard }
            or { Kind: CounterKind.Ended, Code: (int)Core.Journal.EndReason.LoopGuard }
            or { Kind: CounterKind.Refused, Code: (int)Core.Journal.Decision.LoopGuard };

    /// <summary>Reads the measures of tenants, in the order of their ids.</summary>
    /// <exception cref="RosterException">The page size is out of its range, or there is no such tenant.</exception>
    public async ValueTask<GetMeasuresResponse> ReadAsync(GetMeasuresRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.PageSize is < 0 or > PageSizeMax)
        {
            throw RosterException.Invalid("page_size", $"{request.PageSize}", $"A page has 1 to {PageSizeMax} tenants; 0 stands for {DefaultPageSize}.");
        }

        var size = request.PageSize == 0 ? DefaultPageSize : request.PageSize;
        var tenants = _tenants.All
            .Where(t => request.Tenant.Length > 0 ? t.Id == request.Tenant : string.CompareOrdinal(t.Id, request.PageToken) > 0)
            .OrderBy(t => t.Id, StringComparer.Ordinal)
            .Take(size + 1)
            .ToList();
        if (tenants.Count == 0 && request.Tenant.Length > 0)
        {
            throw new RosterException(RosterError.NotFound, $"There is no tenant {request.Tenant}.");
        }

        var outbox = await _outboxAges.ReadAsync(cancellationToken).ConfigureAwait(false);
        var response = new GetMeasuresResponse { NextPageToken = tenants.Count > size ? tenants[size - 1].Id : string.Empty };
        response.Tenants.AddRange(tenants.Take(size).Select(t => Read(t, outbox)));
        return response;
    }

    /// <inheritdoc/>
    public void Dispose() => _instruments.Dispose();

    private TenantMeasures Read(TenantOwner tenant, IReadOnlyDictionary<int, Core.Timestamp> outbox)
    {
        var (turns, lateness) = (new DurationHistogram(), new DurationHistogram());
        foreach (var shard in _shards)
        {
            shard.AddTo(tenant.Number, turns, lateness);
        }

        var counts = CountsOf(tenant.Number);
        return new TenantMeasures
        {
            Tenant = tenant.Id,
            Events = counts.ToWire(),
            LoopGuards = Interlocked.Read(ref counts.LoopGuards),
            TimerLateness = ToWire(lateness.Read()),
            TurnTime = ToWire(turns.Read()),
            QueueAge = Duration.FromTimeSpan(QueueAge(tenant.Number)),
            OutboxAge = Duration.FromTimeSpan(OutboxAge(outbox, tenant.Number)),
        };
    }

    private TimeSpan QueueAge(int tenant) => _shards.Max(s => s.QueueAge(tenant));

    private TimeSpan OutboxAge(IReadOnlyDictionary<int, Core.Timestamp> outbox, int tenant) =>
        outbox.TryGetValue(tenant, out var since)
            ? TimeSpan.FromMilliseconds(Math.Max(0, _clock.GetUtcNow().ToUnixTimeMilliseconds() - since.Ms))
            : TimeSpan.Zero;

    private void Observe()
    {
        ObserveCount("roster.event.applied", "{event}", "Events and commands applied.", counts => Interlocked.Read(ref counts.Applied));
        ObserveCount("roster.event.duplicates", "{event}", "Events and commands that were sent again.", counts => Interlocked.Read(ref counts.Duplicate));
        ObserveCount("roster.event.mismatches", "{event}", "Events and commands sent again with another content.", counts => Interlocked.Read(ref counts.Mismatch));
        ObserveCount("roster.event.refusals", "{event}", "Events and commands refused.", counts => Interlocked.Read(ref counts.Refused));
        ObserveCount("roster.event.late_writes", "{write}", "Property writes older than the value that was there.", counts => Interlocked.Read(ref counts.LateWrites));
        ObserveCount("roster.loop_guard.trips", "{trip}", "Turns and messages that a loop guard cut, enrollments that it ended or refused.", counts => Interlocked.Read(ref counts.LoopGuards));
        _instruments.ObserveAge(
            "roster.queue.age", "How long the oldest input that has not had its turn waits already.", () => Ages(t => QueueAge(t.Number)));
        _instruments.ObserveAge(
            "roster.outbox.age",
            "How long the oldest open task or message is open already, in time of the engine.",
            () =>
            {
                var since = _outboxAges.Latest();
                return Ages(t => OutboxAge(since, t.Number));
            });
    }

    private void ObserveCount(string name, string unit, string description, Func<TenantCounts, long> read) => _instruments.ObserveCount(
        name, unit, description, () => _tenants.All.Select(t => new Measurement<long>(read(CountsOf(t.Number)), CountsOf(t.Number).Tag)).ToArray());

    private Measurement<double>[] Ages(Func<TenantOwner, TimeSpan> read) =>
        [.. _tenants.All.Select(t => new Measurement<double>(read(t).TotalSeconds, CountsOf(t.Number).Tag))];

    private KeyValuePair<string, object?> TagOf(int tenant) => CountsOf(tenant).Tag;

    private TenantCounts CountsOf(int tenant) =>
        _counts.TryGetValue(tenant, out var counts)
            ? counts
            : _counts.GetOrAdd(tenant, static (number, tenants) => new TenantCounts(new(EngineInstruments.TenantTag, tenants.Get(number).Id)), _tenants);

    private static DurationSummary ToWire(Durations durations) => new()
    {
        Count = durations.Count,
        Median = Duration.FromTimeSpan(durations.Median),
        Percentile99 = Duration.FromTimeSpan(durations.Percentile99),
        Max = Duration.FromTimeSpan(durations.Max),
    };

    /// <summary>What is counted of one tenant.</summary>
    private sealed class TenantCounts(KeyValuePair<string, object?> tag)
    {
        public long Applied;
        public long Duplicate;
        public long Mismatch;
        public long Refused;
        public long LateWrites;
        public long LoopGuards;

        public KeyValuePair<string, object?> Tag { get; } = tag;

        public EventCounts ToWire() => new()
        {
            Applied = Interlocked.Read(ref Applied),
            Duplicate = Interlocked.Read(ref Duplicate),
            Mismatch = Interlocked.Read(ref Mismatch),
            Refused = Interlocked.Read(ref Refused),
            LateWrites = Interlocked.Read(ref LateWrites),
        };
    }
}
