using NodaTime;
using Roster.Core.Calendars;

namespace Roster.Core.Sequences;

/// <summary>Instants of sequences: delays, send windows, the minute at which tasks are created (SEQ-07, SEQ-08).</summary>
/// <param name="Days">Days that count.</param>
/// <param name="WindowStart">Start of the send window, minutes of the day.</param>
/// <param name="WindowEnd">End of it, excluded; after the start, at most 1,440.</param>
/// <param name="TaskMinute">Minute of the day at which tasks are created.</param>
public sealed record SequenceCalendar(EligibleDays Days, int WindowStart, int WindowEnd, int TaskMinute)
{
    private const int MinutesPerDay = 1_440;

    /// <summary>Days looked at for one that is eligible: holidays may leave none, then the last of them is taken.</summary>
    private const int HorizonDays = 400;

    /// <summary>Whether something is done on a day.</summary>
    public bool IsEligible(LocalDate date, BusinessCalendar business)
    {
        ArgumentNullException.ThrowIfNull(business);
        return Days switch
        {
            EligibleDays.Weekdays => Calendars.Weekdays.MondayToFriday.Contains(date.DayOfWeek),
            EligibleDays.BusinessDays => business.IsBusinessDay(date),
            _ => true,
        };
    }

    /// <summary>
    /// When a delay is over: whole days are eligible calendar days at the same local time, the rest is elapsed time (SEQ-07).
    /// </summary>
    /// <param name="start">When the step before it was over.</param>
    /// <param name="delayMs">The delay, from 0.</param>
    /// <param name="zone">Zone of days.</param>
    /// <param name="business">The tenant's business days.</param>
    public Timestamp After(Timestamp start, long delayMs, DateTimeZone zone, BusinessCalendar business)
    {
        var days = delayMs / LocalTimes.DayMs;
        var rest = delayMs % LocalTimes.DayMs;
        if (days == 0)
        {
            return LocalTimes.PlusMs(start, rest);
        }

        var local = LocalTimes.Of(start, zone);
        var date = local.Date;
        for (var day = 0; day < days; day++)
        {
            date = NextEligible(date.PlusDays(1), business);
        }

        return LocalTimes.PlusMs(LocalTimes.At(date.At(local.TimeOfDay), zone), rest);
    }

    /// <summary>The instant itself when the send window is open then, else its next opening on an eligible day (SEQ-08).</summary>
    public Timestamp NextOpening(Timestamp from, DateTimeZone zone, BusinessCalendar business)
    {
        var date = NextEligible(LocalTimes.Of(from, zone).Date, business);
        var closes = WindowEnd == MinutesPerDay ? At(date.PlusDays(1), 0, zone) : At(date, WindowEnd, zone);
        if (closes <= from)
        {
            date = NextEligible(date.PlusDays(1), business);
        }

        return LocalTimes.Later(from, At(date, WindowStart, zone));
    }

    /// <summary>
    /// When a task is created (SEQ-08): at the task minute of the day on which the delay is over, when that has whole days; else at the
    /// first task minute from then on. Always on an eligible day.
    /// </summary>
    public Timestamp TaskInstant(Timestamp due, long delayMs, DateTimeZone zone, BusinessCalendar business)
    {
        var today = LocalTimes.Of(due, zone).Date;
        var date = NextEligible(today, business);
        if (delayMs < LocalTimes.DayMs && At(date, TaskMinute, zone) < due)
        {
            date = NextEligible(date.PlusDays(1), business);
        }

        return At(date, TaskMinute, zone);
    }

    private LocalDate NextEligible(LocalDate date, BusinessCalendar business)
    {
        for (var i = 0; i < HorizonDays && !IsEligible(date, business); i++)
        {
            date = date.PlusDays(1);
        }

        return date;
    }

    private static Timestamp At(LocalDate date, int minute, DateTimeZone zone) => LocalTimes.At(date.At(MinuteOf(minute)), zone);

    private static LocalTime MinuteOf(int minute) => LocalTime.FromMinutesSinceMidnight(minute % MinutesPerDay);
}
