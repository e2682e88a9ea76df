using System.Globalization;
using Orleans.Concurrency;
using Orleans.Runtime;
using Roster.Cluster.Calls;
using Roster.Cluster.Contracts;

namespace Roster.Cluster.Grains;

/// <summary>Gives its silo a part of the timers as long as it lives there. The reminder is only a wake-up: due instants are rows of the store.</summary>
[Reentrant]
[PlacedByPart]
public sealed class TimerShardGrain(Silo silo) : Grain, ITimerShardGrain, IRemindable
{
    private const string Reminder = "keep";
    private static readonly TimeSpan RemindEvery = TimeSpan.FromMinutes(1);

    private int _placedAt = -1;

    private int Part => int.Parse(this.GetPrimaryKeyString().AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await this.RegisterOrUpdateReminder(Reminder, RemindEvery, RemindEvery);
        silo.Engine.TakeTimers(Part);
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => silo.Engine.DropTimersAsync(Part);

    /// <inheritdoc/>
    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        silo.Engine.ReloadTimers(Part);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task HearAsync(long[] timers)
    {
        silo.Engine.HearTimers(Part, Timers.FromWire(timers));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task PingAsync()
    {
        if (silo.HasMoved(this.GetPrimaryKeyString(), ref _placedAt))
        {
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<GrainReply> CompleteAsync(string tenant, byte[] completion) => Replies.OfAsync(async () =>
    {
        await silo.Engine.PrepareAsync(tenant, CancellationToken.None);
        return await EngineCalls.RunAsync(silo.Engine, tenant, "CompleteTask", completion);
    });
}
