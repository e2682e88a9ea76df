using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Core.Wire;

namespace Grpc.Net.Client;

/// <summary>How a call ended.</summary>
internal sealed record CallEnd(Status Status, Metadata Trailers)
{
    public RpcException ToException() => new(Status, Trailers);
}

/// <summary>
/// One call over HTTP/2, of any of the four kinds.
/// It ends exactly once, by the first of: the server's status, a broken transport, the deadline, a cancellation, Dispose.
/// All of them go through <see cref="End"/>; whoever is late changes nothing.
/// </summary>
internal sealed class HttpCall<TRequest, TResponse> : IDisposable
    where TRequest : class
    where TResponse : class
{
    private static readonly StreamPipeReaderOptions PipeOptions = new(bufferSize: 16 * 1024);
    private static readonly string UserAgent = $"grpc-roster/{typeof(GrpcChannel).Assembly.GetName().Version?.ToString(3)}";

    private readonly GrpcChannel _channel;
    private readonly Method<TRequest, TResponse> _method;
    private readonly string? _host;
    private readonly CallOptions _options;
    private readonly CancellationTokenSource _endedEarly = new();
    private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<TResponse>? _response;
    private readonly TaskCompletionSource<CallEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly MessageWriter _writer;
    private readonly bool _compress;
    private readonly DateTime? _deadline;
    private CallContent? _content;
    private HttpResponseMessage? _httpResponse;
    private ITimer? _deadlineTimer;
    private CancellationTokenRegistration _byCaller;
    private CancellationTokenRegistration _byServedCall;
    private CancellationTokenRegistration _byChannel;
    private int _isEnded;

    public HttpCall(GrpcChannel channel, Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        _channel = channel;
        _method = method;
        _host = host;
        _options = options;
        _writer = new MessageWriter(channel.SendBytesMax, CompressionLevel.Fastest);
        _compress = CompressionOf(options.Headers);
        _deadline = EarliestDeadline(options);
        if (method.Type is MethodType.Unary or MethodType.ClientStreaming)
        {
            _response = new TaskCompletionSource<TResponse>(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        else
        {
            Reader = new ClientStreamReader<TRequest, TResponse>(this);
        }
    }

    public Task<Metadata> ResponseHeaders => _headers.Task;

    /// <summary>The response of a call with one response.</summary>
    public Task<TResponse> Response => _response!.Task;

    /// <summary>The responses of a call with a stream of them.</summary>
    public ClientStreamReader<TRequest, TResponse>? Reader { get; }

    /// <summary>Ends when the call ends; never fails.</summary>
    public Task<CallEnd> Ended => _end.Task;

    public CancellationToken EndedEarly => _endedEarly.Token;

    public WriteOptions? WriteOptions => _options.WriteOptions;

    public Func<DeserializationContext, TResponse> Deserializer => _method.ResponseMarshaller.ContextualDeserializer;

    /// <summary>Starts a call with one request.</summary>
    public void StartWith(TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var message = new ArrayBufferWriter<byte>();
        try
        {
            Serialize(request, _options.WriteOptions, message);
        }
        catch (Exception e)
        {
            EndEarly(e is RpcException rpc ? rpc.Status : new Status(StatusCode.Internal, "The request could not be serialised.", e));
            return;
        }

        Start(new SingleMessageContent(message.WrittenMemory));
    }

    /// <summary>Starts a call with a stream of requests.</summary>
    public ClientStreamWriter<TRequest, TResponse> StartStreaming()
    {
        var content = new StreamedContent();
        var writer = new ClientStreamWriter<TRequest, TResponse>(this, content);
        Start(content);
        return writer;
    }

    public void Serialize(TRequest request, WriteOptions? options, IBufferWriter<byte> target)
    {
        bool compress = _compress && (options is null || (options.Flags & WriteFlags.NoCompress) == 0);
        _writer.Write(request, _method.RequestMarshaller.ContextualSerializer, target, compress);
    }

    public CallEnd EndedWith() => _end.Task.IsCompletedSuccessfully
        ? _end.Task.Result
        : throw new InvalidOperationException("The call has not ended; its status and trailers are not known yet.");

    public void Cancel(string why) => EndEarly(new Status(StatusCode.Cancelled, why));

    public void Dispose() => Cancel("The call was disposed.");

    /// <summary>Ends a call whose responses are all read. The result says how it ended, which may have happened before.</summary>
    public Task<CallEnd> EndWithTrailersAsync()
    {
        try
        {
            HttpResponseMessage response = _httpResponse!;
            Status status = StatusMapping.FromHeaders(response.TrailingHeaders)
                ?? new Status(StatusCode.Unknown, "The response ended without grpc-status.");
            End(status, StatusMapping.MetadataOf(response.TrailingHeaders));
        }
        catch (RpcException e)
        {
            EndEarly(e.Status);
        }

        return Ended;
    }

    /// <summary>Ends a call whose transport failed, or whose peer broke the protocol.</summary>
    public Task<CallEnd> EndWithFailureAsync(Exception exception)
    {
        EndEarly(StatusOf(exception));
        return Ended;
    }

    public Status StatusOf(Exception exception)
    {
        Status status = StatusMapping.FromException(exception);
        // The server may reset the stream at the deadline before the timer on this side fires.
        bool isTransport = exception is not RpcException;
        return isTransport && _deadline <= _channel.TimeProvider.GetUtcNow().UtcDateTime
            ? new Status(StatusCode.DeadlineExceeded, "The deadline passed.", exception)
            : status;
    }

    private void Start(CallContent content)
    {
        _content = content;
        TimeSpan? timeout = _deadline - _channel.TimeProvider.GetUtcNow().UtcDateTime;
        if (timeout <= TimeSpan.Zero)
        {
            EndAtDeadline();
            return;
        }

        if (timeout <= GrpcTimeout.TimerMax)
        {
            _deadlineTimer = _channel.TimeProvider.CreateTimer(
                static call => ((HttpCall<TRequest, TResponse>)call!).EndAtDeadline(), this, timeout.Value, Timeout.InfiniteTimeSpan);
        }

        _byCaller = Register(_options.CancellationToken, "The call was cancelled by its caller.");
        _byChannel = Register(_channel.Disposed, "The channel is disposed.");
        if (_options.PropagationToken is CallContextPropagationToken token)
        {
            _byServedCall = Register(token.CancellationToken, "The call that is being served was cancelled.");
        }

        if (Volatile.Read(ref _isEnded) != 0)
        {
            // Ended while it was set up, so the clean-up may have missed some.
            CleanUp();
            return;
        }

        _ = RunAsync(content, timeout);
    }

    private async Task RunAsync(CallContent content, TimeSpan? timeout)
    {
        try
        {
            HttpRequestMessage request = CreateRequest(content, timeout);
            if (_options.Credentials is { } credentials)
            {
                await AddCredentialsAsync(request, credentials).ConfigureAwait(false);
            }

            // The server may send its headers only with its first response, so nothing that writes requests waits for this.
            HttpResponseMessage response = await _channel.SendAsync(request, _endedEarly.Token).ConfigureAwait(false);
            _httpResponse = response;
            if (Volatile.Read(ref _isEnded) != 0)
            {
                response.Dispose();
                return;
            }

            await ReceiveAsync(response).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await EndWithFailureAsync(e).ConfigureAwait(false);
        }
    }

    private async Task ReceiveAsync(HttpResponseMessage response)
    {
        Status? immediate = StatusMapping.FromHeaders(response.Headers);
        if ((immediate ?? StatusMapping.FromResponse(response)) is { } status)
        {
            // "Trailers-Only": the headers are the trailers.
            Metadata metadata = StatusMapping.MetadataOf(response.Headers);
            _headers.TrySetResult(metadata);
            End(status, metadata);
            return;
        }

        _headers.TrySetResult(StatusMapping.MetadataOf(response.Headers));
        Stream body = await response.Content.ReadAsStreamAsync(_endedEarly.Token).ConfigureAwait(false);
        PipeReader pipe = PipeReader.Create(body, PipeOptions);
        var messages = new MessageReader(pipe, _channel.ReceiveBytesMax, StatusMapping.Value(response.Headers, WireNames.Encoding));
        if (_response is null)
        {
            Reader!.Open(messages, pipe);
            return;
        }

        try
        {
            await ReceiveSingleAsync(messages, response).ConfigureAwait(false);
        }
        finally
        {
            await pipe.CompleteAsync().ConfigureAwait(false);
        }
    }

    private async Task ReceiveSingleAsync(MessageReader messages, HttpResponseMessage response)
    {
        TResponse? message = await messages.ReadAsync(Deserializer, _endedEarly.Token).ConfigureAwait(false);
        if (message is not null
            && await messages.ReadAsync(Deserializer, _endedEarly.Token).ConfigureAwait(false) is not null)
        {
            EndEarly(new Status(StatusCode.Internal, "The server sent more than one response to a call with one response."));
            return;
        }

        Status status = StatusMapping.FromHeaders(response.TrailingHeaders)
            ?? new Status(StatusCode.Unknown, "The response ended without grpc-status.");
        End(status, StatusMapping.MetadataOf(response.TrailingHeaders), message);
    }

    private HttpRequestMessage CreateRequest(HttpContent content, TimeSpan? timeout)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, _channel.AddressOf(_method)) { Content = content };
        content.Headers.TryAddWithoutValidation("Content-Type", WireNames.ContentType);
        request.Headers.TryAddWithoutValidation("TE", "trailers");
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        request.Headers.TryAddWithoutValidation(WireNames.AcceptEncoding, WireNames.SupportedEncodings);
        request.Headers.Host = _host;
        if (timeout is not null)
        {
            request.Headers.TryAddWithoutValidation(WireNames.Timeout, GrpcTimeout.Format(timeout.Value));
        }

        if (_compress)
        {
            request.Headers.TryAddWithoutValidation(WireNames.Encoding, WireNames.Gzip);
        }

        AddMetadata(request, _options.Headers);
        return request;
    }

    private async Task AddCredentialsAsync(HttpRequestMessage request, CallCredentials credentials)
    {
        var context = new AuthInterceptorContext(
            new Uri(request.RequestUri!, "/" + _method.ServiceName).AbsoluteUri, _method.Name, _endedEarly.Token);
        var metadata = new Metadata();
        await credentials.AddToAsync(context, metadata).ConfigureAwait(false);
        AddMetadata(request, metadata);
    }

    private static void AddMetadata(HttpRequestMessage request, Metadata? metadata)
    {
        foreach (Metadata.Entry entry in metadata ?? Metadata.Empty)
        {
            if (WireNames.IsOwnedByProtocol(entry.Key))
            {
                continue;
            }

            if (!MetadataText.IsSendable(entry))
            {
                throw new RpcException(new Status(
                    StatusCode.Internal, $"The metadata '{entry.Key}' has characters outside of printable ASCII; use a key that ends in '-bin'."));
            }

            request.Headers.TryAddWithoutValidation(entry.Key, MetadataText.Encode(entry));
        }
    }

    private static bool CompressionOf(Metadata? headers) => headers?.GetValue(WireNames.CompressionRequest) switch
    {
        null or WireNames.Identity => false,
        WireNames.Gzip => true,
        string other => throw new InvalidOperationException(
            $"The compression '{other}' is not supported; '{WireNames.SupportedEncodings}' are."),
    };

    private static DateTime? EarliestDeadline(CallOptions options)
    {
        DateTime? deadline = options.Deadline == DateTime.MaxValue ? null : options.Deadline;
        if (deadline is { Kind: not DateTimeKind.Utc } && deadline != DateTime.MinValue)
        {
            throw new InvalidOperationException("A deadline must be in UTC.");
        }

        DateTime? inherited = (options.PropagationToken as CallContextPropagationToken)?.Deadline;
        return inherited is null || inherited > deadline ? deadline : inherited;
    }

    private CancellationTokenRegistration Register(CancellationToken token, string why) => token.CanBeCanceled
        ? token.UnsafeRegister(static state =>
        {
            (HttpCall<TRequest, TResponse> call, string why) = ((HttpCall<TRequest, TResponse>, string))state!;
            call.Cancel(why);
        }, (this, why))
        : default;

    private void EndAtDeadline() => EndEarly(new Status(StatusCode.DeadlineExceeded, "The deadline passed."));

    /// <summary>Ends the call from this side: what is in flight is reset.</summary>
    private void EndEarly(Status status)
    {
        if (End(status, Metadata.Empty))
        {
            _endedEarly.Cancel();
        }
    }

    private bool End(Status status, Metadata trailers, TResponse? response = null)
    {
        if (Interlocked.Exchange(ref _isEnded, 1) != 0)
        {
            return false;
        }

        if (status.StatusCode == StatusCode.OK && _response is not null && response is null)
        {
            status = new Status(StatusCode.Internal, "The server replied with OK and no response.");
        }

        var end = new CallEnd(status, trailers);
        _end.TrySetResult(end);
        if (status.StatusCode == StatusCode.OK)
        {
            _response?.TrySetResult(response!);
        }
        else
        {
            RpcException exception = end.ToException();
            Fail(_headers, exception);
            Fail(_response, exception);
        }

        Reader?.Abandon();
        CleanUp();
        return true;
    }

    private void CleanUp()
    {
        _deadlineTimer?.Dispose();
        _byCaller.Unregister();
        _byServedCall.Unregister();
        _byChannel.Unregister();
        _content?.Abort();
        _httpResponse?.Dispose();
    }

    private static void Fail<T>(TaskCompletionSource<T>? source, RpcException exception)
    {
        if (source is not null && source.TrySetException(exception))
        {
            // Nobody has to look at it.
            _ = source.Task.Exception;
        }
    }
}
