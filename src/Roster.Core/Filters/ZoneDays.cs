using NodaTime;
using NodaTime.TimeZones;
using Roster.Core.Calendars;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>
/// The days of a zone as numbers from 1970-01-01, and their first milliseconds. The day of an instant is the one that began last. So days
/// only go forward, also where clocks fall back over midnight. A skipped local time is the first instant after it, one that occurs
/// twice is its first occurrence (DLY-04).
/// </summary>
/// <remarks>Beyond the years 1 to 9999 everything is one ms before the first or after the last instant. Immutable.</remarks>
internal sealed class ZoneDays(DateTimeZone zone)
{
    private const long DayMs = 86_400_000;
    private const int FirstDay = -719_162;
    private const int LastDay = 2_932_896;

    /// <summary>No zone is further than this from UTC, nor moves its clocks by more.</summary>
    private const long MarginMs = 3 * DayMs;

    private static readonly Timestamp BeforeAll = new(Timestamp.Min.Ms - 1);
    private static readonly Timestamp AfterAll = new(Timestamp.Max.Ms + 1);

    private readonly bool _isUtc = zone == DateTimeZone.Utc;

    /// <summary>First millisecond of a day.</summary>
    public Timestamp StartOf(long day)
    {
        if (day is < FirstDay or > LastDay)
        {
            return day < FirstDay ? BeforeAll : AfterAll;
        }

        if (_isUtc)
        {
            return new Timestamp(day * DayMs);
        }

        return LocalTimes.StartOfDay(LocalDates.FromDays((int)day), zone);
    }

    /// <summary>The day of an instant.</summary>
    public int DayOf(Timestamp at)
    {
        var inside = Inside(at);
        if (_isUtc)
        {
            return (int)Math.DivRem(inside.Ms - Timestamp.Min.Ms, DayMs).Quotient + FirstDay;
        }

        var day = LocalDates.ToDays(LocalTimes.Of(inside, zone).Date);
        return StartOf(day + 1) <= inside ? day + 1 : day;
    }

    /// <summary>The same local time some days later or, when negative, earlier.</summary>
    public Timestamp PlusDays(Timestamp at, int days)
    {
        if (days == 0 || _isUtc)
        {
            return new Timestamp(at.Ms + (days * DayMs));
        }

        var local = LocalTimes.Of(Inside(at), zone);
        return Plus(local, days) is { } moved ? LocalTimes.At(moved, zone) : days < 0 ? BeforeAll : AfterAll;
    }

    /// <summary>
    /// Adds every instant t at which "t plus days is at or before the target" may change. Where clocks change, the sum jumps and even goes
    /// back, so there may be several: the caller tries them in order.
    /// </summary>
    public void AddCrossings(Timestamp target, int days, List<Timestamp> instants)
    {
        var source = target.Ms - (days * DayMs);
        if (source < Timestamp.Min.Ms + (2 * MarginMs) || source > Timestamp.Max.Ms - (2 * MarginMs))
        {
            return;
        }

        if (days == 0 || _isUtc)
        {
            instants.Add(new Timestamp(source + 1));
            return;
        }

        var near = Inside(target);
        AddLocal(LocalTimes.Of(near, zone), -days, instants);
        foreach (var (early, late) in Transitions(near))
        {
            AddLocal(early.IsoLocalEnd, -days, instants);
            AddLocal(late.IsoLocalStart, -days, instants);
        }

        foreach (var (_, late) in Transitions(new Timestamp(source)))
        {
            instants.Add(Timestamp.FromInstant(late.Start));
        }
    }

    private IEnumerable<(ZoneInterval Early, ZoneInterval Late)> Transitions(Timestamp near)
    {
        var intervals = zone.GetZoneIntervals(near.PlusMs(-MarginMs).ToInstant(), near.PlusMs(MarginMs).ToInstant()).ToArray();
        return intervals.Zip(intervals.Skip(1));
    }

    private void AddLocal(LocalDateTime local, int days, List<Timestamp> instants)
    {
        if (Plus(local, days) is not { } moved)
        {
            return;
        }

        var mapping = zone.MapLocal(moved);
        var first = mapping.Count == 0 ? mapping.LateInterval.Start : mapping.First().ToInstant();
        var last = mapping.Count == 0 ? mapping.LateInterval.Start : mapping.Last().ToInstant();
        foreach (var at in new[] { first, last })
        {
            instants.Add(Timestamp.FromInstant(at));
            instants.Add(Timestamp.FromInstant(at).PlusMs(1));
        }
    }

    private static LocalDateTime? Plus(LocalDateTime local, int days)
    {
        var day = (long)LocalDates.ToDays(local.Date) + days;
        return day is < FirstDay or > LastDay ? null : LocalDates.FromDays((int)day) + local.TimeOfDay;
    }

    /// <summary>Keeps away from the ends of the calendar, where local times have no year.</summary>
    private static Timestamp Inside(Timestamp at) =>
        new(Math.Clamp(at.Ms, Timestamp.Min.Ms + (2 * MarginMs), Timestamp.Max.Ms - (2 * MarginMs)));
}
