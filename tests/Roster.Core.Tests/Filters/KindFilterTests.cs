using Roster.Core.Catalog;
using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Workflows;
using static Roster.Core.Filters.Operator;
using static Roster.Core.Tests.Filters.FilterWorld;

namespace Roster.Core.Tests.Filters;

/// <summary>Filters on lists, workflows, consent and associated records; groups; what criteria depend on.</summary>
public sealed class KindFilterTests
{
    [Fact]
    public void FIL_35_Membership_in_a_list_or_none()
    {
        var world = new FilterWorld();
        Assert.False(world.Accepts(new ListFilterDefinition("vip", false)));
        Assert.True(world.Accepts(new ListFilterDefinition("vip", true)));
        world.Begin(Start, JournalEntry.ListChanged(1, hasJoined: true));
        Assert.True(world.Accepts(new ListFilterDefinition("vip", false)));
        Assert.False(world.Accepts(new ListFilterDefinition("vip", true)));
        Assert.False(world.Ready(All(new ListFilterDefinition("vip", false))).Accepts(new Judging(world.State, Start, IsBefore: true)));
    }

    [Fact]
    public void FIL_35_What_the_record_did_in_a_workflow()
    {
        var world = new FilterWorld();
        AssertStatuses(world, []);
        world.Turn(Start, JournalEntry.Enrolled(1, 1, 1, TriggerKind.Filter, 1, isFirst: true));
        AssertStatuses(world, [WorkflowStatus.Enrolled, WorkflowStatus.Active]);
        world.Turn(Start, JournalEntry.EnrollmentEnded(1, 1, 1, 0, EndReason.Completed));
        AssertStatuses(world, [WorkflowStatus.Enrolled, WorkflowStatus.Completed]);
        world.Turn(Start, JournalEntry.GoalMet(1, 1, 1, 1, "first", isCounted: true));
        AssertStatuses(world, [WorkflowStatus.Enrolled, WorkflowStatus.Completed, WorkflowStatus.Goal]);
        Assert.True(world.Accepts(new WorkflowFilterDefinition("w", WorkflowStatus.Goal, "first", false)));
        Assert.False(world.Accepts(new WorkflowFilterDefinition("w", WorkflowStatus.Goal, "second", false)));
        world.Turn(Start, JournalEntry.GoalMet(1, 1, 1, 2, "second", isCounted: true));
        Assert.True(world.Accepts(new WorkflowFilterDefinition("w", WorkflowStatus.Goal, "second", false)));

        static void AssertStatuses(FilterWorld world, WorkflowStatus[] expected)
        {
            foreach (var status in new[] { WorkflowStatus.Enrolled, WorkflowStatus.Active, WorkflowStatus.Completed, WorkflowStatus.Goal })
            {
                Assert.Equal(expected.Contains(status), world.Accepts(new WorkflowFilterDefinition("w", status, string.Empty, false)));
                Assert.Equal(!expected.Contains(status), world.Accepts(new WorkflowFilterDefinition("w", status, string.Empty, true)));
            }
        }
    }

    [Fact]
    public void FIL_34_The_state_of_a_consent_is_one_of_the_accepted_ones()
    {
        var filter = new ConsentFilterDefinition("news", ["SUBSCRIBED", "GRANTED"]);
        var world = new FilterWorld();
        Assert.False(world.Accepts(filter));
        Assert.True(world.Set("consent.news", "GRANTED").Accepts(filter));
        Assert.False(world.Set("consent.news", "NOT_GRANTED").Accepts(filter));
        Assert.Equal([world.Number("consent.news")], world.Ready(All(filter)).Properties);
    }

    [Fact]
    public void ASC_01_ASC_02_One_associated_record_must_pass_all_filters_of_a_branch_and_branches_may_differ()
    {
        var world = new FilterWorld();
        var stage = Is("stage", IsEqualTo, "won");
        var amount = Is("amount", IsGreaterThan, "100");
        Assert.False(world.Accepts(Deal(stage)));
        world.Associate(new FilterWorld("deal", "d1").Set("stage", "won").Set("amount", "5"));
        world.Associate(new FilterWorld("deal", "d2").Set("stage", "open").Set("amount", "500"), "primary");
        Assert.True(world.Accepts(Deal(stage)));
        Assert.True(world.Accepts(Deal(amount)));
        Assert.False(world.Accepts(Deal(stage, amount)));
        Assert.True(world.Accepts(All(Deal(stage), Deal(amount)), Start));
        Assert.True(world.Accepts(Deal(amount) with { Label = "primary" }));
        Assert.False(world.Accepts(Deal(stage) with { Label = "primary" }));
        Assert.False(world.Accepts(Deal(stage) with { Label = "no_such_label" }));
    }

