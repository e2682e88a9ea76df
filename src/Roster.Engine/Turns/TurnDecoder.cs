using Roster.Core;
using Roster.Core.Hashing;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Engine.Stores;

namespace Roster.Engine.Turns;

/// <summary>A turn read back from the journal.</summary>
/// <param name="Info">What it is about.</param>
/// <param name="CreatedId">Id of the record when the turn created it, empty otherwise.</param>
/// <param name="Entries">Its entries.</param>
public sealed record DecodedTurn(TurnInfo Info, string CreatedId, JournalEntry[] Entries);

/// <summary>Reads what <see cref="TurnEncoder"/> wrote.</summary>
public static class TurnDecoder
{
    /// <summary>Reads a turn.</summary>
    /// <exception cref="FormatException">The bytes are no turn, or of a later version.</exception>
    public static DecodedTurn Decode(StoredTurn turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        var entries = new List<JournalEntry>();
        var info = ReadSkeleton(turn.Skeleton.Span, entries);
        var all = entries.ToArray();
        var createdId = string.Empty;
        var reader = new PackedReader(turn.Payload.Span);
        while (reader.Next(out var number))
        {
            switch (number)
            {
                case 1:
                    createdId = reader.Text();
                    break;
                case 2:
                    AddPayload(all, reader.Bytes());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new DecodedTurn(info, createdId, all);
    }

    /// <summary>Reads the sections that a turn wrote or removed.</summary>
    public static List<SectionWrite> ReadSections(StoredTurn turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        var sections = new List<SectionWrite>();
        var reader = new PackedReader(turn.Payload.Span);
        while (reader.Next(out var number))
        {
            if (number == 3)
            {
                sections.Add(ReadSection(reader.Bytes()));
            }
            else
            {
                reader.Skip();
            }
        }

        return sections;
    }

    private static SectionWrite ReadSection(ReadOnlySpan<byte> packed)
    {
        var (index, isRemoved) = (0, false);
        byte[] content = [];
        var reader = new PackedReader(packed);
        while (reader.Next(out var number))
        {
            switch (number)
            {
                case 1: index = reader.Int(); break;
                case 2: content = reader.Bytes().ToArray(); break;
                case 3: isRemoved = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }

        return new SectionWrite(index, isRemoved ? null : content);
    }

    /// <summary>Reads the skeleton alone; entries lack texts and values.</summary>
    public static TurnInfo ReadSkeleton(ReadOnlySpan<byte> skeleton, List<JournalEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var tenant = 0;
        var objectType = 0;
        var record = 0L;
        var turnId = 0UL;
        var expected = 0UL;
        var at = Timestamp.None;
        var nextDue = Timestamp.None;
        var cause = TurnCause.None;
        var day = 0;
        var reader = new PackedReader(skeleton);
        while (reader.Next(out var number))
        {
            switch (number)
            {
                case 1: CheckEncoding(reader.Int()); break;
                case 2: tenant = reader.Int(); break;
                case 3: objectType = reader.Int(); break;
                case 4: record = reader.Long(); break;
                case 5: turnId = reader.Fixed64(); break;
                case 6: expected = reader.Fixed64(); break;
                case 7: at = reader.Time(); break;
                case 8: nextDue = reader.Time(); break;
                case 9: cause = (TurnCause)reader.Int(); break;
                case 10: entries.Add(ReadEntry(reader.Bytes())); break;
                case 11: day = reader.Int(); break;
                default: reader.Skip(); break;
            }
        }

        return new TurnInfo(tenant, objectType, record, turnId, expected, at, nextDue, cause, day);
    }

    private static void CheckEncoding(int encoding)
    {
        if (encoding != TurnEncoder.Encoding)
        {
            throw new FormatException($"A stored turn has encoding {encoding}; this program reads {TurnEncoder.Encoding}.");
        }
    }

    private static JournalEntry ReadEntry(ReadOnlySpan<byte> packed)
    {
        var entry = default(JournalEntry);
        var reader = new PackedReader(packed);
        while (reader.Next(out var number))
        {
            entry = number switch
            {
                1 => entry with { Kind = (EntryKind)reader.Int() },
                2 => entry with { Workflow = reader.Int() },
                3 => entry with { Version = reader.Int() },
                4 => entry with { Enrollment = reader.Int() },
                5 => entry with { Step = reader.Int() },
                6 => entry with { Execution = reader.Int() },
                7 => entry with { Code = reader.Int() },
                8 => entry with { Subject = reader.Int() },
                9 => entry with { OccurredAt = reader.Time() },
                10 => entry with { DueAt = reader.Time() },
                11 => entry with { Flag = reader.Bool() },
                12 => entry with { Number = reader.Long() },
                _ => Skipped(ref reader, entry),
            };
        }

        return entry;
    }

    private static void AddPayload(JournalEntry[] entries, ReadOnlySpan<byte> packed)
    {
        var index = 0;
        var high = 0UL;
        var low = 0UL;
        var fields = new List<NamedValue>();
        var text = (string?)null;
        var source = (string?)null;
        var value = Value.Unknown;
        var content = 0U;
        var reader = new PackedReader(packed);
        while (reader.Next(out var number))
        {
            switch (number)
            {
                case 1: index = reader.Int(); break;
                case 2: text = reader.Text(); break;
                case 3: source = reader.Text(); break;
                case 4: value = Value.Unpack(reader.Bytes()); break;
                case 5: fields.Add(NamedValues.Unpack(reader.Bytes())); break;
                case 6: high = reader.Fixed64(); break;
                case 7: low = reader.Fixed64(); break;
                case 8: content = (uint)reader.UInt(); break;
                default: reader.Skip(); break;
            }
        }

        entries[index] = entries[index] with
        {
            Text = text,
            Source = source,
            Value = value,
            Fields = fields.Count == 0 ? null : [.. fields],
            IdHash = new Hash128(high, low),
            ContentHash = content,
        };
    }

    private static JournalEntry Skipped(ref PackedReader reader, JournalEntry entry)
    {
        reader.Skip();
        return entry;
    }
}
