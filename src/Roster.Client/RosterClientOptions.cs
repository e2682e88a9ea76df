using System.Security.Cryptography.X509Certificates;

namespace Roster.Client;

/// <summary>How to reach a server. Read once, when the client is made.</summary>
public sealed class RosterClientOptions
{
    /// <summary>Where the server's gRPC listens. Default: <c>http://127.0.0.1:7400</c>.</summary>
    public Uri Address { get; set; } = new("http://127.0.0.1:7400");

    /// <summary>
    /// The tenant that calls are for, as long as the server asks for no credentials. With <see cref="ApiKey"/> or <see cref="ClientCertificate"/> the tenant comes from the
    /// credential, and this is not sent. Default: <c>default</c>.
    /// </summary>
    public string Tenant { get; set; } = "default";

    /// <summary>The API key that calls are made with. Keep it out of source code and logs. Default: none.</summary>
    public string? ApiKey { get; set; }

    /// <summary>The certificate, with its private key, that the client shows. Needs an address that begins with <c>https</c>. Default: none.</summary>
    public X509Certificate2? ClientCertificate { get; set; }

    /// <summary>The authorities that may have issued the server's certificate. Default: those that the machine trusts.</summary>
    public X509Certificate2Collection? TrustedAuthorities { get; set; }

    /// <summary>Deadline of unary calls that set none: from 1 ms on, or infinite. Default: 30 seconds.</summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The largest message that is accepted, in bytes. Default: 16 MiB.</summary>
    public int MessageBytesMax { get; set; } = 16 * 1024 * 1024;

    /// <summary>The clock for deadlines, heartbeats and waits. Default: the machine's.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;
}
