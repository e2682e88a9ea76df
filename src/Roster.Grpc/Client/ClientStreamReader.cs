using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Core.Wire;

namespace Grpc.Net.Client;

/// <summary>The responses of a call.</summary>
internal sealed class ClientStreamReader<TRequest, TResponse>(HttpCall<TRequest, TResponse> call) : IAsyncStreamReader<TResponse>
    where TRequest : class
    where TResponse : class
{
    private static readonly Task<bool> True = Task.FromResult(true);

    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MessageReader? _messages;
    private PipeReader? _pipe;
    private Task? _pending;
    private int _isMoving;

    public TResponse Current { get; private set; } = null!;

    /// <summary>The read that is under way, if any.</summary>
    public Task? Pending => Volatile.Read(ref _pending);

    /// <summary>The response headers have come; messages can be read.</summary>
    public void Open(MessageReader messages, PipeReader pipe)
    {
        _pipe = pipe;
        // Last, as a reader that sees it does not wait for the task.
        Volatile.Write(ref _messages, messages);
        _opened.TrySetResult();
    }

    /// <summary>The call has ended; a reader that waits for the headers need not wait longer.</summary>
    public void Abandon() => _opened.TrySetResult();

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isMoving, 1) != 0)
        {
            return Task.FromException<bool>(new InvalidOperationException("The previous MoveNext has not ended; a stream is read by one reader at a time."));
        }

        Current = null!;
        if (Volatile.Read(ref _messages) is null || call.Ended.IsCompleted || cancellationToken.IsCancellationRequested)
        {
            return Keep(MoveAsync(cancellationToken));
        }

        ValueTask<TResponse?> read = ReadAsync();
        if (!read.IsCompletedSuccessfully)
        {
            return Keep(FinishAsync(read, cancellationToken));
        }

        if (read.Result is not { } message)
        {
            return Keep(FinishAsync(default, CancellationToken.None));
        }

        Current = message;
        Volatile.Write(ref _isMoving, 0);
        return True;
    }

    private Task<bool> Keep(Task<bool> pending)
    {
        Volatile.Write(ref _pending, pending);
        return pending;
    }

    private async Task<bool> MoveAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = CancelCallWith(cancellationToken);
        await _opened.Task.ConfigureAwait(false);
        if (!call.Ended.IsCompleted)
        {
            return await FinishAsync(ReadAsync(), CancellationToken.None).ConfigureAwait(false);
        }

        Volatile.Write(ref _isMoving, 0);
        return IsOk(await call.Ended.ConfigureAwait(false));
    }

    /// <summary>Ends a move whose read may still be under way.</summary>
    private async Task<bool> FinishAsync(ValueTask<TResponse?> read, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = CancelCallWith(cancellationToken);
        CallEnd end;
        try
        {
            if (await read.ConfigureAwait(false) is { } message)
            {
                Current = message;
                return true;
            }

            end = await call.EndWithTrailersAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            end = await call.EndWithFailureAsync(e).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isMoving, 0);
        }

        // Gives the buffers back. Only this reader uses the pipe, and it does not read again.
        await _pipe!.CompleteAsync().ConfigureAwait(false);
        return IsOk(end);
    }

    private CancellationTokenRegistration CancelCallWith(CancellationToken cancellationToken) => cancellationToken.UnsafeRegister(
        static state => ((HttpCall<TRequest, TResponse>)state!).Cancel("A read was cancelled."), call);

    private ValueTask<TResponse?> ReadAsync()
    {
        try
        {
            return _messages!.ReadAsync(call.Deserializer, call.EndedEarly);
        }
        catch (Exception e)
        {
            return ValueTask.FromException<TResponse?>(e);
        }
    }

    private static bool IsOk(CallEnd end) => end.Status.StatusCode == StatusCode.OK ? false : throw end.ToException();
}
