using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Waits for events and criteria (DLY-12 to DLY-15).</summary>
public sealed class WaitTests
{
    private static readonly CriteriaDefinition IsWon = Define.All(Define.Eq("stage", "won"));
    private static readonly StepDefinition Met = Define.Set("met", "other", "met");
    private static readonly StepDefinition Late = Define.Set("late", "other", "late");

    [Fact]
    public void DLY_12_A_matching_event_after_the_wait_was_entered_releases_it()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Define.WaitEvent("e", "clicked", "met", where: Define.Eq("link", "a")), Met));
        Click(world, "a");
        Assert.Equal("", world.Text("other"));
        Click(world, "b");
        Assert.Equal("", world.Text("other"));
        Click(world, "a");
        Assert.Equal("met", world.Text("other"));
        Assert.Contains("e Success met", world.Results("w"));
    }

    [Fact]
    public void DLY_12_Events_before_the_wait_do_not_release_it()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours, "e"), Define.WaitEvent("e", "clicked", "met"), Met));
        world.Enroll("w");
        world.Event("clicked");
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal("", world.Text("other"));
        world.Event("clicked", World.Start, "old occurrence, new arrival", false, []);
        Assert.Equal("met", world.Text("other"));
    }

    [Fact]
    public void DLY_12_Any_of_several_events_and_their_refinements()
    {
        var wait = new WaitStepDefinition("e", "met", [new EventTriggerDefinition("clicked", [], IsWon, null), new EventTriggerDefinition("bought", [], null, null)], null);
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), wait, Met));
        world.Enroll("w");
        world.Event("clicked");
        Assert.Equal("", world.Text("other"));
        world.Event("clicked", ("stage", "won"));
        Assert.Equal("met", world.Text("other"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DLY_13_Lookback_counts_events_since_the_enrollment_but_not_the_enrolling_one(bool lookback)
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Define.Delay("d", 1, DelayUnit.Hours, "e"), Define.WaitEvent("e", "clicked", "met", lookback: lookback), Met));
        world.Event("clicked");
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal("", world.Text("other"));
        var other = new World().Publish(world.Definition("w"));
        other.Event("clicked");
        other.Event("clicked");
        other.Pass(TimeSpan.FromHours(1));
        Assert.Equal(lookback ? "met" : "", other.Text("other"));
    }

    [Fact]
    public void DLY_13_Lookback_reads_sections_and_the_filters_of_the_trigger()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours, "e"), Define.WaitEvent("e", "clicked", "met", lookback: true, where: Define.Eq("link", "a")), Met));
        world.Enroll("w");
        Click(world, "a");
        for (var i = 0; i < 50; i++)
        {
            Click(world, "b");
        }

        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal("met", world.Text("other"));
        Assert.True(world.NeededSections > 0);
    }

    [Fact]
    public void DLY_13_Events_of_an_earlier_enrollment_do_not_count()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.WaitEvent("e", "clicked", "met", lookback: true), Met));
        world.Enroll("w");
        world.Event("clicked");
        world.Enroll("w");
        Assert.Equal(1, world.State.Enrollments.Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void DLY_14_A_timeout_takes_its_own_way_if_it_has_one_and_exactly_one_outcome_is_recorded(bool hasWay)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.WaitEvent("e", "clicked", "met", TimeSpan.FromHours(1), hasWay ? "late" : ""), Met, Late));
        world.Enroll("w");
        Assert.Equal(World.Start.PlusMs(3_600_000), world.State.NextDueAt);
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(hasWay ? "late" : "met", world.Text("other"));
        world.Event("clicked");
        Assert.Equal("e Success timeout", world.Results("w").First());
        Assert.Equal(2, world.Results("w").Count());
    }

    [Fact]
    public void DLY_14_ENG_04_At_the_same_instant_the_timeout_wins()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.WaitEvent("e", "clicked", "met", TimeSpan.FromHours(1), "late"), Met, Late));
        world.Enroll("w");
        world.Now = world.Now.PlusMs(3_600_000);
        world.Event("clicked");
        Assert.Equal("late", world.Text("other"));
        var before = new World().Publish(world.Definition("w"));
        before.Enroll("w");
        before.Now = before.Now.PlusMs(3_599_999);
        before.Event("clicked");
        Assert.Equal("met", before.Text("other"));
        Assert.True(before.State.NextDueAt.IsNone);
    }

    [Theory]
    [InlineData("met", true)]
    [InlineData("met", false)]
    [InlineData("hs_event_criteria_met", true)]
    [InlineData("hs_event_criteria_met", false)]
    public void DLY_14_The_outcome_is_an_output_that_later_steps_read(string name, bool isMet)
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.ByHand(), Define.WaitEvent("e", "clicked", "b", TimeSpan.FromHours(1)), Define.OutputValues("b", "e", name, "", ("true", "met"), ("false", "late")), Met, Late));
        world.Enroll("w");
        if (isMet)
        {
            world.Event("clicked");
        }

        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(isMet ? "met" : "late", world.Text("other"));
    }

    [Fact]
    public void DLY_15_A_filter_wait_is_released_when_the_filter_becomes_true()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.WaitFor("f", IsWon, "met"), Met));
        world.Enroll("w");
        world.Set("stage", "x");
        Assert.Equal("", world.Text("other"));
        world.Set("stage", "won");
        Assert.Equal("met", world.Text("other"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DLY_15_One_that_holds_at_the_start_releases_only_with_lookback(bool lookback)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.WaitFor("f", IsWon, "met", lookback: lookback), Met));
        world.Set("stage", "won");
        world.Enroll("w");
        Assert.Equal(lookback ? "met" : "", world.Text("other"));
        world.Set("name", "n");
        world.Set("stage", "x");
        Assert.Equal(lookback ? "met" : "", world.Text("other"));
        world.Set("stage", "won");
        Assert.Equal("met", world.Text("other"));
    }

    [Fact]
    public void DLY_15_A_filter_wait_by_the_clock_by_lists_by_status_and_by_events()
    {
        foreach (var (criteria, act) in new (CriteriaDefinition, Action<World>)[]
            {
                (Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1")), w => w.Pass(TimeSpan.FromDays(3))),
                (Define.All(Define.InList("vip")), w => w.AddToList("vip")),
                (Define.All(Define.InList("leads")), w => w.Set("stage", "lead")),
                (Define.All(Define.Status("x", WorkflowStatus.Active)), w => w.Enroll("x")),
                (Define.All(Define.Status("x", WorkflowStatus.Completed)), w => w.Enroll("y")),
                (Define.All(Define.Happened("clicked")), w => w.Event("clicked")),
                (Define.All(Define.Happened("clicked"), Define.InList("vip")), w => { w.Event("clicked"); w.AddToList("vip"); }),
            })
        {
            var world = new World().List("vip").List("leads", Define.All(Define.Eq("stage", "lead")))
                .Publish(Define.Workflow("x", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours)))
                .Publish(Define.Workflow("y", Define.ByHand(), Define.EnrollIn("e", "x")))
                .Publish(Define.Workflow("w", Define.ByHand(), Define.WaitFor("f", criteria, "met"), Met));
            world.Set("at", "2026-01-05T10:00:00Z");
            world.Enroll("w");
            Assert.Equal("", world.Text("other"));
            act(world);
            world.Pass(TimeSpan.FromHours(1));
            Assert.Equal("met", world.Text("other"));
        }
    }

    [Theory]
    [InlineData("property_changed", "property", "stage")]
    [InlineData("list_joined", "list", "vip")]
    [InlineData("workflow_completed", "workflow", "x")]
    public void DLY_15_A_wait_may_watch_what_changes_fire(string type, string property, string value)
    {
        var world = new World().List("vip")
            .Publish(Define.Workflow("x", Define.ByHand(), Define.Set("s", "name", "x")))
            .Publish(Define.Workflow("w", Define.ByHand(), Define.WaitEvent("e", type, "met", where: Define.Eq(property, value)), Met));
        world.Enroll("w");
        world.Set("score", "1");
        Assert.Equal("", world.Text("other"));
        _ = type switch { "property_changed" => world.Set("stage", "a"), "list_joined" => world.AddToList("vip"), _ => world.Enroll("x") };
        Assert.Equal("met", world.Text("other"));
    }

    [Fact]
    public void ENG_06_A_wait_sees_only_changes_that_are_numbered_after_it_was_entered()
    {
        // One workflow changes the stage before the other waits for it, the third after it.
        var wait = Define.WaitEvent("e", "property_changed", "met", where: [Define.Eq("property", "stage")]);
        var before = new World()
            .Publish(Define.Workflow("first", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "stage", "a")))
            .Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), wait, Met));
        before.Event("clicked");
        Assert.Equal("", before.Text("other"));
        before.Set("stage", "b");
        Assert.Equal("met", before.Text("other"));
        var after = new World()
            .Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), wait, Met))
            .Publish(Define.Workflow("last", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "stage", "a")));
        after.Event("clicked");
        Assert.Equal("met", after.Text("other"));
    }

    [Fact]
    public void ENG_06_DLY_15_So_does_a_filter_wait()
    {
        var wait = Define.WaitFor("f", IsWon, "met");
        var before = new World()
            .Publish(Define.Workflow("first", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "stage", "won")))
            .Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), wait, Met));
        before.Event("clicked");
        Assert.Equal("", before.Text("other"));
        var after = new World()
            .Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), wait, Met))
            .Publish(Define.Workflow("last", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "stage", "won")));
        after.Event("clicked");
        Assert.Equal("met", after.Text("other"));
        var own = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Set("s", "stage", "won", "f"), wait, Met));
        own.Enroll("w");
        Assert.Equal("", own.Text("other"));
    }

    [Fact]
    public void ENG_06_A_list_join_and_a_status_before_the_wait_do_not_release_it_and_those_after_it_do()
    {
        var world = new World().List("vip").List("late")
            .Publish(Define.Workflow("a", Define.OnEvent("clicked", allowNew: true), Define.AddTo("s", "vip")))
            .Publish(Define.Workflow("v", Define.OnEvent("clicked", allowNew: true), Define.WaitEvent("e", "list_joined", "met", where: Define.Eq("list", "vip")), Met))
            .Publish(Define.Workflow("l", Define.OnEvent("clicked", allowNew: true), Define.WaitEvent("e", "list_joined", "met", where: Define.Eq("list", "late")), Define.Set("met", "name", "late")))
            .Publish(Define.Workflow("z", Define.OnEvent("clicked", allowNew: true), Define.AddTo("s", "late")));
        world.Event("clicked");
        Assert.Equal(("", "late"), (world.Text("other"), world.Text("name")));
    }

    [Fact]
    public void DLY_12_REC_10_An_event_from_before_the_creation_releases_nothing()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.WaitEvent("e", "clicked", "met"), Met));
        world.Enroll("w");
        world.Event("clicked", World.Start.PlusMs(-1), "before", false, []);
        Assert.Equal("", world.Text("other"));
    }

    [Fact]
    public void DLY_12_Baseline_writes_release_nothing()
    {
        var world = new World()
            .Publish(Define.Workflow("w", Define.ByHand(), Define.WaitEvent("e", "clicked", "met"), Met))
            .Publish(Define.Workflow("f", Define.ByHand(), Define.WaitFor("e", IsWon, "met"), Met));
        world.Enroll("w");
        world.Enroll("f");
        world.Event("clicked", Timestamp.None, "base", true, [], ("stage", "won"));
        Assert.Equal(2, world.State.Enrollments.Length);
        world.Set("name", "n");
        Assert.Equal("", world.Text("other"));
    }

    [Fact]
    public void ENG_08_One_released_after_the_last_round_is_ended()
    {
        var world = new World(Roster.Core.Schema.TenantSettings.Default with { RoundsMax = 1 });
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.WaitFor("e", Define.All(Define.Eq("stage", "2")), "met"), Met));
        world.Publish(Define.Workflow("d", Define.ByHand(), Define.Delay("e", new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition("day", 0, 0, true) }, "met", "met"), Met));
        world.Publish(Define.Workflow("a", Define.OnEvent("clicked"), Define.Set("s", "stage", "1")));
        world.Publish(Define.Workflow("b", Define.OnFilter(Define.All(Define.Eq("stage", "1"))), Define.Set("s", "stage", "2", "t"), Define.Set("t", "day", "2020-01-01")));
        world.Set("day", "2027-01-01");
        world.Enroll("w");
        world.Enroll("d");
        world.Event("clicked");
        Assert.Equal(["LoopGuard"], world.Ends("w"));
        Assert.Equal(["LoopGuard"], world.Ends("d"));
        Assert.Equal("", world.Text("other"));
    }

    [Fact]
    public void DLY_14_A_wait_in_a_loop_is_entered_anew_each_time()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.WaitEvent("e", "clicked", "s", TimeSpan.FromDays(9)), Define.Put("s", "score", SetMode.Increment, value: "1", next: "e")));
        world.Enroll("w");
        world.Event("clicked");
        world.Pass(TimeSpan.FromDays(1));
        world.Event("clicked");
        Assert.Equal("2", world.Text("score"));
        Assert.Equal(world.Now.PlusMs(9 * 86_400_000L), world.State.NextDueAt);
        Assert.Equal([1, 2, 3], world.Entries(EntryKind.StepEntered).Where(e => e.Step == world.Step("w", "e")).Select(e => e.Execution));
    }

    private static void Click(World world, string link) => world.Event("clicked", Timestamp.None, $"click{world.Journal.Count}", false, [new NamedValue("link", Value.OfText(link))]);

    [Fact]
    public void DLY_13_REC_10_Lookback_leaves_out_events_from_before_the_creation_as_a_live_wait_does()
    {
        foreach (var (type, expected) in new[] { ("clicked", ""), ("form_submitted", "met") })
        {
            var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours, "e"), Define.WaitEvent("e", type, "met", lookback: true), Met));
            world.Enroll("w");
            world.Event(type, World.Start.PlusMs(-1), "late", false, []);
            world.Pass(TimeSpan.FromHours(1));
            Assert.Equal(expected, world.Text("other"));
        }
    }
}
