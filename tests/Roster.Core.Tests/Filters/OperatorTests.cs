using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Values;
using Roster.Core.Workflows;
using static Roster.Core.Filters.Operator;

namespace Roster.Core.Tests.Filters;

/// <summary>The operator table, rule by rule: each row is a stored value, the operands, and what the operator says.</summary>
public sealed class OperatorTests
{
    public static TheoryData<Operator, PropertyType> AllPairs()
    {
        var rows = new TheoryData<Operator, PropertyType>();
        foreach (var op in Enum.GetValues<Operator>().Where(o => o != None))
        {
            foreach (var type in Enum.GetValues<PropertyType>().Where(t => t != PropertyType.None))
            {
                rows.Add(op, type);
            }
        }

        return rows;
    }

    [Theory]
    [InlineData(IsKnown, "x", true)]
    [InlineData(IsKnown, " ", true)]
    [InlineData(IsKnown, "", false)]
    [InlineData(IsUnknown, "x", false)]
    [InlineData(IsUnknown, "", true)]
    [InlineData(IsBlank, "", true)]
    [InlineData(IsBlank, " \t", true)]
    [InlineData(IsBlank, " x ", false)]
    [InlineData(IsNotBlank, "", false)]
    [InlineData(IsNotBlank, " \t", false)]
    [InlineData(IsNotBlank, " x ", true)]
    public void FIL_20_Presence_is_about_having_a_value(Operator op, string stored, bool expected) => Check("stage", op, stored, expected);

    [Theory]
    [InlineData("score", "0")]
    [InlineData("flag", "false")]
    [InlineData("tags", "a")]
    [InlineData("day", "2026-01-01")]
    [InlineData("at", "2026-01-01T00:00:00Z")]
    public void FIL_20_Presence_works_on_any_type(string property, string stored)
    {
        Check(property, IsKnown, stored, true);
        Check(property, IsNotBlank, stored, true);
        Check(property, IsUnknown, stored, false);
        Check(property, IsBlank, stored, false);
        Check(property, IsKnown, "", false);
        Check(property, IsBlank, "", true);
    }

    [Theory]
    [InlineData(IsEqualTo, "Lead", "lEAD", true)]
    [InlineData(IsEqualTo, "lead ", "lead", false)]
    [InlineData(IsEqualTo, "leader", "lead", false)]
    [InlineData(IsEqualTo, "ÄÖÜ", "äöü", true)]
    [InlineData(IsEqualTo, "ça", "CA", false)]
    [InlineData(IsNotEqualTo, "Lead", "lead", false)]
    [InlineData(IsNotEqualTo, "leader", "lead", true)]
    [InlineData(IsNotEqualTo, "ÄÖÜ", "äöü", false)]
    [InlineData(Contains, "a LEAD here", "lead", true)]
    [InlineData(Contains, "a lea", "lead", false)]
    [InlineData(Contains, "Übergröße", "GRÖ", true)]
    [InlineData(DoesNotContain, "a LEAD here", "lead", false)]
    [InlineData(DoesNotContain, "none", "lead", true)]
    [InlineData(StartsWith, "LEADer", "lead", true)]
    [InlineData(StartsWith, "mislead", "lead", false)]
    [InlineData(StartsWith, "le", "lead", false)]
    [InlineData(StartsWith, "Überall", "über", true)]
    [InlineData(EndsWith, "misLEAD", "lead", true)]
    [InlineData(EndsWith, "leader", "lead", false)]
    [InlineData(EndsWith, "ad", "lead", false)]
    [InlineData(EndsWith, "straße", "SSE", false)]
    public void FIL_21_FIL_07_Text_is_compared_without_case_and_untrimmed(Operator op, string stored, string operand, bool expected) =>
        Check("stage", op, stored, expected, operand);

    [Theory]
    [InlineData(130)]
    [InlineData(10)]
    public void FIL_21_Long_and_short_texts_are_judged_alike(int length)
    {
        var text = new string('q', length);
        Check("stage", IsEqualTo, text, true, text.ToUpperInvariant());
        Check("stage", IsNotEqualTo, text, true, text + "x");
        Check("stage", StartsWith, text + "é", true, text.ToUpperInvariant());
        Check("stage", EndsWith, "é" + text, true, text.ToUpperInvariant());
    }

