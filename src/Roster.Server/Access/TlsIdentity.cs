using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Roster.Server.Access;

/// <summary>
/// The server's certificate from the files of the settings <c>tls_certificate</c> and <c>tls_key</c>. Files that have changed are read again, so that a renewed certificate is
/// used without a restart; files that cannot be read leave the one that was there.
/// </summary>
internal sealed class TlsIdentity
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly ServerOptions _options;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private SslStreamCertificateContext _context;
    private DateTime _writtenAt;
    private DateTimeOffset _lookedAt;

    /// <summary>Reads the files.</summary>
    /// <exception cref="ServerOptionsException">A file cannot be read, or is not what it should be.</exception>
    public TlsIdentity(ServerOptions options, TimeProvider clock)
    {
        _options = options;
        _clock = clock;
        _lookedAt = clock.GetUtcNow();
        try
        {
            _writtenAt = WrittenAt();
            _context = Read();
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ServerOptionsException([$"`tls_certificate` or `tls_key` cannot be read: {error.Message}"]);
        }
    }

    /// <summary>Called when changed files could not be read.</summary>
    public Action<Exception>? Unreadable { get; set; }

    /// <summary>Called when changed files are in use.</summary>
    public Action? Renewed { get; set; }

    /// <summary>The authorities of client certificates from the setting <c>tls_client_ca</c>; null when there is none.</summary>
    /// <exception cref="ServerOptionsException">The file cannot be read, or has no certificate.</exception>
    public static X509Certificate2Collection? ReadAuthorities(ServerOptions options)
    {
        if (options.TlsClientCa.Length == 0)
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(options.TlsClientCa);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ServerOptionsException([$"`tls_client_ca` cannot be read: {error.Message}"]);
        }

        return authorities.Count > 0 ? authorities : throw new ServerOptionsException([$"`tls_client_ca`: {options.TlsClientCa} has no certificate in PEM form."]);
    }

    /// <summary>Has a listener speak TLS.</summary>
    /// <param name="listener">The listener.</param>
    /// <param name="protocol">What is spoken inside.</param>
    public void Use(ListenOptions listener, SslApplicationProtocol protocol) => listener.UseHttps(new TlsHandshakeCallbackOptions
    {
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = Current(),
            ApplicationProtocols = [protocol],
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateRequired = _options.Auth == AuthKind.Required,
            // Who the certificate stands for is decided per call: by its hash, or by a chain to `tls_client_ca`. A client with a key needs none.
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        }),
        HandshakeTimeout = TimeSpan.FromSeconds(10),
    });

    private SslStreamCertificateContext Current()
    {
        lock (_gate)
        {
            var now = _clock.GetUtcNow();
            if (now - _lookedAt < LookEvery)
            {
                return _context;
            }

            _lookedAt = now;
            try
            {
                var writtenAt = WrittenAt();
                if (writtenAt != _writtenAt)
                {
                    _context = Read();
                    _writtenAt = writtenAt;
                    Renewed?.Invoke();
                }
            }
            catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
            {
                Unreadable?.Invoke(error);
            }

            return _context;
        }
    }

    private DateTime WrittenAt()
    {
        var certificate = File.GetLastWriteTimeUtc(_options.TlsCertificate);
        var key = KeyFile is { } file ? File.GetLastWriteTimeUtc(file) : certificate;
        return certificate > key ? certificate : key;
    }

    private string? KeyFile => _options.TlsKey.Length > 0 ? _options.TlsKey : null;

    private SslStreamCertificateContext Read()
    {
        var own = X509Certificate2.CreateFromPemFile(_options.TlsCertificate, KeyFile);
        var rest = new X509Certificate2Collection();
        rest.ImportFromPemFile(_options.TlsCertificate);
        return SslStreamCertificateContext.Create(own, [.. rest.Skip(1)], offline: true);
    }
}
