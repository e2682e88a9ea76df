using System.Runtime.InteropServices;
using Roster.Core.Journal;
using Roster.Core.Packing;

namespace Roster.Core.Records;

/// <content>What a record that another one is merged into takes of its past: enrollment histories and event ids (REC-13).</content>
public sealed partial class RecordState
{
    /// <summary>
    /// Packs enrollment histories and event ids for the record that this one is merged into, as fields of <c>roster.storage.v1.RecordHead</c>.
    /// Sections of event ids must have been given.
    /// </summary>
    internal byte[] PackPast()
    {
        var writer = new PackedWriter(1024);
        var marks = new List<byte>();
        foreach (var section in _sections.Where(s => s.Kind == SectionKind.EventIds))
        {
            marks.AddRange(_loadedSections![section.Index]);
        }

        marks.AddRange(_marks.AsSpan(0, _markCount * EventMarks.Size));
        writer.Bytes(MarksField, CollectionsMarshal.AsSpan(marks));
        foreach (var summary in _summaries)
        {
            PackSummary(writer, summary with { GoalsPending = 0, GoalsHeld = 0, LastEnrollment = 0, Signals = 0, RecurrenceAt = Timestamp.None });
        }

        return writer.Written.ToArray();
    }

    private void AbsorbPast(in JournalEntry entry)
    {
        var reader = new PackedReader(Convert.FromBase64String(entry.Source ?? string.Empty));
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case MarksField:
                    AbsorbMarks(reader.Bytes());
                    break;
                case SummaryField:
                    AbsorbSummary(LoadSummary(reader.Bytes()));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    /// <summary>Both are in the order of time, and so is what comes of them: the newest are what the window looks at (REC-08).</summary>
    private void AbsorbMarks(ReadOnlySpan<byte> others)
    {
        var own = _marks.AsSpan(0, _markCount * EventMarks.Size);
        var merged = new byte[own.Length + others.Length];
        var (left, right) = (0, 0);
        for (var at = 0; at < merged.Length; at += EventMarks.Size)
        {
            var takesOwn = right == others.Length || (left < own.Length && EventMarks.At(own[left..], 0) <= EventMarks.At(others[right..], 0));
            var from = takesOwn ? own[left..] : others[right..];
            from[..EventMarks.Size].CopyTo(merged.AsSpan(at));
            left += takesOwn ? EventMarks.Size : 0;
            right += takesOwn ? 0 : EventMarks.Size;
        }

        _marks = new byte[merged.Length + (EventMarks.Size * MarksMax)];
        merged.CopyTo(_marks.AsSpan());
        _markCount = merged.Length / EventMarks.Size;
    }

    private void AbsorbSummary(in WorkflowSummary other)
    {
        ref var own = ref Summary(other.Workflow);
        var isLater = other.LastEndedAt > own.LastEndedAt;
        own.TimesEnrolled += other.TimesEnrolled;
        own.TimesCompleted += other.TimesCompleted;
        own.GoalsMet |= other.GoalsMet;
        own.IsMailed |= other.IsMailed;
        own.LastEnd = isLater ? other.LastEnd : own.LastEnd;
        own.LastEndedAt = isLater ? other.LastEndedAt : own.LastEndedAt;
        own.LastEnrolledAt = other.LastEnrolledAt > own.LastEnrolledAt ? other.LastEnrolledAt : own.LastEnrolledAt;
        var since = LastTurnAt.PlusMs(-HourMs);
        var recent = Recent(own).Concat(Recent(other)).Where(at => at > since).Distinct().Order().ToArray();
        own.RecentEnrollments = recent.Length > 1 ? recent : null;
    }

    private static Timestamp[] Recent(in WorkflowSummary summary) => summary.RecentEnrollments ?? (summary.LastEnrolledAt.IsNone ? [] : [summary.LastEnrolledAt]);
}
