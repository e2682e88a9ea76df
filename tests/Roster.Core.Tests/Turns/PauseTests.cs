using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>States of a workflow: off and paused (EDT-01, EDT-04, EDT-05).</summary>
public sealed class PauseTests
{
    private static readonly CriteriaDefinition IsWon = Define.All(Define.Eq("stage", "won"));
    private static readonly StepDefinition Done = Define.Set("done", "other", "done");

    [Fact]
    public void EDT_05_Triggers_and_decisions_go_on_and_no_step_runs()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Done), WorkflowState.Paused);
        world.Event("clicked");
        world.Event("clicked");
        Assert.Equal(["Enrolled", "AlreadyActive"], world.Decisions("w"));
        Assert.Equal((StepPhase.Held, world.Step("w", "done")), (world.State.Enrollments[0].Phase, world.State.Enrollments[0].Step));
        Assert.True(world.State.NextDueAt.IsNone);
        world.Switch("w", WorkflowState.On);
        Assert.Equal(TurnStatus.Applied, world.Refresh("").Status);
        Assert.Equal("done", world.Text("other"));
    }

    [Theory]
    [InlineData("delay")]
    [InlineData("wait")]
    [InlineData("event")]
    [InlineData("task")]
    public void EDT_05_Delays_and_waits_end_on_time_and_the_next_step_is_held(string kind)
    {
        StepDefinition first = kind switch
        {
            "delay" => Define.Delay("a", 1, DelayUnit.Hours, "done"),
            "wait" => Define.WaitEvent("a", "clicked", "never", TimeSpan.FromHours(1), "done"),
            "event" => Define.WaitEvent("a", "clicked", "done"),
            _ => Define.Work("a", "done"),
        };
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), first, Done, Define.Set("never", "other", "never")));
        world.Enroll("w");
        world.Switch("w", WorkflowState.Paused);
        world.Pass(TimeSpan.FromHours(1));
        _ = kind switch { "event" => world.Event("clicked"), "task" => world.Complete("w", "a"), _ => default };
        Assert.Equal((StepPhase.Held, world.Step("w", "done")), (world.State.Enrollments[0].Phase, world.State.Enrollments[0].Step));
        Assert.Equal(World.Start.PlusMs(3_600_000), world.State.Enrollments[0].EnteredAt);
        Assert.True(world.State.NextDueAt.IsNone);
        world.Switch("w", WorkflowState.On);
        world.Refresh("");
        Assert.Equal("done", world.Text("other"));
    }

    [Fact]
    public void EDT_05_A_delay_at_the_end_completes_while_paused()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("a", 1, DelayUnit.Hours)));
        world.Enroll("w");
        world.Switch("w", WorkflowState.Paused).Pass(TimeSpan.FromHours(1));
        Assert.Equal(["Completed"], world.Ends("w"));
    }

    [Theory]
    [InlineData("goal", "GoalMet")]
    [InlineData("list", "Suppressed")]
    [InlineData("hand", "Manual")]
    public void EDT_05_Exits_and_goals_go_on(string how, string end)
    {
        var world = new World().List("blocked").Publish(Define.Workflow("w", Define.ByHand(), Done).WithGoal(IsWon) with { SuppressionLists = ["blocked"] }, WorkflowState.Paused);
        world.Enroll("w");
        _ = how switch { "goal" => world.Set("stage", "won"), "list" => world.AddToList("blocked"), _ => world.Unenroll("w") };
        Assert.Equal([end], world.Ends("w"));
    }

    [Theory]
    [InlineData(CatchUp.Run, 100, "done Success")]
    [InlineData(CatchUp.Skip, 10, "done Success")]
    [InlineData(CatchUp.Skip, 20, "done SkippedCatchUp")]
    public void EDT_05_DLY_17_On_resume_what_was_held_runs_by_the_policy(CatchUp policy, int minutes, string result)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Done) with { CatchUp = policy }, WorkflowState.Paused);
        world.Enroll("w");
        world.Pass(TimeSpan.FromMinutes(minutes));
        world.Switch("w", WorkflowState.On);
        world.Refresh("");
        Assert.Equal([result], world.Results("w"));
        Assert.Equal(["Completed"], world.Ends("w"));
    }

    [Fact]
    public void EDT_05_DLY_17_Spread_moves_what_was_held_and_a_second_pause_holds_it_again()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Done) with { CatchUp = CatchUp.Spread }, WorkflowState.Paused);
        world.Enroll("w");
        world.Pass(TimeSpan.FromHours(2));
        world.Switch("w", WorkflowState.On);
        world.Refresh("");
        var due = world.State.NextDueAt;
        Assert.InRange(due.Ms - world.Now.Ms, 1, 3_600_000);
        Assert.Equal("", world.Text("other"));
        world.Switch("w", WorkflowState.Paused);
        world.Pass(TimeSpan.FromHours(2));
        Assert.Equal(("", true), (world.Text("other"), world.State.NextDueAt.IsNone));
        world.Switch("w", WorkflowState.On);
        world.Refresh("");
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal("done", world.Text("other"));
    }

    [Fact]
    public void EDT_05_Any_turn_resumes_oldest_workflow_first()
    {
        var world = new World()
            .Publish(Define.Workflow("a", Define.ByHand(), Define.Put("s", "name", SetMode.Append, value: "a")), WorkflowState.Paused)
            .Publish(Define.Workflow("b", Define.ByHand(), Define.Put("s", "name", SetMode.Append, value: "b")), WorkflowState.Paused);
        world.Enroll("b");
        world.Enroll("a");
        world.Switch("a", WorkflowState.On).Switch("b", WorkflowState.On);
        world.Event("clicked");
        Assert.Equal("ab", world.Text("name"));
    }

    [Fact]
    public void EDT_05_EDT_04_Pausing_then_turning_off_gives_what_is_held_to_the_rules_of_off()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Done with { Next = "d" }, Define.Delay("d", 1, DelayUnit.Hours, "e"), Define.Set("e", "name", "e")), WorkflowState.Paused);
        world.Enroll("w");
        world.Switch("w", WorkflowState.Off);
        world.Refresh("");
        Assert.Equal(["done SkippedOff"], world.Results("w").Take(1));
        Assert.Equal(StepPhase.Delay, world.State.Enrollments[0].Phase);
        world.Switch("w", WorkflowState.On).Pass(TimeSpan.FromHours(1));
        Assert.Equal(("", "e"), (world.Text("other"), world.Text("name")));
    }

    [Fact]
    public void EDT_05_ACT_04_An_action_held_outside_its_window_keeps_its_execution_index()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("t", "done"), Done) with { Windows = Define.Open("13:00", "14:00") });
        world.Enroll("w");
        world.Switch("w", WorkflowState.Paused);
        world.Pass(TimeSpan.FromMinutes(90));
        Assert.Equal((StepPhase.Held, true), (world.State.Enrollments[0].Phase, world.State.NextDueAt.IsNone));
        world.Switch("w", WorkflowState.On);
        world.Refresh("");
        Assert.Equal(1, world.Entries(EntryKind.EffectRequested).Single().Execution);

        // Resumed after the window closed, it waits for the next one.
        var late = new World().Publish(world.Definition("w"));
        late.Enroll("w");
        late.Switch("w", WorkflowState.Paused).Pass(TimeSpan.FromHours(5));
        late.Switch("w", WorkflowState.On);
        late.Refresh("");
        Assert.Equal(StepPhase.Window, late.State.Enrollments[0].Phase);
        late.Pass(TimeSpan.FromDays(1));
        Assert.Equal(1, late.Entries(EntryKind.EffectRequested).Single().Execution);
    }

    [Fact]
    public void EDT_05_EDT_10_A_held_step_follows_a_publish()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Done), WorkflowState.Paused);
        world.Enroll("w");
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Set("done", "name", "edited")), WorkflowState.Paused);
        world.Refresh("w");
        Assert.Equal(StepPhase.Held, world.State.Enrollments[0].Phase);
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("done", 1, DelayUnit.Hours)), WorkflowState.On);
        world.Refresh("w");
        Assert.Equal(StepPhase.Delay, world.State.Enrollments[0].Phase);
        Assert.Equal(("", ""), (world.Text("name"), world.Text("other")));
    }

    [Fact]
    public void EDT_05_While_paused_turn_after_turn_changes_nothing()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Done), WorkflowState.Paused);
        world.Enroll("w");
        Assert.Equal(TurnStatus.Nothing, world.Refresh("w").Status);
        world.Set("name", "n");
        Assert.Single(world.Entries(EntryKind.StepHeld));
    }

    [Fact]
    public void EDT_04_Off_exits_and_goals_still_apply_and_a_started_task_times_out()
    {
        var world = new World().List("blocked")
            .Publish(Define.Workflow("g", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days)).WithGoal(IsWon))
            .Publish(Define.Workflow("s", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days)) with { SuppressionLists = ["blocked"] })
            .Publish(Define.Workflow("t", Define.ByHand(), Define.Work("a", "b", timeout: TimeSpan.FromHours(1)), Define.Set("b", "name", "b")));
        foreach (var id in new[] { "g", "s", "t" })
        {
            world.Enroll(id);
            world.Switch(id, WorkflowState.Off);
        }

        world.AddToList("blocked");
        world.Set("stage", "won");
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(["GoalMet"], world.Ends("g"));
        Assert.Equal(["Suppressed"], world.Ends("s"));
        Assert.Equal(["a Failed TIMEOUT", "b SkippedOff"], world.Results("t"));
    }

    [Fact]
    public void EDT_04_UNE_03_Requests_by_hand_unenroll_while_off_and_clock_goals_apply()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Delay("d", 9, DelayUnit.Days)).WithGoal(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))));
        world.Set("at", "2026-01-05T10:00:00Z");
        world.Enroll("w");
        world.Switch("w", WorkflowState.Off);
        world.Unenroll("w");
        world.Switch("w", WorkflowState.On);
        world.Enroll("w");
        world.Switch("w", WorkflowState.Off).Pass(TimeSpan.FromDays(2));
        Assert.Equal(["Manual", "GoalMet"], world.Ends("w"));
    }
}
