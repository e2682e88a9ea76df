using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Core.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Primitives;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>
/// One served call. The method and its streams work on it while the deadline may end it from another thread, so everything that
/// touches the response goes through a gate with three states: idle; busy (a write is under way); ended (the status is decided).
/// Nothing leaves "ended". At the deadline an idle call gets its status; a busy one can only be reset.
/// </summary>
internal sealed class HttpServerCallContext(HttpContext http, GrpcServer server, IMethod method) : ServerCallContext, IAsyncDisposable
{
    private const int Idle = 0;
    private const int Busy = 1;
    private const int Ended = 2;

    // RFC 9113, section 7.
    private const int NoError = 0x0;
    private const int InternalError = 0x2;
    private const int Cancel = 0x8;

    private const string DeadlinePassed = "The deadline passed.";

    private static readonly AuthContext Unauthenticated = new(null, []);

    /// <summary>How long a status may wait, at the deadline, for a client that takes no data.</summary>
    private static readonly TimeSpan StatusTimeout = TimeSpan.FromSeconds(5);

    private readonly MessageWriter _writer = new(server.SendBytesMax, server.CompressionLevel);
    private readonly CancellationToken _requestAborted = http.RequestAborted;
    private readonly PipeWriter _body = http.Response.BodyWriter;
    private Metadata? _requestHeaders;
    private Metadata? _trailers;
    private Status _status = Status.DefaultSuccess;
    private WriteOptions? _writeOptions;
    private DateTime _deadline = DateTime.MaxValue;
    private ITimer? _deadlineTimer;
    private TaskCompletionSource? _deadlineReached;
    private CancellationTokenSource? _endedEarly;
    private CancellationToken _cancellationToken = http.RequestAborted;
    private bool _isCompressed;
    private bool _hasMessages;
    private volatile bool _isReset;
    private int _gate;

    public HttpContext HttpContext => http;

    /// <summary>Ends when the deadline passes; null if there is none.</summary>
    public Task? DeadlineReached => _deadlineReached?.Task;

    protected override string MethodCore => method.FullName;

    protected override string HostCore => http.Request.Host.Value ?? "";

    protected override string PeerCore => http.Connection.RemoteIpAddress switch
    {
        null => "unix:" + http.Connection.Id,
        { AddressFamily: AddressFamily.InterNetwork } ip => $"ipv4:{ip}:{http.Connection.RemotePort}",
        { IsIPv4MappedToIPv6: true } ip => $"ipv4:{ip.MapToIPv4()}:{http.Connection.RemotePort}",
        IPAddress ip => $"ipv6:[{ip}]:{http.Connection.RemotePort}",
    };

    protected override DateTime DeadlineCore => _deadline;

    protected override Metadata RequestHeadersCore => _requestHeaders ??= ReadMetadata();

    protected override CancellationToken CancellationTokenCore => _cancellationToken;

    protected override Metadata ResponseTrailersCore => _trailers ??= [];

    protected override Status StatusCore
    {
        get => _status;
        set => _status = value;
    }

    protected override WriteOptions? WriteOptionsCore
    {
        get => _writeOptions;
        set => _writeOptions = value;
    }

    protected override AuthContext AuthContextCore => Unauthenticated;

    private bool IsPastDeadline => _deadlineReached is { Task.IsCompleted: true };

    /// <summary>Checks the request headers and arms the deadline. A call that cannot start is answered here.</summary>
    public bool TryStart([NotNullWhen(true)] out MessageReader? messages)
    {
        messages = null;
        http.Response.ContentType = WireNames.ContentType;
        LiftBodyLimits();
        IHeaderDictionary headers = http.Request.Headers;
        string? encoding = headers[WireNames.Encoding];
        if (encoding is not (null or WireNames.Identity or WireNames.Gzip))
        {
            http.Response.Headers[WireNames.AcceptEncoding] = WireNames.SupportedEncodings;
            return Refuse(StatusCode.Unimplemented, $"The grpc-encoding '{encoding}' is not supported; '{WireNames.SupportedEncodings}' are.");
        }

        if (headers.TryGetValue(WireNames.Timeout, out StringValues text))
        {
            if (!GrpcTimeout.TryParse(text, out TimeSpan timeout))
            {
                return Refuse(StatusCode.Internal, $"The grpc-timeout '{text}' is not one to eight digits and one of H, M, S, m, u, n.");
            }

            if (timeout <= TimeSpan.Zero)
            {
                return Refuse(StatusCode.DeadlineExceeded, "The deadline had passed when the call arrived.");
            }

            ArmDeadline(timeout);
        }

        if (server.CompressesResponses)
        {
            CompressIfAccepted();
        }

        messages = new MessageReader(http.Request.BodyReader, server.ReceiveBytesMax, encoding);
        return true;
    }

