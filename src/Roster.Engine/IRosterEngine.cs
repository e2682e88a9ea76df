using Roster.Core.Schema;
using Roster.Engine.Access;
using Roster.Engine.Rates;
using Roster.V1;

namespace Roster.Engine;

/// <summary>
/// Everything a front door can ask of a host, embedded or cluster, in terms of the public contract. Services are thin shells over
/// this: they add transport, authentication and nothing else.
/// </summary>
/// <remarks>
/// <para>Every write returns after its commit is durable. Cancelling a call stops the waiting, not the work: what was handed in may
/// still be applied, so a caller who cares sends the same id again.</para>
/// <para>Throws <see cref="RosterException"/> for a typed "no" to the whole request. Thread-safe.</para>
/// <para><c>tenant</c> is the name of the tenant, from the credential; an unknown one is made on first use.</para>
/// </remarks>
public interface IRosterEngine : ISequenceEngine
{
    /// <summary>The engine's clock: real, or moved by <see cref="AdvanceClockAsync"/>.</summary>
    TimeProvider Clock { get; }

    /// <summary>Completes when the engine has failed and must not be used any more: the process stops and recovers at restart.</summary>
    Task Failed { get; }

    /// <summary>Who may call. It answers from memory; what it changes is durable when it returns.</summary>
    CredentialDirectory Credentials { get; }

    /// <summary>How fast tenants may go (LIM-02). Whoever hands in events asks it first; jobs of the engine do so by themselves.</summary>
    TenantRates Rates { get; }

    /// <summary>The schema of a tenant as it is now, from memory; null for a tenant that there is not yet.</summary>
    TenantSchema? SchemaOf(string tenant);

    /// <summary>
    /// Whether as many events are in flight as may be, so that <see cref="IngestAsync"/> would refuse. Costs nothing to ask; may change at any time.
    /// </summary>
    bool IsFull { get; }

    /// <summary>
    /// Completes when the engine wants more events: few enough that it was given are still undecided. A stream that reads on before has them
    /// wait in memory; nothing refuses them.
    /// </summary>
    Task WhenTakingAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Applies a batch of events; the order of events of one record is kept. Returns, when all of them are durable, the results that
    /// are not APPLIED, by index. Events of one tenant handed in by two calls in a row are applied in the order of the calls, also
    /// when the first has not returned.
    /// </summary>
    /// <exception cref="RosterException">
    /// <see cref="RosterError.Overloaded"/> when memory bounds are reached; no event was taken. This is thrown before the call returns, so
    /// that a caller can wait and hand the same batch in again without another overtaking it.
    /// </exception>
    ValueTask<IReadOnlyList<IndexedResult>> IngestAsync(string tenant, IReadOnlyList<Event> events, CancellationToken cancellationToken);

    /// <summary>Considers a record for a workflow (TRG-10).</summary>
    ValueTask<EnrollResponse> EnrollAsync(string tenant, EnrollRequest request, CancellationToken cancellationToken);

    /// <summary>Takes a record out of a workflow (UNE-03).</summary>
    ValueTask<UnenrollResponse> UnenrollAsync(string tenant, UnenrollRequest request, CancellationToken cancellationToken);

    /// <summary>Adds a record to a static list, or takes it off (LST-01, LST-03).</summary>
    ValueTask<ChangeMembershipResponse> ChangeMembershipAsync(string tenant, ChangeMembershipRequest request, bool adds, CancellationToken cancellationToken);

    /// <summary>Deletes a record (REC-16).</summary>
    ValueTask<DeleteRecordResponse> DeleteRecordAsync(string tenant, DeleteRecordRequest request, CancellationToken cancellationToken);

    /// <summary>Brings a deleted record back (REC-16).</summary>
    ValueTask<RestoreRecordResponse> RestoreRecordAsync(string tenant, RestoreRecordRequest request, CancellationToken cancellationToken);

    /// <summary>Merges a record into another one (REC-13).</summary>
    ValueTask<MergeRecordsResponse> MergeRecordsAsync(string tenant, MergeRecordsRequest request, CancellationToken cancellationToken);

    /// <summary>Erases a record: at once for all who ask, within the hour from what is stored (REC-17).</summary>
    ValueTask<EraseRecordResponse> EraseRecordAsync(string tenant, EraseRecordRequest request, CancellationToken cancellationToken);

