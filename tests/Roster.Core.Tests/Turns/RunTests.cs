using NodaTime;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Phases 5 to 10: goals, steps, cascades, loop guards, timers and completions.</summary>
public sealed class RunTests
{
    private static readonly CriteriaDefinition IsWon = Define.All(Define.Eq("stage", "won"));

    [Fact]
    public void ENG_04_Timers_run_by_due_instant_then_enrollment_number_across_delays_and_timeouts()
    {
        var world = new World()
            .Publish(Define.Workflow("task", Define.ByHand(), Define.Work("t", "after", timeout: TimeSpan.FromHours(1)), Define.Set("after", "name", "task")))
            .Publish(Define.Workflow("delay", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours, "after"), Define.Set("after", "name", "delay")));
        world.Enroll("task");
        world.Enroll("delay");
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal("enroll:task task.t enroll:delay delay.d task.after end:task:Completed delay.after end:delay:Completed", world.Story());
        Assert.Equal(4, world.Journal.Count);
    }

    [Fact]
    public void ENG_04_At_an_equal_instant_a_timer_comes_before_an_event()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Delay("d", 1, DelayUnit.Hours, "s"), Define.Set("s", "stage", "timer")).WithGoal(IsWon));
        world.Enroll("w");
        world.Now = world.Now.PlusMs(3_600_000);
        world.Set("stage", "won");
        Assert.Equal(["Completed"], world.Ends("w"));
        Assert.Equal("won", world.Text("stage"));
    }

    [Fact]
    public void ENG_04_Timers_of_one_enrollment_at_one_instant_go_by_step_id()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.ByHand(), Define.Work("z", "m", wait: false, timeout: TimeSpan.FromHours(1)), Define.Work("m", "a", wait: false, timeout: TimeSpan.FromHours(1)), Define.Delay("a", 1, DelayUnit.Hours)));
        world.Enroll("w");
        var journaled = world.Journal.Count;
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(
            [world.Step("w", "a"), world.Step("w", "m"), world.Step("w", "z")],
            world.Journal.Skip(journaled).Select(t => t.Entries[0].Step));
    }

    [Fact]
    public void ENG_05_Inside_a_phase_workflows_go_by_creation_then_id()
    {
        var world = new World()
            .Publish(Define.Workflow("b", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "name", "b")))
            .Publish(Define.Workflow("a", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "name", "a")));
        world.Event("clicked");
        Assert.Equal("enroll:b enroll:a b.s end:b:Completed a.s end:a:Completed", world.Story());
        Assert.Equal("a", world.Text("name"));
    }

    [Fact]
    public void ENG_05_Exits_and_goals_come_before_enrollments_and_those_before_runs()
    {
        var world = new World()
            .Publish(Define.Workflow("late", Define.OnFilter(IsWon), Define.Set("s", "name", "x")))
            .Publish(Define.Workflow("goal", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days)).WithGoal(IsWon));
        world.Enroll("goal");
        world.Set("stage", "won");
        Assert.Equal("end:goal:GoalMet enroll:late late.s end:late:Completed", world.Story(1));
    }

    [Fact]
    public void ENG_06_A_change_by_a_step_holds_at_once_but_its_meaning_is_queued_for_the_next_round()
    {
        var world = new World()
            .Publish(Define.Workflow("first", Define.OnEvent("clicked", allowNew: true), Define.Set("a", "stage", "won", "b"), Define.Branch("b", "", ("yes", IsWon, "c")), Define.Set("c", "name", "seen")))
            .Publish(Define.Workflow("second", Define.OnEvent("clicked", allowNew: true), Define.Set("a", "other", "x")))
            .Publish(Define.Workflow("third", Define.OnFilter(IsWon), Define.Set("a", "score", "1")));
        world.Event("clicked");
        Assert.Equal(
            "enroll:first enroll:second first.a first.b first.c end:first:Completed second.a end:second:Completed enroll:third third.a end:third:Completed",
            world.Story());
    }

    [Fact]
    public void ENG_07_GOAL_04_Goals_are_checked_before_every_step()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Set("a", "stage", "won", "b"), Define.Set("b", "name", "never")).WithGoal(IsWon));
        world.Enroll("w");
        Assert.Equal("enroll:w w.a end:w:GoalMet", world.Story());
        Assert.Equal("", world.Text("name"));
    }

    [Fact]
    public void ENG_07_After_the_last_step_there_is_no_step_to_check_before()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Set("a", "stage", "won")).WithGoal(IsWon));
        world.Enroll("w");
        Assert.Equal("enroll:w w.a end:w:Completed", world.Story());
    }

    [Fact]
    public void GOAL_03_A_goal_that_holds_refuses_the_enrollment_and_the_record_does_not_count_as_enrolled()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked"), Define.Set("s", "name", "x")).WithGoal(IsWon));
        world.Set("stage", "won");
        world.Event("clicked");
        world.Set("stage", "x");
        world.Event("clicked");
        Assert.Equal(["GoalAlreadyMet", "Enrolled"], world.Decisions("w"));
        Assert.True(Assert.Single(world.Entries(EntryKind.Enrolled)).Flag);
    }

    [Fact]
    public void GOAL_04_A_goal_met_while_active_ends_the_enrollment_and_counts_once_per_record()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Delay("d", 1, DelayUnit.Days, "s"), Define.Set("s", "name", "x")).WithGoal(IsWon));
        foreach (var _ in Enumerable.Range(0, 2))
        {
            world.Set("stage", "x");
            world.Enroll("w");
            world.Set("stage", "won");
        }

        world.Pass(TimeSpan.FromDays(2));
        Assert.Equal(["GoalMet", "GoalMet"], world.Ends("w"));
        Assert.Equal([true, false], world.Entries(EntryKind.GoalMet).Select(e => e.Flag));
        Assert.Equal("", world.Text("name"));
        Assert.True(world.State.NextDueAt.IsNone);
    }

    [Fact]
    public void GOAL_04_Goals_are_checked_in_phase_6_of_every_turn_also_when_nothing_was_written()
    {
        var workflow = Define.Workflow("w", Define.ByHand(), Define.Delay("d", 9, DelayUnit.Days));
        var world = new World().Publish(workflow);
        world.Set("stage", "won");
        world.Enroll("w");
        world.Publish(workflow.WithGoal(IsWon));
        world.Event("clicked");
        Assert.Equal(["GoalMet"], world.Ends("w"));
    }

    [Fact]
    public void GOAL_04_Met_goals_end_enrollments_in_the_order_of_their_workflows()
    {
        var world = new World();
        foreach (var id in new[] { "c", "a", "b" })
        {
            world.Publish(Define.Workflow(id, Define.ByHand(), Define.Delay("d", 9, DelayUnit.Days)).WithGoal(IsWon));
        }

        foreach (var id in new[] { "b", "c", "a" })
        {
            world.Enroll(id);
        }

        world.Set("stage", "won");
        Assert.Equal("end:c:GoalMet end:a:GoalMet end:b:GoalMet", world.Story(3));
    }

    [Fact]
    public void ENG_08_At_most_rounds_max_rounds_follow_and_what_would_start_then_is_refused()
    {
        var world = new World(TenantSettings.Default with { RoundsMax = 5, EnrollmentsPerHourMax = 10_000 });
        for (var i = 0; i < 20; i++)
        {
            world.Publish(Define.Workflow($"w{i:00}", Define.OnFilter(Define.All(Define.Eq("stage", $"{i}"))), Define.Set("s", "stage", $"{i + 1}")));
        }

        world.Publish(Define.Workflow("goal", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days)).WithGoal(Define.All(Define.Eq("stage", "6"))));
        world.Enroll("goal");
        world.Set("stage", "0");

        // Rounds 0 to 5 enroll six workflows; for what is left exits and goals still apply.
        Assert.Equal(6, world.Last.Count(e => e.Kind == EntryKind.Enrolled));
        Assert.EndsWith("loop-guard end:goal:GoalMet refuse:w06:LoopGuard", world.Story(), StringComparison.Ordinal);
        Assert.Equal(world.Head, world.Replay());
    }

    [Fact]
    public void ENG_08_A_request_by_hand_has_the_same_number_of_rounds()
    {
        var world = new World(TenantSettings.Default with { RoundsMax = 3 });
        for (var i = 0; i < 20; i++)
        {
            world.Publish(Define.Workflow($"w{i:00}", Define.OnFilter(Define.All(Define.Eq("stage", $"{i}"))), Define.Set("s", "stage", $"{i + 1}")));
        }

        world.Enroll("w00");
        Assert.Equal(4, world.Last.Count(e => e.Kind == EntryKind.Enrolled));
        Assert.EndsWith("loop-guard refuse:w04:LoopGuard", world.Story(), StringComparison.Ordinal);
    }

    [Fact]
    public void ENG_09_Enrollments_into_one_workflow_are_limited_per_60_minutes()
    {
        var world = new World(TenantSettings.Default with { EnrollmentsPerHourMax = 3 }).Publish(Define.Workflow("w", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Set("s", "name", "x")));
        for (var minute = 0; minute < 70; minute += 10)
        {
            world.Event("clicked");
            world.Pass(TimeSpan.FromMinutes(10));
        }

        // Minutes 0, 10, 20 enroll; 30, 40, 50 are refused; at 60 the one of minute 0 is 60 minutes old and out of the window.
        Assert.Equal(["Enrolled", "Enrolled", "Enrolled", "LoopGuard", "LoopGuard", "LoopGuard", "Enrolled"], world.Decisions("w"));
        Assert.Equal(world.Head, world.Replay());
    }

    [Fact]
    public void ENG_10_More_than_steps_per_turn_end_the_enrollment()
    {
        var world = new World(TenantSettings.Default with { StepsPerTurnMax = 50, StepRunsPerHourMax = 10_000 });
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Set("a", "name", "x", "b"), Define.Set("b", "name", "y", "a")));
        world.Enroll("w");
        Assert.Equal(["LoopGuard"], world.Ends("w"));
        Assert.Equal(50, world.Last.Count(e => e.Kind == EntryKind.StepEntered));
    }

    [Fact]
    public void ENG_10_One_step_more_than_step_runs_per_hour_ends_the_enrollment()
    {
        var world = new World(TenantSettings.Default with { StepRunsPerHourMax = 6 });
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "d", wait: false), Define.Delay("d", 9, DelayUnit.Minutes, "a")));
        world.Enroll("w");
        world.Pass(TimeSpan.FromMinutes(53));
        Assert.Empty(world.Ends("w"));
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(["LoopGuard"], world.Ends("w"));
        Assert.Equal([1, 2, 3, 4, 5, 6], world.Entries(EntryKind.EffectRequested).Select(e => e.Execution));
    }

    [Theory]
    [InlineData(30, "LoopGuard", "1")]
    [InlineData(90, "Completed", "1,2")]
    public void ENG_10_ACT_04_EDT_07_Runs_are_counted_also_where_only_a_publish_brings_a_step_again(int minutes, string end, string executions)
    {
        var delay = Define.Delay("d", minutes, DelayUnit.Minutes);
        var world = new World(TenantSettings.Default with { StepRunsPerHourMax = 1 });
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Set("a", "name", "x", "d"), delay));
        world.Enroll("w");
        world.Publish(Define.Workflow("w", Define.ByHand(), delay with { Next = "a" }, Define.Set("a", "name", "y")));
        world.Pass(TimeSpan.FromMinutes(minutes));
        Assert.Equal([end], world.Ends("w"));
        Assert.Equal(executions, string.Join(',', world.Entries(EntryKind.StepEntered).Where(e => e.Step == world.Step("w", "a")).Select(e => e.Execution)));
        Assert.Equal(world.Head, world.Replay());
    }

    [Fact]
    public void ACT_04_The_execution_index_goes_on_when_a_publish_makes_a_loop_or_takes_it_away()
    {
        var a = Define.Set("a", "name", "x", "d");
        var delay = Define.Delay("d", 1, DelayUnit.Days);
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), a, delay));
        world.Enroll("w");
        world.Publish(Define.Workflow("w", Define.ByHand(), a, delay with { Next = "a" }));
        world.Pass(TimeSpan.FromDays(2));
        world.Publish(Define.Workflow("w", Define.ByHand(), delay with { Next = "a" }, a with { Next = "e" }, Define.Delay("e", 1, DelayUnit.Days)));
        world.Pass(TimeSpan.FromDays(1));
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("e", 1, DelayUnit.Days, "a"), a with { Next = "" }));
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal([1, 2, 3, 4, 5], world.Entries(EntryKind.StepEntered).Where(e => e.Step == world.Step("w", "a")).Select(e => e.Execution));
        Assert.Equal(["Completed"], world.Ends("w"));
    }

    [Fact]
    public void ENG_10_WIN_05_An_action_that_was_moved_to_its_window_runs_once()
    {
        var world = new World(TenantSettings.Default with { StepRunsPerHourMax = 1 })
            .Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "s", wait: false), Define.Set("s", "other", "x")) with { Windows = Define.Open("12:30", "18:00") });
        world.Enroll("w");
        world.Pass(TimeSpan.FromMinutes(30));
        Assert.Equal(["Completed"], world.Ends("w"));
        Assert.Single(world.Entries(EntryKind.EffectRequested));
    }

    [Fact]
    public void ACT_04_The_execution_index_counts_runs_of_a_step_and_a_loop_with_a_long_delay_goes_on()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "d", wait: false), Define.Delay("d", 1, DelayUnit.Days, "a")));
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(100));
        Assert.Equal(Enumerable.Range(1, 101), world.Entries(EntryKind.EffectRequested).Select(e => e.Execution));
        Assert.Equal(world.Head, world.Replay());
    }

    [Fact]
    public void ACT_04_A_loop_that_a_publish_cut_off_from_the_start_is_still_counted()
    {
        StepDefinition[] loop = [Define.Work("a", "d", wait: false), Define.Delay("d", 1, DelayUnit.Days, "a")];
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), loop));
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(1));
        world.Publish(Define.Workflow("w", Define.ByHand(), [Define.Set("new", "name", "x"), .. loop]));
        world.Pass(TimeSpan.FromDays(2));
        Assert.Equal([1, 2, 3, 4], world.Entries(EntryKind.EffectRequested).Select(e => e.Execution));
    }

    [Fact]
    public void ACT_03_A_step_that_a_publish_brings_again_gets_another_key()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "d", wait: false), Define.Delay("d", 1, DelayUnit.Days)));
        world.Enroll("w");
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days, "a"), Define.Work("a", wait: false)));
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal([1, 2], world.Entries(EntryKind.EffectRequested).Select(e => e.Execution));
        Assert.Equal(2, world.State.OpenEffects.Length);
    }

    [Fact]
    public void ACT_02_A_worker_step_waits_for_its_completion_unless_told_not_to()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "b", wait: false), Define.Work("b", "c"), Define.Set("c", "name", "done")));
        world.Enroll("w");
        Assert.Equal("enroll:w w.a w.b", world.Story());
        Assert.Equal(2, world.State.OpenEffects.Length);
        world.Complete("w", "a");
        Assert.Equal("", world.Text("name"));
        world.Complete("w", "b");
        Assert.Equal("done", world.Text("name"));
        Assert.Equal(0, world.State.OpenEffects.Length);
        Assert.Equal(["Completed"], world.Ends("w"));
    }

    [Fact]
    public void ACT_02_A_task_nobody_waits_for_outlives_a_completed_enrollment()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", wait: false)));
        world.Enroll("w");
        Assert.Equal(["Completed"], world.Ends("w"));
        Assert.Equal(1, world.State.OpenEffects.Length);
        Assert.Equal(TurnStatus.Applied, world.Complete("w", "a").Status);
        Assert.Equal(TurnStatus.Nothing, world.Complete("w", "a").Status);
    }

    [Fact]
    public void ACT_03_A_second_completion_finds_nothing_open()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "b"), Define.Delay("b", 1, DelayUnit.Days)));
        world.Enroll("w");
        world.Complete("w", "a");
        var head = world.Head;
        Assert.Equal(TurnStatus.Nothing, world.Complete("w", "a").Status);
        Assert.Equal(TurnStatus.Nothing, world.Complete("w", "a", execution: 2).Status);
        Assert.Equal(TurnStatus.Nothing, world.Complete("w", "a", enrollment: 9).Status);
        Assert.Equal(head, world.Head);
    }

    [Theory]
    [InlineData(StepResult.Failed, "WORKER")]
    [InlineData(StepResult.Skipped, "")]
    [InlineData(StepResult.Success, "")]
    public void ERR_01_A_failed_action_is_journaled_and_the_enrollment_goes_on(StepResult result, string code)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "b"), Define.Set("b", "name", "on")));
        world.Enroll("w");
        world.Complete("w", "a", result, code: code);
        Assert.Equal("on", world.Text("name"));
        Assert.Equal(result, world.Last.Single(e => e.Kind == EntryKind.StepFinished && e.Step == world.Step("w", "a")).Result);
        Assert.Equal(result, Assert.Single(world.Entries(EntryKind.EffectCompleted)).Result);
    }

    [Fact]
    public void ERR_08_Without_a_completion_a_task_fails_with_TIMEOUT_after_7_days_and_a_later_one_starts_nothing()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "b"), Define.Set("b", "name", "on")));
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(7) - TimeSpan.FromMilliseconds(1));
        Assert.Equal("", world.Text("name"));
        world.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal("on", world.Text("name"));
        var completed = Assert.Single(world.Entries(EntryKind.EffectCompleted));
        Assert.Equal((StepResult.Failed, "TIMEOUT"), (completed.Result, completed.Text));
        Assert.Equal(TurnStatus.Nothing, world.Complete("w", "a").Status);
    }

    [Fact]
    public void ACT_20_Set_property_writes_clears_and_names_its_source()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Set("a", "score", "5", "b"), Define.Set("b", "stage", "")));
        world.Event("", World.Start.PlusMs(-5), "e", false, [], ("stage", "x"));
        world.Enroll("w");
        Assert.Equal(("5", ""), (world.Text("score"), world.Text("stage")));
        Assert.True(world.State.TryGetProperty(world.Property("score"), false, out var view));
        Assert.Equal(("workflow:w", World.Start), (view.Source, view.OccurredAt));
    }

    [Fact]
    public void BRA_01_The_first_branch_that_accepts_is_taken()
    {
        var known = Define.All(Define.Is("stage", Operator.IsKnown));
        var world = new World().Publish(Define.Workflow(
            "w", Define.ByHand(), Define.Branch("b", "n", ("no", Define.All(Define.Eq("stage", "y")), "n"), ("one", known, "x"), ("two", known, "n")), Define.Set("x", "name", "x"), Define.Set("n", "name", "n")));
        world.Set("stage", "x");
        world.Enroll("w");
        Assert.Equal("x", world.Text("name"));
        var taken = world.Entries(EntryKind.StepFinished).First();
        Assert.Equal((2, "one"), (taken.Subject, taken.Text));
    }

    [Fact]
    public void BRA_01_A_branch_sees_the_data_at_the_moment_it_is_evaluated()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days, "b"), Define.Branch("b", "n", ("yes", IsWon, "y")), Define.Set("y", "name", "y"), Define.Set("n", "name", "n")));
        world.Enroll("w");
        world.Set("stage", "won");
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal("y", world.Text("name"));
    }

    [Theory]
    [InlineData("n", "n", null)]
    [InlineData("", "", "NO_BRANCH_MATCHED")]
    public void BRA_03_No_branch_accepts_takes_the_default_or_completes(string defaultNext, string name, string? text)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Branch("b", defaultNext, ("yes", IsWon, "n")), Define.Set("n", "name", "n")));
        world.Enroll("w");
        Assert.Equal(name, world.Text("name"));
        Assert.Equal(["Completed"], world.Ends("w"));
        Assert.Equal((0, text), (world.Entries(EntryKind.StepFinished).First().Subject, world.Entries(EntryKind.StepFinished).First().Text));
    }

    [Fact]
    public void UNE_03_Manual_unenrollment_stops_at_once_and_twice_is_a_success_without_effect()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days, "s"), Define.Set("s", "name", "x")));
        world.Enroll("w");
        Assert.Equal((TurnStatus.Applied, 1), (world.Unenroll("w").Status, world.Entries(EntryKind.EnrollmentEnded).Count()));
        Assert.Equal(TurnStatus.Applied, world.Unenroll("w").Status);
        world.Pass(TimeSpan.FromDays(2));
        Assert.Equal(["Manual"], world.Ends("w"));
        Assert.Equal("", world.Text("name"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void UNE_03_Unenrolling_an_unknown_record_is_a_success_without_effect(bool upsert)
    {
        var world = new World(TenantSettings.Default with { Upsert = upsert }).Publish(Define.Workflow("w", Define.ByHand(), Define.Set("s", "name", "x")));
        Assert.Equal(TurnStatus.Nothing, world.Unenroll("w").Status);
        Assert.Empty(world.Head);
    }

    [Fact]
    public void UNE_07_An_exit_withdraws_open_tasks_and_their_completion_starts_no_step()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", "b", wait: false), Define.Work("b", "c"), Define.Set("c", "name", "x")).WithGoal(IsWon));
        world.Enroll("w");
        world.Set("stage", "won");
        Assert.Equal(2, world.Last.Count(e => e.Kind == EntryKind.EffectWithdrawn));
        Assert.All(world.State.OpenEffects.ToArray(), e => Assert.True(e.IsWithdrawn));

        // Whoever had leased it: the completion is journaled and starts no step. What nobody had is reported as cancelled.
        Assert.Equal(TurnStatus.Applied, world.Complete("w", "b").Status);
        Assert.Equal(TurnStatus.Applied, world.Complete("w", "a", StepResult.Cancelled).Status);
        Assert.Equal([StepResult.Success, StepResult.Cancelled], world.Entries(EntryKind.EffectCompleted).Select(e => e.Result));
        Assert.Equal(0, world.State.OpenEffects.Length);
        Assert.True(world.State.NextDueAt.IsNone);
        Assert.Equal(TurnStatus.Nothing, world.Complete("w", "b").Status);
        Assert.Equal("", world.Text("name"));
    }

    [Fact]
    public void UNE_07_A_withdrawn_task_that_nobody_reports_is_cancelled_when_it_times_out()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("a", timeout: TimeSpan.FromHours(1))).WithGoal(IsWon));
        world.Enroll("w");
        world.Set("stage", "won");
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal([StepResult.Cancelled], world.Entries(EntryKind.EffectCompleted).Select(e => e.Result));
    }

    [Fact]
    public void UNE_07_A_task_asked_for_and_withdrawn_in_one_turn_never_leaves()
    {
        var world = new World()
            .Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Define.Work("a")).WithGoal(IsWon))
            .Publish(Define.Workflow("x", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "stage", "won")));
        world.Event("clicked");
        Assert.Equal([StepResult.Cancelled], world.Entries(EntryKind.EffectCompleted).Select(e => e.Result));
        Assert.Equal(0, world.State.OpenEffects.Length);
    }

    [Fact]
    public void DLY_01_A_delay_starts_at_the_turn_time_and_the_record_goes_on_at_the_due_instant()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 90, DelayUnit.Minutes, "s"), Define.Set("s", "name", "x")));
        world.Now = World.Start.PlusMs(123);
        world.Enroll("w");
        Assert.Equal(World.Start.PlusMs(123 + (90 * 60_000)), world.State.NextDueAt);
        world.Pass(TimeSpan.FromMinutes(90) - TimeSpan.FromMilliseconds(1));
        Assert.Equal("", world.Text("name"));
        world.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal("x", world.Text("name"));
        Assert.Equal(World.Start.PlusMs(123 + (90 * 60_000)), world.Journal[^1].At);
    }

    [Theory]
    [InlineData(DelayUnit.Minutes)]
    [InlineData(DelayUnit.Hours)]
    [InlineData(DelayUnit.Days)]
    [InlineData(DelayUnit.Weeks)]
    public void DLY_02_Amount_0_goes_on_in_the_same_turn(DelayUnit unit)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 0, unit, "s"), Define.Set("s", "name", "x")));
        world.Enroll("w");
        Assert.Equal("enroll:w w.d w.s end:w:Completed", world.Story());
    }

    [Theory]
    [InlineData("America/New_York", "2026-03-07T07:30:00Z", 1, "2026-03-08T07:00:00Z")]
    [InlineData("America/New_York", "2026-03-07T06:59:59.999Z", 1, "2026-03-08T06:59:59.999Z")]
    [InlineData("America/New_York", "2026-03-07T15:00:00Z", 1, "2026-03-08T14:00:00Z")]
    [InlineData("America/New_York", "2026-03-01T07:30:00Z", 7, "2026-03-08T07:00:00Z")]
    [InlineData("America/New_York", "2026-10-31T05:30:00Z", 1, "2026-11-01T05:30:00Z")]
    [InlineData("America/New_York", "2026-10-31T15:00:00Z", 1, "2026-11-01T16:00:00Z")]
    [InlineData("America/New_York", "2026-11-01T06:30:00Z", 1, "2026-11-02T06:30:00Z")]
    [InlineData("America/Sao_Paulo", "2018-11-03T03:30:00Z", 1, "2018-11-04T03:00:00Z")]
    [InlineData("America/Sao_Paulo", "2018-02-17T01:30:00Z", 1, "2018-02-18T01:30:00Z")]
    [InlineData("Pacific/Apia", "2011-12-29T22:00:00Z", 1, "2011-12-30T10:00:00Z")]
    [InlineData("UTC", "2026-12-31T23:59:59.999Z", 1, "2027-01-01T23:59:59.999Z")]
    [InlineData("UTC", "2028-02-28T12:00:00Z", 1, "2028-02-29T12:00:00Z")]
    public void DLY_03_DLY_04_Days_are_calendar_days_and_a_skipped_local_time_is_the_first_instant_after_the_gap(string zone, string from, int days, string due)
    {
        foreach (var (amount, unit) in days % 7 == 0 ? new[] { (days, DelayUnit.Days), (days / 7, DelayUnit.Weeks) } : [(days, DelayUnit.Days)])
        {
            var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", amount, unit)) with { TimeZone = zone });
            world.Now = At(from);
            world.Enroll("w");
            Assert.Equal(At(due), world.State.NextDueAt);
        }
    }

    [Fact]
    public void DLY_04_A_local_time_that_occurs_twice_is_its_first_occurrence()
    {
        // New York falls back on 2026-11-01 at 02:00: 01:30 is 05:30Z and 06:30Z.
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 2, DelayUnit.Days)) with { TimeZone = "America/New_York" });
        world.Now = At("2026-10-30T05:30:00Z");
        world.Enroll("w");
        Assert.Equal(At("2026-11-01T05:30:00Z"), world.State.NextDueAt);
    }

    [Fact]
    public void DLY_04_Due_instants_never_lie_before_the_start_in_any_zone()
    {
        var random = new Random(4);
        foreach (var id in DateTimeZoneProviders.Tzdb.Ids)
        {
            var amount = random.Next(1, 40);
            var delay = Roster.Core.Calendars.DelayTiming.OfAmount(amount, DelayUnit.Days, null, Roster.Core.Calendars.Weekdays.None);
            var zone = DateTimeZoneProviders.Tzdb[id];
            for (var i = 0; i < 50; i++)
            {
                var now = new Timestamp(random.NextInt64(0, 4_000_000_000_000));
                var due = delay.Due(now, zone, Roster.Core.Calendars.BusinessCalendar.Default, Roster.Core.Values.Value.Unknown).At;
                Assert.True(due > now, $"{id} {now} plus {amount} days is {due}");
                var days = Period.DaysBetween(now.ToInstant().InZone(zone).Date, due.ToInstant().InZone(zone).Date);
                Assert.InRange(days, amount, amount + 1);
            }
        }
    }

    [Fact]
    public void EDT_04_Off_delays_and_branches_go_on_actions_are_skipped_and_goals_still_apply()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days, "s"), Define.Set("s", "name", "x", "t"), Define.Work("t", "b"), Define.Branch("b", "e", ("won", IsWon, "e")), Define.Delay("e", 1, DelayUnit.Days, "f"), Define.Set("f", "other", "y")));
        world.Enroll("w");
        world.Switch("w", WorkflowState.Off);
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal("", world.Text("name"));
        Assert.Equal(0, world.State.OpenEffects.Length);
        Assert.Equal(2, world.Entries(EntryKind.StepFinished).Count(e => e.Result == StepResult.SkippedOff));
        world.Switch("w", WorkflowState.On);
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal(("", "y"), (world.Text("name"), world.Text("other")));
    }

    [Fact]
    public void EDT_04_Off_a_started_action_goes_on_to_its_completion_and_goals_end_enrollments()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("t", "d"), Define.Delay("d", 1, DelayUnit.Days)).WithGoal(IsWon));
        world.Enroll("w");
        world.Switch("w", WorkflowState.Off);
        Assert.Equal(TurnStatus.Applied, world.Complete("w", "t").Status);
        Assert.Equal("w.d", world.Story(1));
        world.Set("stage", "won");
        Assert.Equal(["GoalMet"], world.Ends("w"));
    }

    [Fact]
    public void EDT_07_Active_enrollments_follow_the_new_version_by_step_id()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days, "s"), Define.Set("s", "name", "old")));
        world.Enroll("w");
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days, "new"), Define.Set("new", "other", "n", "s"), Define.Set("s", "name", "new")));
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal(("new", "n"), (world.Text("name"), world.Text("other")));
        // Entered in version 1; it adapts first thing in the turn of its timer (EDT-06).
        Assert.Equal([1, 2, 2, 2], world.Entries(EntryKind.StepFinished).Concat(world.Entries(EntryKind.StepEntered)).Select(e => e.Version).Order().Take(4).ToArray());
    }

    [Theory]
    [InlineData("delay-to-set")]
    [InlineData("delay-to-branch")]
    [InlineData("task-to-delay")]
    public void EDT_10_A_step_that_keeps_its_id_but_changes_its_kind_is_entered_anew(string kind)
    {
        var isTask = kind == "task-to-delay";
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), isTask ? Define.Work("d", "s") : Define.Delay("d", 1, DelayUnit.Days, "s"), Define.Set("s", "name", "default"), Define.Set("y", "name", "branch")));
        world.Enroll("w");
        world.Publish(Define.Workflow(
            "w",
            Define.ByHand(),
            kind switch
            {
                "delay-to-set" => Define.Set("d", "other", "anew", "s"),
                "delay-to-branch" => Define.Branch("d", "s", ("yes", Define.All(Define.Is("stage", Operator.IsUnknown)), "y")),
                _ => Define.Delay("d", 5, DelayUnit.Days, "s"),
            },
            Define.Set("s", "name", "default"),
            Define.Set("y", "name", "branch")));
        if (isTask)
        {
            world.Complete("w", "d");
            Assert.Equal(("", World.Start.PlusMs(5 * 86_400_000L)), (world.Text("name"), world.State.NextDueAt));
            return;
        }

        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal(kind == "delay-to-set" ? ("default", "anew") : ("branch", ""), (world.Text("name"), world.Text("other")));
    }

    private static Timestamp At(string text) => Timestamp.FromInstant(NodaTime.Text.InstantPattern.ExtendedIso.Parse(text).Value);
}
