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
    public async ValueTask<Sequence> GetSequenceAsync(string tenant, GetSequenceRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetSequenceAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ListSequencesResponse> ListSequencesAsync(string tenant, ListSequencesRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.ListSequencesAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ValidateWorkflowResponse> ValidateSequenceAsync(string tenant, ValidateSequenceRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.ValidateSequenceAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<SequenceStatus> GetSequenceStatusAsync(string tenant, GetSequenceStatusRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetSequenceStatusAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<SequenceStats> GetSequenceStatsAsync(string tenant, GetSequenceStatsRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetSequenceStatsAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<Inbox> GetInboxAsync(string tenant, GetInboxRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.GetInboxAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ListInboxesResponse> ListInboxesAsync(string tenant, ListInboxesRequest request, CancellationToken cancellationToken)
    {
        await Here.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return await Here.ListInboxesAsync(tenant, request, cancellationToken).ConfigureAwait(false);
    }
}
