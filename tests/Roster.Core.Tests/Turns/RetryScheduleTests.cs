using Roster.Core.Turns;

namespace Roster.Core.Tests.Turns;

public sealed class RetryScheduleTests
{
    private const long Minute = 60_000;
    private static readonly Timestamp First = new(1_000_000_000_000);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(5, 16)]
    [InlineData(9, 256)]
    [InlineData(10, 480)]
    [InlineData(1_000, 480)]
    public void ERR_06_The_gap_begins_at_a_minute_doubles_and_never_exceeds_eight_hours(int attempts, int minutes) =>
        Assert.Equal(First.PlusMs(minutes * Minute), RetrySchedule.NextAt(First, First, attempts, 0, hash: 0));

    [Fact]
    public void ERR_06_The_hash_adds_at_most_a_tenth_and_never_passes_eight_hours()
    {
        Assert.Equal(First.PlusMs(66_000), RetrySchedule.NextAt(First, First, 1, 0, hash: 100));
        Assert.Equal(First.PlusMs(480 * Minute), RetrySchedule.NextAt(First, First, 10, 0, hash: 100));
    }

    [Fact]
    public void ERR_06_A_wanted_gap_overrides_a_shorter_one_only()
    {
        Assert.Equal(First.PlusMs(5 * Minute), RetrySchedule.NextAt(First, First, 1, 5 * Minute, hash: 0));
        Assert.Equal(First.PlusMs(16 * Minute), RetrySchedule.NextAt(First, First, 5, 5 * Minute, hash: 0));
    }

    [Fact]
    public void ERR_07_After_three_days_it_has_failed_for_good()
    {
        var last = First.PlusMs(RetrySchedule.RetryForMs - Minute);
        Assert.Equal(First.PlusMs(RetrySchedule.RetryForMs), RetrySchedule.NextAt(last, First, 1, 0, hash: 0));
        Assert.True(RetrySchedule.NextAt(last.PlusMs(1), First, 1, 0, hash: 0).IsNone);
        Assert.True(RetrySchedule.NextAt(First, First, 1, RetrySchedule.RetryForMs + 1, hash: 0).IsNone);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(Minute, 1)]
    [InlineData(Minute + 1, 2)]
    [InlineData(511 * Minute, 9)]
    [InlineData((511 * Minute) + 1, 10)]
    [InlineData(RetrySchedule.RetryForMs, 10)]
    [InlineData(long.MaxValue / 2, 10)]
    public void ERR_06_How_often_it_was_tried_follows_from_the_time_up_to_the_longest_gap(long elapsedMs, int attempts) =>
        Assert.Equal(attempts, RetrySchedule.AttemptsWithin(RetryPolicy.Default, elapsedMs, hash: 0));
}
