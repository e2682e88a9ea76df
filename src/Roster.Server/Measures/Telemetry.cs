using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Roster.Engine.Measures;

namespace Roster.Server.Measures;

/// <summary>Traces and metrics sent to a collector over OTLP, when the setting <c>otlp_endpoint</c> names one. Disposing it sends what is left.</summary>
internal sealed class Telemetry : IDisposable
{
    /// <summary>Where the activities of the front door come from: one per batch of an ingest stream. Those of calls are ASP.NET's.</summary>
    public static readonly ActivitySource Source = new("Roster.Server");

    private const int TimeoutMilliseconds = 5_000;

    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;

    private Telemetry(TracerProvider traces, MeterProvider metrics)
    {
        _traces = traces;
        _metrics = metrics;
    }

    /// <summary>Begins to send; null when there is nowhere to send to.</summary>
    public static Telemetry? Start(ServerOptions options)
    {
        if (options.OtlpEndpoint.Length == 0)
        {
            return null;
        }

        var resource = ResourceBuilder.CreateDefault().AddService("roster", serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString(3));
        var traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(options.TracePermille / 1_000.0)))
            .AddSource("Microsoft.AspNetCore", Source.Name)
            .AddOtlpExporter(exporter => Configure(exporter, options, "v1/traces"))
            .Build();
        var metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(EngineInstruments.MeterName, ServerInstruments.MeterName, "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel", "Npgsql")
            .AddOtlpExporter((exporter, reader) =>
            {
                Configure(exporter, options, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 15_000;
            })
            .Build();
        return new Telemetry(traces, metrics);
    }

    /// <summary>The activity of a batch; null when nobody listens.</summary>
    public static Activity? StartBatch(string tenant, int events) => Source.HasListeners()
        ? Source.StartActivity("roster.ingest.batch")?.SetTag(EngineInstruments.TenantTag, tenant).SetTag("roster.events", events)
        : null;

    /// <summary>Sends the metrics as they are now. An engine that has stopped has no instruments any more, so its last numbers are sent before.</summary>
    public void SendMetrics() => _metrics.ForceFlush(TimeoutMilliseconds);

    /// <inheritdoc/>
    public void Dispose()
    {
        _traces.Dispose();
        _metrics.Dispose();
    }

    private static void Configure(OtlpExporterOptions exporter, ServerOptions options, string path)
    {
        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = new Uri(new Uri(options.OtlpEndpoint.EndsWith('/') ? options.OtlpEndpoint : options.OtlpEndpoint + "/"), path);
        exporter.TimeoutMilliseconds = TimeoutMilliseconds;
    }
}
