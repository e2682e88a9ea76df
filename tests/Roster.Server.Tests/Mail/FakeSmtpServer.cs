using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Roster.Server.Tests.Mail;

/// <summary>An e-mail that the server took.</summary>
internal sealed record TakenMail(string From, IReadOnlyList<string> To, string Content, bool WasEncrypted, string User);

/// <summary>A mail server on loopback: enough of RFC 5321, STARTTLS and AUTH PLAIN.</summary>
internal sealed class FakeSmtpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly X509Certificate2 _certificate = MakeCertificate();
    private readonly Task _loop;

    public FakeSmtpServer()
    {
        _listener.Start();
        _loop = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public ConcurrentQueue<TakenMail> Taken { get; } = new();

    public int Connections { get; private set; }

    /// <summary>Whether it offers STARTTLS.</summary>
    public bool OffersTls { get; set; } = true;

    /// <summary>The answer to a receiver: by default it is taken.</summary>
    public Func<string, string> OnReceiver { get; set; } = _ => "250 OK";

    /// <summary>The answer to the whole e-mail.</summary>
    public string OnData { get; set; } = "250 OK";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _loop;
        _certificate.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Connections++;
                open.Add(ServeAsync(client));
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
            var session = new Session(this, client.GetStream());
            try
            {
                await session.RunAsync(_stop.Token);
            }
            catch (Exception failure) when (failure is OperationCanceledException or IOException or SocketException or System.Security.Authentication.AuthenticationException)
            {
                // The client is gone, did not like the certificate, or the test is over.
            }
            finally
            {
                await session.DisposeAsync();
            }
        }
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var made = request.CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2120, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private sealed class Session(FakeSmtpServer server, Stream stream) : IAsyncDisposable
    {
        private readonly List<string> _to = [];
        private Stream _stream = stream;
        private bool _isEncrypted;
        private string _user = string.Empty;
        private string _from = string.Empty;

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            await WriteAsync("220 fake", cancellationToken);
            while (await ReadAsync(cancellationToken) is { } line)
            {
                var command = line.Split(' ', ':')[0].ToUpperInvariant();
                switch (command)
                {
                    case "EHLO" or "HELO":
                        await WriteAsync(server.OffersTls && !_isEncrypted ? "250-fake\r\n250 STARTTLS" : "250-fake\r\n250 AUTH PLAIN", cancellationToken);
                        break;
                    case "STARTTLS":
                        await WriteAsync("220 go", cancellationToken);
                        var secure = new SslStream(_stream);
                        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = server._certificate }, cancellationToken);
                        (_stream, _isEncrypted) = (secure, true);
                        break;
                    case "AUTH":
                        _user = Encoding.UTF8.GetString(Convert.FromBase64String(line.Split(' ')[2])).Replace('\0', '/');
                        await WriteAsync(_user.EndsWith("/right", StringComparison.Ordinal) ? "235 OK" : "535 wrong", cancellationToken);
                        break;
                    case "MAIL":
                        (_from, _) = (Address(line), _to.RemoveAll(_ => true));
                        await WriteAsync("250 OK", cancellationToken);
                        break;
                    case "RCPT":
                        _to.Add(Address(line));
                        await WriteAsync(server.OnReceiver(_to[^1]), cancellationToken);
                        break;
                    case "DATA":
                        await TakeAsync(cancellationToken);
                        break;
                    case "QUIT":
                        await WriteAsync("221 bye", cancellationToken);
                        return;
                    default:
                        await WriteAsync("250 OK", cancellationToken);
                        break;
                }
            }
        }

        public ValueTask DisposeAsync() => _stream.DisposeAsync();

        private async Task TakeAsync(CancellationToken cancellationToken)
        {
            await WriteAsync("354 go on", cancellationToken);
            var content = new StringBuilder();
            while (await ReadAsync(cancellationToken) is { } line && line != ".")
            {
                content.AppendLine(line);
            }

            if (server.OnData.StartsWith('2'))
            {
                server.Taken.Enqueue(new TakenMail(_from, [.. _to], content.ToString(), _isEncrypted, _user));
            }

            await WriteAsync(server.OnData, cancellationToken);
        }

        private static string Address(string line) => line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..line.IndexOf('>', StringComparison.Ordinal)];

        private async Task<string?> ReadAsync(CancellationToken cancellationToken)
        {
            var line = new List<byte>();
            var one = new byte[1];
            while (await _stream.ReadAsync(one, cancellationToken) > 0)
            {
                if (one[0] == '\n')
                {
                    return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
                }

                line.Add(one[0]);
            }

            return null;
        }

        private async Task WriteAsync(string text, CancellationToken cancellationToken) => await _stream.WriteAsync(Encoding.ASCII.GetBytes(text + "\r\n"), cancellationToken);
    }
}
