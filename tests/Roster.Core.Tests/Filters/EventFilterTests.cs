using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Values;
using Roster.Core.Workflows;
using static Roster.Core.Filters.Operator;
using static Roster.Core.Tests.Filters.FilterWorld;

namespace Roster.Core.Tests.Filters;

/// <summary>Filters on the properties of an event (TRG-05, FIL-36), and what operators they have of their own.</summary>
public sealed class EventFilterTests
{
    private const string Now = "2026-03-10T15:00:00Z";

    [Theory]
    [InlineData(IsEqualTo, "HTTPS://A.example/x", true, "https://a.example/x")]
    [InlineData(Contains, "https://a.example/x", true, "nothing", "EXAMPLE")]
    [InlineData(DoesNotContain, "https://a.example/x", false, "nothing", "EXAMPLE")]
    [InlineData(ContainsExactly, "https://a.example/x", true, "example")]
    [InlineData(MatchesRegex, "https://a.example/pricing?x=1", true, "https://a\\.example/(pricing|demo).*")]
    [InlineData(MatchesRegex, "https://a.example/PRICING", true, ".*/pricing")]
    [InlineData(MatchesRegex, "https://a.example/pricing/more", false, ".*/pricing")]
    [InlineData(MatchesRegex, "ab", true, "a|ab")]
    public void FIL_32_FIL_36_Texts_of_events_are_judged_like_texts_of_records(Operator op, string stored, bool expected, params string[] values) =>
        Assert.Equal(expected, Judge(Is("url", op, values), ("url", Value.OfText(stored))));

    [Fact]
    public void FIL_36_The_type_is_that_of_the_value_the_event_carries()
    {
        var filter = Is("x", IsEqualTo, "5");
        Assert.True(Judge(filter, ("x", Value.OfNumber(5.0m))));
        Assert.True(Judge(filter, ("x", Value.OfText("5"))));
        Assert.False(Judge(filter, ("x", Value.OfText("5.0"))));
        Assert.False(Judge(filter, ("x", Value.OfBool(true))));
        Assert.True(Judge(Is("x", IsAnyOf, "a", "b"), ("x", Value.OfText("b"))));
        Assert.False(Judge(Is("x", IsEqualTo, "a"), ("x", Value.OfOptions("a", "b"))));
    }

    [Fact]
    public void FIL_06_FIL_20_An_event_without_the_property_has_no_value()
    {
        Assert.False(Judge(Is("x", IsNotEqualTo, "a")));
        Assert.True(Judge(Is("x", IsNotEqualTo, "a") with { IncludeUnknown = true }));
        Assert.True(Judge(Is("x", IsUnknown)));
        Assert.False(Judge(Is("x", IsKnown)));
        Assert.True(Judge(Is("x", IsBlank), ("x", Value.OfText(" "))));
        Assert.False(Judge(Is("x", IsNotBlank), ("x", Value.OfText(" "))));
        Assert.False(Judge(Is("x", IsLessThanXDaysAgo, "3")));
        Assert.True(Judge(Is("x", IsLessThanXDaysAgo, "3") with { IncludeUnknown = true }));
    }

    [Theory]
    [InlineData("2026-03-07T00:00:00Z", true)]
    [InlineData("2026-03-06T23:59:59.999Z", false)]
    public void FIL_24_FIL_26_Times_that_events_carry_are_judged_at_the_turn_time(string stored, bool expected)
    {
        var value = Value.OfDateTime(At(stored));
        Assert.Equal(expected, Judge(Is("x", IsLessThanXDaysAgo, "3"), ("x", value)));
        Assert.Equal(expected, Judge(Is("x", IsAfter) with { From = OnIndex(TimeIndex.Today, offset: -3) }, ("x", value)));
        Assert.Equal(!expected, Judge(Is("x", IsMoreThanXDaysAgo, "3"), ("x", value)));
        Assert.True(Judge(Is("x", InThisTimeUnit) with { Unit = TimeUnit.Month }, ("x", value)));
        Assert.False(Judge(Is("x", IsLessThanXDaysAgo, "3"), ("x", Value.OfText(stored))));
    }

