using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Measures;

/// <summary>
/// All that a server measures, in the text format of Prometheus. It listens to the instruments that are touched rarely; how long turns take and how late timers are is
/// taken from what the engine keeps of it anyway, so that a turn costs no more because somebody reads.
/// </summary>
internal sealed class PrometheusText : IDisposable
{
    /// <summary>The content type of the text.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Instruments that are touched in every turn.</summary>
    private static readonly FrozenSet<string> Hot = new[] { "roster.turn.duration", "roster.timer.lateness" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Meters of the framework and the database driver that are shown beside Roster's own.</summary>
    private static readonly FrozenSet<string> Others = new[] { "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel", "Npgsql" }.ToFrozenSet(StringComparer.Ordinal);

    private readonly ConcurrentDictionary<Instrument, MetricSeries> _series = new();
    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly MeterListener _listener;
    private readonly IMeterFactory _meters;
    private readonly IRosterEngine _engine;

    /// <summary>Begins to listen.</summary>
    public PrometheusText(IMeterFactory meters, IRosterEngine engine)
    {
        _meters = meters;
        _engine = engine;
        _listener = new MeterListener { InstrumentPublished = Enable };
        _listener.SetMeasurementEventCallback<byte>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<short>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.Start();
    }

    /// <summary>Reads everything.</summary>
    public async Task<string> ReadAsync(CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            foreach (var series in _series.Values)
            {
                series.BeginRead();
            }

            _listener.RecordObservableInstruments();
            var text = new StringBuilder();
            foreach (var series in _series.Values.OrderBy(series => series.Name, StringComparer.Ordinal))
            {
                series.Write(text);
            }

            await WriteStoreAsync(text, cancellationToken);
            await WriteDurationsAsync(text, cancellationToken);
            return text.ToString();
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        _reading.Dispose();
    }

    private void Enable(Instrument instrument, MeterListener listener)
    {
        var meter = instrument.Meter;
        var isOurs = ReferenceEquals(meter.Scope, _meters) && (meter.Name.StartsWith("Roster.", StringComparison.Ordinal) || Others.Contains(meter.Name));
        if ((isOurs || (meter.Scope is null && Others.Contains(meter.Name))) && !Hot.Contains(instrument.Name))
        {
            listener.EnableMeasurementEvents(instrument, _series.GetOrAdd(instrument, static made => new MetricSeries(made)));
        }
    }

    private async Task WriteStoreAsync(StringBuilder text, CancellationToken cancellationToken)
    {
        var status = await _engine.GetStatusAsync(cancellationToken);
        Write("roster_store_records", "Records of the store, all tenants.", status.Records);
        Write("roster_store_timers", "Records that wait for an instant.", status.TimersPending);
        Write("roster_store_tasks", "Tasks and messages that are open.", status.EffectsOpen);
        Write("roster_store_journal_position", "Position of the newest durable turn.", status.JournalPosition);
        Write("roster_store_checkpoint_position", "Position up to which tables are written.", status.CheckpointPosition);

        void Write(string name, string help, long value)
        {
            MetricSeries.WriteHead(text, name, "gauge", help);
            MetricSeries.WriteSample(text, name, string.Empty, value);
        }
    }

    private async Task WriteDurationsAsync(StringBuilder text, CancellationToken cancellationToken)
    {
        var tenants = new List<TenantMeasures>();
        var request = new GetMeasuresRequest { PageSize = 1_000 };
        do
        {
            var page = await _engine.GetMeasuresHereAsync(request, cancellationToken);
            tenants.AddRange(page.Tenants);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        WriteSummary(text, "roster_turn_duration_seconds", "Time to decide a turn, without waiting and commit.", tenants, tenant => tenant.TurnTime);
        WriteSummary(text, "roster_timer_lateness_seconds", "From the instant a timer was due to the instant it fired, in time of the engine.", tenants, tenant => tenant.TimerLateness);
    }

    private static void WriteSummary(StringBuilder text, string name, string help, List<TenantMeasures> tenants, Func<TenantMeasures, DurationSummary?> read)
    {
        MetricSeries.WriteHead(text, name, "summary", help);
        foreach (var tenant in tenants)
        {
            var durations = read(tenant) ?? new DurationSummary();
            var label = MetricSeries.Label(Engine.Measures.EngineInstruments.TenantTag, tenant.Tenant);
            MetricSeries.WriteSample(text, name, $"{label},quantile=\"0.5\"", Seconds(durations.Median));
            MetricSeries.WriteSample(text, name, $"{label},quantile=\"0.99\"", Seconds(durations.Percentile99));
            MetricSeries.WriteSample(text, name, $"{label},quantile=\"1\"", Seconds(durations.Max));
            MetricSeries.WriteSample(text, name + "_count", label, durations.Count);
        }
    }

    private static double Seconds(Duration? duration) => duration?.ToTimeSpan().TotalSeconds ?? 0;
}
