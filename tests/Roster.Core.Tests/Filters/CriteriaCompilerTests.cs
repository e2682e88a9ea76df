using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Workflows;
using static Roster.Core.Filters.Operator;
using static Roster.Core.Tests.Filters.FilterWorld;

namespace Roster.Core.Tests.Filters;

/// <summary>EDT-03: everything wrong with criteria is told at its path; REN-06; what implies what.</summary>
public sealed class CriteriaCompilerTests
{
    [Fact]
    public void EDT_03_A_filter_on_a_property_is_checked_field_by_field()
    {
        Expect("UNDECLARED_PROPERTY", ".property", Is("nope", IsKnown));
        Expect("INCOMPLETE_FILTER", ".property", Is("", IsKnown));
        Expect("INCOMPLETE_FILTER", "", new IncompleteFilterDefinition());
        Expect("UNKNOWN_OPERATOR", ".operator", Is("stage", None));
        Expect("UNKNOWN_OPERATOR", ".operator", Is("stage", (Operator)99));
        Expect("OPERATOR_NOT_FOR_TYPE", ".operator", Is("stage", IsGreaterThan, "1"));
        Expect("OPERATOR_NOT_FOR_TYPE", ".operator", Is("stage", MatchesRegex, "x"));
        Expect("OPERATOR_NOT_FOR_TYPE", ".operator", Is("tags", HasEverBeenEqualTo, "a"));
        Expect("OPERATOR_NOT_FOR_TYPE", ".operator", Is("stage", IsBefore) with { From = OnIndex(TimeIndex.Now) });
        Expect("OPERATOR_NOT_FOR_TYPE", ".operator", Is("score", IsBetween) with { From = OnIndex(TimeIndex.Now), To = OnIndex(TimeIndex.Now) });
        Expect("VALUE_COUNT", ".values", Is("score", IsEqualTo, "1", "2"));
        Expect("VALUE_COUNT", ".values", Is("stage", HasEverBeenEqualTo, "1", "2"));
        Expect("VALUE_COUNT", ".values", Is("stage", IsEqualTo));
        Expect("VALUE_COUNT", ".values", Is("at", InThisTimeUnit, "1") with { Unit = TimeUnit.Day });
        Expect("VALUE_COUNT", ".values", Is("at", IsBetween, "2026-01-01", "2026-01-02") with { From = OnIndex(TimeIndex.Now), To = OnIndex(TimeIndex.Now) });
        Expect("WRONG_TYPE", ".values[1]", Is("score", IsBetween, "1", "two"));
        Expect("WRONG_TYPE", ".values[1]", Is("stage", IsEqualTo, "a", ""));
        Expect("WRONG_TYPE", ".values[0]", Is("at", IsLessThanXDaysAgo, "1.5"));
        Expect("WRONG_TYPE", ".values[0]", Is("at", IsLessThanXDaysAgo, "-1"));
        Expect("OUT_OF_RANGE", ".values[0]", Is("at", IsLessThanXDaysAgo, "36501"));
        Expect("OUT_OF_RANGE", ".values[0]", Is("at", IsLessThanXDaysAgo, "99999999999999"));
        Expect("OUT_OF_RANGE", ".values[0]", Is("at", InLastTimeUnit, "0") with { Unit = TimeUnit.Day });
        Expect("UNDECLARED_OPTION", ".values[1]", Is("tags", IsAnyOf, "a", "z"));
        Expect("UNKNOWN_TIME_ZONE", ".timeZone", Is("score", IsGreaterThan, "1") with { TimeZone = "Mars" });
        Expect("MISSING_UNIT", ".unit", Is("at", InThisTimeUnit));
        Expect("OUT_OF_RANGE", ".fiscalYearStart", Is("at", InThisTimeUnit) with { Unit = TimeUnit.Year, FiscalYearStart = 13 });
    }

    [Fact]
    public void EDT_03_Settings_that_an_operator_does_not_read_are_refused()
    {
        Expect("BAD_COMBINATION", ".unit", Is("at", IsLessThanXDaysAgo, "1") with { Unit = TimeUnit.Day });
        Expect("BAD_COMBINATION", ".from", Is("at", IsLessThanXDaysAgo, "1") with { From = OnIndex(TimeIndex.Now) });
        Expect("BAD_COMBINATION", ".to", Is("at", IsBefore) with { From = OnIndex(TimeIndex.Now), To = OnIndex(TimeIndex.Now) });
        Expect("BAD_COMBINATION", ".useUpdatedAt", Is("at", IsBeforeDate, "2026-01-01") with { UseUpdatedAt = true });
        Expect("BAD_COMBINATION", ".defaultComparisonValue", Is("stage", IsEqualTo, "x") with { DefaultComparisonValue = "y" });
        Expect("BAD_COMBINATION", "", Is("stage", IsEqualTo, "x") with { CompareWith = "name" });
        Expect("BAD_COMBINATION", ".defaultComparisonValue", Is("stage", IsAfter) with { CompareWith = "name", UseUpdatedAt = true, DefaultComparisonValue = "y" });
    }

