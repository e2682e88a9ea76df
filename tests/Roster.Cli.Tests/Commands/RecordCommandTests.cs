using Google.Protobuf.WellKnownTypes;
using Roster.Server.Tests;
using Roster.V1;
using Record = Roster.V1.Record;

namespace Roster.Cli.Tests.Commands;

public sealed class RecordCommandTests
{
    [Fact]
    public async Task A_record_is_shown_with_lists_events_and_whether_it_is_deleted()
    {
        await using var server = await TestServer.StartAsync();
        var at = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 1, 5, 8, 0, 0, TimeSpan.Zero));
        server.Engine.RecordState["ada"] = new Record
        {
            Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" },
            Deleted = true,
            Lists = { "vip", "newsletter" },
            Events =
            {
                new EventHistory { EventType = "page_viewed", Count = 3, FirstAt = at, LastAt = at },
                new EventHistory { EventType = "form_submitted", Count = 1, FirstAt = at, LastAt = at },
            },
        };
        var (exitCode, output, _) = await CommandRunner.RunAsync(server, "record", "contact/ada", "--turns", "0");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("deleted", output, StringComparison.Ordinal);
        Assert.Contains("on lists: vip, newsletter", output, StringComparison.Ordinal);
        Assert.Contains("events: page_viewed 3 times, 2026-01-05 08:00:00 to 2026-01-05 08:00:00; form_submitted once, 2026-01-05 08:00:00", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_is_linked_its_links_are_shown_and_it_is_merged()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Contains("contact/ada is linked to deal/d1", (await CommandRunner.RunAsync(server, "record", "link", "contact/ada", "deal/d1", "--label", "buyer")).Output, StringComparison.Ordinal);
        Assert.Contains("contact/ada is not linked to deal/d1", (await CommandRunner.RunAsync(server, "record", "link", "contact/ada", "deal/d1", "--remove")).Output, StringComparison.Ordinal);
        Assert.Contains("no links", (await CommandRunner.RunAsync(server, "record", "links", "contact/ada")).Output, StringComparison.Ordinal);
        Assert.Contains("contact/old is merged into contact/ada", (await CommandRunner.RunAsync(server, "record", "merge", "contact/old", "contact/ada")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_is_deleted_and_restored()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Contains("contact/ada is deleted", (await CommandRunner.RunAsync(server, "record", "delete", "contact/ada")).Output, StringComparison.Ordinal);
        Assert.Contains("contact/ada is back", (await CommandRunner.RunAsync(server, "record", "restore", "contact/ada")).Output, StringComparison.Ordinal);
        Assert.Contains("contact/ada is erased; operation erase-7", (await CommandRunner.RunAsync(server, "record", "erase", "contact/ada")).Output, StringComparison.Ordinal);
        Assert.Equal(["delete", "restore", "erase"], server.Engine.Calls.Select(call => call.Word));
    }

    [Fact]
    public async Task Nobody_named_is_bad_input()
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, _, error) = await CommandRunner.RunAsync(server, "record");
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Contains("Which record?", error, StringComparison.Ordinal);
    }
}
