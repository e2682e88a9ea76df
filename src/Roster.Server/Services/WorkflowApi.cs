using Grpc.Core;
using Roster.Engine;
using Roster.Engine.Catalog;
using Roster.Server.Access;
using Roster.V1;

namespace Roster.Server.Services;

/// <summary>Definitions of workflows and their counters.</summary>
internal sealed class WorkflowApi(IRosterEngine engine, CallerTenant caller, SensitiveValues sensitive) : WorkflowService.WorkflowServiceBase
{
    private const int BatchMax = 100;

    public override Task<Workflow> SaveWorkflow(SaveWorkflowRequest request, ServerCallContext context)
    {
        Check.Present("workflow", request.Workflow);
        return engine.SaveWorkflowAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override Task<Workflow> CreateFromTemplate(CreateFromTemplateRequest request, ServerCallContext context) =>
        engine.CreateFromTemplateAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ListTemplatesResponse> ListTemplates(ListTemplatesRequest request, ServerCallContext context) =>
        Task.FromResult(WorkflowTemplates.List());

    public override async Task<Workflow> GetWorkflow(GetWorkflowRequest request, ServerCallContext context)
    {
        var mask = ReadMask<Workflow>.Of(request.ReadMask);
        return mask.Apply(await engine.GetWorkflowAsync(caller.Of(context), request, context.CancellationToken));
    }

    public override async Task<ListWorkflowsResponse> ListWorkflows(ListWorkflowsRequest request, ServerCallContext context)
    {
        var mask = ReadMask<Workflow>.Of(request.ReadMask);
        var page = await engine.ListWorkflowsAsync(caller.Of(context), request, context.CancellationToken);
        mask.Apply(page.Workflows);
        return page;
    }

    public override async Task<BatchGetWorkflowsResponse> BatchGetWorkflows(BatchGetWorkflowsRequest request, ServerCallContext context)
    {
        Check.Range("workflow_ids", request.WorkflowIds.Count, 0, BatchMax);
        var mask = ReadMask<Workflow>.Of(request.ReadMask);
        var tenant = caller.Of(context);
        var response = new BatchGetWorkflowsResponse();
        foreach (var id in request.WorkflowIds)
        {
            try
            {
                response.Workflows.Add(mask.Apply(await engine.GetWorkflowAsync(tenant, new GetWorkflowRequest { WorkflowId = id }, context.CancellationToken)));
            }
            catch (RosterException missing) when (missing.Error == RosterError.NotFound)
            {
                // Those that there are not are left out.
            }
        }

        return response;
    }

    public override Task<MapWorkflowIdsResponse> MapWorkflowIds(MapWorkflowIdsRequest request, ServerCallContext context) =>
        engine.MapWorkflowIdsAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<ValidateWorkflowResponse> ValidateWorkflow(ValidateWorkflowRequest request, ServerCallContext context)
    {
        Check.Present("workflow", request.Workflow);
        return engine.ValidateWorkflowAsync(caller.Of(context), request, context.CancellationToken).AsTask();
    }

    public override async Task<PublishWorkflowResponse> PublishWorkflow(PublishWorkflowRequest request, ServerCallContext context)
    {
        var who = caller.CallerOf(context);
        request.Revision = await RequireSensitiveAsync(who, request.WorkflowId, request.Revision, context.CancellationToken);
        return await engine.PublishWorkflowAsync(who.Tenant, request, context.CancellationToken);
    }

    public override async Task<Workflow> SetWorkflowState(SetWorkflowStateRequest request, ServerCallContext context)
    {
        var who = caller.CallerOf(context);
        if (request.State is Workflow.Types.State.On or Workflow.Types.State.Paused)
        {
            await RequireSensitiveAsync(who, request.WorkflowId, 0, context.CancellationToken);
        }

        return await engine.SetWorkflowStateAsync(who.Tenant, request, context.CancellationToken);
    }

    public override Task<Operation> DeleteWorkflow(DeleteWorkflowRequest request, ServerCallContext context) =>
        engine.DeleteWorkflowAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<Operation> MoveEnrollments(MoveEnrollmentsRequest request, ServerCallContext context) =>
        engine.MoveEnrollmentsAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    public override Task<PreviewEnrollmentResponse> PreviewEnrollment(PreviewEnrollmentRequest request, ServerCallContext context)
    {
        var who = caller.CallerOf(context);
        // Criteria of one's own would tell values by counting.
        sensitive.RequireFor(who, request.Criteria);
        return engine.PreviewEnrollmentAsync(who.Tenant, request, context.CancellationToken).AsTask();
    }

    public override async Task<TestWorkflowResponse> TestWorkflow(TestWorkflowRequest request, ServerCallContext context)
    {
        var who = caller.CallerOf(context);
        if (request.Ref is not null)
        {
            // The ways that a record takes would tell its values.
            sensitive.RequireFor(who, request.Workflow);
            await RequireSensitiveAsync(who, request.WorkflowId, 0, context.CancellationToken);
        }

        var walk = await engine.TestWorkflowAsync(who.Tenant, request, context.CancellationToken);
        sensitive.Mask(who, walk);
        return walk;
    }

    public override Task<WorkflowStats> GetWorkflowStats(GetWorkflowStatsRequest request, ServerCallContext context) =>
        engine.GetWorkflowStatsAsync(caller.Of(context), request, context.CancellationToken).AsTask();

    /// <summary>
    /// Without the right a draft that uses sensitive properties is not put in force (PRV-01). The revision that was looked at is the one that is meant, so that nobody
    /// saves another in between.
    /// </summary>
    private async ValueTask<long> RequireSensitiveAsync(CallIdentity who, string workflowId, long revision, CancellationToken cancellationToken)
    {
        if (workflowId.Length == 0 || who.Has(Credential.Types.Right.Sensitive))
        {
            return revision;
        }

        var draft = await engine.GetWorkflowAsync(who.Tenant, new GetWorkflowRequest { WorkflowId = workflowId }, cancellationToken);
        sensitive.RequireFor(who, draft);
        return revision == 0 ? draft.Revision : revision;
    }
}
