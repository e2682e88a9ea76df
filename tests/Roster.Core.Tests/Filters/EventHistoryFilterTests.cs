using Roster.Core.Filters;
using Roster.Core.Journal;
using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Values;
using Roster.Core.Workflows;
using static Roster.Core.Filters.Operator;
using static Roster.Core.Tests.Filters.FilterWorld;

namespace Roster.Core.Tests.Filters;

/// <summary>Filters on events in the record's history: FIL-03, FIL-04, FIL-05, FIL-09, FIL-33, FIL-36.</summary>
public sealed class EventHistoryFilterTests
{
    private static readonly Timestamp Now = At("2026-03-10T15:00:00Z");

    [Fact]
    public void FIL_36_Has_completed_needs_an_occurrence_and_has_not_needs_none()
    {
        var world = new FilterWorld();
        Assert.False(world.Accepts(Happened("clicked"), Now));
        Assert.True(world.Accepts(Happened("clicked") with { Negate = true }, Now));
        world.Event("clicked", Now);
        Assert.True(world.Accepts(Happened("clicked"), Now));
        Assert.False(world.Accepts(Happened("clicked") with { Negate = true }, Now));
        Assert.False(world.Accepts(Happened("bought"), Now));
        Assert.False(world.Accepts(Happened("never_seen"), Now));
        Assert.True(world.Accepts(Happened("never_seen") with { Negate = true }, Now));
    }

    [Fact]
    public void FIL_36_One_occurrence_must_pass_all_event_property_filters()
    {
        var world = new FilterWorld();
        world.Event("clicked", Now, ("url", Value.OfText("a")), ("n", Value.OfNumber(1)));
        world.Event("clicked", Now, ("url", Value.OfText("b")), ("n", Value.OfNumber(2)));
        Assert.True(world.Accepts(Happened("clicked", Is("url", IsEqualTo, "a"), Is("n", IsLessThan, "2")), Now));
        Assert.False(world.Accepts(Happened("clicked", Is("url", IsEqualTo, "a"), Is("n", IsEqualTo, "2")), Now));
        Assert.True(world.Accepts(Happened("clicked", Is("url", IsEqualTo, "c")) with { Negate = true }, Now));
        Assert.False(world.Accepts(Happened("clicked", Is("url", IsEqualTo, "b")) with { Negate = true }, Now));
    }

