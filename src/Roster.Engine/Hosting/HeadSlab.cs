using System.Buffers.Binary;

namespace Roster.Engine.Hosting;

/// <summary>
/// Packed heads in pages, changed in place: nothing that lives long refers to anything young, so the garbage collector has no work with
/// them. That was the one lever that mattered in the trial of design section 4 (2.6 to 2.9 times the rate of a new array per change).
/// </summary>
/// <remarks>
/// A page has blocks of one size. Sizes rise by an eighth, so a block has a little slack and most changes stay where they are. Heads grow and
/// go, so blocks of some size become free while others are wanted: when more than an eighth of a size is free, the blocks of its emptiest page
/// move to others and the page serves any size. So the pages never have much more than what is in them, whatever came and went before (without
/// this, a million contacts through a budget of 256 MB took 640 MB). Not thread-safe.
/// </remarks>
internal sealed class HeadSlab
{
    private const int PageBytesMin = 4 * 1024;
    private const int PageBytesMax = 64 * 1024;
    private const int Unit = 64;

    /// <summary>Pages that are kept although nothing is in them.</summary>
    private const int SparePagesMax = 64;

    private readonly int _pageBytes;
    private readonly int[] _classBytes;
    private readonly SizeClass[] _classes;
    private readonly List<Page?> _pages = [];
    private readonly Stack<int> _freeNumbers = new();
    private readonly Stack<byte[]> _spare = new();
    private readonly Action<int, long> _moved;

    /// <param name="bytesMax">What it is meant to hold: decides the size of pages.</param>
    /// <param name="moved">Hears that the block of an owner has another address.</param>
    public HeadSlab(long bytesMax, Action<int, long> moved)
    {
        _moved = moved;
        _pageBytes = PageBytesMax;
        while (_pageBytes > PageBytesMin && _pageBytes > bytesMax / 256)
        {
            _pageBytes /= 2;
        }

        var sizes = new List<int>();
        for (var size = 2 * Unit; size <= _pageBytes / 8; size = (size + (size / 8) + Unit - 1) / Unit * Unit)
        {
            sizes.Add(size);
        }

        _classBytes = [.. sizes];
        _classes = [.. sizes.Select(size => new SizeClass(size, _pageBytes / size))];
    }

    /// <summary>Bytes of the pages that something is in.</summary>
    public long Allocated { get; private set; }

    /// <summary>A block for a head of so many bytes.</summary>
    /// <param name="length">Bytes of the head.</param>
    /// <param name="owner">Number of the owner, at least 0: says later whose block was moved.</param>
    /// <param name="capacity">Bytes that the head may grow to.</param>
    public long Allocate(int length, int owner, out int capacity)
    {
        var index = Array.BinarySearch(_classBytes, length);
        index = index < 0 ? ~index : index;
        if (index == _classes.Length)
        {
            capacity = length + (length / 8);
            return Address(Add(new Page(GC.AllocateUninitializedArray<byte>(capacity, pinned: true), null)), 0);
        }

        capacity = _classBytes[index];
        return Take(_classes[index], owner);
    }

    /// <summary>Gives a block back.</summary>
    public void Free(long address)
    {
        var (number, at) = Split(address);
        var page = _pages[number]!;
        if (page.Class is not { } size)
        {
            Remove(number);
            return;
        }

        Release(size, number, page, at);
        if (size.Free > Math.Max(2 * size.PerPage, size.Blocks / 8))
        {
            Compact(size);
        }
    }

    /// <summary>The bytes of a block. Valid until a block is allocated or freed.</summary>
    public Span<byte> Block(long address, int length)
    {
        var (number, at) = Split(address);
        return _pages[number]!.Bytes.AsSpan(at, length);
    }

