using Roster.Core;
using Roster.Engine.Hosting;

namespace Roster.Embedded.Tests;

/// <summary>Blocks in pages.</summary>
public sealed class HeadSlabTests
{
    private const long Budget = 16L << 20;
    private readonly Dictionary<int, (long Address, int Length, int Capacity, byte Fill)> _blocks = [];
    private readonly HeadSlab _slab;

    public HeadSlabTests() => _slab = new HeadSlab(Budget, (owner, address) => _blocks[owner] = _blocks[owner] with { Address = address });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_block_keeps_its_bytes_whatever_comes_and_goes(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 60_000; i++)
        {
            var owner = random.Next(3_000);
            if (_blocks.Remove(owner, out var old))
            {
                Check(old);
                _slab.Free(old.Address);
            }
            else
            {
                // A few are larger than any page's share.
                Put(owner, random.Next(50) == 0 ? random.Next(20_000) + 1 : random.Next(2_000) + 1, (byte)random.Next(256));
            }
        }

        foreach (var block in _blocks.Values)
        {
            Check(block);
        }

        var held = _blocks.Values.Sum(b => (long)b.Capacity);
        Assert.InRange(_slab.Allocated, held, held * 2);
        foreach (var owner in _blocks.Keys.ToList())
        {
            _blocks.Remove(owner, out var block);
            _slab.Free(block.Address);
        }

        Assert.Equal(0, _slab.Allocated);
    }

    [Fact]
    public void Sizes_that_nobody_wants_any_more_leave_their_memory_to_others()
    {
        const int Count = 10_000;
        for (var length = 300; length <= 1_500; length += 100)
        {
            // Every head grows, one after another, so that each page of the former size empties slowly.
            for (var i = 0; i < Count; i++)
            {
                var owner = (i * 7_919) % Count;
                if (_blocks.Remove(owner, out var old))
                {
                    _slab.Free(old.Address);
                }

                Put(owner, length, (byte)owner);
            }

            Assert.InRange(_slab.Allocated, (long)length * Count, (long)(length * Count * 1.35));
        }

        foreach (var block in _blocks.Values)
        {
            Check(block);
        }
    }

    [Fact]
    public void A_cache_stays_within_its_budget_while_heads_of_all_sizes_come_and_grow()
    {
        const long BytesMax = 4L << 20;
        var dropped = 0;
        var cache = new RecordCache(BytesMax, (_, _, _) => dropped++);
        var random = new Random(1);
        for (var number = 1L; number <= 40_000; number++)
        {
            var size = 200 + (int)(number / 40) + random.Next(200);
            var slot = cache.Add(KeyHash.Of(new RecordKey(1, 1, "r" + number)), number, number, new byte[size]);
            cache.Change(slot, new byte[size + random.Next(200)]);
            cache.SetDurable(slot, number);
            Assert.InRange(cache.Bytes, 1, BytesMax + (256 * 1024));
        }

        Assert.True(cache.Count > 1_500, $"only {cache.Count} heads fit");
        Assert.True(dropped > 30_000);
    }

    private void Put(int owner, int length, byte fill)
    {
        // The owner is known before its block is: allocating moves no block.
        var address = _slab.Allocate(length, owner, out var capacity);
        Assert.True(capacity >= length);
        _slab.Block(address, capacity).Fill(fill);
        _blocks[owner] = (address, length, capacity, fill);
    }

    private void Check((long Address, int Length, int Capacity, byte Fill) block) =>
        Assert.Equal(-1, _slab.Block(block.Address, block.Capacity).IndexOfAnyExcept(block.Fill));
}
