using Roster.Core.Hashing;

namespace Roster.Engine.Hosting;

/// <summary>
/// The heads that a shard has in memory, by hash of the key and by record number. Heads whose latest turn is not durable stay;
/// the others are evicted by use when the budget is reached.
/// </summary>
/// <remarks>Not thread-safe: guarded by the shard's gate.</remarks>
internal sealed class RecordCache
{
    /// <summary>Slots looked at per record that is added: bounds the work when nearly everything is pending.</summary>
    private const int EvictLooks = 128;

    /// <summary>What a slot costs besides its head.</summary>
    private const int SlotBytes = 192;

    private const int SlotsMin = 1024;
    private readonly HeadSlab _slab;
    private readonly Dictionary<Hash128, int> _byKey = [];
    private readonly Dictionary<long, int> _byNumber = [];
    private readonly Stack<int> _freeSlots = new();
    private readonly long _bytesMax;
    private readonly HeadDropped _dropped;
    private Slot[] _slots = new Slot[SlotsMin];
    private int _slotsEnd;
    private int _hand;

    /// <param name="bytesMax">Budget for heads. What is not durable yet may exceed it for a moment.</param>
    /// <param name="dropped">Hears of the heads that are dropped for lack of room.</param>
    public RecordCache(long bytesMax, HeadDropped dropped)
    {
        _bytesMax = bytesMax;
        _dropped = dropped;
        _slab = new HeadSlab(bytesMax, (slot, address) => _slots[slot].Address = address);
    }

    /// <summary>Heads in memory.</summary>
    public int Count => _byNumber.Count;

    /// <summary>Bytes of the memory that the heads take.</summary>
    public long Bytes => _slab.Allocated + ((long)SlotBytes * _byNumber.Count);

    /// <summary>Slot of a key, or -1.</summary>
    public int Find(Hash128 key) => Touch(_byKey.TryGetValue(key, out var slot) ? slot : -1);

    /// <summary>Slot of a record number, or -1.</summary>
    public int Find(long number) => Touch(_byNumber.TryGetValue(number, out var slot) ? slot : -1);

    /// <summary>Slot of a record number, or -1, without counting as a use.</summary>
    public int Peek(long number) => _byNumber.TryGetValue(number, out var slot) ? slot : -1;

    /// <summary>The packed head; empty for a record that was not found in the store.</summary>
    public ReadOnlySpan<byte> Head(int slot) => Block(slot);

    /// <summary>Number of the record.</summary>
    public long Number(int slot) => _slots[slot].Number;

    /// <summary>Position of the latest durable turn.</summary>
    public long Position(int slot) => _slots[slot].Position;

    /// <summary>Turns that are not durable yet.</summary>
    public int Pending(int slot) => _slots[slot].Pending;

    /// <summary>Puts a head in that was loaded, or an empty one for a new record.</summary>
    public int Add(Hash128 key, long number, long position, ReadOnlySpan<byte> head)
    {
        Evict();
        var index = _freeSlots.TryPop(out var free) ? free : _slotsEnd++;
        if (index == _slots.Length)
        {
            Array.Resize(ref _slots, _slots.Length * 2);
        }

        ref var slot = ref _slots[index];
        slot = new Slot { Key = key, Number = number, Position = position, IsUsed = true, IsPresent = true };
        _byKey[key] = index;
        _byNumber[number] = index;
        Write(index, head);
        return index;
    }

    /// <summary>A turn changed the head; it is pending until <see cref="SetDurable"/>.</summary>
    public void Change(int index, ReadOnlySpan<byte> head)
    {
        ref var slot = ref _slots[index];
        slot.Pending++;
        Write(index, head);
    }

    /// <summary>A turn of the head is durable.</summary>
    public void SetDurable(int index, long position)
    {
        ref var slot = ref _slots[index];
        slot.Pending--;
        slot.Position = position;
    }

    /// <summary>Drops every head with a turn that is not durable: their truth is in the store.</summary>
    public void DropPending()
    {
        for (var i = 0; i < _slotsEnd; i++)
        {
            if (_slots[i].IsPresent && _slots[i].Pending > 0)
            {
                Drop(i);
            }
        }
    }

    /// <summary>Drops the head of a record that is not the newest one any more.</summary>
    public void DropStale(long number)
    {
        if (_byNumber.TryGetValue(number, out var slot))
        {
            Drop(slot);
        }
    }

    private ReadOnlySpan<byte> Block(int slot) => _slots[slot].Length == 0 ? default : _slab.Block(_slots[slot].Address, _slots[slot].Length);

    private int Touch(int slot)
    {
        if (slot >= 0)
        {
            _slots[slot].IsUsed = true;
        }

        return slot;
    }

    private void Write(int index, ReadOnlySpan<byte> head)
    {
        ref var slot = ref _slots[index];
        if (head.Length > slot.Capacity)
        {
            FreeBlock(ref slot);
            slot.Address = _slab.Allocate(head.Length, index, out slot.Capacity);
        }

        slot.Length = head.Length;
        if (!head.IsEmpty)
        {
            head.CopyTo(_slab.Block(slot.Address, head.Length));
        }
    }

    private void FreeBlock(ref Slot slot)
    {
        if (slot.Capacity > 0)
        {
            _slab.Free(slot.Address);
            slot.Capacity = 0;
        }
    }

    /// <summary>The clock algorithm: a hand goes round and takes what was not used since it came by last.</summary>
    private void Evict()
    {
        for (var looked = 0; Bytes > _bytesMax && looked < EvictLooks; looked++)
        {
            _hand = _hand + 1 >= _slotsEnd ? 0 : _hand + 1;
            ref var slot = ref _slots[_hand];
            if (!slot.IsPresent || slot.Pending > 0)
            {
                continue;
            }

            if (slot.IsUsed)
            {
                slot.IsUsed = false;
                continue;
            }

            if (slot.Position > 0)
            {
                _dropped(slot.Number, slot.Position, Block(_hand));
            }

            Drop(_hand);
        }
    }

    private void Drop(int index)
    {
        ref var slot = ref _slots[index];
        _byKey.Remove(slot.Key);
        _byNumber.Remove(slot.Number);
        FreeBlock(ref slot);
        slot = default;
        _freeSlots.Push(index);
        if (_byNumber.Count < _byNumber.Capacity / 4 && _byNumber.Capacity > SlotsMin)
        {
            // Heads have grown: there were more of them in the same room.
            _byNumber.TrimExcess(2 * _byNumber.Count);
            _byKey.TrimExcess(2 * _byKey.Count);
        }
    }

    private struct Slot
    {
        public Hash128 Key;
        public long Number;
        public long Position;
        public long Address;
        public int Length;
        public int Capacity;
        public int Pending;
        public bool IsUsed;
        public bool IsPresent;
    }
}

/// <summary>A durable head leaves memory.</summary>
internal delegate void HeadDropped(long number, long position, ReadOnlySpan<byte> head);
