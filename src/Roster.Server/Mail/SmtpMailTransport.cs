using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Roster.Engine.Delivery;
using IMailTransport = Roster.Engine.Delivery.IMailTransport;

namespace Roster.Server.Mail;

/// <summary>
/// Hands e-mails to a mail server over SMTP. Connections are kept for the next e-mail and looked at before they are used again. What the server refuses for
/// good (5xx) fails at once, everything else is tried again by the engine.
/// </summary>
internal sealed class SmtpMailTransport : IMailTransport
{
    private readonly ServerOptions _options;
    private readonly MailboxAddress _from;
    private readonly SecureSocketOptions _security;
    private readonly ConcurrentBag<SmtpClient> _idle = [];

    /// <summary>Creates a transport; connects to nothing yet.</summary>
    public SmtpMailTransport(ServerOptions options)
    {
        _options = options;
        _from = MailboxAddress.Parse(options.SmtpFrom);
        _security = options.SmtpSecurity switch
        {
            SmtpSecurity.StartTls => SecureSocketOptions.StartTls,
            SmtpSecurity.Tls => SecureSocketOptions.SslOnConnect,
            _ => SecureSocketOptions.None,
        };
    }

    /// <inheritdoc/>
    public int ConnectionsMax => _options.SmtpConnectionsMax;

    /// <summary>For tests: which certificates are taken. Default: those that the system trusts.</summary>
    internal RemoteCertificateValidationCallback? Certificates { get; init; }

    /// <inheritdoc/>
    public async Task<MailAnswer> SendAsync(MailMessage message, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(_options.SmtpSecondsMax), TimeProvider.System);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        SmtpClient? client = null;
        try
        {
            using var mime = ToMime(message);
            client = await ConnectAsync(both.Token);
            await client.SendAsync(mime, both.Token);
            _idle.Add(client);
            client = null;
            return new MailAnswer(IsSent: true);
        }
        catch (SmtpCommandException refused)
        {
            // 5xx of the message is for good; of the session, as when the server shuts down, it is not.
            var isForGood = (int)refused.StatusCode >= 500 && refused.ErrorCode != SmtpErrorCode.UnexpectedStatusCode;
            return new MailAnswer(IsSent: false, $"{(int)refused.StatusCode} {refused.Message}") { IsRetryable = !isForGood };
        }
        catch (Exception failure) when (failure is ParseException or FormatException or ArgumentException)
        {
            return new MailAnswer(IsSent: false, failure.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Down($"The mail server did not take the e-mail within {_options.SmtpSecondsMax} s (smtp_seconds_max).");
        }
        catch (Exception failure) when (failure is IOException or SocketException or ProtocolException or AuthenticationException or SslHandshakeException or ServiceNotConnectedException or ServiceNotAuthenticatedException or NotSupportedException)
        {
            return Down(failure.Message);
        }
        finally
        {
            client?.Dispose();
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        while (_idle.TryTake(out var client))
        {
            client.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private static MailAnswer Down(string error) => new(IsSent: false, error) { IsRetryable = true, IsServerDown = true };

    private async Task<SmtpClient> ConnectAsync(CancellationToken cancellationToken)
    {
        while (_idle.TryTake(out var idle))
        {
            if (await IsAliveAsync(idle, cancellationToken))
            {
                return idle;
            }

            idle.Dispose();
        }

        var client = new SmtpClient();
        try
        {
            client.ServerCertificateValidationCallback = Certificates;
            await client.ConnectAsync(_options.SmtpHost, _options.SmtpPort, _security, cancellationToken);
            if (_options.SmtpUser.Length > 0)
            {
                await client.AuthenticateAsync(_options.SmtpUser, _options.SmtpPassword, cancellationToken);
            }

            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private static async Task<bool> IsAliveAsync(SmtpClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.NoOpAsync(cancellationToken);
            return client.IsConnected;
        }
        catch (Exception failure) when (failure is IOException or SocketException or ProtocolException or CommandException or ServiceNotConnectedException)
        {
            return false;
        }
    }

    private MimeMessage ToMime(MailMessage message)
    {
        var from = message.From.Length > 0 ? MailboxAddress.Parse(message.From) : _from;
        var mime = new MimeMessage
        {
            Subject = message.Subject,
            MessageId = $"{message.MessageId}@{from.Domain}",
            Date = message.RequestedAt,
            Body = Body(message),
        };
        mime.From.Add(from);
        mime.To.AddRange(message.To.Select(to => MailboxAddress.Parse(to)));
        if (message.ReplyTo.Length > 0)
        {
            mime.ReplyTo.Add(MailboxAddress.Parse(message.ReplyTo));
        }

        mime.Headers.Add("X-Roster-Key", message.Key);
        return mime;
    }

    private static MimeEntity Body(MailMessage message)
    {
        if (message.Html.Length == 0)
        {
            return new TextPart("plain") { Text = message.Text };
        }

        var html = new TextPart("html") { Text = message.Html };
        return message.Text.Length == 0
            ? html
            : new MultipartAlternative(new TextPart("plain") { Text = message.Text }, html) { Boundary = $"roster-{message.MessageId}" };
    }
}
