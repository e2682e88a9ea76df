using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Turns;
using Roster.Core.Workflows;

namespace Roster.Core.Tests.Turns;

/// <summary>HIS-07: the decision, every check with what was found, and the smallest change that enrolls.</summary>
public sealed class ExplainTests
{
    private const string HoldsAlready = "the criteria hold already: they must stop to hold and hold again (TRG-07), or enroll the record by hand";

    private static readonly CriteriaDefinition IsLead = Define.All(Define.Eq("stage", "lead"));

    private static readonly StepDefinition Waits = Define.Delay("wait", 10, DelayUnit.Minutes);

    /// <summary>Decision, a state that gives it, what is said to change, what fires now, and the change as inputs; none where there is none.</summary>
    private static readonly Case[] Cases =
    [
        new("RecordGone", World(OnLead).Do(w => w.Set("stage", "x")).Do(w => w.Delete()), ["restore the record", "set stage to 'lead'"], null, w => w.Restore(), SetLead),
        new("RecordGone", World(OnLead, TenantSettings.Default with { Upsert = false }), ["create the record", "set stage to 'lead'"], null),
        new("TypeMismatch", World(Define.Workflow("w", Define.ByHand(), Waits) with { ObjectType = "deal" }).Do(SetLead), [], w => w.Enroll("w")),
        new("WorkflowOff", World(OnLead, state: WorkflowState.Off).Do(w => w.Set("stage", "x")), ["switch the workflow on", "set stage to 'lead'"], w => w.Enroll("w"), SwitchOn, SetLead),
        new("WorkflowOff", World(OnLead, state: WorkflowState.Draft).Do(SetLead), ["switch the workflow on with enroll_existing"], w => w.Enroll("w"), SwitchOn, w => w.Enroll("w", trigger: TriggerKind.Existing)),
        new("WorkflowOff", World(OnClick(), state: WorkflowState.Off).Do(SetLead), ["switch the workflow on", Click], w => w.Enroll("w"), SwitchOn, DoClick),
        new("NewRecord", World(OnClick()), ["create the record first, and let a trigger fire after that", Click], DoClick, SetLead, DoClick),
        new("NewRecord", World(Define.Workflow("w", Define.OnFilter(IsLead, fireOnCreate: false), Waits)), ["create the record first, and let a trigger fire after that", "set stage to 'lead'"], SetLead, w => w.Set("name", "n"), w => w.Set("stage", "x"), SetLead),
        new("RefinementNotMet", World(OnClick(onlyIf: IsLead)).Do(w => w.Set("stage", "x")), ["set stage to 'lead'", "this must happen: clicked, if its \"only if\" holds, of a record that existed before"], DoClick, SetLead, DoClick),
        new("AlreadyActive", World(OnClick(reenroll: true)).Do(SetLead).Do(DoClick), ["end the active enrollment, number 1", Click], DoClick, w => w.Unenroll("w"), DoClick),
        new("ReenrollmentOff", World(OnLead).Do(SetLead).Do(Finish), ["switch re-enrollment on", "enroll the record by hand"], LeadAgain, w => w.Publish(OnLeadAgain()), w => w.Enroll("w")),
        new("ReenrollmentOff", World(OnClick()).Do(SetLead).Do(DoClick).Do(Finish), ["switch re-enrollment on", Click], DoClick, w => w.Publish(OnClick(reenroll: true)), DoClick),
        new("ReenrollmentTriggerNotSelected", World(OnLeadAgain()).Do(SetLead).Do(Finish), ["enroll the record by hand"], LeadAgain, w => w.Enroll("w")),
        new("ReenrollmentTriggerNotSelected", World(OnLeadAgain(Define.Is("score", Operator.IsKnown))).Do(SetLead).Do(Finish), ["set score"], LeadAgain, w => w.Set("score", "1")),
        new("ReenrollmentTriggerNotSelected", World(OnLeadAgain(Define.Eq("stage", "lead"))).Do(SetLead).Do(Finish).Do(w => w.Set("stage", "x")), ["set stage to 'lead'"], null, SetLead),
        new("CriteriaNotMet", World(OnLead).Do(w => w.Set("stage", "x")), ["set stage to 'lead'"], w => w.Enroll("w", trigger: TriggerKind.Existing), SetLead),
        new("CriteriaNotMet", World(OnLead), ["set stage to 'lead'"], w => w.Enroll("w", trigger: TriggerKind.Existing), SetLead),
        new("CriteriaNotMet", World(Define.Workflow("w", Define.OnFilter(Define.All(new ConstantFilterDefinition(false))), Waits)).Do(SetLead), ["enroll the record by hand"], w => w.Enroll("w", trigger: TriggerKind.Existing), w => w.Enroll("w")),
        new("Suppressed", World(OnLead with { SuppressionLists = ["quiet", "calm"] }).Do(w => w.AddToList("calm")).Do(SetLead), ["leave list calm", HoldsAlready], LeadAgain, w => w.RemoveFromList("calm"), LeadAgain),
        new("Suppressed", World(OnLead with { SuppressionLists = ["named"] }).Do(w => w.Set("name", "n")).Do(SetLead), ["stop to meet the criteria of list named", HoldsAlready], LeadAgain, w => w.Set("name", ""), LeadAgain),
        new("UnenrollmentTriggerMet", World(OnLead with { UnenrollWhen = Define.Any(Define.Is("name", Operator.IsKnown), Define.Eq("flag", "true")) }).Do(w => w.Set("name", "n")).Do(SetLead), ["the unenrollment triggers must stop to hold: clear name", HoldsAlready], LeadAgain, w => w.Set("name", ""), LeadAgain),
        new("UnenrollmentTriggerMet", World(OnLead with { UnenrollWhen = Define.All(new ConstantFilterDefinition(true)) }).Do(SetLead), [], LeadAgain),
        new("GoalAlreadyMet", World(OnLead.WithGoal(Define.Any(Define.Eq("name", "n"), Define.Is("name", Operator.StartsWith, "n")))).Do(w => w.Set("name", "n")).Do(SetLead), ["goal goal must stop to hold: set name so that it is not true that name IS_EQUAL_TO n; set name so that it is not true that name STARTS_WITH n", HoldsAlready], LeadAgain, w => w.Set("name", "o"), LeadAgain),
        new("AnchorUnknown", World(AroundDay).Do(SetLead), ["set day", HoldsAlready], LeadAgain, w => w.Set("day", "2026-06-01"), LeadAgain),
        new("LoopGuard", World(OnClick(reenroll: true), TenantSettings.Default with { EnrollmentsPerHourMax = 2 }).Do(SetLead).Do(DoClick).Do(Finish).Do(DoClick).Do(Finish), ["wait until 2026-01-05T13:00:00Z", Click], DoClick, w => w.Pass(TimeSpan.FromHours(1)), DoClick),
        new("LimitReached", World(OnLead, TenantSettings.Default with { ActiveEnrollmentsPerRecordMax = 1 }).Do(w => w.Enroll("filler")).Do(SetLead), ["end another active enrollment of the record, or raise active_enrollments_per_record_max", HoldsAlready], LeadAgain, w => w.Unenroll("filler"), LeadAgain),
        new("Enrolled", World(OnLead).Before(SetLead), [HoldsAlready], LeadAgain, LeadAgain),
        new("Enrolled", World(OnLeadAgain(Define.Is("score", Operator.IsKnown))).Before(SetLead), [HoldsAlready.Replace(", or enroll", ", or let a re-enrollment trigger fire (REN-07), or enroll", StringComparison.Ordinal)], w => w.Set("score", "1"), w => w.Set("score", "1")),
        new("Enrolled", World(OnLeadAgain(Define.Is("score", Operator.IsKnown))).Do(SetLead).Do(Finish).Do(w => w.Set("score", "1")).Do(Finish), ["start.reenrollWhen[0] holds already: it must stop to hold and hold again (an event in it must happen again, IS_KNOWN needs another value), or enroll the record by hand"], w => w.Set("score", "2"), w => w.Set("score", "2")),
        new("Enrolled", World(OnClick()).Do(SetLead), [Click], DoClick, DoClick),
        new("Enrolled", World(Define.Workflow("w", Define.OnEvents(false, new EventTriggerDefinition("clicked", [], null, null), new EventTriggerDefinition("form_submitted", [Define.Eq("form", "f")], null, null)), Waits)).Do(SetLead), ["one of these must happen: clicked, of a record that existed before; form_submitted where form IS_EQUAL_TO f"], null, DoClick),
        new("Enrolled", World(Define.Workflow("w", Define.ByHand(), Waits)).Do(SetLead), ["enroll the record by hand"], w => w.Enroll("w"), w => w.Enroll("w")),
        new("Enrolled", World(Define.Workflow("w", EveryDay(IsLead), Waits)).Do(SetLead), ["wait for the run at 2026-01-06T09:00:00Z"], w => w.Enroll("w", trigger: TriggerKind.Schedule), w => w.Enroll("w", trigger: TriggerKind.Schedule)),
        new("CriteriaNotMet", World(Define.Workflow("w", EveryDay(IsLead), Waits)).Do(w => w.Set("stage", "x")), ["set stage to 'lead'", "wait for the run at 2026-01-06T09:00:00Z"], w => w.Enroll("w", trigger: TriggerKind.Schedule), SetLead, w => w.Enroll("w", trigger: TriggerKind.Schedule)),
        new("Enrolled", World(Define.Workflow("w", AfterDay, Waits)).Do(w => w.Set("day", "2026-01-10")), ["wait for the run at 2026-01-10T09:00:00Z"], null, w => w.Pass(TimeSpan.FromDays(5))),
        new("Enrolled", World(Define.Workflow("w", AfterDay, Waits)).Do(SetLead), ["set day so that its run is still to come"], null, w => w.Set("day", "2026-01-06"), w => w.Pass(TimeSpan.FromDays(1))),
    ];

