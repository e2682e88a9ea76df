using System.Net;
using Roster.Engine.Delivery;
using Roster.Engine.Tests.Reading;

namespace Roster.Engine.Tests.Delivery;

/// <summary>The transport against a receiver on loopback, whose range is allowed.</summary>
public sealed class HttpWebhookTransportTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ACT_60_A_request_has_its_method_headers_and_body_and_nothing_of_the_machine()
    {
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(200, """{"id":"x"}""", "Content-Type: application/json; charset=utf-8"));
        await using var transport = Allowed();
        var answer = await transport.SendAsync(Request(receiver, HttpMethod.Put, "{}"u8.ToArray(), KeyValuePair.Create("X-A", "1")), Token);
        Assert.Equal((200, """{"id":"x"}"""), (answer.Status, System.Text.Encoding.UTF8.GetString(answer.Json!)));
        var got = Assert.Single(receiver.Requests);
        Assert.Equal(("PUT", "/in", "1", "application/json", "{}"), (got.Method, got.Target, got.Headers["x-a"], got.Headers["content-type"], System.Text.Encoding.UTF8.GetString(got.Body)));
        Assert.Equal(["content-length", "content-type", "host", "x-a"], got.Headers.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task ERR_06_A_redirect_is_not_followed()
    {
        await using var other = new WebhookReceiver(new ReceiverAnswer(200));
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(307, "", $"Location: {other.Url}/stolen"));
        await using var transport = Allowed();
        Assert.Equal(307, (await transport.SendAsync(Request(receiver), Token)).Status);
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task ERR_04_A_dropped_connection_and_a_refused_one_are_no_answer()
    {
        await using var transport = Allowed();
        await using (var receiver = new WebhookReceiver(ReceiverAnswer.Drop))
        {
            var answer = await transport.SendAsync(Request(receiver), Token);
            Assert.Equal(0, answer.Status);
            Assert.NotEmpty(answer.Error);
        }

        string gone;
        await using (var receiver = new WebhookReceiver(ReceiverAnswer.Drop))
        {
            gone = receiver.Url;
        }

        Assert.Equal(0, (await transport.SendAsync(new WebhookRequest(HttpMethod.Post, new Uri(gone), [], null), Token)).Status);
    }

    [Fact]
    public async Task ERR_05_An_answer_that_does_not_come_is_given_up_when_its_time_is_over()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var receiver = new WebhookReceiver(ReceiverAnswer.Hang);
        await using var transport = new HttpWebhookTransport(Loopback(), clock);
        var sending = transport.SendAsync(Request(receiver), Token);
        await receiver.NextAsync(Token);
        clock.MoveTo(clock.GetUtcNow() + TimeSpan.FromSeconds(32.9));
        Assert.False(sending.IsCompleted);
        clock.MoveTo(clock.GetUtcNow() + TimeSpan.FromSeconds(0.1));
        var answer = await sending;
        Assert.Equal((0, "No answer within 33 s."), (answer.Status, answer.Error));
    }

    [Fact]
    public async Task ERR_05_A_connection_that_does_not_come_is_given_up_when_its_time_is_over()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var resolver = new NeverResolver();
        await using var transport = new HttpWebhookTransport(new HostConnector(AddressRules.Default, resolver), clock);
        var sending = transport.SendAsync(new WebhookRequest(HttpMethod.Post, new Uri("http://slow.example/"), [], null), Token);
        await resolver.Asked.Task.WaitAsync(Token);
        clock.MoveTo(clock.GetUtcNow() + TimeSpan.FromSeconds(3));
        var answer = await sending;
        Assert.Equal((0, "No connection to slow.example within 3 s."), (answer.Status, answer.Error));
    }

    [Fact]
    public async Task ACT_60_Without_the_operators_leave_nothing_reaches_loopback()
    {
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(200));
        await using var transport = new HttpWebhookTransport(new HostConnector(AddressRules.Default, new SystemHostResolver()), TimeProvider.System);
        foreach (var host in new[] { "127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1" })
        {
            var url = receiver.Url.Replace("127.0.0.1", host, StringComparison.Ordinal);
            Assert.NotNull(await transport.CheckAsync(url, Token));
            var answer = await transport.SendAsync(new WebhookRequest(HttpMethod.Post, new Uri(url), [], null), Token);
            Assert.Equal(0, answer.Status);
            Assert.Contains("webhook_allow", answer.Error, StringComparison.Ordinal);
        }

        Assert.Empty(receiver.Requests);
    }

    [Fact]
    public async Task ACT_05_An_answer_is_read_up_to_its_bound_and_what_is_no_json_not_at_all()
    {
        var large = $"\"{new string('x', 100)}\"";
        await using var receiver = new WebhookReceiver(
            new ReceiverAnswer(200, large, "Content-Type: application/json"), new ReceiverAnswer(200, large, "Content-Type: application/problem+json"),
            new ReceiverAnswer(200, large, "Content-Type: text/html"), new ReceiverAnswer(503, large, "Content-Type: application/json", "Retry-After: 120"));
        await using var transport = Allowed();
        Assert.True((await transport.SendAsync(Request(receiver) with { AnswerBytesMax = 101 }, Token)).IsTooLarge);
        Assert.Equal(102, (await transport.SendAsync(Request(receiver) with { AnswerBytesMax = 102 }, Token)).Json!.Length);
        Assert.Null((await transport.SendAsync(Request(receiver), Token)).Json);
        var busy = await transport.SendAsync(Request(receiver), Token);
        Assert.Equal((503, TimeSpan.FromSeconds(120)), (busy.Status, busy.RetryAfter!.Delta!.Value));
        Assert.Null(busy.Json);
    }

    private static HostConnector Loopback()
    {
        Assert.Null(AddressRules.TryParse(["127.0.0.1"], out var rules));
        return new HostConnector(rules, new SystemHostResolver());
    }

    private static HttpWebhookTransport Allowed() => new(Loopback(), TimeProvider.System);

    private static WebhookRequest Request(WebhookReceiver receiver, HttpMethod? method = null, byte[]? body = null, params KeyValuePair<string, string>[] headers) =>
        new(method ?? HttpMethod.Post, new Uri(receiver.Url + "/in"), headers, body ?? "{}"u8.ToArray());

    private sealed class NeverResolver : IHostResolver
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            Asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return [];
        }
    }
}
