namespace Roster.Engine;

/// <summary>A clock that stands still until it is moved: <c>--clock manual</c>, demos and tests.</summary>
/// <remarks>Timers made from it fire when the clock passes them, on the thread that moves it. Thread-safe.</remarks>
public sealed class ManualClock : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now;

    /// <summary>Creates a clock that stands at an instant.</summary>
    public ManualClock(DateTimeOffset start) => _now = start;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    /// <summary>When the next timer that was made from this clock is due; null when none is. For tests that move time from timer to timer.</summary>
    public DateTimeOffset? NextTimer
    {
        get
        {
            lock (_gate)
            {
                return _timers.Count > 0 ? _timers.Min(t => t.DueAt) : null;
            }
        }
    }

    /// <summary>Moves the clock to an instant; never back.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The instant is past.</exception>
    public void MoveTo(DateTimeOffset instant)
    {
        List<ManualTimer> due;
        lock (_gate)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(instant, _now);
            _now = instant;
            due = [.. _timers.Where(t => t.DueAt <= instant).OrderBy(t => t.DueAt)];
            foreach (var timer in due)
            {
                timer.Rearm(instant);
            }

            _timers.RemoveAll(t => t.DueAt == DateTimeOffset.MaxValue);
        }

        foreach (var timer in due)
        {
            timer.Fire();
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public DateTimeOffset DueAt { get; private set; } = DateTimeOffset.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                _period = period;
                var isIdle = dueTime == Timeout.InfiniteTimeSpan || (dueTime == TimeSpan.Zero && period <= TimeSpan.Zero);
                DueAt = isIdle ? DateTimeOffset.MaxValue : clock._now + (dueTime > TimeSpan.Zero ? dueTime : period);
                clock._timers.Remove(this);
                if (DueAt != DateTimeOffset.MaxValue)
                {
                    clock._timers.Add(this);
                }
            }

            if (dueTime == TimeSpan.Zero)
            {
                Fire();
            }

            return true;
        }

        public void Rearm(DateTimeOffset now) => DueAt = _period > TimeSpan.Zero ? now + _period : DateTimeOffset.MaxValue;

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (clock._gate)
            {
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
