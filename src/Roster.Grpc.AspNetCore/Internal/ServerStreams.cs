using Grpc.Core;
using Grpc.Core.Wire;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>The requests of a call.</summary>
internal sealed class ServerStreamReader<T>(HttpServerCallContext call, MessageReader messages,
    Func<DeserializationContext, T> deserializer)
    : IAsyncStreamReader<T>
    where T : class
{
    private static readonly Task<bool> True = Task.FromResult(true);
    private static readonly Task<bool> False = Task.FromResult(false);

    private int _isMoving;

    public T Current { get; private set; } = null!;

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isMoving, 1) != 0)
        {
            return Task.FromException<bool>(new InvalidOperationException(
                "The previous MoveNext has not ended; a stream is read by one reader at a time."));
        }

        // Lets the last message go while the next one is awaited.
        Current = null!;
        ValueTask<T?> read;
        try
        {
            call.ThrowIfEnded();
            read = messages.ReadAsync(deserializer, cancellationToken.CanBeCanceled ? cancellationToken : call.CancellationToken);
        }
        catch (Exception e)
        {
            Volatile.Write(ref _isMoving, 0);
            return Task.FromException<bool>(call.TransportFailure(e));
        }

        if (!read.IsCompletedSuccessfully)
        {
            return MoveAsync(read);
        }

        bool isMessage = Take(read.Result);
        Volatile.Write(ref _isMoving, 0);
        return isMessage ? True : False;
    }

    private async Task<bool> MoveAsync(ValueTask<T?> read)
    {
        try
        {
            return Take(await read);
        }
        catch (Exception e) when (call.TransportFailure(e) is var failure && !ReferenceEquals(failure, e))
        {
            throw failure;
        }
        finally
        {
            Volatile.Write(ref _isMoving, 0);
        }
    }

    private bool Take(T? message)
    {
        Current = message!;
        return message is not null;
    }
}

/// <summary>The responses of a call.</summary>
internal sealed class ServerStreamWriter<T>(HttpServerCallContext call, Action<T, SerializationContext> serializer) : IServerStreamWriter<T>
    where T : class
{
    public WriteOptions? WriteOptions
    {
        get => call.WriteOptions;
        set => call.WriteOptions = value;
    }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        bool isBuffered = call.WriteOptions is { } options && (options.Flags & WriteFlags.BufferHint) != 0;
        return call.WriteMessageAsync(message, serializer, flush: !isBuffered, cancellationToken);
    }
}
