using Roster.Engine.Delivery;
using Roster.Server.Mail;

namespace Roster.Server.Tests.Mail;

/// <summary>E-mails over SMTP against a mail server on loopback (ACT-12, ACT-13).</summary>
public sealed class SmtpMailTransportTests
{
    private static readonly DateTimeOffset At = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ACT_12_An_email_is_handed_over_encrypted_with_its_key_and_the_same_id_each_time()
    {
        await using var server = new FakeSmtpServer();
        await using var mail = Transport(server, user: "shop");
        Assert.True((await mail.SendAsync(Message("Grüße") with { Text = "plain", Html = "<b>rich</b>", ReplyTo = "answers@shop.example" }, Token)).IsSent);
        Assert.True((await mail.SendAsync(Message("Grüße") with { Text = "plain", Html = "<b>rich</b>", ReplyTo = "answers@shop.example" }, Token)).IsSent);
        Assert.Equal(1, server.Connections);
        var taken = server.Taken.First();
        Assert.Equal(("shop@shop.example", "a@x.example,b@x.example", true, "/shop/right"), (taken.From, string.Join(',', taken.To), taken.WasEncrypted, taken.User));
        Assert.Contains("From: Shop <shop@shop.example>", taken.Content, StringComparison.Ordinal);
        Assert.Contains("Reply-To: answers@shop.example", taken.Content, StringComparison.Ordinal);
        Assert.Contains("Message-Id: <0123@shop.example>", taken.Content, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("X-Roster-Key: acme/1/1/m/1", taken.Content, StringComparison.Ordinal);
        Assert.Contains("Date: Sun, 01 Mar 2026 12:00:00 +0000", taken.Content, StringComparison.Ordinal);
        Assert.Contains("multipart/alternative", taken.Content, StringComparison.Ordinal);
        Assert.Contains("<b>rich</b>", taken.Content, StringComparison.Ordinal);
        Assert.Single(server.Taken.Select(t => t.Content).Distinct());
    }

    [Fact]
    public async Task ACT_12_Without_encryption_nothing_is_sent_unless_the_operator_says_so()
    {
        await using var server = new FakeSmtpServer { OffersTls = false };
        await using var strict = Transport(server);
        var refused = await strict.SendAsync(Message("x"), Token);
        Assert.Equal((false, true, true), (refused.IsSent, refused.IsRetryable, refused.IsServerDown));
        await using var open = Transport(server, SmtpSecurity.None);
        Assert.True((await open.SendAsync(Message("x"), Token)).IsSent);
        Assert.False(Assert.Single(server.Taken).WasEncrypted);
    }

    [Fact]
    public async Task ACT_12_A_certificate_that_nobody_trusts_is_not_taken()
    {
        await using var server = new FakeSmtpServer();
        await using var mail = new SmtpMailTransport(Options(server, SmtpSecurity.StartTls, string.Empty));
        Assert.True((await mail.SendAsync(Message("x"), Token)).IsServerDown);
        Assert.Empty(server.Taken);
    }

    [Theory]
    [InlineData("550 no such user", false)]
    [InlineData("450 later", true)]
    public async Task ACT_12_What_the_server_refuses_for_good_is_not_tried_again(string answer, bool isRetryable)
    {
        await using var server = new FakeSmtpServer { OnReceiver = _ => answer };
        await using var mail = Transport(server);
        var refused = await mail.SendAsync(Message("x"), Token);
        Assert.Equal((false, isRetryable, false), (refused.IsSent, refused.IsRetryable, refused.IsServerDown));
        Assert.StartsWith(answer[..3], refused.Error, StringComparison.Ordinal);
        server.OnReceiver = _ => "250 OK";
        server.OnData = answer;
        Assert.Equal(isRetryable, (await mail.SendAsync(Message("x"), Token)).IsRetryable);
        server.OnData = "250 OK";
        Assert.True((await mail.SendAsync(Message("x"), Token)).IsSent);
    }

    [Fact]
    public async Task ACT_12_A_wrong_password_and_a_server_that_is_gone_are_tried_again_and_a_bad_address_is_not()
    {
        int port;
        await using (var server = new FakeSmtpServer())
        {
            port = server.Port;
            await using var mail = Transport(server, user: "shop", password: "wrong");
            Assert.True((await mail.SendAsync(Message("x"), Token)).IsServerDown);
            await using var fine = Transport(server);
            var bad = await fine.SendAsync(Message("x") with { To = ["no address"] }, Token);
            Assert.Equal((false, false), (bad.IsSent, bad.IsRetryable));
        }

        await using var gone = new SmtpMailTransport(new ServerOptions { SmtpHost = "127.0.0.1", SmtpPort = port, SmtpFrom = "a@b.example" });
        var down = await gone.SendAsync(Message("x"), Token);
        Assert.Equal((true, true), (down.IsRetryable, down.IsServerDown));
    }

    private static MailMessage Message(string subject) => new("0123", "acme/1/1/m/1", "", "", ["a@x.example", "b@x.example"], subject, "text", "") { RequestedAt = At };

    private static ServerOptions Options(FakeSmtpServer server, SmtpSecurity security, string user, string password = "right") => new()
    {
        SmtpHost = "127.0.0.1",
        SmtpPort = server.Port,
        SmtpSecurity = security,
        SmtpFrom = "Shop <shop@shop.example>",
        SmtpUser = user,
        SmtpPassword = user.Length > 0 ? password : string.Empty,
    };

    private static SmtpMailTransport Transport(FakeSmtpServer server, SmtpSecurity security = SmtpSecurity.StartTls, string user = "", string password = "right") =>
        new(Options(server, security, user, password)) { Certificates = (_, _, _, _) => true };
}
