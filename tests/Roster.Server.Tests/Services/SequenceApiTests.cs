using Grpc.Core;
using Roster.V1;

namespace Roster.Server.Tests.Services;

/// <summary>The service of sequences hands on what it is asked, and checks what needs no engine.</summary>
public sealed class SequenceApiTests
{
    private static readonly RecordRef Ada = new() { ObjectType = "contact", RecordId = "ada" };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task API_02_Sequences_are_listed_read_saved_and_deleted_for_the_tenant_of_the_caller()
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.NewClient("acme");

        await client.Sequences.SaveSequenceAsync(new SaveSequenceRequest { Sequence = new Sequence { Id = "s" } }, cancellationToken: Cancel);
        await client.Sequences.ValidateSequenceAsync(new ValidateSequenceRequest { Sequence = new Sequence { Id = "s" } }, cancellationToken: Cancel);
        Assert.Equal("s", (await client.Sequences.GetSequenceAsync(new GetSequenceRequest { SequenceId = "s" }, cancellationToken: Cancel)).Id);
        await client.Sequences.ListSequencesAsync(new ListSequencesRequest(), cancellationToken: Cancel);
        Assert.Equal("delete_workflow", (await client.Sequences.DeleteSequenceAsync(new DeleteSequenceRequest { SequenceId = "s", EndActive = true }, cancellationToken: Cancel)).Kind);
        await client.Sequences.GetSequenceStatsAsync(new GetSequenceStatsRequest { SequenceId = "s" }, cancellationToken: Cancel);
        await client.Sequences.TestSequenceAsync(new TestSequenceRequest { SequenceId = "s", Ref = Ada }, cancellationToken: Cancel);
        Assert.Equal(
            StatusCode.InvalidArgument,
            (await Assert.ThrowsAsync<RpcException>(async () => await client.Sequences.TestSequenceAsync(new TestSequenceRequest { Ref = Ada }, cancellationToken: Cancel))).StatusCode);

        Assert.Equal(
            ["save_sequence", "validate_sequence", "get_sequence", "list_sequences", "delete_sequence", "sequence_stats", "test_sequence"],
            server.Engine.Calls.Select(call => call.Word));
        Assert.All(server.Engine.Calls, call => Assert.Equal("acme", call.Tenant));
    }

    [Fact]
    public async Task API_02_Contacts_are_enrolled_unenrolled_and_asked_about()
    {
        await using var server = await TestServer.StartAsync();
        var sequences = server.Client.Sequences;

        Assert.Equal(1, (await sequences.EnrollInSequenceAsync(new EnrollInSequenceRequest { Ref = Ada, SequenceId = "s", RequestId = "r" }, cancellationToken: Cancel)).EnrollmentNumber);
        await sequences.BulkEnrollInSequenceAsync(new BulkEnrollInSequenceRequest { Refs = { Ada }, SequenceId = "s", RequestId = "r" }, cancellationToken: Cancel);
        Assert.True((await sequences.LiftPauseAsync(new LiftPauseRequest { Ref = Ada, SequenceId = "s", RequestId = "r" }, cancellationToken: Cancel)).Lifted);
        Assert.True((await sequences.EditScheduledEmailAsync(new EditScheduledEmailRequest { Ref = Ada, SequenceId = "s", StepId = "two", Subject = "x", RequestId = "r" }, cancellationToken: Cancel)).Edited);
        Assert.Equal("s", (await sequences.GetSequenceStatusAsync(new GetSequenceStatusRequest { Ref = Ada, SequenceId = "s" }, cancellationToken: Cancel)).SequenceId);
        Assert.True((await sequences.UnenrollFromSequenceAsync(new UnenrollFromSequenceRequest { Ref = Ada, SequenceId = "s", RequestId = "r" }, cancellationToken: Cancel)).Unenrolled);

        Assert.Equal(
            ["enroll_in_sequence", "bulk_enroll_in_sequence", "lift_pause", "edit_email", "sequence_status", "unenroll_from_sequence"],
            server.Engine.Calls.Select(call => call.Word));
    }

    [Fact]
    public async Task Inboxes_are_saved_read_listed_and_deleted()
    {
        await using var server = await TestServer.StartAsync();
        var sequences = server.Client.Sequences;

        Assert.Equal("olga", (await sequences.SaveInboxAsync(new SaveInboxRequest { Inbox = new Inbox { User = "olga" } }, cancellationToken: Cancel)).User);
        Assert.Equal("olga", (await sequences.GetInboxAsync(new GetInboxRequest { User = "olga" }, cancellationToken: Cancel)).User);
        await sequences.ListInboxesAsync(new ListInboxesRequest(), cancellationToken: Cancel);
        await sequences.DeleteInboxAsync(new DeleteInboxRequest { User = "olga" }, cancellationToken: Cancel);

        Assert.Equal(["save_inbox", "get_inbox", "list_inboxes", "delete_inbox"], server.Engine.Calls.Select(call => call.Word));
    }

    [Fact]
    public async Task What_is_missing_is_INVALID_ARGUMENT_and_what_does_not_exist_is_NOT_FOUND()
    {
        await using var server = await TestServer.StartAsync();
        var sequences = server.Client.Sequences;

        var missing = await Assert.ThrowsAsync<RpcException>(async () => await sequences.EnrollInSequenceAsync(new EnrollInSequenceRequest { SequenceId = "s" }, cancellationToken: Cancel));
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await sequences.GetSequenceAsync(new GetSequenceRequest { SequenceId = "nope" }, cancellationToken: Cancel));
        var empty = await Assert.ThrowsAsync<RpcException>(async () => await sequences.SaveSequenceAsync(new SaveSequenceRequest(), cancellationToken: Cancel));

        Assert.Equal((StatusCode.InvalidArgument, StatusCode.NotFound, StatusCode.InvalidArgument), (missing.StatusCode, unknown.StatusCode, empty.StatusCode));
        Assert.Empty(server.Engine.Calls);
    }
}