    [Fact]
    public void ASC_01_Membership_of_the_associated_record_counts()
    {
        var world = new FilterWorld().Associate(new FilterWorld("deal", "d").Turn(Start, JournalEntry.ListChanged(2, hasJoined: true)));
        Assert.True(world.Accepts(Deal(new ListFilterDefinition("big", false))));
        Assert.False(world.Accepts(Deal(new ListFilterDefinition("big", true))));
        var criteria = world.Ready(All(Deal(new ListFilterDefinition("big", false), Is("stage", IsUnknown))));
        var deal = Tenant.FindObjectType("deal")!;
        Assert.Equal([deal.Number], criteria.AssociatedTypes);
        Assert.Equal([(deal.Number, deal.Find("stage")!.Number)], criteria.AssociatedProperties);
        Assert.Equal([(deal.Number, 2)], criteria.AssociatedLists);
        Assert.True(criteria.NeedsCopies);
        Assert.Empty(criteria.Properties);
        Assert.Empty(criteria.Lists);
    }

    [Fact]
    public void ASC_03_Only_one_hop_counts_but_for_line_items_behind_the_deals_of_a_contact()
    {
        const string path = "c.anyOf[0].allOf[0].associated.allOf[0].associated";
        var filter = Is("sku", IsKnown);
        Expect("TWO_HOPS", path, Deal(new AssociatedFilterDefinition("company", string.Empty, [Is("x", IsKnown)])));
        Expect("TWO_HOPS", path, new AssociatedFilterDefinition("company", string.Empty, [LineItem(filter)]));
        Expect("TWO_HOPS", path + ".allOf[0].associated", Deal(LineItem(LineItem(filter))));
        Assert.Contains(Compile(All(Deal(LineItem(filter))), type: "ticket").Problems, p => p.Code == "TWO_HOPS" && p.Path == path);
        Expect("INCOMPLETE_FILTER", path + ".allOf", Deal(LineItem()));
        Expect("UNDECLARED_PROPERTY", path + ".allOf[0].property", Deal(LineItem(Is("stage", IsKnown))));
        Expect("NOT_IN_ASSOCIATED", "c.anyOf[0].allOf[0].associated.allOf[0]", Deal(Happened("clicked")));
        Expect("NOT_IN_ASSOCIATED", path + ".allOf[0]", Deal(LineItem(Happened("clicked"))));
        Expect("NOT_IN_ASSOCIATED", "c.anyOf[0].allOf[0].associated.allOf[0]", Deal(new WorkflowFilterDefinition("w", WorkflowStatus.Active, string.Empty, false)));
        Expect("NOT_IN_ASSOCIATED", "c.anyOf[0].allOf[0].associated.allOf[0].operator", Deal(Is("stage", HasEverBeenEqualTo, "won")));
        Assert.Empty(Compile(All(Deal(LineItem(filter)))).Problems);
        Assert.Empty(Compile(All(new AssociatedFilterDefinition("0-3", string.Empty, [new AssociatedFilterDefinition("0-8", string.Empty, [filter])]))).Problems);
    }

    [Fact]
    public void ASC_02_ASC_03_One_line_item_of_one_deal_must_pass_all_filters()
    {
        var world = new FilterWorld();
        var shoe = LineItem(Is("sku", IsEqualTo, "shoe"), Is("quantity", IsGreaterThan, "5"));
        Assert.False(world.Accepts(Deal(shoe)));
        world.Associate(new FilterWorld("deal", "d1").Set("stage", "won")
            .Keep(new FilterWorld("line_item", "l1").Set("sku", "shoe").Set("quantity", "1"))
            .Keep(new FilterWorld("line_item", "l2").Set("sku", "hat").Set("quantity", "9"), "primary"));
        Assert.False(world.Accepts(Deal(shoe)));
        Assert.True(world.Accepts(Deal(LineItem(Is("sku", IsEqualTo, "shoe")), LineItem(Is("quantity", IsEqualTo, "9")))));
        Assert.True(world.Accepts(Deal(LineItem(Is("sku", IsEqualTo, "hat")) with { Label = "primary" })));
        Assert.False(world.Accepts(Deal(LineItem(Is("sku", IsEqualTo, "shoe")) with { Label = "primary" })));
        world.Associate(new FilterWorld("deal", "d2").Set("stage", "open").Keep(new FilterWorld("line_item", "l3").Set("sku", "shoe").Set("quantity", "9")));
        Assert.True(world.Accepts(Deal(shoe)));
        Assert.True(world.Accepts(Deal(shoe, Is("stage", IsEqualTo, "open"))));
        Assert.False(world.Accepts(Deal(shoe, Is("stage", IsEqualTo, "won"))));
        Assert.False(world.Accepts(LineItem(Is("sku", IsEqualTo, "shoe"))));
    }

