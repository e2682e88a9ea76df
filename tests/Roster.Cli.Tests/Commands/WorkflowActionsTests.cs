using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Cli.Tests.Commands;

public sealed class WorkflowActionsTests
{
    [Theory]
    [InlineData("on", Workflow.Types.State.On)]
    [InlineData("off", Workflow.Types.State.Off)]
    [InlineData("pause", Workflow.Types.State.Paused)]
    [InlineData("resume", Workflow.Types.State.On)]
    public async Task A_workflow_is_switched(string word, Workflow.Types.State state)
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.WorkflowState["w"] = new Workflow { Id = "w", Version = 2 };
        var (exitCode, output, _) = await CommandRunner.RunAsync(server, "workflow", word, "w");
        Assert.Equal((ExitCode.Success, state), (exitCode, server.Engine.WorkflowState["w"].State));
        Assert.Contains($"workflow w: version 2, {state.ToString().ToLowerInvariant()}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Switching_on_may_consider_those_who_meet_the_criteria_already()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.WorkflowState["w"] = new Workflow { Id = "w", Version = 1 };
        var (_, output, _) = await CommandRunner.RunAsync(server, "workflow", "on", "--enroll-existing", "w");
        Assert.True(((SetWorkflowStateRequest)Assert.Single(server.Engine.Calls).Request).EnrollExisting);
        Assert.Contains("roster operations --workflow w", output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.BadInput, (await CommandRunner.RunAsync(server, "workflow", "pause", "--enroll-existing", "w")).ExitCode);
    }

    [Fact]
    public async Task Deleting_and_moving_wait_for_their_jobs_unless_told_not_to()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Contains("succeeded", (await CommandRunner.RunAsync(server, "workflow", "delete", "w")).Output, StringComparison.Ordinal);
        Assert.Contains("succeeded", (await CommandRunner.RunAsync(server, "workflow", "move", "w")).Output, StringComparison.Ordinal);
        Assert.Contains("refresh 1: running", (await CommandRunner.RunAsync(server, "workflow", "move", "w", "--no-wait")).Output, StringComparison.Ordinal);
        Assert.Equal(["delete", "move", "move"], server.Engine.Calls.Select(call => call.Word));
    }

    [Fact]
    public async Task A_preview_counts()
    {
        await using var server = await TestServer.StartAsync();
        var (_, output, _) = await CommandRunner.RunAsync(server, "workflow", "preview", "w");
        Assert.Contains("4 of 10 records meet the criteria; 1 of them were enrolled before", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stats_tell_conversion_bottleneck_errors_times_and_a_series()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.WorkflowState["w"] = new Workflow { Id = "w", Version = 2 };
        server.Engine.Stats = new WorkflowStats
        {
            Enrolled = 10,
            Bottleneck = "wait",
            Versions = { 1, 2 },
            Conversions = { new NamedRate { Name = "customer", Rate = 0.125 } },
            Errors = { new NamedCount { Name = "TIMEOUT", Count = 2 } },
            Steps = { new StepStats { StepId = "wait", Kind = "delay", Entered = 10, Waiting = 7, MedianMs = 90_000_000, P95Ms = 250, Errors = { new NamedCount { Name = "TIMEOUT", Count = 2 } } } },
            Series = { new StatsBucket { From = "2026-01-05", Enrolled = 10, Completed = 3 } },
        };
        var (_, output, _) = await CommandRunner.RunAsync(server, "workflow", "stats", "w", "--by", "week", "--version", "2");
        Assert.Contains("versions: 1, 2; counted here: 2", output, StringComparison.Ordinal);
        Assert.Contains("conversion: customer 12.5 % of the records enrolled", output, StringComparison.Ordinal);
        Assert.Contains("bottleneck: wait, where 7 wait", output, StringComparison.Ordinal);
        Assert.Contains("errors: TIMEOUT 2", output, StringComparison.Ordinal);
        Assert.Contains("1 d 1 h", output, StringComparison.Ordinal);
        Assert.Contains("250 ms", output, StringComparison.Ordinal);
        Assert.Matches(@"2026-01-05 │ 10\s+│ 0\s+│ 3", output);
        var request = (GetWorkflowStatsRequest)Assert.Single(server.Engine.Calls).Request;
        Assert.Equal((GetWorkflowStatsRequest.Types.Period.Week, 2), (request.Period, request.Version));
    }

    [Fact]
    public async Task An_unknown_period_is_bad_input()
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, _, error) = await CommandRunner.RunAsync(server, "workflow", "stats", "w", "--by", "hour");
        Assert.Equal((ExitCode.BadInput, "error --by `hour` is not `day`, `week` or `month`."), (exitCode, error.Trim()));
    }
}
