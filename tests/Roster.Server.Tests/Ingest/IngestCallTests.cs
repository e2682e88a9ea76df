using System.Net;
using Grpc.Core;
using Roster.Client;
using Roster.Server.Ingest;
using Roster.Server.Services;
using Roster.V1;

namespace Roster.Server.Tests.Ingest;

/// <summary>Calls of <c>Ingest</c> over real HTTP/2, more than there is room for.</summary>
public sealed class IngestCallTests
{
    private const int Limit = 64 * 1024;

    private static int _events;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_whose_deadline_passed_before_its_events_were_taken_applies_none_of_them()
    {
        // As a process finds it that was frozen between the headers and the hand-in.
        var engine = new FakeEngine();
        var api = new IngestApi(engine, new FairTurns(engine), new ServerOptions(), null!, null!, TimeProvider.System);
        var error = await Assert.ThrowsAsync<RpcException>(() => api.Ingest(Request(1), new LateCall()));
        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
        Assert.Contains("Nothing of it was", error.Status.Detail, StringComparison.Ordinal);
        Assert.Empty(engine.Ingested);
    }

    [Fact]
    public async Task A_call_too_many_is_refused_before_its_message_was_sent()
    {
        await using var full = await FullServer.StartAsync();
        var server = full.Server;
        using var http = new HttpClient();
        var body = new SilentContent();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Server.GrpcAddress, "/roster.v1.IngestService/Ingest"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal("8", Assert.Single(response.Headers.GetValues("grpc-status")));
        Assert.Contains("setting call_bytes_in_flight_max", Assert.Single(response.Headers.GetValues("grpc-message")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_client_hears_why_however_much_it_still_had_to_send()
    {
        await using var full = await FullServer.StartAsync();
        var server = full.Server;
        var large = Request(100, textBytes: 100_000);
        var calls = Enumerable.Range(0, 20).Select(_ => Assert.ThrowsAsync<RpcException>(() => server.Client.Ingest.IngestAsync(large, cancellationToken: Cancel).ResponseAsync));
        foreach (var error in await Task.WhenAll(calls))
        {
            Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
            var details = RosterErrors.Read(error);
            Assert.Equal(("OVERLOADED", "events", "call_bytes_in_flight_max"), (details.Reason, details.Path, details.Setting));
            Assert.True(int.Parse(details.Value, null) >= Limit);
            Assert.Contains($"the limit is {Limit}", details.Message, StringComparison.Ordinal);
            Assert.Equal(TimeSpan.FromSeconds(1), details.RetryAfter);
            Assert.True(RosterErrors.IsTransient(error));
        }

        Assert.Equal(1, server.Engine.HeldCount);
    }

    [Fact]
    public async Task Streams_and_other_calls_go_on_beside_refused_ones()
    {
        await using var full = await FullServer.StartAsync();
        var server = full.Server;
        await using var stream = await TestStream.OpenAsync(server.Client, Cancel);
        await stream.SendAsync(1, "e1");
        await server.Engine.WaitForHeldAsync(2, Cancel);
        server.Engine.Release(index: 1);
        Assert.Equal(1UL, (await stream.NextAckAsync()).Sequence);
        Assert.NotNull(await server.Client.Tenants.GetTenantAsync(new GetTenantRequest(), cancellationToken: Cancel));
        await Assert.ThrowsAsync<RpcException>(() => server.Client.Ingest.IngestAsync(Request(1), cancellationToken: Cancel).ResponseAsync);
        await stream.EndAsync();
    }

    [Fact]
    public async Task As_many_calls_get_in_as_there_is_room_for_and_room_comes_back()
    {
        await using var server = await TestServer.StartAsync(options => options.CallBytesInFlightMax = Limit);
        server.Engine.IsHolding = true;
        var held = new List<Task<IngestResponse>>();
        for (var i = 1; i <= 3; i++)
        {
            held.Add(server.Client.Ingest.IngestAsync(Request(1, textBytes: 17_000), cancellationToken: Cancel).ResponseAsync);
            await server.Engine.WaitForHeldAsync(i, Cancel);
        }

        // Three messages of 17,000 bytes and what a call counts beside them are in 65,536 bytes; there is no room for another call of any size.
        var more = Enumerable.Range(0, 10).Select(_ => Assert.ThrowsAsync<RpcException>(() => server.Client.Ingest.IngestAsync(Request(1), cancellationToken: Cancel).ResponseAsync));
        Assert.All(await Task.WhenAll(more), refused => Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode));
        Assert.Equal(3, server.Engine.HeldCount);
        for (var i = 0; i < 3; i++)
        {
            server.Engine.Release();
        }

        Assert.All(await Task.WhenAll(held), response => Assert.Equal(EventResult.Types.Code.Applied, Assert.Single(response.Results).Code));
        server.Engine.IsHolding = false;
        await IngestWhenThereIsRoomAsync(server, Request(1, textBytes: 17_000));
    }

    [Fact]
    public async Task Room_comes_back_from_calls_that_were_cancelled_or_failed()
    {
        await using var full = await FullServer.StartAsync();
        var server = full.Server;
        server.Engine.Fault();
        server.Engine.IsHolding = false;
        await IngestWhenThereIsRoomAsync(server, Request(1));
        server.Engine.IsHolding = true;
        using (var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Cancel))
        {
            var call = server.Client.Ingest.IngestAsync(Request(1, textBytes: 40_000), cancellationToken: cancelled.Token).ResponseAsync;
            await server.Engine.WaitForHeldAsync(1, Cancel);
            await cancelled.CancelAsync();
            Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call)).StatusCode);
        }

        // The engine still has what the cancelled call handed in: its room is given back when that is durable.
        server.Engine.IsHolding = false;
        var early = await Assert.ThrowsAsync<RpcException>(() => server.Client.Ingest.IngestAsync(Request(1, textBytes: 40_000), cancellationToken: Cancel).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, early.StatusCode);
        server.Engine.Release();
        await IngestWhenThereIsRoomAsync(server, Request(1, textBytes: 40_000));
    }

    [Fact]
    public async Task A_message_over_its_own_limit_is_still_told_so()
    {
        await using var server = await TestServer.StartAsync(options => (options.EventBytesMax, options.MessageBytesMax) = (2_000, Limit));
        var error = await Assert.ThrowsAsync<RpcException>(() => server.Client.Ingest.IngestAsync(Request(1, textBytes: Limit), cancellationToken: Cancel).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.DoesNotContain("call_bytes_in_flight_max", error.Status.Detail, StringComparison.Ordinal);
    }

    /// <summary>A caller hears of the end of its call a little before the room is given back.</summary>
    private static async Task IngestWhenThereIsRoomAsync(TestServer server, IngestRequest request)
    {
        while (true)
        {
            try
            {
                var response = await server.Client.Ingest.IngestAsync(request, cancellationToken: Cancel);
                Assert.All(response.Results, result => Assert.Equal(EventResult.Types.Code.Applied, result.Code));
                return;
            }
            catch (RpcException refused) when (refused.StatusCode == StatusCode.ResourceExhausted)
            {
                Cancel.ThrowIfCancellationRequested();
            }
        }
    }

    private static IngestRequest Request(int events, int textBytes = 10)
    {
        var request = new IngestRequest();
        for (var i = 0; i < events; i++)
        {
            var item = TestEvents.New($"call-{Interlocked.Increment(ref _events)}");
            item.Properties.Add(new PropertyValue { Name = "note", Value = new Value { Text = new string('x', textBytes) } });
            request.Events.Add(item);
        }

        return request;
    }

    /// <summary>A server whose room is taken by one call, which the engine holds.</summary>
    private sealed class FullServer(TestServer server, Task call) : IAsyncDisposable
    {
        public TestServer Server => server;

        public static async Task<FullServer> StartAsync()
        {
            var server = await TestServer.StartAsync(options => options.CallBytesInFlightMax = Limit);
            server.Engine.IsHolding = true;
            var call = server.Client.Ingest.IngestAsync(Request(1, textBytes: Limit), cancellationToken: Cancel).ResponseAsync;
            await server.Engine.WaitForHeldAsync(1, Cancel);
            return new FullServer(server, call);
        }

        public async ValueTask DisposeAsync()
        {
            while (server.Engine.HeldCount > 0)
            {
                server.Engine.Release();
            }

            await call.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await server.DisposeAsync();
        }
    }

    /// <summary>A body that never comes: the headers are sent, and then nothing.</summary>
    private sealed class SilentContent : HttpContent
    {
        public SilentContent() => Headers.TryAddWithoutValidation("Content-Type", "application/grpc");

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.FlushAsync(cancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class LateCall : ServerCallContext
    {
        protected override DateTime DeadlineCore => DateTime.UtcNow.AddSeconds(-1);

        protected override string MethodCore => "/roster.v1.IngestService/Ingest";

        protected override string HostCore => "localhost";

        protected override string PeerCore => "ipv4:127.0.0.1:1";

        protected override Metadata RequestHeadersCore => [];

        protected override CancellationToken CancellationTokenCore => CancellationToken.None;

        protected override Metadata ResponseTrailersCore => [];

        protected override Grpc.Core.Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override AuthContext AuthContextCore => new(null, []);

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
