using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Ways out (section 12 of the rules).</summary>
public sealed class UnenrollmentTests
{
    private static readonly CriteriaDefinition IsLead = Define.All(Define.Eq("stage", "lead"));
    private static readonly StepDefinition Waits = Define.Delay("wait", 30, DelayUnit.Days);
    private static readonly WorkflowDefinition Meets = Define.Workflow("w", Define.OnFilter(IsLead, reenroll: true), Waits) with { UnenrollIfNotMeeting = true };

    [Fact]
    public void UNE_01_The_enrollment_ends_when_the_criteria_go_from_true_to_false()
    {
        var world = new World().Publish(Meets).Publish(Meets with { Id = "stays", UnenrollIfNotMeeting = false });
        world.Set("stage", "lead");
        world.Set("name", "n");
        Assert.Empty(world.Ends("w"));
        world.Set("stage", "x");
        Assert.Equal(["NoLongerMeets"], world.Ends("w"));
        Assert.Empty(world.Ends("stays"));
    }

    [Fact]
    public void UNE_01_By_a_step_before_the_next_step_and_by_the_clock_at_its_instant()
    {
        var world = new World().Publish(Meets with { Steps = [Define.Set("a", "stage", "x", "b"), Define.Set("b", "other", "ran")] });
        world.Set("stage", "lead");
        Assert.Equal(["NoLongerMeets"], world.Ends("w"));
        Assert.Equal("", world.Text("other"));
        var clock = new World().Publish(Meets with { Start = Define.OnFilter(Define.All(Define.Is("at", Operator.IsLessThanXDaysAgo, "1"))) });
        clock.Set("at", "2026-01-05T10:00:00Z");
        clock.Pass(TimeSpan.FromDays(3));
        Assert.Equal(["NoLongerMeets"], clock.Ends("w"));
        Assert.Equal(World.Start.PlusMs(36 * 3_600_000L), clock.Journal[^1].At);
    }

    [Fact]
    public void UNE_01_It_is_for_filter_starts_only()
    {
        var world = new World();
        WorkflowCompiler.Compile(Meets with { Start = Define.ByHand() }, new WorkflowIdentity("w", 1, 1, WorkflowState.On, World.Start), world.Scope, _ => 1, _ => 1, out var problems);
        Assert.Contains(problems, p => p is { IsError: true, Code: "NOT_FOR_START" });
    }