    [Fact]
    public void FIL_21_Judging_short_ascii_texts_numbers_and_dates_allocates_nothing()
    {
        var world = new FilterWorld().Set("stage", "Lead").Set("score", "5").Set("day", "2026-03-10").Set("flag", "true");
        var criteria = world.Ready(FilterWorld.All(
            Is("stage", IsEqualTo, "x", "lead"), Is("stage", Contains, "EA"), Is("stage", DoesNotContain, "z"), Is("score", IsGreaterThan, "4"),
            Is("day", IsAfterDate, "2026-01-01"), Is("flag", IsEqualTo, "true"), Is("name", IsUnknown)));
        var judging = new Judging(world.State, FilterWorld.Start);
        Assert.True(criteria.Accepts(judging));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            criteria.Accepts(judging);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory]
    [InlineData(IsEqualTo, "1.50", true, "1.5")]
    [InlineData(IsEqualTo, "0", true, "-0")]
    [InlineData(IsEqualTo, "1", false, "1.0000001")]
    [InlineData(IsNotEqualTo, "1.50", false, "1.5")]
    [InlineData(IsNotEqualTo, "2", true, "1.5")]
    [InlineData(IsGreaterThan, "10", false, "10")]
    [InlineData(IsGreaterThan, "10.01", true, "10")]
    [InlineData(IsGreaterThanOrEqualTo, "10", true, "10")]
    [InlineData(IsGreaterThanOrEqualTo, "9.99", false, "10")]
    [InlineData(IsLessThan, "10", false, "10")]
    [InlineData(IsLessThan, "-11", true, "-10")]
    [InlineData(IsLessThanOrEqualTo, "10", true, "10")]
    [InlineData(IsLessThanOrEqualTo, "10.01", false, "10")]
    public void FIL_23_Numbers_compare_by_value(Operator op, string stored, bool expected, string operand) => Check("score", op, stored, expected, operand);

    [Theory]
    [InlineData("1", true)]
    [InlineData("3", true)]
    [InlineData("2.5", true)]
    [InlineData("0.999", false)]
    [InlineData("3.001", false)]
    public void FIL_23_IS_BETWEEN_includes_both_bounds(string stored, bool expected)
    {
        Check("score", IsBetween, stored, expected, "1", "3");
        Check("score", IsNotBetween, stored, !expected, "1", "3");
    }

    [Theory]
    [InlineData(IsEqualTo, "2026-03-10", true)]
    [InlineData(IsEqualTo, "2026-03-11", false)]
    [InlineData(IsBeforeDate, "2026-03-09", true)]
    [InlineData(IsBeforeDate, "2026-03-10", false)]
    [InlineData(IsAfterDate, "2026-03-11", true)]
    [InlineData(IsAfterDate, "2026-03-10", false)]
    public void FIL_24_Dates_compare_by_day(Operator op, string stored, bool expected) => Check("day", op, stored, expected, "2026-03-10");

    [Theory]
    [InlineData("2026-03-10", true)]
    [InlineData("2026-03-12", true)]
    [InlineData("2026-03-09", false)]
    [InlineData("2026-03-13", false)]
    public void FIL_24_Dates_between_include_both_days(string stored, bool expected)
    {
        Check("day", IsBetween, stored, expected, "2026-03-10", "2026-03-12");
        Check("day", IsNotBetween, stored, !expected, "2026-03-10", "2026-03-12");
    }

    [Theory]
    [InlineData(IsBeforeDate, "2026-03-09T23:59:59.999Z", true)]
    [InlineData(IsBeforeDate, "2026-03-10T00:00:00Z", false)]
    [InlineData(IsAfterDate, "2026-03-10T23:59:59.999Z", false)]
    [InlineData(IsAfterDate, "2026-03-11T00:00:00Z", true)]
    [InlineData(IsEqualTo, "2026-03-10T00:00:00Z", true)]
    [InlineData(IsEqualTo, "2026-03-10T23:59:59.999Z", true)]
    [InlineData(IsEqualTo, "2026-03-11T00:00:00Z", false)]
    public void FIL_24_Instants_are_before_the_first_or_after_the_last_ms_of_a_day(Operator op, string stored, bool expected) =>
        Check("at", op, stored, expected, "2026-03-10");

