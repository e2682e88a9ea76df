using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Options;
using Roster.Cluster.Calls;
using Roster.Cluster.Contracts;
using Roster.Core.Schema;
using Roster.Engine;
using Roster.Engine.Access;
using Roster.Engine.Rates;
using Roster.V1;

namespace Roster.Cluster;

/// <summary>
/// The engine as a front door of the cluster sees it: the same interface as that of the embedded host. Events and commands go to the record's grain, changes of a
/// workflow to the workflow's, what concerns duties to the conductor; reads are answered here, from the store, by the newest definitions.
/// </summary>
public sealed partial class ClusterEngine : IRosterEngine
{
    private readonly IEngineHere _here;
    private readonly IGrainFactory _grains;
    private readonly RecordLanes _lanes;
    private readonly int _onTheWayMax;
    private readonly int _inFlightMax;
    private readonly Lock _gate = new();
    private int _onTheWay;
    private TaskCompletionSource? _room;

    /// <summary>Creates the engine of a front door, with a silo or without.</summary>
    public ClusterEngine(IEngineHere here, IGrainFactory grains, IOptions<ClusterOptions> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _here = here;
        _grains = grains;
        _lanes = new RecordLanes(grains, options.Value.EventsPerCallMax);
        _onTheWayMax = options.Value.EventsOnTheWayMax;
        _inFlightMax = options.Value.EventsInFlightMax;
    }

    /// <inheritdoc/>
    public TimeProvider Clock => Here.Clock;

    /// <inheritdoc/>
    public Task Failed => Here.Failed;

    /// <inheritdoc/>
    public bool IsFull => Volatile.Read(ref _onTheWay) >= _inFlightMax;

    /// <inheritdoc/>
    public CredentialDirectory Credentials => Here.Credentials;

    /// <inheritdoc/>
    /// <remarks>Each silo counts what comes in by its own door, and gives a tenant an equal part of its rates.</remarks>
    public TenantRates Rates => Here.Rates;

    private SiloEngine Here => _here.Engine;

    private IConductorGrain Conductor => _grains.GetGrain<IConductorGrain>(Keys.Conductor);

    /// <inheritdoc/>
    public TenantSchema? SchemaOf(string tenant) => Here.SchemaOf(tenant);

