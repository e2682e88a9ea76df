using NodaTime.Text;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Schedules by a date of each record, and date anchors (section 9 of the rules). Runs by the calendar are started by the engine.</summary>
public sealed class ScheduleTests
{
    private static readonly CriteriaDefinition IsLead = Define.All(Define.Eq("stage", "lead"));
    private static readonly StepDefinition Step = Define.Set("s", "other", "x");

    [Theory]
    [InlineData(0, "2026-02-01T09:00:00Z")]
    [InlineData(-3, "2026-01-29T09:00:00Z")]
    [InlineData(10, "2026-02-11T09:00:00Z")]
    public void SCH_01_A_date_schedule_enrolls_so_many_days_after_or_before_the_property(int offset, string at)
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnDate("day", offset, "09:00"), Step));
        world.Set("day", "2026-02-01");
        Assert.Equal(At(at), world.State.NextDueAt);
        world.Pass(TimeSpan.FromDays(60));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        Assert.Equal(At(at), world.Journal[^1].At);
        Assert.Equal((int)TriggerKind.Schedule, world.Entries(EntryKind.Enrolled).Single().Subject);
        Assert.True(world.State.NextDueAt.IsNone);
    }

    [Fact]
    public void SCH_01_SCH_03_A_yearly_one_comes_every_year_and_re_enrolls_only_when_that_is_on()
    {
        foreach (var reenroll in new[] { true, false })
        {
            var world = new World().Publish(Define.Workflow("w", Define.OnDate("day", 0, "09:00", yearly: true, reenroll: reenroll), Step) with { TimeZone = "Europe/Berlin" });
            world.Set("day", "1990-02-01");
            world.Pass(TimeSpan.FromDays(800));
            Assert.Equal(reenroll ? ["Enrolled", "Enrolled", "Enrolled"] : ["Enrolled", "ReenrollmentOff", "ReenrollmentOff"], world.Decisions("w"));
            Assert.Equal(At("2028-02-01T08:00:00Z"), world.Journal[^1].At);
        }
    }

    [Fact]
    public void SCH_01_SCH_02_The_criteria_must_hold_and_a_changed_date_moves_the_run()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnDate("day", 0, "09:00", criteria: IsLead), Step));
        world.Set("day", "2026-02-01");
        world.Set("day", "2026-03-01");
        world.Pass(TimeSpan.FromDays(40));
        Assert.Empty(world.Decisions("w"));
        world.Set("stage", "lead");
        Assert.Empty(world.Decisions("w"));
        world.Pass(TimeSpan.FromDays(40));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        var other = new World().Publish(Define.Workflow("w", Define.OnDate("day", 0, "09:00", criteria: IsLead), Step));
        other.Set("day", "2026-02-01");
        other.Pass(TimeSpan.FromDays(40));
        Assert.Equal(["CriteriaNotMet"], other.Decisions("w"));
    }

    [Theory]
    [InlineData(false, CatchUp.Run, "Enrolled")]
    [InlineData(true, CatchUp.Run, "")]
    [InlineData(false, CatchUp.Skip, "")]
    public void SCH_05_Of_runs_missed_while_the_engine_was_down_the_latest_is_made_up_unless_it_is_to_be_skipped(bool skip, CatchUp policy, string decision)
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnDate("day", 0, "09:00", yearly: true, reenroll: true, skipMissed: skip), Step) with { CatchUp = policy });
        world.Set("day", "1990-02-01");
        world.Down(TimeSpan.FromDays(800));
        Assert.Equal(decision, string.Join(' ', world.Decisions("w")));
        Assert.Equal(At("2029-02-01T09:00:00Z"), world.State.NextDueAt);
    }

    [Fact]
    public void SCH_05_A_run_missed_while_the_workflow_was_off_is_lost_and_a_timer_of_its_instant_does_not_swallow_one()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnDate("day", 0, "09:00", yearly: true, reenroll: true), Step))
            .Publish(Define.Workflow("d", Define.ByHand(), Define.Delay("d", new DelayDefinition(null, DelayUnit.None) { Date = "2026-02-01", TimeOfDay = "09:00" }, "s"), Define.Set("s", "name", "n")));
        world.Set("day", "1990-02-01");
        world.Enroll("d");
        world.Pass(TimeSpan.FromDays(100));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        world.Switch("w", WorkflowState.Off).Pass(TimeSpan.FromDays(400));
        world.Switch("w", WorkflowState.On);
        world.Refresh("w", armsSince: world.Now);
        Assert.Single(world.Decisions("w"));
        world.Pass(TimeSpan.FromDays(400));
        Assert.Equal(2, world.Decisions("w").Count());
    }

    [Fact]
    public void SCH_04_29_February_counts_as_28_in_other_years_and_skipped_local_times_come_after_the_gap()
    {
        var leap = new World().Publish(Define.Workflow("w", Define.OnDate("day", 0, "09:00", yearly: true), Step));
        leap.Set("day", "2024-02-29");
        Assert.Equal(At("2026-02-28T09:00:00Z"), leap.State.NextDueAt);
        var gap = new World().Publish(Define.Workflow("w", Define.OnDate("day", 0, "02:30"), Step) with { TimeZone = "America/New_York" });
        gap.Set("day", "2026-03-08");
        Assert.Equal(At("2026-03-08T07:00:00Z"), gap.State.NextDueAt);
    }

    [Fact]
    public void SCH_06_SCH_08_Actions_run_at_their_instants_by_instant_then_by_definition_and_the_enrollment_completes_after_the_last()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.OnAnchor("2026-02-01", criteria: IsLead),
            Define.Put("c", "name", SetMode.Append, value: "c").At(1, "09:00"),
            Define.Put("a", "name", SetMode.Append, value: "a").At(-2, "10:00"),
            Define.Put("b", "name", SetMode.Append, value: "b").At(-2, "10:00"),
            Define.Put("z", "name", SetMode.Append, value: "z").At(-2, "09:00")));
        world.Set("stage", "lead");
        Assert.Equal((At("2026-01-30T09:00:00Z"), StepPhase.Anchor), (world.State.NextDueAt, world.State.Enrollments[0].Phase));
        world.Pass(TimeSpan.FromDays(60));
        Assert.Equal("zabc", world.Text("name"));
        Assert.Equal(["Completed"], world.Ends("w"));
        Assert.Equal([At("2026-01-30T09:00:00Z"), At("2026-01-30T10:00:00Z"), At("2026-02-02T09:00:00Z")], world.Journal.Skip(1).Select(t => t.At));
    }

    [Fact]
    public void SCH_08_Steps_whose_instant_is_before_the_enrollment_are_skipped_and_one_at_its_instant_runs()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.OnAnchor("2026-01-05"), Define.Set("a", "name", "a").At(-1, "09:00"), Define.Set("b", "other", "b").At(0, "12:00"), Define.Set("c", "stage", "c").At(0, "12:01")));
        world.Enroll("w");
        Assert.Equal(["a SkippedPast", "b Success"], world.Results("w"));
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(["Completed"], world.Ends("w"));
        Assert.Equal(("", "b", "c"), (world.Text("name"), world.Text("other"), world.Text("stage")));
    }

    [Fact]
    public void SCH_08_Branches_run_right_after_the_step_before_them()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.OnAnchor("2026-02-01"),
            Define.Set("a", "name", "a", "b").At(0, "09:00"),
            Define.Branch("b", "n", ("lead", IsLead, "y")),
            Define.Set("y", "other", "yes").At(1, "09:00"),
            Define.Set("n", "other", "no").At(1, "09:00")));
        world.Enroll("w");
        world.Set("stage", "lead");
        world.Pass(TimeSpan.FromDays(27));
        Assert.Equal("enroll:w w.a w.b w.y", world.Story());
        world.Set("stage", "x");
        world.Pass(TimeSpan.FromDays(2));
        Assert.Equal("yes", world.Text("other"));
    }

    [Theory]
    [InlineData("delay", "DELAY_WITH_ANCHOR")]
    [InlineData("no offset", "MISSING_FIELD")]
    [InlineData("offset on a branch", "NOT_AN_ACTION")]
    [InlineData("offset without anchor", "NO_ANCHOR")]
    [InlineData("date and property", "DATE_OR_PROPERTY")]
    [InlineData("wrong type", "WRONG_TYPE")]
    public void SCH_06_What_is_no_date_anchored_workflow_is_refused(string what, string code)
    {
        var branch = Define.Branch("b", "", ("yes", IsLead, "s"));
        var workflow = what switch
        {
            "delay" => Define.Workflow("w", Define.OnAnchor("2026-02-01"), Step.At(0, "09:00") with { Next = "d" }, Define.Delay("d", 1, DelayUnit.Days)),
            "no offset" => Define.Workflow("w", Define.OnAnchor("2026-02-01"), Step),
            "offset on a branch" => Define.Workflow("w", Define.OnAnchor("2026-02-01"), branch.At(0, "09:00"), Step.At(0, "09:00")),
            "offset without anchor" => Define.Workflow("w", Define.ByHand(), Step.At(0, "09:00")),
            "date and property" => Define.Workflow("w", Define.OnAnchor("2026-02-01", "day"), Step.At(0, "09:00")),
            _ => Define.Workflow("w", Define.OnAnchor(property: "stage"), Step.At(0, "09:00")),
        };
        WorkflowCompiler.Compile(workflow, new WorkflowIdentity("w", 1, 1, WorkflowState.On, World.Start), new World().Scope, id => id.GetHashCode(StringComparison.Ordinal) & 0xFF, _ => 1, out var problems);
        Assert.Contains(problems, p => p.IsError && p.Code == code);
    }

    [Fact]
    public void SCH_07_Changing_the_anchor_reschedules_waiting_steps_at_once_and_done_steps_are_not_repeated()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnAnchor(property: "day"), Define.Put("a", "name", SetMode.Append, value: "a").At(0, "09:00"), Define.Put("b", "name", SetMode.Append, value: "b").At(10, "09:00")));
        world.Set("day", "2026-01-20");
        world.Enroll("w");
        Assert.Equal(At("2026-01-20T09:00:00Z"), world.State.NextDueAt);
        world.Set("day", "2026-01-25");
        Assert.Equal(At("2026-01-25T09:00:00Z"), world.State.NextDueAt);
        world.Pass(TimeSpan.FromDays(22));
        Assert.Equal(("a", At("2026-02-04T09:00:00Z")), (world.Text("name"), world.State.NextDueAt));
        world.Set("day", "2026-03-01");
        Assert.Equal(("a", At("2026-03-11T09:00:00Z")), (world.Text("name"), world.State.NextDueAt));
        world.Pass(TimeSpan.FromDays(60));
        Assert.Equal("ab", world.Text("name"));
        Assert.Single(world.Entries(EntryKind.StepEntered), e => e.Step == world.Step("w", "b"));
    }

    [Theory]
    [InlineData("2026-01-06", "a")]
    [InlineData("2026-01-01", "")]
    public void SCH_07_SCH_08_An_anchor_that_moves_into_the_past_runs_what_is_after_the_enrollment_and_skips_what_is_before(string day, string name)
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnAnchor(property: "day"), Define.Set("a", "name", "a").At(0, "09:00")));
        world.Set("day", "2026-02-20");
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(10));
        world.Set("day", day);
        Assert.Equal(name, world.Text("name"));
        Assert.Equal(["Completed"], world.Ends("w"));
    }

    [Fact]
    public void SCH_07_An_unknown_anchor_refuses_and_one_that_is_cleared_later_completes()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnAnchor(property: "day", reenroll: true), Define.Set("a", "name", "a").At(0, "09:00"), Define.Set("b", "other", "b").At(1, "09:00")));
        Assert.Equal(Decision.AnchorUnknown, world.Enroll("w").Decision);
        world.Set("day", "2026-02-20");
        world.Enroll("w");
        world.Set("day", "");
        Assert.Equal(["Completed"], world.Ends("w"));
        Assert.Equal(("", ""), (world.Text("name"), world.Text("other")));
    }

    [Fact]
    public void SCH_07_WIN_05_An_action_that_waits_for_its_window_follows_the_anchor_too()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnAnchor(property: "day"), Define.Set("a", "name", "a").At(0, "09:00")) with { Windows = Define.Open("20:00", "21:00") });
        world.Set("day", "2026-01-06");
        world.Enroll("w");
        world.Pass(TimeSpan.FromHours(22));
        Assert.Equal(StepPhase.Window, world.State.Enrollments[0].Phase);
        world.Set("day", "2026-02-06");
        Assert.Equal((StepPhase.Anchor, At("2026-02-06T09:00:00Z")), (world.State.Enrollments[0].Phase, world.State.NextDueAt));
        world.Pass(TimeSpan.FromDays(60));
        Assert.Equal("a", world.Text("name"));
        Assert.Equal(At("2026-02-06T20:00:00Z"), world.Journal[^1].At);

        // From anchor to window, to the next anchor and its window: one step, entered once.
        Assert.Single(world.Entries(EntryKind.StepEntered));
    }

    [Fact]
    public void SCH_09_Annual_recurrence_enrolls_again_by_itself_at_the_start_of_the_day_of_the_first_step()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.OnAnchor("2020-02-01", annually: true), Define.Put("a", "name", SetMode.Append, value: "a").At(-2, "10:00"), Define.Put("b", "name", SetMode.Append, value: "b").At(3, "09:00")) with
        { TimeZone = "Europe/Berlin" });
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(800));
        Assert.Equal(["Enrolled", "Enrolled", "Enrolled"], world.Decisions("w"));
        Assert.Equal("ababab", world.Text("name"));
        var times = world.Journal.Where(t => t.Entries.Any(e => e.Kind == EntryKind.Enrolled)).Select(t => t.At);
        Assert.Equal([World.Start, At("2027-01-29T23:00:00Z"), At("2028-01-29T23:00:00Z")], times);
        Assert.Equal(At("2029-01-29T23:00:00Z"), world.State.NextDueAt);
    }

    [Fact]
    public void SCH_09_All_other_checks_apply_and_the_criteria_must_hold()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnAnchor("2020-02-01", annually: true, criteria: IsLead), Step.At(0, "10:00")).WithGoal(Define.All(Define.Eq("name", "done"))));
        world.Set("stage", "lead");
        world.Set("stage", "x");
        world.Pass(TimeSpan.FromDays(400));
        world.Event("", ("stage", "lead"), ("name", "done"));
        world.Pass(TimeSpan.FromDays(400));
        world.Set("name", "n");
        world.Pass(TimeSpan.FromDays(400));
        Assert.Equal(["Enrolled", "CriteriaNotMet", "ReenrollmentOff", "GoalAlreadyMet", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void SCH_09_While_off_it_is_lost_and_journals_nothing_and_the_year_after_it_comes_again()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnAnchor("2020-02-01", annually: true), Step.At(0, "10:00")));
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(100));
        world.Switch("w", WorkflowState.Off).Pass(TimeSpan.FromDays(365));
        world.Switch("w", WorkflowState.On).Pass(TimeSpan.FromDays(365));
        Assert.Equal(["Enrolled", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void SCH_09_SCH_07_It_follows_the_property()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnAnchor(property: "day", annually: true), Step.At(0, "10:00")));
        world.Set("day", "1990-02-01");
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(100));
        Assert.Equal(At("2027-02-01T00:00:00Z"), world.State.NextDueAt);
        world.Set("day", "1990-07-20");
        Assert.Equal(At("2027-07-20T00:00:00Z"), world.State.NextDueAt);
        world.Set("day", "1990-01-10");
        Assert.Equal(At("2027-01-10T00:00:00Z"), world.State.NextDueAt);
        world.Set("day", "");
        world.Set("day", "1990-03-10");
        world.Pass(TimeSpan.FromDays(365));
        Assert.Equal(["Enrolled", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void SCH_09_REC_16_A_deleted_record_does_not_come_back_by_itself()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnAnchor("2020-02-01", annually: true), Step.At(0, "10:00")));
        world.Enroll("w");
        world.Delete();
        Assert.True(world.State.NextDueAt.IsNone);
        world.Pass(TimeSpan.FromDays(800));
        world.Restore();
        world.Pass(TimeSpan.FromDays(800));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    private static Timestamp At(string text) => Timestamp.FromInstant(InstantPattern.ExtendedIso.Parse(text).Value);
}