    [Fact]
    public void UNE_02_One_who_never_matched_stays_until_it_matches_and_then_stops()
    {
        var world = new World().Publish(Meets);
        world.Enroll("w");
        world.Set("stage", "a");
        world.Set("stage", "b");
        Assert.Empty(world.Ends("w"));
        world.Set("stage", "lead");
        Assert.Empty(world.Ends("w"));
        world.Set("stage", "x");
        Assert.Equal(["NoLongerMeets"], world.Ends("w"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void UNE_02_Setting_the_switch_or_changing_the_criteria_takes_nobody_out(bool isPinned)
    {
        var policy = isPinned ? PublishPolicy.Pinned : PublishPolicy.Live;
        var world = new World().Publish(Meets with { PublishPolicy = policy });
        world.Set("stage", "lead");
        world.Publish(Meets with { PublishPolicy = policy, Start = Define.OnFilter(Define.All(Define.Eq("name", "ada"))) });
        world.Refresh("w");
        world.Set("score", "1");
        Assert.Empty(world.Ends("w"));
        if (isPinned)
        {
            // A pinned enrollment keeps the criteria it began with.
            world.Set("name", "ada");
            world.Set("name", "bob");
            Assert.Empty(world.Ends("w"));
            world.Set("stage", "x");
        }
        else
        {
            world.Set("stage", "x");
            Assert.Empty(world.Ends("w"));
            world.Set("name", "ada");
            world.Set("name", "bob");
        }

        Assert.Equal(["NoLongerMeets"], world.Ends("w"));
    }

    [Fact]
    public void UNE_02_EDT_12_A_publish_whose_criteria_match_sets_the_latch()
    {
        var world = new World().Publish(Meets);
        world.Set("name", "ada");
        world.Enroll("w");
        world.Publish(Meets with { Start = Define.OnFilter(Define.All(Define.Eq("name", "ada"))) });
        world.Set("name", "bob");
        Assert.Equal(["NoLongerMeets"], world.Ends("w"));
    }

    [Fact]
    public void UNE_02_FIL_31_A_latch_over_history_is_set_though_the_history_lies_in_sections()
    {
        var ever = Define.OnFilter(Define.All(Define.Is("stage", Operator.HasNeverBeenEqualTo, "gone")));
        var world = new World().Publish(Meets with { Start = ever });
        for (var i = 0; i < 60; i++)
        {
            world.Set("stage", $"v{i}");
        }

        Assert.Equal(1, world.State.Enrollments.Length);
        Assert.NotEmpty(world.State.Sections);
        world.Publish(Meets with { Start = Define.OnFilter(Define.All(Define.Is("stage", Operator.HasEverBeenEqualTo, "v1"))) });
        world.Event("clicked");
        Assert.Empty(world.Ends("w"));
        Assert.True(world.State.Enrollments[0].HasMatched);
    }

    [Theory]
    [InlineData("none", "")]
    [InlineData("all", "a:EnrolledInOther b:EnrolledInOther")]
    [InlineData("some", "b:EnrolledInOther")]
    public void UNE_05_Kick_out_takes_the_record_out_of_the_other_workflows_at_the_moment_it_is_enrolled(string how, string ends)
    {
        var world = new World()
            .Publish(Define.Workflow("a", Define.ByHand(), Waits))
            .Publish(Define.Workflow("b", Define.ByHand(), Waits))
            .Publish(Define.Workflow("w", Define.OnEvent("clicked", reenroll: true), Define.Set("s", "other", "x"), Waits) with { UnenrollFromAll = how == "all", UnenrollFrom = how == "some" ? ["b"] : [] });
        world.Enroll("b");
        world.Enroll("a");
        world.Event("clicked");
        Assert.Equal(ends, string.Join(' ', world.Last.Where(e => e.Kind == EntryKind.EnrollmentEnded && e.Workflow != world.Number("w")).Select(e => $"{(e.Workflow == world.Number("a") ? "a" : "b")}:{e.EndReason}")));
        Assert.All(world.Last.Where(e => e is { Kind: EntryKind.EnrollmentEnded, EndReason: EndReason.EnrolledInOther }), e => Assert.Equal(world.Number("w"), e.Number));
    }

    [Fact]
    public void UNE_05_Later_workflows_of_a_round_kick_out_earlier_ones_and_a_refusal_kicks_nobody()
    {
        var world = new World();
        world.Publish(Define.Workflow("a", Define.OnEvent("clicked", reenroll: true, allowNew: true), Define.Set("s", "other", "a")) with { UnenrollFromAll = true })
            .Publish(Define.Workflow("b", Define.OnEvent("clicked", allowNew: true), Define.Set("s", "name", "b"), Waits) with { UnenrollFromAll = true });
        world.Event("clicked");
        Assert.Equal("enroll:a enroll:b end:a:EnrolledInOther b.s end:b:Completed", world.Story());
        world.Event("clicked");
        Assert.Equal(["Enrolled", "ReenrollmentOff"], world.Decisions("b"));
        Assert.Equal("a", world.Text("other"));
    }

    [Fact]
    public void UNE_05_A_workflow_does_not_kick_out_itself_and_one_that_was_kicked_out_may_come_back()
    {
        var world = new World()
            .Publish(Define.Workflow("a", Define.ByHand(reenroll: true), Waits))
            .Publish(Define.Workflow("b", Define.ByHand(reenroll: true), Waits) with { UnenrollFromAll = true });
        world.Enroll("a");
        world.Enroll("b");
        world.Enroll("a");
        Assert.Equal(["EnrolledInOther"], world.Ends("a"));
        Assert.Equal(2, world.State.Enrollments.Length);
    }

    [Fact]
    public void UNE_06_A_bounce_or_an_unsubscription_ends_nothing()
    {
        var world = new World().Knows("email_bounced").Publish(Define.Workflow("w", Define.ByHand(), Waits));
        world.Enroll("w");
        world.Event("email_bounced");
        Assert.Empty(world.Ends("w"));
    }

    [Fact]
    public void UNE_04_Deleting_a_workflow_ends_its_enrollments_and_withdraws_their_tasks()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Work("t"))).Publish(Define.Workflow("x", Define.ByHand(), Waits));
        world.Enroll("w");
        world.Enroll("x");
        var number = world.Number("w");
        world.Switch("w", WorkflowState.Off).Set("name", "n");
        Assert.Empty(world.Ends("w"));
        world.Drop("w");
        world.Refresh("");
        var end = world.Entries(EntryKind.EnrollmentEnded).Single();
        Assert.Equal((number, EndReason.WorkflowDeleted), (end.Workflow, end.EndReason));
        Assert.True(world.State.OpenEffects[0].IsWithdrawn);
        Assert.Equal(TurnStatus.Applied, world.Run(new CompletionInput(1, 1, 1, StepResult.Success, "", "", [])).Status);
        Assert.Equal(0, world.State.OpenEffects.Length);
    }

