using Grpc.Core;
using Grpc.Core.Wire;

namespace Grpc.Net.Client;

/// <summary>The requests of a call.</summary>
internal sealed class ClientStreamWriter<TRequest, TResponse>(HttpCall<TRequest, TResponse> call, StreamedContent content)
    : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private const int Idle = 0;
    private const int Writing = 1;
    private const int Completed = 2;

    private int _state;

    public WriteOptions? WriteOptions { get; set; } = call.WriteOptions;

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        Enter(Writing);
        try
        {
            if (call.Ended.IsCompleted)
            {
                throw Refusal(await call.Ended.ConfigureAwait(false));
            }

            using var buffer = new PooledBuffer();
            call.Serialize(message, WriteOptions, buffer);
            using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
                static state => ((HttpCall<TRequest, TResponse>)state!).Cancel("A write was cancelled."), call);
            await SendAsync(buffer).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _state, Idle);
        }
    }

    public Task CompleteAsync()
    {
        Enter(Completed);
        content.Complete();
        return Task.CompletedTask;
    }

    private async Task SendAsync(PooledBuffer buffer)
    {
        try
        {
            Stream body = await content.Body.ConfigureAwait(false);
            await body.WriteAsync(buffer.WrittenMemory, call.EndedEarly).ConfigureAwait(false);
            if (WriteOptions is null || (WriteOptions.Flags & WriteFlags.BufferHint) == 0)
            {
                await body.FlushAsync(call.EndedEarly).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            throw await WhyAsync(e).ConfigureAwait(false);
        }
    }

    private void Enter(int state)
    {
        int before = Interlocked.CompareExchange(ref _state, state, Idle);
        if (before != Idle)
        {
            throw new InvalidOperationException(before == Writing
                ? "The previous write has not ended; a stream is written by one writer at a time."
                : "The stream of requests was completed; nothing can be written after that.");
        }
    }

    /// <summary>
    /// Why a write failed. A server that ends a call early resets the requests, and says why in its status, which comes with the responses.
    /// A call with one response reads them by itself. In a duplex call only the caller's reader does, so a write waits for a read that
    /// is under way, but never for one that has not begun.
    /// </summary>
    private async Task<Exception> WhyAsync(Exception failure)
    {
        if (call.Reader is null)
        {
            await call.Ended.ConfigureAwait(false);
        }
        else if (call.Reader.Pending is { } read)
        {
            await Task.WhenAny(call.Ended, read).ConfigureAwait(false);
        }

        if (call.Ended.IsCompleted)
        {
            return Refusal(await call.Ended.ConfigureAwait(false));
        }

        return new RpcException(failure is OperationCanceledException
            ? new Status(StatusCode.Cancelled, "The server ended the call before it took all requests; the responses end with its status.", failure)
            : call.StatusOf(failure));
    }

    private static Exception Refusal(CallEnd end) => end.Status.StatusCode == StatusCode.OK
        ? new InvalidOperationException("The call has ended with OK; nothing can be written after that.")
        : end.ToException();
}
