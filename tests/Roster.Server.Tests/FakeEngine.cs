using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Google.Protobuf.WellKnownTypes;
using Roster.Engine;
using Roster.V1;
using Record = Roster.V1.Record;

namespace Roster.Server.Tests;

/// <summary>
/// An engine that a test holds in its hand: it remembers what it was asked, answers at once unless told to hold, and fails on request.
/// It has no rules of its own.
/// </summary>
public sealed class FakeEngine : IRosterEngine, IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<WorkTask> _tasks = new();
    private readonly List<HeldBatch> _held = [];
    private readonly HashSet<(string, string)> _seen = [];
    private TaskCompletionSource _batchArrived = NewSource();
    private TaskCompletionSource _tasksArrived = NewSource();
    private TaskCompletionSource _released = NewSource();

    public TimeProvider Clock => TimeProvider.System;

    public Task Failed => _failed.Task;

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

    /// <summary>Thrown by every other call, when set.</summary>
    public Exception? Error { get; set; }

    public bool IsManualClock { get; set; }

    public DateTimeOffset Now { get; set; } = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public bool IsDisposed { get; private set; }

    public Tenant TenantState { get; } = new() { Id = "default", Settings = new TenantSettings() };

    public ConcurrentDictionary<string, Workflow> WorkflowState { get; } = new();

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

    public ValueTask<Record?> GetRecordAsync(string tenant, RecordRef reference, CancellationToken cancellationToken) =>
        Answer(reference.RecordId == "nobody" ? null : new Record { Ref = reference });

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
        return Answer(WorkflowState[saved.Id] = saved);
    }

    public ValueTask<Workflow> GetWorkflowAsync(string tenant, GetWorkflowRequest request, CancellationToken cancellationToken) =>
        WorkflowState.TryGetValue(request.WorkflowId, out var workflow)
            ? Answer(workflow)
            : ValueTask.FromException<Workflow>(new RosterException(RosterError.NotFound, $"There is no workflow `{request.WorkflowId}`."));

    public ValueTask<ListWorkflowsResponse> ListWorkflowsAsync(string tenant, ListWorkflowsRequest request, CancellationToken cancellationToken) =>
        Answer(new ListWorkflowsResponse { Workflows = { WorkflowState.Values } });

    public ValueTask<ValidateWorkflowResponse> ValidateWorkflowAsync(string tenant, ValidateWorkflowRequest request, CancellationToken cancellationToken) =>
        Answer(new ValidateWorkflowResponse());

    public ValueTask<PublishWorkflowResponse> PublishWorkflowAsync(string tenant, PublishWorkflowRequest request, CancellationToken cancellationToken)
    {
        var workflow = WorkflowState[request.WorkflowId];
        workflow.Version++;
        return Answer(new PublishWorkflowResponse { Workflow = workflow });
    }

    public ValueTask<Workflow> SetWorkflowStateAsync(string tenant, SetWorkflowStateRequest request, CancellationToken cancellationToken)
    {
        var workflow = WorkflowState[request.WorkflowId];
        workflow.State = request.State;
        return Answer(workflow);
    }

    public ValueTask<WorkflowStats> GetWorkflowStatsAsync(string tenant, GetWorkflowStatsRequest request, CancellationToken cancellationToken) =>
        Answer(new WorkflowStats { WorkflowId = request.WorkflowId });

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

    public ValueTask<Operation> BulkEnrollAsync(string tenant, BulkEnrollRequest request, CancellationToken cancellationToken) => Answer(new Operation { Id = "1" });

    public ValueTask<Operation> GetOperationAsync(string tenant, GetOperationRequest request, CancellationToken cancellationToken) =>
        Answer(new Operation { Id = request.OperationId });

    public ValueTask<ListOperationsResponse> ListOperationsAsync(string tenant, ListOperationsRequest request, CancellationToken cancellationToken) =>
        Answer(new ListOperationsResponse());

    public ValueTask<Operation> CancelOperationAsync(string tenant, CancelOperationRequest request, CancellationToken cancellationToken) =>
        Answer(new Operation { Id = request.OperationId });

    public ValueTask<V1.Status> GetStatusAsync(CancellationToken cancellationToken) =>
        Answer(new V1.Status { Host = "embedded", Store = "fake", ManualClock = IsManualClock, Now = Timestamp.FromDateTimeOffset(Now) });

    public ValueTask<AdvanceClockResponse> AdvanceClockAsync(AdvanceClockRequest request, CancellationToken cancellationToken)
    {
        Advances.Enqueue(request);
        Now = request.To.ToDateTimeOffset();
        Log.Enqueue($"advance {Now:yyyy-MM-ddTHH:mm:ssZ}");
        return Answer(new AdvanceClockResponse { Now = request.To });
    }

    public ValueTask<CheckpointResponse> CheckpointAsync(CancellationToken cancellationToken) => Answer(new CheckpointResponse());

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

    private ValueTask<T> Answer<T>(T answer) => Error is null ? ValueTask.FromResult(answer) : ValueTask.FromException<T>(Error);

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record HeldBatch(string Tenant, IReadOnlyList<Event> Events, TaskCompletionSource<IReadOnlyList<IndexedResult>> Done);
}
