using Roster.Core;

namespace Roster.Engine;

/// <summary>The clock as the engine reads it and waits for it.</summary>
internal static class EngineClock
{
    /// <summary>Timers of the runtime take at most 49 days; a day is soon enough to look again.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    /// <summary>The present, in milliseconds.</summary>
    public static Timestamp Now(this TimeProvider clock) => new(clock.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>How long from one time to a later one: a millisecond at least, <see cref="LongestWait"/> at most.</summary>
    public static TimeSpan WaitUntil(this Timestamp now, Timestamp until) => TimeSpan.FromMilliseconds(Math.Clamp(until.Ms - now.Ms, 1, (long)LongestWait.TotalMilliseconds));

    /// <summary>
    /// Ends when the clock is at a time or past it. A timer counts from where the clock is when it begins; a clock that is moved by hand may have been moved since the wait was
    /// computed, and would then be waited for too long. So it is looked at again.
    /// </summary>
    public static async Task DelayUntilAsync(this TimeProvider clock, Timestamp until, CancellationToken cancellationToken)
    {
        for (var now = clock.Now(); now < until; now = clock.Now())
        {
            using var again = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var delay = Task.Delay(now.WaitUntil(until), clock, again.Token);
            if (clock.Now() == now)
            {
                await delay.ConfigureAwait(false);
            }
            else
            {
                await again.CancelAsync().ConfigureAwait(false);
            }
        }
    }
}
