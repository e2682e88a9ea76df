using System.Buffers.Binary;
using Roster.Core.Journal;
using Roster.Core.Packing;

namespace Roster.Core.Records;

/// <content>
/// Links to other records (ASC-07). The newest are in the head; when there are more than a few, the rest is in leaves: sections of some hundred
/// links each, found by the first bits of a hash through a directory, which is a section too. So a record with a million links keeps a small
/// head, and a link is found by reading two sections (extendible hashing: Fagin, Nievergelt, Pippenger, Strong, 1979).
/// </content>
public sealed partial class RecordState
{
    /// <summary>Links in the head at most before they are merged into leaves.</summary>
    internal const int AssociationsMax = 16;

    /// <summary>Links in a leaf at most before it is split.</summary>
    internal const int LeafMax = 128;

    private const int DepthMax = 28;
    private const int LeafDepthField = 1;
    private const int LeafItemField = 2;

    private readonly List<Association> _associations = [];
    private int _directory;

    /// <summary>Links now.</summary>
    public int AssociationCount { get; private set; }

    /// <summary>Whether there are links that are not in the head.</summary>
    internal bool HasLeaves => _directory != 0;

    /// <summary>Whether the head holds as many links as it may.</summary>
    internal bool IsAssociationsFull => _associations.Count >= AssociationsMax;

    /// <summary>The links that are in the head, oldest change first: all of them, unless <see cref="HasLeaves"/>.</summary>
    internal IReadOnlyList<Association> NewestAssociations => _associations;

    /// <summary>Number of a section that must be given before the link with that hash can be looked for; 0 when none is missing.</summary>
    public int FindMissingAssociation(ulong hash)
    {
        if (_directory == 0)
        {
            return 0;
        }

        if (!IsLoaded(_directory))
        {
            return _directory;
        }

        var leaf = LeafOf(hash);
        return IsLoaded(leaf) ? 0 : leaf;
    }

    /// <summary>Sections that must be given before <see cref="MergeAssociations"/>; empty when all are there.</summary>
    internal int[] FindMissingToMerge()
    {
        if (_directory == 0)
        {
            return [];
        }

        return IsLoaded(_directory)
            ? [.. _associations.Select(a => LeafOf(a.Hash)).Where(leaf => !IsLoaded(leaf)).Distinct()]
            : [_directory];
    }

    /// <summary>The link to a record; null when there is none. <see cref="FindMissingAssociation"/> must have found nothing missing.</summary>
    internal Association? FindAssociation(int objectType, string id)
    {
        foreach (var association in _associations)
        {
            if (association.IsTo(objectType, id))
            {
                return association.IsRemoved ? null : association;
            }
        }

        if (_directory == 0)
        {
            return null;
        }

        var (_, items) = ReadLeaf(_loadedSections![LeafOf(Association.HashOf(objectType, id))]);
        return items.Find(a => a.IsTo(objectType, id));
    }

    /// <summary>
    /// The links of the leaf that has a hash, from that hash on, as they are now; with the hash at which the next leaf begins, 0 after the
    /// last. Without leaves: all. The directory and the leaf must have been given.
    /// </summary>
    public (IReadOnlyList<Association> Items, ulong Next) ReadAssociations(ulong from)
    {
        if (_directory == 0)
        {
            return ([.. _associations.Where(a => !a.IsRemoved && a.Hash >= from)], 0);
        }

        var (depth, items) = ReadLeaf(_loadedSections![LeafOf(from)]);
        var end = depth == 0 ? 0 : ((from >> (64 - depth)) + 1) << (64 - depth);
        bool IsHere(Association a) => a.Hash >= from && (end == 0 || a.Hash < end);
        var newer = _associations.Where(IsHere).ToList();
        return ([.. items.Where(a => IsHere(a) && !newer.Exists(n => n.IsTo(a.ObjectType, a.Id))), .. newer.Where(a => !a.IsRemoved)], end);
    }

    /// <summary>
    /// Merges the links of the head into leaves. Returns the number of the new directory; the sections that are written and removed are in
    /// <see cref="SectionWrites"/>. What <see cref="FindMissingToMerge"/> names must have been given. The caller writes the entry.
    /// </summary>
    internal (int Directory, int NextSection) MergeAssociations()
    {
        var next = _nextSection;
        int Write(byte[] content)
        {
            next++;
            _sectionWrites.Add(new SectionWrite(next, content));
            AddSection(next, content);
            return next;
        }

        var (depth, slots) = _directory == 0 ? (0, new[] { Write(PackLeaf(0, [])) }) : ReadDirectory(_loadedSections![_directory]);
        var written = new HashSet<int>();
        foreach (var group in _associations.GroupBy(a => slots[SlotOf(a.Hash, depth)]).ToList())
        {
            var (leafDepth, items) = ReadLeaf(_loadedSections![group.Key]);
            items.RemoveAll(item => group.Any(a => a.IsTo(item.ObjectType, item.Id)));
            items.AddRange(group.Where(a => !a.IsRemoved));
            items.Sort(static (left, right) => left.Hash != right.Hash ? left.Hash.CompareTo(right.Hash) : string.CompareOrdinal(left.Id, right.Id));
            Replace(ref slots, ref depth, group.Key, group.First().Hash, leafDepth, items, Write);
            written.Add(group.Key);
        }

        foreach (var leaf in written)
        {
            DropSection(leaf);
        }

        var directory = Write(PackDirectory(depth, slots));
        if (_directory != 0)
        {
            DropSection(_directory);
        }

        return (directory, next);
    }

