using Roster.Server.Tests;

namespace Roster.Cli.Tests.Commands;

public sealed class StatusCommandTests
{
    [Fact]
    public async Task MET_17_Status_shows_the_measures_of_each_tenant()
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, output, _) = await CommandRunner.RunAsync(server, "status");
        Assert.Equal(ExitCode.Success, exitCode);
        var rows = output.Split('\n').Select(line => line.Trim('│', ' ', '\r')).Where(line => line.Length > 0)
            .Select(line => string.Join('|', line.Split('│', StringSplitOptions.TrimEntries))).ToList();
        Assert.Contains("acme|4|3.5 us, 1.5 ms|2|90 s, 3 h|20 ms|3 days|5|6|7", rows);
        Assert.Contains("beta|0|-|0|-|-|-|0|0|0", rows);
    }
}
