using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Core.Values;

namespace Roster.Engine.Turns;

/// <summary>What a turn is about, besides its entries.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="ObjectType">The object type.</param>
/// <param name="RecordNumber">The record.</param>
/// <param name="TurnId">Id of the turn.</param>
/// <param name="ExpectedTurnId">Id of the turn it was decided on; 0 for none.</param>
/// <param name="At">Turn time.</param>
/// <param name="NextDueAt">When the record goes on by itself.</param>
/// <param name="Cause">What input it handled.</param>
/// <param name="Day">
/// Days from 1970-01-01 to the day of the turn in the tenant's zone as it was then, when the turn began or ended an enrollment; 0 otherwise.
/// It is kept so that series are a fold of the journal whatever becomes of the zone (MET-03).
/// </param>
public readonly record struct TurnInfo(
    int Tenant, int ObjectType, long RecordNumber, ulong TurnId, ulong ExpectedTurnId, Timestamp At, Timestamp NextDueAt, TurnCause Cause, int Day = 0);

/// <summary>
/// Writes turns as messages <c>TurnSkeleton</c> and <c>TurnPayload</c> of <c>roster.storage.v1</c>. Canonical: the same turn gives
/// the same bytes. The skeleton has no personal data.
/// </summary>
public static class TurnEncoder
{
    /// <summary>Version of the encoding.</summary>
    public const int Encoding = 1;

    /// <summary>Writes the skeleton.</summary>
    public static void WriteSkeleton(PackedWriter writer, in TurnInfo turn, ReadOnlySpan<JournalEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Int(1, Encoding);
        writer.Int(2, turn.Tenant);
        writer.Int(3, turn.ObjectType);
        writer.Int(4, turn.RecordNumber);
        writer.Fixed64(5, turn.TurnId);
        writer.Fixed64(6, turn.ExpectedTurnId);
        writer.Time(7, turn.At);
        writer.Time(8, turn.NextDueAt);
        writer.Int(9, (int)turn.Cause);
        foreach (ref readonly var entry in entries)
        {
            var start = writer.BeginMessage(10);
            writer.Int(1, (int)entry.Kind);
            writer.Int(2, entry.Workflow);
            writer.Int(3, entry.Version);
            writer.Int(4, entry.Enrollment);
            writer.Int(5, entry.Step);
            writer.Int(6, entry.Execution);
            writer.Int(7, entry.Code);
            writer.Int(8, entry.Subject);
            writer.Time(9, entry.OccurredAt);
            writer.Time(10, entry.DueAt);
            writer.Bool(11, entry.Flag);
            writer.Int(12, entry.Number);
            writer.EndMessage(start);
        }

        writer.Int(11, turn.Day);
    }

    /// <summary>Writes the payload. <paramref name="createdId"/> is the record's id when the turn created it, empty otherwise.</summary>
    public static void WritePayload(PackedWriter writer, string createdId, ReadOnlySpan<JournalEntry> entries, IReadOnlyList<SectionWrite> sections)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(sections);
        writer.Text(1, createdId);
        for (var i = 0; i < entries.Length; i++)
        {
            WriteEntry(writer, i, entries[i]);
        }

        for (var i = 0; i < sections.Count; i++)
        {
            var start = writer.BeginMessage(3);
            writer.Int(1, sections[i].Index);
            writer.Bytes(2, sections[i].Content);
            writer.Bool(3, sections[i].Content is null);
            writer.EndMessage(start);
        }
    }

    private static void WriteEntry(PackedWriter writer, int index, in JournalEntry entry)
    {
        var start = writer.BeginMessage(2);
        writer.Int(1, index);
        var empty = writer.Length;
        writer.Text(2, entry.Text ?? string.Empty);
        writer.Text(3, entry.Source ?? string.Empty);
        WriteValue(writer, 4, entry.Value);
        foreach (var named in entry.Fields ?? [])
        {
            NamedValues.Pack(writer, 5, named);
        }

        writer.Fixed64(6, entry.IdHash.High);
        writer.Fixed64(7, entry.IdHash.Low);
        writer.UInt(8, entry.ContentHash);
        if (writer.Length == empty)
        {
            // Nothing but the index: the entry has no payload. One byte of tag and one of length go too.
            writer.Truncate(start - 1);
            return;
        }

        writer.EndMessage(start);
    }

    private static void WriteValue(PackedWriter writer, int field, in Value value)
    {
        if (!value.IsUnknown)
        {
            var start = writer.BeginMessage(field);
            value.Pack(writer);
            writer.EndMessage(start);
        }
    }
}
