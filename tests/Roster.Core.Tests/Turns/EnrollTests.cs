using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Values;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Triggers, and the decisions of section 7 in their fixed order.</summary>
public sealed class EnrollTests
{
    private static readonly CriteriaDefinition IsLead = Define.All(Define.Eq("stage", "lead"));

    private static readonly StepDefinition Waits = Define.Delay("wait", 1, DelayUnit.Days);

    /// <summary>Every subset of the checks that can fail at once: the first of them, in the order of ENR-02, is the decision.</summary>
    public static TheoryData<int> Subsets() => [.. Enumerable.Range(0, 256)];

    [Theory]
    [MemberData(nameof(Subsets))]
    public void ENR_02_The_first_check_that_fails_gives_the_decision(int subset)
    {
        // Bits: new record, refinement, active, re-enrollment off, goal, hourly rate, active limit, off.
        var (isNew, isRefined, isActive, isOff, hasGoal, isOften, isFull, isSwitchedOff) =
            ((subset & 1) != 0, (subset & 2) != 0, (subset & 4) != 0, (subset & 8) != 0, (subset & 16) != 0, (subset & 32) != 0, (subset & 64) != 0, (subset & 128) != 0);
        var settings = TenantSettings.Default with { EnrollmentsPerHourMax = isOften ? 1 : 20, ActiveEnrollmentsPerRecordMax = isFull ? 1 : 1_000 };
        var world = new World(settings);
        var start = Define.OnEvent("clicked", reenroll: true, onlyIf: Define.All(Define.Is("flag", Operator.IsUnknown)));
        var workflow = Define.Workflow("w", start, Define.Delay("wait", 10, DelayUnit.Minutes));
        world.Publish(workflow).Publish(Define.Workflow("filler", Define.ByHand(), Define.Delay("wait", 30, DelayUnit.Days)));
        var isEnrolledBefore = isActive || isOff || isOften;
        world.Set("name", "n");
        if (isEnrolledBefore)
        {
            world.Event("clicked");
            world.Pass(isActive ? TimeSpan.FromMinutes(1) : TimeSpan.FromMinutes(11));
        }

        if (isFull)
        {
            Assert.Equal(isActive ? Decision.LimitReached : Decision.Enrolled, world.Enroll("filler").Decision);
        }

        if (isRefined)
        {
            world.Set("flag", "true");
        }

        var final = workflow with { Start = start with { Reenroll = !isOff } };
        world.Publish(hasGoal ? final.WithGoal(Define.All(Define.Is("score", Operator.IsKnown))) : final);
        if (isSwitchedOff)
        {
            world.Switch("w", WorkflowState.Off);
        }

        var before = world.Decisions("w").Count();
        var occurredAt = isNew ? World.Start.PlusMs(-1) : Timestamp.None;
        // The goal is met by the event itself; while active it ends the enrollment in phase 6, before phase 8.
        world.Event("clicked", occurredAt, "final", false, [], hasGoal ? [("score", "1")] : []);
        isActive &= !hasGoal;
        isFull = isFull && !(hasGoal && isEnrolledBefore && world.Ends("w").Contains("GoalMet")) && (world.State.FindActive(world.Number("filler")) >= 0 || isActive);
        var expected = isSwitchedOff ? null
            : isNew ? "NewRecord"
            : isRefined ? "RefinementNotMet"
            : isActive ? "AlreadyActive"
            : isOff && isEnrolledBefore ? "ReenrollmentOff"
            : hasGoal ? "GoalAlreadyMet"
            : isOften && isEnrolledBefore ? "LoopGuard"
            : isFull ? "LimitReached"
            : "Enrolled";
        Assert.Equal(expected, world.Decisions("w").Skip(before).SingleOrDefault());
        Assert.Equal(world.Head, world.Replay());
    }

