using System.Diagnostics.Metrics;

namespace Roster.Engine.Measures;

/// <summary>
/// The instruments of the engine (MET-17), listed with units and meaning in <c>docs/metrics.md</c>. Each measurement has the tag of its tenant, those of
/// deliveries also queue and outcome; none names a record.
/// </summary>
public sealed class EngineInstruments : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Roster.Engine";

    /// <summary>Tag that has the tenant's id.</summary>
    public const string TenantTag = "roster.tenant";

    private const string QueueTag = "roster.queue";
    private const string OutcomeTag = "roster.outcome";

    private static readonly InstrumentAdvice<double> TurnBuckets = new()
    {
        HistogramBucketBoundaries = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 1e-2, 0.1, 1],
    };

    private static readonly InstrumentAdvice<double> DeliveryBuckets = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    };

    private static readonly InstrumentAdvice<double> LatenessBuckets = new()
    {
        HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300, 900, 3_600, 86_400],
    };

    private readonly Meter _meter;
    private readonly Histogram<double> _deliveries;

    internal EngineInstruments(IMeterFactory? meters)
    {
        _meter = meters?.Create(new MeterOptions(MeterName)) ?? new Meter(MeterName);
        TimerLateness = _meter.CreateHistogram("roster.timer.lateness", "s", "From the instant a timer was due to the instant it fired, in time of the engine.", null, LatenessBuckets);
        TurnDuration = _meter.CreateHistogram("roster.turn.duration", "s", "Time to decide a turn, without waiting and commit.", null, TurnBuckets);
        _deliveries = _meter.CreateHistogram("roster.delivery.duration", "s", "Time of an attempt to deliver a webhook or an e-mail.", null, DeliveryBuckets);
    }

    internal Histogram<double> TimerLateness { get; }

    internal Histogram<double> TurnDuration { get; }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    /// <summary>An attempt to deliver is over.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="queue">The queue: <c>!webhook/ENDPOINT</c> or <c>!mail</c>.</param>
    /// <param name="outcome"><c>DELIVERED</c>, or the code of the failure (HIS-03).</param>
    /// <param name="duration">How long it took.</param>
    internal void OnDelivery(string tenant, string queue, string outcome, TimeSpan duration)
    {
        if (_deliveries.Enabled)
        {
            _deliveries.Record(duration.TotalSeconds, new(TenantTag, tenant), new(QueueTag, queue), new(OutcomeTag, outcome));
        }
    }

    /// <summary>Shows which receivers are left alone because they did not answer.</summary>
    internal void ObserveBreakers(Func<IEnumerable<(string Tenant, string Queue, bool IsOpen)>> read) => _meter.CreateObservableGauge(
        "roster.delivery.breaker_open",
        () => read().Select(lane => new Measurement<int>(lane.IsOpen ? 1 : 0, new(TenantTag, lane.Tenant), new(QueueTag, lane.Queue))),
        "1",
        "1 while the circuit breaker of a receiver is open.");

    internal void ObserveCount(string name, string unit, string description, Func<IEnumerable<Measurement<long>>> read) =>
        _meter.CreateObservableCounter(name, read, unit, description);

    internal void ObserveAge(string name, string description, Func<IEnumerable<Measurement<double>>> read) =>
        _meter.CreateObservableGauge(name, read, "s", description);
}
