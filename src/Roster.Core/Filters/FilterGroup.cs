using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Filters;

/// <summary>A group of filters (FIL-02), ready to be judged. Immutable.</summary>
internal sealed class FilterGroup
{
    /// <summary>Cheap ones first. The order has no meaning: what decides is only which filters accept.</summary>
    private readonly Filter[] _byCost;

    public FilterGroup(GroupMatch match, Filter[] filters)
    {
        Match = match == GroupMatch.None ? GroupMatch.All : match;
        Filters = filters;
        _byCost = [.. filters.OrderBy(f => f.Cost)];
    }

    public GroupMatch Match { get; }

    /// <summary>The filters in the order of the definition.</summary>
    public Filter[] Filters { get; }

    public bool Accepts(in Judging judging)
    {
        // ALL: one that rejects decides. NOT_ALL: the same, the other way. NOT_ANY: one that accepts decides.
        var deciding = Match == GroupMatch.NotAny;
        foreach (var filter in _byCost)
        {
            if (filter.Accepts(judging) == deciding)
            {
                return Match == GroupMatch.NotAll;
            }
        }

        return Match != GroupMatch.NotAll;
    }

    /// <summary>Whether a filter that has this answer keeps the group from accepting, or in a NOT_ALL group does not help it.</summary>
    public bool IsFailing(bool accepts) => Match == GroupMatch.All ? !accepts : accepts;

    public bool HasKnownOfAnotherValue(RecordState state)
    {
        if (Match != GroupMatch.All)
        {
            return false;
        }

        foreach (var filter in Filters)
        {
            if (filter.IsKnownOfAnotherValue(state))
            {
                return true;
            }
        }

        return false;
    }

    public bool HasNewOccurrence(in Judging judging)
    {
        if (Match != GroupMatch.All)
        {
            return false;
        }

        foreach (var filter in Filters)
        {
            if (filter.IsOfNewOccurrence(judging))
            {
                return true;
            }
        }

        return false;
    }

    public bool HasJoin(IReadOnlyList<int> joined)
    {
        if (Match != GroupMatch.All)
        {
            return false;
        }

        foreach (var filter in Filters)
        {
            if (filter.IsOfJoin(joined))
            {
                return true;
            }
        }

        return false;
    }
}
