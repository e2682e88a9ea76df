using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>What starts a consideration (section 5 of the rules).</summary>
public sealed class TriggerTests
{
    private static readonly CriteriaDefinition IsLead = Define.All(Define.Eq("stage", "lead"));

    private static readonly StepDefinition Waits = Define.Delay("wait", 30, DelayUnit.Days);

    /// <summary>Each event type with a place in TRG-20 to TRG-31, and whether it may create the record it fires on (REC-10).</summary>
    public static TheoryData<string, string, bool> EventTypes() => new()
    {
        { "TRG-20", "form_submitted", true }, { "TRG-20", "form_viewed", true }, { "TRG-20", "form_interacted", true },
        { "TRG-23", "email_sent", false }, { "TRG-23", "email_delivered", false }, { "TRG-23", "email_opened", false }, { "TRG-23", "email_replied", false },
        { "TRG-23", "email_bounced", false }, { "TRG-23", "email_subscription_changed", false },
        { "TRG-24", "email_clicked", false },
        { "TRG-26", "page_visited", false }, { "TRG-26", "cta_viewed", false }, { "TRG-26", "cta_clicked", false }, { "TRG-26", "ad_interaction", false }, { "TRG-26", "media_play", false },
        { "TRG-29", "custom_task_done", false },
        { "TRG-30", "meeting_booked", true }, { "TRG-30", "meeting_outcome_changed", true }, { "TRG-30", "call_started", false }, { "TRG-30", "call_ended", false },
        { "TRG-31", "sms_sent", false }, { "TRG-31", "sms_delivered", false }, { "TRG-31", "sms_clicked", false },
        { "TRG-31", "sequence_enrolled", true }, { "TRG-31", "sequence_finished", true }, { "TRG-31", "sequence_unenrolled", true }, { "TRG-31", "sequence_meeting", true },
        { "TRG-31", "playbook_logged", false }, { "TRG-31", "task_completed", false },
    };

    [Theory]
    [MemberData(nameof(EventTypes))]
    public void TRG_20_TRG_23_TRG_24_TRG_26_TRG_29_TRG_30_TRG_31_REC_10_An_event_fires_once_per_occurrence_and_by_its_type_on_a_new_record(string rule, string type, bool mayCreate)
    {
        Assert.StartsWith("TRG-", rule, StringComparison.Ordinal);
        var workflow = Define.Workflow("w", Define.OnEvent(type, reenroll: true), Define.Set("s", "other", "x"));
        var world = new World().Knows(type).Publish(workflow);
        world.Event(type);
        Assert.Equal([mayCreate ? "Enrolled" : "NewRecord"], world.Decisions("w"));
        world.Event(type);
        world.Event(type);
        world.Event("clicked");
        Assert.Equal(["Enrolled", "Enrolled"], world.Decisions("w").Skip(1));
        var lifted = new World().Knows(type).Publish(workflow with { Start = Define.OnEvent(type, allowNew: true) });
        lifted.Event(type);
        Assert.Equal(["Enrolled"], lifted.Decisions("w"));
    }