    [Fact]
    public void EDT_03_Time_points_and_comparisons_are_checked()
    {
        Expect("MISSING_TIME_POINT", ".from", Is("at", IsBefore));
        Expect("MISSING_TIME_POINT", ".to", Is("at", IsBetween) with { From = OnIndex(TimeIndex.Now) });
        Expect("BAD_TIME_POINT", ".from", Is("at", IsBefore) with { From = new TimePointDefinition("", TimeIndex.None, "", 0, false) });
        Expect("BAD_TIME_POINT", ".from", Is("at", IsBefore) with { From = new TimePointDefinition("2026-01-01", TimeIndex.Now, "", 0, false) });
        Expect("WRONG_TYPE", ".from.date", Is("at", IsBefore) with { From = OnDate("tomorrow") });
        Expect("WRONG_TYPE", ".from.property", Is("at", IsBefore) with { From = OnProperty("stage") });
        Expect("UNDECLARED_PROPERTY", ".from.property", Is("at", IsBefore) with { From = OnProperty("nope") });
        Expect("OUT_OF_RANGE", ".from.offsetDays", Is("at", IsBefore) with { From = OnIndex(TimeIndex.Now, offset: 36_501) });
        Expect("UNDECLARED_PROPERTY", ".compareWith", Is("stage", IsEqualTo) with { CompareWith = "nope" });
        Expect("WRONG_TYPE", ".compareWith", Is("stage", IsEqualTo) with { CompareWith = "score" });
        Expect("WRONG_TYPE", ".defaultComparisonValue", Is("score", IsEqualTo) with { CompareWith = "limit", DefaultComparisonValue = "x" });
        Expect("OPERATOR_NOT_FOR_TYPE", ".operator", Is("stage", Contains) with { CompareWith = "name" });
        Expect("OPERATOR_NOT_FOR_TYPE", ".operator", Is("tags", IsEqualTo) with { CompareWith = "tags" });
    }

    [Fact]
    public void EDT_03_Other_kinds_are_checked()
    {
        Expect("UNKNOWN_LIST", ".list.listId", new ListFilterDefinition("nope", false));
        Expect("INCOMPLETE_FILTER", ".list.listId", new ListFilterDefinition("", false));
        Expect("LIST_OF_OTHER_TYPE", ".list.listId", new ListFilterDefinition("big", false));
        Expect("UNKNOWN_WORKFLOW", ".workflow.workflowId", new WorkflowFilterDefinition("nope", WorkflowStatus.Active, "", false));
        Expect("WORKFLOW_OF_OTHER_TYPE", ".workflow.workflowId", new WorkflowFilterDefinition("dw", WorkflowStatus.Active, "", false));
        Expect("UNKNOWN_STATUS", ".workflow.status", new WorkflowFilterDefinition("w", WorkflowStatus.None, "", false));
        Expect("UNKNOWN_GOAL", ".workflow.goalId", new WorkflowFilterDefinition("w", WorkflowStatus.Goal, "third", false));
        Expect("UNKNOWN_GOAL", ".workflow.goalId", new WorkflowFilterDefinition("none", WorkflowStatus.Goal, "", false));
        Expect("UNDECLARED_OBJECT_TYPE", ".associated.objectType", new AssociatedFilterDefinition("nope", "", [Is("x", IsKnown)]));
        Expect("INCOMPLETE_FILTER", ".associated.allOf", new AssociatedFilterDefinition("deal", "", []));
        Expect("UNDECLARED_PROPERTY", ".associated.allOf[1].property", new AssociatedFilterDefinition("deal", "", [Is("stage", IsKnown), Is("score", IsKnown)]));
        Expect("LIST_OF_OTHER_TYPE", ".associated.allOf[0].list.listId", new AssociatedFilterDefinition("deal", "", [new ListFilterDefinition("vip", false)]));
        Expect("VALUE_COUNT", ".consent.anyOf", new ConsentFilterDefinition("news", []));
        Expect("UNDECLARED_OPTION", ".consent.anyOf[0]", new ConsentFilterDefinition("news", ["MAYBE"]));
        Expect("UNDECLARED_PROPERTY", ".consent.subscription", new ConsentFilterDefinition("other", ["GRANTED"]));
        Expect("INCOMPLETE_FILTER", ".events.eventType", Happened(""));
        Expect("BAD_NAME", ".events.eventType", Happened("No Name"));
        Expect("UNKNOWN_OPERATOR", ".events.where[0].operator", Happened("clicked", Is("x", None)));
        Expect("UNKNOWN_RANGE", ".events.refine.time.kind", Happened("clicked") with { Refine = Within(TimeRangeKind.None, Days(1)) });
        Expect("BAD_BOUND", ".events.refine.time.to", Happened("clicked") with { Refine = Within(TimeRangeKind.Between, Days(1)) });
        Expect("BAD_BOUND", ".events.refine.time.from", Happened("clicked") with { Refine = Within(TimeRangeKind.After, new RangeBoundDefinition("2026-01-01", 1)) });
        Expect("BAD_COMBINATION", ".events.refine.time.to", Happened("clicked") with { Refine = Within(TimeRangeKind.After, Days(1), Days(2)) });
        Expect("WRONG_TYPE", ".events.refine.time.from.date", Happened("clicked") with { Refine = Within(TimeRangeKind.After, On("soon")) });
        Expect("OUT_OF_RANGE", ".events.refine.time.from.days", Happened("clicked") with { Refine = Within(TimeRangeKind.After, Days(-36_501)) });
        Expect("OUT_OF_RANGE", ".events.refine.occurrences", Happened("clicked") with { Refine = Times(2, 1) });
    }

