using Roster.Core;

namespace Roster.Engine.Delivery;

/// <summary>So many per second, and as many at once after a quiet second. Thread-safe.</summary>
public sealed class RateGate
{
    private readonly Lock _gate = new();
    private long _nextAtUs;

    /// <summary>How long until there is a place; takes none.</summary>
    /// <param name="perSecond">Places per second, from 1.</param>
    /// <param name="now">The clock.</param>
    public TimeSpan Wait(int perSecond, Timestamp now)
    {
        lock (_gate)
        {
            return WaitFor(NextAt(perSecond, now), now);
        }
    }

    /// <summary>Takes one place. Returns how long to wait for it: nobody is turned away, work is done later (ERR-10).</summary>
    /// <param name="perSecond">Places per second, from 1.</param>
    /// <param name="now">The clock.</param>
    public TimeSpan Take(int perSecond, Timestamp now)
    {
        lock (_gate)
        {
            var at = NextAt(perSecond, now);
            _nextAtUs = at + GapUs(perSecond);
            return WaitFor(at, now);
        }
    }

    /// <summary>After a quiet second there is one place for each gap of it.</summary>
    private long NextAt(int perSecond, Timestamp now) => Math.Max(_nextAtUs, (now.Ms * 1_000) - 1_000_000 + GapUs(perSecond));

    private static long GapUs(int perSecond) => 1_000_000 / Math.Max(1, perSecond);

    private static TimeSpan WaitFor(long atUs, Timestamp now) => atUs <= now.Ms * 1_000 ? TimeSpan.Zero : TimeSpan.FromMicroseconds(atUs - (now.Ms * 1_000));
}
