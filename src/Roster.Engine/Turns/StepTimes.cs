namespace Roster.Engine.Turns;

/// <summary>
/// A fixed logarithmic histogram of durations (MET-01): bucket n holds durations from 1.1^(n-1) to 1.1^n milliseconds, so a value read back
/// is off by less than 5 %.
/// </summary>
public static class StepTimes
{
    private const double Base = 1.1;
    private static readonly double LogBase = Math.Log(Base);

    /// <summary>The bucket of a duration in milliseconds; 0 for none.</summary>
    public static int BucketOf(long ms) => ms <= 0 ? 0 : 1 + (int)Math.Floor(Math.Log(ms) / LogBase);

    /// <summary>The middle of a bucket in milliseconds.</summary>
    public static long MsOf(int bucket) => bucket == 0 ? 0 : (long)Math.Round(Math.Pow(Base, bucket - 0.5));

    /// <summary>The value that a share of all durations does not exceed; null when there are none.</summary>
    /// <param name="buckets">Counts by bucket; durations of 0 are bucket 0.</param>
    /// <param name="share">0 to 1.</param>
    public static long? Percentile(IReadOnlyCollection<KeyValuePair<int, long>> buckets, double share)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        var wanted = (long)Math.Ceiling(buckets.Sum(b => b.Value) * share);
        var seen = 0L;
        foreach (var (bucket, count) in buckets.OrderBy(b => b.Key))
        {
            seen += count;
            if (count > 0 && seen >= wanted)
            {
                return MsOf(bucket);
            }
        }

        return null;
    }
}
