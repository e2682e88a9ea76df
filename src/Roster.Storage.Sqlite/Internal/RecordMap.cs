using System.Runtime.CompilerServices;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>What the store remembers of a record without reading: its latest turn and whether a table has it yet.</summary>
internal struct KnownRecord
{
    public long Number;

    /// <summary>Position of the latest turn; 0 in an empty slot.</summary>
    public long Position;

    /// <summary>Id of the latest turn.</summary>
    public ulong TurnId;

    /// <summary>Due instant in milliseconds, 0 for none.</summary>
    public long NextDueMs;

    /// <summary>Delta in which it was last written; 0 when its row has its latest turn.</summary>
    public int DirtyIn;

    /// <summary>Second chance of the clock that evicts.</summary>
    public bool IsUsed;
}

/// <summary>
/// Record number to <see cref="KnownRecord"/>: every record that is not in its row yet, and clean ones as long as there is room, so
/// that a commit finds the turn it follows without a read.
/// </summary>
/// <remarks>
/// Open addressing with linear probing in many parts that grow and shrink one by one: no object per record, no long pause, and with some
/// million records no array so large that the garbage collector never moves it. A part grows by half: doubled, the map would be half empty on average. Guarded by the store's lock.
/// </remarks>
internal sealed class RecordMap
{
    private const int PartBits = 11;
    private const int ProbesMax = 32;
    private readonly Part[] _parts = new Part[1 << PartBits];

    public RecordMap(int capacity)
    {
        for (var i = 0; i < _parts.Length; i++)
        {
            _parts[i] = new Part(Math.Max(16, capacity >> PartBits));
        }
    }

    public int PartCount => _parts.Length;

    /// <summary>The entry, valid until the next <see cref="Add"/>; a null reference when there is none.</summary>
    public ref KnownRecord Find(long number)
    {
        var hash = Hash(number);
        return ref _parts[hash >> (64 - PartBits)].Find(number, hash);
    }

    /// <summary>Adds an entry that is not there, and returns it to be filled; may evict a clean one.</summary>
    public ref KnownRecord Add(long number)
    {
        var hash = Hash(number);
        return ref _parts[hash >> (64 - PartBits)].Add(number, hash);
    }

    public static bool IsMissing(ref KnownRecord entry) => Unsafe.IsNullRef(ref entry);

    private static ulong Hash(long number) => (ulong)number * 0x9E37_79B9_7F4A_7C15;

    private sealed class Part(int clean)
    {
        private const int SlotsMin = 16;
        private KnownRecord[] _slots = new KnownRecord[SlotsMin];
        private int _count;
        private int _hand;

        public ref KnownRecord Find(long number, ulong hash)
        {
            for (var at = Home(hash, _slots.Length); ; at = Next(at, _slots.Length))
            {
                ref var slot = ref _slots[at];
                if (slot.Position == 0)
                {
                    return ref Unsafe.NullRef<KnownRecord>();
                }

                if (slot.Number == number)
                {
                    slot.IsUsed = true;
                    return ref slot;
                }
            }
        }

        public ref KnownRecord Add(long number, ulong hash)
        {
            // Two for one, so that what a load or a long checkpoint left goes away again.
            for (var i = 0; i < 2 && _count >= clean; i++)
            {
                Evict();
            }

            if (_count >= _slots.Length / 5 * 4)
            {
                Resize(_slots.Length / 2 * 3);
            }
            else if (_count < _slots.Length / 4 && _slots.Length > SlotsMin)
            {
                Resize(Math.Max(SlotsMin, _slots.Length / 2));
            }

            _count++;
            ref var slot = ref Free(_slots, hash);
            slot.Number = number;
            slot.IsUsed = true;
            return ref slot;
        }

        private static int Home(ulong hash, int length) => (int)((((hash >> 16) & uint.MaxValue) * (ulong)length) >> 32);

        private static int Next(int at, int length) => at + 1 == length ? 0 : at + 1;

        /// <summary>Steps from one slot to another.</summary>
        private static int Steps(int from, int to, int length) => to >= from ? to - from : to - from + length;

        private static ref KnownRecord Free(KnownRecord[] slots, ulong hash)
        {
            var at = Home(hash, slots.Length);
            while (slots[at].Position != 0)
            {
                at = Next(at, slots.Length);
            }

            return ref slots[at];
        }

        private void Resize(int length)
        {
            var slots = new KnownRecord[length];
            foreach (ref var slot in _slots.AsSpan())
            {
                if (slot.Position != 0)
                {
                    Free(slots, Hash(slot.Number)) = slot;
                }
            }

            _slots = slots;
            _hand = 0;
        }

        /// <summary>A clock: drops the first clean entry that was not used since the hand last came by, if it finds one soon.</summary>
        private void Evict()
        {
            for (var probe = 0; probe < ProbesMax; probe++)
            {
                _hand = Next(_hand, _slots.Length);
                ref var slot = ref _slots[_hand];
                if (slot.Position == 0 || slot.DirtyIn != 0)
                {
                    continue;
                }

                if (!slot.IsUsed)
                {
                    Remove(_hand);
                    return;
                }

                slot.IsUsed = false;
            }
        }

        /// <summary>Closes the gap, so that no probe ends early at it.</summary>
        private void Remove(int gap)
        {
            var length = _slots.Length;
            for (var at = Next(gap, length); _slots[at].Position != 0; at = Next(at, length))
            {
                var home = Home(Hash(_slots[at].Number), length);
                if (Steps(home, at, length) >= Steps(gap, at, length))
                {
                    _slots[gap] = _slots[at];
                    gap = at;
                }
            }

            _slots[gap] = default;
            _count--;
        }
    }
}
