using Roster.V1;

namespace Roster.Engine;

/// <summary>What a front door can ask of a host about sequences and inboxes. As in <see cref="IRosterEngine"/>, of which it is a part.</summary>
public interface ISequenceEngine
{
    /// <summary>Saves a sequence; it holds for later enrollments (SEQ-14).</summary>
    ValueTask<SaveSequenceResponse> SaveSequenceAsync(string tenant, SaveSequenceRequest request, CancellationToken cancellationToken);

    /// <summary>Reads a sequence.</summary>
    ValueTask<Sequence> GetSequenceAsync(string tenant, GetSequenceRequest request, CancellationToken cancellationToken);

    /// <summary>Lists sequences.</summary>
    ValueTask<ListSequencesResponse> ListSequencesAsync(string tenant, ListSequencesRequest request, CancellationToken cancellationToken);

    /// <summary>Checks a sequence.</summary>
    ValueTask<ValidateWorkflowResponse> ValidateSequenceAsync(string tenant, ValidateSequenceRequest request, CancellationToken cancellationToken);

    /// <summary>Walks a contact through a sequence and leaves no trace (HIS-05, HIS-06).</summary>
    ValueTask<TestWorkflowResponse> TestSequenceAsync(string tenant, TestSequenceRequest request, CancellationToken cancellationToken);

    /// <summary>Deletes a sequence; a job ends its enrollments (SEQ-17).</summary>
    ValueTask<Operation> DeleteSequenceAsync(string tenant, DeleteSequenceRequest request, CancellationToken cancellationToken);

    /// <summary>Enrolls a contact. Returns when its inbox has answered and the decision is durable (SEQ-04); a repeated request gets the first answer.</summary>
    ValueTask<EnrollResponse> EnrollInSequenceAsync(string tenant, EnrollInSequenceRequest request, CancellationToken cancellationToken);

    /// <summary>Enrolls contacts, each as by itself (SEQ-02).</summary>
    ValueTask<BulkEnrollInSequenceResponse> BulkEnrollInSequenceAsync(string tenant, BulkEnrollInSequenceRequest request, CancellationToken cancellationToken);

    /// <summary>Takes a contact out.</summary>
    ValueTask<UnenrollResponse> UnenrollFromSequenceAsync(string tenant, UnenrollFromSequenceRequest request, CancellationToken cancellationToken);

    /// <summary>Lifts a pause (SEQ-09).</summary>
    ValueTask<LiftPauseResponse> LiftPauseAsync(string tenant, LiftPauseRequest request, CancellationToken cancellationToken);

    /// <summary>Edits an e-mail for one contact (SEQ-14).</summary>
    ValueTask<EditScheduledEmailResponse> EditScheduledEmailAsync(string tenant, EditScheduledEmailRequest request, CancellationToken cancellationToken);

    /// <summary>Where a contact stands (API-02).</summary>
    ValueTask<SequenceStatus> GetSequenceStatusAsync(string tenant, GetSequenceStatusRequest request, CancellationToken cancellationToken);

    /// <summary>Counters of a sequence (MET-16).</summary>
    ValueTask<SequenceStats> GetSequenceStatsAsync(string tenant, GetSequenceStatsRequest request, CancellationToken cancellationToken);

    /// <summary>Saves the inbox of a user.</summary>
    ValueTask<Inbox> SaveInboxAsync(string tenant, SaveInboxRequest request, CancellationToken cancellationToken);

    /// <summary>Reads an inbox with what it has granted.</summary>
    ValueTask<Inbox> GetInboxAsync(string tenant, GetInboxRequest request, CancellationToken cancellationToken);

    /// <summary>Lists inboxes.</summary>
    ValueTask<ListInboxesResponse> ListInboxesAsync(string tenant, ListInboxesRequest request, CancellationToken cancellationToken);

    /// <summary>Removes an inbox; jobs end the enrollments of the user's sequences (SEQ-01).</summary>
    ValueTask<DeleteInboxResponse> DeleteInboxAsync(string tenant, DeleteInboxRequest request, CancellationToken cancellationToken);
}
