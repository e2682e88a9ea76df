using NodaTime;
using Roster.Core.Calendars;
using static Roster.Core.Tests.Calendars.Naive;

namespace Roster.Core.Tests.Calendars;

public sealed class BusinessCalendarTests
{
    [Theory]
    [InlineData("2026-06-05", 0, "2026-06-05")]
    [InlineData("2026-06-05", 1, "2026-06-08")]
    [InlineData("2026-06-05", 2, "2026-06-09")]
    [InlineData("2026-06-05", 6, "2026-06-15")]
    [InlineData("2026-06-06", 0, "2026-06-08")]
    [InlineData("2026-06-06", 1, "2026-06-08")]
    [InlineData("2026-06-07", 0, "2026-06-08")]
    [InlineData("2026-06-07", 5, "2026-06-12")]
    public void DLY_06_Business_days_after_the_entry_day_are_counted(string entry, int n, string expected) =>
        Assert.Equal(Date(expected), BusinessCalendar.Default.PlusBusinessDays(Date(entry), n));

    [Theory]
    [InlineData("2026-12-24", 0, "2026-12-24")]
    [InlineData("2026-12-24", 1, "2026-12-28")]
    [InlineData("2026-12-25", 0, "2026-12-28")]
    [InlineData("2026-12-25", 1, "2026-12-28")]
    [InlineData("2026-12-30", 2, "2027-01-04")]
    public void DLY_06_Holidays_are_no_business_days(string entry, int n, string expected)
    {
        var calendar = new BusinessCalendar(Weekdays.MondayToFriday, [Date("2026-12-25"), Date("2027-01-01")]);
        Assert.Equal(Date(expected), calendar.PlusBusinessDays(Date(entry), n));
    }

    [Fact]
    public void DLY_06_The_weekdays_are_a_setting()
    {
        var calendar = new BusinessCalendar(Weekdays.Sunday | Weekdays.Monday, []);
        Assert.True(calendar.IsBusinessDay(Date("2026-06-07")));
        Assert.False(calendar.IsBusinessDay(Date("2026-06-09")));
        Assert.Equal(Date("2026-06-14"), calendar.PlusBusinessDays(Date("2026-06-08"), 1));
    }

    [Fact]
    public void DLY_06_Counting_agrees_with_looking_at_every_day()
    {
        var random = new Random(6);
        for (var i = 0; i < 500; i++)
        {
            var first = Date("2026-01-01").PlusDays(random.Next(1_000));
            var holidays = Enumerable.Range(0, random.Next(20)).Select(_ => first.PlusDays(random.Next(-5, 40))).ToHashSet();
            var calendar = new BusinessCalendar(SomeWeekdays(random), holidays);
            var n = random.Next(0, 30);
            var businessDays = Enumerable.Range(n == 0 ? 0 : 1, 1_000).Select(d => first.PlusDays(d))
                .Where(d => ((int)calendar.BusinessDays & (1 << ((int)d.DayOfWeek - 1))) != 0 && !holidays.Contains(d));
            Assert.Equal(businessDays.ElementAt(Math.Max(0, n - 1)), calendar.PlusBusinessDays(first, n));
        }
    }

    [Fact]
    public void A_calendar_without_business_days_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new BusinessCalendar(Weekdays.None, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => BusinessCalendar.Default.PlusBusinessDays(Date("2026-06-05"), -1));
    }

    [Fact]
    public void The_end_of_the_calendar_is_no_fault() =>
        Assert.Equal(new LocalDate(9999, 12, 31), BusinessCalendar.Default.PlusBusinessDays(Date("9999-12-20"), 100));
}
