using Roster.Core.Journal;
using Roster.Core.Records;

namespace Roster.Core.Filters;

/// <summary>Which occurrences of an event type a filter sees (FIL-03): cut by time, then judged by the filters on their properties. Immutable.</summary>
/// <param name="eventType">Number of the event type; 0 for one that never occurred.</param>
/// <param name="countMax">Only the newest so many (<c>event_history_max</c>, FIL-09).</param>
/// <param name="where">Filters on the properties of the event.</param>
/// <param name="range">Range of time (FIL-05), or null.</param>
internal sealed class OccurrenceTest(int eventType, int countMax, EventFilter[] where, TimeTest? range)
{
    public int EventType => eventType;

    public bool HasWhere => where.Length > 0;

    public bool HasRange => range is not null;

    public bool DependsOnTime => range?.DependsOnTime == true || where.Any(f => f.DependsOnTime);

    /// <summary>Judges one occurrence.</summary>
    /// <param name="properties">Its properties; may be left out when there is no filter on them.</param>
    /// <param name="occurredAt">When it occurred.</param>
    /// <param name="at">The instant it is judged at.</param>
    /// <param name="ignoresRange">Whether the range is left out (REN-05).</param>
    public bool Accepts(ReadOnlySpan<NamedValue> properties, Timestamp occurredAt, Timestamp at, bool ignoresRange) =>
        (range is null || ignoresRange || range.Accepts(new TimeSubject(occurredAt, IsDay: false), at))
        && EventFilter.AcceptAll(where, properties, occurredAt, at);

    /// <summary>The first instant after now at which the answer may be another one; none when there is none.</summary>
    public Timestamp NextFlip(ReadOnlySpan<NamedValue> properties, Timestamp occurredAt, Timestamp now)
    {
        var next = range?.NextFlip(new TimeSubject(occurredAt, IsDay: false), now) ?? Timestamp.None;
        foreach (var filter in where)
        {
            next = FlipSweep.Earlier(next, filter.NextFlip(properties, occurredAt, now));
        }

        return next;
    }

    /// <summary>Counts the occurrences that are accepted, up to a number that decides.</summary>
    public int Count(RecordState state, Timestamp at, bool ignoresRange, int enough)
    {
        var count = 0;
        var occurrences = state.Occurrences(eventType, countMax);
        while (count < enough && occurrences.MoveNext())
        {
            var occurrence = occurrences.Current;
            count += Accepts(HasWhere ? occurrence.Properties : [], occurrence.OccurredAt, at, ignoresRange) ? 1 : 0;
        }

        return count;
    }

    /// <summary>Whether one of the occurrences that came since the round began is accepted.</summary>
    public bool AcceptsNew(RecordState state, Timestamp at, bool ignoresRange)
    {
        if (!state.TryGetEvents(eventType, out var now))
        {
            return false;
        }

        state.Before.TryGetEvents(eventType, out var before);
        var arrived = now.Count - before.Count;
        if (!HasWhere && !HasRange)
        {
            return arrived > 0;
        }

        var occurrences = state.Occurrences(eventType, Math.Min(countMax, arrived));
        while (occurrences.MoveNext())
        {
            var occurrence = occurrences.Current;
            if (Accepts(HasWhere ? occurrence.Properties : [], occurrence.OccurredAt, at, ignoresRange))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The kept occurrences, decoded.</summary>
    public List<(Timestamp OccurredAt, NamedValue[] Properties)> Read(RecordState state)
    {
        var read = new List<(Timestamp, NamedValue[])>();
        var occurrences = state.Occurrences(eventType, countMax);
        while (occurrences.MoveNext())
        {
            read.Add((occurrences.Current.OccurredAt, occurrences.Current.Properties));
        }

        return read;
    }

    /// <summary>What is known of the type, as text: <c>3 events, last 2026-01-05T12:00:00Z</c>.</summary>
    public string Known(RecordState state)
    {
        if (!state.TryGetEvents(eventType, out var summary))
        {
            return "no events";
        }

        var last = NodaTime.Text.InstantPattern.ExtendedIso.Format(summary.LastAt.ToInstant());
        return $"{summary.Count} {(summary.Count == 1 ? "event" : "events")}, last {last}";
    }

    public void AddNeeds(CriteriaNeeds needs, bool readsOccurrences)
    {
        needs.NeedsWhole = true;
        if (eventType == 0)
        {
            return;
        }

        needs.EventTypes.Add(eventType);
        if (readsOccurrences)
        {
            needs.Occurrences.Add(eventType);
            needs.DependsOnTime |= DependsOnTime;
        }
    }
}
