using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Roster.Grpc.Tests.Protos;

namespace Roster.Grpc.Tests;

/// <summary>What the client makes of servers, good and bad.</summary>
public sealed class ClientBehaviourTests
{
    private const int TimeoutMs = 30_000;

    [Theory(Timeout = TimeoutMs)]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(418, StatusCode.Unknown)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    public async Task An_HTTP_status_becomes_a_grpc_status(int http, StatusCode expected)
    {
        Status status = await StatusOfAsync(context =>
        {
            context.Response.StatusCode = http;
            return Task.CompletedTask;
        });
        Assert.Equal(expected, status.StatusCode);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(0x1, StatusCode.Internal)]
    [InlineData(0x2, StatusCode.Internal)]
    [InlineData(0x3, StatusCode.Internal)]
    [InlineData(0x7, StatusCode.Unavailable)]
    [InlineData(0x8, StatusCode.Cancelled)]
    [InlineData(0xb, StatusCode.ResourceExhausted)]
    [InlineData(0xc, StatusCode.PermissionDenied)]
    public async Task A_reset_of_the_stream_becomes_a_status(int errorCode, StatusCode expected)
    {
        Status status = await StatusOfAsync(async context =>
        {
            await StartReplyAsync(context);
            context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(errorCode);
        });
        Assert.Equal(expected, status.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_reply_without_grpc_status_is_UNKNOWN()
    {
        Status status = await StatusOfAsync(StartReplyAsync);
        Assert.Equal(StatusCode.Unknown, status.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_reply_of_another_content_type_is_UNKNOWN()
    {
        Status status = await StatusOfAsync(context => context.Response.WriteAsync("hello"));
        Assert.Equal(StatusCode.Unknown, status.StatusCode);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("abc", StatusCode.Unknown)]
    [InlineData("-1", StatusCode.Unknown)]
    [InlineData("99", StatusCode.Unknown)]
    [InlineData("16", StatusCode.Unauthenticated)]
    [InlineData("05", StatusCode.NotFound)]
    public async Task A_grpc_status_that_is_no_code_is_UNKNOWN(string text, StatusCode expected)
    {
        Status status = await StatusOfAsync(context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["grpc-status"] = text;
            return Task.CompletedTask;
        });
        Assert.Equal(expected, status.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task OK_without_a_response_message_is_INTERNAL()
    {
        Status status = await StatusOfAsync(context => ReplyAsync(context, []));
        Assert.Equal(StatusCode.Internal, status.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Two_responses_to_a_unary_call_are_INTERNAL()
    {
        Status status = await StatusOfAsync(context => ReplyAsync(context, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        Assert.Equal(StatusCode.Internal, status.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_response_that_ends_within_a_message_is_INTERNAL()
    {
        Status status = await StatusOfAsync(context => ReplyAsync(context, [0, 0, 0, 0, 9, 1]));
        Assert.Equal(StatusCode.Internal, status.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_compressed_response_without_encoding_or_with_an_unknown_one_is_INTERNAL()
    {
        Assert.Equal(StatusCode.Internal, (await StatusOfAsync(context => ReplyAsync(context, [1, 0, 0, 0, 0]))).StatusCode);
        Status unknown = await StatusOfAsync(context =>
        {
            context.Response.Headers["grpc-encoding"] = "snappy";
            return ReplyAsync(context, [1, 0, 0, 0, 0]);
        });
        Assert.Equal(StatusCode.Internal, unknown.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_response_past_the_receive_limit_is_RESOURCE_EXHAUSTED()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Interop.InteropClient client = server.Client(options => options.MaxReceiveMessageSize = 1000);
        RpcException e = await Assert.ThrowsAsync<RpcException>(() =>
            client.UnaryCallAsync(new SimpleRequest { ResponseSize = 1000 }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        Assert.Contains("1003", e.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("MaxReceiveMessageSize", e.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(990, (await client.UnaryCallAsync(new SimpleRequest { ResponseSize = 990 })).Body.Length);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_request_past_the_send_limit_is_RESOURCE_EXHAUSTED_and_sent_to_nobody()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Interop.InteropClient client = server.Client(options => options.MaxSendMessageSize = 1000);
        var large = ByteString.CopyFrom(new byte[1000]);
        RpcException e = await Assert.ThrowsAsync<RpcException>(() =>
            client.UnaryCallAsync(new SimpleRequest { Body = large }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);

        using AsyncClientStreamingCall<StreamingInput, StreamingInputSummary> call = client.StreamingInputCall();
        e = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new StreamingInput { Body = large }));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        await call.RequestStream.WriteAsync(new StreamingInput { Body = ByteString.CopyFromUtf8("small") });
        await call.RequestStream.CompleteAsync();
        Assert.Equal(5, (await call).AggregatedSize);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_refused_connection_is_UNAVAILABLE_for_every_kind_of_call()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string address = $"http://{listener.LocalEndpoint}";
        listener.Stop();
        using GrpcChannel channel = GrpcChannel.ForAddress(address);
        var client = new Interop.InteropClient(channel);

        RpcException e = await Assert.ThrowsAsync<RpcException>(() => client.EmptyCallAsync(new Nothing()).ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = client.FullDuplexCall();
        e = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new StreamingOutputRequest()));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseHeadersAsync);
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_is_shut_down_or_breaks_is_UNAVAILABLE(bool saysGoAway)
    {
        using var server = new GoAwayServer(saysGoAway);
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address);
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = new Interop.InteropClient(channel).FullDuplexCall();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_server_that_ends_a_call_early_tells_the_writer_why()
    {
        await using GrpcTestServer server = await ServerBehaviourTests.StartAsync(new ServerBehaviourTests.Scripted
        {
            Duplex = async (requests, _, _) =>
            {
                await requests.MoveNext(CancellationToken.None);
                throw new RpcException(new Status(StatusCode.ResourceExhausted, "enough"));
            },
        });
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall();
        Task<bool> read = call.ResponseStream.MoveNext();
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
            {
                await call.RequestStream.WriteAsync(new StreamingOutputRequest { Body = ByteString.CopyFrom(new byte[1000]) });
            }
        });
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "enough"), e.Status);
        await Assert.ThrowsAsync<RpcException>(() => read);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_server_that_refuses_a_large_request_before_it_has_it_tells_the_client_why()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.MaxReceiveMessageSize = 100_000);
        Interop.InteropClient client = server.Client();
        var request = new SimpleRequest { Body = ByteString.CopyFrom(new byte[10_000_000]) };
        for (int i = 0; i < 5; i++)
        {
            RpcException e = await Assert.ThrowsAsync<RpcException>(() => client.UnaryCallAsync(request).ResponseAsync);
            Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
            using AsyncClientStreamingCall<StreamingInput, StreamingInputSummary> call = client.StreamingInputCall();
            e = await Assert.ThrowsAsync<RpcException>(async () =>
            {
                while (true)
                {
                    await call.RequestStream.WriteAsync(new StreamingInput { Body = request.Body });
                }
            });
            Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
            e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
            Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_deadline_in_the_past_ends_the_call_before_it_starts()
    {
        using GrpcChannel channel = GrpcChannel.ForAddress("http://127.0.0.1:1");
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            () => new Interop.InteropClient(channel).EmptyCallAsync(new Nothing(), deadline: DateTime.UnixEpoch).ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_token_that_is_cancelled_already_ends_the_call_before_it_starts()
    {
        using GrpcChannel channel = GrpcChannel.ForAddress("http://127.0.0.1:1");
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            () => new Interop.InteropClient(channel).EmptyCallAsync(new Nothing(),
                cancellationToken: new CancellationToken(true)).ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Disposing_a_call_cancels_it_on_the_server()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        AsyncClientStreamingCall<StreamingInput, StreamingInputSummary> call = server.Client().StreamingInputCall();
        await server.Signals.Started.Task;
        call.Dispose();
        Assert.IsAssignableFrom<OperationCanceledException>(await server.Signals.Failure.Task);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Disposing_the_channel_cancels_its_calls()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        GrpcChannel channel = server.Channel();
        using AsyncClientStreamingCall<StreamingInput, StreamingInputSummary> call = new Interop.InteropClient(channel).StreamingInputCall();
        await server.Signals.Started.Task;
        await channel.ShutdownAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        Assert.Throws<ObjectDisposedException>(() => channel.CreateCallInvoker());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_read_with_a_token_is_cancelled_with_the_whole_call()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall();
        using var cancellation = new CancellationTokenSource();
        Task<bool> read = call.ResponseStream.MoveNext(cancellation.Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.ResponseStream.MoveNext());
        await cancellation.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => read)).StatusCode);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_write_that_waits_for_a_server_that_does_not_read_ends_with_the_call(bool byDeadline)
    {
        await using GrpcTestServer server = await ServerBehaviourTests.StartAsync(new ServerBehaviourTests.Scripted
        {
            Duplex = (_, _, context) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken),
        });
        using var cancellation = new CancellationTokenSource();
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall(
            deadline: byDeadline ? TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(300) : null,
                cancellationToken: cancellation.Token);
        var request = new StreamingOutputRequest { Body = ByteString.CopyFrom(new byte[1_000_000]) };
        // More than all windows and buffers hold, so the writer is stuck sooner or later.
        Task write = WriteForeverAsync();
        if (!byDeadline)
        {
            await cancellation.CancelAsync();
        }

        RpcException e = await Assert.ThrowsAsync<RpcException>(() => write);
        Assert.Equal(byDeadline ? StatusCode.DeadlineExceeded : StatusCode.Cancelled, e.StatusCode);

        async Task WriteForeverAsync()
        {
            while (true)
            {
                await call.RequestStream.WriteAsync(request);
            }
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Status_and_trailers_are_not_known_before_the_end()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncClientStreamingCall<StreamingInput, StreamingInputSummary> call = server.Client().StreamingInputCall();
        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        Assert.Throws<InvalidOperationException>(() => call.GetTrailers());
        await call.RequestStream.CompleteAsync();
        await call;
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new StreamingInput()));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_request_carries_what_the_protocol_asks_for()
    {
        IHeaderDictionary? seen = null;
        byte[]? body = null;
        await using GrpcTestServer server = await RawServerAsync(async context =>
        {
            seen = new HeaderDictionary(context.Request.Headers.ToDictionary(h => h.Key, h => h.Value, StringComparer.OrdinalIgnoreCase));
            using var copy = new MemoryStream();
            await context.Request.Body.CopyToAsync(copy);
            body = copy.ToArray();
            await ReplyAsync(context, [0, 0, 0, 0, 0]);
        });
        var headers = new Metadata
        {
            { "grpc-internal-encoding-request", "gzip" },
            { "x-text", "hello world" },
            { "x-bytes-bin", [1, 2, 3, 4] },
            { "grpc-status", "7" },
            { "te", "forged" },
        };
        CallCredentials credentials = CallCredentials.Compose(
            CallCredentials.FromInterceptor((context, metadata) =>
            {
                metadata.Add("authorization", $"Bearer for {context.ServiceUrl[7..].Split('/')[1]} {context.MethodName}");
                return Task.CompletedTask;
            }),
            CallCredentials.FromInterceptor((_, metadata) =>
            {
                metadata.Add("x-second", "too");
                return Task.CompletedTask;
            }));
        var options = new CallOptions(
            headers, TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(20), credentials: credentials);
        await ServerBehaviourTests.Client(server).UnimplementedCallAsync(new Nothing(), options);

        Assert.Equal("application/grpc", seen!.ContentType);
        Assert.Equal("trailers", seen.TE);
        Assert.Equal("identity,gzip", seen["grpc-accept-encoding"]);
        Assert.Equal("gzip", seen["grpc-encoding"]);
        Assert.Matches("^(19[0-9]{6}|20000000)u$", seen["grpc-timeout"].ToString());
        Assert.StartsWith("grpc-roster/", seen.UserAgent.ToString(), StringComparison.Ordinal);
        Assert.Equal("hello world", seen["x-text"]);
        Assert.Equal("AQIDBA", seen["x-bytes-bin"]);
        Assert.Equal("Bearer for roster.grpc.tests.v1.UnimplementedService UnimplementedCall", seen.Authorization);
        Assert.Equal("too", seen["x-second"]);
        Assert.False(seen.ContainsKey("grpc-status"));
        Assert.False(seen.ContainsKey("grpc-internal-encoding-request"));
        // Gzip of nothing is not gzip for everyone, so an empty message is never compressed.
        Assert.Equal([0, 0, 0, 0, 0], body);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_compressed_call_sets_the_flag_unless_the_message_says_not_to()
    {
        var bodies = new List<byte[]>();
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(null, app => app.Run(async context =>
        {
            using var copy = new MemoryStream();
            await context.Request.Body.CopyToAsync(copy);
            bodies.Add(copy.ToArray());
            await ReplyAsync(context, [0, 0, 0, 0, 0]);
        }));
        var headers = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        var request = new SimpleRequest { Body = ByteString.CopyFrom(new byte[10_000]) };
        await server.Client().UnaryCallAsync(request, headers);
        await server.Client().UnaryCallAsync(request, new CallOptions(headers, writeOptions: new WriteOptions(WriteFlags.NoCompress)));
        Assert.Equal(1, bodies[0][0]);
        Assert.InRange(bodies[0].Length, 20, 200);
        Assert.Equal(0, bodies[1][0]);
        Assert.InRange(bodies[1].Length, 10_000, 10_100);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_response_is_compressed_only_for_a_client_that_accepts_it()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.ResponseCompressionAlgorithm = "gzip");
        byte[] request = RawCall.Frame(new SimpleRequest { ResponseSize = 10_000 });
        RawReply packed = await RawCall.SendAsync(server, RawCall.Unary, request, ("grpc-accept-encoding", "identity, gzip"));
        Assert.Equal("gzip", packed.Headers["grpc-encoding"]);
        Assert.Equal(1, packed.Body[0]);
        Assert.InRange(packed.Body.Length, 20, 200);
        RawReply plain = await RawCall.SendAsync(server, RawCall.Unary, request, ("grpc-accept-encoding", "identity,deflate"));
        Assert.False(plain.Headers.ContainsKey("grpc-encoding"));
        Assert.Equal(0, plain.Body[0]);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Client_interceptors_wrap_calls_and_add_metadata()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        CallInvoker invoker = server.Channel().Intercept(metadata =>
        {
            metadata.Add(InteropService.InitialMetadataKey, "from interceptor");
            return metadata;
        });
        using AsyncUnaryCall<SimpleResponse> call = new Interop.InteropClient(invoker).UnaryCallAsync(new SimpleRequest());
        Assert.Equal("from interceptor", (await call.ResponseHeadersAsync).GetValue(InteropService.InitialMetadataKey));
        await call;
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Headers_come_before_the_first_response_if_the_server_sends_them()
    {
        var release = new TaskCompletionSource();
        await using GrpcTestServer server = await ServerBehaviourTests.StartAsync(new ServerBehaviourTests.Scripted
        {
            Duplex = async (_, _, context) =>
            {
                await context.WriteResponseHeadersAsync(new Metadata { { "x-early", "yes" } });
                await release.Task;
                await Assert.ThrowsAsync<InvalidOperationException>(() => context.WriteResponseHeadersAsync([]));
            },
        });
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall();
        Assert.Equal("yes", (await call.ResponseHeadersAsync).GetValue("x-early"));
        release.SetResult();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Many_small_messages_and_a_large_one_keep_their_order_and_content()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall();
        int[] sizes = [.. Enumerable.Range(0, 5000).Select(i => i % 50), 4 * 1024 * 1024 - 10, 7];
        Task writer = Task.Run(async () =>
        {
            foreach (int size in sizes)
            {
                await call.RequestStream.WriteAsync(new StreamingOutputRequest
                {
                    ResponseSizes = { size },
                    Body = ByteString.CopyFrom(new byte[size % 1_000_000])
                });
            }

            await call.RequestStream.CompleteAsync();
        });
        List<int> received = await call.ResponseStream.ReadAllAsync().Select(output => output.Body.Length).ToListAsync();
        await writer;
        Assert.Equal(sizes, received);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_given_HttpClient_is_used_and_left_alone()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        for (int i = 0; i < 2; i++)
        {
            using GrpcChannel channel = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions { HttpClient = http });
            await new Interop.InteropClient(channel).EmptyCallAsync(new Nothing());
        }
    }

    [Fact]
    public void An_address_without_http_or_two_ways_to_send_are_refused()
    {
        Assert.Throws<ArgumentException>(() => GrpcChannel.ForAddress("ftp://localhost"));
        using var http = new HttpClient();
        using var handler = new SocketsHttpHandler();
        Assert.Throws<ArgumentException>(
            () => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpClient = http, HttpHandler = handler }));
    }

    [Fact]
    public void A_local_deadline_is_refused()
    {
        using GrpcChannel channel = GrpcChannel.ForAddress("http://127.0.0.1:1");
        var deadline = new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Local);
        Assert.Throws<InvalidOperationException>(() => new Interop.InteropClient(channel).EmptyCallAsync(new Nothing(),
            deadline: deadline));
    }

    private static Task<GrpcTestServer> RawServerAsync(RequestDelegate reply) =>
        GrpcTestServer.StartAsync(null, app => app.Map(ServerBehaviourTests.ScriptedPath, reply));

    private static async Task<Status> StatusOfAsync(RequestDelegate reply)
    {
        await using GrpcTestServer server = await RawServerAsync(reply);
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            () => ServerBehaviourTests.Client(server).UnimplementedCallAsync(new Nothing()).ResponseAsync);
        return e.Status;
    }

    private static async Task StartReplyAsync(HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.FlushAsync();
    }

    private static async Task ReplyAsync(HttpContext context, byte[] body)
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(body);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    /// <summary>Takes one connection, waits for the headers of a call, and then leaves: in peace with GOAWAY, or not.</summary>
    private sealed class GoAwayServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public GoAwayServer(bool saysGoAway)
        {
            _listener.Start();
            Address = $"http://{_listener.LocalEndpoint}";
            _ = ServeAsync(saysGoAway);
        }

        public string Address { get; }

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync(bool saysGoAway)
        {
            using TcpClient connection = await _listener.AcceptTcpClientAsync();
            NetworkStream stream = connection.GetStream();
            byte[] preface = new byte[24];
            await stream.ReadExactlyAsync(preface);
            // An empty SETTINGS frame.
            await stream.WriteAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 });
            byte[] header = new byte[9];
            do
            {
                await stream.ReadExactlyAsync(header);
                await stream.ReadExactlyAsync(new byte[(header[0] << 16) | (header[1] << 8) | header[2]]);
            }
            while (header[3] != 1);

            if (saysGoAway)
            {
                // GOAWAY, last stream 1, NO_ERROR.
                await stream.WriteAsync(new byte[] { 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 });
            }
        }
    }
}
