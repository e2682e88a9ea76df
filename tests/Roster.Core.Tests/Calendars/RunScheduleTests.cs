using NodaTime;
using Roster.Core.Calendars;
using static Roster.Core.Tests.Calendars.Naive;

namespace Roster.Core.Tests.Calendars;

public sealed class RunScheduleTests
{
    private const string Berlin = "Europe/Berlin";
    private static readonly LocalTime Nine = new(9, 0);

    [Fact]
    public void SCH_01_Once_runs_once()
    {
        var schedule = RunSchedule.Once(Local("2026-12-01T09:00"), Zone(Berlin));
        var run = In(Berlin, "2026-12-01T09:00");
        Assert.Equal(run, schedule.NextAfter(In(Berlin, "1999-06-01T00:00")));
        Assert.Equal(run, schedule.NextAfter(run.PlusMs(-1)));
        Assert.Equal(Timestamp.None, schedule.NextAfter(run));
        Assert.Equal(Timestamp.None, schedule.NextAfter(run.PlusMs(1)));
        Assert.Equal(run, schedule.LatestIn(run.PlusMs(-1), run));
        Assert.Equal(run, schedule.LatestIn(run.PlusMs(-1), In(Berlin, "2199-06-01T00:00")));
        Assert.Equal(Timestamp.None, schedule.LatestIn(run, In(Berlin, "2199-06-01T00:00")));
        Assert.Equal(Timestamp.None, schedule.LatestIn(In(Berlin, "1999-06-01T00:00"), run.PlusMs(-1)));
    }

    [Fact]
    public void SCH_01_Daily_runs_every_day() =>
        AssertRuns(RunSchedule.Daily(Nine, Zone(Berlin)), "2026-06-01T09:00", "2026-06-02T09:00", "2026-06-03T09:00", "2026-06-04T09:00");

    [Fact]
    public void SCH_01_Weekly_runs_on_its_days() =>
        AssertRuns(RunSchedule.Weekly(Weekdays.Monday | Weekdays.Friday, Nine, Zone(Berlin)), "2026-06-01T10:00", "2026-06-05T09:00", "2026-06-08T09:00", "2026-06-12T09:00");

    [Fact]
    public void SCH_01_Monthly_runs_on_its_days() =>
        AssertRuns(Monthly([1, 15]), "2026-06-01T09:00", "2026-06-15T09:00", "2026-07-01T09:00", "2026-07-15T09:00");

    [Fact]
    public void SCH_01_Monthly_runs_on_the_last_day() =>
        AssertRuns(Monthly([], lastDay: true), "2028-01-31T09:00", "2028-02-29T09:00", "2028-03-31T09:00", "2028-04-30T09:00");

    [Theory]
    [InlineData(1, Weekdays.Monday, "2026-06-01", "2026-07-06", "2026-08-03")]
    [InlineData(2, Weekdays.Monday, "2026-06-08", "2026-07-13", "2026-08-10")]
    [InlineData(3, Weekdays.Sunday, "2026-06-21", "2026-07-19", "2026-08-16")]
    [InlineData(4, Weekdays.Tuesday, "2026-06-23", "2026-07-28", "2026-08-25")]
    [InlineData(-1, Weekdays.Tuesday, "2026-06-30", "2026-07-28", "2026-08-25")]
    [InlineData(-1, Weekdays.Monday, "2026-06-29", "2026-07-27", "2026-08-31")]
    public void SCH_01_Monthly_runs_on_a_weekday_of_the_month(int nth, Weekdays weekday, params string[] dates) =>
        AssertRuns(Monthly([], nth: nth, weekdays: weekday), "2026-05-31T10:00", [.. dates.Select(d => d + "T09:00")]);

    [Fact]
    public void SCH_01_Monthly_days_add_up_and_count_once() =>
        AssertRuns(
            Monthly([1, 30], lastDay: true, nth: 1, weekdays: Weekdays.Monday | Weekdays.Tuesday),
            "2026-05-31T10:00",
            "2026-06-01T09:00",
            "2026-06-02T09:00",
            "2026-06-30T09:00",
            "2026-07-01T09:00",
            "2026-07-06T09:00",
            "2026-07-07T09:00",
            "2026-07-30T09:00",
            "2026-07-31T09:00");

    [Fact]
    public void SCH_01_Yearly_runs_on_its_day() =>
        AssertRuns(RunSchedule.Yearly(12, 24, Nine, Zone(Berlin)), "2026-06-01T00:00", "2026-12-24T09:00", "2027-12-24T09:00", "2028-12-24T09:00");