    [Fact]
    public void FIL_36_occurred_at_names_the_time_of_the_event_itself()
    {
        var filter = Is("occurred_at", IsLessThanXDaysAgo, "1");
        Assert.True(Compiled(filter).Accepts([new NamedValue("occurred_at", Value.OfText("x"))], At("2026-03-09T00:00:00Z"), At(Now)));
        Assert.False(Compiled(filter).Accepts([], At("2026-03-08T23:59:59.999Z"), At(Now)));
        Assert.True(Compiled(Is("occurred_at", IsBetween, "2026-03-08", "2026-03-09")).Accepts([], At("2026-03-09T23:59:59.999Z"), At(Now)));
        Assert.True(Compiled(filter).DependsOnTime);
        Assert.False(Compiled(Is("occurred_at", IsBeforeDate, "2026-03-08")).DependsOnTime);
    }

    [Theory]
    [InlineData("(", "BAD_REGEX", "where[0].values[0]")]
    [InlineData("a)|(b", "BAD_REGEX", "where[0].values[0]")]
    [InlineData("(?=a)b", "BAD_REGEX", "where[0].values[0]")]
    [InlineData(@"(a)\1", "BAD_REGEX", "where[0].values[0]")]
    public void FIL_32_A_regular_expression_that_cannot_be_read_is_a_problem(string pattern, string code, string path)
    {
        var problem = Assert.Single(Problems(Is("url", MatchesRegex, pattern)));
        Assert.Equal((code, path), (problem.Code, problem.Path));
    }

    [Fact]
    public void FIL_32_A_long_text_is_matched_in_linear_time()
    {
        var filter = Compiled(Is("url", MatchesRegex, "(a+)+b"));
        Assert.False(filter.Accepts([new NamedValue("url", Value.OfText(new string('a', 100_000)))], Start, Start));
    }

    [Fact]
    public void FIL_36_What_an_event_has_not_is_refused()
    {
        Expect("OPERATOR_NOT_FOR_TYPE", "where[0].operator", Is("x", HasEverBeenEqualTo, "a"));
        Expect("OPERATOR_NOT_FOR_TYPE", "where[0].operator", Is("x", UpdatedInLastXDays, "1"));
        Expect("NOT_IN_EVENT", "where[0].compareWith", Is("x", IsEqualTo) with { CompareWith = "y" });
        Expect("NOT_IN_EVENT", "where[0].useUpdatedAt", Is("x", IsLessThanXDaysAgo, "1") with { UseUpdatedAt = true });
        Expect("NOT_IN_EVENT", "where[0].from.property", Is("x", IsAfter) with { From = OnProperty("day") });
        Expect("NOT_IN_EVENT", "where[0]", new ListFilterDefinition("vip", false));
        Expect("INCOMPLETE_FILTER", "where[0]", new IncompleteFilterDefinition());
        Expect("BAD_NAME", "where[0].property", Is("No Name", IsKnown));
        Expect("WRONG_TYPE", "where[0].values", Is("x", IsGreaterThan, "y"));
        Expect("VALUE_COUNT", "where[0].values", Is("x", IsBetween, "1"));
        Expect("VALUE_COUNT", "where[0].values", Is("x", IsKnown, "1"));
        Expect("UNKNOWN_OPERATOR", "where[0].operator", Is("x", (Operator)99));
    }

    private static void Expect(string code, string path, FilterDefinition filter) => Assert.Contains(Problems(filter), p => p.Code == code && p.Path == path);

    private static List<WorkflowProblem> Problems(FilterDefinition filter)
    {
        var problems = new List<WorkflowProblem>();
        Compiler(problems).CompileWhere([filter], "where");
        return problems;
    }

    private static EventFilter Compiled(FilterDefinition filter)
    {
        var problems = new List<WorkflowProblem>();
        var compiled = Compiler(problems).CompileWhere([filter], "where");
        Assert.True(problems.Count == 0, string.Join('\n', problems));
        return Assert.Single(compiled);
    }

    private static bool Judge(FilterDefinition filter, params (string Name, Value Value)[] properties) =>
        Compiled(filter).Accepts([.. properties.Select(p => new NamedValue(p.Name, p.Value))], At(Now), At(Now));
}
