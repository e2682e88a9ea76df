namespace Grpc.Core;

/// <summary>
/// A call that did not end with OK. A client gets it from every awaited call; a service throws it to choose the status of its reply.
/// </summary>
public class RpcException : Exception
{
    /// <summary>Creates the exception for a status.</summary>
    /// <param name="status">The status.</param>
    public RpcException(Status status)
        : this(status, Metadata.Empty, status.ToString())
    {
    }

    /// <summary>Creates the exception for a status, with a message of its own.</summary>
    /// <param name="status">The status.</param>
    /// <param name="message">The message of the exception; it stays local.</param>
    public RpcException(Status status, string message)
        : this(status, Metadata.Empty, message)
    {
    }

    /// <summary>
    /// Creates the exception for a status with trailers, for example rich error details in <c>grpc-status-details-bin</c>.
    /// </summary>
    /// <param name="status">The status.</param>
    /// <param name="trailers">The trailers that go with it.</param>
    public RpcException(Status status, Metadata trailers)
        : this(status, trailers, status.ToString())
    {
    }

    /// <summary>Creates the exception for a status with trailers and a message of its own.</summary>
    /// <param name="status">The status.</param>
    /// <param name="trailers">The trailers that go with it.</param>
    /// <param name="message">The message of the exception; it stays local.</param>
    public RpcException(Status status, Metadata trailers, string message)
        : base(message, status.DebugException)
    {
        ArgumentNullException.ThrowIfNull(trailers);
        Status = status;
        Trailers = trailers;
    }

    /// <summary>The status.</summary>
    public Status Status { get; }

    /// <summary>The code of the status.</summary>
    public StatusCode StatusCode => Status.StatusCode;

    /// <summary>The trailers of the call; empty if there were none.</summary>
    public Metadata Trailers { get; }
}
