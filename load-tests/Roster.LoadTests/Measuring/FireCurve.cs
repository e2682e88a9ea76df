namespace Roster.LoadTests.Measuring;

/// <summary>
/// How late timers fired, from a count that was read again and again. Timers fire in the order of their due instants, so the k-th that fired
/// is the k-th that was due; between two readings they are taken as evenly spread. The error is at most the time between readings.
/// </summary>
/// <param name="dueOf">Instant at which the k-th timer is due, from 0.</param>
/// <param name="onFired">Hears how late each was; null for nobody.</param>
internal sealed class FireCurve(Func<long, TimeSpan> dueOf, Action<TimeSpan>? onFired = null)
{
    private TimeSpan _at;
    private long _fired;

    /// <summary>How late each was.</summary>
    public LatencyHistogram Lateness { get; } = new();

    /// <summary>Timers that have fired.</summary>
    public long Fired => _fired;

    /// <summary>When the first reading with a fired timer was made; null while none has fired.</summary>
    public TimeSpan? FirstAt { get; private set; }

    /// <summary>When the last change was read.</summary>
    public TimeSpan LastAt { get; private set; }

    /// <summary>A reading: at this instant so many had fired.</summary>
    public void Read(TimeSpan at, long fired)
    {
        var count = fired - _fired;
        for (var i = 0L; i < count; i++)
        {
            var firedAt = _at + ((at - _at) * ((i + 1.0) / count));
            var late = firedAt - dueOf(_fired + i);
            Lateness.Add(late);
            onFired?.Invoke(late);
        }

        if (count > 0)
        {
            FirstAt ??= at;
            LastAt = at;
            _fired = fired;
        }

        _at = at;
    }
}
