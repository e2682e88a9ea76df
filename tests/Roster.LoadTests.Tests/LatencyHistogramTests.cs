using Roster.LoadTests.Measuring;

namespace Roster.LoadTests.Tests;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Without_latencies_all_is_zero()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal((0, 0, 0), (histogram.Count, histogram.PercentileMs(0.99), histogram.MaxMs));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.99)]
    [InlineData(0.999)]
    [InlineData(1)]
    public void A_percentile_is_never_too_small_and_at_most_two_percent_too_large(double share)
    {
        var histogram = new LatencyHistogram();
        var random = new Random(7);
        var all = Enumerable.Range(0, 20_000).Select(_ => TimeSpan.FromMicroseconds(Math.Floor(Math.Exp(random.NextDouble() * 17)))).ToList();
        all.ForEach(latency => histogram.Add(latency));
        var exact = all.Order().ElementAt((int)Math.Ceiling(all.Count * share) - 1).TotalMilliseconds;
        Assert.InRange(histogram.PercentileMs(share), exact, exact * 1.02);
    }

    [Fact]
    public void The_largest_is_exact_and_bounds_every_percentile()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(TimeSpan.FromMicroseconds(1_234_567));
        Assert.Equal(1_234.567, histogram.MaxMs);
        Assert.Equal(1_234.567, histogram.PercentileMs(0.5));
    }

    [Fact]
    public void A_negative_latency_counts_as_none()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(TimeSpan.FromSeconds(-1));
        Assert.Equal((1, 0), (histogram.Count, histogram.MaxMs));
    }

    [Fact]
    public void Many_equal_ones_can_be_added_at_once()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(TimeSpan.FromMilliseconds(1), 99);
        histogram.Add(TimeSpan.FromMilliseconds(50));
        Assert.Equal(100, histogram.Count);
        Assert.InRange(histogram.PercentileMs(0.99), 1, 1.02);
        Assert.Equal(50, histogram.PercentileMs(0.991));
    }

    [Fact]
    public void After_Clear_it_is_as_new()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(TimeSpan.FromSeconds(3));
        histogram.Clear();
        Assert.Equal((0, 0, 0), (histogram.Count, histogram.PercentileMs(1), histogram.MaxMs));
    }

    [Fact]
    public void Beyond_its_range_the_largest_is_still_known()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(TimeSpan.FromDays(1));
        Assert.Equal(TimeSpan.FromDays(1).TotalMilliseconds, histogram.MaxMs);
    }
}
