using NodaTime;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Filters;

/// <summary>A unit of the calendar (FIL-25): its pieces have numbers, and each begins with a day.</summary>
/// <param name="Unit">The unit.</param>
/// <param name="FirstMonth">For quarters and years: first month of the year, 1 to 12.</param>
internal readonly record struct CalendarUnit(TimeUnit Unit, int FirstMonth = 1)
{
    /// <summary>1970-01-01 was a Thursday: its week began three days before.</summary>
    private const int DaysFromMonday = 3;

    private const int FirstDay = -719_162;
    private const int LastDay = 2_932_896;

    public static readonly CalendarUnit Day = new(TimeUnit.Day);

    /// <summary>Number of the piece that a day is in.</summary>
    public long IndexOf(long day)
    {
        if (Unit is TimeUnit.Day or TimeUnit.Week)
        {
            return Unit == TimeUnit.Day ? day : FloorDiv(day + DaysFromMonday, 7);
        }

        var date = LocalDates.FromDays((int)Math.Clamp(day, FirstDay, LastDay));
        return FloorDiv((date.Year * 12L) + date.Month - FirstMonthOrOne, Months);
    }

    /// <summary>First day of a piece; a day outside the calendar when the piece is.</summary>
    public long StartOf(long index)
    {
        if (Unit is TimeUnit.Day or TimeUnit.Week)
        {
            return Unit == TimeUnit.Day ? index : (index * 7) - DaysFromMonday;
        }

        var months = (index * Months) + FirstMonthOrOne - 1;
        var year = FloorDiv(months, 12);
        if (year is < 1 or > 9999)
        {
            return year < 1 ? FirstDay - 1L : LastDay + 1L;
        }

        return LocalDates.ToDays(new LocalDate((int)year, (int)(months - (year * 12)) + 1, 1));
    }

    private int Months => Unit switch
    {
        TimeUnit.Month => 1,
        TimeUnit.Quarter => 3,
        TimeUnit.Year => 12,
        _ => throw new InvalidOperationException($"Time unit {Unit} has no meaning here; the compiler should have refused it."),
    };

    private int FirstMonthOrOne => Unit == TimeUnit.Month ? 1 : FirstMonth;

    private static long FloorDiv(long value, long divisor)
    {
        var quotient = Math.DivRem(value, divisor, out var remainder);
        return remainder < 0 ? quotient - 1 : quotient;
    }
}