    [Theory]
    [InlineData(IsBeforeDate, "2026-03-08T04:59:59.999Z", true)]
    [InlineData(IsBeforeDate, "2026-03-08T05:00:00Z", false)]
    [InlineData(IsAfterDate, "2026-03-09T03:59:59.999Z", false)]
    [InlineData(IsAfterDate, "2026-03-09T04:00:00Z", true)]
    public void FIL_08_Days_are_those_of_the_filters_own_zone(Operator op, string stored, bool expected) =>
        Check(Is("at", op, "2026-03-08") with { TimeZone = "America/New_York" }, "at", stored, expected);

    [Fact]
    public void FIL_08_Without_a_zone_of_its_own_a_filter_has_the_workflows_zone()
    {
        var world = new FilterWorld().Set("at", "2026-03-08T04:59:59.999Z");
        Assert.True(world.Accepts(Is("at", IsBeforeDate, "2026-03-08"), FilterWorld.Start, "America/New_York"));
        Assert.False(world.Accepts(Is("at", IsBeforeDate, "2026-03-08"), FilterWorld.Start, "UTC"));
    }

    [Theory]
    [InlineData(IsEqualTo, "2026-03-10T10:00:00.001Z", false)]
    [InlineData(IsEqualTo, "2026-03-10T10:00:00Z", true)]
    public void FIL_24_Equal_instants_are_the_same_ms(Operator op, string stored, bool expected) => Check("at", op, stored, expected, "2026-03-10T10:00:00Z");

    [Theory]
    [InlineData("2026-03-10T00:00:00Z", true)]
    [InlineData("2026-03-12T23:59:59.999Z", true)]
    [InlineData("2026-03-13T00:00:00Z", false)]
    public void FIL_24_Instants_between_days_include_the_whole_last_day(string stored, bool expected)
    {
        Check("at", IsBetween, stored, expected, "2026-03-10", "2026-03-12");
        Check("at", IsNotBetween, stored, !expected, "2026-03-10", "2026-03-12");
    }

    [Theory]
    [InlineData("at", "9999-12-31T23:59:59.999Z", IsBeforeDate, false)]
    [InlineData("at", "9999-12-31T23:59:59.999Z", IsEqualTo, true)]
    [InlineData("at", "2026-01-01T00:00:00Z", IsBeforeDate, true)]
    [InlineData("at", "9999-12-31T23:59:59.999Z", IsAfterDate, false)]
    [InlineData("day", "9999-12-31", IsEqualTo, true)]
    public void FIL_24_The_last_day_of_all_is_a_day_like_others(string property, string stored, Operator op, bool expected) => Check(property, op, stored, expected, "9999-12-31");

    [Theory]
    [InlineData(IsEqualTo, "true", "TRUE", true)]
    [InlineData(IsEqualTo, "false", "true", false)]
    [InlineData(IsNotEqualTo, "true", "true", false)]
    [InlineData(IsNotEqualTo, "false", "true", true)]
    public void FIL_28_Bools_are_equal_or_not(Operator op, string stored, string operand, bool expected) => Check("flag", op, stored, expected, operand);

    [Theory]
    [InlineData(IsAnyOf, "a;b", true)]
    [InlineData(IsAnyOf, "d", false)]
    [InlineData(IsNoneOf, "a;d", false)]
    [InlineData(IsNoneOf, "d", true)]
    [InlineData(IsExactly, "c;b;a", true)]
    [InlineData(IsExactly, "a;b", false)]
    [InlineData(IsExactly, "a;b;c;d", false)]
    [InlineData(IsNotExactly, "c;b;a", false)]
    [InlineData(IsNotExactly, "a;b", true)]
    [InlineData(ContainsAll, "d;c;b;a", true)]
    [InlineData(ContainsAll, "a;b", false)]
    [InlineData(DoesNotContainAll, "a;b;c", false)]
    [InlineData(DoesNotContainAll, "a;b", true)]
    public void FIL_29_Sets_compare_with_the_filters_set_a_b_c(Operator op, string stored, bool expected) => Check("tags", op, stored, expected, "b", "a", "c", "a");

