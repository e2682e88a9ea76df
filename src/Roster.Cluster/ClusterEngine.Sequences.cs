using Roster.V1;

namespace Roster.Cluster;

/// <content>
/// Sequences and inboxes. An enrollment ends when the inbox has answered, which the silo hears that delivers messages between records: so it is asked for there.
/// </content>
public sealed partial class ClusterEngine
{
    /// <inheritdoc/>
    public ValueTask<SaveSequenceResponse> SaveSequenceAsync(string tenant, SaveSequenceRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "SaveSequence", request, SaveSequenceResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> DeleteSequenceAsync(string tenant, DeleteSequenceRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "DeleteSequence", request, Operation.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<EnrollResponse> EnrollInSequenceAsync(string tenant, EnrollInSequenceRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "EnrollInSequence", request, EnrollResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BulkEnrollInSequenceResponse> BulkEnrollInSequenceAsync(string tenant, BulkEnrollInSequenceRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "BulkEnrollInSequence", request, BulkEnrollInSequenceResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<UnenrollResponse> UnenrollFromSequenceAsync(string tenant, UnenrollFromSequenceRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "UnenrollFromSequence", request, UnenrollResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LiftPauseResponse> LiftPauseAsync(string tenant, LiftPauseRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "LiftPause", request, LiftPauseResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<EditScheduledEmailResponse> EditScheduledEmailAsync(string tenant, EditScheduledEmailRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "EditScheduledEmail", request, EditScheduledEmailResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Inbox> SaveInboxAsync(string tenant, SaveInboxRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "SaveInbox", request, Inbox.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeleteInboxResponse> DeleteInboxAsync(string tenant, DeleteInboxRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "DeleteInbox", request, DeleteInboxResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Sequence> GetSequenceAsync(string tenant, GetSequenceRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetSequenceAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ListSequencesResponse> ListSequencesAsync(string tenant, ListSequencesRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.ListSequencesAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ValidateWorkflowResponse> ValidateSequenceAsync(string tenant, ValidateSequenceRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.ValidateSequenceAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TestWorkflowResponse> TestSequenceAsync(string tenant, TestSequenceRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.TestSequenceAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<SequenceStatus> GetSequenceStatusAsync(string tenant, GetSequenceStatusRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetSequenceStatusAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<SequenceStats> GetSequenceStatsAsync(string tenant, GetSequenceStatsRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetSequenceStatsAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Inbox> GetInboxAsync(string tenant, GetInboxRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.GetInboxAsync(tenant, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ListInboxesResponse> ListInboxesAsync(string tenant, ListInboxesRequest request, CancellationToken cancellationToken) =>
        HereAsync(here => here.ListInboxesAsync(tenant, request, cancellationToken), cancellationToken);
}
