using Roster.Core;
using Roster.Core.Calendars;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Sequences;
using Roster.Engine.Catalog;
using Roster.Protocol.Mapping;
using Roster.V1;

namespace Roster.Engine.Reading;

/// <summary>What states say of sequences and inboxes, as readers see it (API-02, MET-16).</summary>
public static class SequenceReader
{
    /// <summary>Where a contact stands.</summary>
    /// <param name="state">The contact.</param>
    /// <param name="owner">The tenant.</param>
    /// <param name="sequenceId">Which sequence; empty for the one it is active in, else the latest.</param>
    public static SequenceStatus ReadStatus(RecordState state, TenantOwner owner, string sequenceId)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(owner);
        var latest = default(WorkflowSummary);
        foreach (ref readonly var summary in state.Summaries)
        {
            var isWanted = sequenceId.Length > 0 ? owner.WorkflowId(summary.Workflow) == sequenceId : owner.Catalog.IsSequence(summary.Workflow);
            latest = isWanted && summary.LastEnrollment >= latest.LastEnrollment ? summary : latest;
        }

        if (latest.Workflow == 0)
        {
            return new SequenceStatus { SequenceId = sequenceId };
        }

        var id = owner.WorkflowId(latest.Workflow);
        return new SequenceStatus
        {
            SequenceId = id,
            Active = RecordReader.Read(state, owner).Enrollments.FirstOrDefault(e => e.WorkflowId == id),
            EnrollmentNumber = latest.LastEnrollment,
            EnrolledAt = ValueMapping.ToWire(latest.LastEnrolledAt),
            EndReason = (Enrollment.Types.EndReason)(int)latest.LastEnd,
            EndedAt = ValueMapping.ToWire(latest.LastEndedAt),
            Signals = { SequenceMapping.SignalNames(latest.Signals) },
        };
    }

    /// <summary>Adds a contact to the counts of its company: its latest enrollment in a sequence.</summary>
    public static void Add(SequenceStats stats, RecordState contact, int sequence)
    {
        ArgumentNullException.ThrowIfNull(stats);
        ArgumentNullException.ThrowIfNull(contact);
        if (!contact.TryGetSummary(sequence, out var summary) || summary.TimesEnrolled == 0)
        {
            return;
        }

        var isActive = contact.FindActive(sequence) >= 0;
        int Has(EmailSignal signal) => (summary.Signals & (1 << (int)signal)) != 0 ? 1 : 0;
        stats.Enrolled++;
        stats.Active += isActive ? 1 : 0;
        stats.Opened += Has(EmailSignal.Opened);
        stats.Clicked += Has(EmailSignal.Clicked);
        stats.Replied += Has(EmailSignal.Replied);
        stats.Meetings += Has(EmailSignal.Met);
        stats.Bounced += Has(EmailSignal.Bounced);
        stats.Unsubscribed += Has(EmailSignal.Unsubscribed);
        stats.Engaged += Has(EmailSignal.Engaged);
        stats.NoResponse += !isActive && summary.LastEnd == EndReason.Finished && Has(EmailSignal.Replied) + Has(EmailSignal.Met) == 0 ? 1 : 0;
        if (!isActive && summary.LastEnd != EndReason.None)
        {
            var name = JournalMapping.ApiName(summary.LastEnd.ToString());
            var count = stats.Ended.FirstOrDefault(c => c.Name == name);
            if (count is null)
            {
                stats.Ended.Add(count = new NamedCount { Name = name });
            }

            count.Count++;
        }
    }

    /// <summary>Adds to an inbox what its actor has granted.</summary>
    public static Inbox AddUsage(Inbox inbox, RecordState? state, TenantOwner owner, Timestamp now)
    {
        ArgumentNullException.ThrowIfNull(inbox);
        ArgumentNullException.ThrowIfNull(owner);
        if (state is null || owner.Catalog.FindInbox(inbox.User) is not { } info)
        {
            return inbox;
        }

        var today = NodaTime.Period.DaysBetween(new NodaTime.LocalDate(1970, 1, 1), LocalTimes.Of(now, info.Zone).Date);
        inbox.EnrolledToday = state.SlotDay == today ? state.SlotEnrollments : 0;
        inbox.EmailsIn24H = state.Slots.Count(s => s.At > now.PlusMs(-InboxSlots.SpanMs));
        return inbox;
    }
}
