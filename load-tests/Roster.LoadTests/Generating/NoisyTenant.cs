using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Roster.LoadTests.Measuring;
using Roster.V1;

namespace Roster.LoadTests.Generating;

/// <summary>
/// Another tenant, which has a quota and sends ten times of it: in calls, which are refused, on a connection of its own, and on a stream, which is held.
/// </summary>
internal sealed class NoisyTenant(LoadOptions options, Uri address) : IDisposable
{
    /// <summary>Its quota, in turns per second.</summary>
    public const int Quota = 1_000;

    /// <summary>What it sends, in parts of its quota.</summary>
    public const int Factor = 10;

    // Small batches: with large ones a call or two of a second would be the whole quota.
    private const int BatchEvents = 50;

    private readonly GrpcChannel _channel = GrpcChannel.ForAddress(address);
    private readonly Metadata _headers = new() { { "roster-tenant", "noisy" } };
    private readonly string _run = Guid.CreateVersion7().ToString("N")[^12..];
    private readonly Dictionary<int, EventGenerator> _generators = [];

    private readonly Meter _meter = new();
    private TimeSpan _driven;

    /// <summary>What it got through while it was sending.</summary>
    public double EventsPerSecond => _driven > TimeSpan.Zero ? _meter.Events / _driven.TotalSeconds : 0;

    /// <summary>Calls that were refused since it began.</summary>
    public long Refused { get; private set; }

    public void Dispose() => _channel.Dispose();

    /// <summary>Declares what it writes, and its quota.</summary>
    public async Task SetUpAsync()
    {
        var tenants = new TenantService.TenantServiceClient(_channel);
        var declare = new DeclarePropertiesRequest { ObjectType = "contact" };
        declare.Properties.AddRange(Enumerable.Range(0, EventGenerator.Properties).Select(i => new PropertyDefinition { Name = "p" + i, Type = PropertyType.Types.Kind.String }));
        await tenants.DeclarePropertiesAsync(declare, _headers);
        await tenants.UpdateSettingsAsync(new UpdateSettingsRequest { Settings = new TenantSettings { TurnsPerS = Quota } }, _headers);
    }

    /// <summary>Sends until told to stop.</summary>
    public async Task DriveAsync(CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var calls = new CallDriver(_channel, Generator(0), _meter) { Headers = _headers };
        var stream = new StreamDriver(_channel, options.Window) { Headers = _headers };
        await Task.WhenAll(
            calls.RunAsync(new OpenLoopSchedule(Quota * Factor, 1, 0, BatchEvents), BatchEvents, stop),
            stream.RunAsync(Batches(Generator(1), stop), (ack, latency) => _meter.Acked(ack.Events, 0, latency)));
        _driven += clock.Elapsed;
        Refused += calls.Refusals.Count;
    }

    private EventGenerator Generator(int stream) => _generators.TryGetValue(stream, out var known)
        ? known
        : _generators[stream] = new EventGenerator(options with { BatchEvents = BatchEvents }, EventMix.IngestOnly, stream, _run);

    private static IEnumerable<EncodedRequest> Batches(EventGenerator generator, CancellationToken stop)
    {
        var batch = new EncodedRequest();
        while (!stop.IsCancellationRequested)
        {
            generator.Fill(batch);
            yield return batch;
        }
    }
}
