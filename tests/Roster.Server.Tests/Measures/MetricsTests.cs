using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Roster.Engine.Access;
using Roster.Server.Measures;
using Roster.Server.Tests.Access;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Tests.Measures;

public sealed class MetricsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_streams_and_refusals_are_shown_as_text()
    {
        await using var server = await TestServer.StartAsync();
        await server.Client.Workflows.ListWorkflowsAsync(new ListWorkflowsRequest(), cancellationToken: Cancel);
        await Assert.ThrowsAsync<RpcException>(async () => await server.Client.Lists.GetListAsync(new GetListRequest { ListId = "nope" }, cancellationToken: Cancel));
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        server.Engine.IsFull = true;
        await Assert.ThrowsAsync<RpcException>(async () => await server.Client.Ingest.IngestAsync(new IngestRequest(), cancellationToken: Cancel));
        var text = await ReadAsync(server);
        Assert.Contains("roster_call_duration_seconds_count{rpc_method=\"roster.v1.WorkflowService/ListWorkflows\",rpc_status=\"OK\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("roster_call_duration_seconds_count{rpc_method=\"roster.v1.ListService/GetList\",rpc_status=\"NotFound\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("roster_stream_open{rpc_method=\"roster.v1.IngestService/Stream\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("roster_call_refusals_total{reason=\"events_in_flight_max\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("roster_server_ready 1\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE roster_call_duration_seconds histogram\n", text, StringComparison.Ordinal);
        Assert.Contains(",le=\"+Inf\"} 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MET_17_What_an_engine_measures_of_itself_is_shown_for_each_tenant()
    {
        var folder = Directory.CreateTempSubdirectory("roster-metrics-").FullName;
        try
        {
            await using var server = await RosterServer.StartAsync(new ServerOptions { DataFolder = folder, GrpcPort = 0, HttpPort = 0 }, cancellationToken: Cancel);
            using var client = new Roster.Client.RosterClient(new Roster.Client.RosterClientOptions { Address = server.GrpcAddress, Tenant = "acme" });
            await client.Ingest.IngestAsync(new IngestRequest { Events = { TestEvents.New("e1"), TestEvents.New("e1") } }, cancellationToken: Cancel);
            using var http = new HttpClient();
            var text = await http.GetStringAsync(new Uri(server.HttpAddress, "/metrics"), Cancel);
            Assert.Contains("roster_event_applied_total{roster_tenant=\"acme\"} 1\n", text, StringComparison.Ordinal);
            Assert.Contains("roster_event_duplicates_total{roster_tenant=\"acme\"} 1\n", text, StringComparison.Ordinal);
            Assert.Contains("roster_turn_duration_seconds_count{roster_tenant=\"acme\"} ", text, StringComparison.Ordinal);
            Assert.Contains("roster_store_records 1\n", text, StringComparison.Ordinal);
            Assert.Contains("roster_outbox_age_seconds{roster_tenant=\"acme\"} 0\n", text, StringComparison.Ordinal);
            AssertDocumented(text);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Metrics_need_the_right_over_the_server_when_credentials_are_required()
    {
        var key = ApiKey.New(ApiKey.NewId());
        await using var server = await AccessTestKit.StartAsync(options => options.AdminKeySha256 = Convert.ToHexString(ApiKey.Hash(key)));
        using var http = new HttpClient { BaseAddress = server.Server.HttpAddress };
        using (var without = await http.GetAsync("/metrics", Cancel))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        }

        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Make("acme", [Right.View, Right.Admin]).Key);
        using (var wrong = await http.GetAsync("/metrics", Cancel))
        {
            Assert.Equal(HttpStatusCode.Forbidden, wrong.StatusCode);
        }

        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        Assert.Contains("roster_server_ready 1\n", await http.GetStringAsync("/metrics", Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_servers_of_one_process_show_their_own_only()
    {
        await using var first = await TestServer.StartAsync();
        await using var second = await TestServer.StartAsync();
        await first.Client.Workflows.ListWorkflowsAsync(new ListWorkflowsRequest(), cancellationToken: Cancel);
        Assert.Contains("ListWorkflows", await ReadAsync(first), StringComparison.Ordinal);
        Assert.DoesNotContain("ListWorkflows", await ReadAsync(second), StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_are_escaped_and_names_follow_the_conventions()
    {
        Assert.Equal("a_b=\"x\\\\y\\\"z\\n\"", MetricSeries.Label("a.b", "x\\y\"z\n"));
        Assert.Equal("roster_event_applied_total", MetricSeries.NameOf("roster.event.applied", "{event}", isCounter: true));
        Assert.Equal("roster_queue_age_seconds", MetricSeries.NameOf("roster.queue.age", "s", isCounter: false));
        Assert.Equal("roster_call_room_bytes", MetricSeries.NameOf("roster.call.room", "By", isCounter: false));
    }

    [Fact]
    public async Task Every_instrument_of_Roster_is_documented()
    {
        var names = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            lock (names)
            {
                if (instrument.Meter.Name.StartsWith("Roster.", StringComparison.Ordinal))
                {
                    names.Add(instrument.Name);
                }
            }
        };
        listener.Start();
        await using var server = await RosterServer.StartAsync(new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0 }, cancellationToken: Cancel);
        var docs = Docs();
        lock (names)
        {
            Assert.NotEmpty(names);
            Assert.All(names.Distinct(), name => Assert.Contains($"`{name}`", docs, StringComparison.Ordinal));
        }
    }

    private static void AssertDocumented(string text)
    {
        var docs = Docs();
        foreach (var name in text.Split('\n').Where(line => line.StartsWith("# TYPE roster_", StringComparison.Ordinal)).Select(line => line.Split(' ')[2]))
        {
            Assert.Contains($"`{name}`", docs, StringComparison.Ordinal);
        }
    }

    private static async Task<string> ReadAsync(TestServer server)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync(new Uri(server.Server.HttpAddress, "/metrics"), Cancel);
    }

    internal static string Docs()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "docs", "metrics.md")))
        {
            folder = folder.Parent!;
        }

        return File.ReadAllText(Path.Combine(folder.FullName, "docs", "metrics.md"));
    }
}