    /// <summary>Reads the links of a record (ASC-07).</summary>
    ValueTask<ListAssociationsResponse> ListAssociationsAsync(string tenant, ListAssociationsRequest request, CancellationToken cancellationToken);

    /// <summary>Says whether a record would be enrolled in a workflow now, and why not (HIS-07).</summary>
    ValueTask<Explanation> ExplainAsync(string tenant, ExplainRequest request, CancellationToken cancellationToken);

    /// <summary>Enrollments and decisions of a record or workflow, newest first (HIS-01).</summary>
    ValueTask<GetEnrollmentHistoryResponse> GetEnrollmentHistoryAsync(string tenant, GetEnrollmentHistoryRequest request, CancellationToken cancellationToken);

    /// <summary>Reads a record; null when there is none.</summary>
    ValueTask<Record?> GetRecordAsync(string tenant, RecordRef reference, CancellationToken cancellationToken);

    /// <summary>Reads a page of a record's timeline, newest first.</summary>
    ValueTask<GetTimelineResponse> GetTimelineAsync(string tenant, GetTimelineRequest request, CancellationToken cancellationToken);

    /// <summary>Reads the journal of the tenant from a position on; with <c>follow</c> it never ends by itself.</summary>
    IAsyncEnumerable<ReadJournalResponse> ReadJournalAsync(string tenant, ReadJournalRequest request, CancellationToken cancellationToken);

    /// <summary>Saves a draft (EDT-02).</summary>
    ValueTask<Workflow> SaveWorkflowAsync(string tenant, SaveWorkflowRequest request, CancellationToken cancellationToken);

    /// <summary>Creates a draft from a template (TRG-02).</summary>
    ValueTask<Workflow> CreateFromTemplateAsync(string tenant, CreateFromTemplateRequest request, CancellationToken cancellationToken);

    /// <summary>Reads a workflow.</summary>
    ValueTask<Workflow> GetWorkflowAsync(string tenant, GetWorkflowRequest request, CancellationToken cancellationToken);

    /// <summary>Lists workflows.</summary>
    ValueTask<ListWorkflowsResponse> ListWorkflowsAsync(string tenant, ListWorkflowsRequest request, CancellationToken cancellationToken);

    /// <summary>Checks a definition.</summary>
    ValueTask<ValidateWorkflowResponse> ValidateWorkflowAsync(string tenant, ValidateWorkflowRequest request, CancellationToken cancellationToken);

    /// <summary>Publishes a draft. When it returns, every later turn sees the version (EDT-06).</summary>
    ValueTask<PublishWorkflowResponse> PublishWorkflowAsync(string tenant, PublishWorkflowRequest request, CancellationToken cancellationToken);

    /// <summary>Switches a workflow (EDT-01).</summary>
    ValueTask<Workflow> SetWorkflowStateAsync(string tenant, SetWorkflowStateRequest request, CancellationToken cancellationToken);

    /// <summary>Deletes a workflow; a job ends its enrollments (UNE-04).</summary>
    ValueTask<Operation> DeleteWorkflowAsync(string tenant, DeleteWorkflowRequest request, CancellationToken cancellationToken);

    /// <summary>Moves pinned enrollments to the newest version (EDT-11).</summary>
    ValueTask<Operation> MoveEnrollmentsAsync(string tenant, MoveEnrollmentsRequest request, CancellationToken cancellationToken);

    /// <summary>Counts who meets criteria, without a turn.</summary>
    ValueTask<PreviewEnrollmentResponse> PreviewEnrollmentAsync(string tenant, PreviewEnrollmentRequest request, CancellationToken cancellationToken);

    /// <summary>Saves a list; other criteria start a job (LST-05).</summary>
    ValueTask<SaveListResponse> SaveListAsync(string tenant, SaveListRequest request, CancellationToken cancellationToken);

    /// <summary>Reads a list.</summary>
    ValueTask<List> GetListAsync(string tenant, GetListRequest request, CancellationToken cancellationToken);

    /// <summary>Lists lists.</summary>
    ValueTask<ListListsResponse> ListListsAsync(string tenant, ListListsRequest request, CancellationToken cancellationToken);