    [Theory]
    [MemberData(nameof(AllPairs))]
    public void FIL_06_Unknown_is_rejected_by_every_operator_unless_include_unknown_and_an_operator_is_refused_for_other_types(Operator op, PropertyType type)
    {
        foreach (var include in new[] { false, true })
        {
            var filter = Sample(op, type) with { IncludeUnknown = include };
            var (criteria, problems) = FilterWorld.Compile(FilterWorld.All(filter));
            if (!Takes(op, type))
            {
                Assert.Equal("OPERATOR_NOT_FOR_TYPE", Assert.Single(problems).Code);
                continue;
            }

            Assert.Empty(problems);
            var expected = op switch
            {
                IsKnown or IsNotBlank => false,
                IsUnknown or IsBlank => true,
                _ => include,
            };
            var world = new FilterWorld();
            Assert.Equal(expected, criteria.Accepts(new Judging(world.State, FilterWorld.Start)));
            world.Turn(FilterWorld.Start, JournalEntry.PropertyChanged(world.Number(filter.Property), Value.Unknown, FilterWorld.Start, "test"));
            Assert.Equal(expected, criteria.Accepts(new Judging(world.State, FilterWorld.Start)));
        }
    }

    [Theory]
    [MemberData(nameof(AllPairs))]
    public void FIL_20_to_29_A_negative_operator_is_the_opposite_of_its_positive_one_on_known_values(Operator op, PropertyType type)
    {
        var opposite = op switch
        {
            IsKnown => IsUnknown,
            IsBlank => IsNotBlank,
            IsEqualTo when type is not (PropertyType.Date or PropertyType.DateTime or PropertyType.Enumeration) => IsNotEqualTo,
            Contains => DoesNotContain,
            ContainsExactly => DoesNotContainExactly,
            IsGreaterThan => IsLessThanOrEqualTo,
            IsLessThan => IsGreaterThanOrEqualTo,
            IsBetween => IsNotBetween,
            IsAnyOf => IsNoneOf,
            IsExactly => IsNotExactly,
            ContainsAll => DoesNotContainAll,
            HasEverBeenEqualTo => HasNeverBeenEqualTo,
            HasEverContained => HasNeverContained,
            HasEverBeenAnyOf => HasNeverBeenAnyOf,
            HasEverBeenExactly => HasNeverBeenExactly,
            HasEverContainedAll => HasNeverContainedAll,
            UpdatedInLastXDays => NotUpdatedInLastXDays,
            _ => None,
        };
        if (opposite == None || !Takes(op, type))
        {
            return;
        }

        foreach (var stored in Samples(type))
        {
            foreach (var operand in Samples(type).Where(s => !s.Contains(';', StringComparison.Ordinal)))
            {
                var operands = op == UpdatedInLastXDays ? ["3"] : Enumerable.Repeat(operand, OperatorTable.Operands(op, type).Min).ToArray();
                var property = PropertyOf(type);
                Assert.NotEqual(Judge(property, op, stored, operands), Judge(property, opposite, stored, operands));
            }
        }
    }

    [Theory]
    [InlineData(IsEqualTo, "b", true)]
    [InlineData(IsEqualTo, "c", false)]
    [InlineData(IsNotEqualTo, "B", false)]
    [InlineData(IsNotEqualTo, "c", true)]
    [InlineData(Contains, "xbx", true)]
    [InlineData(Contains, "xcx", false)]
    [InlineData(DoesNotContain, "xAx", false)]
    [InlineData(DoesNotContain, "xcx", true)]
    [InlineData(StartsWith, "bc", true)]
    [InlineData(StartsWith, "cb", false)]
    [InlineData(EndsWith, "cA", true)]
    [InlineData(EndsWith, "ac", false)]
    [InlineData(ContainsExactly, "c b", true)]
    [InlineData(ContainsExactly, "cb", false)]
    [InlineData(DoesNotContainExactly, "c b", false)]
    [InlineData(DoesNotContainExactly, "ab", true)]
    public void FIL_22_Of_several_texts_a_positive_operator_needs_any_and_a_negative_one_none(Operator op, string stored, bool expected)
    {
        Check("stage", op, stored, expected, "a", "b");
        Check("stage", op, stored, expected, "ü", "a", "b");
    }

