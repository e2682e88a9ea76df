using System.Runtime.InteropServices;
using Roster.Core.Journal;
using Roster.Core.Packing;
using Roster.Core.Sequences;

namespace Roster.Core.Records;

/// <content>What became of e-mails, and what an inbox gave out (section 20 of the rules, MET-10 to MET-16).</content>
public sealed partial class RecordState
{
    private const int EmailMarkField = 50;
    private const int InboxField = 51;

    private readonly List<EmailMark> _emailMarks = [];
    private readonly List<InboxSlot> _slots = [];

    /// <summary>What became of e-mails that were sent to the record, by workflow, then step.</summary>
    public ReadOnlySpan<EmailMark> EmailMarks => CollectionsMarshal.AsSpan(_emailMarks);

    /// <summary>Of an inbox: instants that were given out and still count, by time (SEQ-15).</summary>
    public IReadOnlyList<InboxSlot> Slots => _slots;

    /// <summary>Of an inbox: the day since 1970-01-01, in its zone, of the latest enrollment that it granted.</summary>
    public int SlotDay { get; private set; }

    /// <summary>Of an inbox: enrollments that it granted on <see cref="SlotDay"/>.</summary>
    public int SlotEnrollments { get; private set; }

    /// <summary>Index of the mark of a step; the complement of where it would be when there is none.</summary>
    internal int FindEmailMark(int workflow, int step)
    {
        for (var i = 0; i < _emailMarks.Count; i++)
        {
            var mark = _emailMarks[i];
            if (mark.Workflow > workflow || (mark.Workflow == workflow && mark.Step >= step))
            {
                return mark.Workflow == workflow && mark.Step == step ? i : ~i;
            }
        }

        return ~_emailMarks.Count;
    }

    /// <summary>What occurred in the latest enrollment in a sequence: signal n is bit n.</summary>
    internal int SignalsOf(int sequence) => TryGetSummary(sequence, out var summary) ? summary.Signals : 0;

    private void EngageEmail(in JournalEntry entry)
    {
        var signal = (EmailSignal)entry.Code;
        var bit = 1 << entry.Code;
        if (entry.Step != 0)
        {
            var index = FindEmailMark(entry.Workflow, entry.Step);
            if (index < 0)
            {
                index = ~index;
                _emailMarks.Insert(index, new EmailMark { Workflow = entry.Workflow, Step = entry.Step });
            }

            ref var mark = ref CollectionsMarshal.AsSpan(_emailMarks)[index];
            if (signal == EmailSignal.Sent)
            {
                mark.Enrollment = entry.Enrollment;
                mark.Version = entry.Version;
                mark.SentAt = entry.OccurredAt;
                mark.Latest = 0;
            }

            mark.Signals |= bit;
            mark.Latest |= bit;
            mark.HasReacted |= !entry.DueAt.IsNone;
        }

        ref var summary = ref Summary(entry.Workflow);
        if (summary.LastEnrollment == entry.Enrollment)
        {
            summary.Signals |= bit | (((EmailScopes)entry.Subject & EmailScopes.Engagement) != 0 ? 1 << (int)EmailSignal.Engaged : 0);
        }
    }

    /// <summary>Whether something counts as being engaged (MET-16).</summary>
    internal static bool IsReaction(EmailSignal signal) => signal is EmailSignal.Opened or EmailSignal.Clicked or EmailSignal.Replied or EmailSignal.Met;

    /// <summary>What replaces the content of an e-mail is kept like an output of its step, which it has none of until it is sent.</summary>
    private void EditEmail(in JournalEntry entry) => KeepOutputs(entry);

    private void TakeSlot(in JournalEntry entry)
    {
        if (entry.DueAt.IsNone)
        {
            SlotEnrollments = SlotDay == (int)entry.Number ? SlotEnrollments + 1 : 1;
            SlotDay = (int)entry.Number;
            return;
        }

        var since = LastTurnAt.PlusMs(-InboxSlots.SpanMs);
        _slots.RemoveAll(s => s.At <= since);
        var at = entry.DueAt;
        var slot = new InboxSlot(at, entry.Flag);
        var index = _slots.FindIndex(s => Compare(s, slot) > 0);
        _slots.Insert(index < 0 ? _slots.Count : index, slot);
    }

    private void ReleaseSlot(in JournalEntry entry)
    {
        if (entry.DueAt.IsNone)
        {
            SlotEnrollments -= SlotDay == (int)entry.Number && SlotEnrollments > 0 ? 1 : 0;
            return;
        }

        var slot = new InboxSlot(entry.DueAt, entry.Flag);
        _slots.Remove(slot);
    }

    private void PackSequences(PackedWriter writer)
    {
        foreach (var mark in _emailMarks)
        {
            var start = writer.BeginMessage(EmailMarkField);
            writer.Int(1, mark.Workflow);
            writer.Int(2, mark.Step);
            writer.Int(3, mark.Version);
            writer.Int(4, mark.Enrollment);
            writer.Time(5, mark.SentAt);
            writer.Int(6, mark.Signals);
            writer.Int(7, mark.Latest);
            writer.Bool(8, mark.HasReacted);
            writer.EndMessage(start);
        }

        if (SlotDay == 0 && _slots.Count == 0)
        {
            return;
        }

        var inbox = writer.BeginMessage(InboxField);
        writer.Int(1, SlotDay);
        writer.Int(2, SlotEnrollments);
        foreach (var slot in _slots.Where(s => !s.IsBulk))
        {
            writer.SIntAlways(3, slot.At.Ms);
        }

        foreach (var slot in _slots.Where(s => s.IsBulk))
        {
            writer.SIntAlways(4, slot.At.Ms);
        }

        writer.EndMessage(inbox);
    }

    private static EmailMark LoadEmailMark(ReadOnlySpan<byte> packed)
    {
        var mark = default(EmailMark);
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: mark.Workflow = reader.Int(); break;
                case 2: mark.Step = reader.Int(); break;
                case 3: mark.Version = reader.Int(); break;
                case 4: mark.Enrollment = reader.Int(); break;
                case 5: mark.SentAt = reader.Time(); break;
                case 6: mark.Signals = reader.Int(); break;
                case 7: mark.Latest = reader.Int(); break;
                case 8: mark.HasReacted = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }

        return mark;
    }

    private void LoadInbox(ReadOnlySpan<byte> packed)
    {
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: SlotDay = reader.Int(); break;
                case 2: SlotEnrollments = reader.Int(); break;
                case 3: _slots.Add(new InboxSlot(reader.Time(), IsBulk: false)); break;
                case 4: _slots.Add(new InboxSlot(reader.Time(), IsBulk: true)); break;
                default: reader.Skip(); break;
            }
        }

        _slots.Sort(Compare);
    }

    private static int Compare(InboxSlot left, InboxSlot right) => left.At == right.At ? left.IsBulk.CompareTo(right.IsBulk) : left.At.CompareTo(right.At);
}
