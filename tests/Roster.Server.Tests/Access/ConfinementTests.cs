using Grpc.Core;
using Roster.Client;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Tests.Access;

/// <summary>Rights per object type (PRV-01).</summary>
public sealed class ConfinementTests
{
    private static readonly RecordRef Ada = new() { ObjectType = "contact", RecordId = "ada" };
    private static readonly RecordRef Deal = new() { ObjectType = "deal", RecordId = "d-1" };
    private static readonly Right[] All = [.. Enum.GetValues<Right>().Where(right => right is not (Right.Unspecified or Right.Server))];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PRV_01_Records_of_other_object_types_are_refused_by_any_spelling()
    {
        await using var server = await AccessTestKit.StartAsync();
        using var client = server.ClientOf(server.Make("acme", All, "contact").Key);
        await client.Records.GetRecordAsync(new GetRecordRequest { Ref = Ada }, cancellationToken: Cancel);
        await client.Records.GetRecordAsync(new GetRecordRequest { Ref = new RecordRef { ObjectType = "0-1", RecordId = "ada" } }, cancellationToken: Cancel);
        await RefusedAsync(client.Records.GetRecordAsync(new GetRecordRequest { Ref = Deal }, cancellationToken: Cancel), "deal");
        await RefusedAsync(client.Records.BatchGetRecordsAsync(new BatchGetRecordsRequest { Refs = { Ada, Deal } }, cancellationToken: Cancel), "deal");
        await RefusedAsync(client.Records.MergeRecordsAsync(new MergeRecordsRequest { Ref = Ada, Survivor = Deal, RequestId = "m" }, cancellationToken: Cancel), "deal");
    }

    [Fact]
    public async Task PRV_01_Workflows_lists_and_operations_count_by_the_object_type_they_are_of()
    {
        await using var server = await AccessTestKit.StartAsync();
        server.Engine.WorkflowState["of-deals"] = new Workflow { Id = "of-deals", ObjectType = "deal" };
        server.Engine.WorkflowState["of-contacts"] = new Workflow { Id = "of-contacts", ObjectType = "contact" };
        server.Engine.ListState["deals"] = new List { Id = "deals", ObjectType = "deal" };
        server.Engine.OperationState["1"] = new([new Operation { Id = "1", WorkflowId = "of-deals" }]);
        server.Engine.OperationState["2"] = new([new Operation { Id = "2", WorkflowId = "of-deals" }]);
        using var client = server.ClientOf(server.Make("acme", All, "contact").Key);
        await client.Workflows.GetWorkflowAsync(new GetWorkflowRequest { WorkflowId = "of-contacts" }, cancellationToken: Cancel);
        await RefusedAsync(client.Workflows.GetWorkflowAsync(new GetWorkflowRequest { WorkflowId = "of-deals" }, cancellationToken: Cancel), "deal");
        await RefusedAsync(client.Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = new Workflow { Id = "n", ObjectType = "deal" } }, cancellationToken: Cancel), "deal");
        await RefusedAsync(client.Lists.GetListAsync(new GetListRequest { ListId = "deals" }, cancellationToken: Cancel), "deal");
        await RefusedAsync(client.Operations.CancelOperationAsync(new CancelOperationRequest { OperationId = "1" }, cancellationToken: Cancel), "deal");
        await RefusedAsync(client.Operations.ResumeOperationAsync(new ResumeOperationRequest { OperationId = "2" }, cancellationToken: Cancel), "deal");
        await client.Workflows.ListWorkflowsAsync(new ListWorkflowsRequest { ObjectType = "contact" }, cancellationToken: Cancel);
    }

    [Fact]
    public async Task PRV_01_What_concerns_all_object_types_is_refused()
    {
        await using var server = await AccessTestKit.StartAsync();
        using var client = server.ClientOf(server.Make("acme", All, "contact").Key);
        await RefusedAsync(client.Workflows.ListWorkflowsAsync(new ListWorkflowsRequest(), cancellationToken: Cancel), "");
        await RefusedAsync(client.Operations.ListOperationsAsync(new ListOperationsRequest(), cancellationToken: Cancel), "");
        await RefusedAsync(client.Work.LeaseTasksAsync(new LeaseTasksRequest { Queue = "mail" }, cancellationToken: Cancel), "");
        await RefusedAsync(client.Tenants.UpdateSettingsAsync(new UpdateSettingsRequest { Settings = new TenantSettings() }, cancellationToken: Cancel), "");
        await RefusedAsync(client.Access.ListCredentialsAsync(new ListCredentialsRequest(), cancellationToken: Cancel), "");
        using var journal = client.Journal.ReadJournal(new ReadJournalRequest(), cancellationToken: Cancel);
        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(async () => await journal.ResponseStream.MoveNext(Cancel))).StatusCode);
        using var work = client.Work.Work(cancellationToken: Cancel);
        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(async () => await work.ResponseStream.MoveNext(Cancel))).StatusCode);
        await client.Tenants.GetTenantAsync(new GetTenantRequest(), cancellationToken: Cancel);
    }

    [Fact]
    public async Task PRV_01_Events_and_links_of_other_object_types_are_refused_with_their_batch()
    {
        await using var server = await AccessTestKit.StartAsync();
        using var client = server.ClientOf(server.Make("acme", All, "contact").Key);
        var link = new Event { EventId = "l", ObjectType = "contact", RecordId = "ada", Associations = { new AssociationChange { ObjectType = "deal", RecordId = "d-1" } } };
        await RefusedAsync(client.Ingest.IngestAsync(new IngestRequest { Events = { link } }, cancellationToken: Cancel), "deal");
        using var call = client.Ingest.Stream(cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(new StreamRequest { Hello = new Hello() }, Cancel);
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        await call.RequestStream.WriteAsync(new StreamRequest { Batch = new Batch { Sequence = 1, Events = { new Event { EventId = "e", ObjectType = "deal", RecordId = "d-1" } } } }, Cancel);
        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseStream.MoveNext(Cancel))).StatusCode);
        Assert.Empty(server.Engine.Ingested);
    }

    private static async Task RefusedAsync<T>(AsyncUnaryCall<T> call, string objectType)
    {
        var details = await AccessTestKit.RefusedAsync(call);
        Assert.Equal((StatusCode.PermissionDenied, objectType), (details.Code, details.Value));
    }
}
