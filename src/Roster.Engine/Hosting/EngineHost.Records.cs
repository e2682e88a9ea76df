using Roster.Core;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Engine.Catalog;
using Roster.Engine.Operations;
using Roster.Engine.Reading;
using Roster.Engine.Turns;
using Roster.V1;

namespace Roster.Engine.Hosting;

/// <content>Records, enrollments, journal.</content>
public abstract partial class EngineHost
{
    private const int TextMax = 100;
    private const int RequestIdMax = 128;

    /// <inheritdoc/>
    public async ValueTask<EnrollResponse> EnrollAsync(string tenant, EnrollRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var refusal = ReadCommand(owner, request.Ref, request.WorkflowId, request.RequestId, request.Caller, out var key, out var workflow);
        if (refusal is not null)
        {
            return new EnrollResponse { Result = Results.Refused(refusal) };
        }

        var result = await RunAsync(key, new CommandInput(CommandKind.Enroll, workflow, request.RequestId, request.Caller), cancellationToken).ConfigureAwait(false);
        var response = new EnrollResponse { Result = Results.ToWire(result), Decision = (V1.Decision.Types.Code)(int)result.Decision, EnrollmentNumber = result.Enrollment };
        if (result.Status == TurnStatus.Duplicate)
        {
            await AddFirstAnswerAsync(response, owner, request, cancellationToken).ConfigureAwait(false);
        }

        return response;
    }

    /// <inheritdoc/>
    public async ValueTask<UnenrollResponse> UnenrollAsync(string tenant, UnenrollRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var refusal = ReadCommand(owner, request.Ref, request.WorkflowId, request.RequestId, request.Caller, out var key, out var workflow);
        if (refusal is not null)
        {
            return new UnenrollResponse { Result = Results.Refused(refusal) };
        }

        var result = await RunAsync(key, new CommandInput(CommandKind.Unenroll, workflow, request.RequestId, request.Caller), cancellationToken).ConfigureAwait(false);
        var response = new UnenrollResponse { Result = Results.ToWire(result), Unenrolled = result.Enrollment > 0 };
        if (result.Status == TurnStatus.Duplicate)
        {
            var first = await FindFirstAnswerAsync(owner, request.Ref, request.RequestId, cancellationToken).ConfigureAwait(false);
            response.Unenrolled = first.Any(e => e.Kind == V1.JournalEntry.Types.Kind.EnrollmentEnded);
        }

        return response;
    }

    /// <inheritdoc/>
    public async ValueTask<ChangeMembershipResponse> ChangeMembershipAsync(string tenant, ChangeMembershipRequest request, bool adds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        if (EventReader.TryRead(request.Ref, owner, out var key) is { } refusal)
        {
            return new ChangeMembershipResponse { Result = Results.Refused(refusal) };
        }

        var list = owner.GetCompiledList(request.ListId);
        if (list.Criteria is not null)
        {
            throw RosterException.Invalid("list_id", request.ListId, $"List '{request.ListId}' is active: its members follow its criteria (LST-01).");
        }

        if (list.Info.ObjectType != key.ObjectType)
        {
            throw RosterException.Invalid("ref.object_type", request.Ref.ObjectType, $"List '{request.ListId}' is of another object type (LST-01).");
        }

        var kind = adds ? CommandKind.AddToList : CommandKind.RemoveFromList;
        var result = await RunCommandAsync(key, kind, list.Info.Number, request.RequestId, request.Caller, cancellationToken).ConfigureAwait(false);
        return new ChangeMembershipResponse { Result = result };
    }

    /// <inheritdoc/>
    public async ValueTask<DeleteRecordResponse> DeleteRecordAsync(string tenant, DeleteRecordRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return EventReader.TryRead(request.Ref, _tenants.Get(tenant), out var key) is { } refusal
            ? new DeleteRecordResponse { Result = Results.Refused(refusal) }
            : new DeleteRecordResponse { Result = await RunCommandAsync(key, CommandKind.Delete, 0, request.RequestId, request.Caller, cancellationToken).ConfigureAwait(false) };
    }

    /// <inheritdoc/>
    public async ValueTask<RestoreRecordResponse> RestoreRecordAsync(string tenant, RestoreRecordRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return EventReader.TryRead(request.Ref, _tenants.Get(tenant), out var key) is { } refusal
            ? new RestoreRecordResponse { Result = Results.Refused(refusal) }
            : new RestoreRecordResponse { Result = await RunCommandAsync(key, CommandKind.Restore, 0, request.RequestId, request.Caller, cancellationToken).ConfigureAwait(false) };
    }

