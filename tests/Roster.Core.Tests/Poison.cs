using Roster.Core.Filters;
using Roster.Core.Workflows;

namespace Roster.Core.Tests;

/// <summary>A filter that cannot be judged while a property has a value (ENG-12); then it is like that of the other filter.</summary>
internal sealed class Poison(int property) : Filter(new FilterLabel("anyOf[0].allOf[0]", "poison"))
{
    public static Criteria On(World world, string property = "zone") => new([new FilterGroup(GroupMatch.All, [new Poison(world.Property(property))])]);

    public override bool Accepts(in Judging judging) =>
        judging.State.TryGetProperty(property, judging.IsBefore, out var view) && !view.IsUnknown
            ? view.Value.Text == "boom" ? throw new EvaluationException("boom") : true
            : false;

    public override void AddNeeds(CriteriaNeeds needs) => needs.Properties.Add(property);

    public override string Actual(in Judging judging) => "poison";
}