    [Fact]
    public void ENR_02_Explicit_requests_are_told_that_the_workflow_is_off_and_the_refusal_is_journaled()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits), WorkflowState.Off);
        Assert.Equal(Decision.WorkflowOff, world.Enroll("w").Decision);
        world.Switch("w", WorkflowState.Draft);
        Assert.Equal(Decision.WorkflowOff, world.Enroll("w").Decision);
        Assert.Equal(["WorkflowOff", "WorkflowOff"], world.Decisions("w"));
    }

    [Fact]
    public void ENR_02_A_workflow_of_another_object_type_is_refused_before_it_is_found_to_be_off()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Delay("wait", 1, DelayUnit.Days)) with { ObjectType = "deal" }, WorkflowState.Off);
        Assert.Equal(Decision.TypeMismatch, world.Enroll("w").Decision);
    }

    [Fact]
    public void ENR_03_A_record_is_enrolled_once_by_default_and_refusals_do_not_count()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", onlyIf: Define.All(Define.Eq("stage", "lead"))), Define.Set("s", "name", "x")));
        world.Set("stage", "x");
        world.Event("clicked");
        world.Set("stage", "lead");
        world.Event("clicked");
        world.Event("clicked");
        Assert.Equal(["RefinementNotMet", "Enrolled", "ReenrollmentOff"], world.Decisions("w"));
    }

    [Fact]
    public void ENR_04_A_trigger_while_active_is_dropped_and_not_made_up_for()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", reenroll: true), Waits));
        world.Set("stage", "x");
        world.Event("clicked");
        world.Event("clicked");
        world.Pass(TimeSpan.FromDays(2));
        Assert.Equal(["Enrolled", "AlreadyActive"], world.Decisions("w"));
        Assert.Equal(["Completed"], world.Ends("w"));
        world.Event("clicked");
        Assert.Equal(2, world.State.LastEnrollment);
    }

    [Fact]
    public void ENR_04_An_enrollment_that_ended_in_phase_6_is_no_longer_active_in_phase_8()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", reenroll: true), Waits).WithGoal(Define.All(Define.Eq("stage", "won"))));
        world.Set("stage", "x");
        world.Event("clicked");
        world.Event("clicked", ("stage", "won"));
        Assert.Equal(["Enrolled", "GoalAlreadyMet"], world.Decisions("w"));
    }

    [Fact]
    public void TRG_05_Event_triggers_are_ored_and_their_filters_anded()
    {
        var world = new World().Publish(Define.Workflow(
            "w",
            Define.OnEvents(
                true,
                new EventTriggerDefinition("clicked", [Define.Eq("link", "a"), Define.Is("count", Operator.IsGreaterThan, "1")], null, true),
                new EventTriggerDefinition("bought", [], null, true)),
            Define.Set("s", "name", "x")));
        world.Event("clicked", Timestamp.None, "1", false, [Named("link", "a"), new NamedValue("count", Value.OfNumber(1))]);
        world.Event("clicked", Timestamp.None, "2", false, [Named("link", "b"), new NamedValue("count", Value.OfNumber(2))]);
        Assert.Empty(world.Decisions("w"));
        world.Event("clicked", Timestamp.None, "3", false, [Named("link", "A"), new NamedValue("count", Value.OfNumber(2))]);
        world.Event("bought", Timestamp.None, "4", false, []);
        Assert.Equal(["Enrolled", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void TRG_05_ENR_01_All_triggers_that_fired_count_together_and_one_that_passes_is_enough()
    {
        var world = new World().Publish(Define.Workflow(
            "w",
            Define.OnEvents(
                true,
                new EventTriggerDefinition("clicked", [], Define.All(Define.Eq("stage", "never")), true),
                new EventTriggerDefinition("clicked", [], Define.All(Define.Eq("stage", "lead")), true)),
            Define.Set("s", "name", "x")));
        world.Event("clicked", ("stage", "lead"));
        world.Event("clicked", ("stage", "x"));
        Assert.Equal(["Enrolled", "RefinementNotMet"], world.Decisions("w"));
    }

    [Fact]
    public void TRG_05_An_event_property_may_be_unknown_or_of_another_type()
    {
        var world = new World();
        world.Publish(Define.Workflow("n", Define.OnEvent("clicked", reenroll: true, allowNew: true, where: Define.Is("count", Operator.IsGreaterThan, "1")), Define.Set("s", "name", "x")));
        world.Publish(Define.Workflow("u", Define.OnEvent("clicked", reenroll: true, allowNew: true, where: Define.Is("count", Operator.IsUnknown)), Define.Set("s", "name", "x")));
        world.Publish(Define.Workflow("o", Define.OnEvent("clicked", reenroll: true, allowNew: true, where: Define.Is("kind", Operator.IsAnyOf, "a", "b")), Define.Set("s", "name", "x")));
        world.Event("clicked", Timestamp.None, "1", false, [Named("count", "5"), Named("kind", "a")]);
        Assert.Empty(world.Decisions("n"));
        Assert.Empty(world.Decisions("u"));
        Assert.Equal(["Enrolled"], world.Decisions("o"));
        world.Event("clicked", Timestamp.None, "2", false, []);
        Assert.Single(world.Decisions("u"));
        Assert.Single(world.Decisions("o"));
    }

    [Fact]
    public void TRG_06_A_refinement_is_judged_after_the_events_own_writes_and_a_later_change_does_not_revive_it()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", onlyIf: IsLead), Define.Set("s", "name", "x")));
        world.Set("stage", "x");
        world.Event("clicked");
        world.Set("stage", "lead");
        Assert.Equal(["RefinementNotMet"], world.Decisions("w"));
        world.Set("stage", "x");
        world.Event("clicked", ("stage", "lead"));
        Assert.Equal(["RefinementNotMet", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void TRG_07_A_filter_fires_when_it_goes_from_false_to_true_and_only_then()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("score", Operator.IsGreaterThan, "5")), reenroll: true, reenrollWhen: Define.All(Define.Is("score", Operator.IsGreaterThan, "5"))), Define.Set("s", "name", "x")));
        world.Set("score", "4");
        world.Set("score", "6");
        world.Set("score", "7");
        world.Set("name", "y");
        Assert.Single(world.Decisions("w"));
        world.Set("score", "5");
        world.Set("score", "6");
        Assert.Equal(2, world.Decisions("w").Count());
    }

    [Fact]
    public void TRG_07_Publishing_and_turning_on_is_never_such_a_change()
    {
        var world = new World();
        world.Set("stage", "lead");
        world.Publish(Define.Workflow("w", Define.OnFilter(IsLead), Define.Set("s", "name", "x")), WorkflowState.Off);
        world.Switch("w", WorkflowState.On);
        world.Set("name", "n");
        Assert.Empty(world.Decisions("w"));
    }

    [Fact]
    public void TRG_07_Two_writes_of_one_round_are_one_change()
    {
        // A step sets the stage to lead and away again: at the end of the round the criteria do not hold.
        var world = new World()
            .Publish(Define.Workflow("flip", Define.OnEvent("clicked", allowNew: true), Define.Set("a", "stage", "lead", "b"), Define.Set("b", "stage", "x")))
            .Publish(Define.Workflow("w", Define.OnFilter(IsLead), Define.Set("s", "name", "x")));
        world.Event("clicked");
        Assert.Empty(world.Decisions("w"));
    }

    [Fact]
    public void TRG_07_FIL_31_The_before_side_of_a_history_filter_does_not_see_values_of_the_round()
    {
        var world = new World()
            .Publish(Define.Workflow("flip", Define.OnEvent("clicked", allowNew: true), Define.Set("a", "stage", "lead", "b"), Define.Set("b", "stage", "x")))
            .Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("stage", Operator.HasEverBeenEqualTo, "lead"))), Define.Set("s", "name", "x")));
        world.Set("stage", "start");
        world.Event("clicked");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void TRG_10_Manual_enrollment_ignores_triggers_and_refinements_but_no_other_check()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvent("clicked", onlyIf: IsLead), Waits).WithGoal(Define.All(Define.Eq("stage", "won"))));
        Assert.Equal((TurnStatus.Applied, Decision.Enrolled, 1), Of(world.Enroll("w")));
        Assert.Equal(Decision.AlreadyActive, world.Enroll("w").Decision);
        world.Unenroll("w");
        Assert.Equal(Decision.ReenrollmentOff, world.Enroll("w").Decision);
        var other = new World().Publish(Define.Workflow("w", Define.ByHand(), Waits).WithGoal(Define.All(Define.Eq("stage", "won"))));
        other.Set("stage", "won");
        Assert.Equal(Decision.GoalAlreadyMet, other.Enroll("w").Decision);

        static (TurnStatus, Decision, int) Of(TurnResult r) => (r.Status, r.Decision, r.Enrollment);
    }

    [Fact]
    public void TRG_10_The_caller_is_journaled_and_a_repeated_request_is_a_duplicate()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Set("s", "name", "x")));
        world.Enroll("w", "r1");
        Assert.Equal(("r1", "me"), (world.Last.Single(e => e.Kind == EntryKind.CommandReceived).Text, world.Last.Single(e => e.Kind == EntryKind.CommandReceived).Source));
        var head = world.Head;
        Assert.Equal(TurnStatus.Duplicate, world.Enroll("w", "r1").Status);
        Assert.Equal(TurnStatus.Mismatch, world.Unenroll("w", "r1").Status);
        Assert.Equal(head, world.Head);
    }

    [Fact]
    public void REN_01_An_event_workflow_has_one_switch()
    {
        var world = new World()
            .Publish(Define.Workflow("off", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "name", "x")))
            .Publish(Define.Workflow("on", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Set("s", "name", "x")));
        world.Event("clicked");
        world.Event("clicked");
        Assert.Equal(["Enrolled", "ReenrollmentOff"], world.Decisions("off"));
        Assert.Equal(["Enrolled", "Enrolled"], world.Decisions("on"));
    }

    [Fact]
    public void REN_02_A_re_enrollment_trigger_needs_the_initial_criteria_too()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: Define.All(Define.Eq("name", "again"))), Define.Set("s", "other", "x")));
        world.Set("stage", "lead");
        world.Set("name", "again");
        Assert.Equal(["Enrolled", "Enrolled"], world.Decisions("w"));
        world.Set("stage", "x");
        world.Set("name", "y");
        world.Set("name", "again");
        Assert.Equal(["Enrolled", "Enrolled", "CriteriaNotMet"], world.Decisions("w"));
    }

    [Fact]
    public void REN_02_The_initial_criteria_alone_do_not_re_enroll()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: Define.All(Define.Eq("name", "again"))), Define.Set("s", "other", "x")));
        world.Set("stage", "lead");
        world.Set("stage", "x");
        world.Set("stage", "lead");
        Assert.Equal(["Enrolled", "ReenrollmentTriggerNotSelected"], world.Decisions("w"));
    }

    [Fact]
    public void REN_03_A_re_enrollment_trigger_fires_when_it_becomes_true_and_any_one_is_enough()
    {
        var world = new World().Publish(Define.Workflow(
            "w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: [Define.All(Define.Eq("name", "again")), Define.All(Define.Eq("flag", "true"))]), Define.Set("s", "other", "x")));
        world.Set("stage", "lead");
        world.Set("flag", "true");
        world.Set("flag", "true");
        world.Set("score", "1");
        world.Set("name", "again");
        Assert.Equal(["Enrolled", "Enrolled", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void REN_04_Is_known_fires_on_a_first_value_and_on_each_later_change_but_not_on_a_clear()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: Define.All(Define.Is("name", Operator.IsKnown))), Define.Set("s", "other", "x")));
        world.Set("stage", "lead");
        var expected = 1;
        foreach (var (value, fires) in new[] { ("a", true), ("b", true), ("b", false), ("", false), ("", false), ("b", true), ("c", true) })
        {
            world.Set("name", value);
            expected += fires ? 1 : 0;
            Assert.Equal(expected, world.Decisions("w").Count());
        }
    }

    [Fact]
    public void REN_07_A_re_enrollment_trigger_also_enrolls_one_who_was_never_enrolled_if_the_criteria_hold()
    {
        var world = new World();
        world.Set("stage", "lead");
        world.Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: Define.All(Define.Eq("name", "again"))), Define.Set("s", "other", "x")));
        world.Set("name", "again");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        var other = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true, reenrollWhen: Define.All(Define.Eq("name", "again"))), Define.Set("s", "other", "x")));
        other.Set("name", "again");
        Assert.Equal(["CriteriaNotMet"], other.Decisions("w"));
    }

    [Theory]
    [InlineData(true, Decision.Enrolled)]
    [InlineData(false, Decision.ReenrollmentOff)]
    public void REN_08_Manual_starts_re_enroll_without_a_trigger_when_the_switch_is_on(bool reenroll, Decision expected)
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(IsLead, reenroll: reenroll), Define.Set("s", "other", "x")));
        world.Enroll("w");
        Assert.Equal(expected, world.Enroll("w").Decision);
    }

    [Fact]
    public void REN_09_A_re_enrolled_record_runs_all_steps_again_from_the_first_however_the_last_one_ended()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(reenroll: true), Define.Set("a", "other", "x", "b"), Define.Delay("b", 1, DelayUnit.Hours, "c"), Define.Set("c", "name", "y")));
        world.Enroll("w");
        world.Unenroll("w");
        world.Enroll("w");
        world.Pass(TimeSpan.FromHours(1));
        world.Enroll("w");
        Assert.Equal("enroll:w w.a w.b end:w:Manual enroll:w w.a w.b w.c end:w:Completed enroll:w w.a w.b", world.Story());
        Assert.Equal([1, 2, 3], world.Entries(EntryKind.Enrolled).Select(e => e.Enrollment));
        Assert.Equal([true, false, false], world.Entries(EntryKind.Enrolled).Select(e => e.Flag));
    }

    private static NamedValue Named(string name, string text) => new(name, Value.OfText(text));
}
