using Roster.Engine.Measures;

namespace Roster.Engine.Tests.Measures;

public sealed class DurationHistogramTests
{
    [Fact]
    public void MET_17_Any_duration_reads_back_within_four_percent()
    {
        for (var ns = 1L; ns < 1L << 61; ns += 1 + (ns / 29))
        {
            var histogram = new DurationHistogram();
            histogram.Add(ns);
            histogram.Add(ns);
            histogram.Add(long.MaxValue);

            // A TimeSpan counts in steps of 100 ns.
            Assert.InRange(histogram.Read().Median.TotalNanoseconds, ns * 0.96 - 50, ns * 1.04 + 50);
        }
    }

    [Fact]
    public void MET_17_Median_and_percentile_count_what_was_added_over_all_shards()
    {
        var (one, other, all) = (new DurationHistogram(), new DurationHistogram(), new DurationHistogram());
        for (var i = 1; i <= 50; i++)
        {
            one.Add(i * 1_000_000L);
            other.Add((i + 50) * 1_000_000L);
        }

        all.Add(one);
        all.Add(other);
        var read = all.Read();
        Assert.Equal((100L, TimeSpan.FromMilliseconds(100)), (read.Count, read.Max));
        Assert.InRange(read.Median.TotalMilliseconds, 48, 52);
        Assert.InRange(read.Percentile99.TotalMilliseconds, 95, 100);
    }

    [Fact]
    public void MET_17_Nothing_is_zero_and_less_than_nothing_too()
    {
        var histogram = new DurationHistogram();
        Assert.Equal(default, histogram.Read());
        histogram.Add(-5);
        Assert.Equal(new Durations(1, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero), histogram.Read());
    }
}
