using Roster.Server.Tests;

namespace Roster.Cli.Tests;

/// <summary>Runs a command line and catches what it writes.</summary>
internal static class CommandRunner
{
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(TestServer server, params string[] args) =>
        RunAsync(["--server", server.Server.GrpcAddress.ToString(), .. args]);

    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var exitCode = await CommandLine.RunAsync(args, CliConsole.Capture(output, error));
        return (exitCode, output.ToString(), error.ToString());
    }
}
