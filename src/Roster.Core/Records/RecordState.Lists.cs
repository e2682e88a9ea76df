using System.Runtime.InteropServices;
using Roster.Core.Journal;
using Roster.Core.Packing;

namespace Roster.Core.Records;

/// <summary>Membership in a list.</summary>
/// <param name="List">Number of the list.</param>
/// <param name="Since">When the record joined.</param>
public readonly record struct Membership(int List, Timestamp Since);

/// <content>Memberships in lists (LST-01).</content>
public sealed partial class RecordState
{
    private readonly List<Membership> _memberships = [];

    /// <summary>Lists the record is a member of, by number.</summary>
    public ReadOnlySpan<Membership> Memberships => CollectionsMarshal.AsSpan(_memberships);

    /// <summary>Whether the record is a member of a list.</summary>
    public bool IsMember(int list) => FindMembership(list) >= 0;

    private int FindMembership(int list)
    {
        for (var i = 0; i < _memberships.Count; i++)
        {
            if (_memberships[i].List >= list)
            {
                return _memberships[i].List == list ? i : ~i;
            }
        }

        return ~_memberships.Count;
    }

    private void Join(in JournalEntry entry)
    {
        var index = FindMembership(entry.Subject);
        if (index < 0)
        {
            _memberships.Insert(~index, new Membership(entry.Subject, LastTurnAt));
        }
    }

    private void Leave(in JournalEntry entry)
    {
        var index = FindMembership(entry.Subject);
        if (index >= 0)
        {
            _memberships.RemoveAt(index);
        }
    }

    private static void PackMembership(PackedWriter writer, in Membership membership)
    {
        var start = writer.BeginMessage(MembershipField);
        writer.Int(1, membership.List);
        writer.Time(2, membership.Since);
        writer.EndMessage(start);
    }

    private static Membership LoadMembership(ReadOnlySpan<byte> packed)
    {
        var membership = default(Membership);
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: membership = membership with { List = reader.Int() }; break;
                case 2: membership = membership with { Since = reader.Time() }; break;
                default: reader.Skip(); break;
            }
        }

        return membership;
    }
}
