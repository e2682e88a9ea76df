using Roster.Server.Tests;

namespace Roster.Cli.Tests.Commands;

public sealed class HealthCommandTests
{
    [Fact]
    public async Task Health_says_ready_to_anybody_and_fails_where_nothing_answers()
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, output, _) = await CommandRunner.RunAsync(server, "health");
        Assert.Equal((ExitCode.Success, "ready"), (exitCode, output.Trim()));
        var address = server.Server.GrpcAddress.ToString();
        await server.Server.StopAsync();
        (exitCode, _, var error) = await CommandRunner.RunAsync("--server", address, "health");
        Assert.Equal(ExitCode.ServerSaidNo, exitCode);
        Assert.NotEmpty(error);
    }
}