    private long Take(SizeClass size, int owner)
    {
        if (size.Partial.Count == 0)
        {
            if (!_spare.TryPop(out var bytes))
            {
                bytes = GC.AllocateUninitializedArray<byte>(_pageBytes, pinned: true);
            }

            size.Partial.Add(Add(new Page(bytes, size)));
            size.Blocks += size.PerPage;
            size.Free += size.PerPage;
        }

        var number = size.Partial[^1];
        var page = _pages[number]!;
        int at;
        if (page.FirstFree >= 0)
        {
            at = page.FirstFree;
            page.FirstFree = BinaryPrimitives.ReadInt32LittleEndian(page.Bytes.AsSpan(at));
        }
        else
        {
            at = page.Fresh;
            page.Fresh += size.Bytes;
        }

        size.Free--;
        if (++page.Used == size.PerPage)
        {
            size.Partial.RemoveAt(size.Partial.Count - 1);
        }

        page.Owners![at / size.Bytes] = owner;
        return Address(number, at);
    }

    private void Release(SizeClass size, int number, Page page, int at)
    {
        BinaryPrimitives.WriteInt32LittleEndian(page.Bytes.AsSpan(at), page.FirstFree);
        page.FirstFree = at;
        page.Owners![at / size.Bytes] = -1;
        size.Free++;
        if (page.Used-- == size.PerPage)
        {
            size.Partial.Add(number);
        }

        if (page.Used == 0)
        {
            size.Partial.Remove(number);
            Retire(size, number, page);
        }
    }

    /// <summary>Moves what is in the emptiest page of a size into others of that size.</summary>
    private void Compact(SizeClass size)
    {
        var emptiest = 0;
        for (var i = 1; i < size.Partial.Count; i++)
        {
            if (_pages[size.Partial[i]]!.Used < _pages[size.Partial[emptiest]]!.Used)
            {
                emptiest = i;
            }
        }

        var number = size.Partial[emptiest];
        size.Partial.RemoveAt(emptiest);
        var page = _pages[number]!;
        for (var i = 0; i < size.PerPage; i++)
        {
            var owner = page.Owners![i];
            if (owner < 0)
            {
                continue;
            }

            var to = Take(size, owner);
            page.Bytes.AsSpan(i * size.Bytes, size.Bytes).CopyTo(Block(to, size.Bytes));
            _moved(owner, to);
            size.Free++;
        }

        Retire(size, number, page);
    }

    private void Retire(SizeClass size, int number, Page page)
    {
        size.Blocks -= size.PerPage;
        size.Free -= size.PerPage;
        Remove(number);
        if (_spare.Count < SparePagesMax)
        {
            _spare.Push(page.Bytes);
        }
    }

    private int Add(Page page)
    {
        Allocated += page.Bytes.Length;
        if (_freeNumbers.TryPop(out var number))
        {
            _pages[number] = page;
            return number;
        }

        _pages.Add(page);
        return _pages.Count - 1;
    }

    private void Remove(int number)
    {
        Allocated -= _pages[number]!.Bytes.Length;
        _pages[number] = null;
        _freeNumbers.Push(number);
    }

    private static long Address(int page, int at) => ((long)page << 32) | (uint)at;

    private static (int Page, int At) Split(long address) => ((int)(address >> 32), (int)address);

    /// <summary>Blocks of one size.</summary>
    private sealed class SizeClass(int bytes, int perPage)
    {
        public int Bytes { get; } = bytes;

        public int PerPage { get; } = perPage;

        /// <summary>Numbers of its pages with free blocks.</summary>
        public List<int> Partial { get; } = [];

        public int Blocks { get; set; }

        public int Free { get; set; }
    }

    /// <summary>A page of blocks of one size, or of a single large one without a size.</summary>
    private sealed class Page(byte[] bytes, SizeClass? size)
    {
        public byte[] Bytes { get; } = bytes;

        public SizeClass? Class { get; } = size;

        /// <summary>By block: the owner, or -1.</summary>
        public int[]? Owners { get; } = size is null ? null : NoOwners(size.PerPage);

        public int Used { get; set; }

        /// <summary>Where the free block is that was freed last, or -1.</summary>
        public int FirstFree { get; set; } = -1;

        /// <summary>Where blocks begin that were never used.</summary>
        public int Fresh { get; set; }

        private static int[] NoOwners(int count)
        {
            var owners = new int[count];
            Array.Fill(owners, -1);
            return owners;
        }
    }
}
