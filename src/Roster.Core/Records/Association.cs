using Roster.Core.Hashing;
using Roster.Core.Journal;
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

    /// <summary>
    /// Who said that the link is there, and then of each label: 0 the other side, n this side by its message n, -n both. What is missing is 0.
    /// </summary>
    internal int[] Marks { get; init; } = [];

    /// <summary>The newest message of the other side by which it said that the link or a label is there; 0 for none.</summary>
    internal int Seen { get; init; }

    /// <summary>Hash of a record's type and id.</summary>
    public static ulong HashOf(int objectType, string id) => StableHash.Hash64(StableHash.Hash128(id).High, (ulong)objectType);

    /// <summary>Whether this is the link to a record.</summary>
    public bool IsTo(int objectType, string id) => ObjectType == objectType && string.Equals(Id, id, StringComparison.Ordinal);

    /// <summary>Whether the link has a label; every link has <see cref="RecordState.AnyLabel"/>.</summary>
    public bool HasLabel(int label) => label == RecordState.AnyLabel || Array.BinarySearch(Labels, label) >= 0;

    /// <summary>Labels and marks as one text of an entry: <c>1,4;7,7,-9</c>.</summary>
    internal string MarkedLabels => Array.TrueForAll(Marks, m => m == 0) ? NumberList.Text(Labels) : $"{NumberList.Text(Labels)};{NumberList.Text(Marks)}";

    /// <summary>The link that an entry says is there now.</summary>
    internal static Association Of(in JournalEntry entry)
    {
        var text = entry.Source ?? string.Empty;
        var end = text.IndexOf(';', StringComparison.Ordinal);
        return new Association(entry.Subject, entry.Text ?? string.Empty, NumberList.Read(end < 0 ? text : text[..end]), entry.OccurredAt)
        {
            Marks = end < 0 ? [] : NumberList.Read(text[(end + 1)..]),
            Seen = (int)entry.Number,
        };
    }

    /// <summary>A link that this side makes, or to which it adds labels, by its message of a number.</summary>
    internal static Association Said(Association? present, int objectType, string id, int[] labels, Timestamp at, int message) =>
        Add(present, objectType, id, labels, at, (isThere, mark) => isThere && mark <= 0 ? -message : message);

    /// <summary>A link that the other side makes, or to which it adds labels, by its message of a number.</summary>
    internal static Association Heard(Association? present, int objectType, string id, int[] labels, Timestamp at, int message) =>
        Add(present, objectType, id, labels, at, (isThere, mark) => isThere ? Math.Min(mark, -mark) : 0) with { Seen = message };

    /// <summary>
    /// What is left when the other side has taken a label away, or all when <paramref name="label"/> is 0: what this side said by messages that
    /// the other one had not seen. Null when nothing is.
    /// </summary>
    internal Association? TakenAway(int label, int seen) =>
        Keep((of, mark) => label != 0 && of != label ? (true, mark) : (Math.Abs(mark) > seen, Math.Abs(mark)));

    /// <summary>What is left when the other side never took the message of a number; null when nothing is.</summary>
    internal Association? Unsaid(int message)
    {
        var others = Marks.Skip(1).Select(Math.Abs).Where(own => own != message).DefaultIfEmpty(0).Max();
        return Keep((label, mark) =>
        {
            var own = Math.Abs(mark) != message ? Math.Abs(mark) : label == 0 ? others : 0;
            return (mark < 0 || own > 0 || mark == 0, mark <= 0 ? -own : own);
        });
    }

    /// <summary>Whether two links of one record to another one have the same labels, said by the same.</summary>
    internal bool IsSame(Association other) => Seen == other.Seen && Labels.AsSpan().SequenceEqual(other.Labels) && Enumerable.Range(0, Labels.Length + 1).All(i => MarkAt(i) == other.MarkAt(i));

    private int MarkAt(int index) => index < Marks.Length ? Marks[index] : 0;

    private static Association Add(Association? present, int objectType, string id, int[] labels, Timestamp at, Func<bool, int, int> mark)
    {
        var all = (present?.Labels ?? []).Union(labels).Order().ToArray();
        var marks = new int[all.Length + 1];
        marks[0] = mark(present is not null, present?.MarkAt(0) ?? 0);
        for (var i = 0; i < all.Length; i++)
        {
            var former = present is null ? -1 : Array.BinarySearch(present.Labels, all[i]);
            var own = former >= 0 ? present!.MarkAt(former + 1) : 0;
            marks[i + 1] = labels.Contains(all[i]) ? mark(former >= 0, own) : own;
        }

        return new Association(objectType, id, all, present?.Since ?? at) { Marks = marks, Seen = present?.Seen ?? 0 };
    }

    /// <summary>What is left of the link, which is label 0 here, and of its labels. Whoever says a label says the link too, so none outlives it.</summary>
    private Association? Keep(Func<int, int, (bool Stays, int Mark)> keep)
    {
        var (labels, marks) = (new List<int>(), new List<int>());
        for (var i = 0; i <= Labels.Length; i++)
        {
            var label = i == 0 ? 0 : Labels[i - 1];
            var (stays, mark) = keep(label, MarkAt(i));
            if (!stays && i == 0)
            {
                return null;
            }

            if (stays)
            {
                labels.Add(label);
                marks.Add(mark);
            }
        }

        return this with { Labels = [.. labels.Skip(1)], Marks = [.. marks] };
    }

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
        writer.Int(6, Seen);
        foreach (var mark in Array.TrueForAll(Marks, m => m == 0) ? [] : Marks)
        {
            writer.SIntAlways(7, mark);
        }

        writer.EndMessage(start);
    }

    internal static Association Unpack(ReadOnlySpan<byte> packed)
    {
        var type = 0;
        var id = string.Empty;
        var since = Timestamp.None;
        var isRemoved = false;
        var seen = 0;
        List<int>? labels = null;
        List<int>? marks = null;
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
                case 6: seen = reader.Int(); break;
                case 7: (marks ??= []).Add((int)reader.SInt()); break;
                default: reader.Skip(); break;
            }
        }

        return new Association(type, id, labels is null ? [] : [.. labels], since) { IsRemoved = isRemoved, Seen = seen, Marks = marks is null ? [] : [.. marks] };
    }
}