    /// <inheritdoc/>
    public Task WhenTakingAsync(CancellationToken cancellationToken)
    {
        Task room;
        lock (_gate)
        {
            if (_onTheWay < _onTheWayMax)
            {
                return Task.CompletedTask;
            }

            room = (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        return room.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<IndexedResult>> IngestAsync(string tenant, IReadOnlyList<Event> events, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (events.Count == 0)
        {
            return new ValueTask<IReadOnlyList<IndexedResult>>([]);
        }

        Take(events.Count);
        return IngestTakenAsync(tenant, events, cancellationToken);
    }

    private async ValueTask<IReadOnlyList<IndexedResult>> IngestTakenAsync(string tenant, IReadOnlyList<Event> events, CancellationToken cancellationToken)
    {
        // Released when the events are durable, also when nobody waits any more.
        var sent = SendAsync(tenant, events);
        return await sent.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<IndexedResult>> SendAsync(string tenant, IReadOnlyList<Event> events)
    {
        try
        {
            return await _lanes.SendAsync(tenant, events).ConfigureAwait(false);
        }
        finally
        {
            Release(events.Count);
        }
    }

    private void Take(int count)
    {
        lock (_gate)
        {
            if (_onTheWay + count > _inFlightMax && count <= _inFlightMax)
            {
                throw new RosterException(
                    RosterError.Overloaded, $"{_inFlightMax} events are in flight already (setting events_in_flight_max). Nothing of this batch was taken.");
            }

            _onTheWay += count;
        }
    }

    private void Release(int count)
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            _onTheWay -= count;
            if (_onTheWay < _onTheWayMax)
            {
                (room, _room) = (_room, null);
            }
        }

        room?.TrySetResult();
    }

    /// <inheritdoc/>
    public ValueTask<EnrollResponse> EnrollAsync(string tenant, EnrollRequest request, CancellationToken cancellationToken) =>
        RecordAsync(tenant, request?.Ref, "Enroll", request!, EnrollResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<UnenrollResponse> UnenrollAsync(string tenant, UnenrollRequest request, CancellationToken cancellationToken) =>
        RecordAsync(tenant, request?.Ref, "Unenroll", request!, UnenrollResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ChangeMembershipResponse> ChangeMembershipAsync(string tenant, ChangeMembershipRequest request, bool adds, CancellationToken cancellationToken) =>
        RecordAsync(tenant, request?.Ref, adds ? "AddToList" : "RemoveFromList", request!, ChangeMembershipResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeleteRecordResponse> DeleteRecordAsync(string tenant, DeleteRecordRequest request, CancellationToken cancellationToken) =>
        RecordAsync(tenant, request?.Ref, "DeleteRecord", request!, DeleteRecordResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<RestoreRecordResponse> RestoreRecordAsync(string tenant, RestoreRecordRequest request, CancellationToken cancellationToken) =>
        RecordAsync(tenant, request?.Ref, "RestoreRecord", request!, RestoreRecordResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<MergeRecordsResponse> MergeRecordsAsync(string tenant, MergeRecordsRequest request, CancellationToken cancellationToken) =>
        RecordAsync(tenant, request?.Ref, "MergeRecords", request!, MergeRecordsResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<EraseRecordResponse> EraseRecordAsync(string tenant, EraseRecordRequest request, CancellationToken cancellationToken) =>
        RecordAsync(tenant, request?.Ref, "EraseRecord", request!, EraseRecordResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Workflow> SaveWorkflowAsync(string tenant, SaveWorkflowRequest request, CancellationToken cancellationToken) =>
        WorkflowAsync(tenant, request?.Workflow?.Id, "SaveWorkflow", request!, Workflow.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Workflow> CreateFromTemplateAsync(string tenant, CreateFromTemplateRequest request, CancellationToken cancellationToken) =>
        WorkflowAsync(tenant, request?.WorkflowId, "CreateFromTemplate", request!, Workflow.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<PublishWorkflowResponse> PublishWorkflowAsync(string tenant, PublishWorkflowRequest request, CancellationToken cancellationToken) =>
        WorkflowAsync(tenant, request?.WorkflowId, "PublishWorkflow", request!, PublishWorkflowResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Workflow> SetWorkflowStateAsync(string tenant, SetWorkflowStateRequest request, CancellationToken cancellationToken) =>
        WorkflowAsync(tenant, request?.WorkflowId, "SetWorkflowState", request!, Workflow.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> DeleteWorkflowAsync(string tenant, DeleteWorkflowRequest request, CancellationToken cancellationToken) =>
        WorkflowAsync(tenant, request?.WorkflowId, "DeleteWorkflow", request!, Operation.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> MoveEnrollmentsAsync(string tenant, MoveEnrollmentsRequest request, CancellationToken cancellationToken) =>
        WorkflowAsync(tenant, request?.WorkflowId, "MoveEnrollments", request!, Operation.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<SaveListResponse> SaveListAsync(string tenant, SaveListRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "SaveList", request, SaveListResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeleteListResponse> DeleteListAsync(string tenant, DeleteListRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "DeleteList", request, DeleteListResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> BulkEnrollAsync(string tenant, BulkEnrollRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "BulkEnroll", request, Operation.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> BulkUnenrollAsync(string tenant, BulkUnenrollRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "BulkUnenroll", request, Operation.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> GetOperationAsync(string tenant, GetOperationRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "GetOperation", request, Operation.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ListOperationsResponse> ListOperationsAsync(string tenant, ListOperationsRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "ListOperations", request, ListOperationsResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> CancelOperationAsync(string tenant, CancelOperationRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "CancelOperation", request, Operation.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Operation> ResumeOperationAsync(string tenant, ResumeOperationRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "ResumeOperation", request, Operation.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Queue> GetQueueAsync(string tenant, GetQueueRequest request, CancellationToken cancellationToken) =>
        ConductAsync(tenant, "GetQueue", request, Queue.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<GetMeasuresResponse> GetMeasuresAsync(GetMeasuresRequest request, CancellationToken cancellationToken) =>
        ConductAsync(string.Empty, "GetMeasures", request, GetMeasuresResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<AdvanceClockResponse> AdvanceClockAsync(AdvanceClockRequest request, CancellationToken cancellationToken) =>
        ConductAsync(string.Empty, "AdvanceClock", request, AdvanceClockResponse.Parser, cancellationToken);

    /// <inheritdoc/>
    /// <remarks>At the silo of the record. One that failed may be offered again, which is for the one who leases.</remarks>
    public async ValueTask<bool> CompleteTaskAsync(string tenant, TaskCompletion completion, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(completion);
        if (completion.Outcome == TaskCompletion.Types.Outcome.Failed || Parts.OfTask(completion.Key) is not { } part)
        {
            return (await ConductAsync(tenant, "CompleteTask", completion, BoolValue.Parser, cancellationToken).ConfigureAwait(false)).Value;
        }

        var reply = await Replies.FromAsync(_grains.GetGrain<ITimerShardGrain>(Keys.Timers(part)).CompleteAsync(tenant, completion.ToByteArray()), cancellationToken).ConfigureAwait(false);
        return BoolValue.Parser.ParseFrom(reply.Content).Value;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<WorkTask>> LeaseTasksAsync(
        string tenant, string queue, int tasksMax, TimeSpan leaseFor, string owner, CancellationToken cancellationToken)
    {
        var lease = new LeaseMessage { Tenant = tenant, Queue = queue, Owner = owner, TasksMax = tasksMax, LeaseForMs = (long)leaseFor.TotalMilliseconds };
        var reply = await Replies.FromAsync(Conductor.LeaseAsync(lease), cancellationToken).ConfigureAwait(false);
        return [.. reply.Parts!.Select(WorkTask.Parser.ParseFrom)];
    }

    /// <inheritdoc/>
    public async ValueTask WaitForTasksAsync(string tenant, string queue, CancellationToken cancellationToken)
    {
        try
        {
            await Conductor.WaitForTasksAsync(tenant, queue).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (Replies.IsUnreachable(failure) && !cancellationToken.IsCancellationRequested)
        {
            throw Replies.Unreachable(failure);
        }
    }

    /// <inheritdoc/>
    public async ValueTask KeepLeasesAsync(string tenant, string queue, string owner, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        var lease = new LeaseMessage { Tenant = tenant, Queue = queue, Owner = owner, Keys = [.. keys] };
        await Replies.FromAsync(Conductor.KeepAsync(lease), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void ReleaseLeases(string tenant, string queue, string owner) =>
        _ = Conductor.ReleaseAsync(new LeaseMessage { Tenant = tenant, Queue = queue, Owner = owner });

    private async ValueTask<TResponse> RecordAsync<TResponse>(
        string tenant, RecordRef? reference, string method, IMessage request, MessageParser<TResponse> parser, CancellationToken cancellationToken)
        where TResponse : class, IMessage<TResponse>
    {
        ArgumentNullException.ThrowIfNull(request);
        var grain = _grains.GetGrain<IRecordGrain>(Keys.Record(tenant, reference ?? new RecordRef()));
        var reply = await Replies.FromAsync(grain.CallAsync(method, request.ToByteArray()), cancellationToken).ConfigureAwait(false);
        return parser.ParseFrom(reply.Content);
    }

    private async ValueTask<TResponse> WorkflowAsync<TResponse>(
        string tenant, string? workflow, string method, IMessage request, MessageParser<TResponse> parser, CancellationToken cancellationToken)
        where TResponse : class, IMessage<TResponse>
    {
        ArgumentNullException.ThrowIfNull(request);
        var grain = _grains.GetGrain<IWorkflowGrain>(Keys.Workflow(tenant, workflow ?? string.Empty));
        var reply = await Replies.FromAsync(grain.CallAsync(method, request.ToByteArray()), cancellationToken).ConfigureAwait(false);
        return parser.ParseFrom(reply.Content);
    }

    private async ValueTask<TResponse> ConductAsync<TResponse>(
        string tenant, string method, IMessage request, MessageParser<TResponse> parser, CancellationToken cancellationToken)
        where TResponse : class, IMessage<TResponse>
    {
        ArgumentNullException.ThrowIfNull(request);
        var reply = await Replies.FromAsync(Conductor.CallAsync(tenant, method, request.ToByteArray()), cancellationToken).ConfigureAwait(false);
        return parser.ParseFrom(reply.Content);
    }
}
