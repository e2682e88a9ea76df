using System.Globalization;
using NodaTime;
using NodaTime.Text;
using Roster.Core.Calendars;

namespace Roster.Core.Tests.Calendars;

/// <summary>Short ways to write times, and the rules once more in the slowest way: by looking at every minute.</summary>
internal static class Naive
{
    public const long Minute = 60_000;
    public const long Hour = 60 * Minute;
    public const long Day = 24 * Hour;

    /// <summary>Zones with an odd clock: gaps and folds by day, at midnight, by half an hour, by a day, and none.</summary>
    private static readonly string[] OddZones =
    [
        "Europe/Berlin", "America/New_York", "Pacific/Apia", "America/Sao_Paulo", "Asia/Beirut", "Australia/Lord_Howe",
        "America/St_Johns", "America/Nuuk", "Asia/Kolkata", "UTC",
    ];

    public static DateTimeZone Zone(string id) => DateTimeZoneProviders.Tzdb[id];

    /// <summary>An instant: <c>2026-03-29T01:00:00Z</c>.</summary>
    public static Timestamp Utc(string text) => Timestamp.FromInstant(InstantPattern.ExtendedIso.Parse(text).Value);

    /// <summary>A local time: <c>2026-03-29T03:00</c>.</summary>
    public static LocalDateTime Local(string text) => LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm").Parse(text).Value;

    /// <summary>The instant of a local time that occurs once.</summary>
    public static Timestamp In(string zone, string text) => Timestamp.FromInstant(Zone(zone).AtStrictly(Local(text)).ToInstant());

    /// <summary>A date: <c>2026-03-29</c>.</summary>
    public static LocalDate Date(string text) => LocalDatePattern.Iso.Parse(text).Value;

    /// <summary>A time of day: <c>09:00</c>.</summary>
    public static LocalTime Time(string text) => LocalTimePattern.CreateWithInvariantCulture("HH:mm").Parse(text).Value;

    /// <summary>A time of day, or none for the empty text.</summary>
    public static LocalTime? TimeOrNone(string text) => text.Length == 0 ? null : Time(text);

    /// <summary>The local time at an instant, as text.</summary>
    public static string Show(Timestamp at, string zone) =>
        at.ToInstant().InZone(Zone(zone)).LocalDateTime.ToString("uuuu-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);

    /// <summary>Whole minutes since 1970, cut.</summary>
    public static long MinuteOf(Timestamp at) => at.Ms / Minute;

    /// <summary>The local time at a minute.</summary>
    public static LocalDateTime LocalAt(long minute, DateTimeZone zone) => Instant.FromUnixTimeSeconds(minute * 60).InZone(zone).LocalDateTime;

    /// <summary>The first minute whose local time is the wanted one or later: what DLY-04 says, without the words gap and fold.</summary>
    public static Timestamp FirstNotBefore(LocalDateTime local, DateTimeZone zone)
    {
        var wanted = local.InUtc().ToInstant().ToUnixTimeSeconds();
        var second = wanted - (15 * 3600);
        while (second + zone.GetUtcOffset(Instant.FromUnixTimeSeconds(second)).Seconds < wanted)
        {
            second += 60;
        }

        return new Timestamp(second * 1_000);
    }

    /// <summary>A zone and an instant of 2005 to 2030; two times of three within four days of a change of the zone's clock.</summary>
    public static (DateTimeZone Zone, Timestamp At) SomeTime(Random random)
    {
        var zone = Zone(OddZones[random.Next(OddZones.Length)]);
        var at = Instant.FromUtc(2005, 1, 1, 0, 0) + Duration.FromMilliseconds(random.NextInt64(25 * 365 * Day));
        var shift = zone.GetZoneInterval(at);
        if (random.Next(3) > 0 && shift.HasEnd && shift.End < Instant.FromUtc(2037, 1, 1, 0, 0))
        {
            at = shift.End + Duration.FromMilliseconds(random.NextInt64(-4 * Day, 4 * Day));
        }

        // Whole minutes half of the time: there the boundaries are.
        var ms = at.ToUnixTimeMilliseconds();
        return (zone, new Timestamp(random.Next(2) == 0 ? ms / Minute * Minute : ms));
    }

    /// <summary>A time of day, often at the hours at which clocks are changed.</summary>
    public static LocalTime SomeTimeOfDay(Random random) => random.Next(3) switch
    {
        0 => new LocalTime(random.Next(24), 30 * random.Next(2)),
        1 => new LocalTime(new[] { 0, 1, 2, 23 }[random.Next(4)], random.Next(60)),
        _ => new LocalTime(random.Next(24), random.Next(60)),
    };

    /// <summary>Fails when the instant is before the first or after the last.</summary>
    public static void AssertBetween(Timestamp at, Timestamp first, Timestamp last) => Assert.True(at >= first && at <= last, $"{at} is not from {first} to {last}");

    /// <summary>One to seven days.</summary>
    public static Weekdays SomeWeekdays(Random random) => (Weekdays)random.Next(1, 128);
}
