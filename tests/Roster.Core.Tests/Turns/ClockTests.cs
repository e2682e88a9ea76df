using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Criteria that flip by the clock (TRG-09).</summary>
public sealed class ClockTests
{
    [Fact]
    public void TRG_09_A_flip_fires_at_its_exact_instant_and_once()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))), Define.Set("s", "other", "x")));
        world.Set("at", "2026-01-05T10:00:00Z");
        Assert.Empty(world.Decisions("w"));
        world.Pass(TimeSpan.FromDays(1) + TimeSpan.FromHours(11) + TimeSpan.FromMinutes(59));
        Assert.Empty(world.Decisions("w"));
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        Assert.Equal(World.Start.PlusMs(36 * 3_600_000L), world.Journal[^1].At);
        world.Pass(TimeSpan.FromDays(30));
        Assert.Single(world.Decisions("w"));
    }

    [Fact]
    public void TRG_09_ENG_04_A_timer_at_the_instant_of_a_flip_does_not_swallow_it()
    {
        var world = new World()
            .Publish(Define.Workflow("delay", Define.ByHand(), Define.Delay("d", 36, DelayUnit.Hours, "s"), Define.Set("s", "name", "x")))
            .Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))), Define.Set("s", "other", "x")));
        world.Set("at", "2026-01-05T10:00:00Z");
        world.Enroll("delay");
        world.Pass(TimeSpan.FromHours(36));
        Assert.Equal("enroll:delay delay.d delay.s end:delay:Completed enroll:w w.s end:w:Completed", world.Story());
        Assert.Equal(world.Journal[^1].At, world.Journal[^2].At);
        world.Pass(TimeSpan.FromDays(3));
        Assert.Single(world.Decisions("w"));
    }

    [Fact]
    public void TRG_09_ENG_04_A_flip_comes_before_an_event_of_its_instant()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))), Define.Set("s", "other", "x")));
        world.Set("at", "2026-01-05T10:00:00Z");
        world.Now = world.Now.PlusMs(36 * 3_600_000L);
        world.Set("at", "2026-01-07T00:00:00Z");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        Assert.Equal(3, world.Journal.Count);
    }

    [Fact]
    public void TRG_09_A_flip_missed_while_the_engine_was_down_fires_at_restart_also_after_an_older_timer()
    {
        var world = new World()
            .Publish(Define.Workflow("delay", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours, "s"), Define.Set("s", "name", "x")))
            .Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))), Define.Set("s", "other", "x")));
        world.Set("at", "2026-01-05T10:00:00Z");
        world.Enroll("delay");
        world.Down(TimeSpan.FromDays(3));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        Assert.Equal(4, world.Journal.Count);
        Assert.Equal(World.Start.PlusMs(3 * 86_400_000L), world.Journal[^1].At);
    }

    [Fact]
    public void TRG_09_Only_a_flip_that_still_holds_at_the_turn_time_fires()
    {
        var window = Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"), Define.Is("at", Operator.IsLessThanXDaysAgo, "3"));
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(window), Define.Set("s", "other", "x")));
        world.Set("at", "2026-01-05T10:00:00Z");
        world.Down(TimeSpan.FromDays(10));
        Assert.Empty(world.Decisions("w"));
        var up = new World().Publish(Define.Workflow("w", Define.OnFilter(window), Define.Set("s", "other", "x")));
        up.Set("at", "2026-01-05T10:00:00Z");
        up.Pass(TimeSpan.FromDays(10));
        Assert.Equal(["Enrolled"], up.Decisions("w"));
    }

    [Fact]
    public void TRG_09_A_flip_while_the_workflow_was_off_is_lost()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))), Define.Set("s", "other", "x")));
        world.Set("at", "2026-01-05T10:00:00Z");
        world.Switch("w", WorkflowState.Off).Pass(TimeSpan.FromDays(3));
        world.Switch("w", WorkflowState.On);
        world.Refresh("w", armsSince: world.Now);
        world.Set("name", "n");
        world.Pass(TimeSpan.FromDays(3));
        Assert.Empty(world.Decisions("w"));
    }

    [Fact]
    public void TRG_09_A_flip_between_publish_and_arming_fires_when_armed_and_one_before_the_publish_does_not()
    {
        foreach (var (publishedAfterHours, fires) in new[] { (35, true), (37, false) })
        {
            var world = new World();
            world.Set("at", "2026-01-05T10:00:00Z");
            world.Pass(TimeSpan.FromHours(publishedAfterHours));
            var published = world.Now;
            world.Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))), Define.Set("s", "other", "x")));
            world.Now = world.Now.PlusMs(2 * 3_600_000L);
            world.Refresh("w", armsSince: published);
            Assert.Equal(fires ? 1 : 0, world.Decisions("w").Count());
        }
    }

    [Fact]
    public void TRG_09_Arming_does_nothing_where_nothing_is_to_be_done()
    {
        var world = new World();
        world.Set("name", "n");
        world.Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))), Define.Set("s", "other", "x")));
        Assert.Equal(TurnStatus.Nothing, world.Refresh("w", armsSince: world.Now).Status);
        world.Set("at", "2026-01-05T10:00:00Z");
        Assert.False(world.State.NextDueAt.IsNone);
        world.Set("at", "");
        Assert.True(world.State.NextDueAt.IsNone);
    }

    [Fact]
    public void TRG_09_FIL_09_Flips_of_a_window_of_occurrences_are_found_in_sections_too()
    {
        var recent = new EventHistoryFilterDefinition("clicked", [], false, new RefinementDefinition(
            new TimeRangeDefinition(TimeRangeKind.After, new RangeBoundDefinition(string.Empty, -2), null), null));
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.All(recent, Define.Eq("stage", "lead"))), Define.Set("s", "other", "x")));
        for (var i = 0; i < 60; i++)
        {
            world.Event("clicked");
        }

        world.Event("bought");
        world.Set("name", "n");
        world.Set("stage", "lead");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        world.Pass(TimeSpan.FromDays(5));
        Assert.True(world.State.NextDueAt.IsNone);
    }
}
