using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>Pairs that arrive in any order and are read in order.</summary>
public sealed class SortedRunsTests
{
    [Theory]
    [InlineData(1, 20_000, 1_000_000)]
    [InlineData(2, 20_000, 3_000)]
    [InlineData(3, 5_000, 1)]
    [InlineData(4, 0, 1)]
    public void What_was_added_is_read_in_order_and_once_from_anywhere(int seed, int count, int different)
    {
        var random = new Random(seed);
        var (left, right) = (new SortedRuns(), new SortedRuns());
        var all = new SortedSet<(long, long)>();
        for (var i = 0; i < count; i++)
        {
            // Mostly rising, as record numbers are, with some that come late.
            var pair = ((long)(random.Next(3) == 0 ? random.Next(different) : i % different), (long)random.Next(3));
            (i % 5 == 0 ? right : left).Add(pair.Item1, pair.Item2);
            all.Add(pair);
        }

        left.AddAll(right);
        var runs = new List<(long, long)[]>();
        left.AddRunsTo(runs);
        foreach (var after in all.Where((_, i) => i % 997 == 0).Append((-1, 0)).Append((long.MaxValue, 0)).ToList())
        {
            Assert.Equal(all.Where(pair => pair.CompareTo(after) > 0), Read(new RunReader(runs, after)));
        }
    }

    private static IEnumerable<(long, long)> Read(RunReader reader)
    {
        for (; reader.TryPeek(out var pair); reader.Advance())
        {
            yield return pair;
        }

        reader.Advance();
        Assert.False(reader.TryPeek(out _));
    }
}
