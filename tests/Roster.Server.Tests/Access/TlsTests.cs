using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Roster.Client;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Tests.Access;

public sealed class TlsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("roster-tls-").FullName;
    private readonly X509Certificate2 _authority = NewAuthority("test authority");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_key_works_over_TLS_and_a_client_that_does_not_trust_the_server_gets_nowhere()
    {
        await using var server = await StartAsync();
        Assert.Equal("https", server.Server.GrpcAddress.Scheme);
        using var client = NewClient(server, server.Make("acme", [Right.View]).Key);
        Assert.Equal("acme", (await client.Access.GetCallerAsync(new GetCallerRequest(), cancellationToken: Cancel)).Tenant);
        using var doubtful = new RosterClient(new RosterClientOptions { Address = server.Server.GrpcAddress, ApiKey = "x" });
        var error = await Assert.ThrowsAsync<RpcException>(async () => await doubtful.Access.GetCallerAsync(new GetCallerRequest(), cancellationToken: Cancel));
        Assert.NotEqual(StatusCode.Unauthenticated, error.StatusCode);
        using var http = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true });
        Assert.Equal("live", await http.GetStringAsync(new Uri(server.Server.HttpAddress, "/health/live"), Cancel));
    }

    [Fact]
    public async Task PRV_01_A_client_certificate_stands_for_a_tenant_and_its_rights_by_hash()
    {
        await using var server = await StartAsync();
        using var pinned = NewCertificate("worker", _authority, clients: true);
        using var stranger = NewCertificate("worker", _authority, clients: true);
        server.Engine.Credentials.Create(
            "acme", new Credential { Name = "w", Rights = { Right.View }, CertificateSha256 = Convert.ToHexString(SHA256.HashData(pinned.RawData)) }, "");
        using var client = NewClient(server, null, pinned);
        Assert.Equal("acme", (await client.Access.GetCallerAsync(new GetCallerRequest(), cancellationToken: Cancel)).Tenant);
        var denied = await AccessTestKit.RefusedAsync(client.Enrollments.EnrollAsync(new EnrollRequest(), cancellationToken: Cancel));
        Assert.Equal((StatusCode.PermissionDenied, "OPERATE"), (denied.Code, denied.Value));
        using var other = NewClient(server, null, stranger);
        Assert.Equal(StatusCode.Unauthenticated, (await AccessTestKit.RefusedAsync(other.Access.GetCallerAsync(new GetCallerRequest(), cancellationToken: Cancel))).Code);
    }

    [Fact]
    public async Task PRV_01_A_name_in_a_certificate_counts_only_when_the_trusted_authority_has_issued_it_for_clients()
    {
        await using var server = await StartAsync(options => options.TlsClientCa = Write("ca.pem", _authority.ExportCertificatePem()));
        server.Engine.Credentials.Create("acme", new Credential { Name = "w", Rights = { Right.View }, CertificateName = "worker.example.org" }, "");
        using var good = NewCertificate("worker.example.org", _authority, clients: true);
        using var client = NewClient(server, null, good);
        Assert.Equal("w", (await client.Access.GetCallerAsync(new GetCallerRequest(), cancellationToken: Cancel)).Credential.Name);
        using var foreignAuthority = NewAuthority("test authority");
        using var forged = NewCertificate("worker.example.org", foreignAuthority, clients: true);
        using var forServers = NewCertificate("worker.example.org", _authority, clients: false);
        using var otherName = NewCertificate("mallory.example.org", _authority, clients: true);
        foreach (var certificate in new[] { forged, forServers, otherName })
        {
            using var wrong = NewClient(server, null, certificate);
            Assert.Equal(StatusCode.Unauthenticated, (await AccessTestKit.RefusedAsync(wrong.Access.GetCallerAsync(new GetCallerRequest(), cancellationToken: Cancel))).Code);
        }
    }

    [Fact]
    public async Task A_renewed_certificate_is_used_without_a_restart_and_a_broken_file_is_not()
    {
        var clock = new Roster.Engine.ManualClock(TimeProvider.System.GetUtcNow());
        await using var server = await StartAsync(options => options.RealTime = clock);
        server.ExpectedErrors.Add(1008);
        var key = server.Make("acme", [Right.View]).Key;
        using var renewed = NewCertificate("localhost", _authority, clients: false);
        WriteServer(renewed);
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "server.pem"), clock.GetUtcNow().UtcDateTime.AddMinutes(1));
        clock.MoveTo(clock.GetUtcNow().AddSeconds(11));
        Assert.Equal(renewed.Thumbprint, await ThumbprintAsync(server));
        Write("server.pem", "nonsense");
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "server.pem"), clock.GetUtcNow().UtcDateTime.AddMinutes(2));
        clock.MoveTo(clock.GetUtcNow().AddSeconds(11));
        Assert.Equal(renewed.Thumbprint, await ThumbprintAsync(server));
        using var client = NewClient(server, key);
        await client.Access.GetCallerAsync(new GetCallerRequest(), cancellationToken: Cancel);
    }

    [Fact]
    public async Task Files_that_cannot_be_read_are_told_at_start()
    {
        var options = new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0, TlsCertificate = Path.Combine(_folder, "none.pem") };
        var error = await Assert.ThrowsAsync<ServerOptionsException>(() => RosterServer.StartAsync(options, cancellationToken: Cancel));
        Assert.Contains("tls_certificate", Assert.Single(error.Problems), StringComparison.Ordinal);
    }

    private static async Task<string> ThumbprintAsync(TestServer server)
    {
        string? thumbprint = null;
        using var http = new HttpClient(new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = (_, certificate, _, _) =>
            {
                thumbprint = certificate!.Thumbprint;
                return true;
            },
        });
        await http.GetStringAsync(new Uri(server.Server.HttpAddress, "/health/live"), Cancel);
        return thumbprint!;
    }

    private async Task<TestServer> StartAsync(Action<ServerOptions>? configure = null)
    {
        using var own = NewCertificate("localhost", _authority, clients: false);
        WriteServer(own);
        return await AccessTestKit.StartAsync(options =>
        {
            options.TlsCertificate = Path.Combine(_folder, "server.pem");
            options.TlsKey = Path.Combine(_folder, "server.key");
            configure?.Invoke(options);
        });
    }

    private RosterClient NewClient(TestServer server, string? key, X509Certificate2? certificate = null) => new(new RosterClientOptions
    {
        Address = server.Server.GrpcAddress,
        ApiKey = key,
        ClientCertificate = certificate,
        TrustedAuthorities = [_authority],
    });

    private void WriteServer(X509Certificate2 certificate)
    {
        Write("server.key", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        Write("server.pem", certificate.ExportCertificatePem());
    }

    private string Write(string name, string text)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllText(file, text);
        return file;
    }

    private static X509Certificate2 NewAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-2), now.AddDays(2));
    }

    private static X509Certificate2 NewCertificate(string name, X509Certificate2 authority, bool clients)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(clients ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], false));
        var now = TimeProvider.System.GetUtcNow();
        using var issued = request.Create(authority, now.AddDays(-1), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }
}
