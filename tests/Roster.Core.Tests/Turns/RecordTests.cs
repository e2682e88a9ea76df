using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Records that come, go and come back (section 4 of the rules).</summary>
public sealed class RecordTests
{
    private static readonly CriteriaDefinition IsLead = Define.All(Define.Eq("stage", "lead"));
    private static readonly CriteriaDefinition IsWon = Define.All(Define.Eq("stage", "won"));
    private static readonly StepDefinition Waits = Define.Delay("wait", 30, DelayUnit.Days);

    [Theory]
    [InlineData("contact")]
    [InlineData("company")]
    [InlineData("deal")]
    [InlineData("ticket")]
    [InlineData("payment")]
    public void REC_02_Every_rule_holds_for_every_object_type(string type)
    {
        // Goals, suppression lists, date anchors and kick-out; unenrollment triggers.
        var world = new World(objectType: type).List("blocked").List("leads", IsLead).Together(
            Of("goal", Define.ByHand(), Waits).WithGoal(IsWon),
            Of("suppressed", Define.ByHand(), Waits) with { SuppressionLists = ["blocked"] },
            Of("trigger", Define.ByHand(), Waits) with { UnenrollWhen = IsWon },
            Of("anchor", Define.OnAnchor(property: "day"), Define.Set("s", "other", "x").At(0, "09:00")),
            Of("kicks", Define.OnFilter(Define.All(Define.InList("leads"))), Waits) with { UnenrollFrom = ["anchor"] });
        world.Set("day", "2026-03-01");
        foreach (var id in new[] { "goal", "suppressed", "trigger", "anchor" })
        {
            Assert.Equal(Decision.Enrolled, world.Enroll(id).Decision);
        }

        world.Set("stage", "lead");
        Assert.Equal(["EnrolledInOther"], world.Ends("anchor"));
        world.AddToList("blocked");
        world.Set("stage", "won");
        Assert.Equal(("GoalMet", "Suppressed", "UnenrollmentTrigger"), (world.Ends("goal").Single(), world.Ends("suppressed").Single(), world.Ends("trigger").Single()));

        WorkflowDefinition Of(string id, StartDefinition start, StepDefinition step) => Define.Workflow(id, start, step) with { ObjectType = type };
    }

