using Grpc.Core;
using Roster.Client;
using Roster.V1;

namespace Roster.Server.Tests.Services;

/// <summary>Services hand on what they are asked, for the tenant of the caller, and check what needs no engine.</summary>
public sealed class ServiceTests
{
    private static readonly RecordRef Ada = new() { ObjectType = "contact", RecordId = "ada" };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_list_is_saved_read_listed_and_deleted()
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.NewClient("acme");
        var saved = await client.Lists.SaveListAsync(
            new SaveListRequest { List = new List { Id = "vip", ObjectType = "contact" } }, cancellationToken: Cancel);
        Assert.Equal(1, saved.List.Revision);
        Assert.Equal("vip", (await client.Lists.GetListAsync(new GetListRequest { ListId = "vip" }, cancellationToken: Cancel)).Id);
        Assert.Equal("vip", Assert.Single((await client.Lists.ListListsAsync(new ListListsRequest(), cancellationToken: Cancel)).Lists).Id);
        var deleted = await client.Lists.DeleteListAsync(new DeleteListRequest { ListId = "vip" }, cancellationToken: Cancel);
        Assert.Equal("delete_list", deleted.Operation.Kind);
        Assert.Equal([("list", "acme"), ("delete", "acme")], server.Engine.Calls.Select(call => (call.Word, call.Tenant)));
    }

    [Fact]
    public async Task Members_are_added_removed_and_read_in_pages()
    {
        await using var server = await TestServer.StartAsync();
        var request = new ChangeMembershipRequest { ListId = "vip", Ref = Ada, RequestId = "r1", Caller = "test" };
        Assert.Equal(EventResult.Types.Code.Applied, (await server.Client.Lists.AddToListAsync(request, cancellationToken: Cancel)).Result.Code);
        Assert.Equal(EventResult.Types.Code.Applied, (await server.Client.Lists.RemoveFromListAsync(request, cancellationToken: Cancel)).Result.Code);
        Assert.Equal(["add", "remove"], server.Engine.Calls.Select(call => call.Word));
        Assert.All(server.Engine.Calls, call => Assert.Equal(request, call.Request));
        var page = await server.Client.Lists.ListMembersAsync(new ListMembersRequest { ListId = "vip" }, cancellationToken: Cancel);
        Assert.Equal(("ada", "2"), (page.Members[0].RecordId, page.NextPageToken));
    }

    [Theory]
    [InlineData("!mail")]
    [InlineData("!webhook/crm")]
    [InlineData("!messages")]
    public async Task ACT_60_Workers_do_not_lease_what_the_engine_sends_itself(string queue)
    {
        await using var server = await TestServer.StartAsync();
        var error = await Assert.ThrowsAsync<RpcException>(async () => await server.Client.Work.LeaseTasksAsync(new LeaseTasksRequest { Queue = queue }, cancellationToken: Cancel));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public async Task ERR_11_Dead_letters_limits_and_endpoints_are_handed_on()
    {
        await using var server = await TestServer.StartAsync();
        var (work, tenants) = (server.Client.Work, server.Client.Tenants);
        Assert.Equal("hook", Assert.Single((await work.ListDeadLettersAsync(new ListDeadLettersRequest(), cancellationToken: Cancel)).DeadLetters).StepId);
        Assert.Equal("k", (await work.GetDeadLetterAsync(new GetDeadLetterRequest { Key = "k" }, cancellationToken: Cancel)).Key);
        Assert.Equal(["k"], (await work.ResendDeadLettersAsync(new ResendDeadLettersRequest { Keys = { "k" } }, cancellationToken: Cancel)).Resending);
        Assert.Equal(1, (await work.DiscardDeadLettersAsync(new DiscardDeadLettersRequest { Keys = { "k" } }, cancellationToken: Cancel)).Discarded);
        Assert.Equal(3, (await work.SetQueueLimitsAsync(new SetQueueLimitsRequest { Queue = "q", LeasedMax = 3 }, cancellationToken: Cancel)).LeasedMax);
        Assert.Equal("x", (await tenants.SaveWebhookEndpointAsync(new SaveWebhookEndpointRequest { Endpoint = new WebhookEndpoint { Id = "x" } }, cancellationToken: Cancel)).Endpoint.Id);
        Assert.Equal("crm", Assert.Single((await tenants.ListWebhookEndpointsAsync(new ListWebhookEndpointsRequest(), cancellationToken: Cancel)).Endpoints).Id);
        Assert.NotEmpty((await tenants.RotateWebhookSecretAsync(new RotateWebhookSecretRequest { EndpointId = "crm" }, cancellationToken: Cancel)).Secret);
        await tenants.DeleteWebhookEndpointAsync(new DeleteWebhookEndpointRequest { EndpointId = "crm" }, cancellationToken: Cancel);
    }

    [Fact]
    public async Task An_unknown_list_is_NOT_FOUND()
    {
        await using var server = await TestServer.StartAsync();
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await server.Client.Lists.GetListAsync(new GetListRequest { ListId = "nope" }, cancellationToken: Cancel));
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
    }

    [Fact]
    public async Task A_workflow_is_deleted_moved_and_previewed()
    {
        await using var server = await TestServer.StartAsync();
        var workflows = server.Client.Workflows;
        Assert.Equal("delete_workflow", (await workflows.DeleteWorkflowAsync(new DeleteWorkflowRequest { WorkflowId = "w", Revision = 3 }, cancellationToken: Cancel)).Kind);
        Assert.Equal("w", (await workflows.MoveEnrollmentsAsync(new MoveEnrollmentsRequest { WorkflowId = "w" }, cancellationToken: Cancel)).WorkflowId);
        Assert.Equal(4, (await workflows.PreviewEnrollmentAsync(new PreviewEnrollmentRequest { WorkflowId = "w" }, cancellationToken: Cancel)).Matching);
        Assert.Equal(["delete", "move", "preview"], server.Engine.Calls.Select(call => call.Word));
        Assert.Equal(3, ((DeleteWorkflowRequest)server.Engine.Calls.First().Request).Revision);
    }

    [Fact]
    public async Task A_workflow_is_made_from_a_template_and_walked_through()
    {
        await using var server = await TestServer.StartAsync();
        var draft = await server.Client.Workflows.CreateFromTemplateAsync(new CreateFromTemplateRequest { WorkflowId = "w" }, cancellationToken: Cancel);
        Assert.Equal("w", draft.Id);
        Assert.NotEmpty((await server.Client.Workflows.ListTemplatesAsync(new ListTemplatesRequest(), cancellationToken: Cancel)).Templates);
        var walk = await server.Client.Workflows.TestWorkflowAsync(new TestWorkflowRequest { WorkflowId = "w" }, cancellationToken: Cancel);
        Assert.Equal(Decision.Types.Code.Enrolled, walk.Decision);
    }

    [Fact]
    public async Task A_record_is_deleted_restored_and_erased()
    {
        await using var server = await TestServer.StartAsync();
        var deleted = await server.Client.Records.DeleteRecordAsync(new DeleteRecordRequest { Ref = Ada, RequestId = "r1" }, cancellationToken: Cancel);
        var restored = await server.Client.Records.RestoreRecordAsync(new RestoreRecordRequest { Ref = Ada, RequestId = "r2" }, cancellationToken: Cancel);
        Assert.Equal((EventResult.Types.Code.Applied, EventResult.Types.Code.Applied), (deleted.Result.Code, restored.Result.Code));
        var erased = await server.Client.Records.EraseRecordAsync(new EraseRecordRequest { Ref = Ada, RequestId = "r3" }, cancellationToken: Cancel);
        Assert.Equal((EventResult.Types.Code.Applied, "erase-7"), (erased.Result.Code, erased.OperationId));
        Assert.Equal(["delete", "restore", "erase"], server.Engine.Calls.Select(call => call.Word));
    }

    [Fact]
    public async Task Explain_and_history_are_answered_by_the_engine()
    {
        await using var server = await TestServer.StartAsync();
        var explained = await server.Client.Enrollments.ExplainAsync(new ExplainRequest { Ref = Ada, WorkflowId = "w" }, cancellationToken: Cancel);
        Assert.Equal("Because.", explained.Summary);
        var history = await server.Client.Enrollments.GetEnrollmentHistoryAsync(
            new GetEnrollmentHistoryRequest { WorkflowId = "w" }, cancellationToken: Cancel);
        Assert.Equal("w", Assert.Single(history.Entries).WorkflowId);
    }

    [Fact]
    public async Task Many_are_unenrolled_by_an_operation()
    {
        await using var server = await TestServer.StartAsync();
        var request = new BulkUnenrollRequest { WorkflowId = "w", ListId = "vip", RequestId = "r1" };
        Assert.Equal("bulk_unenroll", (await server.Client.Operations.BulkUnenrollAsync(request, cancellationToken: Cancel)).Kind);
        Assert.Equal(request, Assert.Single(server.Engine.Calls).Request);
    }

    [Fact]
    public async Task What_is_missing_is_told_before_the_engine_is_asked()
    {
        await using var server = await TestServer.StartAsync();
        var client = server.Client;
        var calls = new Func<Task>[]
        {
            async () => await client.Lists.SaveListAsync(new SaveListRequest(), cancellationToken: Cancel),
            async () => await client.Lists.AddToListAsync(new ChangeMembershipRequest { ListId = "vip" }, cancellationToken: Cancel),
            async () => await client.Lists.RemoveFromListAsync(new ChangeMembershipRequest { ListId = "vip" }, cancellationToken: Cancel),
            async () => await client.Records.DeleteRecordAsync(new DeleteRecordRequest(), cancellationToken: Cancel),
            async () => await client.Records.RestoreRecordAsync(new RestoreRecordRequest(), cancellationToken: Cancel),
            async () => await client.Records.EraseRecordAsync(new EraseRecordRequest(), cancellationToken: Cancel),
            async () => await client.Enrollments.ExplainAsync(new ExplainRequest { WorkflowId = "w" }, cancellationToken: Cancel),
        };
        foreach (var call in calls)
        {
            var error = await Assert.ThrowsAsync<RpcException>(call);
            Assert.Equal("MISSING_FIELD", RosterErrors.Read(error).Reason);
        }

        Assert.Empty(server.Engine.Calls);
    }
}
