using NodaTime.Text;
using Roster.Core.Calendars;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Live editing (section 23 of the rules).</summary>
public sealed class AdaptTests
{
    private static readonly CriteriaDefinition IsWon = Define.All(Define.Eq("stage", "won"));
    private static readonly StepDefinition Done = Define.Set("done", "other", "done");

    [Fact]
    public void EDT_06_An_enrollment_adapts_first_thing_in_its_records_next_turn()
    {
        var world = new World().Publish(Of(Define.Delay("d", 3, DelayUnit.Days, "done"), Done));
        world.Enroll("w");
        world.Publish(Of(Define.Delay("d", 2, DelayUnit.Days, "done"), Done));
        Assert.Equal(World.Start.PlusMs(3 * 86_400_000L), world.State.NextDueAt);
        world.Set("name", "n");
        Assert.Equal(World.Start.PlusMs(2 * 86_400_000L), world.State.NextDueAt);
        Assert.Equal(EntryKind.EnrollmentAdapted, world.Last[0].Kind);
        world.Set("name", "m");
        Assert.DoesNotContain(world.Last, e => e.Kind == EntryKind.EnrollmentAdapted);
        Assert.Equal(2, world.State.Enrollments[0].Version);
    }

    [Fact]
    public void EDT_06_The_job_gives_a_turn_and_without_anything_to_do_none()
    {
        var world = new World().Publish(Of(Define.Delay("d", 3, DelayUnit.Days, "done"), Done));
        world.Enroll("w");
        Assert.Equal(TurnStatus.Nothing, world.Refresh("w").Status);
        world.Publish(Of(Define.Delay("d", 2, DelayUnit.Days, "done"), Done));
        Assert.Equal(TurnStatus.Applied, world.Refresh("w").Status);
        Assert.Equal(TurnStatus.Nothing, world.Refresh("w").Status);
        Assert.Equal(TurnStatus.Nothing, new World().Publish(Of(Done)).Refresh("w").Status);
    }

