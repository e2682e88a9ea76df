namespace Roster.Engine.Moving;

/// <summary>
/// The position of the latest turn of each record, while a journal is written anew: eight bytes for a record, since hosts number records one after another,
/// with a shard in the low byte. Not thread-safe.
/// </summary>
public sealed class RecordPositions
{
    private const int ChunkRecords = 4_096;
    private const int ShardBits = 8;
    private const int ShardMask = (1 << ShardBits) - 1;

    private readonly Dictionary<long, long[]> _chunks = [];

    /// <summary>Records that share all but the low byte of their number with one that came before; hosts make no such numbers.</summary>
    private readonly Dictionary<long, long> _others = [];

    /// <summary>The latest position that was set; 0 for none.</summary>
    public long Find(long recordNumber)
    {
        if (_chunks.TryGetValue(ChunkOf(recordNumber), out var chunk) && chunk[SlotOf(recordNumber)] is var slot and not 0 && IsOf(slot, recordNumber))
        {
            return slot >> ShardBits;
        }

        return _others.GetValueOrDefault(recordNumber);
    }

    /// <summary>Sets the latest position: from 1, below 2^55.</summary>
    public void Set(long recordNumber, long position)
    {
        ref var chunk = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_chunks, ChunkOf(recordNumber), out _);
        chunk ??= new long[ChunkRecords];
        ref var slot = ref chunk[SlotOf(recordNumber)];
        if (slot == 0 || IsOf(slot, recordNumber))
        {
            slot = (position << ShardBits) | (recordNumber & ShardMask);
        }
        else
        {
            _others[recordNumber] = position;
        }
    }

    private static long ChunkOf(long number) => (number >> ShardBits) / ChunkRecords;

    private static int SlotOf(long number) => (int)((number >> ShardBits) % ChunkRecords);

    private static bool IsOf(long slot, long number) => (slot & ShardMask) == (number & ShardMask);
}
