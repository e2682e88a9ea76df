using System.Globalization;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Engine;
using Roster.Engine.Catalog;
using Roster.Engine.Effects;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Protocol.Mapping;
using Roster.V1;
using Timestamp = Roster.Core.Timestamp;

namespace Roster.Embedded;

/// <content>Tasks for workers.</content>
public sealed partial class EmbeddedEngine
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
        var leased = await _outbox.LeaseAsync(tenantOwner.Number, queue, tasksMax, leaseFor, owner, cancellationToken).ConfigureAwait(false);
        return [.. leased.Select(l => ToWire(l, tenantOwner))];
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
        if (completion.Outcome is not (TaskCompletion.Types.Outcome.Completed or TaskCompletion.Types.Outcome.Skipped or TaskCompletion.Types.Outcome.Failed))
        {
            throw RosterException.Invalid("completion.outcome", $"{completion.Outcome}", "The outcome is COMPLETED, SKIPPED or FAILED.");
        }

        if (completion.Outcome == TaskCompletion.Types.Outcome.Failed && completion.Retryable && await RetryAsync(owner, key, completion, cancellationToken).ConfigureAwait(false))
        {
            return true;
        }

        var outputs = ReadOutputs(completion);
        var id = default(EffectId);
        var result = await RunAsync(owner.Number, key.Record, state => Find(state, owner, key, out id) ? ToInput(id, completion, outputs) : null, cancellationToken).ConfigureAwait(false);
        if (result.Status != TurnStatus.Applied && id != default)
        {
            _outbox.Drop(id);
        }

        return result.Status == TurnStatus.Applied;
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
            (ids ??= []).Add(await FindAsync(tenantOwner, key, cancellationToken).ConfigureAwait(false));
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
        return new Queue { Queue_ = request.Queue, Waiting = Math.Max(0, open - leased), Leased = leased };
    }

    private readonly record struct TaskKey(long Record, int Enrollment, string Step, int Execution);

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

    /// <summary>The open effect under a key; default when there is none.</summary>
    private async ValueTask<EffectId> FindAsync(TenantOwner owner, TaskKey key, CancellationToken cancellationToken)
    {
        var id = default(EffectId);
        await RunAsync(
            owner.Number,
            key.Record,
            state =>
            {
                Find(state, owner, key, out id);
                return null;
            },
            cancellationToken).ConfigureAwait(false);
        return id;
    }

    private static bool Find(RecordState state, TenantOwner owner, TaskKey key, out EffectId id)
    {
        id = default;
        if (state.Tenant != owner.Number)
        {
            return false;
        }

        foreach (ref readonly var effect in state.OpenEffects)
        {
            if (effect.Enrollment == key.Enrollment && effect.Execution == key.Execution && owner.StepId(effect.Workflow, effect.Step) == key.Step)
            {
                id = new EffectId(key.Record, effect.Enrollment, effect.Step, effect.Execution);
                return true;
            }
        }

        return false;
    }

    private static CompletionInput ToInput(EffectId id, TaskCompletion completion, NamedValue[] outputs)
    {
        var result = completion.Outcome switch
        {
            TaskCompletion.Types.Outcome.Completed => StepResult.Success,
            TaskCompletion.Types.Outcome.Skipped => StepResult.Skipped,
            _ => StepResult.Failed,
        };
        var code = result != StepResult.Failed ? string.Empty : completion.Retryable ? "EXHAUSTED" : "WORKER";
        var error = completion.Error.Length <= 1_000 ? completion.Error : completion.Error[..1_000];
        return new CompletionInput(id.Enrollment, id.Step, id.Execution, result, code, error, outputs);
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

    /// <summary>Offers a task again when the schedule has a next attempt; false when it has failed for good.</summary>
    private async Task<bool> RetryAsync(TenantOwner owner, TaskKey key, TaskCompletion completion, CancellationToken cancellationToken)
    {
        var id = await FindAsync(owner, key, cancellationToken).ConfigureAwait(false);
        if (id == default)
        {
            return false;
        }

        if (_outbox.Attempts(id) is not { FirstTriedAt.IsNone: false } attempts)
        {
            // It was leased before a restart: it is open and is offered again as all open tasks are.
            return true;
        }

        var now = new Timestamp(Clock.GetUtcNow().ToUnixTimeMilliseconds());
        var wantedMs = completion.RetryAfter is { Seconds: > 0 and < 1_000_000 } wanted ? (long)wanted.ToTimeSpan().TotalMilliseconds : 0;
        var at = RetrySchedule.NextAt(now, attempts.FirstTriedAt, attempts.Attempts, wantedMs, StableHash.Hash128(completion.Key).High);
        return !at.IsNone && _outbox.Retry(id, at);
    }

    private static WorkTask ToWire(LeasedEffect leased, TenantOwner owner)
    {
        var task = TaskCodec.Unpack(leased.Effect.Task);
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
            LeaseUntil = ValueMapping.ToWire(leased.LeaseUntil),
        };
        wire.Fields.AddRange(task.Fields.Select(f => ValueMapping.ToWire(f)));
        wire.Properties.AddRange(task.Properties.Select(p => ValueMapping.ToWire(p)));
        return wire;
    }
}
