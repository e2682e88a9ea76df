using System.Globalization;
using Roster.Core.Catalog;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Values;

namespace Roster.Core.Records;

/// <summary>What a record keeps of another one that it is linked to (ASC-04).</summary>
/// <param name="ObjectType">Number of the type of the other record.</param>
/// <param name="Id">Id of the other record.</param>
/// <param name="Labels">Numbers of the labels of the link, sorted.</param>
/// <param name="Since">When the link came to be.</param>
/// <param name="Content">Packed copy.</param>
internal sealed record RecordCopy(int ObjectType, string Id, int[] Labels, Timestamp Since, ReadOnlyMemory<byte> Content)
{
    public bool IsRemoved { get; init; }

    public bool HasLabel(int label) => label == RecordState.AnyLabel || Array.BinarySearch(Labels, label) >= 0;
}

/// <content>
/// Copies of the properties of associated records (ASC-04). The newest are in the head; older ones are in pages, which are sections: what is
/// said of a record later stands, so a page never changes. Pages are written anew when there are many.
/// </content>
public sealed partial class RecordState
{
    /// <summary>Any label.</summary>
    internal const int AnyLabel = -1;

    /// <summary>Copies in the head at most; then all move out into a page.</summary>
    internal const int CopiesMax = 8;

    /// <summary>Pages at most before they are written anew.</summary>
    internal const int CopyPagesMax = 24;

    private const int CopiesPerPage = 64;
    private const string UpdatedMark = "@";
    private const string ListMark = "l";
    private const string BehindMark = "c";

    /// <summary>Most bytes that a copy has of the records behind it (ASC-03); beyond that, the newest links count.</summary>
    internal const int BehindBytesMax = 256 * 1024;

    private readonly List<RecordCopy> _copies = [];
    private List<RecordCopy>? _copiesSeen;
    private RecordState? _copyState;

    /// <summary>A state that copies may be loaded into, one after another.</summary>
    internal RecordState CopyState => _copyState ??= new RecordState();

    /// <summary>Whether pages of copies were not given by <see cref="AddSection"/>.</summary>
    internal bool IsMissingCopies => IsMissing(SectionKind.Copies);

    /// <summary>Whether there are copies that are not in the head.</summary>
    internal bool HasCopyPages => _sections.Exists(static s => s.Kind == SectionKind.Copies);

    /// <summary>Whether there are copies, or were.</summary>
    internal bool HasCopies => _copies.Count > 0 || HasCopyPages;

    /// <summary>Whether there are so many pages that they should be written anew.</summary>
    internal bool HasManyCopyPages
    {
        get
        {
            var pages = 0;
            foreach (var section in _sections)
            {
                pages += section.Kind == SectionKind.Copies ? 1 : 0;
            }

            return pages > CopyPagesMax;
        }
    }

    /// <summary>All copies, the newest link first, then by id. Pages must have been given.</summary>
    internal IReadOnlyList<RecordCopy> Copies => _copiesSeen ??= CollectCopies();

    /// <summary>
    /// Walks the copies of associated records: loads the next one of a type and label as a state of its own, with the properties and
    /// memberships that the copy has.
    /// </summary>
    /// <param name="objectType">Number of the type of the associated record.</param>
    /// <param name="label">Number of the label, or <see cref="AnyLabel"/>.</param>
    /// <param name="cursor">0 at first; where to go on.</param>
    /// <param name="copy">Becomes the copy.</param>
    /// <returns>False when there is no more.</returns>
    internal bool NextCopy(int objectType, int label, ref int cursor, RecordState copy)
    {
        if (_copies.Count == 0 && _sections.Count == 0)
        {
            return false;
        }

        var copies = Copies;
        while (cursor < copies.Count)
        {
            var next = copies[cursor++];
            if (next.ObjectType == objectType && next.HasLabel(label))
            {
                copy.LoadCopy(next);
                return true;
            }
        }

        return false;
    }

    /// <summary>The copy of a record; null when there is none. Pages must have been given.</summary>
    internal RecordCopy? FindCopy(int objectType, string id)
    {
        foreach (var copy in Copies)
        {
            if (copy.ObjectType == objectType && string.Equals(copy.Id, id, StringComparison.Ordinal))
            {
                return copy;
            }
        }

        return null;
    }