    /// <summary>Deletes a list; a job takes its members off (LST-06).</summary>
    ValueTask<DeleteListResponse> DeleteListAsync(string tenant, DeleteListRequest request, CancellationToken cancellationToken);

    /// <summary>Members of a list, paged.</summary>
    ValueTask<ListMembersResponse> ListMembersAsync(string tenant, ListMembersRequest request, CancellationToken cancellationToken);

    /// <summary>Walks a record through a workflow without a trace (HIS-05, HIS-06).</summary>
    ValueTask<TestWorkflowResponse> TestWorkflowAsync(string tenant, TestWorkflowRequest request, CancellationToken cancellationToken);

    /// <summary>Counters and funnel of a workflow.</summary>
    ValueTask<WorkflowStats> GetWorkflowStatsAsync(string tenant, GetWorkflowStatsRequest request, CancellationToken cancellationToken);

    /// <summary>Reads schema and settings.</summary>
    ValueTask<Tenant> GetTenantAsync(string tenant, CancellationToken cancellationToken);

    /// <summary>Changes settings.</summary>
    ValueTask<Tenant> UpdateSettingsAsync(string tenant, UpdateSettingsRequest request, CancellationToken cancellationToken);

    /// <summary>Declares an object type.</summary>
    ValueTask<ObjectType> DeclareObjectTypeAsync(string tenant, DeclareObjectTypeRequest request, CancellationToken cancellationToken);

