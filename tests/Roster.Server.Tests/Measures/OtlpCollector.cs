using System.Collections.Concurrent;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Roster.Server.Tests.Measures;

/// <summary>
/// The receiving end of OTLP over HTTP: takes what an exporter posts and reads of it, by the field numbers of OpenTelemetry's protos, what a test asks for.
/// </summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpCollector(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public ConcurrentBag<byte[]> Metrics { get; } = [];

    public ConcurrentBag<byte[]> Traces { get; } = [];

    /// <summary>Names of metrics by their meters: ResourceMetrics 1, ScopeMetrics 2, Metric 2, name 1.</summary>
    public IEnumerable<(string Meter, string Name)> MetricNames =>
        from scope in Metrics.SelectMany(message => Fields(message, 1, 2))
        let meter = Fields(scope, 1, 1).Select(Text).SingleOrDefault(string.Empty)
        from name in Fields(scope, 2, 1).Select(Text)
        select (meter, name);

    /// <summary>Spans by their sources: ResourceSpans 1, ScopeSpans 2, Span 2; name 5, attributes 9.</summary>
    public IEnumerable<(string Source, string Name, string Attributes)> Spans =>
        from scope in Traces.SelectMany(message => Fields(message, 1, 2))
        let source = Fields(scope, 1, 1).Select(Text).SingleOrDefault(string.Empty)
        from span in Fields(scope, 2)
        select (source, Fields(span, 5).Select(Text).Single(), string.Join(' ', Fields(span, 9).Select(Attribute)));

    /// <summary>What the senders say of themselves: resource 1, attributes 1.</summary>
    public IEnumerable<string> Resources => Metrics.Concat(Traces).SelectMany(message => Fields(message, 1, 1, 1)).Select(Attribute).Distinct();

    public static async Task<OtlpCollector> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http1));
        var app = builder.Build();
        var collector = new OtlpCollector(app);
        app.MapPost("/v1/metrics", context => TakeAsync(context, collector.Metrics));
        app.MapPost("/v1/traces", context => TakeAsync(context, collector.Traces));
        await app.StartAsync(cancellationToken);
        return collector;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task TakeAsync(HttpContext context, ConcurrentBag<byte[]> into)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        into.Add(body.ToArray());

        // An empty answer of the protos: all was taken.
        context.Response.ContentType = "application/x-protobuf";
    }

    private static string Text(byte[] bytes) => System.Text.Encoding.UTF8.GetString(bytes);

    /// <summary>A KeyValue: key 1, value 2, of which string_value is 1.</summary>
    private static string Attribute(byte[] pair) => $"{Text(Fields(pair, 1).Single())}={Fields(pair, 2, 1).Select(Text).SingleOrDefault()}";

    /// <summary>The length-delimited fields at a path of field numbers.</summary>
    private static IEnumerable<byte[]> Fields(byte[] message, params int[] path)
    {
        IEnumerable<byte[]> found = [message];
        foreach (var number in path)
        {
            found = found.SelectMany(inner => Fields(inner, number));
        }

        return found;
    }

    private static List<byte[]> Fields(byte[] message, int number)
    {
        var found = new List<byte[]>();
        var input = new CodedInputStream(message);
        while (input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) == number && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
            {
                found.Add(input.ReadBytes().ToByteArray());
            }
            else
            {
                input.SkipLastField();
            }
        }

        return found;
    }
}
