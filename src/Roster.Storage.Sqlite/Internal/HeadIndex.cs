using System.Runtime.CompilerServices;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>Where a head is in a file of evicted heads.</summary>
internal struct HeadInFile
{
    /// <summary>The record.</summary>
    public long Number;

    /// <summary>Position of its latest turn; 0 in an empty slot.</summary>
    public long Position;

    /// <summary>Where it begins, in units of <see cref="Unit"/>.</summary>
    public uint At;

    /// <summary>Bytes of the head.</summary>
    public int Length;

    /// <summary>Heads begin at multiples of so many bytes.</summary>
    public const int Unit = 16;

    /// <summary>Where it begins, in bytes.</summary>
    public readonly long Offset => (long)At * Unit;
}

/// <summary>
/// Record number to <see cref="HeadInFile"/>. Like <see cref="RecordMap"/> in many parts that grow one by one, by half: some hundred thousand entries take 24 bytes and
/// half as much room again, in arrays that the garbage collector moves. A dictionary of them took more than twice that, in arrays that it does not move.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class HeadIndex
{
    private const int PartBits = 10;
    private const int SlotsMin = 16;
    private readonly Part[] _parts = new Part[1 << PartBits];

    public HeadIndex() => Clear();

    /// <summary>Entries.</summary>
    public int Count { get; private set; }

    /// <summary>The entry of a record; a null reference when there is none. Valid until the next <see cref="Set"/>.</summary>
    public ref readonly HeadInFile Find(long number)
    {
        var hash = Hash(number);
        var slots = _parts[hash >> (64 - PartBits)].Slots;
        ref var slot = ref slots.Length == 0 ? ref Unsafe.NullRef<HeadInFile>() : ref Probe(slots, number, hash);
        return ref Unsafe.IsNullRef(ref slot) || slot.Position == 0 ? ref Unsafe.NullRef<HeadInFile>() : ref slot;
    }

    /// <summary>Adds an entry, or puts it in place of the record's former one.</summary>
    public void Set(HeadInFile entry)
    {
        var hash = Hash(entry.Number);
        ref var part = ref _parts[hash >> (64 - PartBits)];
        if (part.Count * 5 >= part.Slots.Length * 4)
        {
            part = Grown(part);
        }

        ref var slot = ref Probe(part.Slots, entry.Number, hash);
        if (slot.Position == 0)
        {
            part = part with { Count = part.Count + 1 };
            Count++;
        }

        slot = entry;
    }

    /// <summary>Removes all, and gives the memory back: the next delta grows into its own.</summary>
    public void Clear()
    {
        Array.Fill(_parts, new Part([], 0));
        Count = 0;
    }

    private static ulong Hash(long number) => (ulong)number * 0x9E37_79B9_7F4A_7C15;

    /// <summary>The slot of a record, or the empty one where it would be.</summary>
    private static ref HeadInFile Probe(HeadInFile[] slots, long number, ulong hash)
    {
        var at = (int)((((hash >> 16) & uint.MaxValue) * (ulong)slots.Length) >> 32);
        while (slots[at].Position != 0 && slots[at].Number != number)
        {
            at = at + 1 == slots.Length ? 0 : at + 1;
        }

        return ref slots[at];
    }

    private static Part Grown(in Part part)
    {
        var slots = new HeadInFile[Math.Max(SlotsMin, part.Slots.Length + (part.Slots.Length / 2))];
        foreach (ref readonly var entry in part.Slots.AsSpan())
        {
            if (entry.Position != 0)
            {
                Probe(slots, entry.Number, Hash(entry.Number)) = entry;
            }
        }

        return part with { Slots = slots };
    }

    private readonly record struct Part(HeadInFile[] Slots, int Count);
}