    [Fact]
    public void EDT_03_Criteria_are_required_and_their_shape_is_checked()
    {
        Assert.Equal(("NO_CRITERIA", "start.filter.criteria"), Single(null, "start.filter.criteria"));
        Assert.Equal(("EMPTY_CRITERIA", "c.anyOf"), Single(new CriteriaDefinition([]), "c"));
        Assert.Equal(("UNKNOWN_MATCH", "c.anyOf[0].match"), Single(new CriteriaDefinition([new FilterGroupDefinition([], (GroupMatch)9)]), "c"));
        Assert.Equal(("UNKNOWN_OPERATOR", "anyOf[1].allOf[0].operator"), Single(new CriteriaDefinition([new FilterGroupDefinition([]), new FilterGroupDefinition([Is("stage", None)])]), ""));

        static (string, string) Single(CriteriaDefinition? definition, string path)
        {
            var problem = Xunit.Assert.Single(Compile(definition, path: path).Problems);
            Assert.True(problem.IsError);
            return (problem.Code, problem.Path);
        }
    }

    [Fact]
    public void FIL_01_Nested_filters_count_toward_filters_max()
    {
        var scope = ScopeOf(NewSchema(TenantSettings.Default with { FiltersMax = 5, ValuesMax = 3 }));
        var events = Happened("clicked", Is("x", IsKnown), Is("y", IsKnown));
        Assert.Empty(Compile(All(events, Is("stage", IsKnown), Is("name", IsKnown)), scope: scope).Problems);
        var problem = Compile(All(events, new AssociatedFilterDefinition("deal", "", [Is("stage", IsKnown), Is("stage", IsKnown)])), scope: scope).Problems.Single();
        Assert.Equal(("TOO_MANY_FILTERS", "6"), (problem.Code, problem.Value));
        Assert.Contains("filters_max", problem.Message, StringComparison.Ordinal);
        Assert.Equal("TOO_MANY_VALUES", Compile(All(Is("stage", IsEqualTo, "a", "b", "c", "d")), scope: scope).Problems.Single().Code);
    }

