using Google.Protobuf;
using Grpc.Core;
using Roster.Grpc.Tests.Protos;

namespace Roster.Grpc.Tests;

/// <summary>The cases of grpc/grpc doc/interop-test-descriptions.md that apply, under their official names.</summary>
public sealed class InteropTests
{
    private const int TimeoutMs = 30_000;
    private const int LargeRequest = 271_828;
    private const int LargeResponse = 314_159;

    private static readonly int[] RequestSizes = [27_182, 8, 1_828, 45_904];
    private static readonly int[] ResponseSizes = [31_415, 9, 2_653, 58_979];

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_empty_unary_returns_an_empty_message()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Assert.Equal(new Nothing(), await server.Client().EmptyCallAsync(new Nothing()));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_large_unary_moves_large_messages_both_ways()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        SimpleResponse response = await server.Client().UnaryCallAsync(new SimpleRequest
        {
            ResponseSize = LargeResponse,
            Body = Zeros(LargeRequest)
        });
        Assert.Equal(LargeResponse, response.Body.Length);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_blocking_unary_call_returns_its_response()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        Interop.InteropClient client = server.Client();
        Assert.Equal(9, client.UnaryCall(new SimpleRequest { ResponseSize = 9 }).Body.Length);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_client_streaming_sums_up_the_requests()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncClientStreamingCall<StreamingInput, StreamingInputSummary> call = server.Client().StreamingInputCall();
        foreach (int size in RequestSizes)
        {
            await call.RequestStream.WriteAsync(new StreamingInput { Body = Zeros(size) });
        }

        await call.RequestStream.CompleteAsync();
        Assert.Equal(RequestSizes.Sum(), (await call).AggregatedSize);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_server_streaming_returns_all_responses_in_order()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncServerStreamingCall<StreamingOutput> call = server.Client().StreamingOutputCall(new StreamingOutputRequest { ResponseSizes = { ResponseSizes } });
        var sizes = new List<int>();
        await foreach (StreamingOutput output in call.ResponseStream.ReadAllAsync())
        {
            sizes.Add(output.Body.Length);
        }

