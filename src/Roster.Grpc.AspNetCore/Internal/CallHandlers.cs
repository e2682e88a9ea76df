using Grpc.Core;
using Grpc.Core.Wire;
using Microsoft.AspNetCore.Http;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>Serves the calls of one method.</summary>
internal abstract class CallHandler<TRequest, TResponse>(GrpcServer server, Method<TRequest, TResponse> method)
    where TRequest : class
    where TResponse : class
{
    public Task HandleAsync(HttpContext http) => HttpReplies.IsGrpc(http) ? ServeAsync(http) : Task.CompletedTask;

    protected abstract Task InvokeAsync(HttpServerCallContext call, MessageReader messages);

    protected ServerStreamReader<TRequest> ReaderOf(HttpServerCallContext call, MessageReader messages) =>
        new(call, messages, method.RequestMarshaller.ContextualDeserializer);

    protected ServerStreamWriter<TResponse> WriterOf(HttpServerCallContext call) =>
        new(call, method.ResponseMarshaller.ContextualSerializer);

    protected async ValueTask<TRequest> ReadSingleAsync(HttpServerCallContext call, MessageReader messages)
    {
        Func<DeserializationContext, TRequest> deserializer = method.RequestMarshaller.ContextualDeserializer;
        try
        {
            TRequest request = await messages.ReadAsync(deserializer, call.CancellationToken)
                ?? throw new RpcException(new Status(StatusCode.Internal, "The call has no request message."));
            return await messages.ReadAsync(deserializer, call.CancellationToken) is null
                ? request
                : throw new RpcException(new Status(StatusCode.Internal, "The call has more than one request message."));
        }
        catch (Exception e) when (call.TransportFailure(e) is var failure && !ReferenceEquals(failure, e))
        {
            throw failure;
        }
    }

    protected Task WriteSingleAsync(HttpServerCallContext call, TResponse? response)
    {
        if (call.Status.StatusCode != StatusCode.OK)
        {
            // The method chose a status; a response beside it means nothing.
            return Task.CompletedTask;
        }

        // Not flushed: it leaves together with the headers and the status.
        return response is null
            ? throw new RpcException(new Status(StatusCode.Cancelled, "The method returned no message."))
            : call.WriteMessageAsync(response, method.ResponseMarshaller.ContextualSerializer, flush: false, CancellationToken.None);
    }

    private async Task ServeAsync(HttpContext http)
    {
        await using var call = new HttpServerCallContext(http, server, method);
        if (!call.TryStart(out MessageReader? messages))
        {
            return;
        }

        Task run = RunAsync(call, messages);
        // The client learns of its deadline at once, even if the method does not care.
        if (call.DeadlineReached is { } deadlineReached && await Task.WhenAny(run, deadlineReached) != run)
        {
            await call.EndAtDeadlineAsync();
        }

        await run;
    }

    private async Task RunAsync(HttpServerCallContext call, MessageReader messages)
    {
        try
        {
            await InvokeAsync(call, messages);
            call.End(call.Status, Metadata.Empty);
        }
        catch (Exception e)
        {
            (Status status, Metadata trailers) = call.StatusOf(e);
            call.End(status, trailers);
        }
    }
}

internal sealed class UnaryCallHandler<TRequest, TResponse>(
    GrpcServer server, Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> code)
    : CallHandler<TRequest, TResponse>(server, method)
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(HttpServerCallContext call, MessageReader messages)
    {
        TRequest request = await ReadSingleAsync(call, messages);
        await WriteSingleAsync(call, await code(request, call));
    }
}

internal sealed class ClientStreamingCallHandler<TRequest, TResponse>(
    GrpcServer server, Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse> code)
    : CallHandler<TRequest, TResponse>(server, method)
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(HttpServerCallContext call, MessageReader messages) =>
        await WriteSingleAsync(call, await code(ReaderOf(call, messages), call));
}

internal sealed class ServerStreamingCallHandler<TRequest, TResponse>(
    GrpcServer server, Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse> code)
    : CallHandler<TRequest, TResponse>(server, method)
    where TRequest : class
    where TResponse : class
{
    protected override async Task InvokeAsync(HttpServerCallContext call, MessageReader messages)
    {
        TRequest request = await ReadSingleAsync(call, messages);
        await code(request, WriterOf(call), call);
    }
}

internal sealed class DuplexStreamingCallHandler<TRequest, TResponse>(
    GrpcServer server, Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse> code)
    : CallHandler<TRequest, TResponse>(server, method)
    where TRequest : class
    where TResponse : class
{
    protected override Task InvokeAsync(HttpServerCallContext call, MessageReader messages) =>
        code(ReaderOf(call, messages), WriterOf(call), call);
}
