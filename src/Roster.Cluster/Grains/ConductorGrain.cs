using Orleans.Concurrency;
using Orleans.Runtime;
using Roster.Cluster.Calls;
using Roster.Cluster.Contracts;

namespace Roster.Cluster.Grains;

/// <summary>
/// Gives its silo the duties as long as it lives there. The reminder brings it back to life somewhere when its silo has died, if no silo was quicker.
/// </summary>
[Reentrant]
public sealed class ConductorGrain(Silo silo, [PersistentState("conductor", ClusterOptions.StorageName)] IPersistentState<ConductorState> state)
    : Grain, IConductorGrain, IRemindable
{
    private const string Reminder = "keep";
    private static readonly TimeSpan RemindEvery = TimeSpan.FromMinutes(1);

    /// <summary>How long a wait lasts at most; the caller asks again. Well below the time after which a call is given up.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Of two that come to life at once one fails here.
        state.State.Term++;
        await state.WriteStateAsync(cancellationToken);
        await this.RegisterOrUpdateReminder(Reminder, RemindEvery, RemindEvery);
        await silo.Engine.TakeDutiesAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => silo.Engine.DropDutiesAsync();

    /// <inheritdoc/>
    public Task ReceiveReminder(string reminderName, TickStatus status) => silo.Engine.ResyncAsync(CancellationToken.None);

    /// <inheritdoc/>
    public Task<GrainReply> CallAsync(string tenant, string method, byte[] request) => Replies.OfAsync(async () =>
    {
        await silo.Engine.RefreshAsync(CancellationToken.None);
        return await EngineCalls.RunAsync(silo.Engine, tenant, method, request);
    });

    /// <inheritdoc/>
    public Task HearAsync(NoticeMessage notice)
    {
        silo.Engine.Hear(notice);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task ResyncAsync() => silo.Engine.ResyncAsync(CancellationToken.None);

    /// <inheritdoc/>
    public Task PingAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<GrainReply> LeaseAsync(LeaseMessage lease) => Replies.OfListAsync(
        () => silo.Engine.LeaseTasksAsync(lease.Tenant, lease.Queue, lease.TasksMax, TimeSpan.FromMilliseconds(lease.LeaseForMs), lease.Owner, CancellationToken.None));

    /// <inheritdoc/>
    public async Task WaitForTasksAsync(string tenant, string queue)
    {
        using var over = new CancellationTokenSource(WaitMax, TimeProvider.System);
        try
        {
            await silo.Engine.WaitForTasksAsync(tenant, queue, over.Token);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // Nothing came; the caller asks again.
        }
    }

    /// <inheritdoc/>
    public async Task<GrainReply> WaitForOperationAsync(string tenant, string operationId)
    {
        using var over = new CancellationTokenSource(WaitMax, TimeProvider.System);
        return await Replies.OfAsync(async () => await silo.Engine.WaitOperationAsync(tenant, operationId, over.Token));
    }

    /// <inheritdoc/>
    public Task<GrainReply> KeepAsync(LeaseMessage lease) => Replies.OfListAsync<V1.WorkTask>(async () =>
    {
        await silo.Engine.KeepLeasesAsync(lease.Tenant, lease.Queue, lease.Owner, lease.Keys, CancellationToken.None);
        return [];
    });

    /// <inheritdoc/>
    public Task ReleaseAsync(LeaseMessage lease)
    {
        silo.Engine.ReleaseLeases(lease.Tenant, lease.Queue, lease.Owner);
        return Task.CompletedTask;
    }
}
