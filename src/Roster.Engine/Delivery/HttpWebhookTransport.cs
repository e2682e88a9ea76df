using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Roster.Engine.Delivery;

/// <summary>
/// Sends webhooks over HTTP/1.1. Every connection goes to an address that was checked (<see cref="HostConnector"/>); no proxy, no cookies, no
/// redirects. Connections are used again for at most two minutes, so that a change of the name service is followed.
/// </summary>
public sealed class HttpWebhookTransport : IWebhookTransport
{
    private static readonly HttpRequestOptionsKey<TimeSpan> ConnectTimeoutKey = new("roster.connect-timeout");

    private readonly HostConnector _connector;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    /// <summary>Creates a transport.</summary>
    /// <param name="connector">Checks and connects.</param>
    /// <param name="time">Measures timeouts: real time.</param>
    public HttpWebhookTransport(HostConnector connector, TimeProvider time)
    {
        _connector = connector;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 16,
            ActivityHeadersPropagator = null,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
            ConnectCallback = ConnectAsync,
        };
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <inheritdoc/>
    public async Task<string?> CheckAsync(string url, CancellationToken cancellationToken)
    {
        if (WebhookUrl.Check(url, _connector.Rules, out var parsed) is { } problem)
        {
            return problem;
        }

        try
        {
            await _connector.FindAsync(parsed!.DnsSafeHost, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (AddressRefusedException refused)
        {
            return refused.Message;
        }
        catch (SocketException failure)
        {
            return $"Host '{parsed!.Host}' was not found: {failure.Message}";
        }
    }

    /// <inheritdoc/>
    public async Task<WebhookAnswer> SendAsync(WebhookRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var message = ToMessage(request);
        using var timeout = new CancellationTokenSource(request.ConnectTimeout + request.ResponseTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var response = await _client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
            return await ReadAsync(response, request.AnswerBytesMax, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new WebhookAnswer(0, $"No answer within {(request.ConnectTimeout + request.ResponseTimeout).TotalSeconds:0.#} s.");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or SocketException or AuthenticationException or AddressRefusedException or InvalidOperationException)
        {
            return new WebhookAnswer(0, Innermost(failure).Message);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private static HttpRequestMessage ToMessage(WebhookRequest request)
    {
        var message = new HttpRequestMessage(request.Method, request.Url);
        message.Options.Set(ConnectTimeoutKey, request.ConnectTimeout);
        foreach (var (name, value) in request.Headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        if (request.Body is { } body)
        {
            message.Content = new ByteArrayContent(body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        return message;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var timeout = context.InitialRequestMessage.Options.TryGetValue(ConnectTimeoutKey, out var wanted) ? wanted : TimeSpan.FromSeconds(3);
        using var over = new CancellationTokenSource(timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        try
        {
            return await _connector.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"No connection to {context.DnsEndPoint.Host} within {timeout.TotalSeconds:0.#} s.");
        }
    }

    private static async Task<WebhookAnswer> ReadAsync(HttpResponseMessage response, int bytesMax, CancellationToken cancellationToken)
    {
        var answer = new WebhookAnswer((int)response.StatusCode) { RetryAfter = response.Headers.RetryAfter };
        var type = response.Content.Headers.ContentType?.MediaType ?? string.Empty;
        if (!response.IsSuccessStatusCode || !(type == "application/json" || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase)))
        {
            return answer;
        }

        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[bytesMax + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return length > bytesMax ? answer with { IsTooLarge = true } : answer with { Json = length == 0 ? null : buffer[..length] };
    }

    private static Exception Innermost(Exception failure) => failure.InnerException is { } inner ? Innermost(inner) : failure;
}
