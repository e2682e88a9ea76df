using Roster.Core.Packing;

namespace Roster.Core.Tests;

/// <summary>The buffer of a writer that is used over and over.</summary>
public sealed class PackedWriterTests
{
    [Fact]
    public void A_large_buffer_goes_when_little_of_it_was_used_for_long()
    {
        var writer = new PackedWriter();
        writer.Take(16 * 1024 * 1024);
        for (var i = 0; i < 1_000; i++)
        {
            writer.Clear();
            writer.Raw([1, 2, 3]);
        }

        Assert.InRange(writer.Capacity, 1024 * 1024, 2 * 1024 * 1024);
        Assert.Equal([1, 2, 3], writer.Written.ToArray());
    }

    [Fact]
    public void A_buffer_that_is_used_now_and_then_stays()
    {
        var writer = new PackedWriter();
        writer.Take(8 * 1024 * 1024);
        var capacity = writer.Capacity;
        for (var i = 0; i < 1_000; i++)
        {
            writer.Clear();
            writer.Take(i % 50 == 0 ? 4 * 1024 * 1024 : 10);
        }

        Assert.Equal(capacity, writer.Capacity);
    }
}