    [Theory]
    [InlineData("red", "a Red car", true)]
    [InlineData("red", "red", true)]
    [InlineData("red", "hundred reds red", true)]
    [InlineData("red", "hundred reds", false)]
    [InlineData("red", "red_car", false)]
    [InlineData("red", "red-car", true)]
    [InlineData("red car", "one red car!", true)]
    [InlineData("c++", "in c++ or c", true)]
    [InlineData("ür", "für", false)]
    public void FIL_22_CONTAINS_EXACTLY_finds_whole_words(string operand, string stored, bool expected) => Check("stage", ContainsExactly, stored, expected, operand);

    [Theory]
    [InlineData(IsEqualTo, "a", true)]
    [InlineData(IsEqualTo, "b", false)]
    [InlineData(IsEqualTo, "a;b", false)]
    [InlineData(IsNotEqualTo, "b", true)]
    [InlineData(IsNotEqualTo, "a", false)]
    [InlineData(IsNotEqualTo, "b;c", false)]
    public void FIL_29_An_equality_test_rejects_a_set_of_several_options(Operator op, string stored, bool expected) => Check("tags", op, stored, expected, "a");

    [Theory]
    [InlineData(HasEverBeenEqualTo, "X", true)]
    [InlineData(HasEverBeenEqualTo, "z", true)]
    [InlineData(HasEverBeenEqualTo, "w", false)]
    [InlineData(HasNeverBeenEqualTo, "x", false)]
    [InlineData(HasNeverBeenEqualTo, "w", true)]
    public void FIL_31_History_operators_see_the_present_and_all_former_values(Operator op, string operand, bool expected)
    {
        var world = new FilterWorld().Set("stage", "x").Set("stage", "y").Set("stage", "z");
        Assert.Equal(expected, world.Accepts(Is("stage", op, operand)));
    }

    [Fact]
    public void FIL_31_A_cleared_property_still_has_its_former_values()
    {
        var world = new FilterWorld().Set("stage", "x").Set("stage", "");
        Assert.True(world.Accepts(Is("stage", HasEverBeenEqualTo, "x")));
        Assert.True(world.Accepts(Is("stage", HasNeverBeenEqualTo, "y")));
    }

    [Fact]
    public void FIL_31_Without_a_value_means_never_had_one_also_after_a_clear()
    {
        var world = new FilterWorld().Set("stage", "");
        Assert.False(world.Accepts(Is("stage", HasNeverBeenEqualTo, "x")));
        Assert.False(world.Accepts(Is("stage", HasEverBeenEqualTo, "x")));
        Assert.True(world.Accepts(Is("stage", HasEverBeenEqualTo, "x") with { IncludeUnknown = true }));
    }

    [Fact]
    public void FIL_31_Late_values_do_not_count()
    {
        var world = new FilterWorld().Set("stage", "new");
        world.Turn(FilterWorld.Start, JournalEntry.PropertyLate(world.Number("stage"), Value.OfText("old"), FilterWorld.Start.PlusMs(-1000), "test"));
        Assert.False(world.Accepts(Is("stage", HasEverBeenEqualTo, "old")));
    }

    [Fact]
    public void FIL_31_The_side_before_the_round_has_only_its_own_former_values()
    {
        var world = new FilterWorld().Set("stage", "x");
        world.Begin(FilterWorld.Start, world.Write("stage", "y"));
        var criteria = world.Ready(FilterWorld.All(Is("stage", HasEverBeenEqualTo, "y")));
        Assert.True(criteria.NeedsHistory);
        Assert.True(criteria.Accepts(new Judging(world.State, FilterWorld.Start)));
        Assert.False(criteria.Accepts(new Judging(world.State, FilterWorld.Start, IsBefore: true)));
    }

    [Fact]
    public void FIL_31_History_that_moved_out_of_the_head_is_still_seen()
    {
        var world = new FilterWorld();
        var sections = new List<SectionWrite>();
        for (var i = 0; i < 200; i++)
        {
            world.Set("stage", $"v{i}");
            sections.AddRange(world.State.SectionWrites);
        }

        Assert.NotEmpty(sections);
        sections.ForEach(s => world.State.AddSection(s.Index, s.Content!));
        Assert.True(world.Accepts(Is("stage", HasEverBeenEqualTo, "v1")));
        Assert.False(world.Accepts(Is("stage", HasEverBeenEqualTo, "v200")));
    }

