using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Cli.Tests.Commands;

public sealed class OperationsCommandTests
{
    [Fact]
    public async Task Operations_are_shown_all_or_one()
    {
        await using var server = await TestServer.StartAsync();
        var (_, all, _) = await CommandRunner.RunAsync(server, "operations", "--workflow", "w");
        Assert.Matches(@"1\s+│ refresh │ w\s+│ running", all);
        Assert.Equal("w", ((ListOperationsRequest)Assert.Single(server.Engine.Calls).Request).WorkflowId);
        var (_, one, _) = await CommandRunner.RunAsync(server, "operations", "7");
        Assert.Contains("7: succeeded, 3 of 3 records: ENROLLED 3", one, StringComparison.Ordinal);
        Assert.Contains("\"id\": \"7\"", (await CommandRunner.RunAsync(server, "operations", "7", "--json")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Operations_are_filtered_by_kind_and_state()
    {
        await using var server = await TestServer.StartAsync();
        await CommandRunner.RunAsync(server, "operations", "--kind", "refresh", "--state", "running", "--state", "failed");
        var request = (ListOperationsRequest)Assert.Single(server.Engine.Calls).Request;
        Assert.Equal("refresh", Assert.Single(request.Kinds));
        Assert.Equal([Operation.Types.State.Running, Operation.Types.State.Failed], request.States);
        var (exitCode, _, error) = await CommandRunner.RunAsync(server, "operations", "--state", "lost");
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Contains("--state `lost` is not", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_operation_can_be_cancelled_by_its_id()
    {
        await using var server = await TestServer.StartAsync();
        var (_, output, _) = await CommandRunner.RunAsync(server, "operations", "7", "--cancel");
        Assert.Contains("cancelled", output, StringComparison.Ordinal);
        var (exitCode, _, error) = await CommandRunner.RunAsync(server, "operations", "--cancel");
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Contains("--cancel needs the id", error, StringComparison.Ordinal);
        Assert.Equal("cancel", Assert.Single(server.Engine.Calls).Word);
    }

    [Fact]
    public async Task An_operation_that_has_stopped_can_go_on_by_its_id()
    {
        await using var server = await TestServer.StartAsync();
        var (_, output, _) = await CommandRunner.RunAsync(server, "operations", "7", "--resume");
        Assert.Contains("running", output, StringComparison.Ordinal);
        Assert.Equal("7", ((ResumeOperationRequest)Assert.Single(server.Engine.Calls).Request).OperationId);
        Assert.Contains("--resume needs the id", (await CommandRunner.RunAsync(server, "operations", "--resume")).Error, StringComparison.Ordinal);
        Assert.Contains("exclude each other", (await CommandRunner.RunAsync(server, "operations", "7", "--resume", "--cancel")).Error, StringComparison.Ordinal);
    }
}