    private static string Click => "this must happen: clicked, of a record that existed before";

    private static WorkflowDefinition OnLead => Define.Workflow("w", Define.OnFilter(IsLead), Waits);

    private static WorkflowDefinition AroundDay => Define.Workflow("w", new StartDefinition(StartKind.DateAnchor, null, true, [], false, []) { Anchor = new AnchorDefinition("", "day", false, IsLead) }, Define.Set("s", "other", "x") with { At = new AnchorOffsetDefinition(1, "09:00") });

    private static StartDefinition AfterDay => new(StartKind.Schedule, null, true, [], false, [])
    {
        Schedule = new ScheduleDefinition(ScheduleKind.Date) { Property = "day", TimeOfDay = "09:00", AllRecords = true },
    };

    public static TheoryData<int, string> Numbers() => [.. Cases.Select((c, i) => (i, c.Decision))];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void HIS_07_The_decision_is_explained_and_the_smallest_change_enrolls(int number, string decision)
    {
        var tested = Cases[number];
        var world = tested.Given.Build();
        var before = world.Head.ToArray();
        var explanation = Explain(world);
        Assert.Equal(decision, explanation.Decision.ToString());
        Assert.Equal(tested.Change, explanation.SmallestChange);
        Assert.Equal(explanation.Decision, explanation.Checks.FirstOrDefault(c => !c.Passes)?.Decision ?? Decision.Enrolled);
        Assert.Equal(before, world.Head.Length == 0 ? [] : world.Pack(world.State));
        foreach (var change in tested.Apply)
        {
            change(world);
        }

        if (tested.Apply.Length > 0)
        {
            Assert.Equal("Enrolled", world.Decisions("w").Last());
        }
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void HIS_07_A_turn_decides_what_the_explanation_says(int number, string decision)
    {
        if (Cases[number].Fire is { } fire)
        {
            var world = Cases[number].Given.Build();
            var count = world.Decisions("w").Count();
            fire(world);
            Assert.Equal(decision, world.Decisions("w").Skip(count).Single());
        }
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void HIS_07_The_decision_by_hand_is_that_of_an_enrollment_by_hand(int number, string decision)
    {
        Assert.NotEmpty(decision);
        var world = Cases[number].Given.Build();
        var expected = Explain(world).DecisionByHand;
        var result = world.Enroll("w");
        Assert.Equal(expected, result.Status == TurnStatus.Refused ? Decision.RecordGone : result.Decision);
    }

    [Fact]
    public void HIS_07_Every_check_says_what_it_found_in_the_order_of_ENR_02()
    {
        var world = new World().List("quiet").Publish(OnLead.WithGoal(Define.All(Define.Eq("flag", "true"))) with { SuppressionLists = ["quiet"] });
        world.Set("stage", "lead");
        world.Pass(TimeSpan.FromMinutes(1)).AddToList("quiet");
        world.Set("stage", "x");
        Assert.Equal(
            [
                "RecordGone True the record exists",
                "TypeMismatch True the workflow is for contact, the record is a contact",
                "WorkflowOff True the workflow is on",
                "SourceNotAllowed True every source may enroll but an external CRM sync",
                "NewRecord True the record existed before",
                "MergeOff True no merge; what one changes does not enroll",
                "EvaluationFailed True the triggers can be judged",
                "RefinementNotMet True no \"only if\"",
                "AlreadyActive True not active",
                "ReenrollmentOff False enrolled once; re-enrollment is off",
                "ReenrollmentTriggerNotSelected False no re-enrollment trigger is selected",
                "CriteriaNotMet False anyOf[0].allOf[0]: stage IS_EQUAL_TO lead, but it is x",
                "Suppressed False member of list quiet",
                "UnenrollmentTriggerMet True no unenrollment triggers",
                "GoalAlreadyMet True no goal that ends the enrollment holds",
                "AnchorUnknown True no date anchor",
                "LoopGuard True 1 of at most 20 enrollments in 60 minutes (enrollments_per_hour_max)",
                "LimitReached True 0 of at most 1000 active enrollments of the record (active_enrollments_per_record_max)",
            ],
            Explain(world).Checks.Select(c => $"{c.Decision} {c.Passes} {c.Found}"));
        Assert.Equal(world.ListNumber("quiet"), Explain(world).Checks.Single(c => c.Decision == Decision.Suppressed).Detail);
    }

    [Fact]
    public void HIS_07_All_criteria_are_explained_where_they_are()
    {
        var isScored = Define.All(Define.Is("score", Operator.IsKnown));
        var world = new World().Publish(OnLeadAgain(Define.Is("name", Operator.IsKnown)).WithGoals(
            new GoalDefinition("first", isScored) { Count = GoalCount.All }, new GoalDefinition("second", isScored) { Count = GoalCount.All }) with
        { UnenrollWhen = Define.All(Define.Eq("flag", "true")) });
        world.Set("stage", "lead");
        world.Set("score", "3");
        var explanation = Explain(world);
        Assert.Equal(("start.filter.criteria", true), (explanation.Start.Single().Path, explanation.Start.Single().Criteria.Accepts));
        Assert.Equal(("unenrollWhen", false), (explanation.UnenrollWhen!.Path, explanation.UnenrollWhen.Criteria.Accepts));
        Assert.Equal(("start.reenrollWhen[0]", false), (explanation.ReenrollWhen.Single().Path, explanation.ReenrollWhen.Single().Criteria.Accepts));
        Assert.Equal(["first 1 True True goals[0].criteria", "second 2 False True goals[1].criteria"], explanation.Goals.Select(g => $"{g.Id} {g.Number} {g.IsExit} {g.IsCounted} {g.Criteria.Path}"));
        Assert.Equal("3", explanation.Goals[0].Criteria.Criteria.Groups[0].Filters[0].Actual);
    }

    [Fact]
    public void HIS_07_Event_triggers_are_told_with_their_only_if()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnEvents(
            false, new EventTriggerDefinition("clicked", [Define.Eq("url", "a")], IsLead, true), new EventTriggerDefinition("bought", [], Define.All(Define.Is("name", Operator.IsKnown), Define.Eq("stage", "y")), null)), Waits));
        world.Set("stage", "x");
        var explanation = Explain(world);
        Assert.Equal(Decision.RefinementNotMet, explanation.Decision);
        Assert.Equal(["clicked where url IS_EQUAL_TO a, if its \"only if\" holds", "bought, if its \"only if\" holds, of a record that existed before"], explanation.EventTriggers);
        Assert.Equal(["start.event.anyOf[0].onlyIf", "start.event.anyOf[1].onlyIf"], explanation.Start.Select(c => c.Path));
        Assert.Equal(["set stage to 'lead'", "this must happen: clicked where url IS_EQUAL_TO a, if its \"only if\" holds"], explanation.SmallestChange);
    }

    [Fact]
    public void HIS_07_A_version_that_is_not_in_force_must_be_published()
    {
        var world = new World().Publish(OnLead);
        var first = world.Compiled("w");
        world.Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Eq("stage", "x"))), Waits));
        world.Set("name", "n");
        var former = new Turn().Explain(world.State, first, world.Catalog, world.Now);
        Assert.Equal(["publish what version 1 says", "set stage to 'lead'"], former.SmallestChange);
        world.Set("stage", "lead");
        former = new Turn().Explain(world.State, first, world.Catalog, world.Now);
        Assert.Equal((Decision.Enrolled, Decision.Enrolled), (former.Decision, former.DecisionByHand));
        Assert.Equal(["publish what version 1 says with enroll_existing"], former.SmallestChange);
    }

    [Fact]
    public void HIS_07_What_waits_for_the_clock_says_until_when()
    {
        var world = new World().Publish(Define.Workflow("w", Define.OnFilter(Define.All(Define.Is("at", Operator.IsLessThanXDaysAgo, "1"))), Waits));
        world.Set("at", "2026-01-07T10:00:00Z");
        var explanation = Explain(world);
        Assert.Equal(["wait until 2026-01-07T10:00:00Z"], explanation.SmallestChange);
        world.Pass(TimeSpan.FromDays(2));
        Assert.Equal(["Enrolled"], world.Decisions("w"));
    }

    [Fact]
    public void HIS_07_Criteria_that_cannot_be_judged_stand_in_the_place_of_their_check()
    {
        var world = new World().Publish(OnLead);
        world.Set("stage", "lead");
        var broken = new Criteria([new FilterGroup(GroupMatch.All, [new BrokenFilter()])]);
        var start = new CompiledStart(StartKind.Filter, broken, true, [], false, []);
        var explanation = Explain(world, Compiled(new CompiledSettings(start, [])));
        Assert.Equal((Decision.EvaluationFailed, Decision.AlreadyActive), (explanation.Decision, explanation.DecisionByHand));
        Assert.Equal([Decision.EvaluationFailed, Decision.EvaluationFailed], [explanation.Checks[6].Decision, explanation.Checks[11].Decision]);
        Assert.Equal((false, 0), (explanation.Start.Single().Criteria.Accepts, explanation.Start.Single().Criteria.Groups.Count));
        world.Unenroll("w");
        var manual = new CompiledStart(StartKind.Manual, null, true, [], true, []);
        explanation = Explain(world, Compiled(new CompiledSettings(manual, [new CompiledGoal(1, "g", broken, true, true)])));
        Assert.Equal((Decision.EvaluationFailed, Decision.EvaluationFailed), (explanation.Decision, explanation.DecisionByHand));
        Assert.Equal("cannot be judged: It is broken.", explanation.Checks[14].Found);
        Assert.Contains("correct the criteria that cannot be judged", explanation.SmallestChange);

        CompiledWorkflow Compiled(CompiledSettings settings) => new(world.Compiled("w").Identity, world.Compiled("w").ObjectType, NodaTime.DateTimeZone.Utc, settings, [], 0, false);
    }

    [Fact]
    public void HIS_07_Every_decision_that_a_state_can_give_has_a_case()
    {
        // These two look at the input, and an explanation has none; the third needs criteria that no definition gives. Those beyond ENROLLED
        // are of sequences, which have cases of their own (SequenceEnrollTests).
        var looked = new[] { Decision.None, Decision.SourceNotAllowed, Decision.MergeOff, Decision.EvaluationFailed };
        Assert.Equal(Enum.GetValues<Decision>().Where(d => d <= Decision.Enrolled).Except(looked).Select(d => d.ToString()).Order(), Cases.Select(c => c.Decision).Distinct().Order());
    }

    private static EnrollmentExplanation Explain(World world, CompiledWorkflow? workflow = null) => new Turn().Explain(world.State, workflow ?? world.Compiled("w"), world.Catalog, world.Now);

    private static WorkflowDefinition OnLeadAgain(params FilterDefinition[] again) =>
        Define.Workflow("w", Define.OnFilter(IsLead, fireOnCreate: true, reenroll: true, [.. again.Select(f => Define.All(f))]), Waits);

    private static WorkflowDefinition OnClick(bool reenroll = false, CriteriaDefinition? onlyIf = null) => Define.Workflow("w", Define.OnEvent("clicked", reenroll, onlyIf), Waits);

    private static StartDefinition EveryDay(CriteriaDefinition criteria) => new(StartKind.Schedule, null, true, [], false, [])
    {
        Schedule = new ScheduleDefinition(ScheduleKind.Daily) { TimeOfDay = "09:00", Criteria = criteria },
    };

    private static void SetLead(World world) => world.Set("stage", "lead");

    private static void LeadAgain(World world)
    {
        world.Set("stage", "x");
        world.Set("stage", "lead");
    }

    private static void DoClick(World world) => world.Event("clicked");

    private static void Finish(World world) => world.Pass(TimeSpan.FromMinutes(10));

    private static void SwitchOn(World world) => world.Switch("w", WorkflowState.On);

    private static Given World(WorkflowDefinition workflow, TenantSettings? settings = null, WorkflowState state = WorkflowState.On) => new(workflow, settings, state, [], []);

    private sealed record Case(string Decision, Given Given, string[] Change, Action<World>? Fire, params Action<World>[] Apply);

    /// <summary>A world to be built: what happens before the workflow is published, and after.</summary>
    private sealed record Given(WorkflowDefinition Workflow, TenantSettings? Settings, WorkflowState State, Action<World>[] First, Action<World>[] Then)
    {
        public Given Before(Action<World> action) => this with { First = [.. First, action] };

        public Given Do(Action<World> action) => this with { Then = [.. Then, action] };

        public World Build()
        {
            var world = new World(Settings).List("quiet").List("calm").List("named", Define.All(Define.Is("name", Operator.IsKnown)));
            foreach (var action in First)
            {
                action(world);
            }

            world.Publish(Workflow, State).Publish(Define.Workflow("filler", Define.ByHand(), Define.Delay("wait", 30, DelayUnit.Days)));
            foreach (var action in Then)
            {
                action(world);
            }

            return world;
        }
    }

    private sealed class BrokenFilter() : Filter(new FilterLabel("anyOf[0].allOf[0]", "broken"))
    {
        public override bool Accepts(in Judging judging) => throw new EvaluationException("It is broken.");

        public override void AddNeeds(CriteriaNeeds needs)
        {
        }

        public override string Actual(in Judging judging) => string.Empty;
    }
}
