using System.Collections.Concurrent;
using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Cli.Tests.Commands;

public sealed class EnrollCommandTests
{
    [Fact]
    public async Task One_record_is_enrolled_and_unenrolled_at_once()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Contains("enrolled, number 1", (await CommandRunner.RunAsync(server, "enroll", "contact/ada", "w")).Output, StringComparison.Ordinal);
        Assert.Contains("unenrolled", (await CommandRunner.RunAsync(server, "unenroll", "contact/ada", "w")).Output, StringComparison.Ordinal);
        Assert.Empty(server.Engine.Calls);
    }

    [Fact]
    public async Task Many_are_a_job_whose_end_is_waited_for()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.OperationState["1"] = new ConcurrentQueue<Operation>(
        [
            new Operation { Id = "1", Kind = "bulk_enroll", State = Operation.Types.State.Running, Done = 1, Total = 2 },
            new Operation { Id = "1", Kind = "bulk_enroll", State = Operation.Types.State.Succeeded, Done = 2, Total = 2, Counts = { new OperationCount { Name = "ENROLLED", Count = 2 } } },
        ]);
        var (exitCode, output, _) = await CommandRunner.RunAsync(server, "enroll", "contact/ada", "contact/bob", "w");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("bulk_enroll 1: succeeded, 2 of 2 records: ENROLLED 2", output, StringComparison.Ordinal);
        Assert.Equal(["ada", "bob"], ((BulkEnrollRequest)Assert.Single(server.Engine.Calls).Request).Refs.Select(reference => reference.RecordId));
    }

    [Fact]
    public async Task A_job_that_fails_is_told_and_decides_the_exit_code()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.OperationState["1"] = new ConcurrentQueue<Operation>([new Operation { Id = "1", Kind = "bulk_enroll", State = Operation.Types.State.Failed, Error = "No room." }]);
        var (exitCode, output, _) = await CommandRunner.RunAsync(server, "enroll", "--list", "vip", "w");
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Contains("failed, 0 records. No room.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_or_all_may_be_enrolled_or_unenrolled()
    {
        await using var server = await TestServer.StartAsync();
        await CommandRunner.RunAsync(server, "enroll", "--list", "vip", "w");
        await CommandRunner.RunAsync(server, "unenroll", "--list", "vip", "w", "--request-id", "r7", "--caller", "ann");
        await CommandRunner.RunAsync(server, "unenroll", "--all", "w");
        var requests = server.Engine.Calls.Select(call => call.Request).ToList();
        Assert.Equal(("vip", "w"), (((BulkEnrollRequest)requests[0]).ListId, ((BulkEnrollRequest)requests[0]).WorkflowId));
        Assert.Equal(("vip", "r7"), (((BulkUnenrollRequest)requests[1]).ListId, ((BulkUnenrollRequest)requests[1]).RequestId));
        Assert.Equal(("roster cli", "ann"), (((BulkEnrollRequest)requests[0]).Caller, ((BulkUnenrollRequest)requests[1]).Caller));
        Assert.Equal(("", 0), (((BulkUnenrollRequest)requests[2]).ListId, ((BulkUnenrollRequest)requests[2]).Refs.Count));
    }

    [Theory]
    [InlineData("enroll", "w")]
    [InlineData("unenroll", "w")]
    [InlineData("unenroll", "contact/ada", "w", "--all")]
    [InlineData("enroll", "contact/ada", "w", "--list", "vip")]
    [InlineData("enroll", "--list", "vip", "ada", "w")]
    public async Task Nobody_or_two_ways_at_once_is_bad_input(params string[] args)
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, _, error) = await CommandRunner.RunAsync(server, args);
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.StartsWith("error ", error, StringComparison.Ordinal);
        Assert.Empty(server.Engine.Calls);
    }
}
