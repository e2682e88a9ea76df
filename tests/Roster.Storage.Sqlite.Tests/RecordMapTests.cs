using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>What the store remembers of records without reading.</summary>
public sealed class RecordMapTests
{
    private const int Clean = 65_536;

    [Fact]
    public void Records_that_no_table_has_yet_stay_and_the_others_leave_again()
    {
        var map = new RecordMap(Clean);
        for (var number = 1L; number <= 4 * Clean; number++)
        {
            Add(map, number, dirtyIn: 1);
        }

        Assert.Equal(4 * Clean, Known(map, 4 * Clean));
        for (var number = 1L; number <= 4 * Clean; number++)
        {
            Assert.Equal((ulong)number, map.Find(number).TurnId);
            map.Find(number).DirtyIn = number % 100 == 0 ? 1 : 0;
        }

        // As many others come, none of them dirty.
        for (var number = (4L * Clean) + 1; number <= 8 * Clean; number++)
        {
            Add(map, number, dirtyIn: 0);
        }

        Assert.InRange(Known(map, 8 * Clean), Clean / 2, 2 * Clean);
        for (var number = 100L; number <= 4 * Clean; number += 100)
        {
            Assert.False(RecordMap.IsMissing(ref map.Find(number)));
            Assert.Equal((ulong)number, map.Find(number).TurnId);
        }
    }

    private static void Add(RecordMap map, long number, int dirtyIn)
    {
        ref var entry = ref map.Add(number);
        (entry.Position, entry.TurnId, entry.DirtyIn) = (number, (ulong)number, dirtyIn);
    }

    private static int Known(RecordMap map, int numbers) => Enumerable.Range(1, numbers).Count(number => !RecordMap.IsMissing(ref map.Find(number)));
}
