using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>
/// A way to a server over HTTP/2. Calls share its connections; make one and keep it. Safe for concurrent use.
/// </summary>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly Uri _address;
    private readonly HttpMessageInvoker _http;
    private readonly bool _disposeHttp;
    private readonly CancellationTokenSource _disposed = new();
    private readonly ConcurrentDictionary<string, Uri> _methodAddresses = new(StringComparer.Ordinal);

    private GrpcChannel(Uri address, GrpcChannelOptions options)
        : base(address.Authority)
    {
        if (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
        {
            throw new ArgumentException($"The address '{address}' must start with http:// or https://.", nameof(address));
        }

        if (options.HttpClient is not null && options.HttpHandler is not null)
        {
            throw new ArgumentException(
                $"Only one of {nameof(GrpcChannelOptions.HttpClient)} and {nameof(GrpcChannelOptions.HttpHandler)} can be set.",
                    nameof(options));
        }

        _address = address;
        ReceiveBytesMax = options.MaxReceiveMessageSize;
        SendBytesMax = options.MaxSendMessageSize;
        TimeProvider = options.TimeProvider;
        _disposeHttp = options.DisposeHttpClient || (options.HttpClient is null && options.HttpHandler is null);
        _http = options.HttpClient ?? new HttpMessageInvoker(options.HttpHandler ?? CreateHandler(), _disposeHttp);
    }

    internal int? ReceiveBytesMax { get; }

    internal int? SendBytesMax { get; }

    internal TimeProvider TimeProvider { get; }

    internal CancellationToken Disposed => _disposed.Token;

    /// <summary>Makes a channel with default options. It connects at the first call.</summary>
    /// <param name="address">The address of the server, <c>http://host:port</c> or <c>https://host:port</c>.</param>
    public static GrpcChannel ForAddress(string address) => ForAddress(address, new GrpcChannelOptions());

    /// <summary>Makes a channel. It connects at the first call.</summary>
    /// <param name="address">The address of the server, <c>http://host:port</c> or <c>https://host:port</c>.</param>
    /// <param name="channelOptions">The options.</param>
    /// <exception cref="ArgumentException">The address is not of that form, or the options contradict each other.</exception>
    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        return ForAddress(new Uri(address), channelOptions);
    }

    /// <summary>Makes a channel with default options. It connects at the first call.</summary>
    /// <param name="address">The address of the server.</param>
    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());

    /// <summary>Makes a channel. It connects at the first call.</summary>
    /// <param name="address">The address of the server.</param>
    /// <param name="channelOptions">The options.</param>
    /// <exception cref="ArgumentException">The address has no http scheme, or the options contradict each other.</exception>
    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        return new GrpcChannel(address, channelOptions);
    }

    /// <inheritdoc />
    /// <exception cref="ObjectDisposedException">The channel is disposed.</exception>
    public override CallInvoker CreateCallInvoker()
    {
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        return new HttpCallInvoker(this);
    }

    /// <summary>Cancels the calls of the channel and closes its connections.</summary>
    public void Dispose()
    {
        if (_disposed.IsCancellationRequested)
        {
            return;
        }

        _disposed.Cancel();
        if (_disposeHttp)
        {
            _http.Dispose();
        }
    }

    /// <inheritdoc />
    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }

    internal Uri AddressOf(IMethod method) =>
        _methodAddresses.GetOrAdd(method.FullName, static (path, address) => new Uri(address, path), _address);

    internal Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Version = HttpVersion.Version20;
        // Without TLS there is no negotiation; both sides know that it is HTTP/2.
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return _http is HttpClient client
            ? client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
            : _http.SendAsync(request, cancellationToken);
    }

    private static SocketsHttpHandler CreateHandler() => new()
    {
        // A server allows some hundred streams per connection; more calls than that get another one instead of waiting.
        EnableMultipleHttp2Connections = true,
        AllowAutoRedirect = false,
        UseCookies = false,
    };
}
