using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Sequences;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Engine.Catalog;
using Roster.Engine.Reading;
using Roster.Engine.Turns;
using Roster.Protocol.Mapping;
using Roster.V1;
using Decision = Roster.Core.Journal.Decision;
using Timestamp = Roster.Core.Timestamp;

namespace Roster.Engine.Hosting;

/// <content>Sequences and inboxes.</content>
public abstract partial class EngineHost
{
    private const int BulkRequestIdMax = 100;
    private const int EmailTextMax = 100_000;

    private readonly PendingDecisions _decisions = new();

    /// <inheritdoc/>
    public ValueTask<SaveSequenceResponse> SaveSequenceAsync(string tenant, SaveSequenceRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).SaveSequence(request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Sequence> GetSequenceAsync(string tenant, GetSequenceRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(() => _tenants.Get(tenant).GetSequence(request.SequenceId, request.Version), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ListSequencesResponse> ListSequencesAsync(string tenant, ListSequencesRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).ListSequences(request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ValidateWorkflowResponse> ValidateSequenceAsync(string tenant, ValidateSequenceRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(
            () => new ValidateWorkflowResponse { Problems = { _tenants.Get(tenant).ValidateSequence(request.Sequence).Select(WorkflowMapping.ToWire) } },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<TestWorkflowResponse> TestSequenceAsync(string tenant, TestSequenceRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var sequence = request.Sequence ?? owner.GetSequence(request.SequenceId, 0);
        var record = request.Ref is null ? null : await ReadStateAsync(owner, request.Ref, cancellationToken).ConfigureAwait(false);
        var sender = new RecordRef { ObjectType = SequenceLowering.InboxType, RecordId = sequence.Owner };
        var inbox = await ReadStateAsync(owner, sender, cancellationToken).ConfigureAwait(false);
        return await new WorkflowTester(_store, owner, Clock).RunAsync(request, sequence, record, inbox, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<Operation> DeleteSequenceAsync(string tenant, DeleteSequenceRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        if (await ControlAsync(() => owner.FindAnswer<Operation>(request.RequestId, request), cancellationToken).ConfigureAwait(false) is { } first)
        {
            return first;
        }

        var active = (await ReadSequenceStatsAsync(owner, request.SequenceId, cancellationToken).ConfigureAwait(false)).Active;
        return active == 0 || request.EndActive
            ? await ControlAsync(() => _changes.DeleteSequence(owner, request), cancellationToken).ConfigureAwait(false)
            : throw new RosterException(RosterError.FailedPrecondition, $"{active} contacts are enrolled in sequence '{request.SequenceId}': set end_active to end these enrollments (SEQ-17).");
    }

    /// <inheritdoc/>
    public async ValueTask<EnrollResponse> EnrollInSequenceAsync(string tenant, EnrollInSequenceRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return await EnrollOneAsync(_tenants.Get(tenant), request, isBulk: false, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<BulkEnrollInSequenceResponse> BulkEnrollInSequenceAsync(string tenant, BulkEnrollInSequenceRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var sequence = owner.GetSequence(request.SequenceId, 0);
        var max = (owner.Catalog.FindInbox(sequence.Owner)?.Limits ?? InboxLimits.Default).BulkEnrollMax;
        if (request.Refs.Count == 0 || request.Refs.Count > max)
        {
            throw RosterException.Invalid("refs", $"{request.Refs.Count}", $"A bulk enrollment has 1 to {max} contacts (setting bulk_enroll_max, SEQ-02).");
        }

        if (request.RequestId.Length is 0 or > BulkRequestIdMax)
        {
            throw RosterException.Invalid("request_id", request.RequestId, $"request_id is required and has at most {BulkRequestIdMax} bytes.");
        }

        var answers = await Task.WhenAll(request.Refs.Select((reference, i) => EnrollOneAsync(
            owner,
            new EnrollInSequenceRequest
            {
                Ref = reference,
                SequenceId = request.SequenceId,
                RequestId = $"{request.RequestId}/{i}",
                User = request.User,
                ByHand = request.ByHand,
                FirstStep = request.FirstStep,
                StartAt = request.StartAt,
            },
            isBulk: true,
            cancellationToken))).ConfigureAwait(false);
        return new BulkEnrollInSequenceResponse { Answers = { answers } };
    }

    /// <inheritdoc/>
    public async ValueTask<UnenrollResponse> UnenrollFromSequenceAsync(string tenant, UnenrollFromSequenceRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (result, number) = await RunOnSequenceAsync(
            tenant, request.Ref, request.SequenceId, request.RequestId, request.Caller, CommandKind.Unenroll, string.Empty, [], V1.JournalEntry.Types.Kind.EnrollmentEnded, cancellationToken).ConfigureAwait(false);
        return new UnenrollResponse { Result = result, Unenrolled = number };
    }

    /// <inheritdoc/>
    public async ValueTask<LiftPauseResponse> LiftPauseAsync(string tenant, LiftPauseRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (result, lifted) = await RunOnSequenceAsync(
            tenant, request.Ref, request.SequenceId, request.RequestId, request.Caller, CommandKind.LiftPause, string.Empty, [], V1.JournalEntry.Types.Kind.StepFinished, cancellationToken).ConfigureAwait(false);
        return new LiftPauseResponse { Result = result, Lifted = lifted };
    }

    /// <inheritdoc/>
    public async ValueTask<EditScheduledEmailResponse> EditScheduledEmailAsync(string tenant, EditScheduledEmailRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Subject.Length + request.Body.Length is 0 or > EmailTextMax)
        {
            throw RosterException.Invalid("body", string.Empty, $"An edit has a subject, a body, or both, of at most {EmailTextMax} characters.");
        }

        NamedValue[] content = [.. new[] { ("subject", request.Subject), ("body", request.Body) }.Where(t => t.Item2.Length > 0).Select(t => new NamedValue(t.Item1, Core.Values.Value.OfText(t.Item2)))];
        var (result, edited) = await RunOnSequenceAsync(
            tenant, request.Ref, request.SequenceId, request.RequestId, request.Caller, CommandKind.EditEmail, request.StepId, content, V1.JournalEntry.Types.Kind.EmailEdited, cancellationToken).ConfigureAwait(false);
        return new EditScheduledEmailResponse { Result = result, Edited = edited };
    }

    /// <inheritdoc/>
    public async ValueTask<SequenceStatus> GetSequenceStatusAsync(string tenant, GetSequenceStatusRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        if (request.SequenceId.Length > 0)
        {
            owner.GetSequence(request.SequenceId, 0);
        }

        var state = await ReadStateAsync(owner, request.Ref, cancellationToken).ConfigureAwait(false)
            ?? throw new RosterException(RosterError.NotFound, $"There is no record `{request.Ref?.ObjectType}/{request.Ref?.RecordId}`.");
        return SequenceReader.ReadStatus(state, owner, request.SequenceId);
    }

    /// <inheritdoc/>
    public async ValueTask<SequenceStats> GetSequenceStatsAsync(string tenant, GetSequenceStatsRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        return request.CompanyId.Length == 0
            ? await ReadSequenceStatsAsync(owner, request.SequenceId, cancellationToken).ConfigureAwait(false)
            : await ReadCompanyAsync(owner, request, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<Inbox> SaveInboxAsync(string tenant, SaveInboxRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(() => _tenants.Get(tenant).SaveInbox(request), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<Inbox> GetInboxAsync(string tenant, GetInboxRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var inbox = await ControlAsync(() => owner.GetInbox(request.User), cancellationToken).ConfigureAwait(false);
        var state = await ReadStateAsync(owner, new RecordRef { ObjectType = SequenceLowering.InboxType, RecordId = request.User }, cancellationToken).ConfigureAwait(false);
        return SequenceReader.AddUsage(inbox, state, owner, Clock.Now());
    }

    /// <inheritdoc/>
    public ValueTask<ListInboxesResponse> ListInboxesAsync(string tenant, ListInboxesRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).ListInboxes(request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeleteInboxResponse> DeleteInboxAsync(string tenant, DeleteInboxRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ControlAsync(() => _changes.DeleteInbox(_tenants.Get(tenant), request), cancellationToken);
    }

    private async Task<EnrollResponse> EnrollOneAsync(TenantOwner owner, EnrollInSequenceRequest request, bool isBulk, CancellationToken cancellationToken)
    {
        var facts = ReadFacts(owner, request, isBulk, out var wrong);
        if ((ReadSequenceCommand(owner, request.Ref, request.SequenceId, request.RequestId, facts.User, out var key, out var sequence) ?? wrong) is { } refusal)
        {
            return new EnrollResponse { Result = Results.Refused(refusal) };
        }

        using var waiter = _decisions.Wait(new PendingDecisions.Key(key.Tenant, key.ObjectType, key.Id, request.RequestId));
        var result = await RunAsync(key, new CommandInput(CommandKind.Enroll, sequence, request.RequestId, facts.User) { Facts = facts }, cancellationToken).ConfigureAwait(false);
        var response = new EnrollResponse { Result = Results.ToWire(result), Decision = (V1.Decision.Types.Code)(int)result.Decision };
        var first = result.Status == TurnStatus.Duplicate ? await FindDecisionAsync(owner, request, cancellationToken).ConfigureAwait(false) : null;
        if (first is not null)
        {
            response.Decision = first.Decision;
            response.EnrollmentNumber = first.EnrollmentNumber;
        }
        else if (result.Decision == Decision.None && result.Status is TurnStatus.Applied or TurnStatus.Duplicate)
        {
            await UnlessFailedAsync(waiter.Decision, cancellationToken).ConfigureAwait(false);
            var decided = await waiter.Decision.ConfigureAwait(false);
            response.Decision = (V1.Decision.Types.Code)(int)decided.Decision;
            response.EnrollmentNumber = decided.Enrollment;
        }

        return response;
    }

    private static SequenceFacts ReadFacts(TenantOwner owner, EnrollInSequenceRequest request, bool isBulk, out Core.Refusal? refusal)
    {
        refusal = null;
        var step = 0;
        var startAt = Timestamp.None;
        if (request.FirstStep.Length > 0)
        {
            step = owner.Catalog.FindWorkflow(owner.FindSequenceNumber(request.SequenceId))?.Steps.FirstOrDefault(s => s.Id == request.FirstStep).Number ?? 0;
            refusal = step != 0 ? null : new Core.Refusal(
                RefusalReason.InvalidField, "first_step", Core.Refusal.Cut(request.FirstStep), $"Sequence '{Core.Refusal.Cut(request.SequenceId)}' has no step '{Core.Refusal.Cut(request.FirstStep)}'.");
        }

        if (request.StartAt is not null && !ValueMapping.TryRead(request.StartAt, out startAt))
        {
            refusal ??= new Core.Refusal(RefusalReason.InvalidField, "start_at", $"{request.StartAt}", "start_at is no instant of the years 1 to 9999.");
        }

        var user = request.User.Length > 0 ? request.User : owner.Catalog.FindWorkflow(owner.FindSequenceNumber(request.SequenceId))?.SequenceOwner ?? string.Empty;
        return new SequenceFacts(user) { IsByHand = request.ByHand, IsBulk = isBulk, FirstStep = step, StartAt = startAt };
    }

    private static Core.Refusal? ReadSequenceCommand(
        TenantOwner owner, RecordRef? reference, string sequenceId, string requestId, string caller, out RecordKey key, out int sequence)
    {
        sequence = owner.FindSequenceNumber(sequenceId);
        var refusal = EventReader.TryRead(reference, owner, out key) ?? CheckCommand(requestId, caller);
        return refusal is not null || sequence != 0
            ? refusal
            : new Core.Refusal(RefusalReason.UnknownWorkflow, "sequence_id", Core.Refusal.Cut(sequenceId), $"There is no sequence '{Core.Refusal.Cut(sequenceId)}'.");
    }

    private async Task<(EventResult Result, bool IsDone)> RunOnSequenceAsync(
        string tenant, RecordRef? reference, string sequenceId, string requestId, string caller, CommandKind kind, string stepId, NamedValue[] content,
        V1.JournalEntry.Types.Kind done, CancellationToken cancellationToken)
    {
        var owner = _tenants.Get(tenant);
        if (ReadSequenceCommand(owner, reference, sequenceId, requestId, caller, out var key, out var sequence) is { } refusal)
        {
            return (Results.Refused(refusal), false);
        }

        var step = stepId.Length == 0 ? 0 : owner.StepNumber(sequence, stepId);
        if (stepId.Length > 0 && step == 0)
        {
            return (Results.Refused(new Core.Refusal(RefusalReason.InvalidField, "step_id", Core.Refusal.Cut(stepId), $"Sequence '{sequenceId}' has no step '{Core.Refusal.Cut(stepId)}'.")), false);
        }

        var input = new CommandInput(kind, sequence, requestId, caller) { Step = step, Content = content };
        var result = await RunAsync(key, input, cancellationToken).ConfigureAwait(false);
        var isDone = result.Enrollment > 0;
        if (result.Status == TurnStatus.Duplicate)
        {
            isDone = (await FindFirstAnswerAsync(owner, reference!, requestId, cancellationToken).ConfigureAwait(false)).Any(e => e.Kind == done);
        }

        return (Results.ToWire(result), isDone);
    }

    /// <summary>The decision about a request that came before: it names the request, which was in an earlier turn, or is in its turn.</summary>
    private async Task<V1.JournalEntry?> FindDecisionAsync(TenantOwner owner, EnrollInSequenceRequest request, CancellationToken cancellationToken)
    {
        var state = await ReadStateAsync(owner, request.Ref, cancellationToken).ConfigureAwait(false);
        var reader = new JournalReader(_store);
        var before = 0L;
        while (state is not null)
        {
            var turns = await _store.ReadTimelineAsync(state.Number, before, 500, cancellationToken).ConfigureAwait(false);
            foreach (var turn in turns)
            {
                var entries = await reader.ToWireAsync(turn, owner, cancellationToken).ConfigureAwait(false);
                var isRequest = entries.Exists(e => e.Kind == V1.JournalEntry.Types.Kind.CommandReceived && e.EventId == request.RequestId);
                var decision = entries.Find(e => e.WorkflowId == request.SequenceId && e.Kind is V1.JournalEntry.Types.Kind.Enrolled or V1.JournalEntry.Types.Kind.EnrollmentRefused
                    && (isRequest || e.EventId == request.RequestId));
                if (decision is not null || isRequest)
                {
                    return decision;
                }
            }

            if (turns.Count == 0)
            {
                break;
            }

            before = turns[^1].Position;
        }

        return null;
    }

    private async Task<SequenceStats> ReadSequenceStatsAsync(TenantOwner owner, string sequenceId, CancellationToken cancellationToken)
    {
        var sequence = owner.FindSequenceNumber(sequenceId);
        if (sequence == 0)
        {
            throw new RosterException(RosterError.NotFound, $"There is no sequence '{Core.Refusal.Cut(sequenceId)}'.");
        }

        var counters = await _store.ReadCountersAsync(owner.Number, cancellationToken).ConfigureAwait(false);
        return StatsReader.ReadSequence(sequenceId, sequence, owner, counters);
    }

    /// <summary>Counts of the contacts of one company: of each the latest enrollment, as it is in its state (MET-16).</summary>
    private async Task<SequenceStats> ReadCompanyAsync(TenantOwner owner, GetSequenceStatsRequest request, CancellationToken cancellationToken)
    {
        var sequence = owner.FindSequenceNumber(request.SequenceId);
        var company = new RecordRef { ObjectType = Core.Schema.StandardObjectTypes.Company, RecordId = request.CompanyId };
        if (sequence == 0)
        {
            throw new RosterException(RosterError.NotFound, $"There is no sequence '{Core.Refusal.Cut(request.SequenceId)}'.");
        }

        var stats = new SequenceStats { SequenceId = request.SequenceId };
        var page = new ListAssociationsRequest { Ref = company, ObjectType = SequenceLowering.ObjectType, PageSize = 1_000 };
        do
        {
            var links = await ListAssociationsAsync(owner.Id, page, cancellationToken).ConfigureAwait(false);
            foreach (var link in links.Associations)
            {
                if (await ReadStateAsync(owner, link.Ref, cancellationToken).ConfigureAwait(false) is { } contact)
                {
                    SequenceReader.Add(stats, contact, sequence);
                }
            }

            page.PageToken = links.NextPageToken;
        }
        while (page.PageToken.Length > 0);
        return stats;
    }

    /// <summary>A decision about an enrollment in a sequence is durable, or came back with the request: who waits for it hears of it.</summary>
    private async Task<TurnResult> TellDecisionAsync(Task<TurnResult> turn, RecordMessage message, Func<RecordKey> contact)
    {
        var result = await turn.ConfigureAwait(false);
        if (result.Status == TurnStatus.Applied && result.Decision != Decision.None && NamedValues.Find(message.Fields, "request") is { Type: Core.Values.PropertyType.String } request)
        {
            var key = contact();
            _decisions.Tell(new PendingDecisions.Key(key.Tenant, key.ObjectType, key.Id, request.Text), result);
        }

        return result;
    }
}
