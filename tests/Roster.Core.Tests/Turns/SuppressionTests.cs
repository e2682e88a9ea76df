using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>Suppression lists and unenrollment triggers (section 11 of the rules).</summary>
public sealed class SuppressionTests
{
    private static readonly CriteriaDefinition IsOut = Define.All(Define.Eq("name", "out"));
    private static readonly WorkflowDefinition Plain = Define.Workflow("w", Define.ByHand(reenroll: true), Define.Delay("d", 1, DelayUnit.Days, "s"), Define.Set("s", "other", "ran"));
    private static readonly WorkflowDefinition Suppressed = Plain with { SuppressionLists = ["blocked"] };

    [Fact]
    public void SUP_01_A_member_is_never_enrolled_not_even_by_hand()
    {
        var world = new World().List("blocked")
            .Publish(Suppressed)
            .Publish(Define.Workflow("e", Define.OnEvent("clicked"), Define.EnrollIn("x", "w")) with { SuppressionLists = ["blocked"] });
        world.AddToList("blocked");
        Assert.Equal(Decision.Suppressed, world.Enroll("w").Decision);
        world.Event("clicked");
        Assert.Equal(["Suppressed"], world.Decisions("e"));
    }

    [Fact]
    public void SUP_01_An_active_list_that_the_event_itself_joins_suppresses_too()
    {
        var world = new World().List("blocked", IsOut).Publish(Suppressed with { Start = Define.OnFilter(IsOut) });
        world.Set("name", "out");
        Assert.Equal(["Suppressed"], world.Decisions("w"));
    }

    [Fact]
    public void SUP_01_The_list_must_be_of_the_object_type()
    {
        var world = new World().List("blocked");
        WorkflowCompiler.Compile(
            Suppressed with { ObjectType = "deal", Steps = [Define.Delay("d", 1, DelayUnit.Days)] }, new WorkflowIdentity("w", 1, 1, WorkflowState.On, World.Start), world.Scope, _ => 1, _ => 1, out var problems);
        Assert.Contains(problems, p => p is { IsError: true, Code: "LIST_OF_OTHER_TYPE" });
    }

    [Fact]
    public void SUP_02_A_list_attached_while_a_member_takes_out_before_the_next_step_and_not_earlier()
    {
        var world = new World().List("blocked").Publish(Plain);
        world.Enroll("w");
        world.AddToList("blocked");
        world.Publish(Suppressed);
        world.Refresh("w");
        world.Event("clicked");
        Assert.Empty(world.Ends("w"));
        world.Pass(TimeSpan.FromDays(1));
        Assert.Equal(["Suppressed"], world.Ends("w"));
        Assert.Equal("", world.Text("other"));
    }

    [Theory]
    [InlineData("delay")]
    [InlineData("task")]
    [InlineData("wait")]
    [InlineData("window")]
    [InlineData("held")]
    public void SUP_03_A_join_takes_out_in_the_same_turn_in_every_phase_and_the_timer_has_no_effect_any_more(string phase)
    {
        StepDefinition first = phase switch
        {
            "delay" => Define.Delay("a", 1, DelayUnit.Days, "s"),
            "task" => Define.Work("a", "s", timeout: TimeSpan.FromDays(1)),
            "wait" => Define.WaitEvent("a", "clicked", "s", TimeSpan.FromDays(1)),
            _ => Define.Set("a", "score", "1", "s"),
        };
        var workflow = Suppressed with { Steps = [first, Define.Set("s", "other", "ran")], Windows = phase == "window" ? Define.Open("01:00", "02:00") : null };
        var world = new World().List("blocked").Publish(workflow, phase == "held" ? WorkflowState.Paused : WorkflowState.On);
        world.Enroll("w");
        Assert.Equal(1, world.State.Enrollments.Length);
        world.AddToList("blocked");
        Assert.Equal(["Suppressed"], world.Ends("w"));
        Assert.Equal(world.ListNumber("blocked"), world.Entries(EntryKind.EnrollmentEnded).Single().Number);
        world.Switch("w", WorkflowState.On);
        world.Pass(TimeSpan.FromDays(9));
        Assert.Equal("", world.Text("other"));
        Assert.True(world.State.NextDueAt.IsNone);
    }

    [Fact]
    public void SUP_03_An_active_list_by_the_clock_takes_out_at_the_instant()
    {
        var world = new World().List("blocked", Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1")))
            .Publish(Suppressed with { Steps = [Define.Delay("d", 9, DelayUnit.Days)] });
        world.Set("at", "2026-01-05T10:00:00Z");
        world.Enroll("w");
        world.Pass(TimeSpan.FromDays(9));
        Assert.Equal(["Suppressed"], world.Ends("w"));
        Assert.Equal(World.Start.PlusMs(36 * 3_600_000L), world.Journal[^1].At);
    }

    [Fact]
    public void SUP_03_ENG_06_A_join_by_a_step_takes_the_same_enrollment_out_before_its_next_step_and_others_in_the_next_round()
    {
        var world = new World().List("blocked")
            .Publish(Define.Workflow("other", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days)) with { SuppressionLists = ["blocked"] })
            .Publish(Define.Workflow("self", Define.ByHand(), Define.AddTo("a", "blocked", "b"), Define.Set("b", "other", "ran")) with { SuppressionLists = ["blocked"] });
        world.Enroll("other");
        world.Enroll("self");
        Assert.Equal("enroll:self self.a end:self:Suppressed end:other:Suppressed", world.Story(1));
        Assert.Equal("", world.Text("other"));
    }

