using System.Runtime.CompilerServices;
using Roster.V1;
using Status = Roster.V1.Status;

namespace Roster.Cluster;

/// <content>What any silo does itself: reads, after a look whether definitions have changed; and changes of schema and settings, which start no job.</content>
public sealed partial class ClusterEngine
{
    /// <inheritdoc/>
    public async ValueTask<ListAssociationsResponse> ListAssociationsAsync(string tenant, ListAssociationsRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.ListAssociationsAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<Explanation> ExplainAsync(string tenant, ExplainRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.ExplainAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<GetEnrollmentHistoryResponse> GetEnrollmentHistoryAsync(string tenant, GetEnrollmentHistoryRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetEnrollmentHistoryAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<GetTimelineResponse> GetTimelineAsync(string tenant, GetTimelineRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetTimelineAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<Workflow> GetWorkflowAsync(string tenant, GetWorkflowRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetWorkflowAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ListWorkflowsResponse> ListWorkflowsAsync(string tenant, ListWorkflowsRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.ListWorkflowsAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ValidateWorkflowResponse> ValidateWorkflowAsync(string tenant, ValidateWorkflowRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.ValidateWorkflowAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<PreviewEnrollmentResponse> PreviewEnrollmentAsync(string tenant, PreviewEnrollmentRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.PreviewEnrollmentAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<List> GetListAsync(string tenant, GetListRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetListAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ListListsResponse> ListListsAsync(string tenant, ListListsRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.ListListsAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ListMembersResponse> ListMembersAsync(string tenant, ListMembersRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.ListMembersAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<TestWorkflowResponse> TestWorkflowAsync(string tenant, TestWorkflowRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.TestWorkflowAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<WorkflowStats> GetWorkflowStatsAsync(string tenant, GetWorkflowStatsRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetWorkflowStatsAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<Tenant> UpdateSettingsAsync(string tenant, UpdateSettingsRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.UpdateSettingsAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ObjectType> DeclareObjectTypeAsync(string tenant, DeclareObjectTypeRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.DeclareObjectTypeAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ObjectType> DeclarePropertiesAsync(string tenant, DeclarePropertiesRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.DeclarePropertiesAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<Record?> GetRecordAsync(string tenant, RecordRef reference, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetRecordAsync(tenant, reference, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<Tenant> GetTenantAsync(string tenant, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetTenantAsync(tenant, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReadJournalResponse> ReadJournalAsync(
        string tenant, ReadJournalRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var page in Here.ReadJournalAsync(tenant, request, cancellationToken).ConfigureAwait(false))
        {
            yield return page;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Status> GetStatusAsync(CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetStatusAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<GetMeasuresResponse> GetMeasuresHereAsync(GetMeasuresRequest request, CancellationToken cancellationToken) =>
        Here.GetMeasuresAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<CheckpointResponse> CheckpointAsync(CancellationToken cancellationToken) => Here.CheckpointAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BackupResponse> BackupAsync(BackupRequest request, CancellationToken cancellationToken) => Here.BackupAsync(request, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<VerifyResponse> VerifyAsync(CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.VerifyAsync(cancellationToken).ConfigureAwait(false);
    }
}
