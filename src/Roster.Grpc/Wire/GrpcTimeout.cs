using System.Globalization;

namespace Grpc.Core.Wire;

/// <summary>The form of grpc-timeout: one to eight digits and a unit.</summary>
internal static class GrpcTimeout
{
    private const long ValueMax = 99_999_999;

    /// <summary>
    /// The longest time a timer can wait. A later deadline gets no timer; a call of 49 days ends by other means.
    /// </summary>
    public static readonly TimeSpan TimerMax = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    public static bool TryParse(string? text, out TimeSpan timeout)
    {
        timeout = default;
        if (text is null || text.Length is < 2 or > 9
            || !uint.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out uint value))
        {
            return false;
        }

        long? ticks = text[^1] switch
        {
            'H' => value * TimeSpan.TicksPerHour,
            'M' => value * TimeSpan.TicksPerMinute,
            'S' => value * TimeSpan.TicksPerSecond,
            'm' => value * TimeSpan.TicksPerMillisecond,
            'u' => value * TimeSpan.TicksPerMicrosecond,
            'n' => value / TimeSpan.NanosecondsPerTick,
            _ => null,
        };
        timeout = new TimeSpan(ticks.GetValueOrDefault());
        return ticks is not null;
    }

    /// <summary>The finest unit that fits in eight digits, rounded up so that the server never ends before the client.</summary>
    public static string Format(TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero)
        {
            return "1n";
        }

        (long value, char unit) = (InUnits(TimeSpan.TicksPerMicrosecond), 'u');
        if (value > ValueMax)
        {
            (value, unit) = (InUnits(TimeSpan.TicksPerMillisecond), 'm');
        }

        if (value > ValueMax)
        {
            (value, unit) = (InUnits(TimeSpan.TicksPerSecond), 'S');
        }

        if (value > ValueMax)
        {
            (value, unit) = (InUnits(TimeSpan.TicksPerMinute), 'M');
        }

        if (value > ValueMax)
        {
            (value, unit) = (Math.Min(InUnits(TimeSpan.TicksPerHour), ValueMax), 'H');
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");

        long InUnits(long ticks) => (timeout.Ticks / ticks) + (timeout.Ticks % ticks == 0 ? 0 : 1);
    }
}
