using Grpc.Core;
using Roster.Engine;
using Roster.Engine.Catalog;
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

    public override Task<Workflow> CreateFromTemplate(CreateFromTemplateRequest request, ServerCallContext context) =>
        engine.CreateFromTemplateAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ListTemplatesResponse> ListTemplates(ListTemplatesRequest request, ServerCallContext context) =>
        Task.FromResult(WorkflowTemplates.List());

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

    public override Task<Operation> DeleteWorkflow(DeleteWorkflowRequest request, ServerCallContext context) =>
        engine.DeleteWorkflowAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<Operation> MoveEnrollments(MoveEnrollmentsRequest request, ServerCallContext context) =>
        engine.MoveEnrollmentsAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<PreviewEnrollmentResponse> PreviewEnrollment(PreviewEnrollmentRequest request, ServerCallContext context) =>
        engine.PreviewEnrollmentAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<TestWorkflowResponse> TestWorkflow(TestWorkflowRequest request, ServerCallContext context) =>
        engine.TestWorkflowAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<WorkflowStats> GetWorkflowStats(GetWorkflowStatsRequest request, ServerCallContext context) =>
        engine.GetWorkflowStatsAsync(caller.Of(context), request, context.CancellationToken).AsTask();
}
