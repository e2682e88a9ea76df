using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>
/// Two-part filters on e-mails (FIL-33): an e-mail the first happened to and the second did not. The e-mail is told by the event property
/// <c>email_id</c>; occurrences without one are taken as being about the same e-mail.
/// </summary>
internal sealed class EventPairFilter : Filter
{
    /// <summary>The event property that says which e-mail it was.</summary>
    public const string EmailId = "email_id";

    private readonly OccurrenceTest _happened;
    private readonly OccurrenceTest _missing;
    private readonly int _min;
    private readonly int _max;

    /// <param name="label">The label.</param>
    /// <param name="happened">What must have happened.</param>
    /// <param name="missing">What must not have happened to the same e-mail.</param>
    /// <param name="count">Count refine-by on the first: fewest and most (FIL-04); null for at least one.</param>
    public EventPairFilter(FilterLabel label, OccurrenceTest happened, OccurrenceTest missing, (int Min, int Max)? count)
        : base(label)
    {
        _happened = happened;
        _missing = missing;
        (_min, _max) = count ?? (1, int.MaxValue);
    }

    public override FilterCost Cost => FilterCost.History;

    public override bool DependsOnTime => _happened.DependsOnTime || _missing.DependsOnTime;

    public override bool Accepts(in Judging judging)
    {
        var state = judging.IsBefore ? judging.State.Before : judging.State;
        var (min, max) = judging.IgnoresRefinements ? (1, int.MaxValue) : (_min, _max);
        var count = Count(_happened.Read(state), _missing.Read(state), judging.At, judging.IgnoresRefinements);
        return count >= min && count <= max;
    }

    public override Timestamp NextFlip(RecordState state, Timestamp now)
    {
        if (!DependsOnTime)
        {
            return Timestamp.None;
        }

        var happened = _happened.Read(state);
        var missing = _missing.Read(state);
        var instants = new SortedSet<Timestamp>();
        AddFlips(_happened, happened, now, instants);
        AddFlips(_missing, missing, now, instants);
        var held = Holds(now);
        foreach (var at in instants)
        {
            if (Holds(at) != held)
            {
                return at;
            }
        }

        return Timestamp.None;

        bool Holds(Timestamp at) => Count(happened, missing, at, ignoresRange: false) is var count && count >= _min && count <= _max;
    }

    public override bool IsOfNewOccurrence(in Judging judging) => _happened.AcceptsNew(judging.State, judging.At, judging.IgnoresRefinements);

    public override void AddNeeds(CriteriaNeeds needs)
    {
        _happened.AddNeeds(needs, readsOccurrences: true);
        _missing.AddNeeds(needs, readsOccurrences: true);
    }

    public override string Actual(in Judging judging)
    {
        var state = judging.IsBefore ? judging.State.Before : judging.State;
        var count = Count(_happened.Read(state), _missing.Read(state), judging.At, judging.IgnoresRefinements);
        return $"{_happened.Known(state)}; of the other {_missing.Known(state)}; {count} without the other";
    }

    private static void AddFlips(OccurrenceTest test, List<(Timestamp OccurredAt, NamedValue[] Properties)> occurrences, Timestamp now, SortedSet<Timestamp> instants)
    {
        foreach (var (occurredAt, properties) in occurrences)
        {
            for (var at = test.NextFlip(properties, occurredAt, now); !at.IsNone; at = test.NextFlip(properties, occurredAt, at))
            {
                instants.Add(at);
            }
        }
    }

    private int Count(
        List<(Timestamp OccurredAt, NamedValue[] Properties)> happened, List<(Timestamp OccurredAt, NamedValue[] Properties)> missing, Timestamp at, bool ignoresRange)
    {
        var others = missing
            .Where(o => _missing.Accepts(o.Properties, o.OccurredAt, at, ignoresRange))
            .Select(o => EmailOf(o.Properties))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        return happened.Count(o => _happened.Accepts(o.Properties, o.OccurredAt, at, ignoresRange) && !others.Contains(EmailOf(o.Properties)));
    }

    private static string EmailOf(NamedValue[] properties) => NamedValues.Find(properties, EmailId) is { IsUnknown: false } id ? id.ToString() : string.Empty;
}
