using NodaTime;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Calendars;

/// <summary>Minutes or hours (DLY-02), and with 0 the day of week and time of day of DLY-11.</summary>
/// <remarks>Both are the first instant that fits at or after an end.</remarks>
internal sealed class ElapsedDelay(long ms, LocalTime? timeOfDay, Weekdays weekdays) : DelayTiming
{
    public override DelayDue Due(Timestamp start, DateTimeZone zone, BusinessCalendar business, in Value property) =>
        new(LocalFit.First(LocalTimes.PlusMs(start, ms), zone, timeOfDay, weekdays), IsMissed: false);
}

/// <summary>Days, weeks or business days (DLY-03, DLY-05, DLY-06).</summary>
internal sealed class CalendarDelay(int amount, DelayUnit unit, LocalTime? timeOfDay, Weekdays weekdays) : DelayTiming
{
    public override DelayDue Due(Timestamp start, DateTimeZone zone, BusinessCalendar business, in Value property)
    {
        var entry = LocalTimes.Of(start, zone);
        var date = Target(entry.Date, business);
        while (true)
        {
            if (Fits(date, business) && On(date, entry, start, zone) is var at && at >= start)
            {
                return new DelayDue(at, IsMissed: false);
            }

            if (date >= LocalTimes.LastDay)
            {
                return new DelayDue(Timestamp.Max, IsMissed: false);
            }

            // The day does not fit, or its time is already past: the next day (DLY-05).
            date = date.PlusDays(1);
        }
    }

    private LocalDate Target(LocalDate entryDay, BusinessCalendar business) => unit switch
    {
        DelayUnit.Days => LocalTimes.PlusDays(entryDay, amount),
        DelayUnit.Weeks => LocalTimes.PlusDays(entryDay, amount * 7L),
        DelayUnit.BusinessDays => business.PlusBusinessDays(entryDay, amount),
        _ => throw new InvalidOperationException($"Delay unit {unit} is no calendar unit; the factory should have told them apart."),
    };

    /// <summary>
    /// A delay in business days ends on a business day, also when weekdays or a time that is past move it on. Weekdays that are never
    /// business days would leave no day at all; there the weekdays alone decide.
    /// </summary>
    private bool Fits(LocalDate date, BusinessCalendar business) =>
        weekdays.Contains(date.DayOfWeek)
        && (unit != DelayUnit.BusinessDays || business.IsBusinessDay(date) || (business.BusinessDays & weekdays) == 0);

    /// <summary>The entry day at the entry's own time is the start itself, also where that local time occurs twice.</summary>
    private Timestamp On(LocalDate date, LocalDateTime entry, Timestamp start, DateTimeZone zone) =>
        timeOfDay is null && date == entry.Date ? start : LocalTimes.At(date.At(timeOfDay ?? entry.TimeOfDay), zone);
}
