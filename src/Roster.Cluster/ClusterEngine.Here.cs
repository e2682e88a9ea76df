using System.Runtime.CompilerServices;
using Roster.V1;
using Status = Roster.V1.Status;

namespace Roster.Cluster;

/// <content>What any silo does itself: reads, after a look whether definitions have changed; and changes of schema and settings, which start no job.</content>
public sealed partial class ClusterEngine
{
    /// <inheritdoc/>
    public ValueTask<ListAssociationsResponse> ListAssociationsAsync(string tenant, ListAssociationsRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.ListAssociationsAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Explanation> ExplainAsync(string tenant, ExplainRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.ExplainAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<GetEnrollmentHistoryResponse> GetEnrollmentHistoryAsync(string tenant, GetEnrollmentHistoryRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetEnrollmentHistoryAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<GetTimelineResponse> GetTimelineAsync(string tenant, GetTimelineRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetTimelineAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Workflow> GetWorkflowAsync(string tenant, GetWorkflowRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetWorkflowAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ListWorkflowsResponse> ListWorkflowsAsync(string tenant, ListWorkflowsRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.ListWorkflowsAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ValidateWorkflowResponse> ValidateWorkflowAsync(string tenant, ValidateWorkflowRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.ValidateWorkflowAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<PreviewEnrollmentResponse> PreviewEnrollmentAsync(string tenant, PreviewEnrollmentRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.PreviewEnrollmentAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<List> GetListAsync(string tenant, GetListRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetListAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ListListsResponse> ListListsAsync(string tenant, ListListsRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.ListListsAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ListMembersResponse> ListMembersAsync(string tenant, ListMembersRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.ListMembersAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TestWorkflowResponse> TestWorkflowAsync(string tenant, TestWorkflowRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.TestWorkflowAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<WorkflowStats> GetWorkflowStatsAsync(string tenant, GetWorkflowStatsRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetWorkflowStatsAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Tenant> UpdateSettingsAsync(string tenant, UpdateSettingsRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.UpdateSettingsAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ObjectType> DeclareObjectTypeAsync(string tenant, DeclareObjectTypeRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.DeclareObjectTypeAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ObjectType> DeclarePropertiesAsync(string tenant, DeclarePropertiesRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.DeclarePropertiesAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Record?> GetRecordAsync(string tenant, RecordRef reference, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetRecordAsync(tenant, reference, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Tenant> GetTenantAsync(string tenant, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetTenantAsync(tenant, cancellationToken), cancellationToken);

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
    public ValueTask<Status> GetStatusAsync(CancellationToken cancellationToken) =>
        HereAsync(here => here.GetStatusAsync(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<GetMeasuresResponse> GetMeasuresHereAsync(GetMeasuresRequest request, CancellationToken cancellationToken) =>
        Here.GetMeasuresAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<CheckpointResponse> CheckpointAsync(CancellationToken cancellationToken) => Here.CheckpointAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BackupResponse> BackupAsync(BackupRequest request, CancellationToken cancellationToken) => Here.BackupAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<VerifyResponse> VerifyAsync(CancellationToken cancellationToken) =>
        HereAsync(here => here.VerifyAsync(cancellationToken), cancellationToken);

    private async ValueTask<T> HereAsync<T>(Func<SiloEngine, ValueTask<T>> read, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await read(Here).ConfigureAwait(false);
    }
}
