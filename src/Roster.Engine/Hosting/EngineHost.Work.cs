using System.Globalization;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;
using Roster.Engine.Catalog;
using Roster.Engine.Effects;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Protocol.Mapping;
using Roster.V1;
using Duration = Google.Protobuf.WellKnownTypes.Duration;
using Timestamp = Roster.Core.Timestamp;

namespace Roster.Engine.Hosting;

/// <content>Tasks for workers.</content>
public abstract partial class EngineHost
{
    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<WorkTask>> LeaseTasksAsync(
        string tenant, string queue, int tasksMax, TimeSpan leaseFor, string owner, CancellationToken cancellationToken)
    {
        ThrowIfStopped();
        if (leaseFor < TimeSpan.FromSeconds(5) || leaseFor > TimeSpan.FromHours(1))
        {
            throw RosterException.Invalid("lease_for", $"{leaseFor}", "A lease is 5 seconds to 1 hour (setting lease_for).");
        }

        var tenantOwner = _tenants.Get(tenant);
        if (_store.IsShared)
        {
            // The notice of another process may still be on its way.
            _outbox.OnAdded(tenantOwner.Number, queue);
        }

        var leased = await _outbox.LeaseAsync(tenantOwner.Number, queue, tasksMax, leaseFor, owner, cancellationToken).ConfigureAwait(false);
        return [.. leased.Select(l => ToWork(l, leaseFor, owner, tenantOwner))];
    }

    /// <summary>A task as a worker gets it: leased for as long as its action says, else for as long as the worker asked (setting <c>lease_for</c>).</summary>
    private WorkTask ToWork(LeasedEffect leased, TimeSpan leaseFor, string owner, TenantOwner tenantOwner)
    {
        var task = TaskCodec.Unpack(leased.Effect.Task);
        if (tenantOwner.Catalog.FindWorkflow(task.Workflow)?.LeaseMsOf(task.Step) is > 0 and var leaseMs)
        {
            leaseFor = TimeSpan.FromMilliseconds(leaseMs);
            leased = leased with { LeaseUntil = _outbox.LeaseFor(leased.Effect.Id, leaseFor, owner) };
        }

        var wire = ToWire(leased, task, tenantOwner);
        wire.LeaseUntil = ValueMapping.ToWire(leased.LeaseUntil);
        wire.LeaseFor = Duration.FromTimeSpan(leaseFor);
        return wire;
    }

