using Google.Protobuf;
using Grpc.Core;
using Roster.Grpc.Tests.Protos;

namespace Roster.Grpc.Tests;

/// <summary>The service of the official interoperability cases.</summary>
internal sealed class InteropService(TestSignals signals) : Interop.InteropBase
{
    public const string InitialMetadataKey = "x-grpc-test-echo-initial";
    public const string TrailingMetadataKey = "x-grpc-test-echo-trailing-bin";
    public const string SleepKey = "x-sleep";

    public override async Task<Nothing> EmptyCall(Nothing request, ServerCallContext context)
    {
        if (context.RequestHeaders.Get(SleepKey) is not null)
        {
            signals.Started.TrySetResult();
            signals.Deadline.TrySetResult(context.Deadline);
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
            }
            finally
            {
                signals.Ended.TrySetResult(context.CancellationToken.IsCancellationRequested);
            }
        }

        return new Nothing();
    }

    public override async Task<SimpleResponse> UnaryCall(SimpleRequest request, ServerCallContext context)
    {
        await EchoMetadataAsync(context);
        if (request.ResponseCompressed)
        {
            await context.WriteResponseHeadersAsync(new Metadata { { "grpc-internal-encoding-request", "gzip" } });
        }

        ThrowIfAsked(request.ResponseStatus);
        return new SimpleResponse { Body = Zeros(request.ResponseSize) };
    }

    public override async Task<StreamingInputSummary> StreamingInputCall(
        IAsyncStreamReader<StreamingInput> requestStream,
        ServerCallContext context)
    {
        signals.Started.TrySetResult();
        int size = 0;
        try
        {
            await foreach (StreamingInput input in requestStream.ReadAllAsync())
            {
                size += input.Body.Length;
            }
        }
        catch (Exception e)
        {
            signals.Failure.TrySetResult(e);
            signals.Ended.TrySetResult(context.CancellationToken.IsCancellationRequested);
            throw;
        }

        return new StreamingInputSummary { AggregatedSize = size };
    }

    public override async Task StreamingOutputCall(
        StreamingOutputRequest request, IServerStreamWriter<StreamingOutput> responseStream, ServerCallContext context)
    {
        await EchoMetadataAsync(context);
        foreach (int size in request.ResponseSizes)
        {
            await responseStream.WriteAsync(new StreamingOutput { Body = Zeros(size) });
        }

        ThrowIfAsked(request.ResponseStatus);
    }

    public override async Task FullDuplexCall(
        IAsyncStreamReader<StreamingOutputRequest> requestStream, IServerStreamWriter<StreamingOutput> responseStream,
            ServerCallContext context)
    {
        await EchoMetadataAsync(context);
        try
        {
            await foreach (StreamingOutputRequest request in requestStream.ReadAllAsync())
            {
                ThrowIfAsked(request.ResponseStatus);
                foreach (int size in request.ResponseSizes)
                {
                    await responseStream.WriteAsync(new StreamingOutput { Body = Zeros(size) });
                }
            }
        }
        catch (OperationCanceledException)
        {
            signals.Ended.TrySetResult(context.CancellationToken.IsCancellationRequested);
            throw;
        }
    }

    private static ByteString Zeros(int size) => ByteString.CopyFrom(new byte[size]);

    private static void ThrowIfAsked(EchoStatus? status)
    {
        if (status is not null)
        {
            throw new RpcException(new Status((StatusCode)status.Code, status.Message));
        }
    }

    private static async Task EchoMetadataAsync(ServerCallContext context)
    {
        if (context.RequestHeaders.Get(TrailingMetadataKey) is { } trailing)
        {
            context.ResponseTrailers.Add(trailing);
        }

        if (context.RequestHeaders.Get(InitialMetadataKey) is { } initial)
        {
            await context.WriteResponseHeadersAsync(new Metadata { initial });
        }
    }
}

/// <summary>What tests wait for instead of sleeping.</summary>
internal sealed class TestSignals
{
    public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The deadline of a call that sleeps.</summary>
    public TaskCompletionSource<DateTime> Deadline { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the token of the call was cancelled when its method ended.</summary>
    public TaskCompletionSource<bool> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource<Exception> Failure { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
