using Grpc.Core;
using Roster.Client;
using Roster.Engine;
using Roster.V1;
using TenantSettings = Roster.Core.Schema.TenantSettings;

namespace Roster.Server.Tests.Access;

public sealed class QuotaTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ManualClock _clock = new(Start);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LIM_02_A_call_over_calls_per_s_is_refused_with_RetryInfo_and_a_neighbours_is_not()
    {
        await using var server = await StartAsync();
        server.Engine.Settings["acme"] = new TenantSettings { CallsPerSecond = 2 };
        using var acme = server.NewClient("acme");
        using var globex = server.NewClient("globex");
        await GetAsync(acme);
        await GetAsync(acme);
        var details = RosterErrors.Read(await Assert.ThrowsAsync<RpcException>(() => GetAsync(acme)));
        Assert.Equal((StatusCode.ResourceExhausted, "calls_per_s", "OVERLOADED"), (details.Code, details.Setting, details.Reason));
        Assert.Equal(TimeSpan.FromMilliseconds(500), details.RetryAfter);
        await GetAsync(globex);
        _clock.MoveTo(Start.AddMilliseconds(500));
        await GetAsync(acme);
        await Assert.ThrowsAsync<RpcException>(() => GetAsync(acme));
    }

    [Fact]
    public async Task LIM_02_A_batch_over_turns_per_s_is_refused_whole_before_its_message_is_read()
    {
        await using var server = await StartAsync();
        server.Engine.Settings["acme"] = new TenantSettings { TurnsPerSecond = 10 };
        using var acme = server.NewClient("acme");
        await acme.Ingest.IngestAsync(Batch("a", 15), cancellationToken: Cancel);
        var details = RosterErrors.Read(await Assert.ThrowsAsync<RpcException>(async () => await acme.Ingest.IngestAsync(Batch("b", 1), cancellationToken: Cancel)));
        Assert.Equal((StatusCode.ResourceExhausted, "turns_per_s", TimeSpan.FromMilliseconds(600)), (details.Code, details.Setting, details.RetryAfter));
        var command = new EnrollRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, WorkflowId = "w", RequestId = "r" };
        Assert.Equal("turns_per_s", RosterErrors.Read(await Assert.ThrowsAsync<RpcException>(async () => await acme.Enrollments.EnrollAsync(command, cancellationToken: Cancel))).Setting);
        await GetAsync(acme);
        Assert.Equal(15, server.Engine.Ingested.Count);
        _clock.MoveTo(Start.AddMilliseconds(600));
        await acme.Ingest.IngestAsync(Batch("b", 1), cancellationToken: Cancel);
    }

    [Fact]
    public async Task LIM_02_A_stream_over_turns_per_s_is_delayed_and_a_neighbours_is_not()
    {
        await using var server = await StartAsync();
        server.Engine.Settings["acme"] = new TenantSettings { TurnsPerSecond = 10 };
        using var acme = server.NewClient("acme");
        using var globex = server.NewClient("globex");
        await using var slow = await TestStream.OpenAsync(acme, Cancel);
        await using var quick = await TestStream.OpenAsync(globex, Cancel);
        await slow.SendAsync(Ten("slow", 1));
        await slow.NextAckAsync();
        await slow.SendAsync(Ten("slow", 2));
        for (var sequence = 1UL; sequence <= 10; sequence++)
        {
            await quick.SendAsync(Ten("quick", sequence));
            await quick.NextAckAsync();
        }

        Assert.Equal(10, server.Engine.Ingested.Count(item => item.Tenant == "acme"));
        Assert.Equal(100, server.Engine.Ingested.Count(item => item.Tenant == "globex"));
        var next = slow.NextAckAsync();
        while (!next.IsCompleted)
        {
            // The stream may not have come to its wait yet: time moves when it has.
            if (_clock.NextTimer is { } due && due < Start.AddSeconds(30))
            {
                _clock.MoveTo(due);
            }

            await Task.Yield();
        }

        Assert.Equal(2UL, (await next).Sequence);
    }

    private Task<TestServer> StartAsync() => TestServer.StartAsync(options => options.RealTime = _clock, new FakeEngine(_clock));

    private static async Task GetAsync(RosterClient client) => await client.Workflows.ListWorkflowsAsync(new ListWorkflowsRequest(), cancellationToken: Cancel);

    private static IngestRequest Batch(string prefix, int count) => new() { Events = { Enumerable.Range(0, count).Select(i => TestEvents.New($"{prefix}{i}")) } };

    private static Batch Ten(string prefix, ulong sequence) =>
        new() { Sequence = sequence, Events = { Enumerable.Range(0, 10).Select(i => TestEvents.New($"{prefix}-{sequence}-{i}")) } };
}
