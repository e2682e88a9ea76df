using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Values;
using Roster.Core.Workflows;
using static Roster.Core.Filters.Operator;
using static Roster.Core.Tests.Filters.FilterWorld;

namespace Roster.Core.Tests.Filters;

/// <summary>HIS-07: the criteria tree with actual values, the first filter that failed, and the smallest change.</summary>
public sealed class ExplainTests
{
    private static readonly Timestamp Now = At("2026-03-10T15:00:00Z");

    [Fact]
    public void HIS_07_The_tree_has_tests_actual_values_and_the_first_that_failed()
    {
        var world = new FilterWorld().Set("stage", "lead").Set("score", "5");
        var explanation = Explain(world, new CriteriaDefinition([
            new FilterGroupDefinition([Is("score", IsGreaterThan, "1"), Is("stage", IsEqualTo, "won"), Is("name", IsKnown)]),
            new FilterGroupDefinition([Is("stage", IsEqualTo, "won", "closed")])]));
        Assert.False(explanation.Accepts);
        Assert.Equal(
            ["anyOf[0].allOf[0] score IS_GREATER_THAN 1 5 True", "anyOf[0].allOf[1] stage IS_EQUAL_TO won lead False", "anyOf[0].allOf[2] name IS_KNOWN unknown False"],
            explanation.Groups[0].Filters.Select(Line));
        Assert.Equal("anyOf[1].allOf[0] stage IS_EQUAL_TO won, closed lead False", Line(explanation.Groups[1].Filters.Single()));
        Assert.Equal("anyOf[0].allOf[1]", explanation.FirstFailing!.Path);
        Assert.Equal(("anyOf[0]", GroupMatch.All, false), (explanation.Groups[0].Path, explanation.Groups[0].Match, explanation.Groups[0].Accepts));
        Assert.Equal(["set stage to 'won' or 'closed'"], explanation.SmallestChange);
    }

    [Fact]
    public void HIS_07_Criteria_that_hold_need_no_change()
    {
        var explanation = Explain(new FilterWorld().Set("stage", "won"), All(Is("stage", IsEqualTo, "won")));
        Assert.True(explanation.Accepts);
        Assert.True(explanation.Groups[0].Accepts);
        Assert.Null(explanation.FirstFailing);
        Assert.Empty(explanation.SmallestChange);
    }

    [Fact]
    public void HIS_07_Each_kind_says_what_it_found()
    {
        var world = new FilterWorld().Event("clicked", At("2026-01-05T12:00:00Z"), ("url", Value.OfText("a"))).Event("clicked", At("2026-01-04T12:00:00Z"));
        world.Set("consent.news", "GRANTED").Set("at", "2026-03-01T10:00:00Z").Turn(Now, JournalEntry.ListChanged(1, hasJoined: true), JournalEntry.Enrolled(1, 1, 1, TriggerKind.Filter, 1, isFirst: true));
        world.Associate(new FilterWorld("deal", "d").Set("stage", "open"));
        Assert.Equal("event clicked|2 events, last 2026-01-05T12:00:00Z", Actual(Happened("clicked")));
        Assert.Equal("event clicked where url IS_EQUAL_TO a, 2 to any number of times|2 events, last 2026-01-05T12:00:00Z, 1 counted", Actual(Happened("clicked", Is("url", IsEqualTo, "a")) with { Refine = Times(2) }));
        Assert.Equal("no event bought|no events", Actual(Happened("bought") with { Negate = true }));
        Assert.Equal("event clicked AFTER today -7 days|2 events, last 2026-01-05T12:00:00Z, 0 counted", Actual(Happened("clicked") with { Refine = Within(TimeRangeKind.After, Days(-7)) }));
        Assert.Equal("in list vip|member", Actual(new ListFilterDefinition("vip", false)));
        Assert.Equal("not in list vip|member", Actual(new ListFilterDefinition("vip", true)));
        Assert.Equal("ACTIVE in workflow w|enrolled once, completed 0 times, active", Actual(new WorkflowFilterDefinition("w", WorkflowStatus.Active, "", false)));
        Assert.Equal("GOAL first in workflow w|enrolled once, completed 0 times, active, goal first not met", Actual(new WorkflowFilterDefinition("w", WorkflowStatus.Goal, "first", false)));
        Assert.Equal("ENROLLED in workflow none|never enrolled", Actual(new WorkflowFilterDefinition("none", WorkflowStatus.Enrolled, "", false)));
        Assert.Equal("associated deal with stage IS_EQUAL_TO won|1 associated, 0 pass all filters", Actual(new AssociatedFilterDefinition("deal", "", [Is("stage", IsEqualTo, "won")])));
        Assert.Equal("associated deal with associated line_item (primary) with sku IS_KNOWN|1 associated, 0 pass all filters", Actual(new AssociatedFilterDefinition("deal", "", [new AssociatedFilterDefinition("line_item", "primary", [Is("sku", IsKnown)])])));
        Assert.Equal("associated deal (primary) with stage IS_KNOWN|no associated record", Actual(new AssociatedFilterDefinition("deal", "primary", [Is("stage", IsKnown)])));
        Assert.Equal("consent news is GRANTED|GRANTED", Actual(new ConsentFilterDefinition("news", ["GRANTED"])));
        Assert.Equal("never|never", Actual(new ConstantFilterDefinition(false)));
        Assert.Equal("at IN_LAST_TIME_UNIT 2 QUARTER (fiscal year from month 4) (Europe/Berlin) or unknown|2026-03-01T10:00:00Z", Actual(Is("at", InLastTimeUnit, "2") with { Unit = TimeUnit.Quarter, FiscalYearStart = 4, TimeZone = "Europe/Berlin", IncludeUnknown = true }));
        Assert.Equal("at IS_BETWEEN FISCAL_YEAR +1 days (exclusive) and property other_at|2026-03-01T10:00:00Z", Actual(Is("at", IsBetween) with { From = OnIndex(TimeIndex.FiscalYear, exclusive: true, offset: 1), To = OnProperty("other_at") }));
        Assert.Equal("at UPDATED_IN_LAST_X_DAYS 3|updated 2026-01-05T12:00:00Z", Actual(Is("at", UpdatedInLastXDays, "3")));
        Assert.Equal("stage IS_EQUAL_TO property name (else x)|unknown; name is unknown", Actual(Is("stage", IsEqualTo) with { CompareWith = "name", DefaultComparisonValue = "x" }));

        string Actual(FilterDefinition filter)
        {
            var leaf = Explain(world, All(filter)).Groups[0].Filters[0];
            return $"{leaf.Test}|{leaf.Actual}";
        }
    }