    /// <inheritdoc/>
    public async ValueTask<MergeRecordsResponse> MergeRecordsAsync(string tenant, MergeRecordsRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var survivor = default(RecordKey);
        var refusal = EventReader.TryRead(request.Ref, owner, out var key) ?? EventReader.TryRead(request.Survivor, owner, out survivor) ?? CheckCommand(request.RequestId, request.Caller);
        if (refusal is not null)
        {
            return new MergeRecordsResponse { Result = Results.Refused(refusal) };
        }

        if (survivor.ObjectType != key.ObjectType || survivor.Id == key.Id)
        {
            throw RosterException.Invalid("survivor", request.Survivor.RecordId, "A record is merged into another one of the same type (REC-13).");
        }

        var state = await ReadStateAsync(owner, request.Survivor, cancellationToken).ConfigureAwait(false);
        if (state is not { IsLive: true })
        {
            throw new RosterException(RosterError.FailedPrecondition, $"Record `{request.Survivor.ObjectType}/{Core.Refusal.Cut(request.Survivor.RecordId)}`, which is to survive, does not exist.");
        }

        var input = new CommandInput(CommandKind.Merge, 0, request.RequestId, request.Caller) { OtherId = request.Survivor.RecordId };
        return new MergeRecordsResponse { Result = Results.ToWire(await RunAsync(key, input, cancellationToken).ConfigureAwait(false)) };
    }

    /// <inheritdoc/>
    public async ValueTask<EraseRecordResponse> EraseRecordAsync(string tenant, EraseRecordRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        if ((EventReader.TryRead(request.Ref, owner, out var key) ?? CheckCommand(request.RequestId, request.Caller)) is { } refusal)
        {
            return new EraseRecordResponse { Result = Results.Refused(refusal) };
        }

        await ControlAsync(() => _erased.Begin(Commit), cancellationToken).ConfigureAwait(false);
        var result = await RunCommandAsync(key, CommandKind.Erase, 0, request.RequestId, request.Caller, cancellationToken).ConfigureAwait(false);
        var state = await ReadStateAsync(key, cancellationToken).ConfigureAwait(false);
        return new EraseRecordResponse { Result = result, OperationId = state is { Gone: GoneKind.Erased } ? Jobs.ErasureId(state.Number) : string.Empty };
    }

