using System.CommandLine;
using Roster.Client;

namespace Roster.Cli;

/// <summary>Which server and which tenant a command talks to.</summary>
internal static class ConnectionOptions
{
    public static readonly Option<string> Server = new("--server")
    {
        Description = "Where the server's gRPC listens. Also: environment variable ROSTER_SERVER.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ROSTER_SERVER") ?? "http://127.0.0.1:7400",
        Recursive = true,
    };

    public static readonly Option<string> Tenant = new("--tenant")
    {
        Description = "The tenant to work for. Also: environment variable ROSTER_TENANT.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ROSTER_TENANT") ?? "default",
        Recursive = true,
    };

    public static void AddTo(RootCommand root)
    {
        root.Add(Server);
        root.Add(Tenant);
    }

    public static RosterClient Connect(ParseResult result, TimeSpan? timeout = null)
    {
        var text = result.GetValue(Server)!;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var server) || server.Scheme != Uri.UriSchemeHttp)
        {
            throw new CliException($"--server `{text}` is not an address such as http://127.0.0.1:7400.");
        }

        return new RosterClient(new RosterClientOptions
        {
            Address = server,
            Tenant = result.GetValue(Tenant)!,
            CallTimeout = timeout ?? TimeSpan.FromSeconds(30),
        });
    }
}
