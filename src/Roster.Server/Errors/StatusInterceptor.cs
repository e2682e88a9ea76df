using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Roster.Engine;

namespace Roster.Server.Errors;

/// <summary>Maps refusals and faults of all services to statuses, in one place. Services have no catch of their own.</summary>
internal sealed partial class StatusInterceptor(ILogger<StatusInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw Map(error, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw Map(error, context);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(requestStream, responseStream, context);
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw Map(error, context);
        }
    }

    private RpcException Map(Exception error, ServerCallContext context)
    {
        if (error is RosterException refusal)
        {
            LogRefused(context.Method, refusal.Error);
            return RichStatus.From(refusal);
        }

        if (context.CancellationToken.IsCancellationRequested || error is OperationCanceledException or ConnectionResetException or ConnectionAbortedException)
        {
            // The client went away or its deadline passed: whatever broke then, broke because of that. A reset shows in the body before it does in
            // the token of the call.
            LogCancelled(context.Method);
            return new RpcException(new Grpc.Core.Status(StatusCode.Cancelled, "The call was cancelled."));
        }

        LogFault(error, context.Method);
        return RichStatus.Create(StatusCode.Internal, "The server failed on this call; its log says why (event 1102).", []);
    }

    [LoggerMessage(EventId = 1100, Level = LogLevel.Debug, Message = "{Method} was refused: {Error}")]
    private partial void LogRefused(string method, RosterError error);

    [LoggerMessage(EventId = 1101, Level = LogLevel.Debug, Message = "{Method} was cancelled")]
    private partial void LogCancelled(string method);

    [LoggerMessage(EventId = 1102, Level = LogLevel.Error, Message = "{Method} failed")]
    private partial void LogFault(Exception fault, string method);
}
