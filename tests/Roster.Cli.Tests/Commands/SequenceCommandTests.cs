using Roster.Cli.Commands;
using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Cli.Tests.Commands;

public sealed class SequenceCommandTests
{
    [Fact]
    public async Task One_contact_is_enrolled_and_several_are_a_bulk_enrollment()
    {
        await using var server = await TestServer.StartAsync();

        var (exitCode, output, _) = await CommandRunner.RunAsync(server, "sequence", "enroll", "contact/ada", "s", "--by-hand", "--user", "olga", "--first-step", "two", "--start-at", "2026-01-05T12:00:00Z");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("contact/ada: enrolled, number 1", output, StringComparison.Ordinal);
        await CommandRunner.RunAsync(server, "sequence", "enroll", "contact/ada", "contact/bob", "s");

        var one = (EnrollInSequenceRequest)server.Engine.Calls.First().Request;
        Assert.Equal(("ada", "s", "olga", true, "two", 1_767_614_400L), (one.Ref.RecordId, one.SequenceId, one.User, one.ByHand, one.FirstStep, one.StartAt.Seconds));
        Assert.Equal(["ada", "bob"], ((BulkEnrollInSequenceRequest)server.Engine.Calls.Last().Request).Refs.Select(r => r.RecordId));
    }

    [Fact]
    public async Task Contacts_are_taken_out_lifted_edited_and_asked_about()
    {
        await using var server = await TestServer.StartAsync();

        Assert.Contains("unenrolled", (await CommandRunner.RunAsync(server, "sequence", "unenroll", "contact/ada", "s")).Output, StringComparison.Ordinal);
        Assert.Contains("lifted", (await CommandRunner.RunAsync(server, "sequence", "lift", "contact/ada", "s")).Output, StringComparison.Ordinal);
        Assert.Contains("edited", (await CommandRunner.RunAsync(server, "sequence", "edit", "contact/ada", "s", "two", "--subject", "x")).Output, StringComparison.Ordinal);
        Assert.Contains("never enrolled in s", (await CommandRunner.RunAsync(server, "sequence", "status", "contact/ada", "s")).Output, StringComparison.Ordinal);
        Assert.Contains("s  ", (await CommandRunner.RunAsync(server, "sequence", "s", "--company", "acme")).Output, StringComparison.Ordinal);

        Assert.Equal(["unenroll_from_sequence", "lift_pause", "edit_email", "sequence_status", "sequence_stats", "get_sequence"], server.Engine.Calls.Select(call => call.Word));
        Assert.Equal("acme", ((GetSequenceStatsRequest)server.Engine.Calls.ElementAt(4).Request).CompanyId);
    }

    [Fact]
    public async Task Inboxes_are_connected_shown_and_removed()
    {
        await using var server = await TestServer.StartAsync();

        Assert.Contains("olga  o@example.org  (connected)", (await CommandRunner.RunAsync(server, "inbox", "connect", "olga", "o@example.org", "--free-mail")).Output, StringComparison.Ordinal);
        Assert.Contains("olga", (await CommandRunner.RunAsync(server, "inbox", "olga")).Output, StringComparison.Ordinal);
        Assert.Contains("removed; the user owns no sequence", (await CommandRunner.RunAsync(server, "inbox", "remove", "olga")).Output, StringComparison.Ordinal);

        Assert.True(((SaveInboxRequest)server.Engine.Calls.First().Request).Inbox.FreeMail);
    }

    [Fact]
    public async Task A_sequence_without_a_contact_is_told()
    {
        await using var server = await TestServer.StartAsync();

        var (exitCode, _, error) = await CommandRunner.RunAsync(server, "sequence", "enroll", "s");

        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Contains("`s` names the sequence; who is to be enrolled?", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_status_is_told_in_words()
    {
        var status = new SequenceStatus
        {
            SequenceId = "s",
            EnrollmentNumber = 2,
            EnrolledAt = new() { Seconds = 1_767_614_400 },
            EndReason = Enrollment.Types.EndReason.MeetingBooked,
            EndedAt = new() { Seconds = 1_767_700_800 },
            Signals = { "SENT", "OPENED_BY_PERSON" },
        };

        Assert.Equal(
            ["s, enrollment number 2 of 2026-01-05 12:00:00", "ended with MEETING_BOOKED, 2026-01-06 12:00:00", "e-mails: sent, opened by person"],
            SequenceActions.Lines(status));
    }
}
