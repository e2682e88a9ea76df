using Roster.Engine.Catalog;
using Roster.Engine.Reading;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.V1;

namespace Roster.Engine.Hosting;

/// <content>Definitions, tenants, operations: the control plane.</content>
public abstract partial class EngineHost
{
    /// <inheritdoc/>
    public ValueTask<Workflow> SaveWorkflowAsync(string tenant, SaveWorkflowRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).Save(request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Workflow> CreateFromTemplateAsync(string tenant, CreateFromTemplateRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Core.Schema.Names.IsId(request.WorkflowId)
            ? ControlAsync(() => CreateFromTemplate(_tenants.Get(tenant), request), cancellationToken)
            : throw RosterException.Invalid("workflow_id", request.WorkflowId, "A workflow id has 1 to 100 characters of a-z, 0-9, _ and -.");
    }

    private static Workflow CreateFromTemplate(TenantOwner owner, CreateFromTemplateRequest request) => owner.Once(
        request.RequestId,
        request,
        done => done.Workflow,
        () => owner.Save(new SaveWorkflowRequest { Workflow = WorkflowTemplates.Create(request.TemplateId, request.WorkflowId) }));

    /// <inheritdoc/>
    public ValueTask<Workflow> GetWorkflowAsync(string tenant, GetWorkflowRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(() => _tenants.Get(tenant).Get(request), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ListWorkflowsResponse> ListWorkflowsAsync(string tenant, ListWorkflowsRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).List(request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ValidateWorkflowResponse> ValidateWorkflowAsync(string tenant, ValidateWorkflowRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(
            () => new ValidateWorkflowResponse { Problems = { _tenants.Get(tenant).Validate(request.Workflow).Select(WorkflowMapping.ToWire) } },
            cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<PublishWorkflowResponse> PublishWorkflowAsync(string tenant, PublishWorkflowRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _changes.Publish(_tenants.Get(tenant), request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Workflow> SetWorkflowStateAsync(string tenant, SetWorkflowStateRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _changes.SetState(_tenants.Get(tenant), request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> DeleteWorkflowAsync(string tenant, DeleteWorkflowRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _changes.DeleteWorkflow(_tenants.Get(tenant), request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> MoveEnrollmentsAsync(string tenant, MoveEnrollmentsRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _changes.MoveEnrollments(_tenants.Get(tenant), request), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<PreviewEnrollmentResponse> PreviewEnrollmentAsync(string tenant, PreviewEnrollmentRequest request, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        return await _jobs.PreviewAsync(_tenants.Get(tenant), request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<SaveListResponse> SaveListAsync(string tenant, SaveListRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var response = await ControlAsync(() => _changes.SaveList(owner, request), cancellationToken).ConfigureAwait(false);
        response.List.Members = await CountMembersAsync(owner, response.List.Id, cancellationToken).ConfigureAwait(false);
        return response;
    }

    /// <inheritdoc/>
    public async ValueTask<List> GetListAsync(string tenant, GetListRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var members = await ReadMembersAsync(owner, cancellationToken).ConfigureAwait(false);
        return await ControlAsync(() => owner.GetList(request.ListId, number => members.GetValueOrDefault(number)), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ListListsResponse> ListListsAsync(string tenant, ListListsRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var members = await ReadMembersAsync(owner, cancellationToken).ConfigureAwait(false);
        return await ControlAsync(() => owner.ListLists(request, number => members.GetValueOrDefault(number)), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<DeleteListResponse> DeleteListAsync(string tenant, DeleteListRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => new DeleteListResponse { Operation = _changes.DeleteList(_tenants.Get(tenant), request) }, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<ListMembersResponse> ListMembersAsync(string tenant, ListMembersRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ThrowIfStopped();
        return await new MemberReader(_store).ReadAsync(_tenants.Get(tenant), request, cancellationToken).ConfigureAwait(false);
    }

    private async Task<long> CountMembersAsync(TenantOwner owner, string listId, CancellationToken cancellationToken) =>
        (await ReadMembersAsync(owner, cancellationToken).ConfigureAwait(false)).GetValueOrDefault(owner.GetCompiledList(listId).Info.Number);

    private async Task<Dictionary<int, long>> ReadMembersAsync(TenantOwner owner, CancellationToken cancellationToken) =>
        (await _store.ReadCountersAsync(owner.Number, cancellationToken).ConfigureAwait(false))
        .Where(c => c.Key.Kind == CounterKind.ListMembers)
        .ToDictionary(c => c.Key.Workflow, c => c.Value);

    /// <inheritdoc/>
    public async ValueTask<TestWorkflowResponse> TestWorkflowAsync(string tenant, TestWorkflowRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var state = request.Ref is null ? null : await ReadStateAsync(owner, request.Ref, cancellationToken).ConfigureAwait(false);
        return await new WorkflowTester(_store, owner, Clock).RunAsync(request, state, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<WorkflowStats> GetWorkflowStatsAsync(string tenant, GetWorkflowStatsRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var number = owner.FindWorkflowNumber(request.WorkflowId);
        if (number == 0)
        {
            throw new RosterException(RosterError.NotFound, $"There is no workflow '{Core.Refusal.Cut(request.WorkflowId)}'.");
        }

        var counters = await _store.ReadCountersAsync(owner.Number, cancellationToken).ConfigureAwait(false);
        return StatsReader.Read(request, number, owner, counters);
    }

    /// <inheritdoc/>
    public ValueTask<Tenant> GetTenantAsync(string tenant, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).ToWire(), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Tenant> UpdateSettingsAsync(string tenant, UpdateSettingsRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(() => _tenants.Get(tenant).UpdateSettings(request.Settings), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ObjectType> DeclareObjectTypeAsync(string tenant, DeclareObjectTypeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(() => _tenants.Get(tenant).DeclareObjectType(request.ObjectType), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ObjectType> DeclarePropertiesAsync(string tenant, DeclarePropertiesRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).DeclareProperties(request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> BulkEnrollAsync(string tenant, BulkEnrollRequest request, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        return _jobs.BulkEnrollAsync(_tenants.Get(tenant), request);
    }

    /// <inheritdoc/>
    public ValueTask<Operation> BulkUnenrollAsync(string tenant, BulkUnenrollRequest request, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        return _jobs.BulkUnenrollAsync(_tenants.Get(tenant), request);
    }

    /// <inheritdoc/>
    public ValueTask<Operation> GetOperationAsync(string tenant, GetOperationRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(() => _jobs.Get(_tenants.Get(tenant), request.OperationId), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<Operation> WaitOperationAsync(string tenant, string operationId, CancellationToken enough) =>
        _jobs.WaitAsync(_tenants.Get(tenant), operationId, enough);

    /// <inheritdoc/>
    public ValueTask<MapWorkflowIdsResponse> MapWorkflowIdsAsync(string tenant, MapWorkflowIdsRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).MapIds(request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ListOperationsResponse> ListOperationsAsync(string tenant, ListOperationsRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _jobs.List(_tenants.Get(tenant), request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> CancelOperationAsync(string tenant, CancelOperationRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ThrowIfStopped();
        return _jobs.CancelAsync(_tenants.Get(tenant), request.OperationId);
    }

    /// <inheritdoc/>
    public ValueTask<Operation> ResumeOperationAsync(string tenant, ResumeOperationRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ThrowIfStopped();
        return _jobs.ResumeAsync(_tenants.Get(tenant), request.OperationId, cancellationToken);
    }

    /// <summary>The control plane waits for its commit on a thread of the pool, never on one that serves streams.</summary>
    private async ValueTask<T> ControlAsync<T>(Func<T> action, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        return await ChangeAsync(action, cancellationToken).ConfigureAwait(false);
    }
}
