using System.Runtime.InteropServices;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Values;

namespace Roster.Core.Records;

/// <summary>What is kept for good of one type of events (FIL-09).</summary>
public struct EventSummary
{
    /// <summary>Number of the event type.</summary>
    public int Type;

    /// <summary>How often it occurred.</summary>
    public int Count;

    /// <summary>Earliest <c>occurred_at</c>.</summary>
    public Timestamp FirstAt;

    /// <summary>Latest <c>occurred_at</c>.</summary>
    public Timestamp LastAt;
}

/// <content>Event history (FIL-09): a summary per type for good, single occurrences within the window.</content>
public sealed partial class RecordState
{
    /// <summary>Occurrences of one type in the head at most; then the oldest <see cref="OccurrencesMoved"/> move out.</summary>
    internal const int OccurrencesMax = 16;

    /// <summary>Occurrences that move out at a time.</summary>
    internal const int OccurrencesMoved = 12;

    private const int OccurrenceTypeField = 1;
    private const int OccurrenceAtField = 2;
    private const int OccurrencePropertyField = 3;
    private const int OccurrenceEnrollmentField = 4;

    private readonly List<EventSummary> _eventSummaries = [];
    private readonly List<HistorySlot> _occurrences = [];

    /// <summary>Occurrences before this instant have expired (FIL-09); none when none has.</summary>
    public Timestamp EventsSince { get; private set; }

    /// <summary>What is known of each event type, by type.</summary>
    public ReadOnlySpan<EventSummary> EventSummaries => CollectionsMarshal.AsSpan(_eventSummaries);

    /// <summary>What is known of one event type; false when it never occurred.</summary>
    public bool TryGetEvents(int eventType, out EventSummary summary)
    {
        var index = FindEvents(eventType);
        summary = index >= 0 ? _eventSummaries[index] : default;
        return index >= 0;
    }

    /// <summary>
    /// The single occurrences of a type that are kept, newest arrival first. All sections of <see cref="SectionKind.EventHistory"/> with
    /// that subject must have been given.
    /// </summary>
    /// <param name="eventType">Number of the event type.</param>
    /// <param name="countMax">Only the newest so many (<c>event_history_max</c>).</param>
    internal OccurrenceReader Occurrences(int eventType, int countMax) => new(this, eventType, countMax);

    /// <summary>Whether an occurrence section of a type was not given by <see cref="AddSection"/>.</summary>
    internal bool IsMissingEvents(int eventType)
    {
        foreach (var section in _sections)
        {
            if (section.Kind == SectionKind.EventHistory && section.Subject == eventType && _loadedSections?.ContainsKey(section.Index) != true)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The earliest instant that a kept occurrence may have; none when none is kept.</summary>
    internal Timestamp OldestOccurrenceAt { get; private set; }

    /// <summary>Newest first: a section whose occurrences have all left the window; -1 when there is none.</summary>
    internal int FindExpiredEvents(int countMax)
    {
        foreach (var section in _sections)
        {
            if (section.Kind == SectionKind.EventHistory && (section.NewestAt < EventsSince || CountNewer(section) >= countMax))
            {
                return section.Index;
            }
        }

        return -1;
    }

    private int CountNewer(SectionRef section)
    {
        var count = 0;
        foreach (var other in _sections)
        {
            count += other.Kind == SectionKind.EventHistory && other.Subject == section.Subject && other.Index > section.Index ? other.Count : 0;
        }

        foreach (var occurrence in _occurrences)
        {
            count += occurrence.Number == section.Subject ? 1 : 0;
        }

        return count;
    }

    private void AddOccurrence(in JournalEntry entry)
    {
        var index = FindEvents(entry.Subject);
        if (index < 0)
        {
            index = ~index;
            _eventSummaries.Insert(index, new EventSummary { Type = entry.Subject, FirstAt = entry.OccurredAt, LastAt = entry.OccurredAt });
        }

        ref var summary = ref CollectionsMarshal.AsSpan(_eventSummaries)[index];
        summary.Count++;
        summary.FirstAt = entry.OccurredAt < summary.FirstAt ? entry.OccurredAt : summary.FirstAt;
        summary.LastAt = entry.OccurredAt > summary.LastAt ? entry.OccurredAt : summary.LastAt;
        OldestOccurrenceAt = OldestOccurrenceAt.IsNone || entry.OccurredAt < OldestOccurrenceAt ? entry.OccurredAt : OldestOccurrenceAt;
        _scratch.Clear();
        _scratch.Int(OccurrenceTypeField, entry.Subject);
        _scratch.Time(OccurrenceAtField, entry.OccurredAt);
        foreach (var property in entry.Fields ?? [])
        {
            NamedValues.Pack(_scratch, OccurrencePropertyField, property);
        }

        _scratch.Int(OccurrenceEnrollmentField, LastEnrollment);
        _occurrences.Add(new HistorySlot { Number = entry.Subject, Offset = AppendData(_scratch.Written), Length = _scratch.Length });
    }

    private void ExpireEvents(Timestamp since)
    {
        EventsSince = since;
        OldestOccurrenceAt = since;
        _occurrences.RemoveAll(o => new Occurrence(_data.AsMemory(o.Offset, o.Length)).OccurredAt < since);
    }

    private void MoveOutOccurrences()
    {
        foreach (var summary in _eventSummaries)
        {
            var count = 0;
            foreach (var occurrence in _occurrences)
            {
                count += occurrence.Number == summary.Type ? 1 : 0;
            }

            if (count > OccurrencesMax)
            {
                MoveOutOccurrences(summary.Type, count - OccurrencesMax + OccurrencesMoved);
            }
        }
    }

    private void MoveOutOccurrences(int eventType, int count)
    {
        var newest = Timestamp.Min;
        var moved = 0;
        _scratch.Clear();
        for (var i = 0; i < _occurrences.Count && moved < count; i++)
        {
            if (_occurrences[i].Number != eventType)
            {
                continue;
            }

            var packed = _data.AsMemory(_occurrences[i].Offset, _occurrences[i].Length);
            var at = new Occurrence(packed).OccurredAt;
            newest = at > newest ? at : newest;
            _scratch.BytesAlways(HistoryItemField, packed.Span);
            _occurrences.RemoveAt(i--);
            moved++;
        }

        AddRef(SectionKind.EventHistory, moved, newest, [], _scratch.Written.ToArray(), eventType);
    }

    private int FindEvents(int eventType)
    {
        for (var i = 0; i < _eventSummaries.Count; i++)
        {
            if (_eventSummaries[i].Type >= eventType)
            {
                return _eventSummaries[i].Type == eventType ? i : ~i;
            }
        }

        return ~_eventSummaries.Count;
    }

    private void LoadOccurrence(ReadOnlySpan<byte> packed, int end)
    {
        var reader = new PackedReader(packed);
        reader.Next(out _);
        _occurrences.Add(new HistorySlot { Number = reader.Int(), Offset = end - packed.Length, Length = packed.Length });
    }

    private static void PackEventSummary(PackedWriter writer, in EventSummary summary)
    {
        var start = writer.BeginMessage(EventSummaryField);
        writer.Int(1, summary.Type);
        writer.Int(2, summary.Count);
        writer.Time(3, summary.FirstAt);
        writer.Time(4, summary.LastAt);
        writer.EndMessage(start);
    }

    private static EventSummary LoadEventSummary(ReadOnlySpan<byte> packed)
    {
        var summary = default(EventSummary);
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: summary.Type = reader.Int(); break;
                case 2: summary.Count = reader.Int(); break;
                case 3: summary.FirstAt = reader.Time(); break;
                case 4: summary.LastAt = reader.Time(); break;
                default: reader.Skip(); break;
            }
        }

        return summary;
    }

