using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Goals (section 10 of the rules).</summary>
public sealed class GoalTests
{
    private static readonly CriteriaDefinition IsWon = Define.All(Define.Eq("stage", "won"));
    private static readonly CriteriaDefinition IsHot = Define.All(Define.Is("score", Operator.IsGreaterThan, "5"));
    private static readonly StepDefinition Waits = Define.Delay("wait", 30, DelayUnit.Days);

    [Fact]
    public void GOAL_01_A_goal_is_any_criteria_also_interactions()
    {
        var thrice = new EventHistoryFilterDefinition("clicked", [], false, new RefinementDefinition(null, new OccurrencesDefinition(3, null)));
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits).WithGoal(Define.Any(Define.Eq("stage", "won"), thrice)));
        world.Enroll("w");
        world.Event("clicked");
        world.Event("clicked");
        Assert.Empty(world.Ends("w"));
        world.Event("clicked");
        Assert.Equal(["GoalMet"], world.Ends("w"));
    }

    [Fact]
    public void GOAL_02_The_first_goal_exits_the_others_count_and_go_on()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits).WithGoals(new GoalDefinition("primary", IsWon), new GoalDefinition("kpi", IsHot)));
        world.Enroll("w");
        world.Set("score", "9");
        Assert.Empty(world.Ends("w"));
        Assert.Equal([("kpi", true)], Met(world));
        world.Set("stage", "won");
        Assert.Equal(["GoalMet"], world.Ends("w"));
        Assert.Equal([("kpi", true), ("primary", true)], Met(world));
    }

    [Fact]
    public void GOAL_02_Exit_may_be_turned_around_for_each_goal()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits)
            .WithGoals(new GoalDefinition("primary", IsWon) { Exit = false }, new GoalDefinition("second", IsHot) { Exit = true }));
        world.Enroll("w");
        world.Set("stage", "won");
        Assert.Empty(world.Ends("w"));
        world.Set("score", "9");
        Assert.Equal(["GoalMet"], world.Ends("w"));
        Assert.Equal(2, world.Entries(EntryKind.EnrollmentEnded).Single().Number);
    }

    [Fact]
    public void GOAL_02_A_goal_without_exit_that_holds_at_enrollment_counts_only_after_it_stopped_and_holds_again()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits).WithGoals(new GoalDefinition("kpi", IsHot) { Exit = false }));
        world.Set("score", "9");
        world.Enroll("w");
        world.Set("score", "10");
        world.Set("name", "n");
        Assert.Empty(Met(world));
        world.Set("score", "1");
        Assert.Empty(Met(world));
        world.Set("score", "9");
        Assert.Equal([("kpi", true)], Met(world));
    }

    [Fact]
    public void GOAL_02_What_held_at_enrollment_is_remembered_after_the_completion()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Set("s", "other", "x")).WithGoals(new GoalDefinition("kpi", IsHot) { Exit = false }));
        world.Set("score", "9");
        world.Enroll("w");
        world.Set("score", "8");
        Assert.Empty(Met(world));
        world.Set("score", "1");
        world.Set("score", "9");
        Assert.Equal([("kpi", true)], Met(world));
        world.Enroll("w");
        world.Set("score", "1");
        world.Set("score", "9");
        Assert.Single(Met(world));
    }

    [Theory]
    [InlineData("manual")]
    [InlineData("event")]
    [InlineData("workflow")]
    [InlineData("filter")]
    public void GOAL_03_A_goal_that_holds_refuses_every_kind_of_start_and_the_record_is_not_enrolled(string how)
    {
        var start = how switch { "event" => Define.OnEvent("clicked"), "filter" => Define.OnFilter(Define.All(Define.Eq("name", "go"))), _ => Define.ByHand() };
        var world = new World()
            .Publish(Define.Workflow("w", start, Waits).WithGoals(new GoalDefinition("a", IsHot), new GoalDefinition("b", IsWon) { Exit = true }))
            .Publish(Define.Workflow("x", Define.ByHand(), Define.EnrollIn("e", "w")));
        world.Set("stage", "won");
        _ = how switch { "manual" => world.Enroll("w"), "event" => world.Event("clicked"), "filter" => world.Set("name", "go"), _ => world.Enroll("x") };
        Assert.Equal(["GoalAlreadyMet"], world.Decisions("w"));
        Assert.Equal(2, world.Entries(EntryKind.EnrollmentRefused).Single().Number);
        Assert.False(world.State.TryGetSummary(world.Number("w"), out _));
    }

    [Fact]
    public void GOAL_04_A_goal_without_exit_is_checked_before_every_step_too()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Set("a", "score", "9", "b"), Define.Set("b", "score", "1", "c"), Waits with { Id = "c" })
            .WithGoals(new GoalDefinition("kpi", IsHot) { Exit = false }));
        world.Enroll("w");
        Assert.Equal([("kpi", true)], Met(world));
        Assert.Equal("enroll:w w.a w.b w.c", world.Story());
    }

    [Fact]
    public void GOAL_04_A_goal_by_the_clock_ends_the_enrollment_at_its_instant()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits).WithGoal(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))));
        world.Set("at", "2026-01-05T10:00:00Z");
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(3));
        Assert.Equal(["GoalMet"], world.Ends("w"));
        Assert.Equal(World.Start.PlusMs(36 * 3_600_000L), world.Journal[^1].At);
        Assert.True(world.State.NextDueAt.IsNone);
    }

    [Fact]
    public void GOAL_05_A_suppression_exit_wins_over_a_goal_and_the_goal_is_not_counted()
    {
        var world = new World().List("blocked", IsWon).Publish(Define.Workflow("w", Define.ByHand(), Waits).WithGoal(IsWon) with { SuppressionLists = ["blocked"] });
        world.Enroll("w");
        world.Set("stage", "won");
        Assert.Equal(["Suppressed"], world.Ends("w"));
        Assert.Empty(Met(world));
        var byStep = new World().List("blocked", IsWon).Publish(Define.Workflow("w", Define.ByHand(), Define.Set("a", "stage", "won", "b"), Waits with { Id = "b" }).WithGoal(IsWon) with { SuppressionLists = ["blocked"] });
        byStep.Enroll("w");
        Assert.Equal(["Suppressed"], byStep.Ends("w"));
        Assert.Empty(Met(byStep));
    }

    [Fact]
    public void GOAL_05_So_does_an_unenrollment_trigger()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits).WithGoal(IsWon) with { UnenrollWhen = IsWon });
        world.Enroll("w");
        world.Set("stage", "won");
        Assert.Equal(["UnenrollmentTrigger"], world.Ends("w"));
        Assert.Empty(Met(world));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void GOAL_06_GOAL_10_A_record_counts_only_after_a_marketing_e_mail_was_sent(bool isMailed)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Email("m", "wait"), Waits).WithGoal(IsWon));
        world.Enroll("w");
        world.Complete("w", "m", isMailed ? StepResult.Success : StepResult.SkippedIneligible);
        world.Set("stage", "won");
        Assert.Equal(["GoalMet"], world.Ends("w"));
        Assert.Equal([("goal", isMailed)], Met(world));
    }

    [Fact]
    public void GOAL_06_Other_tasks_do_not_count_as_e_mail_and_an_e_mail_of_an_earlier_enrollment_does()
    {
        var workflow = Define.Workflow("w", Define.ByHand(reenroll: true), Define.Work("t", "m"), Define.Email("m", "wait"), Waits).WithGoal(IsWon);
        var world = new World().Publish(workflow);
        world.Enroll("w");
        world.Complete("w", "t");
        world.Set("stage", "won");
        Assert.Equal([("goal", false)], Met(world).Take(1));
        world.Complete("w", "m", StepResult.Cancelled);
        world.Set("stage", "x");
        world.Enroll("w");
        world.Complete("w", "t", enrollment: 2);
        world.Complete("w", "m", enrollment: 2);
        world.Unenroll("w");
        world.Enroll("w");
        world.Set("stage", "won");
        Assert.Equal(("goal", true), Met(world).Last());
    }

    [Fact]
    public void GOAL_07_After_a_completion_the_goal_stays_watched_with_no_time_limit()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Set("s", "other", "x")).WithGoal(IsWon));
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(3_000));
        world.Set("stage", "won");
        Assert.Equal([("goal", true)], Met(world));
        Assert.Equal(["Completed"], world.Ends("w"));
        Assert.Equal(1, world.Entries(EntryKind.GoalMet).Single().Enrollment);
    }

    [Fact]
    public void GOAL_07_The_last_step_may_meet_the_goal()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Set("s", "stage", "won")).WithGoal(IsWon));
        world.Enroll("w");
        Assert.Equal(["Completed"], world.Ends("w"));
        Assert.Equal([("goal", true)], Met(world));
        Assert.Single(world.Journal);
    }

    [Theory]
    [InlineData("manual")]
    [InlineData("suppressed")]
    [InlineData("trigger")]
    public void GOAL_07_It_is_not_watched_after_any_other_end(string how)
    {
        var world = new World().List("blocked")
            .Publish(Define.Workflow("w", Define.ByHand(), Waits).WithGoal(IsWon) with { SuppressionLists = ["blocked"], UnenrollWhen = Define.All(Define.Eq("name", "out")) });
        world.Enroll("w");
        _ = how switch { "manual" => world.Unenroll("w"), "suppressed" => world.AddToList("blocked"), _ => world.Set("name", "out") };
        Assert.Single(world.Ends("w"));
        world.Set("stage", "won");
        Assert.Empty(Met(world));
    }

    [Fact]
    public void GOAL_07_The_latest_enrollment_decides()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Delay("d", 1, DelayUnit.Hours)).WithGoal(IsWon));
        world.Enroll("w");
        world.Pass(TimeSpan.FromHours(1));
        world.Enroll("w");
        world.Unenroll("w");
        world.Set("stage", "won");
        Assert.Empty(Met(world));
    }

    [Fact]
    public void GOAL_07_By_the_clock_too()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Set("s", "other", "x")).WithGoal(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))));
        world.Set("at", "2026-01-05T10:00:00Z");
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(3));
        Assert.Equal([("goal", true)], Met(world));
        Assert.True(world.State.NextDueAt.IsNone);
    }

    [Theory]
    [InlineData(StepResult.Success, true)]
    [InlineData(StepResult.SkippedIneligible, false)]
    [InlineData(StepResult.Failed, false)]
    [InlineData(StepResult.Cancelled, false)]
    public void GOAL_08_UNE_07_With_an_e_mail_in_flight_its_completion_decides(StepResult result, bool counts)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Email("m", "wait"), Waits).WithGoal(IsWon));
        world.Enroll("w");
        world.Set("stage", "won");
        Assert.Equal(["GoalMet"], world.Ends("w"));
        Assert.Equal([("goal", false)], Met(world));
        world.Complete("w", "m", result);
        Assert.Equal(counts ? [("goal", false), ("goal", true)] : [("goal", false)], Met(world));
        Assert.True(world.State.TryGetSummary(world.Number("w"), out var summary));
        Assert.Equal((counts ? 1UL : 0, 0UL), (summary.GoalsMet, summary.GoalsPending));
    }

    [Fact]
    public void GOAL_08_Of_two_e_mails_in_flight_one_that_is_sent_is_enough()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Email("m", "n", wait: false), Define.Email("n", "wait"), Waits).WithGoal(IsWon));
        world.Enroll("w");
        world.Set("stage", "won");
        world.Complete("w", "m", StepResult.Failed);
        Assert.Equal([("goal", false)], Met(world));
        world.Complete("w", "n");
        Assert.Equal([("goal", false), ("goal", true)], Met(world));
    }

    [Fact]
    public void GOAL_08_An_e_mail_that_is_asked_for_and_withdrawn_in_one_turn_was_not_sent_and_nothing_stays_pending()
    {
        var world = new World()
            .Publish(Define.Workflow("w", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Email("m")).WithGoal(IsWon))
            .Publish(Define.Workflow("x", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Set("s", "stage", "won")));
        world.Event("clicked");
        Assert.Equal([("goal", false)], Met(world));
        Assert.True(world.State.TryGetSummary(world.Number("w"), out var summary));
        Assert.Equal(0UL, summary.GoalsPending);

        // The e-mail of the next enrollment does not count for the goal of the first.
        world.Switch("x", WorkflowState.Off);
        world.Set("stage", "x");
        world.Event("clicked");
        world.Complete("w", "m", enrollment: 2);
        Assert.Equal([("goal", false)], Met(world));
    }

    [Fact]
    public void GOAL_08_The_goal_of_a_completed_enrollment_waits_for_its_e_mail_too()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Email("m", wait: false)).WithGoal(IsWon));
        world.Enroll("w");
        world.Set("stage", "won");
        world.Set("stage", "lost");
        world.Complete("w", "m");
        Assert.Equal([("goal", false), ("goal", true)], Met(world));
    }

    [Fact]
    public void GOAL_09_A_record_counts_once_per_goal_for_good_and_the_filter_sees_it()
    {
        var workflow = Define.Workflow("w", Define.ByHand(reenroll: true), Waits).WithGoals(new GoalDefinition("primary", IsWon), new GoalDefinition("kpi", IsHot));
        var world = new World().Publish(workflow)
            .Publish(Define.Workflow("f", Define.OnFilter(Define.All(Define.Status("w", WorkflowStatus.Goal))), Define.Set("s", "other", "primary")))
            .Publish(Define.Workflow("k", Define.OnFilter(Define.All(Define.Status("w", WorkflowStatus.Goal, "kpi"))), Define.Set("s", "name", "kpi")));
        world.Enroll("w");
        world.Set("score", "9");
        Assert.Equal(("", "kpi"), (world.Text("other"), world.Text("name")));
        world.Set("stage", "won");
        Assert.Equal("primary", world.Text("other"));
        world.Event("", ("stage", "x"), ("score", "1"));
        world.Enroll("w");
        world.Event("", ("stage", "won"), ("score", "9"));
        Assert.Equal([("kpi", true), ("primary", true), ("primary", false)], Met(world));
    }

    [Fact]
    public void GOAL_10_Count_all_drops_the_condition_and_without_an_e_mail_step_it_is_the_default()
    {
        foreach (var (hasMail, count, counts) in new[] { (true, GoalCount.None, false), (true, GoalCount.All, true), (true, GoalCount.Mailed, false), (false, GoalCount.None, true), (false, GoalCount.Mailed, false) })
        {
            var world = new World().Publish(Define.Workflow("w", Define.ByHand(), hasMail ? [Waits with { Next = "m" }, Define.Email("m")] : [Waits]).WithGoals(new GoalDefinition("g", IsWon) { Count = count }));
            world.Enroll("w");
            world.Set("stage", "won");
            Assert.Equal([("g", counts)], Met(world));
            Assert.Equal(["GoalMet"], world.Ends("w"));
        }
    }

    [Fact]
    public void GOAL_10_A_goal_met_before_the_first_e_mail_counts_only_when_it_holds_anew()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours, "m"), Define.Email("m", "wait"), Waits).WithGoals(new GoalDefinition("kpi", IsHot) { Exit = false }));
        world.Enroll("w");
        world.Set("score", "9");
        Assert.Equal([("kpi", false)], Met(world));
        world.Pass(TimeSpan.FromHours(1));
        world.Complete("w", "m");
        world.Set("score", "10");
        Assert.Single(Met(world));
        world.Set("score", "1");
        world.Set("score", "9");
        Assert.Equal([("kpi", false), ("kpi", true)], Met(world));
    }

    [Fact]
    public void GOAL_11_Editing_the_criteria_keeps_the_count()
    {
        var workflow = Define.Workflow("w", Define.ByHand(reenroll: true), Waits).WithGoal(IsWon);
        var world = new World().Publish(workflow);
        world.Enroll("w");
        world.Set("stage", "won");
        world.Publish(workflow.WithGoal(IsHot));
        world.Enroll("w");
        world.Set("score", "9");
        Assert.Equal([("goal", true), ("goal", false)], Met(world));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GOAL_04_GOAL_07_EDT_06_Goals_of_a_publish_are_looked_at_in_the_records_next_turn_not_only_in_the_jobs(bool isCompleted)
    {
        var workflow = Define.Workflow("w", Define.ByHand(), Define.Delay("wait", isCompleted ? 1 : 3_000, DelayUnit.Days));
        var world = new World().Publish(workflow);
        world.Set("stage", "won");
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(2));
        world.Publish(workflow.WithGoals(new GoalDefinition("kpi", IsWon) { Exit = isCompleted }));
        world.Set("name", "n");
        Assert.Equal([("kpi", true)], Met(world));
        world.Set("name", "m");
        Assert.DoesNotContain(world.Last, e => e.Kind is EntryKind.GoalMet or EntryKind.EnrollmentLatched);
    }

    [Fact]
    public void GOAL_12_A_job_that_finds_no_goal_met_leaves_no_turn()
    {
        var workflow = Define.Workflow("w", Define.ByHand(), Define.Set("s", "other", "x"));
        var world = new World().Publish(workflow);
        world.Enroll("w");
        world.Publish(workflow.WithGoal(IsWon));
        Assert.Equal(TurnStatus.Nothing, world.Refresh("w").Status);
        world.Set("stage", "won");
        Assert.Equal([("goal", true)], Met(world));
    }

    [Fact]
    public void GOAL_02_A_goal_that_held_at_the_enrollment_and_stopped_while_it_had_exit_counts_when_it_holds_again()
    {
        WorkflowDefinition Of(bool exit) => Define.Workflow("w", Define.ByHand(), Waits).WithGoals(new GoalDefinition("kpi", IsHot) { Exit = exit });
        var world = new World().Publish(Of(exit: false));
        world.Set("score", "9");
        world.Enroll("w");
        world.Publish(Of(exit: true));
        world.Set("score", "1");
        world.Publish(Of(exit: false));
        world.Set("score", "9");
        Assert.Equal([("kpi", true)], Met(world));
        Assert.Empty(world.Ends("w"));
    }

    [Fact]
    public void GOAL_02_GOAL_07_A_watched_goal_that_held_at_the_enrollment_counts_when_it_gets_exit()
    {
        WorkflowDefinition Of(bool exit) => Define.Workflow("w", Define.ByHand(), Define.Set("s", "other", "x")).WithGoals(new GoalDefinition("kpi", IsHot) { Exit = exit });
        var world = new World().Publish(Of(exit: false));
        world.Set("score", "9");
        world.Enroll("w");
        world.Set("score", "10");
        Assert.Empty(Met(world));
        world.Publish(Of(exit: true));
        world.Set("name", "n");
        Assert.Equal([("kpi", true)], Met(world));
    }

    [Fact]
    public void GOAL_12_A_publish_that_changes_goals_re_checks_active_and_watched_records()
    {
        var workflow = Define.Workflow("w", Define.ByHand(), Waits);
        var active = new World().Publish(workflow);
        active.Set("stage", "won");
        active.Enroll("w");
        active.Publish(workflow.WithGoals(new GoalDefinition("g", IsWon), new GoalDefinition("kpi", IsWon)));
        Assert.Equal(TurnStatus.Applied, active.Refresh("w").Status);
        Assert.Equal(["GoalMet"], active.Ends("w"));
        Assert.Equal([("g", true), ("kpi", true)], Met(active));

        var watched = new World().Publish(workflow with { Steps = [Define.Set("s", "other", "x")] });
        watched.Set("stage", "won");
        watched.Enroll("w");
        watched.Publish((workflow with { Steps = [Define.Set("s", "other", "x")] }).WithGoal(IsWon));
        watched.Refresh("w");
        Assert.Equal([("goal", true)], Met(watched));
        Assert.Equal(TurnStatus.Nothing, watched.Refresh("w").Status);
    }

    private static IEnumerable<(string, bool)> Met(World world) => world.Entries(EntryKind.GoalMet).Select(e => (e.Text!, e.Flag));
}
