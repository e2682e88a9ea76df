using NodaTime;

namespace Roster.Core.Calendars;

/// <summary>A set of days of the week.</summary>
/// <remarks>The default is <see cref="None"/>. What no day means is said where a set is taken.</remarks>
[Flags]
public enum Weekdays : byte
{
    /// <summary>No day.</summary>
    None = 0,

    /// <summary>Monday.</summary>
    Monday = 1,

    /// <summary>Tuesday.</summary>
    Tuesday = 2,

    /// <summary>Wednesday.</summary>
    Wednesday = 4,

    /// <summary>Thursday.</summary>
    Thursday = 8,

    /// <summary>Friday.</summary>
    Friday = 16,

    /// <summary>Saturday.</summary>
    Saturday = 32,

    /// <summary>Sunday.</summary>
    Sunday = 64,

    /// <summary>Monday to Friday.</summary>
    MondayToFriday = Monday | Tuesday | Wednesday | Thursday | Friday,

    /// <summary>Every day.</summary>
    All = MondayToFriday | Saturday | Sunday,
}

/// <summary>Sets of days of the week and the days of dates.</summary>
public static class WeekdaysExtensions
{
    /// <summary>Whether the day is one of the set.</summary>
    public static bool Contains(this Weekdays weekdays, IsoDayOfWeek day) => (weekdays & day.ToWeekdays()) != 0;

    /// <summary>The set of this day alone.</summary>
    public static Weekdays ToWeekdays(this IsoDayOfWeek day) =>
        day is >= IsoDayOfWeek.Monday and <= IsoDayOfWeek.Sunday ? (Weekdays)(1 << ((int)day - 1)) : Weekdays.None;
}
