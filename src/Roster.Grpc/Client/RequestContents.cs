using System.Net;

namespace Grpc.Net.Client;

/// <summary>
/// A request body. HttpClient reports whichever of body and response fails first, but only the response knows why: when a connection
/// breaks or a server ends a call early, all the body sees is a cancellation. So a body that is cancelled waits for the end of its call.
/// HttpClient cancels a body only together with the response, so that end always comes.
/// </summary>
internal abstract class CallContent : HttpContent
{
    private readonly TaskCompletionSource _callEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The call has ended; nothing more is sent.</summary>
    public virtual void Abort() => _callEnded.TrySetResult();

    protected abstract Task SendAsync(Stream stream, CancellationToken cancellationToken);

    protected sealed override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected sealed override async Task SerializeToStreamAsync(Stream stream, TransportContext? context,
        CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(stream, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await _callEnded.Task.ConfigureAwait(false);
            throw;
        }
    }

    // The response may come before the request is sent, and only a body of unknown length lets it.
    protected sealed override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>
/// A request body of one message, serialised before the call starts so that it can be sent again over another connection.
/// </summary>
internal sealed class SingleMessageContent(ReadOnlyMemory<byte> message) : CallContent
{
    protected override Task SendAsync(Stream stream, CancellationToken cancellationToken) =>
        stream.WriteAsync(message, cancellationToken).AsTask();
}

/// <summary>A request body that the call writes while the response is read.</summary>
internal sealed class StreamedContent : CallContent
{
    private readonly TaskCompletionSource<Stream> _stream = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The body, as soon as the request headers are sent; cancelled if the call ends before that.</summary>
    public Task<Stream> Body => _stream.Task;

    /// <summary>Ends the body.</summary>
    public void Complete() => _completed.TrySetResult();

    /// <inheritdoc />
    public override void Abort()
    {
        _stream.TrySetCanceled();
        _completed.TrySetCanceled();
        base.Abort();
    }

    protected override async Task SendAsync(Stream stream, CancellationToken cancellationToken)
    {
        // The headers wait in a buffer otherwise, and a server that speaks first would not be asked.
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        if (!_stream.TrySetResult(stream))
        {
            // HttpClient tries again when a connection went away before the server took the request. Messages that are written are gone.
            throw new IOException("The connection was closed before the server took the call, and a stream of requests cannot be sent twice.");
        }

        await _completed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
