using System.Numerics;

namespace Roster.LoadTests.Measuring;

/// <summary>
/// Latencies in logarithmic buckets with an error of at most 1.6 %: 64 sub-buckets per power of two of microseconds, up to
/// some two hours. The idea is that of HdrHistogram (Gil Tene). Thread-safe.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int Sub = 1 << SubBits;
    private readonly long[] _counts = new long[Sub * 28];
    private long _count;
    private long _max;

    /// <summary>Latencies added.</summary>
    public long Count
    {
        get
        {
            lock (_counts)
            {
                return _count;
            }
        }
    }

    /// <summary>The largest, exactly; 0 when there is none.</summary>
    public double MaxMs
    {
        get
        {
            lock (_counts)
            {
                return _max / 1000.0;
            }
        }
    }

    /// <summary>Adds a latency so many times; a negative one counts as none at all.</summary>
    public void Add(TimeSpan latency, long times = 1)
    {
        var micros = Math.Max(0, (long)latency.TotalMicroseconds);
        lock (_counts)
        {
            _counts[Math.Min(_counts.Length - 1, IndexOf(micros))] += times;
            _count += times;
            _max = Math.Max(_max, micros);
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        lock (_counts)
        {
            Array.Clear(_counts);
            _count = 0;
            _max = 0;
        }
    }

    /// <summary>Milliseconds that the share of latencies does not exceed; 0 when there is none.</summary>
    public double PercentileMs(double share)
    {
        lock (_counts)
        {
            var wanted = Math.Max(1, (long)Math.Ceiling(_count * share));
            var seen = 0L;
            for (var i = 0; i < _counts.Length; i++)
            {
                seen += _counts[i];
                if (seen >= wanted)
                {
                    return Math.Min(UpperMicros(i), _max) / 1000.0;
                }
            }
        }

        return 0;
    }

    private static int IndexOf(long micros)
    {
        if (micros < Sub)
        {
            return (int)micros;
        }

        var power = 63 - BitOperations.LeadingZeroCount((ulong)micros) - SubBits;
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
