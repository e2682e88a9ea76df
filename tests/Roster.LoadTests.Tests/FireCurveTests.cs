using Roster.LoadTests.Measuring;

namespace Roster.LoadTests.Tests;

public sealed class FireCurveTests
{
    [Fact]
    public void Who_fires_when_due_is_not_late()
    {
        var curve = new FireCurve(k => TimeSpan.FromMilliseconds(k + 1));
        curve.Read(TimeSpan.Zero, 0);
        curve.Read(TimeSpan.FromMilliseconds(50), 50);
        curve.Read(TimeSpan.FromMilliseconds(100), 100);
        Assert.Equal((100, 0), (curve.Lateness.Count, curve.Lateness.MaxMs));
    }

    [Fact]
    public void Fires_that_pile_up_are_late_by_what_they_waited()
    {
        // All are due at once; ten fire in each of ten readings.
        var heard = new List<TimeSpan>();
        var curve = new FireCurve(_ => TimeSpan.Zero, heard.Add);
        for (var i = 1; i <= 10; i++)
        {
            curve.Read(TimeSpan.FromMilliseconds(i * 10), i * 10);
        }

        Assert.InRange(curve.Lateness.PercentileMs(0.5), 50, 51);
        Assert.Equal(100, curve.Lateness.MaxMs);
        Assert.Equal(Enumerable.Range(1, 100).Select(ms => (double)ms), heard.Select(late => Math.Round(late.TotalMilliseconds, 3)));
        Assert.Equal((TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(100)), (curve.FirstAt, curve.LastAt));
    }

    [Fact]
    public void A_reading_without_news_moves_nothing_but_the_time()
    {
        var curve = new FireCurve(_ => TimeSpan.Zero);
        curve.Read(TimeSpan.FromMilliseconds(-5), 0);
        Assert.Null(curve.FirstAt);
        curve.Read(TimeSpan.FromMilliseconds(20), 0);
        curve.Read(TimeSpan.FromMilliseconds(30), 1);
        curve.Read(TimeSpan.FromMilliseconds(90), 1);
        Assert.Equal((1, TimeSpan.FromMilliseconds(30)), (curve.Fired, curve.LastAt));
        Assert.Equal(30, curve.Lateness.MaxMs);
    }
}
