using Roster.Core.Packing;
using Roster.Core.Values;

namespace Roster.Core.Records;

/// <content>Former values of properties (FIL-31): the newest in the head, older ones in sections.</content>
public sealed partial class RecordState
{
    /// <summary>
    /// Whether a value that a property had before its present one, or before the one that it had when the round began, passes a
    /// test (FIL-31). All history sections must have been given.
    /// </summary>
    /// <param name="property">Number of the property.</param>
    /// <param name="isBefore">Whether it is asked as of before the round.</param>
    /// <param name="countMax">Only the newest so many (<c>property_history_max</c>).</param>
    /// <param name="argument">Given to the test.</param>
    /// <param name="test">The test.</param>
    internal bool AnyFormerValue<TArgument>(int property, bool isBefore, int countMax, TArgument argument, Func<Value, TArgument, bool> test)
    {
        var left = countMax;
        for (var i = (isBefore ? _historyBefore : _historyCount) - 1; i >= 0 && left > 0; i--)
        {
            if (_history[i].Number != property)
            {
                continue;
            }

            left--;
            if (test(HistoryValue(_data.AsSpan(_history[i].Offset, _history[i].Length)), argument))
            {
                return true;
            }
        }

        for (var i = _sections.Count - 1; i >= 0 && left > 0; i--)
        {
            if (_sections[i].Kind == SectionKind.PropertyHistory && AnyIn(_sections[i], property, ref left, argument, test))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// A section of former values that are all older than the newest <c>property_history_max</c> of their property; -1 when there is none. It
    /// looks only in the turn after one that moved values out, and only where there are so many.
    /// </summary>
    internal int FindExpiredHistory(int countMax)
    {
        var (total, newestAt) = (0, Timestamp.None);
        foreach (var section in _sections)
        {
            if (section.Kind == SectionKind.PropertyHistory)
            {
                total += section.Count;
                newestAt = section.NewestAt;
            }
        }

        // Both, because several turns may have the time of the one that moved values out, and several may leave the head as it left it.
        var hasMovedOut = newestAt == PreviousTurnAt && _historyCount == HistoryKept;
        return total < countMax || !hasMovedOut ? -1 : FindExpiredHistory(countMax, CountHead());
    }

    private int FindExpiredHistory(int countMax, Dictionary<int, int> newer)
    {
        for (var i = _sections.Count - 1; i >= 0; i--)
        {
            var section = _sections[i];
            if (section.Kind != SectionKind.PropertyHistory)
            {
                continue;
            }

            var isExpired = section.Counts.Length > 0;
            var reader = new PackedReader(section.Counts);
            while (reader.Position < section.Counts.Length)
            {
                var (property, count) = ((int)reader.Varint(), (int)reader.Varint());
                var known = newer.GetValueOrDefault(property);
                isExpired &= known >= countMax;
                newer[property] = known + count;
            }

            if (isExpired)
            {
                return section.Index;
            }
        }

        return -1;
    }

    private Dictionary<int, int> CountHead()
    {
        var counts = new Dictionary<int, int>();
        foreach (ref readonly var slot in _history.AsSpan(0, _historyCount))
        {
            counts[slot.Number] = counts.GetValueOrDefault(slot.Number) + 1;
        }

        return counts;
    }

    private bool AnyIn<TArgument>(SectionRef section, int property, ref int left, TArgument argument, Func<Value, TArgument, bool> test)
    {
        // The oldest come first: those that too many came after are passed over.
        var content = _loadedSections![section.Index];
        var passed = section.Count <= left ? 0 : CountIn(content, property) - left;
        var reader = new PackedReader(content);
        while (reader.Next(out var field))
        {
            if (field != HistoryItemField)
            {
                reader.Skip();
                continue;
            }

            var item = reader.Bytes();
            if (HistoryNumber(item) != property || passed-- > 0)
            {
                continue;
            }

            left--;
            if (test(HistoryValue(item), argument))
            {
                return true;
            }
        }

        return false;
    }

    private static int CountIn(byte[] content, int property)
    {
        var count = 0;
        var reader = new PackedReader(content);
        while (reader.Next(out var field))
        {
            if (field != HistoryItemField)
            {
                reader.Skip();
            }
            else if (HistoryNumber(reader.Bytes()) == property)
            {
                count++;
            }
        }

        return count;
    }

    private static int HistoryNumber(ReadOnlySpan<byte> item)
    {
        var reader = new PackedReader(item);
        while (reader.Next(out var field))
        {
            if (field == PropertyView.NumberField)
            {
                return reader.Int();
            }

            reader.Skip();
        }

        return 0;
    }

    private static Value HistoryValue(ReadOnlySpan<byte> item) => new PropertyView(0, item).Value;

    private void MoveOutHistory()
    {
        var moved = _historyCount - HistoryKept;
        var counts = new SortedDictionary<int, int>();
        _scratch.Clear();
        for (var i = 0; i < moved; i++)
        {
            _scratch.BytesAlways(HistoryItemField, _data.AsSpan(_history[i].Offset, _history[i].Length));
            counts[_history[i].Number] = counts.GetValueOrDefault(_history[i].Number) + 1;
        }

        var content = _scratch.Written.ToArray();
        _scratch.Clear();
        foreach (var (property, count) in counts)
        {
            _scratch.Varint((ulong)property);
            _scratch.Varint((ulong)count);
        }

        AddRef(SectionKind.PropertyHistory, moved, LastTurnAt, [], content, counts: _scratch.Written.ToArray());
        Array.Copy(_history, moved, _history, 0, HistoryKept);
        _historyCount = HistoryKept;
    }
}
