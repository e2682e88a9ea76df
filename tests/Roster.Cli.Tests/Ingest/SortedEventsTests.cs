using Roster.Cli.Ingest;
using Roster.V1;

namespace Roster.Cli.Tests.Ingest;

public sealed class SortedEventsTests
{
    [Theory]
    [InlineData(1_000)]
    [InlineData(7)]
    [InlineData(1)]
    public void A_source_is_sorted_by_time_and_keeps_its_order_among_equal_times(int runLength)
    {
        var random = new Random(5);
        var events = Enumerable.Range(0, 100).Select(i => New(file: 0, at: random.Next(10), sequence: i)).ToList();
        using var sorted = SortedEvents.Load(events, TestContext.Current.CancellationToken, runLength);
        Assert.Equal(100, sorted.Count);
        Assert.Equal(events.OrderBy(item => item.AtMs).Select(item => item.Event.EventId), sorted.Read().Select(item => item.Event.EventId));

        // A second reading is the same: --resume counts on it.
        Assert.Equal(100, sorted.Read().Count());
    }

    [Fact]
    public void Sources_are_merged_by_time_and_the_earlier_file_comes_first_among_equals()
    {
        var merged = SortedEvents.Merge(
        [
            [New(0, 1, 0), New(0, 5, 1)],
            [New(1, 1, 0), New(1, 3, 1), New(1, 9, 2)],
        ]);
        Assert.Equal(["0-0", "1-0", "1-1", "0-1", "1-2"], merged.Select(item => item.Event.EventId));
    }

    private static SourceEvent New(int file, long at, long sequence) => new(new Event { EventId = $"{file}-{sequence}" }, at, file, sequence + 1, sequence);
}
