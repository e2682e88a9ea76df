using NodaTime;
using Roster.Core.Calendars;
using static Roster.Core.Tests.Calendars.Naive;

namespace Roster.Core.Tests.Calendars;

public sealed class AnchorTimingTests
{
    private const string Berlin = "Europe/Berlin";

    [Theory]
    [InlineData("2026-12-24", 0, "09:00", "2026-12-24T09:00")]
    [InlineData("2026-12-24", -30, "08:30", "2026-11-24T08:30")]
    [InlineData("2026-12-24", 8, "00:00", "2027-01-01T00:00")]
    [InlineData("2026-03-30", -1, "02:30", "2026-03-29T03:00")]
    public void SCH_06_A_step_runs_some_days_before_or_after_the_anchor_at_its_time(string anchor, int offset, string time, string instant) =>
        Assert.Equal(instant, Show(AnchorTiming.InstantOf(Date(anchor), offset, Time(time), Zone(Berlin)), Berlin));

    [Theory]
    [InlineData("2020-06-01", "2026-05-10", "2026-06-01")]
    [InlineData("2020-06-01", "2026-06-01", "2026-06-01")]
    [InlineData("2020-06-01", "2026-06-02", "2027-06-01")]
    [InlineData("2090-06-01", "2026-06-02", "2027-06-01")]
    [InlineData("2024-02-29", "2026-06-01", "2027-02-28")]
    [InlineData("2024-02-29", "2027-02-28", "2027-02-28")]
    [InlineData("2024-02-29", "2027-03-01", "2028-02-29")]
    [InlineData("2024-02-29", "2028-02-28", "2028-02-29")]
    [InlineData("2024-01-01", "9999-06-01", "9999-12-31")]
    public void SCH_06_The_year_of_an_anchor_that_recurs_is_ignored(string anchor, string notBefore, string next) =>
        Assert.Equal(Date(next), AnchorTiming.NextAnchor(Date(anchor), Date(notBefore)));

    [Fact]
    public void SCH_08_A_step_before_the_enrollment_is_past_and_one_at_its_instant_is_not()
    {
        var instant = AnchorTiming.InstantOf(Date("2026-12-24"), -3, Time("09:00"), Zone(Berlin));
        Assert.False(AnchorTiming.IsPast(instant, instant.PlusMs(-1)));
        Assert.False(AnchorTiming.IsPast(instant, instant));
        Assert.True(AnchorTiming.IsPast(instant, instant.PlusMs(1)));
    }

    [Fact]
    public void SCH_08_Steps_that_the_clock_moves_to_one_instant_keep_the_order_of_the_definition()
    {
        // 02:15 and 02:45 are skipped; sorting by instant leaves the two in the order in which they were written.
        var steps = new[] { "02:45", "02:15", "01:00" };
        var ordered = steps.OrderBy(s => AnchorTiming.InstantOf(Date("2026-03-29"), 0, Time(s), Zone(Berlin)));
        Assert.Equal(["01:00", "02:45", "02:15"], ordered);
    }

    [Theory]
    [InlineData("2020-06-01", 2026, -10, "2026-05-10T12:00", "2027-05-22T00:00")]
    [InlineData("2020-06-01", 2026, -10, "2026-06-05T12:00", "2027-05-22T00:00")]
    [InlineData("2020-06-01", 2026, 5, "2026-06-05T12:00", "2027-06-06T00:00")]
    [InlineData("2020-01-05", 2026, -10, "2025-12-26T09:00", "2026-12-26T00:00")]
    [InlineData("2020-06-01", 2026, -10, "2027-05-21T23:59", "2027-05-22T00:00")]
    [InlineData("2020-06-01", 2026, -10, "2027-05-22T00:00", "2028-05-22T00:00")]
    [InlineData("2020-06-01", 2026, -10, "2031-07-01T00:00", "2032-05-22T00:00")]
    [InlineData("2024-02-29", 2028, 0, "2028-02-29T12:00", "2029-02-28T00:00")]
    [InlineData("2024-02-29", 2027, 0, "2027-02-28T12:00", "2028-02-29T00:00")]
    [InlineData("2024-02-28", 2027, 1, "2027-02-28T12:00", "2028-02-29T00:00")]
    public void SCH_09_It_recurs_at_midnight_on_the_day_of_next_years_first_step(string anchor, int year, int firstOffset, string after, string recurrence) =>
        Assert.Equal(recurrence, Show(AnchorTiming.RecurrenceAt(Date(anchor), year, firstOffset, Zone(Berlin), In(Berlin, after)), Berlin));

    [Fact]
    public void SCH_09_Midnight_in_a_gap_is_the_first_instant_after_it() =>
        Assert.Equal(Utc("2026-03-28T22:00:00Z"), AnchorTiming.RecurrenceAt(Date("2025-03-29"), 2025, 0, Zone("Asia/Beirut"), Utc("2025-03-29T00:00:00Z")));

    [Fact]
    public void The_ends_of_the_calendar_are_no_fault()
    {
        Assert.Equal(Timestamp.None, AnchorTiming.RecurrenceAt(Date("2026-06-01"), 9999, 0, Zone(Berlin), Utc("9999-06-01T00:00:00Z")));
        Assert.Equal(Timestamp.None, AnchorTiming.RecurrenceAt(Date("2026-06-01"), 2026, 0, Zone(Berlin), Timestamp.Max));
        Assert.Equal(Utc("0002-05-31T23:06:32Z"), AnchorTiming.RecurrenceAt(Date("2026-06-01"), 1, 0, Zone(Berlin), Timestamp.Min));
        Assert.Equal(Timestamp.Max, AnchorTiming.InstantOf(Date("9999-12-31"), int.MaxValue, LocalTime.Midnight, Zone(Berlin)));
        Assert.Equal(Timestamp.Min, AnchorTiming.InstantOf(Date("2026-06-01"), int.MinValue, LocalTime.Midnight, Zone(Berlin)));
    }
}
