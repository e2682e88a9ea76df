using Roster.Core.Records;

namespace Roster.Core.Filters;

/// <summary>
/// Events in the record's history (FIL-36). Without filters on properties and without a refine-by it asks what is kept for good; else it
/// looks at the single occurrences that are kept (FIL-09).
/// </summary>
internal sealed class EventHistoryFilter : Filter
{
    private readonly OccurrenceTest _test;
    private readonly string _eventType;
    private readonly bool _isNegated;
    private readonly bool _hasCount;
    private readonly int _min;
    private readonly int _max;

    /// <param name="label">The label.</param>
    /// <param name="eventType">Name of the event type.</param>
    /// <param name="test">Which occurrences count.</param>
    /// <param name="isNegated">Whether the answer is turned around: HAS_NOT_COMPLETED.</param>
    /// <param name="count">Count refine-by: fewest and most (FIL-04); null for at least one.</param>
    public EventHistoryFilter(FilterLabel label, string eventType, OccurrenceTest test, bool isNegated, (int Min, int Max)? count)
        : base(label)
    {
        _eventType = eventType;
        _test = test;
        _isNegated = isNegated;
        _hasCount = count is not null;
        (_min, _max) = count ?? (1, int.MaxValue);
    }

    public override FilterCost Cost => ReadsOccurrences ? FilterCost.History : FilterCost.Head;

    public override bool DependsOnTime => _test is { DependsOnTime: true, EventType: not 0 };

    private bool ReadsOccurrences => _test.HasWhere || _test.HasRange || _hasCount;

    public override bool Accepts(in Judging judging)
    {
        var state = judging.IsBefore ? judging.State.Before : judging.State;
        if (!ReadsOccurrences || (judging.IgnoresRefinements && !_test.HasWhere))
        {
            return state.TryGetEvents(_test.EventType, out _) != _isNegated;
        }

        var (min, max) = judging.IgnoresRefinements ? (1, int.MaxValue) : (_min, _max);
        var enough = max == int.MaxValue ? min : max + 1;
        var count = _test.Count(state, judging.At, judging.IgnoresRefinements, enough);
        return (count >= min && count <= max) != _isNegated;
    }

    public override Timestamp NextFlip(RecordState state, Timestamp now)
    {
        if (!DependsOnTime)
        {
            return Timestamp.None;
        }

        var sweep = new FlipSweep();
        foreach (var (occurredAt, properties) in _test.Read(state))
        {
            sweep.Add(now, at => _test.Accepts(properties, occurredAt, at, ignoresRange: false), at => _test.NextFlip(properties, occurredAt, at));
        }

        return sweep.First(count => count >= _min && count <= _max);
    }

    public override bool IsOfNewOccurrence(in Judging judging) =>
        !_isNegated && _test.AcceptsNew(judging.State, judging.At, judging.IgnoresRefinements);

    public override void AddNeeds(CriteriaNeeds needs) => _test.AddNeeds(needs, ReadsOccurrences);

    public override string Actual(in Judging judging)
    {
        var state = judging.IsBefore ? judging.State.Before : judging.State;
        var known = _test.Known(state);
        return ReadsOccurrences && _test.EventType != 0
            ? $"{known}, {_test.Count(state, judging.At, judging.IgnoresRefinements, int.MaxValue)} counted"
            : known;
    }

    public override string Change(in Judging judging, bool isWanted)
    {
        var state = judging.IsBefore ? judging.State.Before : judging.State;
        var count = _hasCount ? _test.Count(state, judging.At, judging.IgnoresRefinements, int.MaxValue) : 0;
        var needsMore = isWanted != _isNegated ? count < _min : _max < int.MaxValue;
        if (!needsMore)
        {
            return $"nothing but time can make this {(isWanted ? "hold" : "not hold")}: {Label.Text}";
        }

        var cut = ReadsOccurrences ? $" for: {Label.Text}" : string.Empty;
        return _hasCount
            ? $"events of type {_eventType} must happen{cut}"
            : $"an event of type {_eventType} must happen{cut}";
    }
}