    [Fact]
    public void REC_03_A_clear_is_a_change_and_clearing_again_is_none()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("property_changed", reenroll: true, where: [Define.Eq("property", "stage"), Define.Is("value", Operator.IsUnknown)]), Define.Set("s", "other", "x")));
        world.Set("stage", "a");
        world.Set("stage", "");
        world.Set("stage", "");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void REC_04_REC_05_Late_writes_leave_history_alone_and_a_step_writes_at_the_turn_time()
    {
        var ever = Define.All(Define.Is("stage", Operator.HasEverBeenEqualTo, "old"));
        var world = new World().Publish(Define.Workflow("h", Define.OnFilter(ever), Waits)).Publish(Define.Workflow("w", Define.OnEvent("clicked"), Define.Set("s", "stage", "step")));
        world.Set("stage", "new");
        world.Event("", World.Start.PlusMs(-5), "late", false, [], ("stage", "old"));
        Assert.Empty(world.Decisions("h"));
        world.Pass(TimeSpan.FromHours(1));
        world.Event("clicked");
        world.Event("", world.Now.PlusMs(-1), "between", false, [], ("stage", "x"));
        Assert.Equal("step", world.Text("stage"));
        world.Event("", world.Now, "same", false, [], ("stage", "y"));
        Assert.Equal("y", world.Text("stage"));
    }

    [Fact]
    public void REC_05_REC_06_Clearing_what_never_had_a_value_is_no_change_and_stores_its_time()
    {
        var world = new World();
        world.Event("", World.Start.PlusMs(-1_000), "clear", false, [], ("name", ""));
        Assert.DoesNotContain(world.Last, e => e.Kind == EntryKind.PropertyChanged);
        Assert.Equal(World.Start.PlusMs(-1_000), world.Last.Single(e => e.Kind == EntryKind.PropertyTouched).OccurredAt);
        world.Event("", World.Start.PlusMs(-2_000), "older", false, [], ("name", "x"));
        Assert.Equal("unknown", world.State.TryGetProperty(world.Property("name"), isBefore: false, out var view) && view.IsUnknown ? "unknown" : "known");
        Assert.Contains(world.Last, e => e.Kind == EntryKind.PropertyLate);
        world.Event("", World.Start, "newer", false, [], ("name", "x"));
        Assert.Equal("x", world.Text("name"));
        Assert.Equal(world.Head, world.Replay());
    }

    [Fact]
    public void FIL_31_LIM_01_The_newest_former_values_of_each_property_are_kept_and_no_more()
    {
        var world = new World(TenantSettings.Default with { PropertyHistoryMax = 10 });
        world.Set("name", "rare");
        world.Set("name", "other");
        for (var i = 0; i < 200; i++)
        {
            world.Set("stage", $"v{i}");
            world.Set("score", $"{i}");
        }

        string[] ever = ["v0", "v150", "v188", "v189", "v199"];
        foreach (var (value, index) in ever.Select((v, i) => (v, i)))
        {
            world.Publish(Define.Workflow($"w{index}", Define.OnFilter(Define.All(Define.Is("stage", Operator.HasEverBeenEqualTo, value), Define.Is("name", Operator.HasEverBeenEqualTo, "rare"), Define.Is("flag", Operator.IsKnown))), Define.Set("s", "other", "x")));
        }

        world.Set("flag", "true");
        Assert.Equal(["v189", "v199"], ever.Where((_, i) => world.Decisions($"w{i}").Any()));
        Assert.InRange(world.State.Sections.Count(s => s.Kind == SectionKind.PropertyHistory), 1, 4);
        Assert.Equal(world.Head, world.Replay());
    }

    [Fact]
    public void REC_05_A_late_clear_and_a_write_older_than_a_clear_change_nothing()
    {
        var world = new World();
        world.Set("stage", "a");
        world.Event("", World.Start.PlusMs(-1), "clear", false, [], ("stage", ""));
        Assert.Equal("a", world.Text("stage"));
        world.Pass(TimeSpan.FromMinutes(1));
        world.Set("stage", "");
        world.Event("", world.Now.PlusMs(-1), "older", false, [], ("stage", "b"));
        Assert.Equal("", world.Text("stage"));
        Assert.Equal(2, world.Entries(EntryKind.PropertyLate).Count());
    }

    [Fact]
    public void REC_08_Requests_share_the_window_but_not_the_names_of_events()
    {
        var world = new World().List("vip").Publish(Define.Workflow("w", Define.ByHand(), Waits));
        world.Event("clicked", World.Start, "x", false, []);
        Assert.Equal(Decision.Enrolled, world.Enroll("w", "x").Decision);
        Assert.Equal(TurnStatus.Duplicate, world.Enroll("w", "x").Status);
        Assert.Equal(TurnStatus.Duplicate, world.Event("clicked", World.Start, "x", false, []).Status);
    }

    [Fact]
    public void REC_09_A_request_by_hand_creates_the_record_at_the_turn_time_unless_upsert_is_off()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits));
        world.Now = World.Start.PlusMs(5);
        world.Enroll("w");
        Assert.Equal(World.Start.PlusMs(5), world.State.CreatedAt);
        var refused = new World(TenantSettings.Default with { Upsert = false }).Publish(Define.Workflow("w", Define.ByHand(), Waits));
        Assert.Equal((TurnStatus.Refused, RefusalReason.RecordGone), (refused.Enroll("w").Status, refused.Enroll("w").Refusal!.Reason));
        Assert.Empty(refused.Head);
    }

    [Fact]
    public void REC_11_A_trigger_that_ignores_the_creation_ignores_lists_joined_by_it_too()
    {
        var world = new World().List("leads", IsLead).Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.InList("leads")), fireOnCreate: false), Waits));
        world.Set("stage", "lead");
        Assert.Equal(["NewRecord"], world.Decisions("w"));
        world.Set("name", "n");
        Assert.Single(world.Decisions("w"));
    }

    [Fact]
    public void REC_16_Deleting_ends_enrollments_refuses_events_and_restoring_resumes_none()
    {
        var world = new World().List("vip").Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Define.Work("t", "s", wait: false), Define.Set("s", "other", "x", "wait"), Waits)).Publish(Define.Workflow("again", Define.OnEvent("clicked", reenroll: true), Define.Set("s", "name", "n")));
        world.Event("clicked", ("stage", "lead"));
        world.AddToList("vip");
        world.Delete();
        Assert.Equal(["Deleted"], world.Ends("w"));
        Assert.Equal(RefusalReason.RecordGone, world.Set("stage", "x").Refusal!.Reason);
        Assert.Equal(TurnStatus.Refused, world.AddToList("vip").Status);
        Assert.Equal(TurnStatus.Refused, world.Delete().Status);
        Assert.Equal(TurnStatus.Applied, world.Complete("w", "t", StepResult.Cancelled).Status);
        Assert.True(world.State.NextDueAt.IsNone);
        world.Restore();
        Assert.Equal(("lead", true, 0), (world.Text("stage"), world.IsMember("vip"), world.State.Enrollments.Length));
        world.Event("clicked");
        Assert.Equal(["Enrolled", "ReenrollmentOff"], world.Decisions("w"));
        Assert.Equal("Enrolled", world.Decisions("again").Last());
        Assert.Equal(TurnStatus.Nothing, world.Restore().Status);
    }

    [Fact]
    public void REC_16_A_repeated_restore_does_not_undo_a_later_deletion()
    {
        var world = new World();
        world.Set("stage", "a");
        world.Delete();
        var restore = new CommandInput(CommandKind.Restore, 0, "r1", "me");
        Assert.Equal(TurnStatus.Applied, world.Run(restore).Status);
        world.Delete();
        Assert.Equal(TurnStatus.Duplicate, world.Run(restore).Status);
        Assert.False(world.State.IsLive);
        Assert.Equal(TurnStatus.Nothing, new World().Restore().Status);
    }

    [Fact]
    public void REC_16_What_comes_in_for_a_deleted_record_starts_nothing()
    {
        // The goal counts when the e-mail is reported sent; what listens to that would enroll a record that is alive.
        var world = new World()
            .Publish(Define.Workflow("w", Define.ByHand(), Define.Email("m", "t", wait: false), Define.Work("t", timeout: TimeSpan.FromHours(1))).WithGoal(IsWon))
            .Publish(Define.Workflow("g", Define.OnEvent("workflow_goal"), Waits))
            .Publish(Define.Workflow("u", Define.OnEvent("workflow_unenrolled"), Waits));
        world.Enroll("w");
        world.Set("stage", "won");
        Assert.Equal(["Enrolled"], world.Decisions("u"));
        world.Delete();
        world.Complete("w", "m");
        world.Pass(TimeSpan.FromDays(9));
        Assert.Empty(world.Decisions("g"));
        Assert.Equal(0, world.State.Enrollments.Length);
        Assert.Equal(0, world.State.OpenEffects.Length);
    }

    [Fact]
    public void REC_16_LST_02_A_restored_record_has_the_memberships_of_now_and_none_of_them_fires()
    {
        var world = new World().List("old", Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))).List("leads", IsLead)
            .Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.InList("old"))), Waits)).Publish(Define.Workflow("l", Define.OnFilter(Define.All(Define.InList("leads"))), Waits));
        world.Event("", ("at", "2026-01-05T10:00:00Z"), ("stage", "won"));
        world.Delete();
        world.List("leads", IsWon);
        Assert.Equal(TurnStatus.Nothing, world.RefreshList("leads").Status);
        world.Pass(TimeSpan.FromDays(9));
        world.Restore();
        Assert.Equal((true, true), (world.IsMember("old"), world.IsMember("leads")));
        world.Set("name", "n");
        Assert.Empty(world.Decisions("w").Concat(world.Decisions("l")));
    }

    [Fact]
    public void REC_08_REC_16_What_deleted_the_record_is_a_duplicate_when_it_is_sent_again()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Define.DeleteRecord("x")));
        world.Event("clicked", World.Start, "e", false, []);
        Assert.Equal(TurnStatus.Duplicate, world.Event("clicked", World.Start, "e", false, []).Status);
        Assert.Equal(TurnStatus.Mismatch, world.Event("clicked", World.Start, "e", false, [], ("stage", "a")).Status);
        Assert.Equal(TurnStatus.Refused, world.Event("clicked", World.Start, "f", false, []).Status);
        var byHand = new World();
        byHand.Set("stage", "a");
        var delete = new CommandInput(CommandKind.Delete, 0, "r1", "me");
        Assert.Equal([TurnStatus.Applied, TurnStatus.Duplicate], new[] { byHand.Run(delete).Status, byHand.Run(delete).Status });
    }

    [Fact]
    public void REC_16_A_record_that_never_was_is_not_deleted()
    {
        var world = new World();
        Assert.Equal(TurnStatus.Nothing, world.Delete().Status);
        Assert.Empty(world.Head);
    }

    [Fact]
    public void REC_13_A_record_is_merged_into_nobody_and_itself_never()
    {
        var world = new World();
        world.Set("stage", "lead");
        foreach (var survivor in new[] { string.Empty, world.State.Id })
        {
            var result = world.Merge(survivor);
            Assert.Equal((TurnStatus.Refused, RefusalReason.InvalidField), (result.Status, result.Refusal!.Reason));
        }

        Assert.Equal(GoneKind.None, world.State.Gone);
        Assert.Equal(TurnStatus.Applied, world.Merge("grace").Status);
        Assert.Equal(GoneKind.Merged, world.State.Gone);
    }

    [Fact]
    public void REC_18_A_propertys_type_cannot_change()
    {
        var world = new World();
        Assert.Throws<InvalidOperationException>(() => world.Schema.WithProperty(world.Schema.FindObjectType("contact")!, "stage", PropertyType.Number, []));
        Assert.Same(PropertyType.String.ToString(), world.Schema.WithProperty(world.Schema.FindObjectType("contact")!, "stage", PropertyType.String, []).FindObjectType("contact")!.Find("stage")!.Type.ToString());
    }

    [Fact]
    public void REC_19_A_baseline_computes_lists_and_filter_states_and_fires_nothing()
    {
        var world = new World().List("leads", IsLead).List("blocked", IsLead)
            .Publish(Define.Workflow("f", Define.OnFilter(IsLead), Waits))
            .Publish(Define.Workflow("l", Define.OnFilter(Define.All(Define.InList("leads"))), Waits))
            .Publish(Define.Workflow("j", Define.OnEvent("list_joined"), Waits))
            .Publish(Define.Workflow("p", Define.OnEvent("property_changed"), Waits))
            .Publish(Define.Workflow("c", Define.OnEvent("record_created"), Waits))
            .Publish(Define.Workflow("t", Define.OnFilter(Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1"))), Waits));
        world.Event("clicked", Timestamp.None, "base", true, [], ("stage", "lead"), ("at", "2026-01-05T10:00:00Z"));
        Assert.True(world.IsMember("leads"));
        world.Set("name", "n");
        Assert.Empty(new[] { "f", "l", "j", "c" }.SelectMany(world.Decisions));
        Assert.Equal(["Enrolled"], world.Decisions("p"));

        // The clock goes on for it.
        world.Pass(TimeSpan.FromDays(3));
        Assert.Equal(["Enrolled"], world.Decisions("t"));
        world.Set("stage", "x");
        world.Set("stage", "lead");
        Assert.Equal(["Enrolled"], world.Decisions("f"));
    }

    [Fact]
    public void REC_19_A_baseline_meets_no_goal_and_ends_nothing_until_the_next_step_or_turn()
    {
        var world = new World().Publish(Define.Workflow("g", Define.ByHand(), Waits).WithGoal(IsWon));
        world.Enroll("g");
        world.Event("", Timestamp.None, "base", true, [], ("stage", "won"));
        Assert.Empty(world.Ends("g"));
        world.Pass(TimeSpan.FromDays(30));
        Assert.Equal(["GoalMet"], world.Ends("g"));
    }

    [Fact]
    public void ENG_02_Events_run_in_arrival_order_whatever_their_occurred_at()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Put("s", "name", SetMode.Append, new TextSourceDefinition("{{event.n}}"))));
        world.Set("stage", "a");
        foreach (var (n, ms) in new[] { ("1", 30), ("2", 10), ("3", 20) })
        {
            world.Now = World.Start.PlusMs(100);
            world.Event("clicked", World.Start.PlusMs(ms), n, false, [new NamedValue("n", Value.OfText(n))]);
        }

        Assert.Equal("123", world.Text("name"));
    }

    [Fact]
    public void ENG_01_ENG_13_ENG_14_The_same_inputs_give_the_same_bytes_on_another_host_and_a_turn_decided_twice_is_the_same()
    {
        var one = Scenario();
        var two = Scenario();
        Assert.Equal(one.Head, two.Head);
        Assert.Equal(one.Head, one.Replay());

        static World Scenario()
        {
            var world = new World().List("leads", IsLead).Publish(Define.Workflow(
                "w", Define.OnFilter(IsLead, reenroll: true), Define.Split("x", false, ("a", null, "r"), ("b", null, "t")), Define.Rotate("r", true, "t", "u1", "u2"), Define.Work("t", "wait"), Waits) with
            { Windows = Define.Open("13:00", "15:00", TimeSpan.FromMinutes(15)) });
            world.Set("stage", "lead");
            world.Pass(TimeSpan.FromHours(3));
            world.Set("stage", "x");
            world.Delete();
            world.Restore();
            return world;
        }
    }
}