    /// <summary>Makes this the state that a copy tells of.</summary>
    internal void LoadCopy(RecordCopy copy)
    {
        Clear();
        Exists = true;
        ObjectType = copy.ObjectType;
        var content = copy.Content.Span;
        EnsureData(content.Length);
        content.CopyTo(_data);
        _dataLength = content.Length;
        var reader = new PackedReader(_data.AsSpan(0, content.Length));
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case CopyPropertyField:
                    LoadProperty(reader.Bytes(), reader.Position);
                    break;
                case CopyListField:
                    _memberships.Add(new Membership(reader.Int(), Timestamp.None));
                    break;
                case CopyBehindField:
                    _copies.Add(UnpackCopy(reader.Bytes()));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    /// <summary>
    /// What a copy of this record has: the wanted properties that are known, with their times, the wanted lists it is a member of, and of the
    /// records that it has copies of what is wanted of them (ASC-03). Pages must have been given for these.
    /// </summary>
    /// <param name="target">What is wanted.</param>
    /// <param name="cut">Becomes the newest copy that there was no room for (<see cref="BehindBytesMax"/>), if any.</param>
    internal NamedValue[] ToCopy(CopyTarget target, ref RecordCopy? cut)
    {
        var content = new List<NamedValue>();
        AddContent(content, target.Properties, target.Lists);
        if (target.Through.Length > 0)
        {
            AddBehind(content, target, ref cut);
        }

        return [.. content];
    }

    /// <summary>The newest that there is room for, in the order of their ids, so that the same copies always give the same content.</summary>
    private void AddBehind(List<NamedValue> content, CopyTarget target, ref RecordCopy? cut)
    {
        var told = new List<(RecordCopy Copy, CopyTarget Content)>();
        var bytes = 0;
        foreach (var copy in Copies)
        {
            foreach (var (type, wanted) in target.Through)
            {
                if (copy.ObjectType != type)
                {
                    continue;
                }

                bytes += copy.Content.Length + System.Text.Encoding.UTF8.GetByteCount(copy.Id);
                if (bytes > BehindBytesMax)
                {
                    cut ??= copy;
                    break;
                }

                told.Add((copy, wanted));
            }
        }

        foreach (var (copy, wanted) in told.OrderBy(t => t.Copy.Id, StringComparer.Ordinal))
        {
            content.Add(BeginBehind(copy));
            CopyState.LoadCopy(copy);
            CopyState.AddContent(content, wanted.Properties, wanted.Lists);
        }
    }

    private static NamedValue BeginBehind(RecordCopy copy) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{BehindMark}{copy.ObjectType}/{NumberList.Text(copy.Labels)}"), Value.OfText(copy.Id));

    /// <summary>The record behind that a named value of a copy begins: its type and id; null when it is none.</summary>
    internal static (int ObjectType, string Id)? BehindOf(in NamedValue named) => named.Name.StartsWith(BehindMark, StringComparison.Ordinal)
        ? (int.Parse(named.Name.AsSpan(BehindMark.Length, named.Name.IndexOf('/', StringComparison.Ordinal) - BehindMark.Length), CultureInfo.InvariantCulture), named.Value.Text)
        : null;

    /// <summary>The content of a copy without what it has of a record behind; null when it has nothing of it (REC-17).</summary>
    public static NamedValue[]? WithoutBehind(NamedValue[] content, int objectType, string id)
    {
        ArgumentNullException.ThrowIfNull(content);
        var start = Array.FindIndex(content, n => BehindOf(n) is { } behind && behind.ObjectType == objectType && behind.Id == id);
        if (start < 0)
        {
            return null;
        }

        var end = Array.FindIndex(content, start + 1, n => BehindOf(n) is not null);
        return [.. content[..start], .. end < 0 ? [] : content[end..]];
    }

    /// <summary>Whether a copy is of a record, or has one of it behind.</summary>
    private static bool Names(RecordCopy copy, int objectType, string id)
    {
        if (copy.ObjectType == objectType && copy.Id == id)
        {
            return true;
        }

        var reader = new PackedReader(copy.Content.Span);
        while (reader.Next(out var field))
        {
            if (field != CopyBehindField)
            {
                reader.Skip();
            }
            else if (Names(UnpackCopy(reader.Bytes()), objectType, id))
            {
                return true;
            }
        }

        return false;
    }

    private void AddContent(List<NamedValue> content, ReadOnlySpan<int> properties, ReadOnlySpan<int> lists)
    {
        foreach (var number in properties)
        {
            if (TryGetProperty(number, isBefore: false, out var view))
            {
                var name = number.ToString(CultureInfo.InvariantCulture);
                content.Add(new NamedValue(name, view.Value));
                if (!view.UpdatedAt.IsNone)
                {
                    content.Add(new NamedValue(name + UpdatedMark, Value.OfDateTime(view.UpdatedAt)));
                }
            }
        }

        foreach (var list in lists)
        {
            if (IsMember(list))
            {
                content.Add(new NamedValue(ListMark + list.ToString(CultureInfo.InvariantCulture), Value.OfBool(true)));
            }
        }
    }

    /// <summary>The packed form of what a copy has, which is the same for the same content.</summary>
    internal byte[] PackCopy(ReadOnlySpan<NamedValue> content)
    {
        _scratch.Clear();
        var behind = -1;
        for (var i = 0; i < content.Length; i++)
        {
            if (BehindOf(content[i]) is { } other)
            {
                EndBehind(behind);
                behind = _scratch.BeginMessage(CopyBehindField);
                PackLink(_scratch, other.ObjectType, other.Id, NumberList.Read(content[i].Name[(content[i].Name.IndexOf('/', StringComparison.Ordinal) + 1)..]));
                continue;
            }

            if (content[i].Name.StartsWith(ListMark, StringComparison.Ordinal))
            {
                _scratch.Int(CopyListField, int.Parse(content[i].Name.AsSpan(ListMark.Length), CultureInfo.InvariantCulture));
                continue;
            }

            var hasTime = i + 1 < content.Length && content[i + 1].Name == content[i].Name + UpdatedMark;
            PackCopiedProperty(content[i], hasTime ? content[i + 1].Value.DateTime : Timestamp.None);
            i += hasTime ? 1 : 0;
        }

        EndBehind(behind);
        return _scratch.Written.ToArray();
    }

    private void EndBehind(int start)
    {
        if (start >= 0)
        {
            _scratch.EndMessage(start);
        }
    }

    /// <summary>What a copy has, as <see cref="ToCopy"/> gave it.</summary>
    internal NamedValue[] ContentOf(RecordCopy copy)
    {
        var content = new List<NamedValue>();
        CopyState.AddAllOf(content, copy);
        return [.. content];
    }

    private void AddAllOf(List<NamedValue> content, RecordCopy copy)
    {
        LoadCopy(copy);
        var properties = Enumerable.Range(0, PropertyCount).Select(i => PropertyAt(i).Number).ToArray();
        AddContent(content, properties, [.. Memberships.ToArray().Select(m => m.List)]);
        foreach (var behind in _copies)
        {
            content.Add(BeginBehind(behind));
            CopyState.AddAllOf(content, behind);
        }
    }

    private const int CopyPropertyField = 5;
    private const int CopyListField = 6;
    private const int CopyBehindField = 8;

    private void PackCopiedProperty(in NamedValue property, Timestamp updatedAt)
    {
        var start = _scratch.BeginMessage(CopyPropertyField);
        _scratch.Int(PropertyView.NumberField, int.Parse(property.Name, CultureInfo.InvariantCulture));
        if (!property.Value.IsUnknown)
        {
            var value = _scratch.BeginMessage(PropertyView.ValueField);
            property.Value.Pack(_scratch);
            _scratch.EndMessage(value);
        }

        _scratch.Time(PropertyView.UpdatedField, updatedAt);
        _scratch.EndMessage(start);
    }

    /// <summary>
    /// Writes all copies into as few pages as hold them. Returns the number of the first page and how many there are; the caller writes the
    /// entry. Pages must have been given.
    /// </summary>
    internal (int First, int Count) RewriteCopies()
    {
        var first = _nextSection + 1;
        var index = _nextSection;
        foreach (var page in Copies.Reverse().Chunk(CopiesPerPage))
        {
            _sectionWrites.Add(new SectionWrite(++index, PackPage(page)));
        }

        foreach (var section in _sections)
        {
            if (section.Kind == SectionKind.Copies)
            {
                _sectionWrites.Add(new SectionWrite(section.Index, null));
            }
        }

        for (var i = 0; i <= index - first; i++)
        {
            AddSection(first + i, _sectionWrites.Find(w => w.Index == first + i).Content!);
        }

        return (first, index - first + 1);
    }

    private List<RecordCopy> CollectCopies()
    {
        var seen = new HashSet<(int, string)>();
        var all = new List<RecordCopy>();
        void Add(RecordCopy copy)
        {
            if (seen.Add((copy.ObjectType, copy.Id)) && !copy.IsRemoved)
            {
                all.Add(copy);
            }
        }

        for (var i = _copies.Count - 1; i >= 0; i--)
        {
            Add(_copies[i]);
        }

        for (var i = _sections.Count - 1; i >= 0; i--)
        {
            if (_sections[i].Kind == SectionKind.Copies)
            {
                var page = ReadPage(_loadedSections![_sections[i].Index]);
                for (var j = page.Count - 1; j >= 0; j--)
                {
                    Add(page[j]);
                }
            }
        }

        all.Sort(static (left, right) => left.Since != right.Since ? right.Since.CompareTo(left.Since) : string.CompareOrdinal(left.Id, right.Id));
        return all;
    }

    private void ChangeCopy(in JournalEntry entry)
    {
        var (type, id) = (entry.Subject, entry.Text ?? string.Empty);
        _copies.RemoveAll(c => c.ObjectType == type && c.Id == id);
        _copiesSeen = null;
        var hasPages = _sections.Exists(s => s.Kind == SectionKind.Copies);
        if (!entry.Flag || hasPages)
        {
            var content = entry.Flag ? [] : PackCopy(entry.Fields);
            _copies.Add(new RecordCopy(type, id, NumberList.Read(entry.Source), entry.OccurredAt, content) { IsRemoved = entry.Flag });
        }
    }

    private void MoveCopies(in JournalEntry entry)
    {
        var first = (int)entry.Number;
        _sections.RemoveAll(s => s.Kind == SectionKind.Copies);
        for (var i = 0; i < entry.Subject; i++)
        {
            _sections.Add(new SectionRef(SectionKind.Copies, first + i, 0, LastTurnAt, [], 0, []));
        }

        _nextSection = first + entry.Subject - 1;
        _copies.Clear();
        _copiesSeen = null;
    }

    private void MoveOutCopies()
    {
        AddRef(SectionKind.Copies, 0, LastTurnAt, [], PackPage(_copies));
        _copies.Clear();
        _copiesSeen = null;
    }

    private static byte[] PackPage(IEnumerable<RecordCopy> copies)
    {
        var writer = new PackedWriter(1024);
        foreach (var copy in copies)
        {
            PackCopy(writer, CopyField, copy);
        }

        return writer.Written.ToArray();
    }

    private static List<RecordCopy> ReadPage(byte[] packed)
    {
        var copies = new List<RecordCopy>();
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            if (field == CopyField)
            {
                copies.Add(UnpackCopy(reader.Bytes()));
            }
            else
            {
                reader.Skip();
            }
        }

        return copies;
    }