    [Fact]
    public void REN_06_The_closed_list_of_what_may_not_be_a_re_enrollment_trigger()
    {
        foreach (var op in new[] { IsUnknown, IsBlank, IsNotEqualTo, DoesNotContain, IsNotBetween, IsNoneOf, IsNotExactly, DoesNotContainAll, DoesNotContainExactly, HasNeverBeenEqualTo, HasNeverContained, HasNeverBeenAnyOf, HasNeverBeenExactly, HasNeverContainedAll })
        {
            Forbidden("REENROLL_OPERATOR", ".operator", Is("stage", op, "x"));
        }

        foreach (var op in new[] { IsLessThanXDaysAgo, IsMoreThanXDaysFromNow, InThisTimeUnit, InLastTimeUnit, UpdatedInLastXDays, NotUpdatedInLastXDays })
        {
            Forbidden("REENROLL_OPERATOR", ".operator", Is("at", op, "1"));
        }

        foreach (var op in new[] { IsAnyOf, ContainsAll, IsEqualTo, Contains, HasEverBeenAnyOf })
        {
            Forbidden("REENROLL_OPERATOR", ".operator", Is("tags", op, "a", "b"));
            Allowed(Is("tags", op, "a"));
        }

        Forbidden("REENROLL_FILTER", ".associated", new AssociatedFilterDefinition("deal", "", []));
        Forbidden("REENROLL_FILTER", ".workflow", new WorkflowFilterDefinition("w", WorkflowStatus.Active, "", false));
        Forbidden("REENROLL_FILTER", ".list.negate", new ListFilterDefinition("vip", true));
        Forbidden("REENROLL_FILTER", ".events.negate", Happened("clicked") with { Negate = true });
        Forbidden("REENROLL_OPERATOR", ".events.where[0].operator", Happened("clicked", Is("x", IsNotEqualTo, "a")));
        Forbidden("REENROLL_FILTER", ".consent.anyOf", new ConsentFilterDefinition("news", ["GRANTED", "SUBSCRIBED"]));
        Assert.Equal("r.anyOf[0].match", Check(new CriteriaDefinition([new FilterGroupDefinition([Is("stage", IsKnown)], GroupMatch.NotAny)])).Single().Path);
        Allowed(Is("score", IsBetween, "1", "2"));
        Allowed(Is("tags", IsExactly, "a", "b"));
        Allowed(Is("at", IsAfter) with { From = OnIndex(TimeIndex.Today) });
        Allowed(Happened("clicked", Is("x", IsEqualTo, "a")));
        Allowed(new ListFilterDefinition("vip", false));
        Allowed(new ConsentFilterDefinition("news", ["GRANTED"]));

        static void Forbidden(string code, string path, FilterDefinition filter) =>
            Assert.Equal((code, $"r.anyOf[0].allOf[0]{path}"), Check(All(filter)).Select(p => (p.Code, p.Path)).Single());

        static void Allowed(FilterDefinition filter) => Assert.Empty(Check(All(filter)));

        static List<WorkflowProblem> Check(CriteriaDefinition definition)
        {
            var problems = new List<WorkflowProblem>();
            Compiler(problems).CheckReenrollment(definition, "r");
            return problems;
        }
    }

    [Fact]
    public void EDT_03_Narrower_criteria_imply_wider_ones()
    {
        var won = Is("stage", IsEqualTo, "won");
        var big = Is("score", IsGreaterThan, "1");
        Assert.True(Implies(All(won), All(won)));
        Assert.True(Implies(All(won, big), All(Is("stage", IsEqualTo, "won"))));
        Assert.False(Implies(All(won), All(won, big)));
        Assert.True(Implies(All(won), new CriteriaDefinition([new FilterGroupDefinition([big]), new FilterGroupDefinition([won])])));
        Assert.False(Implies(new CriteriaDefinition([new FilterGroupDefinition([big]), new FilterGroupDefinition([won])]), All(won)));
        Assert.False(Implies(All(won), All(Is("stage", IsEqualTo, "lost"))));
        Assert.False(Implies(All(won), All(won with { IncludeUnknown = true })));
        Assert.True(Implies(All(Happened("clicked", won), big), All(Happened("clicked", Is("stage", IsEqualTo, "won")))));
        Assert.False(Implies(All(Happened("clicked", won)), All(Happened("clicked", big))));
        Assert.True(Implies(All(new ListFilterDefinition("vip", false)), All(new ListFilterDefinition("vip", false))));
        Assert.True(Implies(All(won), All()));
        Assert.False(Implies(new CriteriaDefinition([]), All(won)));
        Assert.True(Implies(Group(GroupMatch.NotAny, won, big), Group(GroupMatch.NotAny, won)));
        Assert.True(Implies(Group(GroupMatch.NotAll, won), Group(GroupMatch.NotAll, won, big)));
        Assert.False(Implies(Group(GroupMatch.NotAll, won, big), Group(GroupMatch.NotAll, won)));
        Assert.False(Implies(Group(GroupMatch.NotAny, won), All(won)));

        static CriteriaDefinition Group(GroupMatch match, params FilterDefinition[] filters) => new([new FilterGroupDefinition(filters, match)]);

        static bool Implies(CriteriaDefinition a, CriteriaDefinition b) => Compiler([]).Implies(a, b);
    }

    private static void Expect(string code, string path, FilterDefinition filter)
    {
        var (_, problems) = Compile(All(filter));
        var problem = Assert.Single(problems);
        Assert.Equal((code, $"c.anyOf[0].allOf[0]{path}"), (problem.Code, problem.Path));
        Assert.True(problem is { IsError: true, Message.Length: > 0 });
    }
}
