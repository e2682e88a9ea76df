using Roster.Core;
using Roster.Engine.Catalog;

namespace Roster.Engine.Operations;

/// <summary>
/// Instants of the calendar: runs of schedules (SCH-01) and workflows that turn themselves off (EDT-01). What follows is a job; the note
/// that the instant has come and the job's document are one commit, so that it happens once.
/// </summary>
public sealed class Scheduler : IAsyncDisposable
{
    private readonly IJobHost _host;
    private readonly DefinitionChanges _changes;
    private readonly Func<IEnumerable<TenantOwner>> _tenants;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Creates the scheduler of a host.</summary>
    public Scheduler(IJobHost host, DefinitionChanges changes, Func<IEnumerable<TenantOwner>> tenants)
    {
        _host = host;
        _changes = changes;
        _tenants = tenants;
    }

    /// <summary>Starts the loop that runs by the clock.</summary>
    public void Start() => _loop = Task.Run(RunAsync);

    /// <summary>Definitions changed: the next instant may be another one.</summary>
    public void Wake()
    {
        if (_wake.CurrentCount == 0)
        {
            try
            {
                _wake.Release();
            }
            catch (SemaphoreFullException)
            {
                // Another caller woke it.
            }
        }
    }

    /// <summary>The earliest instant of all tenants; none when there is none.</summary>
    public Timestamp Next => Find().At;

    /// <summary>Starts everything that is due at or before an instant; returns how many.</summary>
    public int RunDue(Timestamp now)
    {
        var count = 0;
        while (Find() is { At.IsNone: false } next && next.At <= now)
        {
            _changes.TakeScheduled(next.Owner!, next.WorkflowId, now);
            count++;
        }

        return count;
    }

    /// <summary>Stops.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
        _wake.Dispose();
    }

    private (Timestamp At, string WorkflowId, TenantOwner? Owner) Find()
    {
        var next = (At: Timestamp.None, WorkflowId: string.Empty, Owner: (TenantOwner?)null);
        foreach (var owner in _tenants())
        {
            var (at, workflow) = owner.NextScheduled();
            if (!at.IsNone && (next.At.IsNone || at < next.At))
            {
                next = (at, workflow, owner);
            }
        }

        return next;
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var now = _host.Clock.Now();
                try
                {
                    RunDue(now);
                }
                catch (RosterException failure) when (failure.Error == RosterError.Overloaded)
                {
                    // The store is full: it is tried again.
                }

                var next = Next;
                using var timer = new CancellationTokenSource(next.IsNone ? EngineClock.LongestWait : now.WaitUntil(next), _host.Clock);
                if (_host.Clock.Now() != now)
                {
                    // The clock was moved since it was looked at; the timer counts from where it is now and would come too late.
                    continue;
                }

                using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, _stop.Token);
                try
                {
                    await _wake.WaitAsync(both.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
                {
                    // The instant has come.
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
    }
}
