using NodaTime.Text;
using Roster.Core.Calendars;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Delays in a workflow (section 16 of the rules). Their arithmetic is tested in Calendars. The start is Monday 2026-01-05 12:00 UTC.</summary>
public sealed class DelayTests
{
    private static readonly StepDefinition After = Define.Set("after", "other", "after");
    private static readonly StepDefinition Missed = Define.Set("missed", "other", "missed");

    public static TheoryData<string, string, string> Delays() => new()
    {
        { "DLY-02", "90 minutes", "2026-01-05T13:30:00Z" },
        { "DLY-02", "36 hours", "2026-01-07T00:00:00Z" },
        { "DLY-03", "2 days", "2026-01-07T12:00:00Z" },
        { "DLY-03", "1 weeks", "2026-01-12T12:00:00Z" },
        { "DLY-05", "2 days 09:00", "2026-01-07T09:00:00Z" },
        { "DLY-05", "0 days 09:00", "2026-01-06T09:00:00Z" },
        { "DLY-05", "0 days 15:00", "2026-01-05T15:00:00Z" },
        { "DLY-05", "24 hours 09:00", "2026-01-07T09:00:00Z" },
        { "DLY-06", "2 business", "2026-01-08T12:00:00Z" },
        { "DLY-07", "date 2026-02-01", "2026-02-01T00:00:00Z" },
        { "DLY-07", "date 2026-02-01 10:00", "2026-02-01T10:00:00Z" },
        { "DLY-08", "property -2", "2026-03-13T00:00:00Z" },
        { "DLY-08", "property 2 10:00", "2026-03-17T10:00:00Z" },
        { "DLY-08", "property +5h", "2026-03-15T05:00:00Z" },
        { "DLY-11", "fit 09:00", "2026-01-06T09:00:00Z" },
        { "DLY-11", "fit Wednesday", "2026-01-07T00:00:00Z" },
    };

    [Theory]
    [MemberData(nameof(Delays))]
    public void DLY_01_DLY_02_DLY_03_DLY_05_DLY_06_DLY_07_DLY_08_DLY_11_Each_kind_is_due_at_its_instant_and_goes_on_then(string rule, string text, string due)
    {
        Assert.StartsWith("DLY-", rule, StringComparison.Ordinal);
        var settings = TenantSettings.Default with { Holidays = [new NodaTime.LocalDate(2026, 1, 6)] };
        var world = new World(settings).Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", Setting(text), "after"), After));
        world.Set("day", "2026-03-15");
        world.Enroll("w");
        var at = Timestamp.FromInstant(InstantPattern.ExtendedIso.Parse(due).Value);
        Assert.Equal(at, world.State.NextDueAt);
        world.Pass(TimeSpan.FromMilliseconds(at.Ms - world.Now.Ms - 1));
        Assert.Equal("", world.Text("other"));
        world.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Equal("after", world.Text("other"));
        Assert.Equal(at, world.Journal[^1].At);
    }

    [Fact]
    public void DLY_01_A_delay_begins_and_ends_while_off_and_outside_windows()
    {
        var workflow = Define.Workflow("w", Define.ByHand(), Define.Delay("d", 12, DelayUnit.Hours, "b"), Define.Branch("b", "", ("yes", Define.All(Define.Is("stage", Operator.IsUnknown)), "e")), Define.Delay("e", 1, DelayUnit.Hours)) with { Windows = Define.Open("09:00", "17:00") };
        var world = new World().Publish(workflow);
        world.Enroll("w");
        world.Switch("w", WorkflowState.Off);
        world.Pass(TimeSpan.FromHours(13));
        Assert.Equal(["Completed"], world.Ends("w"));
    }

