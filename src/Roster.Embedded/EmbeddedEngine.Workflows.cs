using Roster.Engine;
using Roster.Engine.Reading;
using Roster.Protocol.Mapping;
using Roster.V1;

namespace Roster.Embedded;

/// <content>Definitions, tenants, operations: the control plane.</content>
public sealed partial class EmbeddedEngine
{
    /// <inheritdoc/>
    public ValueTask<Workflow> SaveWorkflowAsync(string tenant, SaveWorkflowRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).Save(request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Workflow> GetWorkflowAsync(string tenant, GetWorkflowRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(() => _tenants.Get(tenant).Get(request.WorkflowId, request.Version), cancellationToken);
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
        ControlAsync(() => _tenants.Get(tenant).Publish(request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Workflow> SetWorkflowStateAsync(string tenant, SetWorkflowStateRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).SetState(request), cancellationToken);

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
        return StatsReader.Read(request.WorkflowId, number, owner, counters);
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
        return _bulk.StartAsync(_tenants.Get(tenant), request);
    }

    /// <inheritdoc/>
    public ValueTask<Operation> GetOperationAsync(string tenant, GetOperationRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(() => _bulk.Get(_tenants.Get(tenant), request.OperationId), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ListOperationsResponse> ListOperationsAsync(string tenant, ListOperationsRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _bulk.List(_tenants.Get(tenant), request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> CancelOperationAsync(string tenant, CancelOperationRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ThrowIfStopped();
        return _bulk.CancelAsync(_tenants.Get(tenant), request.OperationId);
    }

    /// <summary>The control plane waits for its commit on a thread of the pool, never on one that serves streams.</summary>
    private async ValueTask<T> ControlAsync<T>(Func<T> action, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        return await Task.Run(action, cancellationToken).ConfigureAwait(false);
    }
}
