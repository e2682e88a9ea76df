using NodaTime.Text;
using Roster.Core.Workflows;

namespace Roster.Core.Filters;

/// <content>Explanations for people (HIS-07).</content>
public sealed partial class Criteria
{
    /// <summary>Judges a record and says why, with the actual values (HIS-07).</summary>
    public CriteriaExplanation Explain(in Judging judging)
    {
        var groups = new GroupExplanation[_groups.Length];
        for (var g = 0; g < groups.Length; g++)
        {
            var filters = new FilterExplanation[_groups[g].Filters.Length];
            for (var f = 0; f < filters.Length; f++)
            {
                var filter = _groups[g].Filters[f];
                filters[f] = new FilterExplanation(filter.Label.Path, filter.Label.Text, filter.Actual(judging), filter.Accepts(judging));
            }

            groups[g] = new GroupExplanation($"anyOf[{g}]", _groups[g].Match, _groups[g].Accepts(judging), filters);
        }

        var accepts = Array.Exists(groups, g => g.Accepts);
        return new CriteriaExplanation(accepts, groups, accepts ? null : FirstFailing(groups), accepts ? [] : SmallestChange(groups, judging))
        {
            SmallestStop = accepts ? SmallestStop(groups, judging) : [],
        };
    }

    private FilterExplanation? FirstFailing(GroupExplanation[] groups)
    {
        for (var g = 0; g < groups.Length; g++)
        {
            if (groups[g].Filters.FirstOrDefault(f => _groups[g].IsFailing(f.Accepts)) is { } failing)
            {
                return failing;
            }
        }

        return null;
    }

    /// <summary>Of the groups that can be made to accept, the first that needs the fewest changes.</summary>
    private List<string> SmallestChange(GroupExplanation[] groups, in Judging judging)
    {
        List<Filter>? smallest = null;
        for (var g = 0; g < groups.Length; g++)
        {
            var needed = Needed(_groups[g], groups[g]);
            if (needed.Count > 0 && !needed.Exists(f => f.IsConstant) && (smallest is null || needed.Count < smallest.Count))
            {
                smallest = needed;
            }
        }

        var sentences = new List<string>();
        foreach (var filter in smallest ?? [])
        {
            sentences.Add(ChangeOf(filter, judging));
        }

        return sentences;
    }

    /// <summary>The filters that must answer otherwise. Of a NOT_ALL group one is enough: the first that can.</summary>
    private static List<Filter> Needed(FilterGroup group, GroupExplanation explanation)
    {
        var failing = group.Filters.Where((_, f) => group.IsFailing(explanation.Filters[f].Accepts)).ToList();
        return group.Match == GroupMatch.NotAll ? [.. failing.OrderBy(f => f.IsConstant).Take(1)] : failing;
    }

    /// <summary>Every group that accepts must reject; empty when one of them always accepts.</summary>
    private List<string> SmallestStop(GroupExplanation[] groups, in Judging judging)
    {
        var sentences = new List<string>();
        for (var g = 0; g < groups.Length; g++)
        {
            if (!groups[g].Accepts)
            {
                continue;
            }

            var needed = NeededToReject(_groups[g], groups[g]);
            if (needed.Count == 0 || needed.Exists(f => f.IsConstant))
            {
                return [];
            }

            foreach (var filter in needed)
            {
                sentences.Add(ChangeOf(filter, judging));
            }
        }

        return sentences;
    }

    /// <summary>Of a NOT_ALL group all filters that reject must accept; of the others one that answers otherwise is enough.</summary>
    private static List<Filter> NeededToReject(FilterGroup group, GroupExplanation explanation) => group.Match == GroupMatch.NotAll
        ? [.. group.Filters.Where((_, f) => !explanation.Filters[f].Accepts)]
        : [.. group.Filters.OrderBy(f => f.IsConstant).Take(1)];

    private static string ChangeOf(Filter filter, in Judging judging)
    {
        // The side before the round has no future of its own.
        var flipAt = judging.IsBefore ? Timestamp.None : filter.NextFlip(judging.State, judging.At);
        return flipAt.IsNone
            ? filter.Change(judging, isWanted: !filter.Accepts(judging))
            : $"wait until {InstantPattern.ExtendedIso.Format(flipAt.ToInstant())}";
    }
}
