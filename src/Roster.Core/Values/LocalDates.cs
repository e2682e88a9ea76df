using NodaTime;

namespace Roster.Core.Values;

/// <summary>Dates as day numbers, which is how they are stored.</summary>
internal static class LocalDates
{
    private static readonly LocalDate Epoch = new(1970, 1, 1);

    /// <summary>The date that is <paramref name="days"/> days after 1970-01-01.</summary>
    public static LocalDate FromDays(int days) => Epoch.PlusDays(days);

    /// <summary>Days from 1970-01-01 to the date.</summary>
    public static int ToDays(LocalDate date) => Period.DaysBetween(Epoch, date);
}
