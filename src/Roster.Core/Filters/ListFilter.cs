namespace Roster.Core.Filters;

/// <summary>Membership in a list (FIL-35).</summary>
internal sealed class ListFilter(FilterLabel label, string id, int number, bool isNegated) : Filter(label)
{
    public int Number => number;

    public override bool Accepts(in Judging judging) => IsMember(judging) != isNegated;

    public override bool IsOfJoin(IReadOnlyList<int> joined) => !isNegated && joined.Contains(number);

    public override void AddNeeds(CriteriaNeeds needs)
    {
        needs.Lists.Add(number);
        needs.NeedsWhole = true;
    }

    public override string Actual(in Judging judging) => IsMember(judging) ? "member" : "no member";

    public override string Change(in Judging judging, bool isWanted) => isWanted != isNegated ? $"join list {id}" : $"leave list {id}";

    private bool IsMember(in Judging judging) => (judging.IsBefore ? judging.State.Before : judging.State).IsMember(number);
}
