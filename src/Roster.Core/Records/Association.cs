using System.Globalization;
using Roster.Core.Hashing;
using Roster.Core.Packing;

namespace Roster.Core.Records;

/// <summary>A link to another record, as one side of it keeps it.</summary>
/// <param name="ObjectType">Number of the type of the other record.</param>
/// <param name="Id">Id of the other record.</param>
/// <param name="Labels">Numbers of its labels, sorted; empty for a link without any.</param>
/// <param name="Since">When the link came to be.</param>
public sealed record Association(int ObjectType, string Id, int[] Labels, Timestamp Since)
{
    /// <summary>Place of the other record among all: the same on every machine (ENG-14).</summary>
    public ulong Hash { get; } = HashOf(ObjectType, Id);

    /// <summary>Whether the link is gone: what is kept newer than the stored ones says so.</summary>
    internal bool IsRemoved { get; init; }

    /// <summary>Hash of a record's type and id.</summary>
    public static ulong HashOf(int objectType, string id) => StableHash.Hash64(StableHash.Hash128(id).High, (ulong)objectType);

    /// <summary>Whether this is the link to a record.</summary>
    public bool IsTo(int objectType, string id) => ObjectType == objectType && string.Equals(Id, id, StringComparison.Ordinal);

    /// <summary>Whether the link has a label; every link has <see cref="RecordState.AnyLabel"/>.</summary>
    public bool HasLabel(int label) => label == RecordState.AnyLabel || Array.BinarySearch(Labels, label) >= 0;

    internal void Pack(PackedWriter writer, int field)
    {
        var start = writer.BeginMessage(field);
        writer.Int(1, ObjectType);
        writer.Text(2, Id);
        foreach (var label in Labels)
        {
            writer.Int(3, label);
        }

        writer.Time(4, Since);
        writer.Bool(5, IsRemoved);
        writer.EndMessage(start);
    }

    internal static Association Unpack(ReadOnlySpan<byte> packed)
    {
        var type = 0;
        var id = string.Empty;
        var since = Timestamp.None;
        var isRemoved = false;
        List<int>? labels = null;
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: type = reader.Int(); break;
                case 2: id = reader.Text(); break;
                case 3: (labels ??= []).Add(reader.Int()); break;
                case 4: since = reader.Time(); break;
                case 5: isRemoved = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }

        return new Association(type, id, labels is null ? [] : [.. labels], since) { IsRemoved = isRemoved };
    }
}
