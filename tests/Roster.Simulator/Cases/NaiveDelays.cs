using NodaTime;
using NodaTime.Text;
using NodaTime.TimeZones;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <summary>When a delay is due (section 16).</summary>
internal static class NaiveDelays
{
    /// <summary>The due instant of a delay that was entered at an instant; null when its property is unknown.</summary>
    public static long? DueAt(DelayDefinition delay, string workflowZone, long start, string? property)
    {
        var zone = delay.TimeZone.Length > 0 ? DateTimeZoneProviders.Tzdb[delay.TimeZone]
            : workflowZone.Length > 0 ? DateTimeZoneProviders.Tzdb[workflowZone]
            : DateTimeZone.Utc;
        LocalTime? time = delay.TimeOfDay.Length > 0 ? LocalTimePattern.CreateWithInvariantCulture("HH:mm").Parse(delay.TimeOfDay).Value : null;
        if (delay.Property is { } until)
        {
            return property is null ? null : OfProperty(until, time, zone, property);
        }

        var entered = Instant.FromUnixTimeMilliseconds(start);
        var amount = delay.Amount!.Value;
        return delay.Unit switch
        {
            DelayUnit.Minutes => start + (amount * 60_000L),
            DelayUnit.Hours => start + (amount * 3_600_000L),
            DelayUnit.Days => OfDays(entered, amount, time, zone),
            DelayUnit.Weeks => OfDays(entered, amount * 7, time, zone),
            _ => throw new NotSupportedException($"{delay.Unit}"),
        };
    }

    private static long OfDays(Instant entered, int days, LocalTime? time, DateTimeZone zone)
    {
        if (days == 0 && time is null)
        {
            return entered.ToUnixTimeMilliseconds();
        }

        var local = entered.InZone(zone).LocalDateTime;
        var due = Resolve((local.Date.PlusDays(days) + (time ?? local.TimeOfDay)), zone);
        return due < entered.ToUnixTimeMilliseconds() ? Resolve(local.Date.PlusDays(days + 1) + time!.Value, zone) : due;
    }

    private static long OfProperty(PropertyDateDefinition until, LocalTime? time, DateTimeZone zone, string property)
    {
        LocalDateTime local;
        Instant exact;
        if (property.Contains('T', StringComparison.Ordinal))
        {
            exact = InstantPattern.ExtendedIso.Parse(property).Value;
            local = exact.InZone(zone).LocalDateTime;
        }
        else
        {
            local = LocalDatePattern.Iso.Parse(property).Value.AtMidnight();
            exact = Instant.FromUnixTimeMilliseconds(Resolve(local, zone));
        }

        if (until.OffsetHours != 0)
        {
            return exact.ToUnixTimeMilliseconds() + (until.OffsetHours * 3_600_000L);
        }

        return until.OffsetDays == 0 && time is null
            ? exact.ToUnixTimeMilliseconds()
            : Resolve(local.Date.PlusDays(until.OffsetDays) + (time ?? local.TimeOfDay), zone);
    }

    /// <summary>A skipped local time is the first instant after the gap; one that comes twice is its first occurrence (DLY-04).</summary>
    private static long Resolve(LocalDateTime local, DateTimeZone zone) =>
        zone.ResolveLocal(local, Resolvers.CreateMappingResolver(Resolvers.ReturnEarlier, Resolvers.ReturnStartOfIntervalAfter)).ToInstant().ToUnixTimeMilliseconds();
}
