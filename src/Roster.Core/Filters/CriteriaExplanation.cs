using Roster.Core.Workflows;

namespace Roster.Core.Filters;

/// <summary>Criteria with actual values (HIS-07). Immutable.</summary>
/// <param name="Accepts">Whether the criteria hold.</param>
/// <param name="Groups">The groups, in the order of the definition.</param>
/// <param name="FirstFailing">The first filter that keeps its group from accepting; null when the criteria hold or have no filter.</param>
/// <param name="SmallestChange">
/// What would make the criteria hold: one sentence per failing filter of the group that has the fewest. Empty when they hold already, or
/// when they have no group that anything can make hold.
/// </param>
public sealed record CriteriaExplanation(
    bool Accepts, IReadOnlyList<GroupExplanation> Groups, FilterExplanation? FirstFailing, IReadOnlyList<string> SmallestChange)
{
    /// <summary>
    /// What would make criteria that hold stop to hold: a sentence per filter that must answer otherwise. Empty when they do not hold, or
    /// when nothing can.
    /// </summary>
    public IReadOnlyList<string> SmallestStop { get; init; } = [];
}

/// <summary>A group with actual values.</summary>
/// <param name="Path">Path in the criteria: <c>anyOf[0]</c>.</param>
/// <param name="Match">How its filters are taken together (FIL-02).</param>
/// <param name="Accepts">Whether it accepts.</param>
/// <param name="Filters">Its filters, in the order of the definition.</param>
public sealed record GroupExplanation(string Path, GroupMatch Match, bool Accepts, IReadOnlyList<FilterExplanation> Filters);

/// <summary>A filter with the actual value.</summary>
/// <param name="Path">Path in the criteria: <c>anyOf[0].allOf[1]</c>.</param>
/// <param name="Test">The test: <c>stage IS_EQUAL_TO won</c>.</param>
/// <param name="Actual">What the record has: <c>lead</c>, <c>unknown</c>, <c>3 events, last 2026-01-05T12:00:00Z</c>, <c>member</c>.</param>
/// <param name="Accepts">Whether the filter accepts.</param>
public sealed record FilterExplanation(string Path, string Test, string Actual, bool Accepts);
