namespace Roster.Core.Filters;

/// <summary>Always accepts, or never (FIL-02).</summary>
internal sealed class ConstantFilter(FilterLabel label, bool accepts) : Filter(label)
{
    public override bool IsConstant => true;

    public override bool Accepts(in Judging judging) => accepts;

    public override void AddNeeds(CriteriaNeeds needs)
    {
    }

    public override string Actual(in Judging judging) => accepts ? "always" : "never";

    public override string Change(in Judging judging, bool isWanted) => accepts ? "this filter always accepts" : "this filter never accepts";
}
