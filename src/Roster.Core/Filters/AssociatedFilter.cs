using Roster.Core.Records;

namespace Roster.Core.Filters;

/// <summary>Walks the copies of associated records, as <see cref="RecordState.NextCopy"/> does.</summary>
internal delegate bool CopyWalk(RecordState state, int objectType, int label, ref int cursor, RecordState copy);

/// <summary>
/// An associated record that passes all filters (ASC-01). All of them are judged on the same record (ASC-02), as the last copy of it says
/// (ASC-04). The copy may have copies of its own, which a filter inside this one walks (ASC-03).
/// </summary>
internal sealed class AssociatedFilter : Filter
{
    private readonly int _objectType;
    private readonly int? _label;
    private readonly Filter[] _filters;
    private readonly CopyWalk _walk;

    /// <param name="label">The label of the filter.</param>
    /// <param name="objectType">Number of the type of the associated record.</param>
    /// <param name="associationLabel">Number of the label of the association, <see cref="RecordState.AnyLabel"/>, or null for one that never was.</param>
    /// <param name="filters">Filters on the associated record, compiled for its type.</param>
    /// <param name="walk">Walks the copies.</param>
    public AssociatedFilter(FilterLabel label, int objectType, int? associationLabel, Filter[] filters, CopyWalk walk)
        : base(label)
    {
        _objectType = objectType;
        _label = associationLabel;
        _filters = filters;
        _walk = walk;
    }

    public override FilterCost Cost => FilterCost.Copies;

    public override bool DependsOnTime => _filters.Any(f => f.DependsOnTime);

    public override bool Accepts(in Judging judging)
    {
        var state = judging.IsBefore ? judging.State.Before : judging.State;
        var copy = new RecordState();
        for (var cursor = 0; Next(state, ref cursor, copy);)
        {
            if (AcceptsAll(copy, judging.At))
            {
                return true;
            }
        }

        return false;
    }

    public override Timestamp NextFlip(RecordState state, Timestamp now)
    {
        if (!DependsOnTime)
        {
            return Timestamp.None;
        }

        var sweep = new FlipSweep();
        var copy = new RecordState();
        for (var cursor = 0; Next(state, ref cursor, copy);)
        {
            sweep.Add(now, at => AcceptsAll(copy, at), at => NextFlipOfCopy(copy, at));
        }

        return sweep.First(static count => count > 0);
    }

    public override void AddNeeds(CriteriaNeeds needs)
    {
        needs.AssociatedTypes.Add(_objectType);
        needs.NeedsWhole = true;
        needs.DependsOnTime |= DependsOnTime;
        var nested = new CriteriaNeeds();
        foreach (var filter in _filters)
        {
            filter.AddNeeds(nested);
        }

        needs.AssociatedProperties.UnionWith(nested.Properties.Select(p => (_objectType, p)));
        needs.AssociatedLists.UnionWith(nested.Lists.Select(l => (_objectType, l)));
        if (nested.AssociatedTypes.Count > 0)
        {
            if (!needs.Through.TryGetValue(_objectType, out var through))
            {
                needs.Through[_objectType] = through = new CriteriaNeeds();
            }

            through.AssociatedTypes.UnionWith(nested.AssociatedTypes);
            through.AssociatedProperties.UnionWith(nested.AssociatedProperties);
            through.AssociatedLists.UnionWith(nested.AssociatedLists);
        }
    }

    public override string Actual(in Judging judging)
    {
        var state = judging.IsBefore ? judging.State.Before : judging.State;
        var copy = new RecordState();
        var seen = 0;
        var accepted = 0;
        for (var cursor = 0; Next(state, ref cursor, copy); seen++)
        {
            accepted += AcceptsAll(copy, judging.At) ? 1 : 0;
        }

        return seen == 0 ? "no associated record" : $"{seen} associated, {accepted} pass all filters";
    }

    private bool Next(RecordState state, ref int cursor, RecordState copy) =>
        _label is { } label && _walk(state, _objectType, label, ref cursor, copy);

    private bool AcceptsAll(RecordState copy, Timestamp at)
    {
        var judging = new Judging(copy, at);
        foreach (var filter in _filters)
        {
            if (!filter.Accepts(judging))
            {
                return false;
            }
        }

        return true;
    }

    private Timestamp NextFlipOfCopy(RecordState copy, Timestamp now)
    {
        var next = Timestamp.None;
        foreach (var filter in _filters)
        {
            next = FlipSweep.Earlier(next, filter.NextFlip(copy, now));
        }

        return next;
    }
}
