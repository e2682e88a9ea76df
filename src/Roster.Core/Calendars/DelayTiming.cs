using NodaTime;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Calendars;

/// <summary>When a delay is over.</summary>
/// <param name="At">The due instant; never before the start.</param>
/// <param name="IsMissed">
/// Whether a date delay was due before its start or has no date, so that it goes on at once as skipped (DLY-09).
/// </param>
public readonly record struct DelayDue(Timestamp At, bool IsMissed);

/// <summary>What a delay waits for, and the instant at which it is over (DLY-02 to DLY-11).</summary>
/// <remarks>
/// <para>A time of day means one instant per date, by DLY-04: it fits at its first occurrence, or at the end of the gap that skips
/// it.</para>
/// <para>No weekdays (<see cref="Weekdays.None"/>) means that every day fits. Immutable; thread-safe.</para>
/// </remarks>
public abstract class DelayTiming
{
    /// <summary>Longest delay of a set amount in days, in any unit (setting <c>amount</c>): 3,650.</summary>
    public const int AmountDaysMax = 3_650;

    private protected DelayTiming()
    {
    }

    /// <summary>Whether the due instant hangs on the value of a property (DLY-08), which may change meanwhile (DLY-10).</summary>
    public virtual bool NeedsProperty => false;

    /// <summary>A set amount of time (DLY-02, DLY-03, DLY-05, DLY-06).</summary>
    /// <param name="amount">
    /// How many, 0 to <see cref="AmountMax"/>. Beyond it counts as the end that it passed: the compiler has refused it by then.
    /// </param>
    /// <param name="unit">Of which unit. Minutes and hours are elapsed time, days and longer are calendar arithmetic.</param>
    /// <param name="timeOfDay">The time of day at which it is over; null for the time that the amount gives.</param>
    /// <param name="weekdays">The days on which it may be over.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such unit.</exception>
    public static DelayTiming OfAmount(int amount, DelayUnit unit, LocalTime? timeOfDay, Weekdays weekdays)
    {
        var count = Math.Clamp(amount, 0, AmountMax(unit));
        return unit is DelayUnit.Minutes or DelayUnit.Hours
            ? new ElapsedDelay(count * MsOf(unit), timeOfDay, OrAll(weekdays))
            : new CalendarDelay(count, unit, timeOfDay, OrAll(weekdays));
    }

    /// <summary>Until a date (DLY-07).</summary>
    /// <param name="date">The date.</param>
    /// <param name="timeOfDay">Its time of day; null for 00:00.</param>
    public static DelayTiming OfDate(LocalDate date, LocalTime? timeOfDay) => new DateDelay(date, timeOfDay ?? LocalTime.Midnight);

    /// <summary>Until some calendar days before or after a date or datetime property (DLY-08).</summary>
    /// <param name="days">Days after the property; negative for before, 0 for the property itself.</param>
    /// <param name="timeOfDay">The time of day on that date; null for the time of the property, which is 00:00 for a date.</param>
    public static DelayTiming OfPropertyDays(int days, LocalTime? timeOfDay) => new PropertyDaysDelay(days, timeOfDay);

    /// <summary>Until some elapsed hours before or after a date or datetime property (DLY-08).</summary>
    /// <param name="hours">Hours after the property; negative for before.</param>
    /// <param name="timeOfDay">
    /// With it: the first instant at or after those hours that has this time of day, as in DLY-05. Null for the hours alone.
    /// </param>
    public static DelayTiming OfPropertyHours(int hours, LocalTime? timeOfDay) => new PropertyHoursDelay(hours, timeOfDay);

    /// <summary>Until the first instant at or after the start that fits; at once when the start fits (DLY-11).</summary>
    /// <param name="weekdays">The days that fit.</param>
    /// <param name="timeOfDay">The time of day that fits; null when any will do.</param>
    public static DelayTiming OfFit(Weekdays weekdays, LocalTime? timeOfDay) => new ElapsedDelay(0, timeOfDay, OrAll(weekdays));

    /// <summary>Largest amount of a unit (setting <c>amount</c>): what makes 3,650 days, or 3,650 business days.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such unit.</exception>
    public static int AmountMax(DelayUnit unit) => unit switch
    {
        DelayUnit.Minutes => AmountDaysMax * 24 * 60,
        DelayUnit.Hours => AmountDaysMax * 24,
        DelayUnit.Days or DelayUnit.BusinessDays => AmountDaysMax,
        DelayUnit.Weeks => AmountDaysMax / 7,
        _ => throw new ArgumentOutOfRangeException(nameof(unit), unit, "Delays are in minutes, hours, days, weeks or business days."),
    };

    /// <summary>When the delay is over.</summary>
    /// <param name="start">
    /// The turn time of the turn that enters it (DLY-01). When a property that is followed has changed: the turn time of that change
    /// (DLY-10).
    /// </param>
    /// <param name="zone">Zone of days and times of day (DLY-19).</param>
    /// <param name="business">The tenant's business days, for delays in business days.</param>
    /// <param name="property">
    /// Value of the property; looked at only when <see cref="NeedsProperty"/>. Any type but date and datetime counts as unknown.
    /// </param>
    /// <returns>At or after the start. <see cref="Timestamp.Max"/> when the calendar ends before.</returns>
    public abstract DelayDue Due(Timestamp start, DateTimeZone zone, BusinessCalendar business, in Value property);

    /// <summary>DLY-09: due exactly at the start is not missed.</summary>
    private protected static DelayDue OrMissed(Timestamp due, Timestamp start) =>
        due < start ? new DelayDue(start, IsMissed: true) : new DelayDue(due, IsMissed: false);

    private static long MsOf(DelayUnit unit) => unit == DelayUnit.Hours ? LocalTimes.HourMs : LocalTimes.MinuteMs;

    private static Weekdays OrAll(Weekdays weekdays) => (weekdays & Weekdays.All) == 0 ? Weekdays.All : weekdays;
}
