using System.Numerics;

namespace Roster.Engine.Measures;

/// <summary>
/// Counts durations in nanoseconds by size: 16 equal buckets per power of two, so a value read back is off by less than 4 %. It costs an
/// index and an addition, and memory only for the sizes that were seen.
/// </summary>
/// <remarks>One thread at a time adds. Any thread may read meanwhile and then sees a little less or more.</remarks>
internal sealed class DurationHistogram
{
    private const int BucketBits = 4;
    private const int BucketsPerPower = 1 << BucketBits;

    // Row 0 has 0 to 15 one by one; row n the 16 buckets of the values with n + 4 bits.
    private readonly long[]?[] _rows = new long[64 - BucketBits][];
    private long _max;

    /// <summary>Adds a duration; what is below 0 counts as 0.</summary>
    public void Add(long nanoseconds)
    {
        var value = Math.Max(0, nanoseconds);
        var row = value < BucketsPerPower ? 0 : BitOperations.Log2((ulong)value) - BucketBits + 1;
        var buckets = _rows[row] ?? NewRow(row);
        buckets[(int)(value >> Math.Max(0, row - 1)) & (BucketsPerPower - 1)]++;
        if (value > _max)
        {
            _max = value;
        }
    }

    /// <summary>Adds what another one has counted.</summary>
    public void Add(DurationHistogram other)
    {
        for (var row = 0; row < _rows.Length; row++)
        {
            if (Volatile.Read(ref other._rows[row]) is not { } counted)
            {
                continue;
            }

            var buckets = _rows[row] ?? NewRow(row);
            for (var i = 0; i < BucketsPerPower; i++)
            {
                buckets[i] += Volatile.Read(ref counted[i]);
            }
        }

        _max = Math.Max(_max, Volatile.Read(ref other._max));
    }

    /// <summary>What was counted, in short.</summary>
    public Durations Read()
    {
        var count = _rows.Sum(r => r?.Sum() ?? 0);
        return new Durations(count, Percentile(count, 0.5), Percentile(count, 0.99), ToTimeSpan(_max));
    }

    private TimeSpan Percentile(long count, double share)
    {
        var wanted = (long)Math.Ceiling(count * share);
        for (var row = 0; row < _rows.Length && count > 0; row++)
        {
            for (var i = 0; _rows[row] is { } buckets && i < BucketsPerPower; i++)
            {
                wanted -= buckets[i];
                if (wanted <= 0)
                {
                    return ToTimeSpan(Math.Min(_max, MiddleOf(row, i)));
                }
            }
        }

        return TimeSpan.Zero;
    }

    private static TimeSpan ToTimeSpan(double nanoseconds) => TimeSpan.FromTicks((long)Math.Round(nanoseconds / TimeSpan.NanosecondsPerTick));

    private static double MiddleOf(int row, int bucket) =>
        row == 0 ? bucket : (BucketsPerPower + bucket + 0.5) * Math.Pow(2, row - 1) - 0.5;

    private long[] NewRow(int row)
    {
        var buckets = new long[BucketsPerPower];
        Volatile.Write(ref _rows[row], buckets);
        return buckets;
    }
}

/// <summary>Durations in short.</summary>
/// <param name="Count">How many.</param>
/// <param name="Median">Half of them are not longer; off by less than 4 %.</param>
/// <param name="Percentile99">99 % of them are not longer; off by less than 4 %.</param>
/// <param name="Max">The longest.</param>
public readonly record struct Durations(long Count, TimeSpan Median, TimeSpan Percentile99, TimeSpan Max);