    [Fact]
    public void EDT_07_A_new_step_counts_for_those_who_have_not_reached_it_and_a_removed_one_for_nobody_past_it()
    {
        var world = new World().Publish(Of(Define.Set("a", "name", "a", "d"), Define.Delay("d", 1, DelayUnit.Days, "b"), Define.Set("b", "stage", "b")));
        world.Enroll("w");
        world.Publish(Of(Define.Set("zero", "score", "0", "d"), Define.Delay("d", 1, DelayUnit.Days, "new"), Define.Set("new", "flag", "true", "done"), Done));
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal(("a", "", "true", "done", ""), (world.Text("name"), world.Text("score"), world.Text("flag"), world.Text("other"), world.Text("stage")));
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(1, 2)]
    public void EDT_08_An_edited_delay_is_due_from_its_original_start_and_what_is_past_goes_on_at_once(int days, int doneAfter)
    {
        var world = new World().Publish(Of(Define.Delay("d", 3, DelayUnit.Days, "done"), Done));
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(2));
        world.Publish(Of(Define.Delay("d", days, DelayUnit.Days, "done"), Done));
        world.Refresh("w");
        Assert.Equal(doneAfter == 2 ? "done" : "", world.Text("other"));
        world.Pass(TimeSpan.FromDays(9));
        Assert.Equal("done", world.Text("other"));
        Assert.Equal(World.Start.PlusMs(doneAfter * 86_400_000L), world.Journal[^1].At);
    }

    [Fact]
    public void EDT_08_A_date_delay_whose_new_date_was_before_its_start_is_missed()
    {
        StepDefinition On(string date) => Define.Delay("d", new DelayDefinition(null, DelayUnit.None) { Date = date }, "done", "missed");
        var missed = Define.Set("missed", "other", "missed");
        var world = new World().Publish(Of(On("2026-03-01"), Done, missed));
        world.Enroll("w");
        world.Publish(Of(On("2026-01-01"), Done, missed));
        world.Refresh("w");
        Assert.Equal("missed", world.Text("other"));
        Assert.Equal("d Skipped missed", world.Results("w").First());
    }

    [Fact]
    public void EDT_08_DLY_10_A_delay_that_was_not_edited_keeps_the_first_due_instant_when_it_does_not_follow()
    {
        StepDefinition Until(int days) => Define.Delay("d", new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition("day", days, 0, false) }, "done");
        var world = new World().Publish(Of(Until(0), Done));
        world.Set("day", "2026-02-01");
        world.Enroll("w");
        world.Set("day", "2026-03-01");
        world.Publish(Of(Until(0), Done with { Next = "more" }, Define.Set("more", "name", "n")));
        world.Refresh("w");
        Assert.Equal(At("2026-02-01T00:00:00Z"), world.State.NextDueAt);
        world.Publish(Of(Until(1), Done));
        world.Refresh("w");
        Assert.Equal(At("2026-03-02T00:00:00Z"), world.State.NextDueAt);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void EDT_08_ENG_04_A_delay_or_timeout_that_a_publish_did_not_edit_has_its_own_turn(bool isDelay)
    {
        WorkflowDefinition With(string id, StepDefinition done) =>
            Define.Workflow(id, Define.ByHand(), isDelay ? Define.Delay("d", 1, DelayUnit.Days, "done") : Define.WaitEvent("d", "bought", "done", TimeSpan.FromDays(1)), done);
        var world = new World().Publish(With("a", Done)).Publish(With("b", Done));
        world.Enroll("a");
        world.Enroll("b");
        world.Publish(With("b", Define.Set("done", "other", "edited")));
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal((2, 2), (world.Journal[^2].Entries.Single(e => e.Kind == EntryKind.EnrollmentAdapted).Enrollment, world.Journal[^1].Entries.Single(e => e.Kind == EntryKind.EnrollmentEnded).Enrollment));
        Assert.Equal(world.Number("a"), world.Journal[^2].Entries.Single(e => e.Kind == EntryKind.EnrollmentEnded).Workflow);
        Assert.Equal("edited", world.Text("other"));
    }

    [Fact]
    public void EDT_08_An_edit_that_was_taken_back_is_none_for_who_had_no_turn_in_between()
    {
        var until = new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition("at", 0, 0, FollowProperty: false) };
        var world = new World().Publish(Of(Define.Delay("d", until, "done"), Done));
        world.Set("at", "2026-01-20T00:00:00Z");
        world.Enroll("w");
        world.Set("at", "2026-01-10T00:00:00Z");
        var due = world.State.NextDueAt;
        world.Publish(Of(Define.Delay("d", 1, DelayUnit.Days, "done"), Done));
        world.Publish(Of(Define.Delay("d", until, "done"), Done));
        world.Set("name", "n");
        Assert.Equal(due, world.State.NextDueAt);
    }

    [Fact]
    public void ENG_04_Timeouts_of_tasks_go_by_step_id_also_when_a_publish_removed_the_step()
    {
        var hour = TimeSpan.FromHours(1);
        var last = Define.Work("a", "done", timeout: hour);
        var world = new World().Publish(Of(Define.Work("b", "a", wait: false, timeout: hour), last, Done));
        world.Enroll("w");
        var removed = world.Step("w", "b");
        world.Publish(Of(last, Done));
        world.Pass(hour);
        Assert.Equal([world.Step("w", "a"), removed], world.Entries(EntryKind.EffectCompleted).Select(e => e.Step));
    }

    [Fact]
    public void EDT_08_A_waits_new_condition_counts_from_the_publish_and_its_timeout_from_its_start()
    {
        var world = new World().Publish(Of(Define.WaitEvent("e", "clicked", "done", TimeSpan.FromDays(3)), Done));
        world.Enroll("w");
        world.Event("bought");
        world.Pass(TimeSpan.FromDays(1));
        world.Publish(Of(Define.WaitEvent("e", "bought", "done", TimeSpan.FromDays(2)), Done));
        world.Event("clicked");
        Assert.Equal(("", World.Start.PlusMs(2 * 86_400_000L)), (world.Text("other"), world.State.NextDueAt));
        world.Event("bought");
        Assert.Equal("done", world.Text("other"));
        Assert.True(world.State.NextDueAt.IsNone);
    }

    [Fact]
    public void EDT_08_A_filter_wait_with_a_new_filter_and_a_timeout_that_is_past()
    {
        var world = new World().Publish(Of(Define.WaitFor("e", IsWon, "done"), Done, Define.Set("late", "other", "late")));
        world.Set("name", "ada");
        world.Enroll("w");
        world.Publish(Of(Define.WaitFor("e", Define.All(Define.Eq("name", "ada")), "done"), Done, Define.Set("late", "other", "late")));
        world.Refresh("w");
        Assert.Equal("", world.Text("other"));
        world.Pass(TimeSpan.FromDays(2));
        world.Publish(Of(Define.WaitFor("e", IsWon, "done", TimeSpan.FromDays(1), "late"), Done, Define.Set("late", "other", "late")));
        world.Refresh("w");
        Assert.Equal("late", world.Text("other"));
        Assert.Equal("e Success timeout", world.Results("w").First());
    }

    [Theory]
    [InlineData("delay", "next")]
    [InlineData("task", "next")]
    [InlineData("wait", "late")]
    [InlineData("window", "next")]
    [InlineData("held", "next")]
    public void EDT_08_EDT_09_Occupants_of_a_deleted_step_go_on_at_its_surviving_successor(string phase, string expected)
    {
        StepDefinition first = phase switch
        {
            "delay" => Define.Delay("a", 9, DelayUnit.Days, "gone"),
            "task" => Define.Work("a", "gone"),
            "wait" => Define.WaitEvent("a", "clicked", "gone", TimeSpan.FromDays(9), "late"),
            _ => Define.Set("a", "score", "1", "gone"),
        };
        StepDefinition[] rest = [Define.Set("next", "other", "next"), Define.Set("late", "other", "late")];
        var windows = phase == "window" ? Define.Open("20:00", "21:00") : null;
        var world = new World().Publish(Of([first, Define.Set("gone", "name", "gone", "next"), .. rest]) with { Windows = windows }, phase == "held" ? WorkflowState.Paused : WorkflowState.On);
        world.Enroll("w");
        world.Switch("w", WorkflowState.On);
        world.Publish(Of(rest) with { Windows = null });
        if (phase == "held")
        {
            Assert.Equal(StepPhase.Held, world.State.Enrollments[0].Phase);
        }

        world.Refresh("w");
        if (phase == "task")
        {
            // It is not recalled; the enrollment moves on at its completion (EDT-10).
            Assert.Equal("", world.Text("other"));
            world.Complete("w", "a");
        }

        Assert.Equal(expected, world.Text("other"));
        Assert.Equal(["Completed"], world.Ends("w"));
        Assert.Equal("", world.Text("name"));
    }

    [Theory]
    [InlineData("default", "default")]
    [InlineData("", "first")]
    public void EDT_09_Through_a_deleted_branch_by_the_default_else_the_first_branch(string defaultNext, string expected)
    {
        StepDefinition[] ways = [Define.Set("first", "other", "first"), Define.Set("second", "other", "second"), Define.Set("default", "other", "default")];
        var world = new World().Publish(Of([Define.Delay("d", 1, DelayUnit.Days, "b"), Define.Branch("b", defaultNext, ("one", IsWon, "first"), ("two", IsWon, "second")), .. ways]));
        world.Set("stage", "won");
        world.Enroll("w");
        world.Publish(Of(ways));
        world.Refresh("w");
        Assert.Equal(expected, world.Text("other"));
    }

    [Fact]
    public void EDT_09_Without_a_surviving_successor_it_completes_also_in_a_circle()
    {
        foreach (var next in new[] { "gone", "d" })
        {
            var world = new World().Publish(Of(Define.Delay("d", 1, DelayUnit.Days, "gone"), Define.Set("gone", "name", "x", next == "d" ? "d" : "")));
            world.Enroll("w");
            world.Publish(Of(Done));
            world.Refresh("w");
            Assert.Equal(["Completed"], world.Ends("w"));
            Assert.Equal("", world.Text("other"));
        }
    }

    [Fact]
    public void EDT_09_A_step_that_an_older_version_had_is_followed_by_the_connections_of_the_version_that_had_it_last()
    {
        var world = new World().Publish(Of(Define.Delay("d", 9, DelayUnit.Days, "a"), Define.Set("a", "other", "a"), Define.Set("b", "other", "b")));
        world.Enroll("w");
        world.Publish(Of(Define.Delay("d", 9, DelayUnit.Days, "b"), Define.Set("a", "other", "a"), Define.Set("b", "other", "b")));
        world.Publish(Of(Define.Set("a", "other", "a"), Define.Set("b", "other", "b")));
        world.Refresh("w");
        Assert.Equal("b", world.Text("other"));
    }

    [Fact]
    public void EDT_09_SCH_08_In_a_date_anchored_list_the_next_step_is_the_next_by_instant()
    {
        WorkflowDefinition Anchored(params string[] ids) => Define.Workflow("w", Define.OnAnchor("2026-03-01"), [.. ids.Select(id => Define.Put(id, "name", SetMode.Append, value: id).At(id[0] - 'a', "09:00"))]);
        var world = new World().Publish(Anchored("c", "a", "b"));
        world.Enroll("w");
        world.Publish(Anchored("c", "b"));
        world.Refresh("w");
        Assert.Equal(At("2026-03-02T09:00:00Z"), world.State.NextDueAt);
        world.Pass(TimeSpan.FromDays(90));
        Assert.Equal("bc", world.Text("name"));
    }

    [Theory]
    [InlineData("wait-to-delay")]
    [InlineData("window-to-task")]
    [InlineData("task-to-set")]
    public void EDT_10_A_step_that_changes_its_kind_is_entered_anew(string change)
    {
        var (old, replaced) = change switch
        {
            "wait-to-delay" => (Define.WaitEvent("a", "clicked", "done"), Define.Delay("a", 2, DelayUnit.Days, "done")),
            "window-to-task" => (Define.Set("a", "name", "set", "done"), Define.Work("a", "done")),
            _ => (Define.Work("a", "done"), Define.Set("a", "name", "set", "done")),
        };
        var world = new World().Publish(Of(old, Done) with { Windows = change == "window-to-task" ? Define.Open("20:00", "21:00") : null });
        world.Enroll("w");
        world.Pass(TimeSpan.FromHours(1));
        world.Publish(Of(replaced, Done));
        world.Refresh("w");
        switch (change)
        {
            case "wait-to-delay":
                Assert.Equal(World.Start.PlusMs(49 * 3_600_000L), world.State.NextDueAt);
                break;
            case "window-to-task":
                Assert.Equal(1, world.State.OpenEffects.Length);
                break;
            default:
                Assert.Equal("", world.Text("name"));
                world.Complete("w", "a");
                Assert.Equal(("set", "done"), (world.Text("name"), world.Text("other")));
                break;
        }
    }

    [Fact]
    public void EDT_11_Pinned_enrollments_finish_on_the_steps_and_windows_of_their_version()
    {
        var pinned = Of(Define.Delay("d", 3, DelayUnit.Days, "done"), Done) with { PublishPolicy = PublishPolicy.Pinned };
        var world = new World().Publish(pinned);
        world.Enroll("w");
        world.Publish(Of(Define.Delay("d", 1, DelayUnit.Days, "done"), Define.Set("done", "other", "new")) with { PublishPolicy = PublishPolicy.Pinned, Windows = Define.Open("01:00", "02:00") });
        world.Refresh("w");
        world.Pass(TimeSpan.FromDays(2));
        Assert.Equal(1, world.State.Enrollments.Length);
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal("done", world.Text("other"));
        Assert.DoesNotContain(world.Journal.SelectMany(t => t.Entries), e => e.Kind == EntryKind.EnrollmentAdapted);
    }

    [Theory]
    [InlineData("goal", "GoalMet")]
    [InlineData("list", "Suppressed")]
    [InlineData("trigger", "UnenrollmentTrigger")]
    [InlineData("off", "Completed")]
    public void EDT_11_Suppression_triggers_goals_and_state_always_follow_the_newest_version(string what, string end)
    {
        var pinned = Of(Define.Delay("d", 3, DelayUnit.Days, "done"), Done) with { PublishPolicy = PublishPolicy.Pinned };
        var world = new World().List("blocked").Publish(pinned);
        world.Enroll("w");
        world.Publish(what switch
        {
            "goal" => pinned.WithGoal(IsWon),
            "list" => pinned with { SuppressionLists = ["blocked"] },
            "trigger" => pinned with { UnenrollWhen = IsWon },
            _ => pinned,
        });
        if (what == "off")
        {
            world.Switch("w", WorkflowState.Off).Pass(TimeSpan.FromDays(3));
        }

        world.Set("stage", "won");
        world.AddToList("blocked");
        Assert.Equal([end], world.Ends("w"));
        Assert.Equal("", world.Text("other"));
    }

    [Fact]
    public void EDT_11_A_command_moves_the_pinned_enrollments_of_one_workflow_to_the_newest()
    {
        var pinned = Of(Define.Delay("d", 3, DelayUnit.Days, "done"), Done) with { PublishPolicy = PublishPolicy.Pinned };
        var world = new World().Publish(pinned).Publish(pinned with { Id = "x" });
        world.Enroll("w");
        world.Enroll("x");
        var edited = Of(Define.Delay("d", 5, DelayUnit.Days, "done"), Done) with { PublishPolicy = PublishPolicy.Pinned };
        world.Publish(edited).Publish(edited with { Id = "x" });
        world.Refresh("w", movesPinned: true);
        Assert.Equal([2, 1], world.State.Enrollments.ToArray().Select(e => e.Version));
        Assert.Equal(World.Start.PlusMs(5 * 86_400_000L), world.State.Enrollments[0].DueAt);
    }

    [Fact]
    public void EDT_11_A_pinned_wait_still_hears_what_only_its_version_listens_to()
    {
        var pinned = Of(Define.WaitEvent("e", "list_joined", "done", where: Define.Eq("list", "vip")), Done) with { PublishPolicy = PublishPolicy.Pinned };
        var status = pinned with { Id = "s", Steps = [Define.WaitFor("e", Define.All(Define.Status("w", WorkflowStatus.Completed)), "done"), Define.Set("done", "name", "done")] };
        var clock = pinned with { Id = "c", Steps = [Define.WaitFor("e", Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1")), "done"), Define.Set("done", "score", "1")] };
        var world = new World().List("vip").Publish(pinned).Publish(status).Publish(clock);
        world.Set("at", "2026-01-05T10:00:00Z");
        foreach (var id in new[] { "w", "s", "c" })
        {
            world.Enroll(id);
            world.Publish(Of(Done) with { Id = id, PublishPolicy = PublishPolicy.Pinned });
        }

        world.AddToList("vip");
        Assert.Equal(("done", "done"), (world.Text("other"), world.Text("name")));
        world.Pass(TimeSpan.FromDays(3));
        Assert.Equal("1", world.Text("score"));
    }

    [Theory]
    [InlineData("delay")]
    [InlineData("window")]
    [InlineData("anchor")]
    public void DLY_18_Computing_due_instants_again_changes_nothing_where_no_zone_changed(string phase)
    {
        var workflow = phase switch
        {
            "delay" => Of(Define.Delay("d", 3, DelayUnit.Days, "done"), Done),
            "window" => Of(Done) with { Windows = Define.Open("11:30", "11:59", TimeSpan.FromMinutes(20)) },
            _ => Define.Workflow("w", Define.OnAnchor("2026-03-01"), Done.At(0, "09:00")),
        };
        var world = new World().Publish(workflow);
        world.Enroll("w");
        var due = world.State.NextDueAt;
        var again = new RefreshInput(0, 0, Timestamp.None, movesPinned: false) { RecomputesDelays = true };
        Assert.Equal(TurnStatus.Nothing, world.Run(again).Status);
        world.Publish(workflow with { Goals = [new GoalDefinition("g", IsWon)] });
        Assert.Equal(TurnStatus.Applied, world.Run(again).Status);
        Assert.Equal(due, world.State.NextDueAt);
    }

    [Fact]
    public void EDT_12_Changed_triggers_never_touch_active_enrollments()
    {
        var workflow = Define.Workflow("w", Define.OnFilter(IsWon), Define.Delay("d", 3, DelayUnit.Days, "done"), Done);
        var world = new World().Publish(workflow);
        world.Set("stage", "won");
        world.Publish(workflow with { Start = Define.OnEvent("clicked", onlyIf: Define.All(Define.Eq("name", "never"))) });
        world.Refresh("w");
        world.Set("stage", "x");
        world.Pass(TimeSpan.FromDays(3));
        Assert.Equal("done", world.Text("other"));
    }

    [Fact]
    public void EDT_12_SCH_07_A_changed_anchor_moves_the_waiting_step()
    {
        var workflow = Define.Workflow("w", Define.OnAnchor("2026-03-01"), Done.At(0, "09:00"));
        var world = new World().Publish(workflow);
        world.Enroll("w");
        world.Publish(workflow with { Start = Define.OnAnchor("2026-04-01") });
        world.Refresh("w");
        Assert.Equal(At("2026-04-01T09:00:00Z"), world.State.NextDueAt);
        world.Publish(workflow with { Start = Define.OnAnchor("2026-02-01"), Steps = [Done.At(2, "10:00")] });
        world.Refresh("w");
        Assert.Equal(At("2026-02-03T10:00:00Z"), world.State.NextDueAt);
    }

    [Fact]
    public void EDT_06_REC_19_A_baseline_turn_lets_go_on_what_a_publish_let_go()
    {
        var world = new World().Publish(Of(Define.Delay("d", 3, DelayUnit.Days, "done"), Done));
        world.Enroll("w");
        world.Publish(Of(Done));
        world.Event("", Timestamp.None, "base", true, [], ("stage", "won"));
        Assert.Equal("done", world.Text("other"));
        Assert.Equal(["Completed"], world.Ends("w"));
    }

    [Theory]
    [InlineData("timer")]
    [InlineData("completion")]
    [InlineData("command")]
    public void EDT_06_Every_kind_of_turn_adapts(string how)
    {
        var world = new World().Publish(Of(Define.Work("t", "d", wait: false), Define.Delay("d", 1, DelayUnit.Days, "a"), Define.Set("a", "other", "a"), Define.Set("b", "other", "b")));
        world.Enroll("w");
        world.Publish(Of(Define.Work("t", "b", wait: false), Define.Set("b", "other", "b"), Define.Delay("d", 1, DelayUnit.Hours, "b")));
        _ = how switch { "timer" => world.Pass(TimeSpan.FromDays(1)).State.Id, "completion" => $"{world.Complete("w", "t")}", _ => $"{world.Unenroll("w")}" };
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(how == "command" ? "" : "b", world.Text("other"));
    }

    [Fact]
    public void EDT_06_At_a_publish_in_every_phase_at_the_due_instant_a_step_runs_once()
    {
        foreach (var step in new[] { Define.Delay("a", 1, DelayUnit.Hours, "s"), Define.WaitEvent("a", "clicked", "s", TimeSpan.FromHours(1)), Define.Work("a", "s", timeout: TimeSpan.FromHours(1)) })
        {
            StepDefinition[] rest = [Define.Put("s", "score", SetMode.Increment, value: "1", next: "d"), Define.Delay("d", 9, DelayUnit.Days)];
            var world = new World().Publish(Of([step, .. rest]));
            world.Enroll("w");
            world.Publish(Of([step, .. rest, Define.Set("more", "name", "n")]));
            world.Pass(TimeSpan.FromHours(1));
            Assert.Equal(("1", StepPhase.Delay), (world.Text("score"), world.State.Enrollments[0].Phase));
        }
    }

    private static WorkflowDefinition Of(params StepDefinition[] steps) => Define.Workflow("w", Define.ByHand(), steps);

    private static Timestamp At(string text) => Timestamp.FromInstant(InstantPattern.ExtendedIso.Parse(text).Value);
}
