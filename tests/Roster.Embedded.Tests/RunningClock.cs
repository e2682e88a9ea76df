using Roster.Engine;

namespace Roster.Embedded.Tests;

/// <summary>A clock that an engine takes for a real one, so that timers fire by themselves when a test moves it. It can also be put back.</summary>
internal sealed class RunningClock(DateTimeOffset start) : TimeProvider
{
    private readonly ManualClock _clock = new(start);
    private long _backTicks;

    public override long TimestampFrequency => _clock.TimestampFrequency;

    /// <summary>By how much it goes wrong.</summary>
    public TimeSpan Back
    {
        set => Volatile.Write(ref _backTicks, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => _clock.GetUtcNow().AddTicks(-Volatile.Read(ref _backTicks));

    public override long GetTimestamp() => _clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => _clock.CreateTimer(callback, state, dueTime, period);

    public void Move(TimeSpan time) => _clock.MoveTo(_clock.GetUtcNow() + time);
}