    [Fact]
    public void UNE_03_UNE_07_By_hand_in_each_phase_and_what_was_leased_is_journaled()
    {
        var world = new World().Publish(Define.Workflow("w", Define.ByHand(), Define.Email("m", "s"), Define.Set("s", "other", "ran")));
        world.Enroll("w");
        world.Unenroll("w");
        var end = world.Entries(EntryKind.EnrollmentEnded).Single();
        Assert.Equal((EndReason.Manual, world.Step("w", "m")), (end.EndReason, end.Step));
        Assert.Equal(TurnStatus.Applied, world.Complete("w", "m").Status);
        Assert.Equal(1, world.Entries(EntryKind.EffectCompleted).Single().Number);
        Assert.Equal("", world.Text("other"));
        Assert.True(world.State.TryGetSummary(world.Number("w"), out var summary) && summary.IsMailed);
    }

    [Fact]
    public void UNE_08_ACT_50_An_unenroll_action_ends_with_BY_WORKFLOW_in_the_next_round()
    {
        var world = new World()
            .Publish(Define.Workflow("w", Define.ByHand(), Waits))
            .Publish(Define.Workflow("x", Define.ByHand(reenroll: true), Define.UnenrollFrom("u", "w", "s"), Define.Set("s", "other", "after")));
        world.Enroll("w");
        world.Enroll("x");
        Assert.Equal("enroll:x x.u x.s end:x:Completed end:w:ByWorkflow", world.Story(1));
        Assert.Equal(world.Number("x"), world.Entries(EntryKind.EnrollmentEnded).Last().Number);
        world.Enroll("x");
        Assert.Single(world.Ends("w"));
    }

    [Fact]
    public void UNE_08_ACT_50_A_workflow_may_take_the_record_out_of_itself()
    {
        var world = new World().Together(Define.Workflow("w", Define.ByHand(), Define.UnenrollFrom("u", "w", "d"), Define.Delay("d", 1, DelayUnit.Days, "s"), Define.Set("s", "other", "ran")));
        world.Enroll("w");
        Assert.Equal("enroll:w w.u w.d end:w:ByWorkflow", world.Story());
        Assert.True(world.State.NextDueAt.IsNone);
    }

    [Fact]
    public void UNE_08_Every_reason_but_COMPLETED_is_an_unenrollment()
    {
        var world = new World()
            .Publish(Define.Workflow("w", Define.ByHand(), Define.Set("s", "other", "x")))
            .Publish(Define.Workflow("u", Define.OnEvent("workflow_unenrolled"), Waits))
            .Publish(Define.Workflow("c", Define.OnEvent("workflow_completed"), Waits));
        world.Enroll("w");
        Assert.Empty(world.Decisions("u"));
        Assert.Equal(["Enrolled"], world.Decisions("c"));
    }
}