    private static bool Takes(Operator op, PropertyType type) => type switch
    {
        _ when op is IsKnown or IsUnknown or IsBlank or IsNotBlank or UpdatedInLastXDays or NotUpdatedInLastXDays => true,
        PropertyType.String => op is IsEqualTo or IsNotEqualTo or Contains or DoesNotContain or StartsWith or EndsWith or ContainsExactly or DoesNotContainExactly
            or HasEverBeenEqualTo or HasNeverBeenEqualTo or HasEverContained or HasNeverContained,
        PropertyType.Number => op is IsEqualTo or IsNotEqualTo or IsGreaterThan or IsGreaterThanOrEqualTo or IsLessThan or IsLessThanOrEqualTo
            or HasEverBeenEqualTo or HasNeverBeenEqualTo or IsBetween or IsNotBetween,
        PropertyType.Bool => op is IsEqualTo or IsNotEqualTo or HasEverBeenEqualTo or HasNeverBeenEqualTo,
        PropertyType.Enumeration => op is IsEqualTo or IsNotEqualTo or IsAnyOf or IsNoneOf or IsExactly or IsNotExactly or ContainsAll or DoesNotContainAll
            or HasEverBeenAnyOf or HasNeverBeenAnyOf or HasEverBeenExactly or HasNeverBeenExactly or HasEverContainedAll or HasNeverContainedAll,
        PropertyType.Date or PropertyType.DateTime => op is IsEqualTo or IsBeforeDate or IsAfterDate or IsBetween or IsNotBetween
            or IsLessThanXDaysAgo or IsMoreThanXDaysAgo or IsLessThanXDaysFromNow or IsMoreThanXDaysFromNow
            or InThisTimeUnit or InThisTimeUnitSoFar or InLastTimeUnit or InNextTimeUnit or IsBefore or IsAfter,
        _ => false,
    };

    /// <summary>A filter that is well made but for the type.</summary>
    private static PropertyFilterDefinition Sample(Operator op, PropertyType type)
    {
        var operand = OperatorTable.IsClockBased(op) ? "1" : Samples(type)[0];
        return Is(PropertyOf(type), op, [.. Enumerable.Repeat(operand, OperatorTable.Operands(op, type).Min)]) with
        {
            Unit = OperatorTable.IsCalendar(op) ? TimeUnit.Day : TimeUnit.None,
            From = OperatorTable.IsAboutPoint(op) ? FilterWorld.OnIndex(TimeIndex.Now) : null,
        };
    }

    private static string PropertyOf(PropertyType type) => FilterWorld.Properties.First(p => p.Type == type).Name;

    private static string[] Samples(PropertyType type) => type switch
    {
        PropertyType.String => ["lead", "Lead", "leader", "x", " ", "Ünder", "K"],
        PropertyType.Number => ["1", "1.0", "-3.25", "0", "7922816251426433759354395033"],
        PropertyType.Bool => ["true", "false"],
        PropertyType.Enumeration => ["a", "a;b", "c", "a;b;c;d"],
        PropertyType.Date => ["2026-01-01", "2026-01-02", "0001-01-01", "9999-12-31"],
        _ => ["2026-01-01", "2026-01-02", "9999-12-30"],
    };

    private static PropertyFilterDefinition Is(string property, Operator op, params string[] values) => FilterWorld.Is(property, op, values);

    private static bool Judge(string property, Operator op, string stored, string[] operands)
    {
        var world = new FilterWorld();
        if (stored.Length > 0)
        {
            world.Set(property, property == "at" && stored.Length == 10 ? stored + "T12:00:00Z" : stored);
        }

        return world.Accepts(Is(property, op, operands));
    }

    private static void Check(string property, Operator op, string stored, bool expected, params string[] operands) =>
        Assert.Equal(expected, Judge(property, op, stored, operands));

    private static void Check(FilterDefinition filter, string property, string stored, bool expected) =>
        Assert.Equal(expected, new FilterWorld().Set(property, stored).Accepts(filter));
}
