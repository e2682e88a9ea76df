using System.Runtime.CompilerServices;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite.Tests;

public sealed class HeadIndexTests
{
    [Theory]
    [InlineData(10, 3)]
    [InlineData(3_000, 1)]
    [InlineData(100_000, 2)]
    public void It_holds_what_a_dictionary_holds_and_nothing_after_it_was_cleared(int numbers, int rounds)
    {
        var random = new Random(1);
        var index = new HeadIndex();
        for (var round = 0; round < rounds; round++)
        {
            var known = new Dictionary<long, HeadInFile>();
            for (var i = 0; i < 2 * numbers; i++)
            {
                var entry = new HeadInFile { Number = 1 + random.NextInt64(numbers), Position = 1 + i, At = (uint)i, Length = i % 1_000 };
                known[entry.Number] = entry;
                index.Set(entry);
            }

            Assert.Equal(known.Count, index.Count);
            for (var number = 0L; number <= numbers + 1; number++)
            {
                ref readonly var found = ref index.Find(number);
                Assert.Equal(known.ContainsKey(number), !Unsafe.IsNullRef(in found));
                Assert.True(Unsafe.IsNullRef(in found) || found.Equals(known[number]));
            }

            index.Clear();
            Assert.Equal(0, index.Count);
            Assert.All(known.Keys, number => Assert.True(Unsafe.IsNullRef(in index.Find(number))));
        }
    }
}