    /// <summary>Puts a leaf in the place of another one, in parts when it is too long.</summary>
    private static void Replace(ref int[] slots, ref int depth, int former, ulong anyHash, int leafDepth, List<Association> items, Func<byte[], int> write)
    {
        if (items.Count <= LeafMax || leafDepth >= DepthMax)
        {
            var leaf = write(PackLeaf(leafDepth, items));
            var (first, count) = SlotsOf(anyHash, leafDepth, depth);
            Array.Fill(slots, leaf, first, count);
            return;
        }

        if (leafDepth == depth)
        {
            slots = [.. slots.SelectMany(static s => new[] { s, s })];
            depth++;
        }

        var bit = 1UL << (63 - leafDepth);
        var prefix = leafDepth == 0 ? 0 : anyHash >> (64 - leafDepth) << (64 - leafDepth);
        Replace(ref slots, ref depth, former, prefix, leafDepth + 1, items.FindAll(a => (a.Hash & bit) == 0), write);
        Replace(ref slots, ref depth, former, prefix | bit, leafDepth + 1, items.FindAll(a => (a.Hash & bit) != 0), write);
    }

    private static int SlotOf(ulong hash, int depth) => depth == 0 ? 0 : (int)(hash >> (64 - depth));

    /// <summary>The slots of a directory that a leaf of some depth has.</summary>
    private static (int First, int Count) SlotsOf(ulong hash, int leafDepth, int depth)
    {
        var count = 1 << (depth - leafDepth);
        return (leafDepth == 0 ? 0 : (int)(hash >> (64 - leafDepth)) * count, count);
    }

    private int LeafOf(ulong hash)
    {
        var (depth, slots) = ReadDirectory(_loadedSections![_directory]);
        return slots[SlotOf(hash, depth)];
    }

    private bool IsLoaded(int section) => _loadedSections?.ContainsKey(section) == true;

    private void DropSection(int index)
    {
        var written = _sectionWrites.FindIndex(w => w.Index == index && w.Content is not null);
        if (written >= 0)
        {
            // Written in this turn: nobody needs it.
            _sectionWrites.RemoveAt(written);
        }
        else
        {
            _sectionWrites.Add(new SectionWrite(index, null));
        }
    }

    private static byte[] PackDirectory(int depth, int[] slots)
    {
        var writer = new PackedWriter((slots.Length * 4) + 16);
        writer.Int(1, depth);
        var bytes = new byte[slots.Length * 4];
        for (var i = 0; i < slots.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * 4), slots[i]);
        }

        writer.BytesAlways(2, bytes);
        return writer.Written.ToArray();
    }

    private static (int Depth, int[] Slots) ReadDirectory(byte[] packed)
    {
        var depth = 0;
        int[] slots = [];
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1:
                    depth = reader.Int();
                    break;
                case 2:
                    var bytes = reader.Bytes();
                    slots = new int[bytes.Length / 4];
                    for (var i = 0; i < slots.Length; i++)
                    {
                        slots[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(i * 4)..]);
                    }

                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return (depth, slots);
    }

    private static byte[] PackLeaf(int depth, List<Association> items)
    {
        var writer = new PackedWriter((items.Count * 48) + 16);
        writer.Int(LeafDepthField, depth);
        foreach (var item in items)
        {
            item.Pack(writer, LeafItemField);
        }

        return writer.Written.ToArray();
    }

    private static (int Depth, List<Association> Items) ReadLeaf(byte[] packed)
    {
        var depth = 0;
        var items = new List<Association>();
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case LeafDepthField: depth = reader.Int(); break;
                case LeafItemField: items.Add(Association.Unpack(reader.Bytes())); break;
                default: reader.Skip(); break;
            }
        }

        return (depth, items);
    }

    private void Associate(in JournalEntry entry)
    {
        PutAssociation(Association.Of(entry));
        AssociationCount += entry.Flag ? 1 : 0;
    }

    /// <summary>A label went, or the whole link.</summary>
    private void Dissociate(in JournalEntry entry)
    {
        var association = Association.Of(entry);
        if (!entry.Flag)
        {
            PutAssociation(association);
            return;
        }

        AssociationCount--;
        if (_directory != 0)
        {
            PutAssociation(association with { IsRemoved = true });
        }
        else
        {
            _associations.RemoveAll(a => a.IsTo(association.ObjectType, association.Id));
        }
    }

    private void PutAssociation(Association association)
    {
        _associations.RemoveAll(a => a.IsTo(association.ObjectType, association.Id));
        _associations.Add(association);
    }

    private void MoveAssociations(in JournalEntry entry)
    {
        _associations.Clear();
        _directory = entry.Subject;
        _nextSection = (int)entry.Number;
    }
}
