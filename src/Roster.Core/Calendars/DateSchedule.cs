using NodaTime;
using Roster.Core.Values;

namespace Roster.Core.Calendars;

/// <summary>Runs relative to a date property of each record, once or every year (SCH-01, SCH-04).</summary>
/// <param name="offsetDays">Calendar days after the property; negative for before.</param>
/// <param name="time">Time of day of the run.</param>
/// <param name="isYearly">Whether it runs every year. The year of the property then means nothing: there are runs before it too.</param>
/// <remarks>The time of day of a datetime property means nothing: its local date counts. Immutable; thread-safe.</remarks>
public sealed class DateSchedule(int offsetDays, LocalTime time, bool isYearly)
{
    /// <summary>The next run after an instant, that instant not included.</summary>
    /// <param name="date">Value of the property, of type date or datetime. Other types count as unknown.</param>
    /// <param name="after">The instant.</param>
    /// <param name="zone">Zone of the workflow.</param>
    /// <returns>None when the property is unknown, or the only run is not after the instant.</returns>
    public Timestamp NextAfter(in Value date, Timestamp after, DateTimeZone zone)
    {
        if (PropertyTimes.LocalOf(date, zone) is not { Date: var day })
        {
            return Timestamp.None;
        }

        if (isYearly)
        {
            return AnnualDates.NextAfter(day, LocalTimes.FirstDay.Year, offsetDays, time, zone, after);
        }

        var only = LocalTimes.At(day, offsetDays, time, zone);
        return only > after ? only : Timestamp.None;
    }
}
