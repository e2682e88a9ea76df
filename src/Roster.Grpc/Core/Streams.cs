namespace Grpc.Core;

/// <summary>Reads a stream of messages. One call to <see cref="MoveNext"/> at a time.</summary>
/// <typeparam name="T">The type of a message.</typeparam>
public interface IAsyncStreamReader<out T>
{
    /// <summary>The message read last. Valid after <see cref="MoveNext"/> returned true.</summary>
    T Current { get; }

    /// <summary>Reads the next message.</summary>
    /// <param name="cancellationToken">In a client, cancelling this cancels the whole call.</param>
    /// <returns>False at the end of the stream.</returns>
    /// <exception cref="RpcException">In a client: the call ended with an error. In a server: the peer broke the protocol.</exception>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}

/// <summary>Writes a stream of messages. One write at a time.</summary>
/// <typeparam name="T">The type of a message.</typeparam>
public interface IAsyncStreamWriter<in T>
{
    /// <summary>How the next messages are written, or null for the default.</summary>
    WriteOptions? WriteOptions { get; set; }

    /// <summary>Writes a message. The task ends when the transport has taken it, which is how a slow peer slows the writer down.</summary>
    /// <param name="message">The message; it must not change until the task ends.</param>
    Task WriteAsync(T message);

    /// <summary>Writes a message.</summary>
    /// <param name="message">The message; it must not change until the task ends.</param>
    /// <param name="cancellationToken">Cancels the write. In a client this cancels the whole call.</param>
    Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            throw new NotSupportedException("This writer does not support a cancellation token.");
        }

        return WriteAsync(message);
    }
}

/// <summary>Writes the requests of a call.</summary>
/// <typeparam name="T">The type of a request.</typeparam>
public interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Ends the stream of requests.</summary>
    Task CompleteAsync();
}

/// <summary>Writes the responses of a call.</summary>
/// <typeparam name="T">The type of a response.</typeparam>
public interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>
{
}