    [Fact]
    public void ASC_03_ASC_04_Deals_keep_what_contacts_look_at_behind_them_and_have_it_in_their_own_copies()
    {
        var criteria = Compile(All(Deal(Is("stage", IsKnown), LineItem(Is("sku", IsKnown), new ListFilterDefinition("items", false))))).Criteria;
        var (deal, item) = (Tenant.FindObjectType("deal")!, Tenant.FindObjectType("line_item")!);
        Assert.Equal([deal.Number], criteria.AssociatedTypes);
        var list = new CompiledList(new ListInfo("hot", 9, 1, true), criteria);
        var plan = CopyPlan.Of(list);
        Assert.Equal([(item.Number, deal.Number)], plan.Through);
        var kept = plan.TargetsOf(item.Number)[deal.Number];
        Assert.Equal([item.Find("sku")!.Number], kept.Properties);
        Assert.Equal([3], kept.Lists);
        var told = plan.TargetsOf(deal.Number)[1];
        Assert.Equal([deal.Find("stage")!.Number], told.Properties);
        Assert.Equal((item.Number, true), (Assert.Single(told.Through).ObjectType, told.Through[0].Content.Covers(kept)));
        var without = CopyPlan.Of(list with { Criteria = Compile(All(Deal(Is("stage", IsKnown)))).Criteria });
        Assert.Equal([(deal.Number, 1), (item.Number, deal.Number)], without.FindAdded(plan));
        Assert.Empty(plan.FindAdded(plan));
        Assert.Empty(plan.FindAdded(without));
        Assert.Empty(without.Through);
    }

    [Theory]
    [InlineData(GroupMatch.None, true, true, true)]
    [InlineData(GroupMatch.All, true, true, true)]
    [InlineData(GroupMatch.All, true, false, false)]
    [InlineData(GroupMatch.NotAll, true, true, false)]
    [InlineData(GroupMatch.NotAll, true, false, true)]
    [InlineData(GroupMatch.NotAll, false, false, true)]
    [InlineData(GroupMatch.NotAny, true, false, false)]
    [InlineData(GroupMatch.NotAny, false, false, true)]
    public void FIL_02_Groups_take_their_filters_together(GroupMatch match, bool first, bool second, bool expected)
    {
        var group = new FilterGroupDefinition([new ConstantFilterDefinition(first), new ConstantFilterDefinition(second)], match);
        Assert.Equal(expected, new FilterWorld().Accepts(new CriteriaDefinition([group]), Start));
        Assert.Equal(expected, new FilterWorld().Accepts(new CriteriaDefinition([new FilterGroupDefinition([new ConstantFilterDefinition(false)]), group]), Start));
    }

    [Fact]
    public void FIL_02_An_empty_AND_accepts_and_an_empty_OR_rejects()
    {
        Assert.True(new FilterWorld().Accepts(All(), Start));
        Assert.True(new FilterWorld().Accepts(new CriteriaDefinition([new FilterGroupDefinition([], GroupMatch.NotAny)]), Start));
        Assert.False(new FilterWorld().Accepts(new CriteriaDefinition([new FilterGroupDefinition([], GroupMatch.NotAll)]), Start));
        var (criteria, problems) = Compile(new CriteriaDefinition([]));
        Assert.False(criteria.Accepts(new Judging(new RecordState(), Start)));
        Assert.Equal("EMPTY_CRITERIA", problems.Single().Code);
    }

    [Fact]
    public void FIL_01_Any_group_and_in_it_all_filters_must_accept()
    {
        var world = new FilterWorld().Set("stage", "x").Set("score", "5");
        Assert.True(world.Accepts(Groups([Is("stage", IsEqualTo, "x"), Is("score", IsEqualTo, "6")], [Is("stage", IsEqualTo, "x"), Is("score", IsEqualTo, "5")]), Start));
        Assert.False(world.Accepts(Groups([Is("stage", IsEqualTo, "x"), Is("score", IsEqualTo, "6")], [Is("stage", IsEqualTo, "y")]), Start));
        Assert.True(world.Accepts(Groups([Is("stage", IsEqualTo, "y")], []), Start));
    }