    /// <summary>Declares properties.</summary>
    ValueTask<ObjectType> DeclarePropertiesAsync(string tenant, DeclarePropertiesRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Leases tasks of a queue, oldest first; empty when there are none. <paramref name="owner"/> is whoever may keep the leases alive;
    /// a lease that ends without a completion is offered again with the same key (ERR-08).
    /// </summary>
    ValueTask<IReadOnlyList<WorkTask>> LeaseTasksAsync(string tenant, string queue, int tasksMax, TimeSpan leaseFor, string owner, CancellationToken cancellationToken);

    /// <summary>Waits until a queue may have a task to lease, or until cancelled.</summary>
    ValueTask WaitForTasksAsync(string tenant, string queue, CancellationToken cancellationToken);

    /// <summary>Reports what became of a task; true when it was applied and is durable, false when nothing was open under that key.</summary>
    ValueTask<bool> CompleteTaskAsync(string tenant, TaskCompletion completion, CancellationToken cancellationToken);

    /// <summary>Keeps the leases of an owner alive for as long again; all of them when <paramref name="keys"/> is empty.</summary>
    ValueTask KeepLeasesAsync(string tenant, string queue, string owner, IReadOnlyList<string> keys, CancellationToken cancellationToken);

    /// <summary>Gives the leases of an owner back at once: its stream has ended.</summary>
    void ReleaseLeases(string tenant, string queue, string owner);

    /// <summary>Counts of a queue.</summary>
    ValueTask<Queue> GetQueueAsync(string tenant, GetQueueRequest request, CancellationToken cancellationToken);

    /// <summary>Limits what is leased of a queue at once and per second.</summary>
    ValueTask<Queue> SetQueueLimitsAsync(string tenant, SetQueueLimitsRequest request, CancellationToken cancellationToken);

    /// <summary>Lists dead letters, oldest first (ERR-11).</summary>
    ValueTask<ListDeadLettersResponse> ListDeadLettersAsync(string tenant, ListDeadLettersRequest request, CancellationToken cancellationToken);

    /// <summary>Reads one dead letter with what was to be sent.</summary>
    ValueTask<DeadLetter> GetDeadLetterAsync(string tenant, GetDeadLetterRequest request, CancellationToken cancellationToken);

    /// <summary>Sends dead letters again, with the same keys; nothing of the enrollments changes (ERR-11).</summary>
    ValueTask<ResendDeadLettersResponse> ResendDeadLettersAsync(string tenant, ResendDeadLettersRequest request, CancellationToken cancellationToken);

    /// <summary>Takes dead letters off the list.</summary>
    ValueTask<DiscardDeadLettersResponse> DiscardDeadLettersAsync(string tenant, DiscardDeadLettersRequest request, CancellationToken cancellationToken);

    /// <summary>Registers or changes a webhook endpoint (ACT-60).</summary>
    ValueTask<SaveWebhookEndpointResponse> SaveWebhookEndpointAsync(string tenant, SaveWebhookEndpointRequest request, CancellationToken cancellationToken);

    /// <summary>Lists webhook endpoints.</summary>
    ValueTask<ListWebhookEndpointsResponse> ListWebhookEndpointsAsync(string tenant, CancellationToken cancellationToken);

    /// <summary>Rotates the secret of an endpoint (ERR-09).</summary>
    ValueTask<RotateWebhookSecretResponse> RotateWebhookSecretAsync(string tenant, RotateWebhookSecretRequest request, CancellationToken cancellationToken);

    /// <summary>Deletes an endpoint.</summary>
    ValueTask<DeleteWebhookEndpointResponse> DeleteWebhookEndpointAsync(string tenant, DeleteWebhookEndpointRequest request, CancellationToken cancellationToken);

    /// <summary>Starts a bulk enrollment (TRG-12).</summary>
    ValueTask<Operation> BulkEnrollAsync(string tenant, BulkEnrollRequest request, CancellationToken cancellationToken);

    /// <summary>Starts a bulk unenrollment (UNE-03).</summary>
    ValueTask<Operation> BulkUnenrollAsync(string tenant, BulkUnenrollRequest request, CancellationToken cancellationToken);

    /// <summary>Reads an operation.</summary>
    ValueTask<Operation> GetOperationAsync(string tenant, GetOperationRequest request, CancellationToken cancellationToken);

    /// <summary>Lists operations, newest first.</summary>
    ValueTask<ListOperationsResponse> ListOperationsAsync(string tenant, ListOperationsRequest request, CancellationToken cancellationToken);

    /// <summary>Reads an operation when it has ended, or as it is when <paramref name="enough"/> is cancelled, which is no failure.</summary>
    ValueTask<Operation> WaitOperationAsync(string tenant, string operationId, CancellationToken enough);

    /// <summary>Finds workflows by ids of another system (API-01).</summary>
    ValueTask<MapWorkflowIdsResponse> MapWorkflowIdsAsync(string tenant, MapWorkflowIdsRequest request, CancellationToken cancellationToken);

    /// <summary>Asks an operation to stop.</summary>
    ValueTask<Operation> CancelOperationAsync(string tenant, CancelOperationRequest request, CancellationToken cancellationToken);

    /// <summary>Has an operation that was cancelled or has failed go on.</summary>
    /// <exception cref="RosterException">
    /// There is no such operation; it has succeeded, what it was about is gone, or the records that it names are not kept any more.
    /// </exception>
    ValueTask<Operation> ResumeOperationAsync(string tenant, ResumeOperationRequest request, CancellationToken cancellationToken);

    /// <summary>What runs here.</summary>
    ValueTask<Status> GetStatusAsync(CancellationToken cancellationToken);

    /// <summary>What the engine measures of itself, per tenant (MET-17).</summary>
    /// <exception cref="RosterException">The page size is out of its range, or there is no such tenant.</exception>
    ValueTask<GetMeasuresResponse> GetMeasuresAsync(GetMeasuresRequest request, CancellationToken cancellationToken);

    /// <summary>What this process measures of itself: where several share a store, turns and timers that ran here. It asks no other process.</summary>
    /// <exception cref="RosterException">As of <see cref="GetMeasuresAsync"/>.</exception>
    ValueTask<GetMeasuresResponse> GetMeasuresHereAsync(GetMeasuresRequest request, CancellationToken cancellationToken) => GetMeasuresAsync(request, cancellationToken);

    /// <summary>Moves a manual clock and handles every timer due on the way, in order.</summary>
    ValueTask<AdvanceClockResponse> AdvanceClockAsync(AdvanceClockRequest request, CancellationToken cancellationToken);

    /// <summary>Writes a checkpoint.</summary>
    ValueTask<CheckpointResponse> CheckpointAsync(CancellationToken cancellationToken);

    /// <summary>Copies the store into an empty folder while it is in use.</summary>
    ValueTask<BackupResponse> BackupAsync(BackupRequest request, CancellationToken cancellationToken);

    /// <summary>Recounts and replays everything from the journal and compares.</summary>
    ValueTask<VerifyResponse> VerifyAsync(CancellationToken cancellationToken);
}