    [Theory]
    [InlineData("date 2026-01-05 11:59", true)]
    [InlineData("date 2026-01-05 12:00", false)]
    [InlineData("date 2026-01-01", true)]
    [InlineData("property 0", true)]
    public void DLY_09_A_date_delay_that_is_due_before_its_start_is_missed_and_one_at_its_start_is_not(string text, bool isMissed)
    {
        foreach (var hasWay in new[] { true, false })
        {
            var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", Setting(text), "after", hasWay ? "missed" : ""), After, Missed));
            world.Enroll("w");
            Assert.Equal(isMissed ? "d Skipped missed" : "d Success", world.Results("w").First());
            Assert.Equal(isMissed && hasWay ? "missed" : "after", world.Text("other"));
        }
    }

    [Fact]
    public void DLY_10_A_delay_follows_its_property_and_with_false_the_first_due_instant_stays()
    {
        foreach (var follows in new[] { true, false })
        {
            var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", Until(follows), "after", "missed"), After, Missed));
            world.Set("day", "2026-02-01");
            world.Enroll("w");
            world.Set("day", "2026-03-01");
            Assert.Equal(At(follows ? "2026-03-01T00:00:00Z" : "2026-02-01T00:00:00Z"), world.State.NextDueAt);
            world.Set("name", "n");
            world.Set("day", "2026-02-15");
            Assert.Equal(At(follows ? "2026-02-15T00:00:00Z" : "2026-02-01T00:00:00Z"), world.State.NextDueAt);
            world.Set("day", "");
            Assert.Equal(follows ? "missed" : "", world.Text("other"));
        }
    }