    [Fact]
    public void TRG_07_Both_sides_of_a_round_are_judged_each_at_its_own_time()
    {
        var world = new FilterWorld().Set("at", "2026-03-07T00:00:00Z");
        world.Begin(At("2026-03-11T00:00:00Z"), world.Write("stage", "x"));
        var criteria = world.Ready(All(Is("at", IsLessThanXDaysAgo, "3")));
        Assert.True(criteria.Accepts(new Judging(world.State, At("2026-03-10T00:00:00Z"), IsBefore: true)));
        Assert.False(criteria.Accepts(new Judging(world.State, At("2026-03-11T00:00:00Z"))));
        Assert.False(criteria.NeedsWhole);
    }

    [Fact]
    public void REN_04_Known_fires_for_each_other_value_but_not_in_a_negated_group()
    {
        var world = new FilterWorld().Set("stage", "x");
        var criteria = world.Ready(All(Is("stage", IsKnown)));
        world.Begin(Start, world.Write("stage", "y"));
        Assert.True(criteria.HoldsForAnotherValue(new Judging(world.State, Start)));
        Assert.True(criteria.LooksAtChange(world.State));
        Assert.False(world.Ready(All(Is("name", IsKnown))).LooksAtChange(world.State));
        Assert.False(world.Ready(new CriteriaDefinition([new FilterGroupDefinition([Is("stage", IsKnown), Is("name", IsKnown)], GroupMatch.NotAll)])).HoldsForAnotherValue(new Judging(world.State, Start)));
        world.State.EndTurn();
        world.Begin(Start, world.Write("stage", ""));
        Assert.False(criteria.HoldsForAnotherValue(new Judging(world.State, Start)));
        world.State.EndTurn();
        world.Begin(Start, world.Write("stage", "y"));
        Assert.True(criteria.HoldsForAnotherValue(new Judging(world.State, Start)));
    }

    [Fact]
    public void TRG_09_Criteria_say_what_they_depend_on()
    {
        var world = new FilterWorld();
        var criteria = world.Ready(Groups(
            [Is("stage", IsEqualTo, "x"), Is("name", IsEqualTo) with { CompareWith = "stage" }, Happened("clicked"), new ListFilterDefinition("vip", false)],
            [new WorkflowFilterDefinition("w", WorkflowStatus.Active, string.Empty, false), Happened("never_seen", Is("x", IsKnown))]));
        Assert.Equal([world.Number("stage"), world.Number("name")], criteria.Properties);
        Assert.True(criteria.LooksAtProperty(world.Number("name")));
        Assert.False(criteria.LooksAtProperty(world.Number("score")));
        Assert.Equal([Tenant.FindEventType("clicked")], criteria.EventTypes);
        Assert.Equal([1], criteria.Lists);
        Assert.Equal([1], criteria.Workflows);
        Assert.Empty(criteria.NeedsEvents);
        Assert.False(criteria.DependsOnTime);
        Assert.False(criteria.NeedsCopies);
        Assert.True(criteria.NeedsWhole);
        Assert.True(world.Ready(All(Is("at", IsLessThanXDaysAgo, "1"))).DependsOnTime);
        Assert.True(world.Ready(All(Happened("clicked") with { Refine = Within(TimeRangeKind.After, Days(-1)) })).DependsOnTime);
        Assert.False(world.Ready(All(Happened("clicked") with { Refine = Within(TimeRangeKind.After, On("2026-01-01")) })).DependsOnTime);
        Assert.False(world.Ready(All(Is("at", IsBefore) with { From = OnDate("2026-01-01") })).DependsOnTime);
        Assert.True(world.Ready(All(Is("at", IsBefore) with { From = OnIndex(TimeIndex.Now) })).DependsOnTime);
        Assert.True(world.Ready(All(Deal(Is("close", IsLessThanXDaysFromNow, "7")))).DependsOnTime);
    }

    private static CriteriaDefinition Groups(params FilterDefinition[][] groups) => new([.. groups.Select(g => new FilterGroupDefinition(g))]);

    private static AssociatedFilterDefinition Deal(params FilterDefinition[] filters) => new("deal", string.Empty, filters);

    private static AssociatedFilterDefinition LineItem(params FilterDefinition[] filters) => new("line_item", string.Empty, filters);

    private static void Expect(string code, string path, FilterDefinition filter) => Assert.Contains(Compile(All(filter)).Problems, p => p.Code == code && p.Path == path);
}
