namespace Roster.Core.Workflows;

/// <content>Whether criteria are contained in others (EDT-03).</content>
public sealed partial class CriteriaCompiler
{
    /// <summary>
    /// Whether every record that meets <paramref name="a"/> certainly meets <paramref name="b"/>. Simple and sound: true is always right,
    /// false may only mean that it is not seen at a glance. Used to warn of a trigger that a goal or suppression always blocks.
    /// </summary>
    public bool Implies(CriteriaDefinition a, CriteriaDefinition b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return a.AnyOf.Count > 0 && a.AnyOf.All(group => b.AnyOf.Any(other => Implies(group, other)));
    }

    /// <summary>More filters make ALL and NOT_ANY narrower, and NOT_ALL wider.</summary>
    private static bool Implies(FilterGroupDefinition group, FilterGroupDefinition other) => (MatchOf(group), MatchOf(other)) switch
    {
        (GroupMatch.All, GroupMatch.All) or (GroupMatch.NotAny, GroupMatch.NotAny) => Contains(group, other),
        (GroupMatch.NotAll, GroupMatch.NotAll) => Contains(other, group),
        _ => false,
    };

    private static bool Contains(FilterGroupDefinition outer, FilterGroupDefinition inner) => inner.AllOf.All(i => outer.AllOf.Any(o => AreSame(o, i)));

    private static GroupMatch MatchOf(FilterGroupDefinition group) => group.Match == GroupMatch.None ? GroupMatch.All : group.Match;

    /// <summary>Records compare their lists by reference, so those are compared by hand and then taken out of the comparison.</summary>
    private static bool AreSame(FilterDefinition a, FilterDefinition b) => (a, b) switch
    {
        (IncompleteFilterDefinition, _) => false,
        (PropertyFilterDefinition x, PropertyFilterDefinition y) => x with { Values = y.Values } == y && x.Values.SequenceEqual(y.Values, StringComparer.Ordinal),
        (EventHistoryFilterDefinition x, EventHistoryFilterDefinition y) => x with { Where = y.Where } == y && AreSame(x.Where, y.Where),
        (EventPairFilterDefinition x, EventPairFilterDefinition y) => AreSame(x.Happened, y.Happened) && AreSame(x.Missing, y.Missing),
        (AssociatedFilterDefinition x, AssociatedFilterDefinition y) => x with { AllOf = y.AllOf } == y && AreSame(x.AllOf, y.AllOf),
        (ConsentFilterDefinition x, ConsentFilterDefinition y) => x with { AnyOf = y.AnyOf } == y && x.AnyOf.SequenceEqual(y.AnyOf, StringComparer.Ordinal),
        _ => a == b,
    };

    private static bool AreSame(IReadOnlyList<FilterDefinition> a, IReadOnlyList<FilterDefinition> b) => a.Count == b.Count && a.Zip(b).All(pair => AreSame(pair.First, pair.Second));
}
