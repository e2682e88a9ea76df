using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Roster.Client;

namespace Roster.Cli;

/// <summary>Which server and which tenant a command talks to, and with which credential.</summary>
internal static class ConnectionOptions
{
    private const string KeyVariable = "ROSTER_API_KEY";

    public static readonly Option<string> Server = new("--server")
    {
        Description = "Where the server's gRPC listens. Also: environment variable ROSTER_SERVER.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ROSTER_SERVER") ?? "http://127.0.0.1:7400",
        Recursive = true,
    };

    public static readonly Option<string> Tenant = new("--tenant")
    {
        Description = "The tenant to work for, where the server asks for no credential. Also: environment variable ROSTER_TENANT.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ROSTER_TENANT") ?? "default",
        Recursive = true,
    };

    private static readonly Option<string?> KeyFile = new("--key-file")
    {
        Description = $"File with the API key. Also: the key itself in the environment variable {KeyVariable}.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ROSTER_KEY_FILE"),
        HelpName = "FILE",
        Recursive = true,
    };

    private static readonly Option<string?> Certificate = new("--certificate")
    {
        Description = "PEM file with a client certificate and its private key. Also: environment variable ROSTER_CERTIFICATE.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ROSTER_CERTIFICATE"),
        HelpName = "FILE",
        Recursive = true,
    };

    private static readonly Option<string?> Authorities = new("--ca")
    {
        Description = "PEM file with the authorities that the server's certificate may be of. Also: environment variable ROSTER_CA. Default: those of the machine.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ROSTER_CA"),
        HelpName = "FILE",
        Recursive = true,
    };

    public static void AddTo(RootCommand root)
    {
        root.Add(Server);
        root.Add(Tenant);
        root.Add(KeyFile);
        root.Add(Certificate);
        root.Add(Authorities);
    }

    public static RosterClient Connect(ParseResult result, TimeSpan? timeout = null)
    {
        var text = result.GetValue(Server)!;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var server) || (server.Scheme != Uri.UriSchemeHttp && server.Scheme != Uri.UriSchemeHttps))
        {
            throw new CliException($"--server `{text}` is not an address such as http://127.0.0.1:7400 or https://roster.example.org:7400.");
        }

        try
        {
            return new RosterClient(new RosterClientOptions
            {
                Address = server,
                Tenant = result.GetValue(Tenant)!,
                ApiKey = ReadKey(result.GetValue(KeyFile)),
                ClientCertificate = result.GetValue(Certificate) is { Length: > 0 } certificate ? X509Certificate2.CreateFromPemFile(certificate) : null,
                TrustedAuthorities = ReadAuthorities(result.GetValue(Authorities)),
                CallTimeout = timeout ?? TimeSpan.FromSeconds(30),
            });
        }
        catch (CryptographicException error)
        {
            throw new CliException($"--certificate or --ca cannot be read: {error.Message}");
        }
    }

    private static string? ReadKey(string? file) =>
        file is { Length: > 0 } ? File.ReadAllText(file).Trim() : Environment.GetEnvironmentVariable(KeyVariable);

    private static X509Certificate2Collection? ReadAuthorities(string? file)
    {
        if (file is not { Length: > 0 })
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities;
    }
}
