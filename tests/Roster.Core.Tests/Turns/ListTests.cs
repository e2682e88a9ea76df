using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Lists (section 13 of the rules).</summary>
public sealed class ListTests
{
    private static readonly CriteriaDefinition IsLead = Define.All(Define.Eq("stage", "lead"));
    private static readonly StepDefinition Step = Define.Set("s", "other", "x");

    [Fact]
    public void LST_01_An_active_list_is_not_changed_by_hand()
    {
        var world = new World().List("leads", IsLead);
        world.AddToList("leads");
        Assert.False(world.IsMember("leads"));
        world.Set("stage", "lead");
        world.RemoveFromList("leads");
        Assert.True(world.IsMember("leads"));
    }

    [Fact]
    public void LST_01_A_step_may_change_static_lists_only()
    {
        var world = new World().List("leads", IsLead);
        WorkflowCompiler.Compile(Define.Workflow("w", Define.ByHand(), Define.AddTo("a", "leads")), new WorkflowIdentity("w", 1, 1, WorkflowState.On, World.Start), world.Scope, _ => 1, _ => 1, out var problems);
        Assert.Contains(problems, p => p is { IsError: true, Code: "ACTIVE_LIST" });
    }

    [Fact]
    public void LST_02_An_active_list_follows_its_criteria_in_every_round_and_at_once_inside_one()
    {
        var world = new World().List("leads", IsLead)
            .Publish(Define.Workflow("a", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "stage", "lead", "b"), Define.Branch("b", "", ("in", Define.All(Define.InList("leads")), "y")), Define.Set("y", "name", "seen")))
            .Publish(Define.Workflow("b", Define.OnEvent("list_joined"), Step));
        world.Event("clicked");
        Assert.Equal("enroll:a a.s a.b a.y end:a:Completed enroll:b b.s end:b:Completed", world.Story());
        Assert.Equal("seen", world.Text("name"));
        Assert.True(world.IsMember("leads"));
    }

    [Fact]
    public void LST_02_TRG_09_By_the_clock_at_the_instant_and_it_fires_like_any_change()
    {
        var world = new World().List("old", Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))).Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.InList("old"))), Step));
        world.Set("at", "2026-01-05T10:00:00Z");
        world.Pass(TimeSpan.FromDays(5));
        Assert.True(world.IsMember("old"));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        Assert.Equal(World.Start.PlusMs(36 * 3_600_000L), world.Journal[^1].At);
    }

    [Fact]
    public void LST_02_FIL_36_Events_and_workflow_status_change_lists()
    {
        var world = new World()
            .Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Delay("d", 1, DelayUnit.Days)))
            .List("clickers", Define.All(Define.Happened("clicked")))
            .List("active", Define.All(Define.Status("w", WorkflowStatus.Active)));
        world.Event("clicked");
        Assert.True(world.IsMember("clickers"));
        Assert.False(world.IsMember("active"));
        world.Enroll("w");
        Assert.True(world.IsMember("active"));
        world.Pass(TimeSpan.FromDays(1));
        Assert.False(world.IsMember("active"));
    }

    [Fact]
    public void LST_03_Adding_a_member_or_removing_a_non_member_changes_and_fires_nothing()
    {
        var world = new World().List("vip")
            .Publish(Define.Workflow("j", Define.OnEvent("list_joined", reenroll: true), Step))
            .Publish(Define.Workflow("l", Define.OnEvent("list_left", reenroll: true), Step));
        world.RemoveFromList("vip");
        world.AddToList("vip");
        world.AddToList("vip");
        Assert.Equal((1, 0), (world.Decisions("j").Count(), world.Decisions("l").Count()));
        Assert.Single(world.Entries(EntryKind.ListJoined));
        world.RemoveFromList("vip");
        world.RemoveFromList("vip");
        Assert.Equal((1, 1), (world.Decisions("j").Count(), world.Decisions("l").Count()));
    }

    [Fact]
    public void LST_04_Lists_of_lists_are_recomputed_in_the_order_of_dependency_whatever_their_numbers()
    {
        // Declared last to first, so that numbers run against the dependency.
        var world = new World().List("c").List("b").List("a");
        world.List("a", IsLead).List("b", Define.All(Define.InList("a"), Define.Is("score", Operator.IsKnown))).List("c", Define.All(Define.InList("b"), Define.InList("a")));
        world.Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.InList("c"))), Step)).Publish(Define.Workflow("l", Define.OnEvent("list_left", reenroll: true), Step));
        world.Set("score", "1");
        world.Set("stage", "lead");
        Assert.Equal([world.ListNumber("a"), world.ListNumber("b"), world.ListNumber("c")], world.Last.Where(e => e.Kind == EntryKind.ListJoined).Select(e => e.Subject));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        world.Set("score", "");
        Assert.Equal((true, false, false), (world.IsMember("a"), world.IsMember("b"), world.IsMember("c")));
    }

    [Fact]
    public void LST_05_Changed_criteria_recompute_the_record_in_its_own_turn_and_fire()
    {
        var world = new World().List("leads", IsLead)
            .Publish(Define.Workflow("j", Define.OnEvent("list_joined"), Step))
            .Publish(Define.Workflow("f", Define.OnFilter(Define.All(Define.InList("leads"))), Step));
        world.Set("stage", "won");
        world.List("leads", Define.All(Define.Eq("stage", "won")));
        world.Set("name", "n");
        Assert.False(world.IsMember("leads"));
        Assert.Equal(TurnStatus.Applied, world.RefreshList("leads").Status);
        Assert.Equal(["Enrolled"], world.Decisions("j"));
        Assert.Equal(["Enrolled"], world.Decisions("f"));
        Assert.Equal(TurnStatus.Nothing, world.RefreshList("leads").Status);
    }

    [Fact]
    public void LST_05_FIL_09_It_finds_occurrences_in_sections()
    {
        var many = new EventHistoryFilterDefinition("clicked", [], false, new RefinementDefinition(null, new OccurrencesDefinition(50, null)));
        var world = new World().List("fans", IsLead);
        for (var i = 0; i < 60; i++)
        {
            world.Event("clicked");
        }

        world.List("fans", Define.All(many));
        world.RefreshList("fans");
        Assert.True(world.IsMember("fans"));
    }

    [Fact]
    public void LST_06_A_deleted_list_has_no_members()
    {
        var world = new World().List("vip").Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Eq("name", "go"))), Define.Delay("d", 1, DelayUnit.Days)));
        world.AddToList("vip");
        world.Drop("vip");
        world.RefreshList("vip");
        Assert.False(world.State.IsMember(world.ListNumber("vip")));
        Assert.Equal(TurnStatus.Nothing, world.RefreshList("vip").Status);
    }

    [Fact]
    public void LST_01_A_list_may_create_the_record()
    {
        var world = new World().List("vip").Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.InList("vip"))), Step));
        world.AddToList("vip");
        Assert.True(world.State.IsLive);
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        var unknown = new World().List("vip");
        Assert.Equal(TurnStatus.Nothing, unknown.RemoveFromList("vip").Status);
    }

    [Fact]
    public void LST_02_FIL_31_A_change_by_hand_finds_former_values_in_sections()
    {
        var everA = new PropertyFilterDefinition("stage", Operator.HasEverBeenEqualTo, ["v0"], false, string.Empty);
        var world = new World().List("vip").List("both", Define.All(Define.InList("vip"), everA));
        for (var i = 0; i < 60; i++)
        {
            world.Set("stage", $"v{i}");
        }

        Assert.Equal(TurnStatus.Applied, world.AddToList("vip").Status);
        Assert.True(world.IsMember("both"));
        Assert.Equal(TurnStatus.Applied, world.RemoveFromList("vip").Status);
        Assert.False(world.IsMember("both"));
    }

    [Fact]
    public void LST_02_LST_04_A_new_record_joins_the_lists_that_hold_for_it_without_any_write()
    {
        var world = new World().List("vip")
            .List("blank", Define.All(Define.Is("stage", Operator.IsUnknown)))
            .List("quiet", Define.All(Define.InList("blank", negate: true)))
            .List("through", Define.All(Define.InList("blank")))
            .List("neither", Define.All(Define.InList("blank"), Define.InList("vip", negate: true)))
            .Publish(Define.Workflow("j", Define.OnEvent("list_joined"), Step));
        world.AddToList("vip");
        Assert.Equal((true, false, true, false), (world.IsMember("blank"), world.IsMember("quiet"), world.IsMember("through"), world.IsMember("neither")));
        Assert.Equal(3, world.Entries(EntryKind.ListJoined).Count());
        Assert.Equal(["Enrolled"], world.Decisions("j"));
        world.Set("name", "n");
        Assert.DoesNotContain(world.Last, e => e.Kind is EntryKind.ListJoined or EntryKind.ListLeft);
    }
}
