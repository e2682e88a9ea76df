using NodaTime;

namespace Roster.Core.Calendars;

/// <summary>The first instant that fits a time of day and days of the week (DLY-05, DLY-11).</summary>
internal static class LocalFit
{
    /// <summary>Every weekday comes back within 7 days; the rest is for clocks that were set by a whole day.</summary>
    private const int DaysMax = 16;

    /// <summary>The first instant at or after <paramref name="from"/> that fits; <paramref name="from"/> itself when it does.</summary>
    /// <param name="from">Where to begin.</param>
    /// <param name="zone">Zone of the days.</param>
    /// <param name="time">The time of day; null when any will do.</param>
    /// <param name="weekdays">The days; at least one.</param>
    /// <returns><see cref="Timestamp.Max"/> when the calendar ends before.</returns>
    public static Timestamp First(Timestamp from, DateTimeZone zone, LocalTime? time, Weekdays weekdays) =>
        time is { } wanted ? FirstAtTime(from, zone, wanted, weekdays) : FirstOnDay(from, zone, weekdays);

    /// <summary>
    /// The day before is a candidate too: its 23:30 may be skipped by the clock and so be the first instant of this day (DLY-04).
    /// </summary>
    private static Timestamp FirstAtTime(Timestamp from, DateTimeZone zone, LocalTime time, Weekdays weekdays)
    {
        var today = LocalTimes.Of(from, zone).Date;
        for (var day = -1; day < DaysMax; day++)
        {
            var date = LocalTimes.PlusDays(today, day);
            if (weekdays.Contains(date.DayOfWeek) && LocalTimes.At(date.At(time), zone) is var at && at >= from)
            {
                return at;
            }
        }

        return Timestamp.Max;
    }

    /// <summary>From one stretch of a date to the next, because a clock that is set back at midnight returns to the day before.</summary>
    private static Timestamp FirstOnDay(Timestamp from, DateTimeZone zone, Weekdays weekdays)
    {
        var at = from;
        while (at < Timestamp.Max && !weekdays.Contains(LocalTimes.Of(at, zone).DayOfWeek))
        {
            at = LocalTimes.SameDateUntil(at, zone);
        }

        return at;
    }
}
