namespace Roster.LoadTests;

/// <summary>
/// Latencies in logarithmic buckets with an error of at most 1 %: 64 sub-buckets per power of two of microseconds, up to
/// some 70 minutes. The idea is that of HdrHistogram (Gil Tene). Thread-safe.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int Sub = 1 << SubBits;
    private readonly long[] _counts = new long[Sub * 28];
    private long _max;

    public long Count { get; private set; }

    public void Add(TimeSpan latency)
    {
        var micros = Math.Max(0, (long)latency.TotalMicroseconds);
        lock (_counts)
        {
            _counts[Math.Min(_counts.Length - 1, IndexOf(micros))]++;
            Count++;
            _max = Math.Max(_max, micros);
        }
    }

    /// <summary>Milliseconds below which the share of latencies lies.</summary>
    public double PercentileMs(double share)
    {
        lock (_counts)
        {
            var wanted = (long)Math.Ceiling(Count * share);
            var seen = 0L;
            for (var i = 0; i < _counts.Length; i++)
            {
                seen += _counts[i];
                if (seen >= wanted && Count > 0)
                {
                    return Math.Min(UpperMicros(i), _max) / 1000.0;
                }
            }
        }

        return 0;
    }

    public double MaxMs => _max / 1000.0;

    private static int IndexOf(long micros)
    {
        if (micros < Sub)
        {
            return (int)micros;
        }

        var power = 63 - System.Numerics.BitOperations.LeadingZeroCount((ulong)micros) - SubBits;
        return ((power + 1) * Sub) + (int)((micros >> power) - Sub);
    }

    private static long UpperMicros(int index)
    {
        if (index < Sub)
        {
            return index;
        }

        var power = (index / Sub) - 1;
        return ((long)((index % Sub) + Sub + 1) << power) - 1;
    }
}
