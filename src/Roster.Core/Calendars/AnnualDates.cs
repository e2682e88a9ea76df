using NodaTime;

namespace Roster.Core.Calendars;

/// <summary>A month and a day in every year (SCH-04).</summary>
internal static class AnnualDates
{
    /// <summary>The date in a year; 29 February counts as 28 February in years without it.</summary>
    public static LocalDate InYear(int month, int day, int year) =>
        month == 2 && day == 29 && !CalendarSystem.Iso.IsLeapYear(year) ? new LocalDate(year, 2, 28) : new LocalDate(year, month, day);

    /// <summary>The same day in another year.</summary>
    public static LocalDate InYear(LocalDate date, int year) => InYear(date.Month, date.Day, year);

    /// <summary>The first instant after another that is so many days after the date in some year, at a time of day.</summary>
    /// <param name="date">Its month and day; its year means nothing.</param>
    /// <param name="firstYear">The first year that counts: of the date, not of the instant.</param>
    /// <param name="offsetDays">Calendar days after the date of the year; negative for before.</param>
    /// <param name="time">The time of day.</param>
    /// <param name="zone">Its zone.</param>
    /// <param name="after">The instant; not included.</param>
    /// <returns>None when the calendar ends before.</returns>
    public static Timestamp NextAfter(LocalDate date, int firstYear, int offsetDays, LocalTime time, DateTimeZone zone, Timestamp after)
    {
        // The result lies on the local date of the instant or later, so the date lies in this year or later.
        var near = LocalTimes.PlusDays(LocalTimes.Of(after, zone).Date, -(long)offsetDays).Year;
        for (var year = Math.Max(Math.Max(1, firstYear), near); year <= LocalTimes.LastDay.Year; year++)
        {
            // The end of time stands for what lies beyond it, so it is no answer.
            var at = LocalTimes.At(InYear(date, year), offsetDays, time, zone);
            if (at > after && at < Timestamp.Max)
            {
                return at;
            }
        }

        return Timestamp.None;
    }

    /// <summary>Refuses what is a date in no year.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such month, or no such day in it.</exception>
    public static void Check(int month, int day)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(month, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(month, 12);
        ArgumentOutOfRangeException.ThrowIfLessThan(day, 1);

        // 2000 is a leap year, so 29 February is a day of it.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(day, CalendarSystem.Iso.GetDaysInMonth(2000, month));
    }
}
