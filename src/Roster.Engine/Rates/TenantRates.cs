using System.Collections.Concurrent;
using Roster.Core.Schema;

namespace Roster.Engine.Rates;

/// <summary>
/// How fast tenants may go (LIM-02): turns and calls per second, by their settings. A tenant without a cap costs a look at its settings. Thread-safe.
/// </summary>
/// <param name="settings">Settings of a tenant; null for one that there is not yet.</param>
/// <param name="clock">Real time: also with an engine's clock that is moved by hand, processors and disks take real time.</param>
public sealed class TenantRates(Func<string, TenantSettings?> settings, TimeProvider clock)
{
    /// <summary>What bulk jobs leave to live events of their tenant, as a part of its rate.</summary>
    private const double BulkReserve = 0.5;

    /// <summary>How long a bulk job waits at most for one turn, so that it gets on however much else there is.</summary>
    private static readonly TimeSpan BulkWaitMax = TimeSpan.FromSeconds(1);

    private readonly long _origin = clock.GetTimestamp();
    private readonly ConcurrentDictionary<string, Buckets> _buckets = new(StringComparer.Ordinal);
    private volatile int _processes = 1;

    /// <summary>
    /// Processes that calls of a tenant come in by. Each gives it an equal part of its rates, so that all of them together give what its settings allow. From 1, which is
    /// the default; below that it is taken as 1.
    /// </summary>
    public int Processes
    {
        get => _processes;
        set => _processes = Math.Max(1, value);
    }

    /// <summary>Takes a call; zero when the tenant may make one now, else how long it has to wait.</summary>
    public TimeSpan TakeCall(string tenant) =>
        settings(tenant)?.CallsPerSecond is > 0 and var rate ? Of(tenant).Calls.Take(Now, PartOf(rate), 1) : TimeSpan.Zero;

    /// <summary>Takes turns; zero when the tenant may have some now, else how long it has to wait, and nothing was taken.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="count">How many; 0 only looks.</param>
    public TimeSpan TakeTurns(string tenant, int count) =>
        settings(tenant)?.TurnsPerSecond is > 0 and var rate ? Of(tenant).Turns.Take(Now, PartOf(rate), count) : TimeSpan.Zero;

    /// <summary>Notes turns of a call that was let in before it could be said how many there are.</summary>
    public void NoteTurns(string tenant, int count)
    {
        if (settings(tenant)?.TurnsPerSecond is > 0 and var rate)
        {
            Of(tenant).Turns.TakeAnyway(Now, PartOf(rate), count);
        }
    }

    /// <summary>Waits until the tenant may have turns, and takes them. Whoever waits does not keep others waiting.</summary>
    public ValueTask WaitForTurnsAsync(string tenant, int count, CancellationToken cancellationToken)
    {
        var wait = TakeTurns(tenant, count);
        return wait == TimeSpan.Zero ? ValueTask.CompletedTask : WaitAsync(wait, tenant, count, cancellationToken);
    }

    /// <summary>
    /// Waits until a bulk job of the tenant may have one turn, and takes it: when half of what the tenant may have is left to live events, or after a second.
    /// </summary>
    public ValueTask WaitForBulkTurnAsync(string tenant, CancellationToken cancellationToken)
    {
        if (settings(tenant)?.TurnsPerSecond is not (> 0 and var rate))
        {
            return ValueTask.CompletedTask;
        }

        var turns = Of(tenant).Turns;
        var wait = turns.Take(Now, PartOf(rate), 1, BulkReserve);
        return wait == TimeSpan.Zero ? ValueTask.CompletedTask : WaitForBulkAsync(turns, wait, rate, cancellationToken);
    }

    private long Now => clock.GetElapsedTime(_origin).Ticks;

    private double PartOf(int rate) => (double)rate / _processes;

    private Buckets Of(string tenant) => _buckets.GetOrAdd(tenant, static _ => new Buckets());

    private async ValueTask WaitAsync(TimeSpan wait, string tenant, int count, CancellationToken cancellationToken)
    {
        while (wait > TimeSpan.Zero)
        {
            await Task.Delay(RoundUp(wait), clock, cancellationToken).ConfigureAwait(false);
            wait = TakeTurns(tenant, count);
        }
    }

    private async ValueTask WaitForBulkAsync(RateBucket turns, TimeSpan wait, int rate, CancellationToken cancellationToken)
    {
        var waited = TimeSpan.Zero;
        while (wait > TimeSpan.Zero && waited < BulkWaitMax)
        {
            var next = RoundUp(wait < BulkWaitMax - waited ? wait : BulkWaitMax - waited);
            await Task.Delay(next, clock, cancellationToken).ConfigureAwait(false);
            waited += next;
            wait = turns.Take(Now, PartOf(rate), 1, BulkReserve);
        }

        if (wait > TimeSpan.Zero)
        {
            turns.TakeAnyway(Now, PartOf(rate), 1);
        }
    }

    /// <summary>Timers count milliseconds and drop the rest, which would make a wait of less than one a spin.</summary>
    private static TimeSpan RoundUp(TimeSpan wait) => TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));

    private sealed class Buckets
    {
        public RateBucket Turns { get; } = new();

        public RateBucket Calls { get; } = new();
    }
}
