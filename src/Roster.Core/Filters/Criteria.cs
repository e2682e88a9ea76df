using Roster.Core.Records;

namespace Roster.Core.Filters;

/// <summary>A condition on a record, ready to be judged: OR of groups, each an AND of filters (FIL-01, FIL-02). Immutable.</summary>
public sealed class Criteria
{
    private readonly PropertyFilter[][] _groups;

    internal Criteria(PropertyFilter[][] groups)
    {
        _groups = groups;
        Properties = [.. groups.SelectMany(g => g).Select(f => f.Property.Number).Distinct().Order()];
        NeedsHistory = groups.SelectMany(g => g).Any(f => f.NeedsHistory);
    }

    /// <summary>Numbers of the properties it looks at, sorted.</summary>
    public IReadOnlyList<int> Properties { get; }

    /// <summary>Whether it looks at former values, so that history sections must be at hand.</summary>
    public bool NeedsHistory { get; }

    /// <summary>Judges the record as it is now, or as it was before the round.</summary>
    public bool Accepts(RecordState state, bool isBefore = false)
    {
        foreach (var group in _groups)
        {
            if (AcceptsAll(group, state, isBefore))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether one of the properties that changed in the round is looked at.</summary>
    public bool LooksAtChange(RecordState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        for (var i = 0; i < state.ChangedCount; i++)
        {
            var changed = state.ChangedAt(i);
            foreach (var property in Properties)
            {
                if (property == changed)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether it holds and an "is known" in it is about a property that took another value in the round (REN-04).</summary>
    public bool HoldsForAnotherValue(RecordState state)
    {
        foreach (var group in _groups)
        {
            if (Array.Exists(group, f => f.IsKnownOfAnotherValue(state)) && AcceptsAll(group, state, isBefore: false))
            {
                return true;
            }
        }

        return false;
    }

    private static bool AcceptsAll(PropertyFilter[] group, RecordState state, bool isBefore)
    {
        foreach (var filter in group)
        {
            if (!filter.Accepts(state, isBefore))
            {
                return false;
            }
        }

        return true;
    }
}
