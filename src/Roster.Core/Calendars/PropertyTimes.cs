using NodaTime;
using Roster.Core.Values;

namespace Roster.Core.Calendars;

/// <summary>The time in a date or datetime property: a date without time is 00:00 local (DLY-08). Other types have none.</summary>
internal static class PropertyTimes
{
    /// <summary>The local time of the value; null when it has none.</summary>
    public static LocalDateTime? LocalOf(in Value value, DateTimeZone zone) => value.Type switch
    {
        PropertyType.Date => value.Date.AtMidnight(),
        PropertyType.DateTime => LocalTimes.Of(value.DateTime, zone),
        _ => null,
    };

    /// <summary>The instant of the value; null when it has none.</summary>
    public static Timestamp? InstantOf(in Value value, DateTimeZone zone) => value.Type switch
    {
        PropertyType.Date => LocalTimes.StartOfDay(value.Date, zone),
        PropertyType.DateTime => LocalTimes.PlusMs(value.DateTime, 0),
        _ => null,
    };
}
