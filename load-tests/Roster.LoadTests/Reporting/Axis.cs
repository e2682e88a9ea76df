using System.Globalization;

namespace Roster.LoadTests.Reporting;

/// <summary>An axis of a plot: from values to places, and the values that are written on it.</summary>
internal sealed class Axis
{
    private readonly bool _isLogarithmic;

    private Axis(double from, double to, bool isLogarithmic, IReadOnlyList<double> ticks)
    {
        From = from;
        To = to;
        _isLogarithmic = isLogarithmic;
        Ticks = ticks;
    }

    /// <summary>The value at its beginning.</summary>
    public double From { get; }

    /// <summary>The value at its end.</summary>
    public double To { get; }

    /// <summary>The values that are written on it, rising.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>From 0 to a round value that is not below the largest, in at most so many steps of 1, 2 or 5 times a power of ten.</summary>
    public static Axis Linear(double max, int steps = 5)
    {
        max = max > 0 ? max : 1;
        var step = Step(max / steps);
        var count = (int)Math.Ceiling((max / step) - 1e-9);
        return new Axis(0, count * step, false, [.. Enumerable.Range(0, count + 1).Select(i => i * step)]);
    }

    /// <summary>From 0 to exactly the largest value: for time.</summary>
    public static Axis Exact(double max)
    {
        var step = Step(Math.Max(max, 1e-9) / 6);
        return new Axis(0, Math.Max(max, 1e-9), false, [.. Enumerable.Range(0, (int)((max / step) + 1e-9) + 1).Select(i => i * step)]);
    }

    /// <summary>Powers of ten that enclose the values; all must be above 0.</summary>
    public static Axis Logarithmic(double min, double max)
    {
        var (first, last) = ((int)Math.Floor(Math.Log10(min) + 1e-9), (int)Math.Ceiling(Math.Log10(max) - 1e-9));
        last = Math.Max(last, first + 1);
        return new Axis(Math.Pow(10, first), Math.Pow(10, last), true, [.. Enumerable.Range(first, last - first + 1).Select(power => Math.Pow(10, power))]);
    }

    /// <summary>Where a value lies: 0 at the beginning, 1 at the end; outside of the axis it is moved to its edge.</summary>
    public double Place(double value)
    {
        var place = _isLogarithmic
            ? (Math.Log10(Math.Max(value, From)) - Math.Log10(From)) / (Math.Log10(To) - Math.Log10(From))
            : (value - From) / (To - From);
        return Math.Clamp(place, 0, 1);
    }

    /// <summary>A short way to write a value: <c>250k</c>, <c>1.5M</c>, <c>0.2</c>.</summary>
    public static string Label(double value) => Math.Abs(value) switch
    {
        >= 1e6 => (value / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + "M",
        >= 1e4 => (value / 1e3).ToString("0.##", CultureInfo.InvariantCulture) + "k",
        >= 1e3 => value.ToString("#,0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    private static double Step(double atLeast)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(atLeast)));
        return (atLeast / power) switch { <= 1 + 1e-9 => power, <= 2 + 1e-9 => 2 * power, <= 5 + 1e-9 => 5 * power, _ => 10 * power };
    }
}
