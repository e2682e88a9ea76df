using System.CommandLine;
using Grpc.Health.V1;

namespace Roster.Cli.Commands;

/// <summary><c>roster health</c>: whether a server welcomes calls, for containers and scripts that have no other client.</summary>
internal static class HealthCommand
{
    /// <summary>Shorter than a container engine waits for its check by default.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public static Command Create(CliConsole console)
    {
        var command = new Command("health", "Asks whether the server welcomes calls (grpc.health.v1); needs no credential. Exit code 0: it does.");
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        using var client = ConnectionOptions.Connect(result, Timeout);
        var health = await client.Health.CheckAsync(new HealthCheckRequest(), cancellationToken: cancellationToken);
        if (health.Status != HealthCheckResponse.Types.ServingStatus.Serving)
        {
            console.Fail("The server is not ready: it starts, drains, or its engine has failed.");
            return ExitCode.ServerSaidNo;
        }

        await console.Plain.WriteLineAsync("ready");
        return ExitCode.Success;
    }
}