    /// <summary>Writes one response message.</summary>
    public Task WriteMessageAsync<T>(T message, Action<T, SerializationContext> serializer, bool flush, CancellationToken cancellationToken)
    {
        bool entered = false;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            Enter();
            entered = true;
            bool compress = _isCompressed && (_writeOptions is null || (_writeOptions.Flags & WriteFlags.NoCompress) == 0);
            _writer.Write(message, serializer, _body, compress);
            _hasMessages = true;
            if (flush)
            {
                ValueTask<FlushResult> flushing = _body.FlushAsync(cancellationToken);
                if (!flushing.IsCompletedSuccessfully)
                {
                    return FlushAsync(flushing);
                }

                _ = flushing.Result;
            }
        }
        catch (Exception e)
        {
            if (entered)
            {
                Leave();
            }

            return Task.FromException(TransportFailure(e));
        }

        Leave();
        return Task.CompletedTask;
    }

    /// <summary>
    /// Ends the call with a status, unless it has ended. The server sends what is left when the handler returns.
    /// </summary>
    public void End(Status status, Metadata trailers)
    {
        if (Interlocked.Exchange(ref _gate, Ended) == Ended)
        {
            return;
        }

        if (status.StatusCode != StatusCode.OK)
        {
            GrpcServerLog.CallFailed(server.Logger, method.FullName, status.StatusCode, status.Detail);
        }

        if (_requestAborted.IsCancellationRequested)
        {
            return;
        }

        if (_writer.LeftPartialMessage)
        {
            Reset(InternalError);
            return;
        }

        bool isTrailersOnly = status.StatusCode != StatusCode.OK && !_hasMessages && !http.Response.HasStarted;
        IHeaderDictionary target = HttpReplies.TrailersOf(http, isTrailersOnly);
        HttpReplies.AddMetadata(target, _trailers ?? Metadata.Empty, server.Logger, method.FullName);
        HttpReplies.AddMetadata(target, trailers, server.Logger, method.FullName);
        HttpReplies.SetStatus(target, status);
    }

    /// <summary>Ends the call because its deadline passed, while the method still runs.</summary>
    public async Task EndAtDeadlineAsync()
    {
        int before = Interlocked.Exchange(ref _gate, Ended);
        if (before == Ended || _requestAborted.IsCancellationRequested)
        {
            return;
        }

        GrpcServerLog.CallFailed(server.Logger, method.FullName, StatusCode.DeadlineExceeded, DeadlinePassed);
        if (before == Busy || _writer.LeftPartialMessage)
        {
            Reset(Cancel);
            return;
        }

        // Without the trailers of the method, which may be changing them right now.
        bool isTrailersOnly = !_hasMessages && !http.Response.HasStarted;
        HttpReplies.SetStatus(HttpReplies.TrailersOf(http, isTrailersOnly), new Status(StatusCode.DeadlineExceeded, DeadlinePassed));
        try
        {
            await http.Response.CompleteAsync().WaitAsync(StatusTimeout, server.TimeProvider);
            // The client has its status; it need not send the rest of its requests, and the method need not wait for them.
            Reset(NoError);
        }
        catch (TimeoutException)
        {
            Reset(Cancel);
        }
    }

    /// <summary>What an exception of the method means for the client.</summary>
    public (Status Status, Metadata Trailers) StatusOf(Exception exception)
    {
        if (exception is RpcException rpc)
        {
            return (rpc.Status, rpc.Trailers);
        }

        if (IsPastDeadline)
        {
            return (new Status(StatusCode.DeadlineExceeded, DeadlinePassed, exception), Metadata.Empty);
        }

        if (_requestAborted.IsCancellationRequested || _isReset)
        {
            return (new Status(StatusCode.Cancelled, "The client cancelled the call.", exception), Metadata.Empty);
        }

        GrpcServerLog.MethodFailed(server.Logger, exception, method.FullName);
        string detail = server.HasDetailedErrors
            ? $"Exception was thrown by handler. {exception.GetType().Name}: {exception.Message}"
            : "Exception was thrown by handler.";
        return (new Status(StatusCode.Unknown, detail, exception), Metadata.Empty);
    }

    /// <summary>What a failed read or write of the transport means for the method. Other exceptions stay.</summary>
    public Exception TransportFailure(Exception exception)
    {
        switch (exception)
        {
            // Thrown by the server for a body that breaks its limits.
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } bad:
                return new RpcException(new Status(StatusCode.ResourceExhausted, bad.Message, bad));
            case BadHttpRequestException bad:
                return new RpcException(new Status(StatusCode.Internal, bad.Message, bad));
            // The body of a reset request fails before RequestAborted is cancelled.
            case IOException or ConnectionAbortedException:
                _isReset = true;
                return new OperationCanceledException("The client reset the call.", exception, _cancellationToken);
            default:
                return exception;
        }
    }

    public void ThrowIfEnded()
    {
        if (Volatile.Read(ref _gate) == Ended)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            throw new InvalidOperationException("The call has ended; its streams can not be used any more.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_deadlineTimer is not null)
        {
            // Waits for a callback that is running; after that nobody cancels the source.
            await _deadlineTimer.DisposeAsync();
            _endedEarly!.Dispose();
        }
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        if (http.Response.HasStarted)
        {
            throw new InvalidOperationException("The response headers were sent before.");
        }

        Enter();
        try
        {
            foreach (Metadata.Entry entry in responseHeaders)
            {
                AddResponseHeader(entry);
            }

            await _body.FlushAsync();
        }
        finally
        {
            Leave();
        }
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options)
    {
        options ??= ContextPropagationOptions.Default;
        return new CallContextPropagationToken(
            options.IsPropagateDeadline && _deadline != DateTime.MaxValue ? _deadline : null,
            options.IsPropagateCancellation ? _cancellationToken : CancellationToken.None);
    }

    private bool Refuse(StatusCode code, string detail)
    {
        End(new Status(code, detail), Metadata.Empty);
        return false;
    }

    private void LiftBodyLimits()
    {
        // Messages have a limit of their own; their number has none.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        // A stream may be silent for as long as it likes.
        if (method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming
            && http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }

    private void ArmDeadline(TimeSpan timeout)
    {
        DateTime now = server.TimeProvider.GetUtcNow().UtcDateTime;
        _deadline = timeout < DateTime.MaxValue - now ? now + timeout : DateTime.MaxValue;
        if (timeout > GrpcTimeout.TimerMax)
        {
            return;
        }

        _deadlineReached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _endedEarly = CancellationTokenSource.CreateLinkedTokenSource(_requestAborted);
        _cancellationToken = _endedEarly.Token;
        _deadlineTimer = server.TimeProvider.CreateTimer(
            static state =>
            {
                var call = (HttpServerCallContext)state!;
                call._deadlineReached!.TrySetResult();
                call._endedEarly!.Cancel();
            },
            this,
            timeout,
            Timeout.InfiniteTimeSpan);
    }

    private void CompressIfAccepted()
    {
        if (WireNames.Lists(http.Request.Headers[WireNames.AcceptEncoding], WireNames.Gzip))
        {
            _isCompressed = true;
            http.Response.Headers[WireNames.Encoding] = WireNames.Gzip;
        }
    }

    private void AddResponseHeader(Metadata.Entry entry)
    {
        if (entry.Key == WireNames.CompressionRequest)
        {
            _isCompressed = false;
            http.Response.Headers.Remove(WireNames.Encoding);
            if (entry.Value == WireNames.Gzip)
            {
                CompressIfAccepted();
            }
        }
        else if (!WireNames.IsOwnedByProtocol(entry.Key))
        {
            HttpReplies.Append(http.Response.Headers, entry.Key, MetadataText.IsSendable(entry)
                ? MetadataText.Encode(entry)
                : throw new ArgumentException(
                    $"The metadata '{entry.Key}' has characters outside of printable ASCII; use a key that ends in '-bin'."));
        }
    }

    private Metadata ReadMetadata()
    {
        var metadata = new Metadata();
        foreach ((string name, StringValues values) in http.Request.Headers)
        {
            foreach (string? value in values)
            {
                MetadataText.AddLine(metadata, name, value ?? "");
            }
        }

        return metadata;
    }

    private void Enter()
    {
        switch (Interlocked.CompareExchange(ref _gate, Busy, Idle))
        {
            case Busy:
                throw new InvalidOperationException("The previous write has not ended; a stream is written by one writer at a time.");
            case Ended:
                ThrowIfEnded();
                break;
        }

        if (_cancellationToken.IsCancellationRequested)
        {
            Leave();
            throw new OperationCanceledException(_cancellationToken);
        }
    }

    private void Leave() => Interlocked.CompareExchange(ref _gate, Idle, Busy);

    private async Task FlushAsync(ValueTask<FlushResult> flushing)
    {
        try
        {
            // Ends early, without an exception, if the client goes away.
            await flushing;
            _requestAborted.ThrowIfCancellationRequested();
        }
        catch (Exception e) when (TransportFailure(e) is var failure && !ReferenceEquals(failure, e))
        {
            throw failure;
        }
        finally
        {
            Leave();
        }
    }

    private void Reset(int errorCode)
    {
        if (http.Features.Get<IHttpResetFeature>() is { } reset)
        {
            reset.Reset(errorCode);
        }
        else
        {
            http.Abort();
        }
    }
}
