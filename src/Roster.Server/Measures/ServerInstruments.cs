using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Roster.Server.Access;
using Roster.Server.Ingest;

namespace Roster.Server.Measures;

/// <summary>The instruments of the front door, listed in <c>docs/metrics.md</c>.</summary>
internal sealed class ServerInstruments
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Roster.Server";

    private const string MethodTag = "rpc.method";
    private const string StatusTag = "rpc.status";
    private const string ReasonTag = "reason";

    private static readonly InstrumentAdvice<double> CallBuckets = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    };

    private static readonly FrozenDictionary<StatusCode, string> StatusNames = Enum.GetValues<StatusCode>().ToFrozenDictionary(code => code, code => code.ToString());

    private readonly ConcurrentDictionary<string, KeyValuePair<string, object?>> _methods = new(StringComparer.Ordinal);
    private readonly Histogram<double> _calls;
    private readonly UpDownCounter<long> _streams;
    private readonly Counter<long> _refusals;

    /// <summary>Makes the instruments.</summary>
    public ServerInstruments(IMeterFactory meters, ServerState state, ServerOptions options, IReadOnlyList<CallGate> gates)
    {
        var meter = meters.Create(new MeterOptions(MeterName));
        _calls = meter.CreateHistogram("roster.call.duration", "s", "From the headers of a call that is no stream to its status.", null, CallBuckets);
        _streams = meter.CreateUpDownCounter<long>("roster.stream.open", "{stream}", "Streams that are open.");
        _refusals = meter.CreateCounter<long>("roster.call.refusals", "{call}", "Calls that were refused before their message was read.");
        meter.CreateObservableGauge("roster.call.room", () => gates.Sum(gate => gate.Bytes), "By", "Room that messages of calls have taken.");
        meter.CreateObservableGauge("roster.call.room_limit", () => gates.Count * options.CallBytesInFlightMax, "By", "Room that there is for messages of calls.");
        meter.CreateObservableGauge("roster.server.ready", () => state.IsReady ? 1 : 0, "1", "1 while calls are welcome.");
    }

    /// <summary>Puts the measuring before everything else.</summary>
    public void Guard(IApplicationBuilder app) =>
        app.Use(next => http => AccessGuard.MethodOf(http) is { } method ? MeasureAsync(http, method, next) : next(http));

    /// <summary>Notes a call that was refused by its headers.</summary>
    /// <param name="reason">The setting that refused it, or <c>unauthenticated</c> or <c>permission_denied</c>.</param>
    public void CountRefusal(string reason) => _refusals.Add(1, new KeyValuePair<string, object?>(ReasonTag, reason));

    private async Task MeasureAsync(HttpContext http, IMethod method, RequestDelegate next)
    {
        var name = _methods.GetOrAdd(method.FullName, static path => new KeyValuePair<string, object?>(MethodTag, path[1..]));
        var activity = NameActivity(http, name);
        if (method.Type != MethodType.Unary)
        {
            _streams.Add(1, name);
            try
            {
                await next(http);
            }
            finally
            {
                _streams.Add(-1, name);
                activity?.SetTag(StatusTag, StatusOf(http));
            }

            return;
        }

        var startedAt = Stopwatch.GetTimestamp();
        try
        {
            await next(http);
        }
        finally
        {
            var status = StatusOf(http);
            _calls.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds, name, new KeyValuePair<string, object?>(StatusTag, status));
            activity?.SetTag(StatusTag, status);
        }
    }

    /// <summary>Says in the activity of a traced call, which ASP.NET began, which call it is; null when it is not traced.</summary>
    private static Activity? NameActivity(HttpContext http, KeyValuePair<string, object?> name)
    {
        if (http.Features.Get<IHttpActivityFeature>()?.Activity is not { IsAllDataRequested: true } activity)
        {
            return null;
        }

        activity.DisplayName = (string)name.Value!;
        return activity.SetTag("rpc.system", "grpc").SetTag(name.Key, name.Value);
    }

    /// <summary>The gRPC status that went out, in headers or trailers.</summary>
    private static string StatusOf(HttpContext http)
    {
        var status = http.Response.Headers["grpc-status"].ToString();
        if (status.Length == 0 && http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers is { } trailers)
        {
            status = trailers["grpc-status"].ToString();
        }

        return int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && StatusNames.TryGetValue((StatusCode)code, out var known) ? known
            : http.RequestAborted.IsCancellationRequested ? nameof(StatusCode.Cancelled)
            : nameof(StatusCode.Unknown);
    }
}
