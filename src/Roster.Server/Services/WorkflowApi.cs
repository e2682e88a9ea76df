using Grpc.Core;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Definitions of workflows and their counters.</summary>
internal sealed class WorkflowApi(IRosterEngine engine, CallerTenant caller) : WorkflowService.WorkflowServiceBase
{
    public override Task<Workflow> SaveWorkflow(SaveWorkflowRequest request, ServerCallContext context)
    {
        Check.Present("workflow", request.Workflow);
        return engine.SaveWorkflowAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<Workflow> GetWorkflow(GetWorkflowRequest request, ServerCallContext context) =>
        engine.GetWorkflowAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ListWorkflowsResponse> ListWorkflows(ListWorkflowsRequest request, ServerCallContext context) =>
        engine.ListWorkflowsAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ValidateWorkflowResponse> ValidateWorkflow(ValidateWorkflowRequest request, ServerCallContext context)
    {
        Check.Present("workflow", request.Workflow);
        return engine.ValidateWorkflowAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<PublishWorkflowResponse> PublishWorkflow(PublishWorkflowRequest request, ServerCallContext context) =>
        engine.PublishWorkflowAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<Workflow> SetWorkflowState(SetWorkflowStateRequest request, ServerCallContext context) =>
        engine.SetWorkflowStateAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<WorkflowStats> GetWorkflowStats(GetWorkflowStatsRequest request, ServerCallContext context) =>
        engine.GetWorkflowStatsAsync(caller.Of(context), request, context.CancellationToken).AsTask();
}