    [Fact]
    public void TRG_01_TRG_04_A_workflow_of_another_object_type_considers_nothing()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true), Waits) with { ObjectType = "deal" });
        world.Event("clicked");
        Assert.Empty(world.Decisions("w"));
    }

    [Theory]
    [InlineData(WorkflowState.On, true)]
    [InlineData(WorkflowState.Paused, true)]
    [InlineData(WorkflowState.Off, false)]
    [InlineData(WorkflowState.Draft, false)]
    public void TRG_04_Only_a_workflow_that_is_on_or_paused_considers_triggers(WorkflowState state, bool considers)
    {
        var world = new World()
            .Publish(Define.Workflow("event", Define.OnEvent("clicked", allowNew: true), Waits), state)
            .Publish(Define.Workflow("filter", Define.OnFilter(IsLead), Waits), state);
        world.Event("clicked", ("stage", "lead"));
        Assert.Equal(considers ? 1 : 0, world.Decisions("event").Count());
        Assert.Equal(considers ? 1 : 0, world.Decisions("filter").Count());
        world.Switch("event", WorkflowState.On).Switch("filter", WorkflowState.On);

        // What happened while it was off is not caught up.
        world.Set("name", "n");
        Assert.Equal(considers ? 1 : 0, world.Decisions("event").Count());
        Assert.Equal(considers ? 1 : 0, world.Decisions("filter").Count());
    }

    [Theory]
    [InlineData("event")]
    [InlineData("filter")]
    [InlineData("schedule")]
    [InlineData("anchor")]
    [InlineData("manual")]
    public void TRG_03_Manual_and_other_workflow_enrollment_work_with_every_start_kind(string kind)
    {
        StepDefinition step = Define.Set("s", "other", "x");
        var start = kind switch
        {
            "event" => Define.OnEvent("clicked"),
            "filter" => Define.OnFilter(IsLead),
            "schedule" => Define.OnDate("day", 0, "09:00"),
            "anchor" => Define.OnAnchor("2027-01-01"),
            _ => Define.ByHand(),
        };
        step = kind == "anchor" ? step.At(0, "09:00") : step;
        var world = new World().Publish(Define.Workflow("w", start, step));
        Assert.Equal(Decision.Enrolled, world.Enroll("w").Decision);
        var other = new World().Publish(Define.Workflow("w", start, step)).Publish(Define.Workflow("x", Define.OnEvent("clicked", allowNew: true), Define.EnrollIn("e", "w")));
        other.Event("clicked");
        Assert.Equal("Enrolled", other.Decisions("w").Last());
    }

    [Fact]
    public void TRG_05_An_event_trigger_never_applies_to_past_events()
    {
        var world = new World();
        world.Event("clicked");
        world.Publish(Define.Workflow("w", Define.OnEvent("clicked"), Waits));
        world.Set("name", "n");
        Assert.Empty(world.Decisions("w"));
    }

    [Fact]
    public void TRG_05_REC_05_An_event_that_comes_late_fires_all_the_same()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked"), Waits));
        world.Event("", World.Start.PlusMs(-100_000), "made", false, []);
        world.Event("clicked", World.Start.PlusMs(-50_000), "late", false, []);
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void TRG_06_A_refinement_is_judged_as_of_the_turn_and_its_lists_are_those_of_the_turn()
    {
        var world = new World().List("leads", IsLead).Publish(Define.Workflow("w", Define.OnEvent("clicked", allowNew: true, onlyIf: Define.All(Define.InList("leads"))), Waits));
        world.Event("clicked", ("stage", "lead"));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void TRG_07_The_other_side_of_an_OR_that_held_before_is_no_change()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.Any(Define.Eq("stage", "lead"), Define.Eq("name", "ada"))), Define.Set("s", "other", "x")));
        world.Set("stage", "lead");
        world.Set("name", "ada");
        world.Set("stage", "x");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void TRG_07_Criteria_on_lists_workflows_and_events_fire_in_later_rounds_too()
    {
        var world = new World().List("vip")
            .Publish(Define.Workflow("adds", Define.OnEvent("clicked", allowNew: true), Define.AddTo("a", "vip", "d"), Waits with { Id = "d" }))
            .Publish(Define.Workflow("list", Define.OnFilter(Define.All(Define.InList("vip"))), Waits))
            .Publish(Define.Workflow("active", Define.OnFilter(Define.All(Define.Status("list", WorkflowStatus.Active))), Waits))
            .Publish(Define.Workflow("both", Define.OnFilter(Define.All(Define.Status("adds", WorkflowStatus.Active), Define.InList("vip"), Define.Happened("clicked"))), Waits));
        world.Event("clicked");
        Assert.Equal(["Enrolled"], world.Decisions("list"));
        Assert.Equal(["Enrolled"], world.Decisions("active"));
        Assert.Equal(["Enrolled"], world.Decisions("both"));
        Assert.Single(world.Journal);
        world.Event("clicked");
        Assert.Equal(["Enrolled"], world.Decisions("both"));
    }

    [Fact]
    public void TRG_07_A_status_that_comes_and_goes_in_one_turn_fires_once()
    {
        var world = new World()
            .Publish(Define.Workflow("quick", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Set("s", "name", "x")))
            .Publish(Define.Workflow("done", Define.OnFilter(Define.All(Define.Status("quick", WorkflowStatus.Completed)), reenroll: true), Define.Set("s", "other", "x")))
            .Publish(Define.Workflow("active", Define.OnFilter(Define.All(Define.Status("quick", WorkflowStatus.Active))), Define.Set("s", "other", "x")));
        world.Event("clicked");
        world.Event("clicked");
        Assert.Equal(["Enrolled"], world.Decisions("done"));

        // It began and ended inside one round: at the end of that round it was not active.
        Assert.Empty(world.Decisions("active"));
    }

    [Fact]
    public void TRG_07_A_set_and_unset_over_two_rounds_fires_in_the_round_in_which_it_holds()
    {
        var world = new World()
            .Publish(Define.Workflow("one", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "stage", "lead")))
            .Publish(Define.Workflow("two", Define.OnFilter(IsLead), Define.Set("s", "stage", "x")))
            .Publish(Define.Workflow("w", Define.OnFilter(IsLead), Define.Branch("b", "", ("yes", IsLead, "s")), Define.Set("s", "other", "seen")));
        world.Event("clicked");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        Assert.Equal("", world.Text("other"));
    }

    [Fact]
    public void TRG_11_ACT_50_Enrollment_by_another_workflow_ignores_triggers_and_runs_in_the_next_round()
    {
        var world = new World().Together(
            Define.Workflow("a", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.EnrollIn("e", "b", "s"), Define.Set("s", "name", "after")),
            Define.Workflow("b", Define.OnFilter(IsLead), Define.Set("s", "other", "x")));
        world.Event("clicked");
        Assert.Equal("enroll:a a.e a.s end:a:Completed enroll:b b.s end:b:Completed", world.Story());
        var enrolled = world.Entries(EntryKind.Enrolled).Last();
        Assert.Equal(((int)TriggerKind.Workflow, (long)world.Number("a")), (enrolled.Subject, enrolled.Number));
        world.Event("clicked");
        Assert.Equal(["Enrolled", "ReenrollmentOff"], world.Decisions("b"));
    }

    [Theory]
    [InlineData(WorkflowState.Off, "WorkflowOff")]
    [InlineData(WorkflowState.Paused, "Enrolled")]
    public void TRG_11_The_target_must_be_on_or_paused_and_the_action_succeeds_all_the_same(WorkflowState state, string expected)
    {
        var world = new World()
            .Publish(Define.Workflow("b", Define.ByHand(), Define.Set("s", "other", "x")), state)
            .Publish(Define.Workflow("a", Define.ByHand(), Define.EnrollIn("e", "b")));
        world.Enroll("a");
        Assert.Equal([expected], world.Decisions("b"));
        Assert.Equal(["e Success"], world.Results("a"));
    }

    [Theory]
    [InlineData("external_crm", false, "SourceNotAllowed")]
    [InlineData("external_crm:salesforce", false, "SourceNotAllowed")]
    [InlineData("external_crm", true, "Enrolled")]
    [InlineData("external_crms", false, "Enrolled")]
    [InlineData("web", false, "Enrolled")]
    public void TRG_13_Enrollment_by_an_external_CRM_sync_is_refused_unless_allowed(string source, bool isAllowed, string expected)
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead), Waits) with { AllowExternalCrm = isAllowed });
        world.Run(new EventInput("e", 1, Timestamp.None, source, [], [world.Write("stage", "lead")], false));
        Assert.Equal([expected], world.Decisions("w"));
        var byHand = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits) with { AllowExternalCrm = isAllowed });
        Assert.Equal(expected, byHand.Enroll("w", caller: source).Decision.ToString());
    }

    [Fact]
    public void TRG_13_What_a_workflow_does_because_of_a_sync_is_its_own_doing()
    {
        var world = new World().Together(
            Define.Workflow("sync", Define.OnFilter(IsLead), Define.EnrollIn("e", "w")) with { AllowExternalCrm = true },
            Define.Workflow("w", Define.ByHand(), Waits));
        world.Run(new EventInput("e", 1, Timestamp.None, "external_crm", [], [world.Write("stage", "lead")], false));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void TRG_14_A_record_may_be_active_in_any_number_of_workflows()
    {
        var world = new World();
        for (var i = 0; i < 20; i++)
        {
            world.Publish(Define.Workflow($"w{i}", Define.OnEvent("clicked", allowNew: true), Waits));
        }

        world.Event("clicked");
        Assert.Equal(20, world.State.Enrollments.Length);
    }

    [Theory]
    [InlineData("new", "a", true)]
    [InlineData("new", "b", false)]
    [InlineData("clear", "", true)]
    public void TRG_21_A_changed_property_is_an_event_with_an_optional_new_value(string what, string value, bool fires)
    {
        FilterDefinition[] where = what == "clear"
            ? [Define.Eq("property", "stage"), Define.Is("value", Operator.IsUnknown)]
            : [Define.Eq("property", "stage"), Define.Eq("value", "a")];
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("property_changed", reenroll: true, where: where), Define.Set("s", "other", "x")));
        world.Set("stage", "start");
        world.Set("name", "a");
        world.Set("stage", value);
        Assert.Equal(fires ? 1 : 0, world.Decisions("w").Count());
        world.Set("stage", value);
        Assert.Equal(fires ? 1 : 0, world.Decisions("w").Count());
    }

    [Fact]
    public void TRG_21_REC_06_Clearing_what_never_had_a_value_is_no_change()
    {
        var world = new World()
            .Publish(Define.Workflow("any", Define.OnEvent("property_changed", reenroll: true), Define.Delay("d", 0, DelayUnit.Minutes)))
            .Publish(Define.Workflow("f", Define.OnFilter(Define.All(Define.Is("stage", Operator.IsUnknown))), Define.Delay("d", 0, DelayUnit.Minutes)));
        world.Set("name", "n");
        Assert.Equal(["Enrolled"], world.Decisions("any"));
        world.Event("", World.Start.PlusMs(-1), "clear", false, [], ("stage", ""));
        Assert.Single(world.Decisions("any"));
        Assert.True(world.State.TryGetProperty(world.Property("stage"), false, out var view));
        Assert.Equal((World.Start.PlusMs(-1), Timestamp.None), (view.OccurredAt, view.UpdatedAt));
        world.Event("", World.Start.PlusMs(-2), "late", false, [], ("stage", "lead"));
        Assert.Equal("", world.Text("stage"));
    }

    [Fact]
    public void TRG_21_Changes_by_steps_fire_in_the_next_round_and_each_change_is_one()
    {
        var world = new World()
            .Publish(Define.Workflow("steps", Define.OnEvent("clicked", allowNew: true), Define.Set("a", "stage", "lead", "b"), Define.Set("b", "stage", "won")))
            .Publish(Define.Workflow("lead", Define.OnEvent("property_changed", where: [Define.Eq("property", "stage"), Define.Eq("value", "lead")]), Define.Set("s", "other", "x")))
            .Publish(Define.Workflow("won", Define.OnEvent("property_changed", where: [Define.Eq("property", "stage"), Define.Eq("value", "won")]), Define.Set("s", "other", "x")));
        world.Event("clicked");
        Assert.Equal(["Enrolled"], world.Decisions("lead"));
        Assert.Equal(["Enrolled"], world.Decisions("won"));
    }

    [Fact]
    public void TRG_21_Values_set_at_creation_are_changes_and_late_writes_are_none()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("property_changed", reenroll: true, where: Define.Eq("property", "stage")), Define.Set("s", "other", "x")));
        world.Set("stage", "a");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        world.Event("", World.Start.PlusMs(-5), "late", false, [], ("stage", "b"));
        Assert.Single(world.Decisions("w"));
    }

    [Fact]
    public void TRG_22_Joins_and_leaves_fire_staying_fires_nothing_and_leaving_re_arms_joining()
    {
        var world = new World().List("leads", IsLead).List("vip")
            .Publish(Define.Workflow("joined", Define.OnEvent("list_joined", reenroll: true, where: Define.Eq("list", "leads")), Define.Set("s", "other", "x")))
            .Publish(Define.Workflow("left", Define.OnEvent("list_left", reenroll: true, where: Define.Eq("list", "leads")), Define.Set("s", "other", "x")))
            .Publish(Define.Workflow("vip", Define.OnEvent("list_joined", reenroll: true, where: Define.Eq("list", "vip")), Define.Set("s", "other", "x")));
        world.Set("stage", "lead");
        world.Set("name", "a");
        Assert.Equal((1, 0, 0), Counts());
        world.Set("stage", "x");
        world.Set("stage", "lead");
        Assert.Equal((2, 1, 0), Counts());
        world.AddToList("vip");
        world.AddToList("vip");
        Assert.Equal((2, 1, 1), Counts());

        (int, int, int) Counts() => (world.Decisions("joined").Count(), world.Decisions("left").Count(), world.Decisions("vip").Count());
    }

    [Fact]
    public void TRG_25_A_created_record_fires_whatever_created_it_and_only_then()
    {
        var workflow = Define.Workflow("w", Define.OnEvent("record_created", reenroll: true), Define.Set("s", "other", "x"));
        foreach (var how in new[] { "event", "write", "hand", "list" })
        {
            var world = new World().List("vip").Publish(workflow).Publish(Define.Workflow("m", Define.ByHand(), Define.Set("s", "name", "x")));
            _ = how switch { "event" => world.Event("clicked"), "write" => world.Set("stage", "a"), "hand" => world.Enroll("m"), _ => world.AddToList("vip") };
            Assert.Equal(["Enrolled"], world.Decisions("w"));
            world.Set("stage", "b");
            Assert.Single(world.Decisions("w"));
        }
    }

    [Fact]
    public void TRG_27_Workflow_events_fire_on_the_record_in_the_next_round()
    {
        var world = new World()
            .Publish(Define.Workflow("src", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Set("s", "name", "x")).WithGoals(new GoalDefinition("kpi", IsLead) { Exit = false }))
            .Publish(Define.Workflow("enrolled", Define.OnEvent("workflow_enrolled", reenroll: true, where: Define.Eq("workflow", "src")), Define.Set("s", "other", "1")))
            .Publish(Define.Workflow("completed", Define.OnEvent("workflow_completed", reenroll: true, where: Define.Eq("workflow", "src")), Define.Set("s", "other", "2")))
            .Publish(Define.Workflow("goal", Define.OnEvent("workflow_goal", reenroll: true, where: [Define.Eq("workflow", "src"), Define.Eq("goal", "kpi")]), Define.Set("s", "other", "3")));
        world.Event("clicked");
        Assert.Equal("enroll:src src.s end:src:Completed enroll:enrolled enroll:completed enrolled.s end:enrolled:Completed completed.s end:completed:Completed", world.Story());
        world.Set("stage", "lead");
        Assert.Equal(["Enrolled"], world.Decisions("goal"));
        world.Set("stage", "x");
        world.Set("stage", "lead");
        Assert.Single(world.Decisions("goal"));
    }

    [Theory]
    [InlineData("manual", "MANUAL")]
    [InlineData("goal", "GOAL_MET")]
    [InlineData("list", "SUPPRESSED")]
    [InlineData("trigger", "UNENROLLMENT_TRIGGER")]
    public void TRG_27_An_unenrollment_fires_with_its_reason(string how, string reason)
    {
        var world = new World().List("blocked")
            .Publish(Define.Workflow("src", Define.ByHand(), Waits).WithGoal(IsLead) with { SuppressionLists = ["blocked"], UnenrollWhen = Define.All(Define.Eq("name", "out")) })
            .Publish(Define.Workflow("w", Define.OnEvent("workflow_unenrolled", where: [Define.Eq("workflow", "src"), Define.Eq("reason", reason)]), Define.Set("s", "other", "x")));
        world.Enroll("src");
        _ = how switch { "manual" => world.Unenroll("src"), "goal" => world.Set("stage", "lead"), "list" => world.AddToList("blocked"), _ => world.Set("name", "out") };
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void TRG_28_Ignored_e_mail_is_a_filter_that_is_true_from_the_delivery_on()
    {
        var ignored = new EventPairFilterDefinition(new EventHistoryFilterDefinition("email_delivered", [], false, null), new EventHistoryFilterDefinition("email_opened", [], false, null));
        foreach (var opens in new[] { true, false })
        {
            var world = new World().Knows("email_delivered").Knows("email_opened").Publish(Define.Workflow(
                "w", Define.OnEvent("email_delivered", allowNew: true), Define.Delay("d", 2, DelayUnit.Days, "b"), Define.Branch("b", "", ("ignored", Define.All(ignored), "s")), Define.Set("s", "other", "ignored")));
            world.Event("email_delivered");
            if (opens)
            {
                world.Event("email_opened");
            }

            world.Pass(TimeSpan.FromDays(2));
            Assert.Equal(opens ? "" : "ignored", world.Text("other"));
        }
    }
}
