using System.Collections.Frozen;
using NodaTime;

namespace Roster.Core.Calendars;

/// <summary>Which days are business days: certain weekdays without the tenant's holidays (DLY-06).</summary>
/// <remarks>Immutable; thread-safe.</remarks>
public sealed class BusinessCalendar
{
    private readonly FrozenSet<LocalDate> _holidays;

    /// <param name="businessDays">The weekdays (setting <c>business_days</c>, default Monday to Friday). At least one.</param>
    /// <param name="holidays">Dates that are no business days (setting <c>holidays</c>, default none, 0 to 1,000).</param>
    /// <exception cref="ArgumentException">There is no weekday, so no day could ever be a business day.</exception>
    public BusinessCalendar(Weekdays businessDays, IEnumerable<LocalDate> holidays)
    {
        ArgumentNullException.ThrowIfNull(holidays);
        if ((businessDays & Weekdays.All) == 0)
        {
            throw new ArgumentException("A calendar needs at least one business day (setting business_days).", nameof(businessDays));
        }

        BusinessDays = businessDays & Weekdays.All;
        _holidays = holidays.ToFrozenSet();
    }

    /// <summary>Monday to Friday, no holidays.</summary>
    public static BusinessCalendar Default { get; } = new(Weekdays.MondayToFriday, []);

    /// <summary>The weekdays that are business days unless they are holidays.</summary>
    public Weekdays BusinessDays { get; }

    /// <summary>Whether the date is a business day.</summary>
    public bool IsBusinessDay(LocalDate date) => BusinessDays.Contains(date.DayOfWeek) && !_holidays.Contains(date);

    /// <summary>
    /// The <paramref name="n"/>-th business day after the entry day; for 0 the entry day if it is one, else the next (DLY-06).
    /// </summary>
    /// <param name="entryDay">The day that does not count.</param>
    /// <param name="n">How many business days, from 0.</param>
    /// <returns>9999-12-31 when the calendar ends before.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="n"/> is negative.</exception>
    public LocalDate PlusBusinessDays(LocalDate entryDay, int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        if (n == 0 && IsBusinessDay(entryDay))
        {
            return entryDay;
        }

        // A non-business day plus 0 and plus 1 are the same day: the next business day.
        var left = Math.Max(1, n);
        var date = entryDay;
        while (left > 0 && date < LocalTimes.LastDay)
        {
            date = date.PlusDays(1);
            left -= IsBusinessDay(date) ? 1 : 0;
        }

        return date;
    }
}
