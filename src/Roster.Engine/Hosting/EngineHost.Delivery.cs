using System.Globalization;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;
using Roster.Engine.Catalog;
using Roster.Engine.Delivery;
using Roster.Engine.Effects;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Protocol.Mapping;
using Roster.V1;
using Attempt = Roster.Core.Turns.Attempt;

namespace Roster.Engine.Hosting;

/// <content>What the engine sends itself, and dead letters (ACT-60, ERR-04, ERR-11).</content>
public abstract partial class EngineHost : IDeliveryHost
{
    private const int KeysMax = 1_000;
    private const int TimelinePage = 500;

    /// <inheritdoc/>
    Outbox IDeliveryHost.Outbox => _outbox;

    /// <inheritdoc/>
    TenantOwner IDeliveryHost.Tenant(int number) => _tenants.Get(number);

    /// <inheritdoc/>
    Task IDeliveryHost.PauseAsync(CancellationToken cancellationToken) => _options.PauseWhenOverloaded(cancellationToken);

    /// <inheritdoc/>
    string IDeliveryHost.KeyOf(TenantOwner owner, LeasedEffect leased, TaskContent task) => WriteKey(owner, leased.Effect.Id, task.Workflow);

    /// <inheritdoc/>
    IDeliverer? IDeliveryHost.FindDeliverer(TenantOwner owner, string queue)
    {
        if (TaskQueues.EndpointOf(queue) is { } endpoint)
        {
            return _options.Webhooks is { } webhooks ? new WebhookDeliverer(owner, endpoint, webhooks, Clock) : null;
        }

        return queue == TaskQueues.Mail && _options.Mail is { } mail ? new MailDeliverer(mail) : null;
    }

    /// <inheritdoc/>
    async Task IDeliveryHost.ReportAsync(Delivery.Delivery delivery, DeliveryOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        ArgumentNullException.ThrowIfNull(outcome);
        await ReportAsync(delivery, outcome).ConfigureAwait(false);
        _options.DeliveryReported?.Invoke();
    }

    private async Task ReportAsync(Delivery.Delivery delivery, DeliveryOutcome outcome)
    {
        var id = delivery.Leased.Effect.Id;
        var key = ReadKey(delivery.Key, delivery.Owner);
        if (outcome.Result != StepResult.Failed)
        {
            var found = default(EffectId);
            var result = await RunAsync(
                delivery.Owner.Number,
                key.Record,
                state => !Find(state, delivery.Owner, key, out found, out _) ? null
                    : IsDead(found) ? new DeadLetterInput(found.Enrollment, found.Step, -found.Execution, outcome.Result, string.Empty)
                    : new CompletionInput(found.Enrollment, found.Step, found.Execution, outcome.Result, string.Empty, string.Empty, outcome.Outputs),
                CancellationToken.None).ConfigureAwait(false);
            Finished(found, result);
            return;
        }

        var log = _outbox.NoteAttempt(id, outcome.Text);
        if (outcome.IsRetryable && log is { FirstTriedAt.IsNone: false }
            && await RetryAsync(delivery.Owner, key, id, delivery.Task.Workflow, log, outcome.RetryAfterMs, delivery.Key).ConfigureAwait(false))
        {
            return;
        }

        await FailAsync(delivery.Owner, key, found => new FailureInput(found.Enrollment, found.Step, found.Execution, outcome.Code, outcome.Text, outcome.Outputs)
        {
            Attempts = log?.Latest ?? [],
            AttemptCount = log?.Count ?? 0,
        }).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<SaveWebhookEndpointResponse> SaveWebhookEndpointAsync(string tenant, SaveWebhookEndpointRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Endpoint is null)
        {
            throw RosterException.Invalid("endpoint", string.Empty, "There is no endpoint.");
        }

        var problem = _options.Webhooks is { } webhooks
            ? await webhooks.CheckAsync(request.Endpoint.Url, cancellationToken).ConfigureAwait(false)
            : WebhookUrl.Check(request.Endpoint.Url, AddressRules.Default, out _);
        return problem is null
            ? await ControlAsync(() => _tenants.Get(tenant).SaveEndpoint(request), cancellationToken).ConfigureAwait(false)
            : throw RosterException.Invalid("endpoint.url", request.Endpoint.Url, problem);
    }

    /// <inheritdoc/>
    public ValueTask<ListWebhookEndpointsResponse> ListWebhookEndpointsAsync(string tenant, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        var owner = _tenants.Get(tenant);
        var response = new ListWebhookEndpointsResponse { Endpoints = { owner.ListEndpoints() } };
        foreach (var endpoint in response.Endpoints)
        {
            endpoint.BreakerOpen = _deliveries.IsOpen(owner.Number, TaskQueues.OfWebhook(endpoint.Id));
        }

        return ValueTask.FromResult(response);
    }