    [Theory]
    [InlineData(TimeRangeKind.Before, "2026-03-05", null, "2026-03-04T23:59:59.999Z", "2026-03-05T00:00:00Z")]
    [InlineData(TimeRangeKind.After, "2026-03-05", null, "2026-03-06T00:00:00Z", "2026-03-05T23:59:59.999Z")]
    [InlineData(TimeRangeKind.Before, "2026-03-05T10:00:00Z", null, "2026-03-05T09:59:59.999Z", "2026-03-05T10:00:00Z")]
    [InlineData(TimeRangeKind.After, "2026-03-05T10:00:00Z", null, "2026-03-05T10:00:00.001Z", "2026-03-05T10:00:00Z")]
    [InlineData(TimeRangeKind.Between, "2026-03-05", "2026-03-06", "2026-03-05T00:00:00Z", "2026-03-04T23:59:59.999Z")]
    [InlineData(TimeRangeKind.Between, "2026-03-05", "2026-03-06", "2026-03-06T23:59:59.999Z", "2026-03-07T00:00:00Z")]
    [InlineData(TimeRangeKind.NotBetween, "2026-03-05", "2026-03-06", "2026-03-04T23:59:59.999Z", "2026-03-05T00:00:00Z")]
    [InlineData(TimeRangeKind.Between, "-5", "-1", "2026-03-05T00:00:00Z", "2026-03-04T23:59:59.999Z")]
    [InlineData(TimeRangeKind.Between, "-5", "-1", "2026-03-09T23:59:59.999Z", "2026-03-10T00:00:00Z")]
    [InlineData(TimeRangeKind.Between, "-7", "0", "2026-03-10T14:00:00Z", "2026-03-02T23:59:59.999Z")]
    [InlineData(TimeRangeKind.Before, "-7", null, "2026-03-02T23:59:59.999Z", "2026-03-03T00:00:00Z")]
    [InlineData(TimeRangeKind.After, "-7", null, "2026-03-04T00:00:00Z", "2026-03-03T23:59:59.999Z")]
    public void FIL_05_A_time_range_leaves_bounds_out_or_includes_them_as_whole_days(TimeRangeKind kind, string from, string? to, string accepted, string rejected)
    {
        var filter = Happened("clicked") with { Refine = Within(kind, Bound(from), to is null ? null : Bound(to)) };
        Assert.True(new FilterWorld().Event("clicked", At(accepted)).Accepts(filter, Now));
        Assert.False(new FilterWorld().Event("clicked", At(rejected)).Accepts(filter, Now));
        Assert.False(new FilterWorld().Accepts(filter, Now));

        static RangeBoundDefinition Bound(string text) => text.Contains('-', StringComparison.Ordinal) && text.Length > 3 ? On(text) : Days(int.Parse(text, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void FIL_05_FIL_08_Relative_bounds_are_days_of_the_zone()
    {
        var filter = Happened("clicked") with { Refine = Within(TimeRangeKind.Between, Days(-1), Days(0)) };
        var world = new FilterWorld().Event("clicked", At("2026-03-09T03:59:59.999Z"));
        Assert.True(world.Accepts(filter, Now));
        Assert.False(world.Accepts(filter, Now, "America/New_York"));
    }

    [Theory]
    [InlineData(0, null, 0, true)]
    [InlineData(2, null, 1, false)]
    [InlineData(2, null, 2, true)]
    [InlineData(0, 2, 0, true)]
    [InlineData(0, 2, 2, true)]
    [InlineData(0, 2, 3, false)]
    [InlineData(2, 2, 2, true)]
    public void FIL_04_A_count_accepts_from_min_to_max_both_included(int min, int? max, int occurred, bool expected)
    {
        var world = new FilterWorld();
        for (var i = 0; i < occurred; i++)
        {
            world.Event("clicked", Now, ("url", Value.OfText("a")));
            world.Event("clicked", Now, ("url", Value.OfText("b")));
        }

        var filter = Happened("clicked", Is("url", IsEqualTo, "a")) with { Refine = Times(min, max) };
        Assert.Equal(expected, world.Accepts(filter, Now));
        Assert.Equal(!expected, world.Accepts(filter with { Negate = true }, Now));
    }

    [Fact]
    public void FIL_03_FIL_04_A_count_within_a_window_is_written_with_occurred_at()
    {
        var world = new FilterWorld();
        world.Event("clicked", At("2026-03-01T00:00:00Z")).Event("clicked", At("2026-03-08T00:00:00Z")).Event("clicked", At("2026-03-09T00:00:00Z"));
        var within = Is("occurred_at", IsLessThanXDaysAgo, "7");
        Assert.True(world.Accepts(Happened("clicked", within) with { Refine = Times(2, 2) }, Now));
        Assert.True(world.Accepts(Happened("clicked") with { Refine = Times(3, 3) }, Now));
    }

    [Fact]
    public void FIL_04_Two_refinements_of_one_filter_are_refused()
    {
        var both = new RefinementDefinition(Within(TimeRangeKind.Before, Days(0)).Time, new OccurrencesDefinition(1, null));
        var (_, problems) = Compile(All(Happened("clicked") with { Refine = both }));
        Assert.Equal(("TWO_REFINEMENTS", "c.anyOf[0].allOf[0].events.refine"), (problems.Single().Code, problems.Single().Path));
    }

    [Fact]
    public void REN_05_Refinements_are_ignored_when_initial_criteria_are_checked_for_a_re_enrollment()
    {
        var world = new FilterWorld().Event("clicked", At("2025-12-01T00:00:00Z"), ("url", Value.OfText("a")));
        var range = Within(TimeRangeKind.After, Days(-7));
        foreach (var (filter, expected) in new[]
        {
            (Happened("clicked") with { Refine = range }, true), (Happened("clicked") with { Refine = Times(5) }, true),
            (Happened("clicked") with { Refine = Times(5), Negate = true }, false),
            (Happened("clicked", Is("url", IsEqualTo, "a")) with { Refine = range }, true), (Happened("clicked", Is("url", IsEqualTo, "b")) with { Refine = range }, false),
        })
        {
            var criteria = world.Ready(All(filter));
            Assert.Equal(expected, criteria.Accepts(new Judging(world.State, Now, IgnoresRefinements: true)));
            Assert.Equal(filter.Negate, criteria.Accepts(new Judging(world.State, Now)));
        }
    }

    [Fact]
    public void FIL_09_Without_filters_and_refinement_what_is_kept_for_good_decides()
    {
        var world = new FilterWorld().Event("clicked", At("2025-01-01T00:00:00Z"));
        world.Turn(Now, JournalEntry.EventsExpired(At("2025-02-01T00:00:00Z"), 0));
        Assert.True(world.Accepts(Happened("clicked"), Now));
        Assert.False(world.Accepts(Happened("clicked") with { Refine = Times(1) }, Now));
        Assert.Empty(world.Ready(All(Happened("clicked"))).NeedsEvents);
        Assert.Equal([Tenant.FindEventType("clicked")], world.Ready(All(Happened("clicked") with { Refine = Times(1) })).NeedsEvents);
        Assert.Equal([Tenant.FindEventType("clicked")], world.Ready(All(Happened("clicked", Is("x", IsKnown)))).NeedsEvents);
    }

    [Fact]
    public void FIL_09_Only_the_newest_occurrences_up_to_event_history_max_are_seen()
    {
        var scope = ScopeOf(NewSchema(TenantSettings.Default with { EventHistoryMax = 10 }));
        var world = new FilterWorld().Event("clicked", Now, ("url", Value.OfText("first")));
        for (var i = 0; i < 9; i++)
        {
            world.Event("clicked", Now);
        }

        var (criteria, problems) = Compile(All(Happened("clicked", Is("url", IsEqualTo, "first"))), scope: scope);
        Assert.Empty(problems);
        Assert.True(criteria.Accepts(new Judging(world.State, Now)));
        world.Event("clicked", Now);
        Assert.False(criteria.Accepts(new Judging(world.State, Now)));
        Assert.Equal("OUT_OF_RANGE", Compile(All(Happened("clicked") with { Refine = Times(11) }), scope: scope).Problems.Single().Code);
    }

    [Fact]
    public void TRG_07_The_side_before_the_round_has_not_seen_the_event()
    {
        var world = new FilterWorld().Event("clicked", Now);
        world.Begin(Now, world.Occurred("clicked", Now), world.Occurred("bought", Now, ("n", Value.OfNumber(1))));
        var criteria = world.Ready(All(Happened("bought", Is("n", IsEqualTo, "1"))));
        Assert.True(criteria.NeedsWhole);
        Assert.True(criteria.Accepts(new Judging(world.State, Now)));
        Assert.False(criteria.Accepts(new Judging(world.State, Now, IsBefore: true)));
        Assert.True(world.Ready(All(Happened("clicked") with { Refine = Times(1, 1) })).Accepts(new Judging(world.State, Now, IsBefore: true)));
    }

    [Fact]
    public void REN_03_A_new_occurrence_that_passes_fires_also_when_the_criteria_held_before()
    {
        var world = new FilterWorld().Set("stage", "x").Event("clicked", Now, ("url", Value.OfText("a")));
        var any = world.Ready(All(Happened("clicked"), Is("stage", IsEqualTo, "x")));
        var one = world.Ready(All(Happened("clicked", Is("url", IsEqualTo, "a"))));
        world.Begin(Now);
        Assert.False(any.HoldsForOccurrence(new Judging(world.State, Now)));
        world.Begin(Now, world.Occurred("clicked", Now, ("url", Value.OfText("b"))));
        Assert.True(any.HoldsForOccurrence(new Judging(world.State, Now)));
        Assert.False(one.HoldsForOccurrence(new Judging(world.State, Now)));
        world.State.EndTurn();
        world.Begin(Now, world.Occurred("clicked", Now, ("url", Value.OfText("a"))), world.Write("stage", "y"));
        Assert.False(any.HoldsForOccurrence(new Judging(world.State, Now)));
        Assert.True(one.HoldsForOccurrence(new Judging(world.State, Now)));
        Assert.False(world.Ready(All(Happened("clicked") with { Negate = true })).HoldsForOccurrence(new Judging(world.State, Now)));
    }

    [Fact]
    public void FIL_33_The_first_happened_to_an_email_and_the_second_did_not()
    {
        var filter = new EventPairFilterDefinition(Happened("opened"), Happened("clicked"));
        var world = new FilterWorld();
        Assert.False(world.Accepts(filter, Now));
        world.Event("opened", Now, ("email_id", Value.OfText("m1")));
        Assert.True(world.Accepts(filter, Now));
        world.Event("clicked", Now, ("email_id", Value.OfText("m1")));
        Assert.False(world.Accepts(filter, Now));
        world.Event("opened", Now, ("email_id", Value.OfText("m2")));
        Assert.True(world.Accepts(filter, Now));
        Assert.False(world.Accepts(filter with { Happened = filter.Happened with { Refine = Times(2) } }, Now));
        Assert.Equal(2, world.Ready(All(filter)).NeedsEvents.Count);
    }

    [Fact]
    public void FIL_33_A_named_email_is_filtered_on_both_sides()
    {
        var isM1 = Is("email_id", IsEqualTo, "m1");
        var filter = new EventPairFilterDefinition(Happened("opened", isM1), Happened("clicked", isM1));
        var world = new FilterWorld().Event("opened", Now, ("email_id", Value.OfText("m2")));
        Assert.False(world.Accepts(filter, Now));
        world.Event("opened", Now, ("email_id", Value.OfText("M1"))).Event("clicked", Now, ("email_id", Value.OfText("m2")));
        Assert.True(world.Accepts(filter, Now));
        world.Event("clicked", Now, ("email_id", Value.OfText("m1")));
        Assert.False(world.Accepts(filter, Now));
    }

    [Fact]
    public void FIL_33_Parts_that_say_not_by_themselves_are_refused()
    {
        var pair = new EventPairFilterDefinition(Happened("opened"), Happened("clicked") with { Negate = true });
        Assert.Equal("BAD_COMBINATION", Compile(All(pair)).Problems.Single().Code);
    }
}