    /// <inheritdoc/>
    public async ValueTask WaitForTasksAsync(string tenant, string queue, CancellationToken cancellationToken) =>
        await _outbox.WaitAsync(_tenants.Get(tenant).Number, queue, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<bool> CompleteTaskAsync(string tenant, TaskCompletion completion, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(completion);
        var owner = _tenants.Get(tenant);
        var key = ReadKey(completion.Key, owner);
        switch (completion.Outcome)
        {
            case TaskCompletion.Types.Outcome.Completed or TaskCompletion.Types.Outcome.Skipped:
                var outputs = ReadOutputs(completion);
                var id = default(EffectId);
                var result = await RunAsync(
                    owner.Number, key.Record, state => Find(state, owner, key, out id, out _) ? ToInput(id, completion, outputs) : null, cancellationToken).ConfigureAwait(false);
                return Finished(id, result);
            case TaskCompletion.Types.Outcome.Failed:
                return await FailAsync(owner, key, completion, cancellationToken).ConfigureAwait(false);
            case TaskCompletion.Types.Outcome.Blocked:
                return await BlockAsync(owner, key, cancellationToken).ConfigureAwait(false);
            default:
                throw RosterException.Invalid("completion.outcome", $"{completion.Outcome}", "The outcome is COMPLETED, SKIPPED, FAILED or BLOCKED.");
        }
    }

    /// <summary>A task that turned out not to be open, and a dead letter whatever came of it, is offered no more. Returns whether anything changed.</summary>
    private bool Finished(EffectId id, in TurnResult result)
    {
        if (id != default && (IsDead(id) || result.Status != TurnStatus.Applied))
        {
            var offered = IsDead(id) ? DeadLetterCodec.IdOf(id) : id;
            _outbox.Drop(offered);
            if (_store.IsShared && !_hasDuties)
            {
                Tell(new DurableNotice([], [], [(offered, false)], false));
            }
        }

        return result.Status == TurnStatus.Applied;
    }

    private async ValueTask<bool> BlockAsync(TenantOwner owner, TaskKey key, CancellationToken cancellationToken)
    {
        var result = await RunAsync(
            owner.Number,
            key.Record,
            state => Find(state, owner, key, out var id, out _) && !IsDead(id) ? new BlockInput(id.Enrollment, id.Step, id.Execution) : null,
            cancellationToken).ConfigureAwait(false);
        return result.Status == TurnStatus.Applied;
    }

    /// <summary>A worker failed: the task is offered again (ERR-07), or has failed for good.</summary>
    private async ValueTask<bool> FailAsync(TenantOwner owner, TaskKey key, TaskCompletion completion, CancellationToken cancellationToken)
    {
        var (id, workflow) = await FindAsync(owner, key, cancellationToken).ConfigureAwait(false);
        if (id == default)
        {
            return false;
        }

        var offered = IsDead(id) ? DeadLetterCodec.IdOf(id) : id;
        var log = _outbox.NoteAttempt(offered, completion.Error);
        if (completion.Retryable && log is not { FirstTriedAt.IsNone: false })
        {
            // It was leased before a restart: it is open and is offered again as all open tasks are.
            return true;
        }

        var wantedMs = completion.RetryAfter is { Seconds: > 0 and < 1_000_000 } wanted ? (long)wanted.ToTimeSpan().TotalMilliseconds : 0;
        if (completion.Retryable && await RetryAsync(owner, key, offered, workflow, log!, wantedMs, completion.Key).ConfigureAwait(false))
        {
            return true;
        }

        var outputs = ReadOutputs(completion);
        var error = completion.Error.Length <= 1_000 ? completion.Error : completion.Error[..1_000];
        return await FailAsync(owner, key, found => new FailureInput(found.Enrollment, found.Step, found.Execution, completion.Retryable ? "EXHAUSTED" : "WORKER", error, outputs)
        {
            Attempts = log?.Latest ?? [],
            AttemptCount = log?.Count ?? 0,
        }).ConfigureAwait(false);
    }

    /// <summary>Fails an open task for good. A dead letter that was sent again stays one.</summary>
    private async ValueTask<bool> FailAsync(TenantOwner owner, TaskKey key, Func<EffectId, FailureInput> toInput)
    {
        var id = default(EffectId);
        var result = await RunAsync(
            owner.Number, key.Record, state => Find(state, owner, key, out id, out _) && !IsDead(id) ? toInput(id) : null, CancellationToken.None).ConfigureAwait(false);
        return Finished(id, result);
    }

    /// <summary>
    /// Offers a task again when its schedule has a next attempt (ERR-06); false when it has failed for good. The first attempt is noted by a turn, so that the
    /// time for retries counts from it also after a restart (ERR-04, ERR-07).
    /// </summary>
    private async ValueTask<bool> RetryAsync(TenantOwner owner, TaskKey key, EffectId id, int workflow, AttemptLog log, long wantedMs, string text)
    {
        var policy = owner.Catalog.FindWorkflow(workflow)?.RetryOf(id.Step) ?? Core.Turns.RetryPolicy.Default;
        var hash = StableHash.Hash128(text).High;
        var at = Timestamp.None;
        await RunAsync(
            owner.Number,
            key.Record,
            state =>
            {
                var index = state.FindEffect(id.Enrollment, id.Step, id.Execution);
                var first = index < 0 ? Timestamp.None : state.OpenEffects[index].FirstTriedAt;
                var before = first.IsNone ? 0 : RetrySchedule.AttemptsWithin(policy, log.FirstTriedAt.Ms - first.Ms, hash);
                at = RetrySchedule.NextAt(policy, Clock.Now(), first.IsNone ? log.FirstTriedAt : first, before + log.Count, wantedMs, hash);
                return at.IsNone || index < 0 || !first.IsNone ? null : new RetryInput(id.Enrollment, id.Step, id.Execution, log.FirstTriedAt);
            },
            CancellationToken.None).ConfigureAwait(false);
        return !at.IsNone && _outbox.Retry(id, at);
    }

    /// <inheritdoc/>
    public async ValueTask KeepLeasesAsync(string tenant, string queue, string owner, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var tenantOwner = _tenants.Get(tenant);
        HashSet<EffectId>? ids = null;
        foreach (var text in keys)
        {
            var key = ReadKey(text, tenantOwner);
            (ids ??= []).Add((await FindAsync(tenantOwner, key, cancellationToken).ConfigureAwait(false)).Id);
        }

        _outbox.Keep(tenantOwner.Number, queue, owner, ids);
    }

    /// <inheritdoc/>
    public void ReleaseLeases(string tenant, string queue, string owner) => _outbox.Release(_tenants.Get(tenant).Number, queue, owner);

    /// <inheritdoc/>
    public async ValueTask<Queue> GetQueueAsync(string tenant, GetQueueRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var number = _tenants.Get(tenant).Number;
        var queues = await _store.ReadEffectQueuesAsync(cancellationToken).ConfigureAwait(false);
        var open = queues.FirstOrDefault(q => q.Tenant == number && q.Queue == request.Queue).Count;
        var leased = _outbox.CountLeased(number, request.Queue);
        var limits = _tenants.Get(tenant).LimitsOf(request.Queue);
        return new Queue { Queue_ = request.Queue, Waiting = Math.Max(0, open - leased), Leased = leased, LeasedMax = limits.LeasedMax, PerS = limits.PerSecond };
    }

    /// <inheritdoc/>
    public async ValueTask<Queue> SetQueueLimitsAsync(string tenant, SetQueueLimitsRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var owner = _tenants.Get(tenant);
        var limits = await ControlAsync(() => owner.SetLimits(request), cancellationToken).ConfigureAwait(false);
        _outbox.Limit(owner.Number, request.Queue, limits);
        return await GetQueueAsync(tenant, new GetQueueRequest { Queue = request.Queue }, cancellationToken).ConfigureAwait(false);
    }

    private readonly record struct TaskKey(long Record, int Enrollment, string Step, int Execution);

    /// <summary>Whether an id that was found is that of a dead letter (<see cref="DeadLetterCodec.IdOf"/>).</summary>
    private static bool IsDead(EffectId id) => id.Execution < 0;

    /// <summary>Key of a task: tenant, record number, enrollment number, step id, execution index (ACT-03).</summary>
    private static string WriteKey(TenantOwner owner, EffectId id, int workflow) => string.Create(
        CultureInfo.InvariantCulture, $"{owner.Id}/{id.RecordNumber}/{id.Enrollment}/{owner.StepId(workflow, id.Step)}/{id.Execution}");

    private static TaskKey ReadKey(string key, TenantOwner owner)
    {
        var parts = key.Split('/');
        return parts.Length == 5 && parts[0] == owner.Id
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var record) && record > 0
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var enrollment)
            && int.TryParse(parts[4], NumberStyles.None, CultureInfo.InvariantCulture, out var execution)
            ? new TaskKey(record, enrollment, parts[3], execution)
            : throw RosterException.Invalid("completion.key", key, "The key is not that of a task of this tenant: tenant/record/enrollment/step/execution.");
    }

    /// <summary>The open task, or the dead letter, under a key, with the number of its workflow; default when there is neither.</summary>
    private async ValueTask<(EffectId Id, int Workflow)> FindAsync(TenantOwner owner, TaskKey key, CancellationToken cancellationToken)
    {
        var (id, workflow) = (default(EffectId), 0);
        await RunAsync(
            owner.Number,
            key.Record,
            state =>
            {
                Find(state, owner, key, out id, out workflow);
                return null;
            },
            cancellationToken).ConfigureAwait(false);
        return (id, workflow);
    }

    private static bool Find(RecordState state, TenantOwner owner, TaskKey key, out EffectId id, out int workflow)
    {
        (id, workflow) = (default, 0);
        if (state.Tenant != owner.Number)
        {
            return false;
        }

        foreach (ref readonly var effect in state.OpenEffects)
        {
            if (effect.Enrollment == key.Enrollment && effect.Execution == key.Execution && owner.StepId(effect.Workflow, effect.Step) == key.Step)
            {
                (id, workflow) = (new EffectId(key.Record, effect.Enrollment, effect.Step, effect.Execution), effect.Workflow);
                return true;
            }
        }

        foreach (ref readonly var letter in state.DeadLetters)
        {
            if (letter.Enrollment == key.Enrollment && letter.Execution == key.Execution && owner.StepId(letter.Workflow, letter.Step) == key.Step)
            {
                (id, workflow) = (DeadLetterCodec.IdOf(new EffectId(key.Record, letter.Enrollment, letter.Step, letter.Execution)), letter.Workflow);
                return true;
            }
        }

        return false;
    }

    private static TurnInput ToInput(EffectId id, TaskCompletion completion, NamedValue[] outputs)
    {
        var result = completion.Outcome == TaskCompletion.Types.Outcome.Completed ? StepResult.Success : StepResult.Skipped;
        return IsDead(id)
            ? new DeadLetterInput(id.Enrollment, id.Step, -id.Execution, result, string.Empty)
            : new CompletionInput(id.Enrollment, id.Step, id.Execution, result, string.Empty, string.Empty, outputs);
    }

    private static NamedValue[] ReadOutputs(TaskCompletion completion)
    {
        var outputs = new NamedValue[completion.Outputs.Count];
        for (var i = 0; i < outputs.Length; i++)
        {
            if (ValueMapping.TryRead(completion.Outputs[i].Value, out var value) is { } problem)
            {
                throw RosterException.Invalid($"completion.outputs[{i}].value", completion.Outputs[i].Name, problem);
            }

            outputs[i] = new NamedValue(completion.Outputs[i].Name, value);
        }

        return outputs;
    }

    private static WorkTask ToWire(LeasedEffect leased, TaskContent task, TenantOwner owner)
    {
        var wire = new WorkTask
        {
            Key = WriteKey(owner, leased.Effect.Id, task.Workflow),
            Queue = task.Queue,
            Ref = new RecordRef { ObjectType = owner.Catalog.Schema.ObjectType(task.ObjectType).Name, RecordId = task.RecordId },
            WorkflowId = owner.Catalog.FindWorkflow(task.Workflow)?.Identity.Id ?? string.Empty,
            Version = task.Version,
            StepId = owner.StepId(task.Workflow, task.Step),
            Attempt = leased.Attempt,
            RequestedAt = ValueMapping.ToWire(task.RequestedAt),
        };
        wire.Fields.AddRange(task.Fields.Select(f => ValueMapping.ToWire(f)));
        wire.Properties.AddRange(task.Properties.Select(p => ValueMapping.ToWire(p)));
        wire.Request.AddRange(task.Request.Select(p => ValueMapping.ToWire(p.Name[0] == TaskMarks.Header ? p with { Name = p.Name[1..] } : p)));
        return wire;
    }
}
