using NodaTime;

namespace Roster.Core.Calendars;

/// <summary>The runs of a workflow that starts by the calendar (SCH-01, SCH-04, SCH-05).</summary>
/// <remarks>
/// A run is at one instant per date, by DLY-04. Runs of two dates that the clock moves to one instant are one run.
/// Immutable; thread-safe.
/// </remarks>
public sealed class RunSchedule
{
    /// <summary>A run that is later than this, in milliseconds, was missed while the engine was down, and not only late (SCH-05).</summary>
    public const long LateMs = 60_000;

    /// <summary>The longest gap between runs is a year; the rest is for clocks that were set by whole days.</summary>
    private const int GapDaysMax = 2 * 366;

    /// <summary>Stands for the last of a weekday in a month.</summary>
    private const int LastOfMonth = -1;

    private readonly Func<LocalDate, bool> _runsOn;
    private readonly LocalDate? _onlyDay;
    private readonly LocalTime _time;
    private readonly DateTimeZone _zone;

    private RunSchedule(Func<LocalDate, bool> runsOn, LocalDate? onlyDay, LocalTime time, DateTimeZone zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        _runsOn = runsOn;
        _onlyDay = onlyDay;
        _time = time;
        _zone = zone;
    }

    /// <summary>One run.</summary>
    public static RunSchedule Once(LocalDateTime at, DateTimeZone zone) => new(date => date == at.Date, at.Date, at.TimeOfDay, zone);

    /// <summary>A run every day.</summary>
    public static RunSchedule Daily(LocalTime time, DateTimeZone zone) => new(_ => true, null, time, zone);

    /// <summary>A run on these days of every week; without a day there is never a run.</summary>
    public static RunSchedule Weekly(Weekdays weekdays, LocalTime time, DateTimeZone zone) =>
        new(date => weekdays.Contains(date.DayOfWeek), null, time, zone);

    /// <summary>A run on days of every month. What is said in several ways adds up; a day that is meant twice counts once.</summary>
    /// <param name="days">Days by number, 1 to 31; none for no such day. A month that is too short is skipped (SCH-04).</param>
    /// <param name="lastDay">Whether the last day of the month is one.</param>
    /// <param name="nth">Which of each of <paramref name="weekdays"/> in the month: 1 to 4, or -1 for the last; 0 for none.</param>
    /// <param name="weekdays">The weekdays that <paramref name="nth"/> counts, each on its own.</param>
    /// <param name="time">Time of day of the run.</param>
    /// <param name="zone">Its zone.</param>
    /// <returns>A schedule without a run when no day is named.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A day or <paramref name="nth"/> is out of range.</exception>
    public static RunSchedule Monthly(
        IReadOnlyCollection<int> days, bool lastDay, int nth, Weekdays weekdays, LocalTime time, DateTimeZone zone)
    {
        ArgumentNullException.ThrowIfNull(days);
        ArgumentOutOfRangeException.ThrowIfLessThan(nth, LastOfMonth);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(nth, 4);
        var mask = 0u;
        foreach (var day in days)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(day, 1, nameof(days));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(day, 31, nameof(days));
            mask |= 1u << day;
        }

        return new RunSchedule(
            date => (mask & (1u << date.Day)) != 0
                || (lastDay && DaysLeft(date) == 0)
                || (nth != 0 && weekdays.Contains(date.DayOfWeek) && IsNth(date, nth)),
            null,
            time,
            zone);
    }

    /// <summary>A run every year; 29 February counts as 28 February in years without it (SCH-04).</summary>
    /// <exception cref="ArgumentOutOfRangeException">No year has such a day.</exception>
    public static RunSchedule Yearly(int month, int day, LocalTime time, DateTimeZone zone)
    {
        AnnualDates.Check(month, day);
        return new RunSchedule(date => date.Month == month && date == AnnualDates.InYear(month, day, date.Year), null, time, zone);
    }

    /// <summary>The first run after an instant, that instant not included.</summary>
    /// <returns>None when there is none.</returns>
    public Timestamp NextAfter(Timestamp after)
    {
        // A run is at the first instant that is not before its local time, so the runs of former dates are over.
        var first = _onlyDay ?? LocalTimes.Of(after, _zone).Date;
        for (var day = 0; day <= GapDaysMax; day++)
        {
            var date = LocalTimes.PlusDays(first, day);
            if (_runsOn(date) && RunOn(date) is var run && run > after)
            {
                return run;
            }
        }

        return Timestamp.None;
    }

    /// <summary>The last of the runs after one instant and not after another: the one that is made up (SCH-05).</summary>
    /// <param name="after">The last run that was handled, or when the workflow was turned on; not included.</param>
    /// <param name="upTo">Now; included.</param>
    /// <returns>None when there is none.</returns>
    public Timestamp LatestIn(Timestamp after, Timestamp upTo)
    {
        if (upTo <= after)
        {
            return Timestamp.None;
        }

        // The run of the next day may be over already where a clock was set back at midnight.
        var last = LocalTimes.PlusDays(_onlyDay ?? LocalTimes.Of(upTo, _zone).Date, 1);
        for (var day = 0; day <= GapDaysMax; day++)
        {
            var date = LocalTimes.PlusDays(last, -day);
            if (_runsOn(date) && RunOn(date) is var run && run <= upTo)
            {
                return run > after ? run : Timestamp.None;
            }
        }

        return Timestamp.None;
    }

    private Timestamp RunOn(LocalDate date) => LocalTimes.At(date.At(_time), _zone);

    private static bool IsNth(LocalDate date, int nth) => nth == LastOfMonth ? DaysLeft(date) < 7 : (date.Day + 6) / 7 == nth;

    private static int DaysLeft(LocalDate date) => CalendarSystem.Iso.GetDaysInMonth(date.Year, date.Month) - date.Day;
}
