using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Roster.Engine.Tests.Delivery;

/// <summary>A request that a receiver got.</summary>
internal sealed record ReceivedRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Key => Headers["webhook-id"];
}

/// <summary>What a receiver answers.</summary>
internal sealed record ReceiverAnswer(int Status, string Body = "", params string[] Headers)
{
    /// <summary>Closes the connection without an answer.</summary>
    public static readonly ReceiverAnswer Drop = new(0);

    /// <summary>Never answers.</summary>
    public static readonly ReceiverAnswer Hang = new(-1);
}

/// <summary>An HTTP/1.1 server on loopback that notes what it gets: one request per connection.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Task _loop;

    public WebhookReceiver(Func<ReceivedRequest, int, ReceiverAnswer> answer)
    {
        Answer = answer;
        _listener.Start();
        _loop = AcceptAsync();
    }

    public WebhookReceiver(params ReceiverAnswer[] answers)
        : this((_, n) => answers[Math.Min(n, answers.Length - 1)])
    {
    }

    public Func<ReceivedRequest, int, ReceiverAnswer> Answer { get; set; }

    public ConcurrentQueue<ReceivedRequest> Requests { get; } = new();

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Waits for the next request that was not waited for yet, and returns it. It may not have been answered.</summary>
    public async Task<ReceivedRequest> NextAsync(CancellationToken cancellationToken)
    {
        await _arrived.WaitAsync(cancellationToken);
        return _unread.TryDequeue(out var request) ? request : throw new InvalidOperationException("There is no request.");
    }

    private readonly ConcurrentQueue<ReceivedRequest> _unread = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _loop;
        _stop.Dispose();
        _arrived.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                open.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                if (await ReadAsync(stream) is not { } request)
                {
                    return;
                }

                var number = Requests.Count;
                Requests.Enqueue(request);
                _unread.Enqueue(request);
                var answer = Answer(request, number);
                _arrived.Release();
                if (answer.Status < 0)
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stop.Token);
                }
                else if (answer.Status > 0)
                {
                    var headers = string.Concat(answer.Headers.Select(h => h + "\r\n"));
                    await stream.WriteAsync(
                        Encoding.UTF8.GetBytes($"HTTP/1.1 {answer.Status} X\r\nContent-Length: {Encoding.UTF8.GetByteCount(answer.Body)}\r\nConnection: close\r\n{headers}\r\n{answer.Body}"), _stop.Token);
                }
            }
            catch (Exception failure) when (failure is OperationCanceledException or IOException or SocketException)
            {
                // The sender gave up, or the test is over.
            }
        }
    }

    private async Task<ReceivedRequest?> ReadAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (head.Count < 4 || !head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
            {
                return null;
            }

            head.Add(one[0]);
        }

        var lines = Encoding.UTF8.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var first = lines[0].Split(' ');
        var headers = lines.Skip(1).Select(l => l.Split(':', 2)).ToDictionary(l => l[0].ToLowerInvariant(), l => l[1].Trim(), StringComparer.Ordinal);
        var body = new byte[headers.TryGetValue("content-length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return new ReceivedRequest(first[0], first[1], headers, body);
    }
}
