using Roster.Core.Hashing;
using Roster.Core.Packing;
using Roster.Core.Values;

namespace Roster.Core.Records;

/// <summary>What a section holds. Stored.</summary>
public enum SectionKind
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Older event ids (REC-08).</summary>
    EventIds = 1,

    /// <summary>Older values of properties (FIL-31).</summary>
    PropertyHistory = 2,

    /// <summary>Older occurrences of one event type (FIL-09).</summary>
    EventHistory = 3,

    /// <summary>Older copies of associated records (ASC-04).</summary>
    Copies = 4,
}

/// <summary>A part of a state that lies in a row of its own. It never changes; it is only added or removed.</summary>
/// <param name="Kind">What it holds.</param>
/// <param name="Index">Its number in the record, rising.</param>
/// <param name="Count">Items in it.</param>
/// <param name="NewestAt">Time of its newest item.</param>
/// <param name="Fingerprints">For event ids: 16 bits of each, so that most unknown ids are told without reading it.</param>
/// <param name="Subject">For event history: number of the event type.</param>
/// <param name="Counts">For former values: how many of each property, as pairs of varints; empty when it was not written down.</param>
public sealed record SectionRef(SectionKind Kind, int Index, int Count, Timestamp NewestAt, byte[] Fingerprints, int Subject, byte[] Counts);

/// <summary>A section to be written or, when the content is null, removed with the commit of the turn.</summary>
/// <param name="Index">Its number in the record.</param>
/// <param name="Content">Its packed content.</param>
public readonly record struct SectionWrite(int Index, byte[]? Content);

/// <content>Sections: what is too long for the head moves out in whole blocks, by a fixed rule at the end of a turn.</content>
public sealed partial class RecordState
{
    /// <summary>Event ids kept in the head at most; then the oldest <see cref="MarksMoved"/> move out.</summary>
    internal const int MarksMax = 40;

    /// <summary>Event ids that move out at a time.</summary>
    internal const int MarksMoved = 32;

    /// <summary>Former values kept in the head at most; then all but the newest <see cref="HistoryKept"/> move out.</summary>
    internal const int HistoryMax = 24;

    /// <summary>Former values that stay in the head when the older ones move out: one turn may add any number.</summary>
    internal const int HistoryKept = 5;

    private readonly List<SectionWrite> _sectionWrites = [];
    private Dictionary<int, byte[]>? _loadedSections;
    private int _nextSection;

    /// <summary>Sections to be written or removed with the commit of this turn.</summary>
    public IReadOnlyList<SectionWrite> SectionWrites => _sectionWrites;

    /// <summary>Whether a section of a kind exists that was not given by <see cref="AddSection"/>.</summary>
    public bool IsMissing(SectionKind kind)
    {
        foreach (var section in _sections)
        {
            if (section.Kind == kind && _loadedSections?.ContainsKey(section.Index) != true)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Gives the content of a section that <see cref="Sections"/> names. Kept until the next <see cref="Load"/>.</summary>
    public void AddSection(int index, byte[] content) => (_loadedSections ??= [])[index] = content;

    /// <summary>
    /// Looks an event id up (REC-08): in the head, then by fingerprint in the sections.
    /// </summary>
    /// <param name="id">Hash of the id.</param>
    /// <param name="since">Older marks are outside the window.</param>
    /// <param name="countMax">Only so many newest marks are inside the window.</param>
    /// <param name="content">Hash of the content it was sent with.</param>
    internal MarkLookup FindMark(Hash128 id, Timestamp since, int countMax, out uint content)
    {
        content = 0;
        var marks = _marks.AsSpan(0, _markCount * EventMarks.Size);
        var index = EventMarks.Find(marks, id);
        if (index >= 0)
        {
            content = EventMarks.Content(marks, index);
            return EventMarks.At(marks, index) >= since ? MarkLookup.Known : MarkLookup.Unknown;
        }

        var newer = _markCount;
        for (var i = _sections.Count - 1; i >= 0 && newer < countMax; i--)
        {
            var section = _sections[i];
            if (section.Kind != SectionKind.EventIds)
            {
                continue;
            }

            var fingerprint = EventMarks.Fingerprint(id);
            var candidates = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(section.Fingerprints);
            if (section.NewestAt >= since && candidates.Contains(fingerprint))
            {
                if (_loadedSections is null || !_loadedSections.TryGetValue(section.Index, out var bytes))
                {
                    return MarkLookup.SectionMissing;
                }

                index = EventMarks.Find(bytes, id);
                if (index >= 0 && EventMarks.At(bytes, index) >= since && newer + (section.Count - index) <= countMax)
                {
                    content = EventMarks.Content(bytes, index);
                    return MarkLookup.Known;
                }
            }

            newer += section.Count;
        }

        return MarkLookup.Unknown;
    }

    /// <summary>The oldest section of event ids when all of it is outside the window; -1 when none is.</summary>
    internal int FindExpiredMarks(Timestamp since, int countMax)
    {
        var total = _markCount;
        var oldest = -1;
        for (var i = 0; i < _sections.Count; i++)
        {
            if (_sections[i].Kind == SectionKind.EventIds)
            {
                oldest = oldest < 0 ? i : oldest;
                total += _sections[i].Count;
            }
        }

        if (oldest < 0)
        {
            return -1;
        }

        var section = _sections[oldest];
        return section.NewestAt < since || total - section.Count >= countMax ? section.Index : -1;
    }

    private void MoveOutSections()
    {
        while (_markCount > MarksMax)
        {
            MoveOutMarks();
        }

        if (_historyCount > HistoryMax)
        {
            MoveOutHistory();
        }

        if (_occurrences.Count > OccurrencesMax)
        {
            MoveOutOccurrences();
        }

        if (_copies.Count > CopiesMax)
        {
            MoveOutCopies();
        }
    }

    private void MoveOutMarks()
    {
        var moved = _marks.AsSpan(0, MarksMoved * EventMarks.Size).ToArray();
        var fingerprints = new byte[MarksMoved * 2];
        var prints = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(fingerprints.AsSpan());
        for (var i = 0; i < MarksMoved; i++)
        {
            prints[i] = EventMarks.Fingerprint(moved, i);
        }

        AddRef(SectionKind.EventIds, MarksMoved, EventMarks.At(moved, MarksMoved - 1), fingerprints, moved);
        _marks.AsSpan(moved.Length, (_markCount * EventMarks.Size) - moved.Length).CopyTo(_marks);
        _markCount -= MarksMoved;
    }

    private void ForgetSection(int index)
    {
        _sections.RemoveAll(s => s.Index == index);
        _sectionWrites.Add(new SectionWrite(index, null));
    }

    private void AddRef(SectionKind kind, int count, Timestamp newestAt, byte[] fingerprints, byte[] content, int subject = 0, byte[]? counts = null)
    {
        _nextSection++;
        _sections.Add(new SectionRef(kind, _nextSection, count, newestAt, fingerprints, subject, counts ?? []));
        _sectionWrites.Add(new SectionWrite(_nextSection, content));
    }
}

/// <summary>Outcome of looking an event id up.</summary>
internal enum MarkLookup
{
    /// <summary>Not known, or outside the window.</summary>
    Unknown,

    /// <summary>Known.</summary>
    Known,

    /// <summary>A section must be read to tell.</summary>
    SectionMissing,
}
