using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Re-enrollment (section 8 of the rules).</summary>
public sealed class ReenrollmentTests
{
    private static readonly CriteriaDefinition IsLead = Define.All(Define.Eq("stage", "lead"));
    private static readonly StepDefinition Step = Define.Set("s", "other", "x");

    [Fact]
    public void REN_01_With_re_enrollment_on_every_occurrence_re_enrolls_and_refinements_still_apply()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", reenroll: true, allowNew: true, onlyIf: IsLead), Step));
        world.Event("clicked", ("stage", "lead"));
        world.Event("clicked");
        world.Event("clicked", ("stage", "x"));
        world.Event("clicked", ("stage", "lead"));
        Assert.Equal(["Enrolled", "Enrolled", "RefinementNotMet", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void REN_02_REN_03_A_trigger_fires_in_the_round_in_which_its_condition_becomes_true_also_by_a_step()
    {
        var world = new World()
            .Publish(Define.Workflow("steps", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Set("a", "name", "again", "b"), Define.Set("b", "name", "y", "c"), Define.Set("c", "name", "again")))
            .Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: Define.All(Define.Eq("name", "again"))), Step));
        world.Set("stage", "lead");
        world.Event("clicked");
        world.Event("clicked");
        Assert.Equal(["Enrolled", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void REN_03_A_list_fires_on_each_re_join_and_staying_fires_nothing()
    {
        var world = new World().List("vip")
            .Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("stage", Operator.IsKnown)), reenroll: true, reenrollWhen: Define.All(Define.InList("vip"))), Step));
        world.Set("stage", "a");
        world.AddToList("vip");
        world.AddToList("vip");
        world.Set("stage", "b");
        world.RemoveFromList("vip");
        world.AddToList("vip");
        Assert.Equal(["Enrolled", "Enrolled", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void REN_04_Is_known_fires_on_another_value_in_a_later_round_too()
    {
        var world = new World()
            .Publish(Define.Workflow("steps", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Set("a", "name", "b")))
            .Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: Define.All(Define.Is("name", Operator.IsKnown))), Step));
        world.Event("", ("stage", "lead"), ("name", "a"));
        world.Event("clicked");
        world.Event("clicked");
        Assert.Equal(["Enrolled", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void REN_05_The_refine_bys_of_the_initial_criteria_are_left_out_for_a_re_enrollment_trigger()
    {
        var twice = new EventHistoryFilterDefinition("clicked", [], false, new RefinementDefinition(null, new OccurrencesDefinition(2, 2)));
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.All(twice), reenroll: true, reenrollWhen: Define.All(Define.Eq("name", "again"))), Step));
        world.Event("clicked");
        world.Event("clicked");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        world.Event("clicked");
        world.Set("name", "again");
        Assert.Equal(["Enrolled", "Enrolled"], world.Decisions("w"));

        // Never enrolled before: the criteria hold as they are written (REN-07).
        var other = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.All(twice), reenroll: true, reenrollWhen: Define.All(Define.Eq("name", "again"))), Step), WorkflowState.Off);
        other.Event("clicked");
        other.Event("clicked");
        other.Event("clicked");
        other.Switch("w", WorkflowState.On);
        other.Set("name", "again");
        Assert.Equal(["CriteriaNotMet"], other.Decisions("w"));
    }

    [Theory]
    [InlineData(Operator.IsAnyOf, "tags", 2, "REENROLL_OPERATOR")]
    [InlineData(Operator.IsEqualTo, "stage", 2, "REENROLL_OPERATOR")]
    [InlineData(Operator.ContainsAll, "tags", 2, "REENROLL_OPERATOR")]
    [InlineData(Operator.IsNotEqualTo, "stage", 1, "REENROLL_OPERATOR")]
    [InlineData(Operator.IsAnyOf, "tags", 1, "")]
    [InlineData(Operator.IsLessThanXDaysAgo, "day", 1, "REENROLL_OPERATOR")]
    [InlineData(Operator.UpdatedInLastXDays, "day", 1, "REENROLL_OPERATOR")]
    public void REN_06_What_may_not_be_a_re_enrollment_trigger_is_refused_at_publish(Operator op, string property, int values, string code)
    {
        var operands = property == "tags" ? new[] { "a", "b" } : property == "day" ? ["3", "4"] : ["x", "y"];
        var world = new World();
        var codes = Codes(world, Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: Define.All(Define.Is(property, op, operands[..values]))), Step));
        Assert.Equal(code.Length > 0, codes.Contains("REENROLL_OPERATOR"));
    }

    [Fact]
    public void REN_06_Status_and_negated_filters_are_refused_and_so_are_triggers_without_a_filter_start()
    {
        var world = new World().List("vip").Publish(Define.Workflow("x", Define.ByHand(), Step));
        foreach (var filter in new[] { Define.Status("x", WorkflowStatus.Active), Define.InList("vip", negate: true), new EventHistoryFilterDefinition("clicked", [], true, null) })
        {
            Assert.Contains("REENROLL_FILTER", Codes(world, Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: Define.All(filter)), Step)));
        }

        var byEvent = Define.OnEvent("clicked", reenroll: true) with { ReenrollWhen = [IsLead] };
        Assert.Contains("REENROLL_NOT_FOR_START", Codes(world, Define.Workflow("w", byEvent, Step)));
    }

    [Fact]
    public void REN_07_REN_02_One_consideration_though_both_fire_and_the_number_of_the_enrollment_rises()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: [Define.All(Define.Eq("name", "again")), Define.All(Define.Eq("flag", "true"))]), Step));
        world.Event("", ("stage", "lead"), ("name", "again"), ("flag", "true"));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        world.Event("", ("name", "x"), ("flag", "false"));
        world.Event("", ("name", "again"), ("flag", "true"));
        Assert.Equal([1, 2], world.Entries(EntryKind.Enrolled).Select(e => e.Enrollment));
    }

    [Fact]
    public void REN_08_Other_workflows_re_enroll_without_a_trigger_when_it_is_on()
    {
        foreach (var isOn in new[] { true, false })
        {
            var world = new World()
                .Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: isOn), Step))
                .Publish(Define.Workflow("x", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.EnrollIn("e", "w")));
            world.Event("clicked");
            world.Event("clicked");
            Assert.Equal(["Enrolled", isOn ? "Enrolled" : "ReenrollmentOff"], world.Decisions("w"));
        }
    }

    [Theory]
    [InlineData("goal")]
    [InlineData("list")]
    [InlineData("hand")]
    [InlineData("done")]
    public void REN_09_How_the_last_enrollment_ended_does_not_matter(string how)
    {
        var world = new World().List("blocked").Publish(
            Define.Workflow("w", Define.ByHand(reenroll: true), Step with { Next = "d" }, Define.Delay("d", 1, DelayUnit.Hours)).WithGoal(IsLead) with { SuppressionLists = ["blocked"] });
        world.Enroll("w");
        switch (how)
        {
            case "goal":
                world.Set("stage", "lead");
                world.Set("stage", "x");
                break;
            case "list":
                world.AddToList("blocked");
                world.RemoveFromList("blocked");
                break;
            case "hand":
                world.Unenroll("w");
                break;
            default:
                world.Pass(TimeSpan.FromHours(1));
                break;
        }

        Assert.Single(world.Ends("w"));
        Assert.Equal((Decision.Enrolled, 2), (world.Enroll("w").Decision, world.State.LastEnrollment));
        Assert.EndsWith("enroll:w w.s w.d", world.Story(), StringComparison.Ordinal);
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal("Completed", world.Ends("w").Last());
    }

    private static string[] Codes(World world, WorkflowDefinition definition)
    {
        WorkflowCompiler.Compile(definition, new WorkflowIdentity("w", 9, 1, WorkflowState.On, World.Start), world.Scope, _ => 1, _ => 1, out var problems);
        return [.. problems.Where(p => p.IsError).Select(p => p.Code)];
    }

    [Fact]
    public void REN_03_A_re_join_fires_also_when_another_group_holds_all_the_time()
    {
        var again = Define.Any(Define.InList("vip"), Define.Eq("name", "go"));
        var world = new World().List("vip").Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("stage", Operator.IsKnown)), reenroll: true, reenrollWhen: again), Step));
        world.Event("", ("stage", "a"), ("name", "go"));
        world.AddToList("vip");
        world.RemoveFromList("vip");
        world.AddToList("vip");
        world.AddToList("vip");
        Assert.Equal(["Enrolled", "Enrolled", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void REN_03_A_join_fires_only_where_its_group_holds()
    {
        var again = Define.All(Define.InList("vip"), Define.Eq("name", "go"));
        var world = new World().List("vip").Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("stage", Operator.IsKnown)), reenroll: true, reenrollWhen: again), Step));
        world.Set("stage", "a");
        world.AddToList("vip");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        world.Set("name", "go");
        Assert.Equal(["Enrolled", "Enrolled"], world.Decisions("w"));
    }
}
