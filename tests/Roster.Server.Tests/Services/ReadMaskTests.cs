using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Roster.Client;
using Roster.V1;
using Record = Roster.V1.Record;

namespace Roster.Server.Tests.Services;

/// <summary>Answers with the wanted fields only, reads of several, and waiting for an operation.</summary>
public sealed class ReadMaskTests
{
    private static readonly RecordRef Ada = new() { ObjectType = "contact", RecordId = "ada" };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task API_01_A_mask_leaves_the_wanted_fields_of_workflows_lists_and_records()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.WorkflowState["w"] = new Workflow { Id = "w", DisplayName = "Name", Description = "Long", Start = new Start { Manual = new ManualStart() } };
        server.Engine.RecordState["ada"] = new Record { Ref = Ada, Properties = { new Property { Name = "city" } }, AssociationCount = 3 };
        var mask = new FieldMask { Paths = { "id", "display_name" } };
        var read = await server.Client.Workflows.GetWorkflowAsync(new GetWorkflowRequest { WorkflowId = "w", ReadMask = mask }, cancellationToken: Cancel);
        Assert.Equal(new Workflow { Id = "w", DisplayName = "Name" }, read);
        var listed = await server.Client.Workflows.ListWorkflowsAsync(new ListWorkflowsRequest { ReadMask = mask }, cancellationToken: Cancel);
        Assert.Equal(read, Assert.Single(listed.Workflows));
        var wanted = new FieldMask { Paths = { "ref" } };
        Assert.Equal(new Record { Ref = Ada }, await server.Client.Records.GetRecordAsync(new GetRecordRequest { Ref = Ada, ReadMask = wanted }, cancellationToken: Cancel));
        var several = await server.Client.Records.BatchGetRecordsAsync(new BatchGetRecordsRequest { Refs = { Ada }, ReadMask = wanted }, cancellationToken: Cancel);
        Assert.Equal(new Record { Ref = Ada }, Assert.Single(several.Records));
        Assert.Equal(3, (await server.Client.Records.GetRecordAsync(new GetRecordRequest { Ref = Ada }, cancellationToken: Cancel)).AssociationCount);
        var wrong = new GetRecordRequest { Ref = Ada, ReadMask = new FieldMask { Paths = { "colour" } } };
        var error = await Assert.ThrowsAsync<RpcException>(async () => await server.Client.Records.GetRecordAsync(wrong, cancellationToken: Cancel));
        Assert.Equal((StatusCode.InvalidArgument, "read_mask", "colour"), (error.StatusCode, RosterErrors.Read(error).Path, RosterErrors.Read(error).Value));
    }

    [Fact]
    public async Task API_01_Several_workflows_are_read_in_one_call_and_those_that_there_are_not_are_left_out()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.WorkflowState["a"] = new Workflow { Id = "a" };
        server.Engine.WorkflowState["b"] = new Workflow { Id = "b" };
        var read = await server.Client.Workflows.BatchGetWorkflowsAsync(new BatchGetWorkflowsRequest { WorkflowIds = { "b", "none", "a" } }, cancellationToken: Cancel);
        Assert.Equal(["b", "a"], read.Workflows.Select(workflow => workflow.Id));
        var many = new BatchGetWorkflowsRequest { WorkflowIds = { Enumerable.Range(0, 101).Select(i => $"w{i}") } };
        await Assert.ThrowsAsync<RpcException>(async () => await server.Client.Workflows.BatchGetWorkflowsAsync(many, cancellationToken: Cancel));
    }

    [Fact]
    public async Task An_operation_is_waited_for_within_bounds()
    {
        await using var server = await TestServer.StartAsync();
        var ended = await server.Client.Operations.WaitOperationAsync(new WaitOperationRequest { OperationId = "7" }, cancellationToken: Cancel);
        Assert.Equal(Operation.Types.State.Succeeded, ended.State);
        var tooLong = new WaitOperationRequest { OperationId = "7", Timeout = Duration.FromTimeSpan(TimeSpan.FromHours(1)) };
        var error = await Assert.ThrowsAsync<RpcException>(async () => await server.Client.Operations.WaitOperationAsync(tooLong, cancellationToken: Cancel));
        Assert.Equal((StatusCode.InvalidArgument, "timeout"), (error.StatusCode, RosterErrors.Read(error).Path));
    }
}
