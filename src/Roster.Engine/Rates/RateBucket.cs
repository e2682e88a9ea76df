namespace Roster.Engine.Rates;

/// <summary>
/// A token bucket that holds one second's worth. What is taken at once may be more than it holds: then the next has to wait for longer. One number, no lock:
/// the instant up to which everything is spoken for. Thread-safe.
/// </summary>
public sealed class RateBucket
{
    private const long Burst = TimeSpan.TicksPerSecond;

    private long _spokenFor = long.MinValue;

    /// <summary>Takes tokens when there is one at least, beside those that are left to others.</summary>
    /// <param name="now">The present, in ticks of 100 nanoseconds on a clock that never goes back.</param>
    /// <param name="perSecond">Tokens per second, above 0.</param>
    /// <param name="count">How many to take; 0 only looks.</param>
    /// <param name="reserve">Part of the bucket that is left to others, 0 to 1. One that asks for all of it waits until the bucket is full.</param>
    /// <returns>Zero when they were taken; else how long to wait before it is worth another try, and nothing was taken.</returns>
    public TimeSpan Take(long now, double perSecond, int count, double reserve = 0)
    {
        var token = (long)(Burst / perSecond);
        var needed = Math.Min(Burst, token + (long)(Burst * reserve));
        while (true)
        {
            var present = Volatile.Read(ref _spokenFor);
            var from = Math.Max(present, now - Burst);
            if (from + needed > now)
            {
                return TimeSpan.FromTicks(from + needed - now);
            }

            if (count == 0 || Interlocked.CompareExchange(ref _spokenFor, from + (long)(count * Burst / perSecond), present) == present)
            {
                return TimeSpan.Zero;
            }
        }
    }

    /// <summary>Takes tokens whether or not there are any.</summary>
    public void TakeAnyway(long now, double perSecond, int count)
    {
        while (true)
        {
            var present = Volatile.Read(ref _spokenFor);
            if (Interlocked.CompareExchange(ref _spokenFor, Math.Max(present, now - Burst) + (long)(count * Burst / perSecond), present) == present)
            {
                return;
            }
        }
    }
}
