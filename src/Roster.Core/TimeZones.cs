using NodaTime;

namespace Roster.Core;

/// <summary>IANA zones from the database inside NodaTime, so that every host has the same rules.</summary>
public static class TimeZones
{
    /// <summary>Version of the database.</summary>
    public static string Version => DateTimeZoneProviders.Tzdb.VersionId;

    /// <summary>The zone of that name, or null.</summary>
    public static DateTimeZone? Find(string name) => DateTimeZoneProviders.Tzdb.GetZoneOrNull(name);
}