    [Fact]
    public void SCH_04_A_month_without_the_named_day_is_skipped()
    {
        AssertRuns(Monthly([31]), "2026-01-31T09:00", "2026-03-31T09:00", "2026-05-31T09:00", "2026-07-31T09:00", "2026-08-31T09:00");
        AssertRuns(Monthly([29]), "2027-01-29T09:00", "2027-03-29T09:00");
        AssertRuns(Monthly([29]), "2028-01-29T09:00", "2028-02-29T09:00");
    }

    [Fact]
    public void SCH_04_Yearly_29_February_counts_as_28_February_in_other_years() =>
        AssertRuns(
            RunSchedule.Yearly(2, 29, Nine, Zone(Berlin)),
            "2026-03-01T00:00",
            "2027-02-28T09:00",
            "2028-02-29T09:00",
            "2029-02-28T09:00",
            "2030-02-28T09:00",
            "2031-02-28T09:00",
            "2032-02-29T09:00");

    [Theory]
    [InlineData(Berlin, "02:30", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z")]
    [InlineData(Berlin, "02:30", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")]
    [InlineData("Asia/Beirut", "00:00", "2026-03-28T12:00:00Z", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z")]
    [InlineData("Australia/Lord_Howe", "02:15", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z")]
    [InlineData("Pacific/Apia", "09:00", "2011-12-29T20:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z")]
    [InlineData("Pacific/Apia", "00:00", "2011-12-29T20:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z")]
    public void SCH_04_DLY_04_applies_to_runs(string zone, string time, string after, string first, string second)
    {
        var schedule = RunSchedule.Daily(Time(time), Zone(zone));
        Assert.Equal(Utc(first), schedule.NextAfter(Utc(after)));
        Assert.Equal(Utc(second), schedule.NextAfter(Utc(first)));
        Assert.Equal(Utc(first), schedule.LatestIn(Utc(after), Utc(second).PlusMs(-1)));
        Assert.Equal(Utc(second), schedule.LatestIn(Utc(after), Utc(second)));
    }

    [Fact]
    public void SCH_05_Only_the_latest_of_the_missed_runs_is_made_up()
    {
        var schedule = RunSchedule.Daily(Nine, Zone(Berlin));
        Assert.Equal(In(Berlin, "2026-06-08T09:00"), schedule.LatestIn(In(Berlin, "2026-06-01T09:00"), In(Berlin, "2026-06-09T08:59")));
        Assert.Equal(In(Berlin, "2026-06-09T09:00"), schedule.LatestIn(In(Berlin, "2026-06-01T09:00"), In(Berlin, "2026-06-09T09:00")));
        Assert.Equal(Timestamp.None, schedule.LatestIn(In(Berlin, "2026-06-01T09:00"), In(Berlin, "2026-06-02T08:59")));
        Assert.Equal(Timestamp.None, schedule.LatestIn(In(Berlin, "2026-06-01T09:00"), In(Berlin, "2026-06-01T09:00")));
        Assert.Equal(Timestamp.None, schedule.LatestIn(In(Berlin, "2026-06-02T10:00"), In(Berlin, "2026-06-01T09:00")));
    }

    [Fact]
    public void SCH_05_A_run_is_over_also_when_the_clock_went_back_to_the_day_before()
    {
        // St John's went back from 00:01 on Sunday, at 02:31Z, to 23:01 on Saturday.
        var schedule = RunSchedule.Daily(LocalTime.Midnight, Zone("America/St_Johns"));
        Assert.Equal(Utc("2010-11-07T02:30:00Z"), schedule.LatestIn(Utc("2010-11-06T12:00:00Z"), Utc("2010-11-07T02:45:00Z")));
        Assert.Equal(Utc("2010-11-08T03:30:00Z"), schedule.NextAfter(Utc("2010-11-07T02:45:00Z")));
    }

    [Fact]
    public void SCH_01_SCH_04_SCH_05_Runs_agree_with_looking_at_every_day()
    {
        var random = new Random(9);
        for (var i = 0; i < 600; i++)
        {
            var (zone, near) = SomeTime(random);
            var time = SomeTimeOfDay(random);
            var (schedule, runsOn) = SomeSchedule(random, time, zone);
            var after = near.PlusMs(random.NextInt64(-20 * Day, 20 * Day));
            var upTo = near.PlusMs(random.NextInt64(-5 * Day, 200 * Day));
            var today = near.ToInstant().InZone(zone).Date;
            var runs = Enumerable.Range(-420, 840).Select(d => today.PlusDays(d)).Where(runsOn).Select(d => FirstNotBefore(d.At(time), zone)).ToArray();
            Assert.True(runs.First(r => r > after) == schedule.NextAfter(after), $"case {i}: next after {after} in {zone.Id} is {schedule.NextAfter(after)}");
            var latest = runs.LastOrDefault(r => r > after && r <= upTo);
            Assert.True(latest == schedule.LatestIn(after, upTo), $"case {i}: latest in {after} to {upTo} in {zone.Id} is {schedule.LatestIn(after, upTo)}, not {latest}");
        }
    }

    [Fact]
    public void The_ends_of_the_calendar_are_no_fault_in_any_zone()
    {
        foreach (var zone in DateTimeZoneProviders.Tzdb.Ids.Select(Zone))
        {
            var schedule = RunSchedule.Yearly(6, 1, Nine, zone);
            Assert.Equal(Timestamp.None, schedule.NextAfter(Timestamp.Max));
            AssertBetween(schedule.NextAfter(Timestamp.Min), Timestamp.Min, Utc("0001-06-03T00:00:00Z"));
            AssertBetween(schedule.LatestIn(Timestamp.Min, Timestamp.Max), Utc("9999-05-30T00:00:00Z"), Timestamp.Max);
            Assert.Equal(Timestamp.None, schedule.LatestIn(Timestamp.Min, Timestamp.Min.PlusMs(1)));
        }
    }

    [Fact]
    public void A_schedule_without_a_day_never_runs()
    {
        foreach (var schedule in new[] { RunSchedule.Weekly(Weekdays.None, Nine, DateTimeZone.Utc), Monthly([]), Monthly([], nth: 1), Monthly([], weekdays: Weekdays.All) })
        {
            Assert.Equal(Timestamp.None, schedule.NextAfter(Utc("2026-06-01T00:00:00Z")));
            Assert.Equal(Timestamp.None, schedule.LatestIn(Utc("2026-06-01T00:00:00Z"), Utc("2027-06-01T00:00:00Z")));
        }
    }

    [Fact]
    public void A_day_that_is_in_no_month_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Monthly([0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Monthly([32]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Monthly([], nth: 5, weekdays: Weekdays.Monday));
        Assert.Throws<ArgumentOutOfRangeException>(() => Monthly([], nth: -2, weekdays: Weekdays.Monday));
        Assert.Throws<ArgumentOutOfRangeException>(() => RunSchedule.Yearly(4, 31, Nine, DateTimeZone.Utc));
        Assert.Throws<ArgumentOutOfRangeException>(() => RunSchedule.Yearly(0, 1, Nine, DateTimeZone.Utc));
    }

    private static RunSchedule Monthly(int[] days, bool lastDay = false, int nth = 0, Weekdays weekdays = Weekdays.None) =>
        RunSchedule.Monthly(days, lastDay, nth, weekdays, Nine, Zone(Berlin));

    private static void AssertRuns(RunSchedule schedule, string after, params string[] runs)
    {
        var at = In(Berlin, after);
        foreach (var run in runs)
        {
            var next = schedule.NextAfter(at);
            Assert.Equal(run, Show(next, Berlin));
            Assert.Equal(next, schedule.LatestIn(at, next));
            Assert.Equal(Timestamp.None, schedule.LatestIn(at, next.PlusMs(-1)));
            at = next;
        }
    }

    private static (RunSchedule Schedule, Func<LocalDate, bool> RunsOn) SomeSchedule(Random random, LocalTime time, DateTimeZone zone)
    {
        var weekdays = SomeWeekdays(random);
        var day = random.Next(1, 32);
        var isLast = random.Next(2) == 0;
        switch (random.Next(5))
        {
            case 0:
                return (RunSchedule.Daily(time, zone), _ => true);
            case 1:
                return (RunSchedule.Weekly(weekdays, time, zone), d => ((int)weekdays & (1 << ((int)d.DayOfWeek - 1))) != 0);
            case 2:
                return (
                    RunSchedule.Monthly([day], isLast, 0, Weekdays.None, time, zone),
                    d => d.Day == day || (isLast && d.PlusDays(1).Day == 1));
            case 3:
                var nth = new[] { 1, 2, 3, 4, -1 }[random.Next(5)];
                return (
                    RunSchedule.Monthly([], false, nth, weekdays, time, zone),
                    d => weekdays.Contains(d.DayOfWeek) && (nth == -1 ? d.PlusDays(7).Month != d.Month : SameBefore(d) == nth - 1));
            default:
                var date = Date("2028-01-01").PlusDays(random.Next(366));
                return (
                    RunSchedule.Yearly(date.Month, date.Day, time, zone),
                    d => (d.Month, d.Day) == (date.Month, date.Day) || ((date.Month, date.Day) == (2, 29) && (d.Month, d.Day) == (2, 28) && d.PlusDays(1).Month == 3));
        }
    }

    /// <summary>How many days of the same weekday the month has before this one.</summary>
    private static int SameBefore(LocalDate date) => Enumerable.Range(1, 5).Count(w => date.PlusDays(-7 * w).Month == date.Month);
}
