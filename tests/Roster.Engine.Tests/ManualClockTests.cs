namespace Roster.Engine.Tests;

public sealed class ManualClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void It_moves_forward_only()
    {
        var clock = new ManualClock(Start);
        clock.MoveTo(Start.AddHours(1));
        Assert.Equal(Start.AddHours(1), clock.GetUtcNow());
        Assert.Throws<ArgumentOutOfRangeException>(() => clock.MoveTo(Start));
        Assert.Equal(TimeSpan.FromHours(1), clock.GetElapsedTime(Start.UtcTicks));
    }

    [Fact]
    public void Timers_fire_in_the_order_of_their_instants_when_the_clock_passes_them_and_not_before()
    {
        var clock = new ManualClock(Start);
        var fired = new List<string>();
        using var later = clock.CreateTimer(_ => fired.Add("later"), null, TimeSpan.FromSeconds(20), Timeout.InfiniteTimeSpan);
        using var sooner = clock.CreateTimer(_ => fired.Add("sooner"), null, TimeSpan.FromSeconds(10), Timeout.InfiniteTimeSpan);
        using var never = clock.CreateTimer(_ => fired.Add("never"), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        clock.MoveTo(Start.AddSeconds(9));
        Assert.Empty(fired);
        clock.MoveTo(Start.AddSeconds(30));
        clock.MoveTo(Start.AddSeconds(60));
        Assert.Equal(["sooner", "later"], fired);
    }

    [Fact]
    public void A_periodic_timer_fires_again_a_disposed_one_does_not_and_a_due_one_fires_at_once()
    {
        var clock = new ManualClock(Start);
        var count = 0;
        var timer = clock.CreateTimer(_ => count++, null, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Equal(1, count);
        clock.MoveTo(Start.AddSeconds(10));
        clock.MoveTo(Start.AddSeconds(20));
        Assert.Equal(3, count);
        timer.Dispose();
        clock.MoveTo(Start.AddSeconds(40));
        Assert.Equal(3, count);
    }
}
