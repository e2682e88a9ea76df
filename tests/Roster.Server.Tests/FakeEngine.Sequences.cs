using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Tests;

/// <content>Sequences and inboxes: each answer names what was asked.</content>
public sealed partial class FakeEngine
{
    public ValueTask<SaveSequenceResponse> SaveSequenceAsync(string tenant, SaveSequenceRequest request, CancellationToken cancellationToken) =>
        Answer("save_sequence", tenant, request, new SaveSequenceResponse { Sequence = request.Sequence });

    public ValueTask<Sequence> GetSequenceAsync(string tenant, GetSequenceRequest request, CancellationToken cancellationToken) =>
        request.SequenceId == "nope"
            ? ValueTask.FromException<Sequence>(new RosterException(RosterError.NotFound, "There is no sequence 'nope'."))
            : Answer("get_sequence", tenant, request, new Sequence { Id = request.SequenceId });

    public ValueTask<ListSequencesResponse> ListSequencesAsync(string tenant, ListSequencesRequest request, CancellationToken cancellationToken) =>
        Answer("list_sequences", tenant, request, new ListSequencesResponse());

    public ValueTask<ValidateWorkflowResponse> ValidateSequenceAsync(string tenant, ValidateSequenceRequest request, CancellationToken cancellationToken) =>
        Answer("validate_sequence", tenant, request, new ValidateWorkflowResponse());

    public ValueTask<TestWorkflowResponse> TestSequenceAsync(string tenant, TestSequenceRequest request, CancellationToken cancellationToken) =>
        Answer("test_sequence", tenant, request, new TestWorkflowResponse { Decision = Decision.Types.Code.Enrolled });

    public ValueTask<Operation> DeleteSequenceAsync(string tenant, DeleteSequenceRequest request, CancellationToken cancellationToken) =>
        Answer("delete_sequence", tenant, request, NewOperation("delete_workflow", request.SequenceId));

    public ValueTask<EnrollResponse> EnrollInSequenceAsync(string tenant, EnrollInSequenceRequest request, CancellationToken cancellationToken) =>
        Answer("enroll_in_sequence", tenant, request, new EnrollResponse { Decision = Decision.Types.Code.Enrolled, EnrollmentNumber = 1 });

    public ValueTask<BulkEnrollInSequenceResponse> BulkEnrollInSequenceAsync(string tenant, BulkEnrollInSequenceRequest request, CancellationToken cancellationToken) =>
        Answer("bulk_enroll_in_sequence", tenant, request, new BulkEnrollInSequenceResponse());

    public ValueTask<UnenrollResponse> UnenrollFromSequenceAsync(string tenant, UnenrollFromSequenceRequest request, CancellationToken cancellationToken) =>
        Answer("unenroll_from_sequence", tenant, request, new UnenrollResponse { Unenrolled = true });

    public ValueTask<LiftPauseResponse> LiftPauseAsync(string tenant, LiftPauseRequest request, CancellationToken cancellationToken) =>
        Answer("lift_pause", tenant, request, new LiftPauseResponse { Lifted = true });

    public ValueTask<EditScheduledEmailResponse> EditScheduledEmailAsync(string tenant, EditScheduledEmailRequest request, CancellationToken cancellationToken) =>
        Answer("edit_email", tenant, request, new EditScheduledEmailResponse { Edited = true });

    public ValueTask<SequenceStatus> GetSequenceStatusAsync(string tenant, GetSequenceStatusRequest request, CancellationToken cancellationToken) =>
        Answer("sequence_status", tenant, request, new SequenceStatus { SequenceId = request.SequenceId });

    public ValueTask<SequenceStats> GetSequenceStatsAsync(string tenant, GetSequenceStatsRequest request, CancellationToken cancellationToken) =>
        Answer("sequence_stats", tenant, request, new SequenceStats { SequenceId = request.SequenceId });

    public ValueTask<Inbox> SaveInboxAsync(string tenant, SaveInboxRequest request, CancellationToken cancellationToken) => Answer("save_inbox", tenant, request, request.Inbox);

    public ValueTask<Inbox> GetInboxAsync(string tenant, GetInboxRequest request, CancellationToken cancellationToken) =>
        Answer("get_inbox", tenant, request, new Inbox { User = request.User });

    public ValueTask<ListInboxesResponse> ListInboxesAsync(string tenant, ListInboxesRequest request, CancellationToken cancellationToken) =>
        Answer("list_inboxes", tenant, request, new ListInboxesResponse());

    public ValueTask<DeleteInboxResponse> DeleteInboxAsync(string tenant, DeleteInboxRequest request, CancellationToken cancellationToken) =>
        Answer("delete_inbox", tenant, request, new DeleteInboxResponse());
}
