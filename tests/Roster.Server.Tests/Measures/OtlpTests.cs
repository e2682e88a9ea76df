using Roster.Client;
using Roster.V1;

namespace Roster.Server.Tests.Measures;

/// <summary>What goes to a collector over OTLP, by one that listens on this machine.</summary>
public sealed class OtlpTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MET_17_Metrics_and_traces_arrive_at_a_collector_with_the_names_that_are_documented()
    {
        await using var collector = await OtlpCollector.StartAsync(Cancel);
        var options = new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0, OtlpEndpoint = collector.Address.ToString(), TracePermille = 1_000 };
        await using (var server = await RosterServer.StartAsync(options, cancellationToken: Cancel))
        {
            using var client = new RosterClient(new RosterClientOptions { Address = server.GrpcAddress, Tenant = "traced" });
            await client.Ingest.IngestAsync(new IngestRequest { Events = { TestEvents.New("e0") } }, cancellationToken: Cancel);
            await using var stream = await TestStream.OpenAsync(client, Cancel);
            await stream.SendAsync(1, "e1", "e2", "e3");
            await stream.NextAckAsync();
            await stream.EndAsync();
        }

        // A stop sends what is left: nobody waits for the next interval.
        var names = collector.MetricNames.Where(metric => metric.Meter.StartsWith("Roster.", StringComparison.Ordinal)).Select(metric => metric.Name).Distinct().ToList();
        Assert.Contains("roster.event.applied", names);
        Assert.Contains("roster.turn.duration", names);
        Assert.Contains("roster.call.duration", names);
        Assert.Contains("roster.stream.open", names);
        Assert.All(names, name => Assert.Contains($"`{name}`", MetricsTests.Docs(), StringComparison.Ordinal));
        Assert.Contains(collector.MetricNames, metric => metric.Meter == "System.Runtime");
        var batch = Assert.Single(collector.Spans, span => span.Name == "roster.ingest.batch" && span.Attributes.Contains("roster.tenant=traced", StringComparison.Ordinal));
        Assert.Equal("Roster.Server", batch.Source);

        // A gRPC library may add tags of its own.
        string[] tags = ["rpc.system=grpc", "rpc.method=roster.v1.IngestService/Ingest", "rpc.status=OK"];
        Assert.Contains(collector.Spans, span => span is ("Microsoft.AspNetCore", "roster.v1.IngestService/Ingest", _) && tags.All(tag => span.Attributes.Split(' ').Contains(tag)));
        Assert.Contains(collector.Spans, span => span.Name == "roster.v1.IngestService/Stream");
        Assert.Contains("service.name=roster", collector.Resources);
    }

    [Fact]
    public async Task A_collector_that_is_not_there_disturbs_neither_work_nor_stop()
    {
        // Port 9 of this machine is closed.
        var options = new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0, OtlpEndpoint = "http://127.0.0.1:9", TracePermille = 1_000 };
        await using var server = await RosterServer.StartAsync(options, cancellationToken: Cancel);
        using var client = new RosterClient(new RosterClientOptions { Address = server.GrpcAddress, Tenant = "traced" });
        var response = await client.Ingest.IngestAsync(new IngestRequest { Events = { TestEvents.New("e0") } }, cancellationToken: Cancel);
        Assert.Equal(EventResult.Types.Code.Applied, Assert.Single(response.Results).Code);
    }
}
