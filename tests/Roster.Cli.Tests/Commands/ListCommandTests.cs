using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Cli.Tests.Commands;

public sealed class ListCommandTests
{
    [Fact]
    public async Task Lists_are_shown_all_or_one_with_its_members()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.ListState["vip"] = new List { Id = "vip", ObjectType = "contact", DisplayName = "Our best", Members = 1_234, Criteria = new Criteria() };
        server.Engine.ListState["picked"] = new List { Id = "picked", ObjectType = "contact" };
        var (_, all, _) = await CommandRunner.RunAsync(server, "list");
        Assert.Matches(@"vip\s+│ contact │ active │ 1,234", all);
        Assert.Matches(@"picked\s+│ contact │ static │ 0", all);
        var (_, one, _) = await CommandRunner.RunAsync(server, "list", "vip");
        Assert.Contains("vip  Our best  (active list of contact records", one, StringComparison.Ordinal);
        Assert.Contains("1,234 members", one, StringComparison.Ordinal);
        var (_, json, _) = await CommandRunner.RunAsync(server, "list", "vip", "--json");
        Assert.Contains("\"members\": \"1234\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Members_are_printed_page_by_page_up_to_a_limit()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal(["contact/ada", "contact/bob"], Lines((await CommandRunner.RunAsync(server, "list", "members", "vip")).Output));
        Assert.Equal(["contact/ada"], Lines((await CommandRunner.RunAsync(server, "list", "members", "vip", "--limit", "1")).Output));
        Assert.StartsWith("{", (await CommandRunner.RunAsync(server, "list", "members", "vip", "--json")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_are_added_and_removed_by_hand()
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, output, _) = await CommandRunner.RunAsync(server, "list", "add", "vip", "contact/ada", "contact/bob", "--caller", "me");
        Assert.Equal((ExitCode.Success, 2), (exitCode, Lines(output).Length));
        Assert.Contains("contact/ada is on vip", output, StringComparison.Ordinal);
        (_, output, _) = await CommandRunner.RunAsync(server, "list", "remove", "vip", "contact/ada");
        Assert.Contains("contact/ada is not on vip", output, StringComparison.Ordinal);
        Assert.Equal(["add", "add", "remove"], server.Engine.Calls.Select(call => call.Word));
        var first = (ChangeMembershipRequest)server.Engine.Calls.First().Request;
        Assert.Equal(("vip", "ada", "me"), (first.ListId, first.Ref.RecordId, first.Caller));
        Assert.NotEmpty(first.RequestId);
    }

    [Fact]
    public async Task A_refused_change_is_a_sentence()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.CommandResult = new EventResult
        {
            Code = EventResult.Types.Code.Refused,
            Refusal = new Refusal { Reason = Refusal.Types.Reason.RecordGone, Message = "The record is deleted." },
        };
        var (exitCode, _, error) = await CommandRunner.RunAsync(server, "list", "add", "vip", "contact/ada");
        Assert.Equal((ExitCode.ServerSaidNo, "error The record is deleted. [RECORD_GONE]"), (exitCode, error.Trim()));
    }

    [Fact]
    public async Task Deleting_waits_for_the_job_that_takes_the_members_off()
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, output, _) = await CommandRunner.RunAsync(server, "list", "delete", "vip");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("succeeded, 3 of 3 records", output, StringComparison.Ordinal);
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
