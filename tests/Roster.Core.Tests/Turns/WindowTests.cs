using NodaTime.Text;
using Roster.Core.Calendars;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Execution windows (section 18 of the rules). Their calendar is tested in Calendars. The start is Monday 2026-01-05 12:00 UTC.</summary>
public sealed class WindowTests
{
    private static readonly StepDefinition Step = Define.Set("s", "other", "x");
    private static readonly WorkflowDefinition Plain = Define.Workflow("w", Define.ByHand(reenroll: true), Step);

    [Theory]
    [InlineData("12:00", "17:00", "")]
    [InlineData("09:00", "12:00", "2026-01-06T09:00:00Z")]
    [InlineData("13:30", "17:00", "2026-01-05T13:30:00Z")]
    [InlineData("22:00", "06:00", "2026-01-05T22:00:00Z")]
    public void WIN_01_WIN_02_WIN_05_An_action_outside_its_window_moves_to_the_earliest_allowed_instant(string start, string end, string moved)
    {
        var world = new World().Publish(Plain with { Windows = Define.Open(start, end) });
        world.Enroll("w");
        Assert.Equal(moved.Length == 0 ? "x" : "", world.Text("other"));
        if (moved.Length > 0)
        {
            Assert.Equal(At(moved), world.State.NextDueAt);
            Assert.Equal(StepPhase.Window, world.State.Enrollments[0].Phase);
            world.Pass(TimeSpan.FromDays(1));
            Assert.Equal("x", world.Text("other"));
            Assert.Equal(At(moved), world.Journal[^1].At);
        }
    }

    [Fact]
    public void WIN_01_Windows_are_in_the_workflows_zone_and_several_per_day_are_allowed()
    {
        var windows = new WindowsDefinition([new WindowDefinition(Weekdays.MondayToFriday, "08:00", "09:00"), new WindowDefinition(Weekdays.Monday, "07:30", "07:45")], [], TimeSpan.Zero);
        var world = new World().Publish(Plain with { Windows = windows, TimeZone = "America/New_York" });
        world.Enroll("w");
        Assert.Equal(At("2026-01-05T12:30:00Z"), world.State.NextDueAt);
    }

