using Roster.LoadTests.Measuring;

namespace Roster.LoadTests.Tests;

public sealed class OpenLoopScheduleTests
{
    [Fact]
    public void All_streams_together_have_the_rate()
    {
        var schedules = Enumerable.Range(0, 4).Select(stream => new OpenLoopSchedule(10_000, 4, stream, 500)).ToList();
        var within = schedules.Sum(s => Enumerable.Range(0, 1_000).Count(batch => s.DueAfter(batch * 500) < TimeSpan.FromSeconds(10)) * 500);
        Assert.Equal(100_000, within);
    }

    [Fact]
    public void The_streams_take_turns()
    {
        var due = Enumerable.Range(0, 4).SelectMany(stream =>
        {
            var schedule = new OpenLoopSchedule(10_000, 4, stream, 500);
            return new[] { schedule.DueAfter(0), schedule.DueAfter(500) };
        });
        Assert.Equal(Enumerable.Range(0, 8).Select(i => TimeSpan.FromMilliseconds(i * 50)), due.Order());
    }

    [Fact]
    public void A_long_run_does_not_drift()
    {
        var schedule = new OpenLoopSchedule(33_333, 1, 0, 500);
        Assert.Equal(86_400, schedule.DueAfter(33_333L * 86_400).TotalSeconds, 6);
    }
}
