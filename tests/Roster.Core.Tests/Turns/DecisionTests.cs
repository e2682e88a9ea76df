using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>The checks of section 7 in their order: of two neighbours that fail at once the earlier one is the decision.</summary>
public sealed class DecisionTests
{
    private static readonly CriteriaDefinition IsLead = Define.All(Define.Eq("stage", "lead"));
    private static readonly CriteriaDefinition IsOut = Define.All(Define.Eq("name", "out"));
    private static readonly StepDefinition Waits = Define.Delay("wait", 30, DelayUnit.Days);

    [Fact]
    public void ENR_01_A_request_and_a_trigger_of_one_round_are_one_consideration()
    {
        var world = new World().Together(
            Define.Workflow("one", Define.OnEvent("clicked", allowNew: true), Define.EnrollIn("e", "w")),
            Define.Workflow("two", Define.OnEvent("clicked", allowNew: true), Define.EnrollIn("e", "w", "s"), Define.Set("s", "stage", "lead")),
            Define.Workflow("w", Define.OnFilter(IsLead), Waits));
        world.Event("clicked");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        Assert.Equal((int)TriggerKind.Workflow, world.Entries(EntryKind.Enrolled).Last().Subject);
    }

    [Fact]
    public void ENR_02_RECORD_GONE_comes_before_TYPE_MISMATCH_and_everything_else()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits) with { ObjectType = "deal" }, WorkflowState.Off);
        world.Set("stage", "x");
        world.Delete();
        var result = world.Enroll("w");
        Assert.Equal((TurnStatus.Refused, RefusalReason.RecordGone), (result.Status, result.Refusal!.Reason));
    }

    [Fact]
    public void ENR_02_WORKFLOW_OFF_comes_before_SOURCE_NOT_ALLOWED_and_is_journaled_for_explicit_requests_only()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead), Waits), WorkflowState.Off);
        Assert.Equal(Decision.WorkflowOff, world.Enroll("w", caller: "external_crm").Decision);
        world.Set("stage", "lead");
        Assert.Single(world.Decisions("w"));
    }

    [Fact]
    public void ENR_02_SOURCE_NOT_ALLOWED_comes_before_NEW_RECORD()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead, fireOnCreate: false), Waits));
        world.Run(new EventInput("e", 1, Timestamp.None, "external_crm", [], [world.Write("stage", "lead")], false));
        Assert.Equal(["SourceNotAllowed"], world.Decisions("w"));
    }

    [Fact]
    public void ENR_02_ENG_12_NEW_RECORD_comes_before_EVALUATION_FAILED()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", onlyIf: IsLead), Waits));
        world.Change("w", s => s with { Start = s.Start with { Events = [s.Start.Events[0] with { OnlyIf = Poison.On(world) }] } });
        world.Event("clicked", ("zone", "boom"));
        world.Event("clicked");
        world.Event("clicked", ("zone", ""));
        Assert.Equal(["NewRecord", "EvaluationFailed", "RefinementNotMet"], world.Decisions("w"));
    }

    [Fact]
    public void ENR_02_EVALUATION_FAILED_of_a_trigger_comes_before_ALREADY_ACTIVE()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", onlyIf: IsLead), Waits));
        world.Change("w", s => s with { Start = s.Start with { Events = [s.Start.Events[0] with { OnlyIf = Poison.On(world) }] } });
        world.Set("zone", "ok");
        world.Event("clicked");
        world.Event("clicked", ("zone", "boom"));
        Assert.Equal(["Enrolled", "EvaluationFailed"], world.Decisions("w"));
        Assert.Empty(world.Ends("w"));
    }

    [Fact]
    public void ENR_02_ALREADY_ACTIVE_comes_before_REENROLLMENT_OFF()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits));
        world.Enroll("w");
        Assert.Equal(Decision.AlreadyActive, world.Enroll("w").Decision);
        world.Unenroll("w");
        Assert.Equal(Decision.ReenrollmentOff, world.Enroll("w").Decision);
    }

    [Fact]
    public void ENR_02_REENROLLMENT_OFF_comes_before_REENROLLMENT_TRIGGER_NOT_SELECTED()
    {
        foreach (var isOn in new[] { true, false })
        {
            var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: isOn), Define.Set("s", "other", "x")));
            world.Set("stage", "lead");
            world.Set("stage", "x");
            world.Set("stage", "lead");
            Assert.Equal(isOn ? "ReenrollmentTriggerNotSelected" : "ReenrollmentOff", world.Decisions("w").Last());
        }
    }

    [Fact]
    public void ENR_02_REENROLLMENT_OFF_comes_before_CRITERIA_NOT_MET_and_that_before_SUPPRESSED()
    {
        var world = new World().List("blocked").Publish(Define.Workflow("w", Define.OnFilter(IsLead), Define.Set("s", "other", "x")) with { SuppressionLists = ["blocked"] });
        world.AddToList("blocked");
        Assert.Equal(Decision.CriteriaNotMet, world.Enroll("w", trigger: TriggerKind.Existing).Decision);
        world.RemoveFromList("blocked");
        world.Enroll("w");
        world.AddToList("blocked");
        Assert.Equal(Decision.ReenrollmentOff, world.Enroll("w", trigger: TriggerKind.Existing).Decision);
    }

    [Fact]
    public void ENR_02_SUPPRESSED_comes_before_UNENROLLMENT_TRIGGER_MET_and_names_the_list()
    {
        var world = new World().List("free").List("blocked").Publish(Define.Workflow("w", Define.ByHand(), Waits) with { SuppressionLists = ["free", "blocked"], UnenrollWhen = IsOut });
        world.Set("name", "out");
        world.AddToList("blocked");
        Assert.Equal(Decision.Suppressed, world.Enroll("w").Decision);
        Assert.Equal(world.ListNumber("blocked"), world.Last.Single(e => e.Kind == EntryKind.EnrollmentRefused).Number);
        world.RemoveFromList("blocked");
        Assert.Equal(Decision.UnenrollmentTriggerMet, world.Enroll("w").Decision);
    }

    [Fact]
    public void ENR_02_UNENROLLMENT_TRIGGER_MET_comes_before_GOAL_ALREADY_MET()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits).WithGoal(IsLead) with { UnenrollWhen = IsOut });
        world.Event("", ("name", "out"), ("stage", "lead"));
        Assert.Equal(Decision.UnenrollmentTriggerMet, world.Enroll("w").Decision);
        world.Set("name", "in");
        Assert.Equal(Decision.GoalAlreadyMet, world.Enroll("w").Decision);
        Assert.Equal(1, world.Last.Single(e => e.Kind == EntryKind.EnrollmentRefused).Number);
    }

    [Fact]
    public void ENR_02_GOAL_ALREADY_MET_comes_before_ANCHOR_UNKNOWN_and_that_before_LOOP_GUARD()
    {
        var world = new World(TenantSettings.Default with { EnrollmentsPerHourMax = 1 })
            .Publish(Define.Workflow("w", Define.OnAnchor(property: "day", reenroll: true), Define.Set("s", "other", "x").At(0, "09:00")).WithGoal(IsLead));
        world.Set("stage", "lead");
        Assert.Equal(Decision.GoalAlreadyMet, world.Enroll("w").Decision);
        world.Event("", ("stage", "x"), ("day", "2025-01-01"));
        Assert.Equal(Decision.Enrolled, world.Enroll("w").Decision);
        world.Set("day", "");
        Assert.Equal(Decision.AnchorUnknown, world.Enroll("w").Decision);
        world.Set("day", "2025-01-01");
        Assert.Equal(Decision.LoopGuard, world.Enroll("w").Decision);
    }

    [Fact]
    public void ENR_02_LOOP_GUARD_comes_before_LIMIT_REACHED()
    {
        var world = new World(TenantSettings.Default with { EnrollmentsPerHourMax = 1, ActiveEnrollmentsPerRecordMax = 1 })
            .Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Set("s", "other", "x")))
            .Publish(Define.Workflow("filler", Define.ByHand(), Waits));
        world.Enroll("w");
        world.Enroll("filler");
        Assert.Equal(Decision.LoopGuard, world.Enroll("w").Decision);
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(Decision.LimitReached, world.Enroll("w").Decision);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LIM_04_The_caps_of_record_and_tenant_refuse_the_next(bool isTenant)
    {
        var world = new World(isTenant ? TenantSettings.Default with { ActiveEnrollmentsMax = 2 } : TenantSettings.Default with { ActiveEnrollmentsPerRecordMax = 2 });
        foreach (var id in new[] { "a", "b", "c" })
        {
            world.Publish(Define.Workflow(id, Define.ByHand(), Waits));
        }

        world.Enroll("a");
        world.Catalog.ActiveEnrollments = 1;
        Assert.Equal(Decision.Enrolled, world.Enroll("b").Decision);
        world.Catalog.ActiveEnrollments = 2;
        Assert.Equal(Decision.LimitReached, world.Enroll("c").Decision);
        world.Unenroll("a");
        world.Catalog.ActiveEnrollments = 1;
        Assert.Equal(Decision.Enrolled, world.Enroll("c").Decision);
    }

    [Theory]
    [InlineData(TriggerKind.Manual, true)]
    [InlineData(TriggerKind.Bulk, true)]
    [InlineData(TriggerKind.Existing, false)]
    [InlineData(TriggerKind.Schedule, false)]
    public void ENR_02_TRG_08_A_job_or_a_run_judges_the_criteria_and_a_request_by_hand_does_not(TriggerKind trigger, bool ignores)
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead), Waits));
        Assert.Equal(ignores ? Decision.Enrolled : Decision.CriteriaNotMet, world.Enroll("w", trigger: trigger).Decision);
        var lead = new World();
        lead.Set("stage", "lead");
        lead.Publish(Define.Workflow("w", Define.OnFilter(IsLead), Waits));
        Assert.Equal(Decision.Enrolled, lead.Enroll("w", trigger: trigger).Decision);
        Assert.Equal((int)trigger, lead.Entries(EntryKind.Enrolled).Single().Subject);
    }

    [Fact]
    public void TRG_08_The_job_of_existing_records_never_re_enrolls_also_when_re_enrollment_is_on()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true), Define.Set("s", "other", "x")));
        world.Set("stage", "lead");
        Assert.Equal(Decision.ReenrollmentOff, world.Enroll("w", trigger: TriggerKind.Existing).Decision);
    }

    [Fact]
    public void ENR_02_ENG_12_A_check_that_fails_stands_in_its_own_place()
    {
        var world = new World().List("blocked").Publish(Define.Workflow("w", Define.ByHand(), Waits) with { SuppressionLists = ["blocked"], UnenrollWhen = IsOut });
        world.Change("w", s => s with { UnenrollWhen = Poison.On(world) });
        world.Set("zone", "boom");
        Assert.Equal(Decision.EvaluationFailed, world.Enroll("w").Decision);
        world.AddToList("blocked");
        Assert.Equal(Decision.Suppressed, world.Enroll("w").Decision);
    }

    [Fact]
    public void ENG_12_Criteria_that_cannot_be_judged_stop_no_other_workflow_and_end_nothing()
    {
        var world = new World()
            .Publish(Define.Workflow("bad", Define.OnFilter(IsLead), Waits).WithGoals(new GoalDefinition("g", IsLead), new GoalDefinition("k", IsLead)) with { UnenrollWhen = IsLead, UnenrollIfNotMeeting = true })
            .Publish(Define.Workflow("wait", Define.ByHand(), Define.WaitFor("w", IsLead)))
            .Publish(Define.Workflow("branch", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Hours, "s"), Define.Set("s", "other", "x")))
            .Publish(Define.Workflow("good", Define.OnFilter(Define.All(Define.Eq("name", "go"))), Waits));
        world.Enroll("bad");
        world.Enroll("wait");
        world.Enroll("branch");
        var poison = Poison.On(world);
        world.Change("bad", s => s with
        {
            Start = s.Start with { Criteria = poison },
            UnenrollWhen = poison,
            Goals = [.. s.Goals.Select(g => g with { Criteria = poison })],
        });
        world.Event("", ("zone", "boom"), ("name", "go"));
        Assert.Equal(["Enrolled", "EvaluationFailed"], world.Decisions("bad"));
        Assert.Equal(["Enrolled"], world.Decisions("good"));
        Assert.Empty(world.Ends("bad"));
        world.Pass(TimeSpan.FromHours(1));
        Assert.Equal(["Completed"], world.Ends("branch"));
        world.Set("zone", "ok");
        Assert.Equal(["UnenrollmentTrigger"], world.Ends("bad"));
    }

    [Fact]
    public void ENR_04_An_enrollment_that_ends_in_phase_5_is_over_in_phase_8_and_one_that_ends_in_phase_9_is_not()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.WaitEvent("e", "clicked")) with { UnenrollWhen = IsOut });
        world.Event("clicked");
        world.Event("clicked", ("name", "out"));
        Assert.Equal(["Enrolled", "UnenrollmentTriggerMet"], world.Decisions("w"));
        var other = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.WaitEvent("e", "clicked")));
        other.Event("clicked");
        other.Event("clicked");
        other.Event("clicked");
        Assert.Equal(["Enrolled", "AlreadyActive", "Enrolled"], other.Decisions("w"));
        Assert.Equal(["Completed"], other.Ends("w"));
    }

    [Fact]
    public void ENR_04_A_trigger_of_the_next_round_of_the_same_turn_may_enroll_again()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.OnEvent("property_changed", reenroll: true, where: Define.Eq("property", "score")), Define.Branch("b", "", ("low", Define.All(Define.Is("score", Operator.IsLessThan, "3")), "s")), Define.Put("s", "score", SetMode.Increment, value: "1")));
        world.Set("score", "0");
        Assert.Equal(["Enrolled", "Enrolled", "Enrolled", "Enrolled"], world.Decisions("w"));
        Assert.Equal("3", world.Text("score"));
        Assert.Single(world.Journal);
    }

    [Fact]
    public void ENR_01_ENR_02_With_several_triggers_the_decision_is_the_check_that_fails_for_all()
    {
        var lead = Define.All(Define.Eq("stage", "lead"));
        EventTriggerDefinition[] triggers = [new("clicked", [], null, null), new("record_created", [], lead, null)];
        foreach (var events in new[] { triggers, [.. triggers.Reverse()] })
        {
            var world = new World().Publish(Define.Workflow("w", Define.OnEvents(reenroll: false, events), Define.Set("s", "other", "x")));
            world.Event("clicked");
            Assert.Equal(["RefinementNotMet"], world.Decisions("w"));
        }
    }
}