    [Fact]
    public void SUP_04_Leaving_or_removing_the_list_enrolls_nobody()
    {
        var world = new World().List("blocked").Publish(Suppressed with { Start = Define.OnFilter(Define.All(Define.Eq("stage", "lead"))) });
        world.AddToList("blocked");
        world.Set("stage", "lead");
        world.RemoveFromList("blocked");
        world.Publish(Plain with { Start = Define.OnFilter(Define.All(Define.Eq("stage", "lead"))) });
        world.Set("score", "1");
        Assert.Equal(["Suppressed"], world.Decisions("w"));
        world.Set("stage", "x");
        world.Set("stage", "lead");
        Assert.Equal(["Suppressed", "Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void SUP_05_Unenrollment_triggers_refuse_and_take_out_in_the_same_turn()
    {
        var world = new World().Publish(Plain with { UnenrollWhen = IsOut });
        world.Set("name", "out");
        Assert.Equal(Decision.UnenrollmentTriggerMet, world.Enroll("w").Decision);
        world.Set("name", "in");
        world.Enroll("w");
        world.Set("name", "out");
        Assert.Equal(["UnenrollmentTrigger"], world.Ends("w"));
        world.Pass(TimeSpan.FromDays(3));
        Assert.Equal("", world.Text("other"));
    }

    [Fact]
    public void SUP_05_They_may_look_at_lists_workflows_and_the_clock()
    {
        var world = new World().List("vip")
            .Publish(Define.Workflow("x", Define.ByHand(), Define.Delay("d", 1, DelayUnit.Days)))
            .Publish(Plain with { UnenrollWhen = Define.All(Define.InList("vip"), Define.Status("x", WorkflowStatus.Active)) });
        world.Enroll("w");
        world.AddToList("vip");
        Assert.Empty(world.Ends("w"));
        world.Enroll("x");
        Assert.Equal(["UnenrollmentTrigger"], world.Ends("w"));
        var clock = new World().Publish(Plain with { UnenrollWhen = Define.All(Define.Is("at", Operator.IsMoreThanXDaysAgo, "1")), Steps = [Define.Delay("d", 9, DelayUnit.Days)] });
        clock.Set("at", "2026-01-05T10:00:00Z");
        clock.Enroll("w");
        clock.Pass(TimeSpan.FromDays(2));
        Assert.Equal(["UnenrollmentTrigger"], clock.Ends("w"));
    }

    [Fact]
    public void SUP_05_One_that_becomes_true_again_in_the_turn_of_the_enrollment_takes_out()
    {
        // Before the turn the record is a member, which holds the triggers; in the turn it leaves, is enrolled, and joins again.
        var world = new World().List("vip", Define.All(Define.Eq("stage", "vip")))
            .Publish(Plain with { Start = Define.OnFilter(Define.All(Define.Eq("stage", "go"))), UnenrollWhen = Define.All(Define.InList("vip")) })
            .Publish(Define.Workflow("x", Define.OnFilter(Define.All(Define.Eq("stage", "go"))), Define.Set("s", "stage", "vip")));
        world.Set("stage", "vip");
        world.Set("stage", "go");
        Assert.Equal(["Enrolled"], world.Decisions("w"));
        Assert.Equal(["UnenrollmentTrigger"], world.Ends("w"));
    }

    [Fact]
    public void SUP_05_A_publish_that_adds_them_re_checks_by_the_job_and_without_it_before_the_next_step()
    {
        foreach (var hasJob in new[] { true, false })
        {
            var world = new World().Publish(Plain);
            world.Set("name", "out");
            world.Enroll("w");
            world.Publish(Plain with { UnenrollWhen = IsOut });
            if (hasJob)
            {
                world.Refresh("w");
            }

            Assert.Equal(hasJob ? 1 : 0, world.Ends("w").Count());
            world.Pass(TimeSpan.FromDays(1));
            Assert.Equal(["UnenrollmentTrigger"], world.Ends("w"));
        }
    }

    [Fact]
    public void ENG_07_Exits_before_a_step_are_checked_in_their_order()
    {
        var all = Define.All(Define.Eq("stage", "all"));
        var not = Define.All(Define.Is("stage", Operator.IsNotEqualTo, "all") with { IncludeUnknown = true });
        foreach (var (suppressed, trigger, goal, meets, expected) in new[]
            {
                (true, true, true, true, "Suppressed"), (false, true, true, true, "UnenrollmentTrigger"),
                (false, false, true, true, "GoalMet"), (false, false, false, true, "NoLongerMeets"),
            })
        {
            var workflow = Define.Workflow("w", Define.OnFilter(not), Define.Set("a", "stage", "all", "b"), Define.Set("b", "other", "ran")) with
            {
                SuppressionLists = suppressed ? ["blocked"] : [],
                UnenrollWhen = trigger ? all : null,
                UnenrollIfNotMeeting = meets,
                Goals = goal ? [new GoalDefinition("g", all)] : [],
            };
            var world = new World().List("blocked", all).Publish(workflow);
            world.Enroll("w");
            Assert.Equal([expected], world.Ends("w"));
            Assert.Equal("", world.Text("other"));
        }
    }

    [Fact]
    public void SUP_03_A_join_that_is_undone_in_the_same_round_takes_out_too()
    {
        var world = new World().List("blocked")
            .Publish(Suppressed)
            .Publish(Define.Workflow("inout", Define.OnEvent("clicked", allowNew: true), Define.AddTo("a", "blocked", "r"), Define.RemoveFrom("r", "blocked")));
        world.Enroll("w");
        world.Event("clicked");
        Assert.False(world.IsMember("blocked"));
        Assert.Equal(["Suppressed"], world.Ends("w"));
    }
}