    [Fact]
    public void HIS_07_The_smallest_change_is_a_sentence_per_filter()
    {
        var world = new FilterWorld().Set("stage", "lead").Set("at", "2026-03-12T10:00:00Z").Event("bought", Start);
        Assert.Equal("set name", Change(Is("name", IsKnown)));
        Assert.Equal("clear stage", Change(Is("stage", IsUnknown)));
        Assert.Equal("set score so that score IS_GREATER_THAN 10", Change(Is("score", IsGreaterThan, "10")));
        Assert.Equal("set tags to 'a' and 'b'", Change(Is("tags", IsExactly, "a", "b")));
        Assert.Equal("an event of type clicked must happen", Change(Happened("clicked")));
        Assert.Equal("nothing but time can make this hold: no event bought", Change(Happened("bought") with { Negate = true }));
        Assert.Equal("events of type bought must happen for: event bought, 2 to any number of times", Change(Happened("bought") with { Refine = Times(2) }));
        Assert.Equal("join list vip", Change(new ListFilterDefinition("vip", false)));
        Assert.Equal("enroll in workflow w", Change(new WorkflowFilterDefinition("w", WorkflowStatus.Active, "", false)));
        Assert.Equal("meet goal first of workflow w", Change(new WorkflowFilterDefinition("w", WorkflowStatus.Goal, "", false)));
        Assert.Equal("set the consent news to GRANTED", Change(new ConsentFilterDefinition("news", ["GRANTED"])));
        Assert.Equal("wait until 2026-03-12T10:00:00Z", Change(Is("at", IsLessThanXDaysAgo, "3")));
        Assert.Equal("set day so that day IS_LESS_THAN_X_DAYS_AGO 3", Change(Is("day", IsLessThanXDaysAgo, "3")));
        Assert.Equal("", Change(new ConstantFilterDefinition(false)));

        string Change(FilterDefinition filter) => string.Join('|', Explain(world, All(filter)).SmallestChange);
    }

    [Fact]
    public void HIS_07_Negated_groups_need_the_opposite()
    {
        var world = new FilterWorld().Set("stage", "lead").Turn(Now, JournalEntry.ListChanged(1, hasJoined: true));
        var filters = new FilterDefinition[] { Is("stage", IsKnown), new ListFilterDefinition("vip", false), Is("name", IsKnown) };
        var notAny = Explain(world, new CriteriaDefinition([new FilterGroupDefinition(filters, GroupMatch.NotAny)]));
        Assert.Equal(["clear stage", "leave list vip"], notAny.SmallestChange);
        Assert.Equal("anyOf[0].allOf[0]", notAny.FirstFailing!.Path);
        var notAll = Explain(world, new CriteriaDefinition([new FilterGroupDefinition([new ConstantFilterDefinition(true), .. filters[..2]], GroupMatch.NotAll)]));
        Assert.Equal(["clear stage"], notAll.SmallestChange);
    }

    [Fact]
    public void HIS_07_A_group_that_nothing_can_make_hold_is_passed_over()
    {
        var explanation = Explain(new FilterWorld(), new CriteriaDefinition([
            new FilterGroupDefinition([new ConstantFilterDefinition(false)]), new FilterGroupDefinition([Is("stage", IsKnown), Is("name", IsKnown)])]));
        Assert.Equal(["set stage", "set name"], explanation.SmallestChange);
        Assert.Equal("anyOf[0].allOf[0]", explanation.FirstFailing!.Path);
    }

    private static string Line(FilterExplanation filter) => $"{filter.Path} {filter.Test} {filter.Actual} {filter.Accepts}";

    private static CriteriaExplanation Explain(FilterWorld world, CriteriaDefinition definition) => world.Ready(definition).Explain(new Judging(world.State, Now));
}
