using Roster.Core;
using Roster.Core.Journal;
using Roster.Engine.Catalog;
using Roster.Engine.Effects;
using Roster.Engine.Measures;
using Roster.Engine.Turns;

namespace Roster.Engine.Delivery;

/// <summary>Works off one queue of one tenant: as many attempts at once as its deliverer allows, while the receiver answers.</summary>
internal sealed class DeliveryLane
{
    /// <summary>Longer than any attempt takes. When it is over all the same, the task is offered once more, with the same key (ERR-08).</summary>
    private static readonly TimeSpan LeaseFor = TimeSpan.FromMinutes(10);

    private const string Delivered = "DELIVERED";

    private readonly IDeliveryHost _host;
    private readonly IDeliverer _deliverer;
    private readonly FairSlots _slots;
    private readonly RateGate _rate;
    private readonly TimeProvider _time;
    private readonly EngineInstruments _instruments;
    private readonly TenantOwner _owner;
    private readonly string _queue;
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;

    public DeliveryLane(IDeliveryHost host, IDeliverer deliverer, FairSlots slots, RateGate rate, TimeProvider time, EngineInstruments instruments, TenantOwner owner, string queue)
    {
        _instruments = instruments;
        _host = host;
        _deliverer = deliverer;
        _slots = slots;
        _rate = rate;
        _time = time;
        _owner = owner;
        _queue = queue;
    }

    public CircuitBreaker Breaker { get; } = new();

    /// <summary>Runs until cancelled, and returns when nothing of it is under way any more.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await _host.Outbox.WaitAsync(_owner.Number, _queue, cancellationToken).ConfigureAwait(false);
                await WhenRoomAsync(cancellationToken).ConfigureAwait(false);
                var isTrial = await WhenClosedAsync(cancellationToken).ConfigureAwait(false);
                await StartOneAsync(isTrial, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await WhenIdleAsync().ConfigureAwait(false);
        }
    }

    private async Task StartOneAsync(bool isTrial, CancellationToken cancellationToken)
    {
        if (await LeaseAsync(cancellationToken).ConfigureAwait(false) is not { } leased)
        {
            Breaker.NotTried(isTrial);
            return;
        }

        Interlocked.Increment(ref _running);
        _ = AttemptAsync(leased, isTrial, cancellationToken);
    }

    /// <summary>A store that cannot be read now is tried again.</summary>
    private async Task<LeasedEffect?> LeaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            var leased = await _host.Outbox.LeaseAsync(_owner.Number, _queue, 1, LeaseFor, nameof(DeliveryLane), cancellationToken).ConfigureAwait(false);
            return leased.Count == 0 ? null : leased[0];
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            await _host.PauseAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }
    }

    private async Task AttemptAsync(LeasedEffect leased, bool isTrial, CancellationToken cancellationToken)
    {
        var hasSlot = false;
        try
        {
            // Who waits for the rate of the tenant takes no place from others.
            var now = Now;
            if (_deliverer.PerSecond is > 0 and var perSecond && _rate.Take(perSecond, now) is { Ticks: > 0 } wait)
            {
                await _time.DelayUntilAsync(now.PlusMs((long)Math.Ceiling(wait.TotalMilliseconds)), cancellationToken).ConfigureAwait(false);
            }

            await _slots.TakeAsync(_owner.Number, cancellationToken).ConfigureAwait(false);
            hasSlot = true;
            var task = TaskCodec.Unpack(leased.Effect.Task);
            var delivery = new Delivery(_owner, leased, task, _host.KeyOf(_owner, leased, task));
            var startedAt = _time.GetTimestamp();
            var outcome = await DeliverAsync(delivery, cancellationToken).ConfigureAwait(false);
            _instruments.OnDelivery(_owner.Id, _queue, outcome.Result == StepResult.Success ? Delivered : outcome.Code, _time.GetElapsedTime(startedAt));
            if (outcome.IsReceiverDown)
            {
                Breaker.Failed(Now, isTrial);
            }
            else
            {
                Breaker.Succeeded();
            }

            await ReportAsync(delivery, outcome, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The engine stops. The task is open and is offered again at the next start.
            Breaker.NotTried(isTrial);
        }
        finally
        {
            if (hasSlot)
            {
                _slots.Release();
            }

            Interlocked.Decrement(ref _running);
            Pulse();
        }
    }

    private async Task<DeliveryOutcome> DeliverAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        try
        {
            return await _deliverer.DeliverAsync(delivery, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (!(failure is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            return new DeliveryOutcome(StepResult.Failed, FailureCodes.NameOf(FailureCode.Internal), failure.Message) { IsRetryable = true, IsReceiverDown = true };
        }
    }

    /// <summary>What was sent is reported however long it takes; an engine that has failed hears of it no more, and sends it again after its restart.</summary>
    private async Task ReportAsync(Delivery delivery, DeliveryOutcome outcome, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await _host.ReportAsync(delivery, outcome).ConfigureAwait(false);
                return;
            }
            catch (RosterException refused) when (refused.Error == RosterError.Overloaded)
            {
                await _host.PauseAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (RosterException)
            {
                return;
            }
        }
    }

    private async Task WhenRoomAsync(CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref _running) >= Math.Max(1, _deliverer.ConcurrencyMax))
        {
            var changed = Changed;
            if (Volatile.Read(ref _running) >= Math.Max(1, _deliverer.ConcurrencyMax))
            {
                await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>While the breaker is open nothing is tried, and no attempt is used up. Returns whether the next attempt is the one that finds out whether it may close.</summary>
    private async Task<bool> WhenClosedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = Changed;
            if (Breaker.MayTry(Now, out var again, out var isTrial))
            {
                return isTrial;
            }

            if (again.IsNone)
            {
                await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await _time.DelayUntilAsync(again, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task WhenIdleAsync()
    {
        while (true)
        {
            var changed = Changed;
            if (Volatile.Read(ref _running) == 0)
            {
                return;
            }

            await changed.ConfigureAwait(false);
        }
    }

    private Timestamp Now => _time.Now();

    private Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    private void Pulse()
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.TrySetResult();
    }
}
