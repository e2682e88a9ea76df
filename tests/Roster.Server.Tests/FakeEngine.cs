using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Roster.Engine;
using Roster.Engine.Access;
using Roster.Engine.Rates;
using Roster.V1;
using Record = Roster.V1.Record;

namespace Roster.Server.Tests;

/// <summary>
/// An engine that a test holds in its hand: it remembers what it was asked, answers at once unless told to hold, and fails on request.
/// It has no rules of its own.
/// </summary>
public sealed partial class FakeEngine : IRosterEngine, IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<WorkTask> _tasks = new();
    private readonly List<HeldBatch> _held = [];
    private readonly HashSet<(string, string)> _seen = [];
    private TaskCompletionSource _batchArrived = NewSource();
    private TaskCompletionSource _tasksArrived = NewSource();
    private TaskCompletionSource _released = NewSource();

    public FakeEngine(TimeProvider? realTime = null) => Rates = new TenantRates(tenant => Settings.GetValueOrDefault(tenant), realTime ?? TimeProvider.System);

    public TimeProvider Clock => TimeProvider.System;

    public Task Failed => _failed.Task;

    public CredentialDirectory Credentials { get; set; } = new([], _ => { }, _ => 1, TimeProvider.System);

    public ConcurrentDictionary<string, Roster.Core.Schema.TenantSettings> Settings { get; } = new();

    public TenantRates Rates { get; }

    public Roster.Core.Schema.TenantSchema? Schema { get; set; }

    public Roster.Core.Schema.TenantSchema? SchemaOf(string tenant) => Schema;

    public bool IsFull { get; set; }

    public Task Taking { get; set; } = Task.CompletedTask;

    public Task WhenTakingAsync(CancellationToken cancellationToken) => Taking.WaitAsync(cancellationToken);

    public ConcurrentQueue<(string Tenant, Event Event)> Ingested { get; } = new();

    public ConcurrentQueue<TaskCompletion> Completions { get; } = new();

    public ConcurrentQueue<string> Released { get; } = new();

    public ConcurrentQueue<IReadOnlyList<string>> Heartbeats { get; } = new();

    public ConcurrentQueue<AdvanceClockRequest> Advances { get; } = new();

    /// <summary>Everything in the order in which it came: <c>advance TIME</c> and event ids.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    /// <summary>Batches wait until <see cref="ReleaseAsync"/>.</summary>
    public bool IsHolding { get; set; }

    /// <summary>Judges events: null is APPLIED.</summary>
    public Func<Event, EventResult?> Judge { get; set; } = _ => null;

    /// <summary>Thrown by the next call of <see cref="IngestAsync"/>, as often as there are some.</summary>
    public ConcurrentQueue<Exception> IngestErrors { get; } = new();

    /// <summary>Thrown by the next completions of tasks, one each.</summary>
    public ConcurrentQueue<Exception> CompletionErrors { get; } = new();

    /// <summary>Thrown by every other call, when set.</summary>
    public Exception? Error { get; set; }

    public bool IsManualClock { get; set; }

    public DateTimeOffset Now { get; set; } = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public bool IsDisposed { get; private set; }

    public Tenant TenantState { get; } = new() { Id = "default", Settings = new TenantSettings() };

    public ConcurrentDictionary<string, Workflow> WorkflowState { get; } = new();

    public ConcurrentDictionary<string, List> ListState { get; } = new();

    /// <summary>Writes to definitions and requests by hand, in the order in which they came: a word and the request.</summary>
    public ConcurrentQueue<(string Word, string Tenant, IMessage Request)> Calls { get; } = new();

    /// <summary>Operations that are asked about, by id; one that is not here succeeds at once.</summary>
    public ConcurrentDictionary<string, ConcurrentQueue<Operation>> OperationState { get; } = new();

    /// <summary>Problems that publishing a workflow finds as long as another is not saved: the other, by the one.</summary>
    public Dictionary<string, string> Needs { get; } = [];

    /// <summary>Records, by id; any other but <c>nobody</c> exists and has nothing.</summary>
    public ConcurrentDictionary<string, Record> RecordState { get; } = new();

    /// <summary>Found by a check of a definition.</summary>
    public List<DefinitionProblem> Problems { get; } = [];

    public WorkflowStats Stats { get; set; } = new();

    public EventResult CommandResult { get; set; } = new() { Code = EventResult.Types.Code.Applied };

    public void Fail(Exception reason) => _failed.SetException(reason);

    public void AddTask(WorkTask task)
    {
        _tasks.Enqueue(task);
        Interlocked.Exchange(ref _tasksArrived, NewSource()).SetResult();
    }

    /// <summary>Waits until so many batches are held.</summary>
    public async Task WaitForHeldAsync(int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task arrived;
            lock (_lock)
            {
                if (_held.Count >= count)
                {
                    return;
                }

                arrived = _batchArrived.Task;
            }

            await arrived.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Waits until leases have been given back.</summary>
    public Task WaitForReleaseAsync(CancellationToken cancellationToken) => _released.Task.WaitAsync(cancellationToken);

    public int HeldCount
    {
        get
        {
            lock (_lock)
            {
                return _held.Count;
            }
        }
    }

    /// <summary>Makes one of the held batches durable: by default the oldest.</summary>
    public void Release(int index = 0)
    {
        HeldBatch batch;
        lock (_lock)
        {
            batch = _held[index];
            _held.RemoveAt(index);
        }

        batch.Done.SetResult(Apply(batch.Tenant, batch.Events));
    }

    /// <summary>Loses the oldest of the held batches, as an engine that stops does.</summary>
    public void Fault()
    {
        HeldBatch batch;
        lock (_lock)
        {
            batch = _held[0];
            _held.RemoveAt(0);
        }

        batch.Done.SetException(new RosterException(RosterError.Unavailable, "The engine is stopping."));
    }

    public ValueTask<IReadOnlyList<IndexedResult>> IngestAsync(string tenant, IReadOnlyList<Event> events, CancellationToken cancellationToken)
    {
        if (IngestErrors.TryDequeue(out var error))
        {
            throw error;
        }

        if (!IsHolding)
        {
            return ValueTask.FromResult(Apply(tenant, events));
        }

        var held = new HeldBatch(tenant, [.. events], new TaskCompletionSource<IReadOnlyList<IndexedResult>>(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_lock)
        {
            _held.Add(held);
            _batchArrived.SetResult();
            _batchArrived = NewSource();
        }

        return new ValueTask<IReadOnlyList<IndexedResult>>(held.Done.Task);
    }

    public ValueTask<EnrollResponse> EnrollAsync(string tenant, EnrollRequest request, CancellationToken cancellationToken) =>
        Answer(new EnrollResponse { Decision = Decision.Types.Code.Enrolled, EnrollmentNumber = 1, Result = new EventResult { Code = EventResult.Types.Code.Applied } });

    public ValueTask<UnenrollResponse> UnenrollAsync(string tenant, UnenrollRequest request, CancellationToken cancellationToken) =>
        Answer(new UnenrollResponse { Unenrolled = true, Result = new EventResult { Code = EventResult.Types.Code.Applied } });

    public ValueTask<ChangeMembershipResponse> ChangeMembershipAsync(
        string tenant, ChangeMembershipRequest request, bool adds, CancellationToken cancellationToken) =>
        Answer(adds ? "add" : "remove", tenant, request, new ChangeMembershipResponse { Result = CommandResult });

    public ValueTask<DeleteRecordResponse> DeleteRecordAsync(string tenant, DeleteRecordRequest request, CancellationToken cancellationToken) =>
        Answer("delete", tenant, request, new DeleteRecordResponse { Result = CommandResult });

    public ValueTask<RestoreRecordResponse> RestoreRecordAsync(string tenant, RestoreRecordRequest request, CancellationToken cancellationToken) =>
        Answer("restore", tenant, request, new RestoreRecordResponse { Result = CommandResult });

    public ValueTask<MergeRecordsResponse> MergeRecordsAsync(string tenant, MergeRecordsRequest request, CancellationToken cancellationToken) =>
        Answer("merge", tenant, request, new MergeRecordsResponse { Result = CommandResult });

    public ValueTask<EraseRecordResponse> EraseRecordAsync(string tenant, EraseRecordRequest request, CancellationToken cancellationToken) =>
        Answer("erase", tenant, request, new EraseRecordResponse { Result = CommandResult, OperationId = "erase-7" });

    public ValueTask<ListAssociationsResponse> ListAssociationsAsync(string tenant, ListAssociationsRequest request, CancellationToken cancellationToken) =>
        Answer("associations", tenant, request, new ListAssociationsResponse());

    public ValueTask<Explanation> ExplainAsync(string tenant, ExplainRequest request, CancellationToken cancellationToken) =>
        Answer("explain", tenant, request, new Explanation { Ref = request.Ref, WorkflowId = request.WorkflowId, Summary = "Because." });

    public ValueTask<GetEnrollmentHistoryResponse> GetEnrollmentHistoryAsync(
        string tenant, GetEnrollmentHistoryRequest request, CancellationToken cancellationToken) =>
        Answer("history", tenant, request, new GetEnrollmentHistoryResponse { Entries = { new EnrollmentHistoryEntry { WorkflowId = request.WorkflowId, Ref = request.Ref } } });

    public ValueTask<Record?> GetRecordAsync(string tenant, RecordRef reference, CancellationToken cancellationToken) =>
        Answer(reference.RecordId == "nobody" ? null : RecordState.GetValueOrDefault(reference.RecordId) ?? new Record { Ref = reference });

    public ValueTask<GetTimelineResponse> GetTimelineAsync(string tenant, GetTimelineRequest request, CancellationToken cancellationToken) =>
        Answer(new GetTimelineResponse());

    public async IAsyncEnumerable<ReadJournalResponse> ReadJournalAsync(
        string tenant, ReadJournalRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new ReadJournalResponse { Position = 1, Entries = { new JournalEntry { Position = 1, Kind = JournalEntry.Types.Kind.RecordCreated } } };
        if (request.Follow)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
    }

    public ValueTask<Workflow> SaveWorkflowAsync(string tenant, SaveWorkflowRequest request, CancellationToken cancellationToken)
    {
        var saved = request.Workflow.Clone();
        saved.Revision++;
        return Answer("save", tenant, request, WorkflowState[saved.Id] = saved);
    }

    public ValueTask<Workflow> CreateFromTemplateAsync(string tenant, CreateFromTemplateRequest request, CancellationToken cancellationToken) =>
        Answer("template", tenant, request, new Workflow { Id = request.WorkflowId });

    public ValueTask<Workflow> GetWorkflowAsync(string tenant, GetWorkflowRequest request, CancellationToken cancellationToken) =>
        WorkflowState.TryGetValue(request.WorkflowId, out var workflow)
            ? Answer(workflow)
            : ValueTask.FromException<Workflow>(new RosterException(RosterError.NotFound, $"There is no workflow `{request.WorkflowId}`."));

    public ValueTask<ListWorkflowsResponse> ListWorkflowsAsync(string tenant, ListWorkflowsRequest request, CancellationToken cancellationToken) =>
        Answer(new ListWorkflowsResponse { Workflows = { WorkflowState.Values } });

    public ValueTask<ValidateWorkflowResponse> ValidateWorkflowAsync(string tenant, ValidateWorkflowRequest request, CancellationToken cancellationToken) =>
        Answer(new ValidateWorkflowResponse { Problems = { Problems } });

    public ValueTask<PublishWorkflowResponse> PublishWorkflowAsync(string tenant, PublishWorkflowRequest request, CancellationToken cancellationToken)
    {
        if (Needs.TryGetValue(request.WorkflowId, out var needed) && !WorkflowState.ContainsKey(needed))
        {
            var problem = new DefinitionProblem { Path = "steps[0]", Code = "UNKNOWN_WORKFLOW", Value = needed, Message = $"There is no workflow `{needed}`." };
            throw new RosterException(RosterError.FailedPrecondition, "No.", problems: [problem]);
        }

        var workflow = WorkflowState[request.WorkflowId];
        workflow.Version++;
        return Answer("publish", tenant, request, new PublishWorkflowResponse { Workflow = workflow });
    }

    public ValueTask<Workflow> SetWorkflowStateAsync(string tenant, SetWorkflowStateRequest request, CancellationToken cancellationToken)
    {
        var workflow = WorkflowState[request.WorkflowId];
        workflow.State = request.State;
        return Answer("state", tenant, request, workflow);
    }

    public ValueTask<Operation> DeleteWorkflowAsync(string tenant, DeleteWorkflowRequest request, CancellationToken cancellationToken) =>
        Answer("delete", tenant, request, NewOperation("delete_workflow", request.WorkflowId));

    public ValueTask<Operation> MoveEnrollmentsAsync(string tenant, MoveEnrollmentsRequest request, CancellationToken cancellationToken) =>
        Answer("move", tenant, request, NewOperation("refresh", request.WorkflowId));

    public ValueTask<PreviewEnrollmentResponse> PreviewEnrollmentAsync(string tenant, PreviewEnrollmentRequest request, CancellationToken cancellationToken) =>
        Answer("preview", tenant, request, new PreviewEnrollmentResponse { Records = 10, Matching = 4, EnrolledBefore = 1 });

    public ValueTask<TestWorkflowResponse> TestWorkflowAsync(string tenant, TestWorkflowRequest request, CancellationToken cancellationToken) =>
        Answer("test", tenant, request, new TestWorkflowResponse { Decision = Decision.Types.Code.Enrolled });

    public ValueTask<SaveListResponse> SaveListAsync(string tenant, SaveListRequest request, CancellationToken cancellationToken)
    {
        var saved = request.List.Clone();
        saved.Revision++;
        ListState[saved.Id] = saved;
        return Answer("list", tenant, request, new SaveListResponse { List = saved });
    }

    public ValueTask<List> GetListAsync(string tenant, GetListRequest request, CancellationToken cancellationToken) =>
        ListState.TryGetValue(request.ListId, out var list)
            ? Answer(list)
            : ValueTask.FromException<List>(new RosterException(RosterError.NotFound, $"There is no list `{request.ListId}`."));

    public ValueTask<ListListsResponse> ListListsAsync(string tenant, ListListsRequest request, CancellationToken cancellationToken) =>
        Answer(new ListListsResponse { Lists = { ListState.Values } });

    public ValueTask<DeleteListResponse> DeleteListAsync(string tenant, DeleteListRequest request, CancellationToken cancellationToken) =>
        Answer("delete", tenant, request, new DeleteListResponse { Operation = new Operation { Id = "1", Kind = "delete_list", ListId = request.ListId, State = Operation.Types.State.Running } });

    /// <summary>Two pages of one member each.</summary>
    public ValueTask<ListMembersResponse> ListMembersAsync(string tenant, ListMembersRequest request, CancellationToken cancellationToken) =>
        Answer(request.PageToken.Length == 0
            ? new ListMembersResponse { Members = { new RecordRef { ObjectType = "contact", RecordId = "ada" } }, NextPageToken = "2" }
            : new ListMembersResponse { Members = { new RecordRef { ObjectType = "contact", RecordId = "bob" } } });

    public ValueTask<WorkflowStats> GetWorkflowStatsAsync(string tenant, GetWorkflowStatsRequest request, CancellationToken cancellationToken)
    {
        var stats = Stats.Clone();
        stats.WorkflowId = request.WorkflowId;
        return Answer("stats", tenant, request, stats);
    }

    public ValueTask<Tenant> GetTenantAsync(string tenant, CancellationToken cancellationToken)
    {
        var state = TenantState.Clone();
        state.Id = tenant;
        return Answer(state);
    }

    public ValueTask<Tenant> UpdateSettingsAsync(string tenant, UpdateSettingsRequest request, CancellationToken cancellationToken)
    {
        TenantState.Settings.MergeFrom(request.Settings);
        return Answer(TenantState);
    }

    public ValueTask<ObjectType> DeclareObjectTypeAsync(string tenant, DeclareObjectTypeRequest request, CancellationToken cancellationToken) =>
        Answer(new ObjectType { Name = request.ObjectType });

    public ValueTask<ObjectType> DeclarePropertiesAsync(string tenant, DeclarePropertiesRequest request, CancellationToken cancellationToken) =>
        Answer(new ObjectType { Name = request.ObjectType, Properties = { request.Properties } });

    public ValueTask<IReadOnlyList<WorkTask>> LeaseTasksAsync(
        string tenant, string queue, int tasksMax, TimeSpan leaseFor, string owner, CancellationToken cancellationToken)
    {
        var leased = new List<WorkTask>();
        while (leased.Count < tasksMax && _tasks.TryDequeue(out var task))
        {
            leased.Add(task);
        }

        return Answer<IReadOnlyList<WorkTask>>(leased);
    }

    public async ValueTask WaitForTasksAsync(string tenant, string queue, CancellationToken cancellationToken)
    {
        var arrived = Volatile.Read(ref _tasksArrived).Task;
        if (_tasks.IsEmpty)
        {
            await arrived.WaitAsync(cancellationToken);
        }
    }

    public ValueTask<bool> CompleteTaskAsync(string tenant, TaskCompletion completion, CancellationToken cancellationToken)
    {
        if (CompletionErrors.TryDequeue(out var error))
        {
            throw error;
        }

        Completions.Enqueue(completion);
        return Answer(completion.Key != "unknown");
    }

    public ValueTask KeepLeasesAsync(string tenant, string queue, string owner, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        Heartbeats.Enqueue([.. keys]);
        return default;
    }

    public void ReleaseLeases(string tenant, string queue, string owner)
    {
        Released.Enqueue(queue);
        _released.TrySetResult();
    }

    public ValueTask<Queue> GetQueueAsync(string tenant, GetQueueRequest request, CancellationToken cancellationToken) =>
        Answer(new Queue { Queue_ = request.Queue, Waiting = _tasks.Count });

    public ValueTask<Queue> SetQueueLimitsAsync(string tenant, SetQueueLimitsRequest request, CancellationToken cancellationToken) =>
        Answer(new Queue { Queue_ = request.Queue, LeasedMax = request.LeasedMax, PerS = request.PerS });

    public ValueTask<ListDeadLettersResponse> ListDeadLettersAsync(string tenant, ListDeadLettersRequest request, CancellationToken cancellationToken) =>
        Answer(new ListDeadLettersResponse
        {
            DeadLetters = { new DeadLetter { Key = "acme/1/1/hook/1", Queue = "!webhook/crm", Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, WorkflowId = "w", StepId = "hook", Code = "EXHAUSTED", Attempts = 12 } },
        });

    public ValueTask<DeadLetter> GetDeadLetterAsync(string tenant, GetDeadLetterRequest request, CancellationToken cancellationToken) =>
        Answer(new DeadLetter { Key = request.Key });

    public ValueTask<ResendDeadLettersResponse> ResendDeadLettersAsync(string tenant, ResendDeadLettersRequest request, CancellationToken cancellationToken) =>
        Answer(new ResendDeadLettersResponse { Resending = { request.Keys } });

    public ValueTask<DiscardDeadLettersResponse> DiscardDeadLettersAsync(string tenant, DiscardDeadLettersRequest request, CancellationToken cancellationToken) =>
        Answer(new DiscardDeadLettersResponse { Discarded = request.Keys.Count });

    public ValueTask<SaveWebhookEndpointResponse> SaveWebhookEndpointAsync(string tenant, SaveWebhookEndpointRequest request, CancellationToken cancellationToken) =>
        Answer(new SaveWebhookEndpointResponse { Endpoint = request.Endpoint });

    public ValueTask<ListWebhookEndpointsResponse> ListWebhookEndpointsAsync(string tenant, CancellationToken cancellationToken) =>
        Answer(new ListWebhookEndpointsResponse { Endpoints = { new WebhookEndpoint { Id = "crm", Url = "https://crm.example.org/", ConcurrencyMax = 8, Secrets = 1, BreakerOpen = true } } });

    public ValueTask<RotateWebhookSecretResponse> RotateWebhookSecretAsync(string tenant, RotateWebhookSecretRequest request, CancellationToken cancellationToken) =>
        Answer(new RotateWebhookSecretResponse { Secret = request.DropFormer ? "" : "c2VjcmV0" });

    public ValueTask<DeleteWebhookEndpointResponse> DeleteWebhookEndpointAsync(string tenant, DeleteWebhookEndpointRequest request, CancellationToken cancellationToken) =>
        Answer(new DeleteWebhookEndpointResponse());

    public ValueTask<Operation> BulkEnrollAsync(string tenant, BulkEnrollRequest request, CancellationToken cancellationToken) =>
        Answer("bulk_enroll", tenant, request, NewOperation("bulk_enroll", request.WorkflowId));

    public ValueTask<Operation> BulkUnenrollAsync(string tenant, BulkUnenrollRequest request, CancellationToken cancellationToken) =>
        Answer("bulk_unenroll", tenant, request, NewOperation("bulk_unenroll", request.WorkflowId));

    public ValueTask<Operation> GetOperationAsync(string tenant, GetOperationRequest request, CancellationToken cancellationToken) =>
        Answer(OperationState.TryGetValue(request.OperationId, out var states) && states.TryDequeue(out var next)
            ? next
            : new Operation { Id = request.OperationId, State = Operation.Types.State.Succeeded, Done = 3, Total = 3, Counts = { new OperationCount { Name = "ENROLLED", Count = 3 } } });

    public ValueTask<Operation> WaitOperationAsync(string tenant, string operationId, CancellationToken enough) =>
        GetOperationAsync(tenant, new GetOperationRequest { OperationId = operationId }, enough);

    public ValueTask<MapWorkflowIdsResponse> MapWorkflowIdsAsync(string tenant, MapWorkflowIdsRequest request, CancellationToken cancellationToken) =>
        Answer("map", tenant, request, new MapWorkflowIdsResponse());

    public ValueTask<ListOperationsResponse> ListOperationsAsync(string tenant, ListOperationsRequest request, CancellationToken cancellationToken) =>
        Answer("operations", tenant, request, new ListOperationsResponse { Operations = { NewOperation("refresh", request.WorkflowId) } });

    public ValueTask<Operation> CancelOperationAsync(string tenant, CancelOperationRequest request, CancellationToken cancellationToken) =>
        Answer("cancel", tenant, request, new Operation { Id = request.OperationId, State = Operation.Types.State.Cancelled });

    public ValueTask<Operation> ResumeOperationAsync(string tenant, ResumeOperationRequest request, CancellationToken cancellationToken) =>
        Answer("resume", tenant, request, new Operation { Id = request.OperationId, State = Operation.Types.State.Running });

    public ValueTask<V1.Status> GetStatusAsync(CancellationToken cancellationToken) =>
        Answer(new V1.Status { Host = "embedded", Store = "fake", ManualClock = IsManualClock, Now = Timestamp.FromDateTimeOffset(Now) });

    public ValueTask<GetMeasuresResponse> GetMeasuresAsync(GetMeasuresRequest request, CancellationToken cancellationToken) =>
        Answer(request.PageToken.Length > 0
            ? new GetMeasuresResponse { Tenants = { new TenantMeasures { Tenant = "beta" } } }
            : new GetMeasuresResponse
            {
                NextPageToken = "acme",
                Tenants =
                {
                    new TenantMeasures
                    {
                        Tenant = "acme",
                        Events = new EventCounts { LateWrites = 5, Duplicate = 6 },
                        LoopGuards = 7,
                        TurnTime = Durations(4, TimeSpan.FromMicroseconds(3.5), TimeSpan.FromMilliseconds(1.5)),
                        TimerLateness = Durations(2, TimeSpan.FromSeconds(90), TimeSpan.FromHours(3)),
                        QueueAge = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(20)),
                        OutboxAge = Duration.FromTimeSpan(TimeSpan.FromDays(3)),
                    },
                },
            });

    private static DurationSummary Durations(long count, TimeSpan median, TimeSpan percentile) =>
        new() { Count = count, Median = Duration.FromTimeSpan(median), Percentile99 = Duration.FromTimeSpan(percentile), Max = Duration.FromTimeSpan(percentile) };

    public ValueTask<AdvanceClockResponse> AdvanceClockAsync(AdvanceClockRequest request, CancellationToken cancellationToken)
    {
        Advances.Enqueue(request);
        Now = request.To.ToDateTimeOffset();
        Log.Enqueue($"advance {Now:yyyy-MM-ddTHH:mm:ssZ}");
        return Answer(new AdvanceClockResponse { Now = request.To });
    }

    public ValueTask<CheckpointResponse> CheckpointAsync(CancellationToken cancellationToken) => Answer(new CheckpointResponse());

    public ValueTask<BackupResponse> BackupAsync(BackupRequest request, CancellationToken cancellationToken) =>
        Answer(new BackupResponse { Folder = request.Folder, Position = 7, Records = 3, Bytes = 4096 });

    public ValueTask<VerifyResponse> VerifyAsync(CancellationToken cancellationToken) => Answer(new VerifyResponse());

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return default;
    }

    private IReadOnlyList<IndexedResult> Apply(string tenant, IReadOnlyList<Event> events)
    {
        var results = new List<IndexedResult>();
        for (var i = 0; i < events.Count; i++)
        {
            var result = Judge(events[i]);
            lock (_lock)
            {
                if (result is null && !_seen.Add((events[i].RecordId, events[i].EventId)))
                {
                    result = new EventResult { Code = EventResult.Types.Code.Duplicate };
                }
            }

            if (result is not null)
            {
                results.Add(new IndexedResult { Index = i, Result = result });
            }
            else
            {
                Ingested.Enqueue((tenant, events[i]));
                Log.Enqueue(events[i].EventId);
            }
        }

        return results;
    }

    private static Operation NewOperation(string kind, string workflow) =>
        new() { Id = "1", Kind = kind, WorkflowId = workflow, State = Operation.Types.State.Running };

    private ValueTask<T> Answer<T>(string word, string tenant, IMessage request, T answer)
    {
        Calls.Enqueue((word, tenant, request));
        return Answer(answer);
    }

    private ValueTask<T> Answer<T>(T answer) => Error is null ? ValueTask.FromResult(answer) : ValueTask.FromException<T>(Error);

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record HeldBatch(string Tenant, IReadOnlyList<Event> Events, TaskCompletionSource<IReadOnlyList<IndexedResult>> Done);
}