    [Fact]
    public void WIN_03_Only_actions_are_moved_external_ones_too()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.OnEvent("clicked", allowNew: true), Define.Branch("b", "", ("yes", Define.All(Define.Happened("clicked")), "d")), Define.Delay("d", 1, DelayUnit.Hours, "e"), Define.WaitEvent("e", "bought", "t"), Define.Work("t", "s"), Step) with
        { Windows = Define.Open("01:00", "02:00") });
        world.Event("clicked");
        world.Pass(TimeSpan.FromHours(1));
        world.Event("bought");
        Assert.Equal("enroll:w w.b w.d w.e w.t", world.Story());
        Assert.Equal(0, world.State.OpenEffects.Length);
        world.Pass(TimeSpan.FromHours(12));
        Assert.Equal(1, world.State.OpenEffects.Length);
        Assert.Equal("", world.Text("other"));
        world.Complete("w", "t");
        Assert.Equal("x", world.Text("other"));
    }

    [Fact]
    public void WIN_04_Blocked_dates_are_whole_local_days_also_of_every_year()
    {
        var world = new World().Publish(Plain with { Windows = Define.Open("00:00", "00:00", blocked: ["2026-01-05", "01-06"]) });
        world.Enroll("w");
        Assert.Equal(At("2026-01-07T00:00:00Z"), world.State.NextDueAt);
        var next = new World { Now = At("2027-01-05T12:00:00Z") }.Publish(Plain with { Windows = Define.Open("00:00", "00:00", blocked: ["2026-01-05", "01-06"]) });
        next.Enroll("w");
        Assert.Equal("x", next.Text("other"));
        next.Now = At("2027-01-06T12:00:00Z");
        next.Enroll("w");
        Assert.Equal(At("2027-01-07T00:00:00Z"), next.State.NextDueAt);
    }

    [Fact]
    public void WIN_05_A_window_that_has_closed_by_the_time_it_runs_moves_it_again()
    {
        var world = new World().Publish(Plain with { Windows = Define.Open("13:00", "14:00") });
        world.Enroll("w");
        world.Down(TimeSpan.FromHours(3));
        Assert.Equal("", world.Text("other"));
        Assert.Equal(At("2026-01-06T13:00:00Z"), world.State.NextDueAt);
        Assert.Single(world.Entries(EntryKind.StepRescheduled));
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal("x", world.Text("other"));
    }

    [Fact]
    public void WIN_06_A_moved_action_is_spread_by_hash_and_never_past_the_end_of_the_window()
    {
        var offsets = new HashSet<long>();
        foreach (var (end, max) in new[] { ("17:00", 900_000), ("13:05", 300_000) })
        {
            var world = new World().Publish(Plain with { Windows = Define.Open("13:00", end, TimeSpan.FromMinutes(15)) });
            for (var i = 0; i < 15; i++)
            {
                world.Enroll("w");
                var offset = world.State.NextDueAt.Ms - At("2026-01-05T13:00:00Z").Ms;
                Assert.InRange(offset, 0, max - 1);
                offsets.Add(offset);
                world.Unenroll("w");
            }
        }

        Assert.True(offsets.Count > 20, $"{offsets.Count} instants");
    }

    [Fact]
    public void WIN_06_An_action_inside_a_window_is_not_spread()
    {
        var world = new World().Publish(Plain with { Windows = Define.Open("09:00", "17:00", TimeSpan.FromHours(1)) });
        world.Enroll("w");
        Assert.Equal("x", world.Text("other"));
    }

    [Theory]
    [InlineData("goal", "GoalMet")]
    [InlineData("list", "Suppressed")]
    public void WIN_07_Exits_and_goals_are_checked_again_when_the_moved_action_runs(string how, string end)
    {
        var workflow = Plain with { Windows = Define.Open("13:00", "14:00") };
        var world = new World().List("blocked").Publish(workflow);
        world.Enroll("w");
        Assert.Equal((int)StepPhase.Window, world.Entries(EntryKind.StepEntered).Single().Code);
        world.AddToList("blocked");
        world.Set("stage", "won");
        world.Publish(how == "goal" ? workflow.WithGoals(new GoalDefinition("g", Define.All(Define.Eq("stage", "won")))) : workflow with { SuppressionLists = ["blocked"] });
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal([end], world.Ends("w"));
        Assert.Equal("", world.Text("other"));
    }

    [Fact]
    public void WIN_08_A_publish_that_changes_windows_computes_moved_actions_again()
    {
        var world = new World().Publish(Plain with { Windows = Define.Open("20:00", "21:00") });
        world.Enroll("w");
        world.Publish(Plain with { Windows = Define.Open("15:00", "16:00") });
        world.Refresh("w");
        Assert.Equal(At("2026-01-05T15:00:00Z"), world.State.NextDueAt);
        world.Publish(Plain with { Windows = Define.Open("22:00", "23:00") });
        world.Refresh("w");
        Assert.Equal(At("2026-01-05T22:00:00Z"), world.State.NextDueAt);
        Assert.Equal("", world.Text("other"));
        world.Publish(Plain);
        world.Refresh("w");
        Assert.Equal("x", world.Text("other"));
        Assert.Single(world.Results("w"));
        Assert.Equal(1, world.Entries(EntryKind.StepEntered).Single().Execution);
    }

    [Fact]
    public void WIN_08_WIN_06_Windows_that_stay_the_same_leave_the_spread_instant_alone()
    {
        var workflow = Plain with { Windows = Define.Open("13:00", "17:00", TimeSpan.FromHours(2)) };
        var world = new World().Publish(workflow);
        for (var i = 0; i < 5; i++)
        {
            world.Enroll("w");
            if (world.State.NextDueAt.Ms > At("2026-01-05T13:30:00Z").Ms)
            {
                break;
            }

            world.Unenroll("w");
        }

        var due = world.State.NextDueAt;
        Assert.True(due.Ms > At("2026-01-05T13:30:00Z").Ms);
        world.Pass(TimeSpan.FromMinutes(75));
        world.Publish(workflow with { Goals = [new GoalDefinition("g", Define.All(Define.Eq("stage", "never")))] });
        world.Refresh("w");
        Assert.Equal((due, ""), (world.State.NextDueAt, world.Text("other")));
    }

    [Fact]
    public void WIN_08_ENG_04_A_publish_and_the_timer_of_a_moved_action_run_it_once()
    {
        var workflow = Define.Workflow("w", Define.ByHand(), Define.Put("s", "score", SetMode.Increment, value: "1", next: "d"), Define.Delay("d", 1, DelayUnit.Days, "t"), Define.Set("t", "other", "late"));
        foreach (var windows in new[] { Define.Open("13:00", "17:00"), null })
        {
            var world = new World().Publish(workflow with { Windows = Define.Open("13:00", "17:00") });
            world.Enroll("w");
            world.Publish(workflow with { Windows = windows });
            world.Now = At("2026-01-05T13:00:00Z");
            world.RunOne(Roster.Core.Turns.TimerInput.Instance);
            Assert.Equal(("1", StepPhase.Delay, ""), (world.Text("score"), world.State.Enrollments[0].Phase, world.Text("other")));
        }
    }

    [Fact]
    public void WIN_08_EDT_03_Windows_that_never_open_are_told()
    {
        var never = Enumerable.Range(1, 31).Select(d => $"01-{d:00}").ToArray();
        var world = new World().Publish(Plain with { Windows = Define.Open("00:00", "00:00", blocked: never) });
        Assert.True(world.Compiled("w").Settings.Windows!.HasOpening(World.Start));
        var all = Enumerable.Range(0, 366).Select(i => new NodaTime.LocalDate(2024, 1, 1).PlusDays(i)).Select(d => $"{d.Month:00}-{d.Day:00}").ToArray();
        var closed = new World().Publish(Plain with { Windows = Define.Open("00:00", "00:00", blocked: all) });
        Assert.False(closed.Compiled("w").Settings.Windows!.HasOpening(World.Start));

        // It can be published nowhere; should it come to be so, the action waits and does not run outside.
        closed.Enroll("w");
        Assert.Equal("", closed.Text("other"));
        closed.Pass(TimeSpan.FromDays(900));
        Assert.Equal("", closed.Text("other"));
    }

    [Fact]
    public void WIN_01_EDT_04_An_action_that_was_moved_falls_due_when_the_window_opens()
    {
        var world = new World().Publish(Plain with { Windows = Define.Open("13:00", "14:00") });
        world.Enroll("w");
        world.Switch("w", WorkflowState.Off);
        world.Pass(TimeSpan.FromMinutes(30));
        world.Switch("w", WorkflowState.On);
        world.Pass(TimeSpan.FromMinutes(30));
        Assert.Equal(["s Success"], world.Results("w"));
        world.Pass(TimeSpan.FromHours(20));
        world.Enroll("w");
        world.Switch("w", WorkflowState.Off);
        world.Pass(TimeSpan.FromHours(9));
        Assert.Equal(["s Success", "s SkippedOff"], world.Results("w"));
    }

    private static Timestamp At(string text) => Timestamp.FromInstant(InstantPattern.ExtendedIso.Parse(text).Value);
}