    /// <inheritdoc/>
    public ValueTask<RotateWebhookSecretResponse> RotateWebhookSecretAsync(string tenant, RotateWebhookSecretRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).RotateSecret(request), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DeleteWebhookEndpointResponse> DeleteWebhookEndpointAsync(string tenant, DeleteWebhookEndpointRequest request, CancellationToken cancellationToken) =>
        ControlAsync(() => _tenants.Get(tenant).DeleteEndpoint(request), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<ListDeadLettersResponse> ListDeadLettersAsync(string tenant, ListDeadLettersRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ThrowIfStopped();
        var owner = _tenants.Get(tenant);
        var after = 0L;
        if (request.PageSize is < 0 or > KeysMax)
        {
            throw RosterException.Invalid("page_size", $"{request.PageSize}", $"A page has 1 to {KeysMax} dead letters.");
        }

        if (request.PageToken.Length > 0 && !long.TryParse(request.PageToken, NumberStyles.None, CultureInfo.InvariantCulture, out after))
        {
            throw RosterException.Invalid("page_token", request.PageToken, "The page token is none of an answer before.");
        }

        var limit = request.PageSize == 0 ? 100 : request.PageSize;
        var rows = await _store.ReadEffectsAsync(owner.Number, DeadLetterCodec.Queue, after, limit, cancellationToken).ConfigureAwait(false);
        var records = await _store.LoadAsync([.. rows.Select(r => r.Id.RecordNumber)], cancellationToken).ConfigureAwait(false);
        var response = new ListDeadLettersResponse { NextPageToken = rows.Count < limit ? string.Empty : rows[^1].Sequence.ToString(CultureInfo.InvariantCulture) };
        for (var i = 0; i < rows.Count; i++)
        {
            var content = DeadLetterCodec.Unpack(rows[i].Task);
            if (request.Queue.Length == 0 || request.Queue == content.Queue)
            {
                response.DeadLetters.Add(ToWire(owner, DeadLetterCodec.IdOf(rows[i].Id), content, records[i]));
            }
        }

        return response;
    }

    /// <inheritdoc/>
    public async ValueTask<V1.DeadLetter> GetDeadLetterAsync(string tenant, GetDeadLetterRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var key = ReadKey(request.Key, owner);
        var (dead, workflow) = await FindAsync(owner, key, cancellationToken).ConfigureAwait(false);
        if (!IsDead(dead))
        {
            throw new RosterException(RosterError.NotFound, $"There is no dead letter '{Core.Refusal.Cut(request.Key)}'.");
        }

        var id = DeadLetterCodec.IdOf(dead);
        var history = await ReadTaskAsync(id, cancellationToken).ConfigureAwait(false);
        var record = await _store.LoadAsync(id.RecordNumber, cancellationToken).ConfigureAwait(false);
        var rows = history.FailedAt > 0
            ? await _store.ReadEffectsAsync(owner.Number, DeadLetterCodec.Queue, history.FailedAt - 1, 1_000, cancellationToken).ConfigureAwait(false)
            : [];
        var content = rows.FirstOrDefault(r => r.Id == dead) is { } row
            ? DeadLetterCodec.Unpack(row.Task)
            : new DeadLetterContent(workflow, 0, history.Effect?.Queue ?? string.Empty, history.Code, Core.Timestamp.None, [], 0);
        var wire = ToWire(owner, id, content, record);
        wire.Error = history.Error;
        if (history.Effect is { } effect)
        {
            wire.Task = ToWire(new LeasedEffect(effect, 0, Core.Timestamp.None), TaskCodec.Unpack(effect.Task), owner);
        }

        return wire;
    }

    /// <inheritdoc/>
    public async ValueTask<ResendDeadLettersResponse> ResendDeadLettersAsync(string tenant, ResendDeadLettersRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        CheckKeys(request.Keys);
        var response = new ResendDeadLettersResponse();
        foreach (var text in request.Keys)
        {
            var (dead, _) = await FindAsync(owner, ReadKey(text, owner), cancellationToken).ConfigureAwait(false);
            var effect = IsDead(dead) ? (await ReadTaskAsync(DeadLetterCodec.IdOf(dead), cancellationToken).ConfigureAwait(false)).Effect : null;
            if (effect is null)
            {
                response.Gone.Add(text);
                continue;
            }

            if (!_outbox.Resend(effect))
            {
                throw new RosterException(RosterError.Overloaded, $"{Outbox.ResentMax} dead letters of queue '{effect.Queue}' are being sent again already. {response.Resending.Count} of the request were taken.");
            }

            response.Resending.Add(text);
        }

        return response;
    }

    /// <inheritdoc/>
    public async ValueTask<DiscardDeadLettersResponse> DiscardDeadLettersAsync(string tenant, DiscardDeadLettersRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        CheckKeys(request.Keys);
        if (request.Caller.Length > 100)
        {
            throw RosterException.Invalid("caller", request.Caller, "A caller has at most 100 characters.");
        }

        var response = new DiscardDeadLettersResponse();
        foreach (var text in request.Keys)
        {
            var key = ReadKey(text, owner);
            var id = default(EffectId);
            var result = await RunAsync(
                owner.Number,
                key.Record,
                state =>
                {
                    if (!Find(state, owner, key, out var found, out _) || !IsDead(found))
                    {
                        return null;
                    }

                    id = DeadLetterCodec.IdOf(found);
                    return new DeadLetterInput(id.Enrollment, id.Step, id.Execution, StepResult.Cancelled, request.Caller);
                },
                cancellationToken).ConfigureAwait(false);
            if (result.Status == TurnStatus.Applied)
            {
                _outbox.Drop(id);
                response.Discarded++;
            }
        }

        return response;
    }

    private static void CheckKeys(IReadOnlyCollection<string> keys)
    {
        if (keys.Count is 0 or > KeysMax)
        {
            throw RosterException.Invalid("keys", $"{keys.Count}", $"1 to {KeysMax} keys.");
        }
    }

    private V1.DeadLetter ToWire(TenantOwner owner, EffectId id, DeadLetterContent content, in LoadedRecord record)
    {
        var state = new RecordState();
        if (record.Found)
        {
            state.Load(record.Head.Span);
        }

        return new V1.DeadLetter
        {
            Key = WriteKey(owner, id, content.Workflow),
            Queue = content.Queue,
            Ref = record.Found ? new RecordRef { ObjectType = owner.Schema.ObjectType(state.ObjectType).Name, RecordId = state.Id } : null,
            WorkflowId = owner.WorkflowId(content.Workflow),
            Version = content.Version,
            StepId = owner.StepId(content.Workflow, id.Step),
            Code = content.Code,
            FailedAt = ValueMapping.ToWire(content.FailedAt),
            Attempts = content.AttemptCount,
            LatestAttempts = { content.Attempts.Select(ToWire) },
            Resending = _outbox.IsResent(id),
        };
    }

    private static DeliveryAttempt ToWire(Attempt attempt) => new() { At = ValueMapping.ToWire(attempt.At), Error = attempt.Error };

    /// <summary>What the journal of a record has of a task: what was to be done, and how it failed.</summary>
    private readonly record struct TaskHistory(StoredEffect? Effect, long FailedAt, string Code, string Error);

    /// <summary>Reads back in the journal of the record to where the task was asked for. Without it, as after retention, there is no effect.</summary>
    private async Task<TaskHistory> ReadTaskAsync(EffectId id, CancellationToken cancellationToken)
    {
        var record = await _store.LoadAsync(id.RecordNumber, cancellationToken).ConfigureAwait(false);
        var state = new RecordState();
        state.Load(record.Head.Span);
        var history = default(TaskHistory) with { Code = string.Empty, Error = string.Empty };
        var before = 0L;
        while (await _store.ReadTimelineAsync(id.RecordNumber, before, TimelinePage, cancellationToken).ConfigureAwait(false) is { Count: > 0 } turns)
        {
            foreach (var turn in turns)
            {
                var decoded = TurnDecoder.Decode(turn);
                foreach (var entry in decoded.Entries.Where(e => e.Enrollment == id.Enrollment && e.Step == id.Step && e.Execution == id.Execution))
                {
                    if (entry.Kind == EntryKind.EffectCompleted)
                    {
                        history = history with { FailedAt = turn.Position, Code = entry.Text ?? string.Empty, Error = entry.Source ?? string.Empty };
                    }
                    else if (entry is { Kind: EntryKind.EffectRequested, Text: { Length: > 0 } queue })
                    {
                        return history with { Effect = new StoredEffect(turn.Position, id, decoded.Info.Tenant, queue, TaskCodec.Pack(state.Id, entry, decoded.Info)) };
                    }
                }
            }

            before = turns[^1].Position;
        }

        return history;
    }
}
