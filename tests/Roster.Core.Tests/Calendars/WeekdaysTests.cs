using NodaTime;
using Roster.Core.Calendars;

namespace Roster.Core.Tests.Calendars;

public sealed class WeekdaysTests
{
    [Fact]
    public void Every_day_has_one_bit_and_all_of_them_are_all()
    {
        var sum = Weekdays.None;
        for (var day = IsoDayOfWeek.Monday; day <= IsoDayOfWeek.Sunday; day++)
        {
            Assert.False(sum.Contains(day));
            Assert.Equal(day.ToString(), day.ToWeekdays().ToString());
            sum |= day.ToWeekdays();
            Assert.True(sum.Contains(day));
        }

        Assert.Equal(Weekdays.All, sum);
        Assert.Equal(127, (int)Weekdays.All);
    }

    [Fact]
    public void No_day_is_in_no_set()
    {
        Assert.Equal(Weekdays.None, IsoDayOfWeek.None.ToWeekdays());
        Assert.False(Weekdays.All.Contains(IsoDayOfWeek.None));
        Assert.False(Weekdays.None.Contains(IsoDayOfWeek.Monday));
        Assert.False(Weekdays.MondayToFriday.Contains(IsoDayOfWeek.Saturday));
    }
}