    private static void PackCopy(PackedWriter writer, int field, RecordCopy copy)
    {
        var start = writer.BeginMessage(field);
        PackLink(writer, copy.ObjectType, copy.Id, copy.Labels);
        writer.Time(4, copy.Since);
        writer.Raw(copy.Content.Span);
        writer.Bool(7, copy.IsRemoved);
        writer.EndMessage(start);
    }

    private static void PackLink(PackedWriter writer, int objectType, string id, int[] labels)
    {
        writer.Int(1, objectType);
        writer.Text(2, id);
        foreach (var label in labels)
        {
            writer.Int(3, label);
        }
    }

    private static RecordCopy UnpackCopy(ReadOnlySpan<byte> packed)
    {
        var type = 0;
        var id = string.Empty;
        var since = Timestamp.None;
        var isRemoved = false;
        List<int>? labels = null;
        var (start, end) = (packed.Length, 0);
        var reader = new PackedReader(packed);
        while (true)
        {
            var before = reader.Position;
            if (!reader.Next(out var field))
            {
                break;
            }

            switch (field)
            {
                case 1: type = reader.Int(); break;
                case 2: id = reader.Text(); break;
                case 3: (labels ??= []).Add(reader.Int()); break;
                case 4: since = reader.Time(); break;
                case 7: isRemoved = reader.Bool(); break;
                case CopyPropertyField or CopyListField or CopyBehindField:
                    reader.Skip();
                    (start, end) = (Math.Min(start, before), reader.Position);
                    break;
                default: reader.Skip(); break;
            }
        }

        return new RecordCopy(type, id, labels is null ? [] : [.. labels], since, start < end ? packed[start..end].ToArray() : default) { IsRemoved = isRemoved };
    }
}
