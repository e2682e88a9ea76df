using System.Text;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Engine.Erasing;

/// <summary>
/// Takes an erased record out of turns of the records that it was linked to (REC-17): its id, the copies that they had of it, also inside
/// copies of others (ASC-03), and sections that name it. The rest of the turn stays, and so does the state that the journal gives, because every place of the id gets the same mask.
/// </summary>
public sealed class TurnMask
{
    private readonly PackedWriter _writer = new(4096);
    private readonly RecordKey _erased;
    private readonly string _mask;
    private readonly byte[] _id;

    /// <summary>Creates a mask.</summary>
    /// <param name="erased">The record that was erased.</param>
    /// <param name="mask">What stands for its id from now on: as many bytes as the id.</param>
    public TurnMask(RecordKey erased, string mask)
    {
        (_erased, _mask, _id) = (erased, mask, Encoding.UTF8.GetBytes(erased.Id));
    }

    /// <summary>The other record that an entry names in its text; null when it names none.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="own">Key of the record whose entry it is; only its tenant and type matter.</param>
    public static RecordKey? OtherOf(in JournalEntry entry, RecordKey own) => entry.Kind switch
    {
        EntryKind.Associated or EntryKind.Dissociated or EntryKind.AssociationMarked or EntryKind.CopyChanged or EntryKind.CopiesCut or EntryKind.MessageReceived or EntryKind.MessageReturned
            or EntryKind.RecordAbsorbed when !string.IsNullOrEmpty(entry.Text) => new RecordKey(own.Tenant, entry.Subject, entry.Text),
        EntryKind.RecordMerged when !string.IsNullOrEmpty(entry.Text) => own with { Id = entry.Text },
        _ => null,
    };

    /// <summary>The turn as it shall be stored; null when it stays as it is.</summary>
    public RewrittenTurn? Rewrite(StoredTurn turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        var decoded = TurnDecoder.Decode(turn);
        var isChanged = false;
        foreach (ref var entry in decoded.Entries.AsSpan())
        {
            // The store may keep messages and tasks beside the payload: those to the erased record, or made of the copy of it, go with the
            // rewriting of their turn. It never reads them again.
            isChanged |= entry.Kind is EntryKind.MessagesSent or EntryKind.EffectRequested;
            if (OtherOf(entry, new RecordKey(decoded.Info.Tenant, decoded.Info.ObjectType, string.Empty)) == _erased)
            {
                entry = entry with { Text = _mask, Fields = entry.Kind == EntryKind.CopyChanged ? null : entry.Fields };
                isChanged = true;
            }
            else if (entry is { Kind: EntryKind.CopyChanged, Fields: { } content } && RecordState.WithoutBehind(content, _erased.ObjectType, _erased.Id) is { } left)
            {
                entry = entry with { Fields = left };
                isChanged = true;
            }
        }

        var sections = TurnDecoder.ReadSections(turn);
        for (var i = 0; i < sections.Count; i++)
        {
            if (sections[i].Content is { } content && content.AsSpan().IndexOf(_id) >= 0)
            {
                // No section in force names it any more; those that do are only left in the journal, which nobody reads them from.
                sections[i] = sections[i] with { Content = [] };
                isChanged = true;
            }
        }

        if (!isChanged)
        {
            return null;
        }

        _writer.Clear();
        TurnEncoder.WritePayload(_writer, decoded.CreatedId, decoded.Entries, sections);
        return new RewrittenTurn(turn.Position, _writer.Written.ToArray());
    }
}
