using Google.Protobuf;
using Grpc.Core;
using Grpc.Reflection.V1;
using Alpha = Grpc.Reflection.V1Alpha;

namespace Roster.Server.Services;

/// <summary>Server reflection, for grpcurl and its like.</summary>
internal sealed class ReflectionApi(ServerState state, ServerOptions options, TimeProvider clock) : ServerReflection.ServerReflectionBase
{
    public override Task ServerReflectionInfo(
        IAsyncStreamReader<ServerReflectionRequest> requestStream, IServerStreamWriter<ServerReflectionResponse> responseStream, ServerCallContext context) =>
        RunAsync(requestStream, responseStream, ReflectionAnswers.Answer, context.CancellationToken);

    /// <summary>Answers until the client ends the stream, asks nothing for a while, or the server stops: anybody may open such a stream, so none stays for ever.</summary>
    public async Task RunAsync<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requests, IServerStreamWriter<TResponse> responses, Func<TRequest, TResponse> answer, CancellationToken cancelled)
    {
        using var idle = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancelled, state.Draining, idle.Token);
        try
        {
            while (true)
            {
                idle.CancelAfter(TimeSpan.FromSeconds(options.CallReceiveSecondsMax));
                if (!await requests.MoveNext(stop.Token))
                {
                    return;
                }

                await responses.WriteAsync(answer(requests.Current), stop.Token);
            }
        }
        catch (Exception error) when (!cancelled.IsCancellationRequested && stop.IsCancellationRequested && error is OperationCanceledException or RpcException)
        {
            // The end of a stream that nobody uses.
        }
    }
}

/// <summary>The same for older clients: the messages are the same, byte for byte.</summary>
internal sealed class ReflectionAlphaApi(ReflectionApi current) : Alpha.ServerReflection.ServerReflectionBase
{
    public override Task ServerReflectionInfo(
        IAsyncStreamReader<Alpha.ServerReflectionRequest> requestStream, IServerStreamWriter<Alpha.ServerReflectionResponse> responseStream, ServerCallContext context) =>
        current.RunAsync(
            requestStream,
            responseStream,
            request => Alpha.ServerReflectionResponse.Parser.ParseFrom(
                ReflectionAnswers.Answer(ServerReflectionRequest.Parser.ParseFrom(request.ToByteString())).ToByteString()),
            context.CancellationToken);
}
