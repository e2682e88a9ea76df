using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Roster.Grpc.Tests.Protos;

namespace Roster.Grpc.Tests;

/// <summary>How a service lives in the server.</summary>
public sealed class ServerBehaviourTests
{
    private const int TimeoutMs = 30_000;

    [Theory(Timeout = TimeoutMs)]
    [InlineData(false, "Exception was thrown by handler.")]
    [InlineData(true, "Exception was thrown by handler. InvalidOperationException: secret")]
    public async Task An_unexpected_exception_is_UNKNOWN_logged_and_told_only_with_detailed_errors(bool detailed, string expected)
    {
        await using GrpcTestServer server = await StartAsync(
            new Scripted { Unary = (_, _) => throw new InvalidOperationException("secret") }, options =>
                options.EnableDetailedErrors = detailed);
        server.ErrorsAreExpected = true;
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => Client(server).UnimplementedCallAsync(new Nothing()).ResponseAsync);
        Assert.Equal(new Status(StatusCode.Unknown, expected), e.Status);
        Assert.Contains("secret", Assert.Single(server.Errors), StringComparison.Ordinal);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Rich_error_details_pass_in_the_trailers_of_an_exception()
    {
        byte[] details = [8, 3, 18, 1, 120];
        var trailers = new Metadata { { "grpc-status-details-bin", details }, { "x-more", "yes" } };
        await using GrpcTestServer server = await StartAsync(new Scripted
        {
            Unary = (_, context) =>
            {
                context.ResponseTrailers.Add("x-from-context", "also");
                throw new RpcException(new Status(StatusCode.InvalidArgument, "x"), trailers);
            },
        });
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => Client(server).UnimplementedCallAsync(new Nothing()).ResponseAsync);
        Assert.Equal(details, e.Trailers.GetValueBytes("grpc-status-details-bin"));
        Assert.Equal("yes", e.Trailers.GetValue("x-more"));
        Assert.Equal("also", e.Trailers.GetValue("x-from-context"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_status_set_on_the_context_ends_the_call_with_it()
    {
        await using GrpcTestServer server = await StartAsync(new Scripted
        {
            Unary = (_, context) =>
            {
                context.Status = new Status(StatusCode.NotFound, "nobody");
                return Task.FromResult<Nothing>(null!);
            },
        });
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => Client(server).UnimplementedCallAsync(new Nothing()).ResponseAsync);
        Assert.Equal(new Status(StatusCode.NotFound, "nobody"), e.Status);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Names_that_the_protocol_owns_are_not_taken_from_metadata()
    {
        Metadata? seen = null;
        await using GrpcTestServer server = await StartAsync(new Scripted
        {
            Unary = (_, context) =>
            {
                seen = context.RequestHeaders;
                context.ResponseTrailers.Add("grpc-status", "7");
                context.ResponseTrailers.Add("grpc-message", "forged");
                context.ResponseTrailers.Add("x-text", "ü");
                return Task.FromResult(new Nothing());
            },
        });
        var headers = new Metadata { { "grpc-timeout", "1n" }, { "grpc-encoding", "snappy" }, { "X-Mixed", "kept" },
            { "x-mixed", "twice" } };
        using AsyncUnaryCall<Nothing> call = Client(server).UnimplementedCallAsync(new Nothing(), headers);
        await call;
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Empty(call.GetTrailers());
        Assert.Equal(["kept", "twice"], seen!.GetAll("x-mixed").SelectMany(entry =>
            entry.Value.Split(',', StringSplitOptions.TrimEntries)));
        Assert.DoesNotContain(seen!, entry => entry.Key.StartsWith("grpc-", StringComparison.Ordinal) || entry.Key == "content-type");
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_method_that_ignores_its_deadline_does_not_keep_the_client_waiting()
    {
        var release = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        await using GrpcTestServer server = await StartAsync(new Scripted
        {
            Unary = async (_, context) =>
            {
                context.CancellationToken.Register(cancelled.SetResult);
                await release.Task;
                context.ResponseTrailers.Add("x-late", "yes");
                return new Nothing();
            },
        });
        // Without the client under test, which has a deadline of its own.
        RawReply reply = await RawCall.SendAsync(server, ScriptedPath, RawCall.Frame(new Nothing()), ("grpc-timeout", "50m"));
        Assert.Equal("4", reply.Status);
        await cancelled.Task;
        release.SetResult();
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task At_the_deadline_a_stream_that_sent_messages_gets_its_status_in_the_trailers()
    {
        var ended = new TaskCompletionSource<Exception>();
        await using GrpcTestServer server = await StartAsync(new Scripted
        {
            Duplex = async (requests, responses, context) =>
            {
                await responses.WriteAsync(new StreamingOutput { Body = ByteString.CopyFromUtf8("x") });
                Exception? failure = await Record.ExceptionAsync(() => requests.MoveNext(CancellationToken.None));
                ended.SetResult(failure ?? new InvalidOperationException("The read returned."));
                throw failure!;
            },
        });
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall(
            deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(1));
        Assert.True(await call.ResponseStream.MoveNext());
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        Assert.IsAssignableFrom<OperationCanceledException>(await ended.Task);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task At_the_deadline_a_write_that_waits_for_a_client_that_does_not_read_ends_with_a_reset()
    {
        var ended = new TaskCompletionSource<Exception>();
        await using GrpcTestServer server = await StartAsync(new Scripted
        {
            Duplex = async (_, responses, _) =>
            {
                try
                {
                    while (true)
                    {
                        await responses.WriteAsync(new StreamingOutput { Body = ByteString.CopyFrom(new byte[100_000]) });
                    }
                }
                catch (Exception e)
                {
                    ended.SetResult(e);
                    throw;
                }
            },
        });
        using var http = new HttpClient(new SocketsHttpHandler { InitialHttp2StreamWindowSize = 65_535 });
        using HttpRequestMessage request = RawCall.Request(server, "/roster.grpc.tests.v1.Interop/FullDuplexCall", [],
            ("grpc-timeout", "300m"));
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.IsAssignableFrom<OperationCanceledException>(await ended.Task);
        await using Stream body = await response.Content.ReadAsStreamAsync();
        Exception? e = await Record.ExceptionAsync(() => body.CopyToAsync(Stream.Null));
        Assert.Equal(0x8, Assert.IsType<HttpProtocolException>(e!.InnerException ?? e).ErrorCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_endless_writer_ends_when_its_client_goes_away()
    {
        var ended = new TaskCompletionSource<Exception>();
        await using GrpcTestServer server = await StartAsync(new Scripted
        {
            Duplex = async (_, responses, _) =>
            {
                try
                {
                    while (true)
                    {
                        await responses.WriteAsync(new StreamingOutput());
                    }
                }
                catch (Exception e)
                {
                    ended.SetResult(e);
                    throw;
                }
            },
        });
        using (AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall())
        {
            Assert.True(await call.ResponseStream.MoveNext());
        }

        Assert.IsAssignableFrom<OperationCanceledException>(await ended.Task);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_response_larger_than_the_send_limit_is_RESOURCE_EXHAUSTED_and_later_calls_work()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.MaxSendMessageSize = 1000);
        Interop.InteropClient client = server.Client();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() =>
            client.UnaryCallAsync(new SimpleRequest { ResponseSize = 1000 }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
        Assert.Contains("MaxSendMessageSize", e.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(900, (await client.UnaryCallAsync(new SimpleRequest { ResponseSize = 900 })).Body.Length);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Two_writes_at_a_time_are_refused()
    {
        await using GrpcTestServer server = await StartAsync(new Scripted
        {
            Duplex = async (_, responses, _) =>
            {
                Task first;
                do
                {
                    first = responses.WriteAsync(new StreamingOutput { Body = ByteString.CopyFrom(new byte[100_000]) });
                }
                while (first.IsCompleted);

                await Assert.ThrowsAsync<InvalidOperationException>(() => responses.WriteAsync(new StreamingOutput()));
                await first;
            },
        });
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall();
        await call.ResponseHeadersAsync;
        await call.ResponseStream.ReadAllAsync().CountAsync();
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Buffered_messages_arrive_with_the_next_flush()
    {
        await using GrpcTestServer server = await StartAsync(new Scripted
        {
            Duplex = async (_, responses, _) =>
            {
                responses.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
                for (int i = 0; i < 999; i++)
                {
                    await responses.WriteAsync(new StreamingOutput());
                }

                responses.WriteOptions = null;
                await responses.WriteAsync(new StreamingOutput());
            },
        });
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall();
        Assert.Equal(1000, await call.ResponseStream.ReadAllAsync().CountAsync());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Interceptors_see_calls_of_every_kind_in_the_order_they_were_added()
    {
        var log = new List<string>();
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(
            options =>
            {
                options.Interceptors.Add<NamedInterceptor>("outer", log);
                options.Interceptors.Add<NamedInterceptor>("inner", log);
            });
        Interop.InteropClient client = server.Client();
        await client.EmptyCallAsync(new Nothing());
        using (AsyncClientStreamingCall<StreamingInput, StreamingInputSummary> call = client.StreamingInputCall())
        {
            await call.RequestStream.CompleteAsync();
            await call;
        }

        using (AsyncServerStreamingCall<StreamingOutput> call = client.StreamingOutputCall(new StreamingOutputRequest()))
        {
            await call.ResponseStream.MoveNext();
        }

        using (AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = client.FullDuplexCall())
        {
            await call.RequestStream.CompleteAsync();
            await call.ResponseStream.MoveNext();
        }

        Assert.Equal(
            ["outer Unary", "inner Unary", "outer ClientStreaming", "inner ClientStreaming",
             "outer ServerStreaming", "inner ServerStreaming", "outer DuplexStreaming", "inner DuplexStreaming"],
            log);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_interceptor_that_is_registered_as_a_service_is_used_as_it_is()
    {
        var log = new List<string>();
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(
            options => options.Interceptors.Add<NamedInterceptor>(), null, services =>
                services.AddSingleton(new NamedInterceptor("own", log)));
        await server.Client().EmptyCallAsync(new Nothing());
        await server.Client().EmptyCallAsync(new Nothing());
        Assert.Equal(["own Unary", "own Unary"], log);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_service_that_is_not_registered_is_created_and_disposed_with_each_call()
    {
        var lives = new Lives();
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(
            null, app => app.MapGrpcService<Mortal>(), services => services.AddSingleton(lives));
        await Client(server).UnimplementedCallAsync(new Nothing());
        await Client(server).UnimplementedCallAsync(new Nothing());
        Assert.Equal((2, 2), (lives.Created, lives.Disposed));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_service_that_is_registered_as_singleton_serves_all_calls()
    {
        var lives = new Lives();
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(
            null, app => app.MapGrpcService<Mortal>(), services => services.AddSingleton(lives).AddSingleton<Mortal>());
        await Client(server).UnimplementedCallAsync(new Nothing());
        await Client(server).UnimplementedCallAsync(new Nothing());
        Assert.Equal((1, 0), (lives.Created, lives.Disposed));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_context_tells_method_host_peer_and_deadline()
    {
        ServerCallContext? seen = null;
        string? path = null;
        await using GrpcTestServer server = await StartAsync(new Scripted
        {
            Unary = (_, context) =>
            {
                Assert.StartsWith("ipv4:127.0.0.1:", context.Peer, StringComparison.Ordinal);
                Assert.StartsWith("127.0.0.1:", context.Host, StringComparison.Ordinal);
                Assert.Equal(DateTimeKind.Utc, context.Deadline.Kind);
                Assert.False(context.AuthContext.IsPeerAuthenticated);
                path = context.GetHttpContext().Request.Path;
                seen = context;
                return Task.FromResult(new Nothing());
            },
        });
        DateTime deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(1);
        await Client(server).UnimplementedCallAsync(new Nothing(), deadline: deadline);
        Assert.Equal(ScriptedPath, seen!.Method);
        Assert.Equal(ScriptedPath, path);
        Assert.InRange(seen.Deadline, deadline.AddSeconds(-5), deadline.AddSeconds(5));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_propagation_token_hands_deadline_and_cancellation_to_a_child_call()
    {
        StatusCode? child = null;
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(null, app => app.MapGrpcService<Scripted>(), services =>
            services.AddSingleton(new Scripted
            {
                Unary = async (_, context) =>
                {
                    using var channel = global::Grpc.Net.Client.GrpcChannel.ForAddress("http://" + context.Host);
                    var options = new CallOptions(
                        new Metadata { { InteropService.SleepKey, "yes" } }, propagationToken: context.CreatePropagationToken());
                    RpcException e = await Assert.ThrowsAsync<RpcException>(
                        () => new Interop.InteropClient(channel).EmptyCallAsync(new Nothing(), options).ResponseAsync);
                    child = e.StatusCode;
                    throw e;
                },
            }));
        using var cancellation = new CancellationTokenSource();
        DateTime deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(1);
        Task<Nothing> call = Client(server).UnimplementedCallAsync(new Nothing(), deadline: deadline, cancellationToken: cancellation.Token).ResponseAsync;
        DateTime handed = await server.Signals.Deadline.Task;
        await cancellation.CancelAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call);
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        Assert.True(await server.Signals.Ended.Task);

        // What is sent is the time that is left, so it is the same instant but for the way.
        Assert.InRange(handed, deadline.AddMinutes(-10), deadline.AddMinutes(10));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_stream_of_requests_has_no_minimum_rate_and_no_body_limit()
    {
        var rate = new RateFeature { MinDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5)) };
        var bodyLimits = System.Threading.Channels.Channel.CreateUnbounded<long?>();
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(null, app =>
            app.Use((HttpContext context, RequestDelegate next) =>
        {
            // The feature of the server can be set and not read.
            context.Features.Set<IHttpMinRequestBodyDataRateFeature>(rate);
            context.Response.OnCompleted(() =>
            {
                // After the client has its answer, so it is waited for.
                bodyLimits.Writer.TryWrite(context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize);
                return Task.CompletedTask;
            });
            return next(context);
        }));
        await server.Client().EmptyCallAsync(new Nothing());
        Assert.NotNull(rate.MinDataRate);
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall();
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Null(rate.MinDataRate);
        Assert.Null(await bodyLimits.Reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Null(await bodyLimits.Reader.ReadAsync(TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Unknown_services_can_be_left_to_other_endpoints()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.IgnoreUnknownServices = true);
        RawReply reply = await RawCall.SendAsync(server, ScriptedPath, RawCall.Frame(new Nothing()));
        Assert.Equal(HttpStatusCode.NotFound, reply.HttpStatus);
        Assert.Equal("12", (await RawCall.SendAsync(server, "/roster.grpc.tests.v1.Interop/NoSuchCall", [])).Status);
    }

    [Fact]
    public void Mapping_a_class_that_is_no_service_says_so()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddGrpc();
        var app = (IEndpointRouteBuilder)builder.Build();
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => app.MapGrpcService<Lives>());
        Assert.Contains("no gRPC service", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mapping_without_AddGrpc_names_the_method_to_call()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRouting();
        var app = (IEndpointRouteBuilder)builder.Build();
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => app.MapGrpcService<Mortal>());
        Assert.Contains("AddGrpc", e.Message, StringComparison.Ordinal);
    }

    internal const string ScriptedPath = "/roster.grpc.tests.v1.UnimplementedService/UnimplementedCall";

    internal static UnimplementedService.UnimplementedServiceClient Client(GrpcTestServer server) => new(server.Channel());

    /// <summary>A server whose extra service, or whose duplex method, is written by the test.</summary>
    internal static Task<GrpcTestServer> StartAsync(Scripted scripted,
        Action<global::Grpc.AspNetCore.Server.GrpcServiceOptions>? options = null) =>
        GrpcTestServer.StartAsync(
            scripted.Duplex is null ? options : configured =>
            {
                options?.Invoke(configured);
                configured.Interceptors.Add<DuplexReplacement>();
            },
            app => app.MapGrpcService<Scripted>(),
            services => services.AddSingleton(scripted).AddSingleton<DuplexReplacement>());

    /// <summary>A service whose code the test writes.</summary>
    internal sealed class Scripted : UnimplementedService.UnimplementedServiceBase
    {
        public Func<Nothing, ServerCallContext, Task<Nothing>>? Unary { get; init; }

        public Func<IAsyncStreamReader<StreamingOutputRequest>, IServerStreamWriter<StreamingOutput>, ServerCallContext, Task>? Duplex { get; init; }

        public override Task<Nothing> UnimplementedCall(Nothing request, ServerCallContext context) => Unary!(request, context);
    }

    /// <summary>Runs the code of the test instead of the duplex method.</summary>
    internal sealed class DuplexReplacement(Scripted scripted) : Interceptor
    {
        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            DuplexStreamingServerMethod<TRequest, TResponse> continuation) => scripted.Duplex!(
                (IAsyncStreamReader<StreamingOutputRequest>)requestStream, (IServerStreamWriter<StreamingOutput>)responseStream, context);
    }

    private sealed class NamedInterceptor(string name, List<string> log) : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            log.Add(name + " Unary");
            return continuation(request, context);
        }

        public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream, ServerCallContext context,
                ClientStreamingServerMethod<TRequest, TResponse> continuation)
        {
            log.Add(name + " ClientStreaming");
            return continuation(requestStream, context);
        }

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            ServerStreamingServerMethod<TRequest, TResponse> continuation)
        {
            log.Add(name + " ServerStreaming");
            return continuation(request, responseStream, context);
        }

        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
            IAsyncStreamReader<TRequest> requestStream,
            IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context,
            DuplexStreamingServerMethod<TRequest, TResponse> continuation)
        {
            log.Add(name + " DuplexStreaming");
            return continuation(requestStream, responseStream, context);
        }
    }

    private sealed class RateFeature : IHttpMinRequestBodyDataRateFeature
    {
        public MinDataRate? MinDataRate { get; set; }
    }

    private sealed class Lives
    {
        public int Created { get; set; }

        public int Disposed { get; set; }
    }

    private sealed class Mortal : UnimplementedService.UnimplementedServiceBase, IAsyncDisposable
    {
        private readonly Lives _lives;

        public Mortal(Lives lives)
        {
            _lives = lives;
            lives.Created++;
        }

        public override Task<Nothing> UnimplementedCall(Nothing request, ServerCallContext context) => Task.FromResult(new Nothing());

        public ValueTask DisposeAsync()
        {
            _lives.Disposed++;
            return default;
        }
    }
}