    /// <inheritdoc/>
    public async ValueTask<ListAssociationsResponse> ListAssociationsAsync(string tenant, ListAssociationsRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var state = await ReadStateAsync(owner, request.Ref, cancellationToken).ConfigureAwait(false)
            ?? throw new RosterException(RosterError.NotFound, $"There is no record `{request.Ref?.ObjectType}/{request.Ref?.RecordId}`.");
        return await new AssociationReader(_store).ReadAsync(owner, state, request, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<EventResult> RunCommandAsync(
        RecordKey key, CommandKind kind, int target, string requestId, string caller, CancellationToken cancellationToken) =>
        CheckCommand(requestId, caller) is { } refusal
            ? Results.Refused(refusal)
            : Results.ToWire(await RunAsync(key, new CommandInput(kind, target, requestId, caller), cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public async ValueTask<Explanation> ExplainAsync(string tenant, ExplainRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var state = await ReadStateAsync(owner, request.Ref, cancellationToken).ConfigureAwait(false);
        return await new Explainer(_store, owner, Clock).ExplainAsync(request, state, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<GetEnrollmentHistoryResponse> GetEnrollmentHistoryAsync(string tenant, GetEnrollmentHistoryRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var state = request.Ref is null ? null : await ReadStateAsync(owner, request.Ref, cancellationToken).ConfigureAwait(false);
        return await new HistoryReader(_store, owner).ReadAsync(request, state, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<Record?> GetRecordAsync(string tenant, RecordRef reference, CancellationToken cancellationToken)
    {
        var owner = _tenants.Get(tenant);
        var state = await ReadStateAsync(owner, reference, cancellationToken).ConfigureAwait(false);
        return state is null ? null : RecordReader.Read(state, owner);
    }

    /// <inheritdoc/>
    public async ValueTask<GetTimelineResponse> GetTimelineAsync(string tenant, GetTimelineRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var state = await ReadStateAsync(owner, request.Ref, cancellationToken).ConfigureAwait(false)
            ?? throw new RosterException(RosterError.NotFound, $"There is no record {request.Ref.ObjectType}/{Core.Refusal.Cut(request.Ref.RecordId)}.");
        return await new JournalReader(_store).ReadTimelineAsync(state.Number, state.Id, request, owner, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ReadJournalResponse> ReadJournalAsync(string tenant, ReadJournalRequest request, CancellationToken cancellationToken) =>
        new JournalReader(_store).ReadAsync(request, _tenants.Get(tenant), WhenAdvanced, cancellationToken);

    private static Core.Refusal? ReadCommand(
        TenantOwner owner, RecordRef? reference, string workflowId, string requestId, string caller, out RecordKey key, out int workflow)
    {
        workflow = 0;
        var refusal = EventReader.TryRead(reference, owner, out key);
        if (refusal is not null)
        {
            return refusal;
        }

        if (CheckCommand(requestId, caller) is { } bad)
        {
            return bad;
        }

        workflow = owner.FindWorkflowNumber(workflowId);
        return workflow != 0
            ? null
            : new Core.Refusal(RefusalReason.UnknownWorkflow, "workflow_id", Core.Refusal.Cut(workflowId), $"There is no workflow '{Core.Refusal.Cut(workflowId)}'.");
    }

    private static Core.Refusal? CheckCommand(string requestId, string caller)
    {
        if (requestId.Length is 0 or > RequestIdMax)
        {
            return new Core.Refusal(
                requestId.Length == 0 ? RefusalReason.MissingField : RefusalReason.InvalidField,
                "request_id", Core.Refusal.Cut(requestId), $"request_id is required and has at most {RequestIdMax} bytes.");
        }

        return caller.Length > TextMax
            ? new Core.Refusal(RefusalReason.InvalidField, "caller", Core.Refusal.Cut(caller), $"caller has at most {TextMax} bytes.")
            : null;
    }

    private ValueTask<TurnResult> RunAsync(RecordKey key, TurnInput input, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        TakeInFlight(1);
        var hash = KeyHash.Of(key);
        return RunAsync(new TurnItem(key.Tenant, key, hash, 0, _ => input), KeyHash.VirtualShard(hash), cancellationToken);
    }

    private ValueTask<TurnResult> RunAsync(int tenant, long recordNumber, Func<RecordState, TurnInput?> input, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        TakeInFlight(1);
        return RunAsync(new TurnItem(tenant, default, default, recordNumber, input), KeyHash.VirtualShard(recordNumber), cancellationToken);
    }

    private async ValueTask<TurnResult> RunAsync(TurnItem item, int virtualShard, CancellationToken cancellationToken)
    {
        try
        {
            _shards[virtualShard % _shards.Length].Post(item);
            return await MapAsync(item.Task, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ReleaseInFlight(1);
        }
    }

    private async ValueTask<RecordState?> ReadStateAsync(TenantOwner owner, RecordRef? reference, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        var schema = owner.Catalog.Schema;
        if (reference is null || schema.FindObjectType(reference.ObjectType) is not { } type || reference.RecordId.Length is 0 or > RecordKey.IdBytesMax)
        {
            return null;
        }

        var key = new RecordKey(owner.Number, type.Number, reference.RecordId);
        if (System.Text.Encoding.UTF8.GetByteCount(key.Id) > RecordKey.IdBytesMax)
        {
            return null;
        }

        // Of an erased record nothing is told, not even that it was.
        return await ReadStateAsync(key, cancellationToken).ConfigureAwait(false) is { Gone: not GoneKind.Erased } state ? state : null;
    }

    private async ValueTask<RecordState?> ReadStateAsync(RecordKey key, CancellationToken cancellationToken)
    {
        var hash = KeyHash.Of(key);
        var read = new ReadItem(key, hash, 0);
        _shards[KeyHash.VirtualShard(hash) % _shards.Length].Post(read);
        var head = await MapAsync(read.Task, cancellationToken).ConfigureAwait(false);
        if (head is null)
        {
            return null;
        }

        var state = new RecordState();
        state.Load(head);
        return state;
    }

    /// <summary>A repeated command returns the first answer (API-03): it is in the turn that has its request id.</summary>
    private async Task AddFirstAnswerAsync(EnrollResponse response, TenantOwner owner, EnrollRequest request, CancellationToken cancellationToken)
    {
        var first = await FindFirstAnswerAsync(owner, request.Ref, request.RequestId, cancellationToken).ConfigureAwait(false);
        var answer = first.FirstOrDefault(e => e.WorkflowId == request.WorkflowId
            && e.Kind is V1.JournalEntry.Types.Kind.Enrolled or V1.JournalEntry.Types.Kind.EnrollmentRefused);
        if (answer is not null)
        {
            response.Decision = answer.Decision;
            response.EnrollmentNumber = answer.EnrollmentNumber;
        }
    }

    private async Task<IReadOnlyList<V1.JournalEntry>> FindFirstAnswerAsync(
        TenantOwner owner, RecordRef reference, string requestId, CancellationToken cancellationToken)
    {
        var state = await ReadStateAsync(owner, reference, cancellationToken).ConfigureAwait(false);
        var reader = new JournalReader(_store);
        var before = 0L;
        while (state is not null)
        {
            var turns = await _store.ReadTimelineAsync(state.Number, before, 500, cancellationToken).ConfigureAwait(false);
            if (turns.Count == 0)
            {
                break;
            }

            foreach (var turn in turns)
            {
                var entries = await reader.ToWireAsync(turn, owner, cancellationToken).ConfigureAwait(false);
                if (entries.Exists(e => e.Kind == V1.JournalEntry.Types.Kind.CommandReceived && e.EventId == requestId))
                {
                    return entries;
                }
            }

            before = turns[^1].Position;
        }

        return [];
    }
}
