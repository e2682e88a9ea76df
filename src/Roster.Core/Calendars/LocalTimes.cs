using NodaTime;
using NodaTime.TimeZones;

namespace Roster.Core.Calendars;

/// <summary>From local times to instants and back (DLY-04).</summary>
/// <remarks>
/// Every answer lies from <see cref="Timestamp.Min"/> to <see cref="Timestamp.Max"/>: what is beyond is taken as the end that it passed,
/// so that a date like 9999-12-31, which means "never" in many systems, is one more date and no fault. Thread-safe.
/// </remarks>
public static class LocalTimes
{
    internal const long MinuteMs = 60_000;
    internal const long HourMs = 60 * MinuteMs;
    internal const long DayMs = 24 * HourMs;

    /// <summary>The first date that can be told.</summary>
    internal static readonly LocalDate FirstDay = new(1, 1, 1);

    /// <summary>The last date that can be told.</summary>
    internal static readonly LocalDate LastDay = new(9999, 12, 31);

    /// <summary>From here on an instant with its offset may lie outside the range of NodaTime.</summary>
    private static readonly LocalDate NearTheEnd = new(9999, 12, 29);

    private static readonly ZoneLocalMappingResolver SkippedOrFirst =
        Resolvers.CreateMappingResolver(Resolvers.ReturnEarlier, Resolvers.ReturnStartOfIntervalAfter);

    /// <summary>
    /// The instant of a local time: the first valid one after the gap when the clock skips it, the first of two when it occurs twice
    /// (DLY-04).
    /// </summary>
    /// <param name="local">The local time. What is finer than a millisecond is cut.</param>
    /// <param name="zone">Its zone.</param>
    /// <returns>Never earlier for a later local time.</returns>
    public static Timestamp At(LocalDateTime local, DateTimeZone zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        if (local.Year < 0)
        {
            return Timestamp.Min;
        }

        if (local.Date < NearTheEnd)
        {
            return Clamp(zone.ResolveLocal(local, SkippedOrFirst).ToInstant().ToUnixTimeMilliseconds());
        }

        // No zone shifts its clock in the last days of the calendar, so the offset at the end is the offset there.
        var localMs = local.InUtc().ToInstant().ToUnixTimeMilliseconds();
        return Clamp(localMs - zone.GetUtcOffset(Timestamp.Max.ToInstant()).Milliseconds);
    }

    /// <summary>The local time at an instant.</summary>
    public static LocalDateTime Of(Timestamp at, DateTimeZone zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var instant = Clamp(at.Ms).ToInstant();
        var local = Clamp(Timestamp.FromInstant(instant).Ms + zone.GetUtcOffset(instant).Milliseconds);
        return local.ToInstant().InUtc().LocalDateTime;
    }

    /// <summary>The instant of 00:00 of a date (DLY-04).</summary>
    public static Timestamp StartOfDay(LocalDate date, DateTimeZone zone) => At(date.AtMidnight(), zone);

    /// <summary>The instant of a time of day, some days after a date. Days beyond the calendar give the end that they passed.</summary>
    internal static Timestamp At(LocalDate date, long plusDays, LocalTime time, DateTimeZone zone)
    {
        if (plusDays > Period.DaysBetween(date, LastDay))
        {
            return Timestamp.Max;
        }

        return plusDays < Period.DaysBetween(date, FirstDay) ? Timestamp.Min : At(date.PlusDays((int)plusDays).At(time), zone);
    }

    /// <summary>The date some days later, or the end of the calendar that they passed.</summary>
    internal static LocalDate PlusDays(LocalDate date, long days) =>
        date.PlusDays((int)Math.Clamp(days, Period.DaysBetween(date, FirstDay), Period.DaysBetween(date, LastDay)));

    /// <summary>The instant some elapsed milliseconds later.</summary>
    internal static Timestamp PlusMs(Timestamp at, long ms) => Clamp(Clamp(at.Ms).Ms + ms);

    /// <summary>
    /// Up to here, exclusively, the local date is that of <paramref name="at"/>: the next midnight, or an earlier shift of the clock,
    /// after which it may be the same, the next or the former date.
    /// </summary>
    internal static Timestamp SameDateUntil(Timestamp at, DateTimeZone zone)
    {
        var interval = zone.GetZoneInterval(Clamp(at.Ms).ToInstant());
        var offsetMs = interval.WallOffset.Milliseconds;
        var sinceMidnightMs = (((at.Ms + offsetMs) % DayMs) + DayMs) % DayMs;
        var midnight = at.Ms + DayMs - sinceMidnightMs;
        var shift = interval.HasEnd ? interval.End.ToUnixTimeMilliseconds() : long.MaxValue;
        return Clamp(Math.Min(midnight, shift));
    }

    internal static Timestamp Earlier(Timestamp one, Timestamp other) => one < other ? one : other;

    internal static Timestamp Later(Timestamp one, Timestamp other) => one > other ? one : other;

    private static Timestamp Clamp(long ms) => new(Math.Clamp(ms, Timestamp.Min.Ms, Timestamp.Max.Ms));
}