    [Theory]
    [InlineData("2026-01-01", "missed")]
    [InlineData("", "missed")]
    [InlineData("2026-01-07", "")]
    public void DLY_10_What_is_past_or_unknown_now_goes_on_in_that_turn(string day, string other)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", Until(follows: true), "after", "missed"), After, Missed));
        world.Set("day", "2026-02-01");
        world.Enroll("w");
        world.Set("day", day);
        Assert.Equal(other, world.Text("other"));
    }

    [Fact]
    public void DLY_10_A_change_by_a_step_of_another_workflow_moves_it_in_the_next_round_whichever_came_first()
    {
        foreach (var isFirst in new[] { true, false })
        {
            var changes = Define.Workflow("c", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "day", "2026-03-01"));
            var waits = Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Define.Delay("d", Until(follows: true), "after"), After);
            var world = new World().Together(isFirst ? [changes, waits] : [waits, changes]);
            world.Event("clicked", ("day", "2026-02-01"));
            Assert.Equal(At("2026-03-01T00:00:00Z"), world.State.NextDueAt);
            Assert.Equal(isFirst ? 0 : 1, world.Entries(EntryKind.StepRescheduled).Count());
        }
    }

    [Fact]
    public void DLY_10_A_datetime_at_the_very_instant_of_the_change_is_not_missed()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition("at", 0, 0, true) }, "after", "missed"), After, Missed));
        world.Set("at", "2026-02-01T00:00:00Z");
        world.Enroll("w");
        world.Set("at", "2026-01-05T12:00:00Z");
        Assert.Equal("after", world.Text("other"));
    }

    [Fact]
    public void DLY_16_A_timer_fires_once_and_never_early()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours, "s"), Define.Put("s", "score", SetMode.Increment, value: "1", next: "e"), Define.Delay("e", 1, DelayUnit.Hours)));
        world.Enroll("w");
        world.Now = world.Now.PlusMs(3_599_999);
        Assert.Equal(Roster.Core.Turns.TurnStatus.Nothing, world.RunOne(Roster.Core.Turns.TimerInput.Instance).Status);
        world.Now = world.Now.PlusMs(1);
        Assert.Equal(Roster.Core.Turns.TurnStatus.Applied, world.RunOne(Roster.Core.Turns.TimerInput.Instance).Status);
        Assert.Equal(Roster.Core.Turns.TurnStatus.Nothing, world.RunOne(Roster.Core.Turns.TimerInput.Instance).Status);
        Assert.Equal("1", world.Text("score"));
    }

    [Theory]
    [InlineData(CatchUp.Run, 60, "after", "after Success")]
    [InlineData(CatchUp.Skip, 15, "after", "after Success")]
    [InlineData(CatchUp.Skip, 16, "", "after SkippedCatchUp")]
    public void DLY_17_Overdue_timers_run_or_their_actions_are_skipped(CatchUp policy, int minutesLate, string other, string result)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours, "b"), Define.Branch("b", "", ("yes", Define.All(Define.Is("name", Operator.IsUnknown)), "after")), After with { Next = "e" }, Define.Delay("e", 1, DelayUnit.Hours, "f"), Define.Set("f", "name", "next")) with { CatchUp = policy });
        world.Enroll("w");
        world.Down(TimeSpan.FromMinutes(60 + minutesLate));
        Assert.Equal(other, world.Text("other"));
        Assert.Contains(result, world.Results("w"));

        // Only the turn of the late timer is skipped.
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal("next", world.Text("name"));
    }

    [Fact]
    public void DLY_17_The_grace_is_the_workflows_and_oldest_goes_first()
    {
        var world = new World()
            .Publish(Define.Workflow("b", Define.ByHand(), Define.Delay("d", 2, DelayUnit.Hours, "s"), Define.Set("s", "name", "b")) with { CatchUp = CatchUp.Skip, CatchUpGrace = TimeSpan.FromHours(3) })
            .Publish(Define.Workflow("a", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours, "s"), Define.Set("s", "name", "a")) with { CatchUp = CatchUp.Skip, CatchUpGrace = TimeSpan.Zero });
        world.Enroll("b");
        world.Enroll("a");
        world.Down(TimeSpan.FromHours(4));
        Assert.Equal("enroll:b b.d enroll:a a.d a.s end:a:Completed b.s end:b:Completed", world.Story());
        Assert.Equal("b", world.Text("name"));
        Assert.Equal(["d Success", "s SkippedCatchUp"], world.Results("a"));
    }

    [Fact]
    public void DLY_17_Spread_moves_due_instants_by_hash_into_the_span_and_they_fire_once()
    {
        var instants = new HashSet<Timestamp>();
        for (var i = 0; i < 20; i++)
        {
            var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Delay("d", 1, DelayUnit.Hours, "after"), After) with { CatchUp = CatchUp.Spread, CatchUpSpread = TimeSpan.FromMinutes(10) });
            for (var n = 0; n < i; n++)
            {
                world.Enroll("w");
                world.Unenroll("w");
                world.Pass(TimeSpan.FromMinutes(30));
            }

            world.Enroll("w");
            world.Down(TimeSpan.FromHours(5));
            Assert.Equal("", world.Text("other"));
            var moved = world.State.NextDueAt;
            Assert.InRange(moved.Ms - world.Now.Ms, 1, 600_000);
            instants.Add(new Timestamp(moved.Ms - world.Now.Ms));
            world.Pass(TimeSpan.FromMinutes(10));
            Assert.Equal(moved, world.Journal[^1].At);
            Assert.Equal("after", world.Text("other"));
        }

        Assert.True(instants.Count > 15, $"{instants.Count} instants");
    }

    [Fact]
    public void DLY_17_A_wait_and_a_moved_action_are_caught_up_too()
    {
        var wait = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.WaitEvent("e", "clicked", "", TimeSpan.FromHours(1), "after"), After) with { CatchUp = CatchUp.Skip });
        wait.Enroll("w");
        wait.Down(TimeSpan.FromHours(9));
        Assert.Equal(["e Success timeout", "after SkippedCatchUp"], wait.Results("w"));
        var action = new World().Publish(Define.Workflow("w", Define.ByHand(), After) with { CatchUp = CatchUp.Skip, Windows = Define.Open("13:00", "17:00") });
        action.Enroll("w");
        action.Down(TimeSpan.FromHours(3));
        Assert.Equal(["after SkippedCatchUp"], action.Results("w"));
    }

    [Theory]
    [InlineData("", "", "Europe/Berlin", "2026-01-06T08:00:00Z")]
    [InlineData("America/New_York", "", "Europe/Berlin", "2026-01-05T14:00:00Z")]
    [InlineData("America/New_York", "Asia/Tokyo", "Europe/Berlin", "2026-01-06T00:00:00Z")]
    [InlineData("", "", "", "2026-01-06T09:00:00Z")]
    public void DLY_19_The_zone_is_the_delays_else_the_workflows_else_the_tenants_else_UTC(string workflow, string delay, string tenant, string due)
    {
        var world = new World(TenantSettings.Default with { TimeZone = tenant.Length == 0 ? "UTC" : tenant });
        world.Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", new DelayDefinition(0, DelayUnit.Days) { TimeOfDay = "09:00", TimeZone = delay }, "after"), After) with { TimeZone = workflow });
        world.Enroll("w");
        Assert.Equal(At(due), world.State.NextDueAt);
    }

    [Theory]
    [InlineData("Asia/Tokyo", "2026-01-06T00:00:00Z")]
    [InlineData("", "2026-01-05T14:00:00Z")]
    [InlineData("Mars/Olympus", "2026-01-05T14:00:00Z")]
    public void DLY_19_A_property_may_hold_the_zone_and_unknown_or_invalid_gives_the_default(string zone, string due)
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("d", new DelayDefinition(0, DelayUnit.Days) { TimeOfDay = "09:00", TimeZoneProperty = "zone" }, "after"), After) with { TimeZone = "America/New_York" });
        world.Set("zone", zone);
        world.Enroll("w");
        Assert.Equal(At(due), world.State.NextDueAt);
    }

    private static DelayDefinition Until(bool follows) => new(null, DelayUnit.None) { Property = new PropertyDateDefinition("day", 0, 0, follows) };

    /// <summary>Reads <c>2 days 09:00</c>, <c>date 2026-02-01</c>, <c>property -2</c>, <c>fit Wednesday</c>.</summary>
    private static DelayDefinition Setting(string text)
    {
        var words = text.Split(' ');
        var none = new DelayDefinition(null, DelayUnit.None);
        var time = words[^1].Contains(':', StringComparison.Ordinal) ? words[^1] : string.Empty;
        return words[0] switch
        {
            "date" => none with { Date = words[1], TimeOfDay = time },
            "property" when words[1].EndsWith('h') => none with { Property = new PropertyDateDefinition("day", 0, int.Parse(words[1].AsSpan()[..^1], provider: null), true) },
            "property" => none with { Property = new PropertyDateDefinition("day", int.Parse(words[1], provider: null), 0, true), TimeOfDay = time },
            "fit" => none with { TimeOfDay = time, Weekdays = time.Length == 0 ? Enum.Parse<Weekdays>(words[1]) : Weekdays.None },
            _ => new DelayDefinition(int.Parse(words[0], provider: null), words[1] switch { "minutes" => DelayUnit.Minutes, "hours" => DelayUnit.Hours, "days" => DelayUnit.Days, "weeks" => DelayUnit.Weeks, _ => DelayUnit.BusinessDays }) { TimeOfDay = time },
        };
    }

    private static Timestamp At(string text) => Timestamp.FromInstant(InstantPattern.ExtendedIso.Parse(text).Value);

    [Fact]
    public void DLY_10_ENG_05_Delays_that_follow_a_property_go_on_oldest_workflow_first()
    {
        var until = new DelayDefinition(null, DelayUnit.None) { Property = new PropertyDateDefinition("at", 0, 0, FollowProperty: true) };
        WorkflowDefinition Of(string id) => Define.Workflow(id, Define.ByHand(), Define.Delay("d", until, "s"), Define.Set("s", "other", id));
        var world = new World().Publish(Of("a")).Publish(Of("b"));
        world.Set("at", "2026-02-01T00:00:00Z");
        world.Enroll("b");
        world.Enroll("a");
        world.Set("at", "2026-01-01T00:00:00Z");
        Assert.Equal([world.Number("a"), world.Number("b")], world.Last.Where(e => e.Kind == EntryKind.StepFinished).Take(2).Select(e => e.Workflow));
    }
}
