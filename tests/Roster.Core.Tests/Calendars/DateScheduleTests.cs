using NodaTime;
using Roster.Core.Calendars;
using Roster.Core.Values;
using static Roster.Core.Tests.Calendars.Naive;

namespace Roster.Core.Tests.Calendars;

public sealed class DateScheduleTests
{
    private const string Berlin = "Europe/Berlin";
    private static readonly LocalTime Nine = new(9, 0);

    [Theory]
    [InlineData(0, "2026-07-10T09:00")]
    [InlineData(-3, "2026-07-07T09:00")]
    [InlineData(30, "2026-08-09T09:00")]
    public void SCH_01_A_date_property_plus_or_minus_days_runs_once(int offset, string run)
    {
        var schedule = new DateSchedule(offset, Nine, isYearly: false);
        foreach (var value in new[] { Value.OfDate(Date("2026-07-10")), Value.OfDateTime(In(Berlin, "2026-07-10T23:30")) })
        {
            Assert.Equal(In(Berlin, run), Next(schedule, value, In(Berlin, "2026-01-01T00:00")));
            Assert.Equal(In(Berlin, run), Next(schedule, value, In(Berlin, run).PlusMs(-1)));
            Assert.Equal(Timestamp.None, Next(schedule, value, In(Berlin, run)));
        }
    }

    [Fact]
    public void SCH_01_Yearly_runs_every_year_whatever_the_year_of_the_property()
    {
        var schedule = new DateSchedule(-1, Nine, isYearly: true);
        foreach (var year in new[] { "1980", "2026", "2040" })
        {
            var birthday = Value.OfDate(Date($"{year}-07-10"));
            Assert.Equal(In(Berlin, "2026-07-09T09:00"), Next(schedule, birthday, In(Berlin, "2026-01-01T00:00")));
            Assert.Equal(In(Berlin, "2027-07-09T09:00"), Next(schedule, birthday, In(Berlin, "2026-07-09T09:00")));
        }
    }

    [Theory]
    [InlineData(0, "2026-06-01T00:00", "2027-02-28T09:00")]
    [InlineData(0, "2027-06-01T00:00", "2028-02-29T09:00")]
    [InlineData(1, "2026-06-01T00:00", "2027-03-01T09:00")]
    [InlineData(1, "2027-06-01T00:00", "2028-03-01T09:00")]
    [InlineData(-60, "2026-06-01T00:00", "2026-12-30T09:00")]
    [InlineData(-60, "2026-12-30T09:00", "2027-12-31T09:00")]
    public void SCH_04_29_February_counts_as_28_February_in_other_years_before_the_offset(int offset, string after, string run) =>
        Assert.Equal(In(Berlin, run), Next(new DateSchedule(offset, Nine, isYearly: true), Value.OfDate(Date("2000-02-29")), In(Berlin, after)));

    [Fact]
    public void SCH_04_A_run_in_a_gap_of_the_clock_is_the_first_instant_after_it() =>
        Assert.Equal(
            Utc("2026-03-29T01:00:00Z"),
            Next(new DateSchedule(0, Time("02:30"), isYearly: true), Value.OfDate(Date("2001-03-29")), In(Berlin, "2026-01-01T00:00")));

    [Fact]
    public void SCH_01_A_property_without_a_date_has_no_run()
    {
        foreach (var isYearly in new[] { true, false })
        {
            foreach (var value in new[] { Value.Unknown, Value.OfText("2026-07-10"), Value.OfNumber(1) })
            {
                Assert.Equal(Timestamp.None, Next(new DateSchedule(0, Nine, isYearly), value, In(Berlin, "2026-01-01T00:00")));
            }
        }
    }

    [Fact]
    public void SCH_01_Yearly_runs_agree_with_looking_at_every_year()
    {
        var random = new Random(7);
        for (var i = 0; i < 1_000; i++)
        {
            var (zone, after) = SomeTime(random);
            var date = Date("1990-01-01").PlusDays(random.Next(20_000));
            var time = SomeTimeOfDay(random);
            var offset = random.Next(3) == 0 ? random.Next(-3_650, 3_651) : random.Next(-40, 41);
            var expected = Enumerable.Range(1980, 80)
                .Select(y => new LocalDate(y, date.Month, Math.Min(date.Day, CalendarSystem.Iso.GetDaysInMonth(y, date.Month))).PlusDays(offset))
                .Select(d => FirstNotBefore(d.At(time), zone)).First(r => r > after);
            Assert.Equal(expected, new DateSchedule(offset, time, isYearly: true).NextAfter(Value.OfDate(date), after, zone));
        }
    }

    [Fact]
    public void The_ends_of_the_calendar_are_no_fault()
    {
        var far = Value.OfDate(Date("9999-12-31"));
        foreach (var isYearly in new[] { true, false })
        {
            foreach (var offset in new[] { int.MinValue, -1, 1, int.MaxValue })
            {
                foreach (var after in new[] { Timestamp.Min, Timestamp.Max })
                {
                    AssertBetween(Next(new DateSchedule(offset, Nine, isYearly), far, after), Timestamp.Min, Timestamp.Max);
                }
            }
        }

        Assert.Equal(Timestamp.None, Next(new DateSchedule(0, Nine, isYearly: true), far, Timestamp.Max));
        Assert.Equal(Timestamp.None, Next(new DateSchedule(int.MaxValue, Nine, isYearly: true), far, In(Berlin, "2026-01-01T00:00")));
    }

    private static Timestamp Next(DateSchedule schedule, Value date, Timestamp after) => schedule.NextAfter(date, after, Zone(Berlin));
}