    /// <summary>Walks the kept occurrences of a type, newest arrival first.</summary>
    internal ref struct OccurrenceReader
    {
        private readonly RecordState _state;
        private readonly int _eventType;
        private int _left;
        private int _head;
        private int _section;
        private List<ReadOnlyMemory<byte>>? _items;

        public OccurrenceReader(RecordState state, int eventType, int countMax)
        {
            _state = state;
            _eventType = eventType;
            _left = countMax;
            _head = state._occurrences.Count;
            _section = state._sections.Count;
        }

        /// <summary>The present occurrence.</summary>
        public Occurrence Current { get; private set; }

        /// <summary>Goes to the next older occurrence.</summary>
        public bool MoveNext()
        {
            while (_left > 0 && Read() is { } packed)
            {
                _left--;
                Current = new Occurrence(packed);
                if (Current.OccurredAt >= _state.EventsSince)
                {
                    return true;
                }
            }

            return false;
        }

        private ReadOnlyMemory<byte>? Read()
        {
            while (--_head >= 0)
            {
                var slot = _state._occurrences[_head];
                if (slot.Number == _eventType)
                {
                    return _state._data.AsMemory(slot.Offset, slot.Length);
                }
            }

            while (_items is null or { Count: 0 })
            {
                if (!NextSection())
                {
                    return null;
                }
            }

            var last = _items[^1];
            _items.RemoveAt(_items.Count - 1);
            return last;
        }

        private bool NextSection()
        {
            while (--_section >= 0)
            {
                var section = _state._sections[_section];
                if (section.Kind == SectionKind.EventHistory && section.Subject == _eventType)
                {
                    _items = ReadItems(_state._loadedSections![section.Index]);
                    return true;
                }
            }

            return false;
        }

        private static List<ReadOnlyMemory<byte>> ReadItems(byte[] content)
        {
            var items = new List<ReadOnlyMemory<byte>>();
            var reader = new PackedReader(content);
            while (reader.Next(out _))
            {
                var length = reader.Bytes().Length;
                items.Add(content.AsMemory(reader.Position - length, length));
            }

            return items;
        }
    }
}

/// <summary>One occurrence of an event in the history of a record. Valid until the state changes.</summary>
internal readonly struct Occurrence(ReadOnlyMemory<byte> packed)
{
    /// <summary>When it occurred.</summary>
    public Timestamp OccurredAt
    {
        get
        {
            var reader = new PackedReader(packed.Span);
            while (reader.Next(out var number))
            {
                if (number == 2)
                {
                    return reader.Time();
                }

                reader.Skip();
            }

            return Timestamp.None;
        }
    }

    /// <summary>Highest enrollment number that was given before it arrived.</summary>
    public int AfterEnrollment
    {
        get
        {
            var reader = new PackedReader(packed.Span);
            while (reader.Next(out var number))
            {
                if (number == 4)
                {
                    return reader.Int();
                }

                reader.Skip();
            }

            return 0;
        }
    }

    /// <summary>Its properties.</summary>
    public NamedValue[] Properties
    {
        get
        {
            var properties = new List<NamedValue>();
            var reader = new PackedReader(packed.Span);
            while (reader.Next(out var number))
            {
                if (number == 3)
                {
                    properties.Add(NamedValues.Unpack(reader.Bytes()));
                }
                else
                {
                    reader.Skip();
                }
            }

            return [.. properties];
        }
    }
}