        Assert.Equal(ResponseSizes, sizes);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_ping_pong_answers_each_request_before_the_next_is_sent()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall();
        for (int i = 0; i < RequestSizes.Length; i++)
        {
            await call.RequestStream.WriteAsync(new StreamingOutputRequest
            {
                ResponseSizes = { ResponseSizes[i] },
                Body = Zeros(RequestSizes[i])
            });
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(ResponseSizes[i], call.ResponseStream.Current.Body.Length);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_empty_stream_ends_with_OK_and_no_message()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall();
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_client_compressed_unary_is_understood_by_the_server()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var headers = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        SimpleResponse response = await server.Client().UnaryCallAsync(
            new SimpleRequest { ResponseSize = LargeResponse, Body = Zeros(LargeRequest) }, headers);
        Assert.Equal(LargeResponse, response.Body.Length);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_client_compressed_streaming_mixes_compressed_and_plain_messages()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var headers = new Metadata { { "grpc-internal-encoding-request", "gzip" } };
        using AsyncClientStreamingCall<StreamingInput, StreamingInputSummary> call = server.Client().StreamingInputCall(headers);
        await call.RequestStream.WriteAsync(new StreamingInput { Body = Zeros(27_182) });
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
        await call.RequestStream.WriteAsync(new StreamingInput { Body = Zeros(45_904) });
        await call.RequestStream.CompleteAsync();
        Assert.Equal(73_086, (await call).AggregatedSize);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_server_compressed_unary_is_understood_by_the_client()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        SimpleResponse response = await server.Client().UnaryCallAsync(
            new SimpleRequest { ResponseSize = LargeResponse, Body = Zeros(LargeRequest), ResponseCompressed = true });
        Assert.Equal(LargeResponse, response.Body.Length);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_server_compressed_streaming_is_understood_by_the_client()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(options => options.ResponseCompressionAlgorithm = "gzip");
        using AsyncServerStreamingCall<StreamingOutput> call = server.Client().StreamingOutputCall(new StreamingOutputRequest { ResponseSizes = { 31_415, 92_653 } });
        List<int> sizes = await call.ResponseStream.ReadAllAsync().Select(output => output.Body.Length).ToListAsync();
        Assert.Equal([31_415, 92_653], sizes);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Case_custom_metadata_comes_back_in_headers_and_trailers(bool isDuplex)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        byte[] bytes = [0xab, 0xab, 0xab, 0x00];
        var headers = new Metadata
        {
            { InteropService.InitialMetadataKey, "test_initial_metadata_value" },
            { InteropService.TrailingMetadataKey, bytes },
        };
        Metadata responseHeaders;
        Metadata trailers;
        if (isDuplex)
        {
            using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall(headers);
            responseHeaders = await call.ResponseHeadersAsync;
            await call.RequestStream.CompleteAsync();
            Assert.False(await call.ResponseStream.MoveNext());
            trailers = call.GetTrailers();
        }
        else
        {
            using AsyncUnaryCall<SimpleResponse> call = server.Client().UnaryCallAsync(new SimpleRequest { ResponseSize = 1 }, headers);
            responseHeaders = await call.ResponseHeadersAsync;
            await call;
            trailers = call.GetTrailers();
        }

        Assert.Equal("test_initial_metadata_value", responseHeaders.GetValue(InteropService.InitialMetadataKey));
        Assert.Equal(bytes, trailers.GetValueBytes(InteropService.TrailingMetadataKey));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_status_code_and_message_reaches_the_client_of_a_unary_call()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var request = new SimpleRequest { ResponseStatus = new EchoStatus { Code = 2, Message = "test status message" } };
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => server.Client().UnaryCallAsync(request).ResponseAsync);
        Assert.Equal(new Status(StatusCode.Unknown, "test status message"), e.Status);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_status_code_and_message_reaches_the_client_of_a_duplex_call()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call = server.Client().FullDuplexCall();
        await call.RequestStream.WriteAsync(new StreamingOutputRequest
        {
            ResponseStatus = new EchoStatus
            {
                Code = 2,
                Message = "test status message"
            }
        });
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(new Status(StatusCode.Unknown, "test status message"), e.Status);
        Assert.Equal(e.Status, call.GetStatus());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_special_status_message_survives_white_space_and_unicode()
    {
        const string Message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var request = new SimpleRequest { ResponseStatus = new EchoStatus { Code = 2, Message = Message } };
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => server.Client().UnaryCallAsync(request).ResponseAsync);
        Assert.Equal(new Status(StatusCode.Unknown, Message), e.Status);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_unimplemented_method_is_UNIMPLEMENTED()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => server.Client().UnimplementedCallAsync(new Nothing()).ResponseAsync);
        Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_unimplemented_service_is_UNIMPLEMENTED()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        var client = new UnimplementedService.UnimplementedServiceClient(server.Channel());
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => client.UnimplementedCallAsync(new Nothing()).ResponseAsync);
        Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_cancel_after_begin_is_CANCELLED_on_both_sides()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using var cancellation = new CancellationTokenSource();
        using AsyncClientStreamingCall<StreamingInput, StreamingInputSummary> call =
            server.Client().StreamingInputCall(cancellationToken: cancellation.Token);
        await server.Signals.Started.Task;
        await cancellation.CancelAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        Assert.IsAssignableFrom<OperationCanceledException>(await server.Signals.Failure.Task);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_cancel_after_first_response_is_CANCELLED_on_both_sides()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using var cancellation = new CancellationTokenSource();
        using AsyncDuplexStreamingCall<StreamingOutputRequest, StreamingOutput> call =
            server.Client().FullDuplexCall(cancellationToken: cancellation.Token);
        await call.RequestStream.WriteAsync(new StreamingOutputRequest { ResponseSizes = { 31_415 }, Body = Zeros(27_182) });
        Assert.True(await call.ResponseStream.MoveNext());
        await cancellation.CancelAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        await server.Signals.Ended.Task;
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Case_timeout_on_sleeping_server_is_DEADLINE_EXCEEDED()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        DateTime deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(50);
        var headers = new Metadata { { InteropService.SleepKey, "yes" } };
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            () => server.Client().EmptyCallAsync(new Nothing(), headers, deadline).ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
    }

    private static ByteString Zeros(int size) => ByteString.CopyFrom(new byte[size]);
}
