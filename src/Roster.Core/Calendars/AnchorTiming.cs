using NodaTime;

namespace Roster.Core.Calendars;

/// <summary>Instants of workflows around a date (SCH-06, SCH-08, SCH-09).</summary>
/// <remarks>Thread-safe.</remarks>
public static class AnchorTiming
{
    /// <summary>When a step runs (SCH-06).</summary>
    /// <param name="anchor">The date of this enrollment.</param>
    /// <param name="offsetDays">Calendar days after it; negative for before.</param>
    /// <param name="time">Local time of day (DLY-04).</param>
    /// <param name="zone">Zone of the workflow.</param>
    public static Timestamp InstantOf(LocalDate anchor, int offsetDays, LocalTime time, DateTimeZone zone) =>
        LocalTimes.At(anchor, offsetDays, time, zone);

    /// <summary>Whether a step lies before the enrollment and is skipped (SCH-08). One at the same instant runs.</summary>
    public static bool IsPast(Timestamp instant, Timestamp enrolledAt) => instant < enrolledAt;

    /// <summary>
    /// The first date, at or after another, that has month and day of the anchor (SCH-06); 29 February counts as 28 February in years
    /// without it (SCH-04).
    /// </summary>
    /// <param name="anchor">The anchor; its year means nothing.</param>
    /// <param name="notBefore">
    /// The earliest date wanted. For an enrollment that still takes steps after the anchor: the local day of the enrollment minus the
    /// offset of the last step.
    /// </param>
    /// <returns>9999-12-31 when the calendar ends before.</returns>
    public static LocalDate NextAnchor(LocalDate anchor, LocalDate notBefore)
    {
        var sameYear = AnnualDates.InYear(anchor, notBefore.Year);
        if (sameYear >= notBefore)
        {
            return sameYear;
        }

        return notBefore.Year < LocalTimes.LastDay.Year ? AnnualDates.InYear(anchor, notBefore.Year + 1) : LocalTimes.LastDay;
    }

    /// <summary>
    /// When the enrollment of one year is followed by that of a later one: 00:00 local on the day of its first step (SCH-09).
    /// </summary>
    /// <param name="anchor">The anchor as it was set, so that 29 February comes back in leap years; its year means nothing.</param>
    /// <param name="year">
    /// Year of the anchor of the enrollment that is followed: that of <see cref="NextAnchor"/>, not that of the first step.
    /// </param>
    /// <param name="firstOffsetDays">Offset of the earliest step in days.</param>
    /// <param name="zone">Zone of the workflow.</param>
    /// <param name="after">Recurrences at or before this instant are left out: they were handled, or are lost.</param>
    /// <returns>None when the calendar ends before.</returns>
    public static Timestamp RecurrenceAt(LocalDate anchor, int year, int firstOffsetDays, DateTimeZone zone, Timestamp after) =>
        AnnualDates.NextAfter(anchor, year + 1, firstOffsetDays, LocalTime.Midnight, zone, after);
}
