using Roster.Core.Filters;
using Roster.Core.Values;
using Roster.Core.Workflows;
using static Roster.Core.Filters.Operator;
using static Roster.Core.Tests.Filters.FilterWorld;

namespace Roster.Core.Tests.Filters;

/// <summary>TRG-09: the next flip is told exactly, to the millisecond, and none is missed.</summary>
public sealed class NextFlipTests
{
    private const long HourMs = 3_600_000;
    private const long DayMs = 24 * HourMs;

    [Theory]
    [InlineData(IsLessThanXDaysAgo, "2026-03-07T10:00:00Z", "2026-03-11T00:00:00Z")]
    [InlineData(IsMoreThanXDaysAgo, "2026-03-07T10:00:00Z", "2026-03-11T00:00:00Z")]
    [InlineData(IsLessThanXDaysAgo, "2026-03-06T10:00:00Z", null)]
    [InlineData(IsLessThanXDaysAgo, "2026-03-12T10:00:00Z", "2026-03-12T10:00:00Z")]
    [InlineData(IsLessThanXDaysFromNow, "2026-03-12T10:00:00Z", "2026-03-12T10:00:00.001Z")]
    [InlineData(IsLessThanXDaysFromNow, "2026-03-14T00:00:00Z", "2026-03-11T00:00:00Z")]
    [InlineData(IsLessThanXDaysFromNow, "2026-03-14T00:00:00.001Z", "2026-03-12T00:00:00Z")]
    [InlineData(IsMoreThanXDaysFromNow, "2026-03-14T00:00:00Z", "2026-03-11T00:00:00Z")]
    [InlineData(IsMoreThanXDaysFromNow, "2026-03-13T00:00:00Z", null)]
    public void TRG_09_FIL_24_Rolling_ranges_flip_at_starts_of_days_and_at_the_value(Operator op, string stored, string? expected) =>
        Check(Is("at", op, "3"), stored, expected);

    [Theory]
    [InlineData(IsLessThanXDaysAgo, "2026-03-07", "2026-03-11T04:00:00Z")]
    [InlineData(IsLessThanXDaysAgo, "2026-03-11", "2026-03-11T04:00:00Z")]
    [InlineData(IsLessThanXDaysFromNow, "2026-03-10", "2026-03-11T04:00:00Z")]
    [InlineData(IsLessThanXDaysFromNow, "2026-03-14", "2026-03-11T04:00:00Z")]
    [InlineData(IsBefore, "2026-03-12", "2026-03-12T04:00:00Z")]
    public void TRG_09_FIL_24_Dates_flip_at_starts_of_days_only(Operator op, string stored, string expected) => Check(
        op == IsBefore ? Is("day", op) with { From = OnIndex(TimeIndex.Now) } : Is("day", op, "3"), stored, expected, "America/New_York");

    [Fact]
    public void TRG_09_FIL_25_Units_flip_at_their_starts()
    {
        Check(Is("at", InThisTimeUnit) with { Unit = TimeUnit.Quarter, FiscalYearStart = 2 }, "2026-06-01T00:00:00Z", "2026-05-01T00:00:00Z");
        Check(Is("at", InThisTimeUnitSoFar) with { Unit = TimeUnit.Month }, "2026-03-20T08:00:00Z", "2026-03-20T08:00:00Z");
        Check(Is("at", InLastTimeUnit, "2") with { Unit = TimeUnit.Week }, "2026-03-10T08:00:00Z", "2026-03-16T00:00:00Z");
        Check(Is("at", InNextTimeUnit, "1") with { Unit = TimeUnit.Year }, "2028-05-05T00:00:00Z", "2027-01-01T00:00:00Z");
    }

    [Fact]
    public void TRG_09_FIL_27_An_update_leaves_its_window()
    {
        var world = new FilterWorld().Set("stage", "x", At("2026-03-09T20:00:00Z"));
        var criteria = world.Ready(All(Is("stage", NotUpdatedInLastXDays, "2")));
        Assert.Equal(At("2026-03-12T00:00:00Z"), criteria.NextFlip(world.State, At("2026-03-10T15:00:00Z")));
        Assert.True(criteria.NextFlip(new FilterWorld().State, Start).IsNone);
    }

    [Fact]
    public void TRG_09_FIL_05_Occurrences_leave_and_enter_a_range_of_time()
    {
        var world = new FilterWorld();
        world.Event("clicked", At("2026-03-08T10:00:00Z")).Event("clicked", At("2026-03-09T10:00:00Z"));
        var now = At("2026-03-10T15:00:00Z");
        var recent = Within(TimeRangeKind.Between, Days(-3), Days(0));
        Assert.Equal(At("2026-03-13T00:00:00Z"), world.Ready(All(Happened("clicked") with { Refine = recent })).NextFlip(world.State, now));
        Assert.Equal(At("2026-03-13T00:00:00Z"), world.Ready(All(Happened("clicked") with { Refine = recent, Negate = true })).NextFlip(world.State, now));
        var twice = Happened("clicked", Is("occurred_at", IsLessThanXDaysAgo, "3")) with { Refine = Times(2) };
        Assert.Equal(At("2026-03-12T00:00:00Z"), world.Ready(All(twice)).NextFlip(world.State, now));
        var old = Happened("clicked") with { Refine = Within(TimeRangeKind.Before, Days(-3)) };
        Assert.Equal(At("2026-03-12T00:00:00Z"), world.Ready(All(old)).NextFlip(world.State, now));
        Assert.True(world.Ready(All(Happened("clicked"))).NextFlip(world.State, now).IsNone);
        Assert.True(world.Ready(All(Happened("bought") with { Refine = recent })).NextFlip(world.State, now).IsNone);
    }

    [Fact]
    public void TRG_09_FIL_33_The_missing_part_may_leave_its_range()
    {
        var world = new FilterWorld().Event("opened", At("2026-03-01T10:00:00Z")).Event("clicked", At("2026-03-08T10:00:00Z"));
        var pair = new EventPairFilterDefinition(Happened("opened"), Happened("clicked") with { Refine = Within(TimeRangeKind.Between, Days(-3), Days(0)) });
        Assert.Equal(At("2026-03-12T00:00:00Z"), world.Ready(All(pair)).NextFlip(world.State, At("2026-03-10T15:00:00Z")));
    }

    [Fact]
    public void TRG_09_ASC_01_The_last_accepted_copy_decides()
    {
        var world = new FilterWorld();
        world.Associate(new FilterWorld("deal", "d1").Set("close", "2026-03-12"));
        world.Associate(new FilterWorld("deal", "d2").Set("close", "2026-03-20"));
        world.Associate(new FilterWorld("deal", "d3"));
        var filter = new AssociatedFilterDefinition("deal", string.Empty, [Is("close", IsLessThanXDaysFromNow, "5")]);
        var criteria = world.Ready(All(filter));
        var now = At("2026-03-10T15:00:00Z");
        Assert.True(criteria.Accepts(new Judging(world.State, now)));
        Assert.Equal(At("2026-03-13T00:00:00Z"), criteria.NextFlip(world.State, now));
        Assert.Equal(At("2026-03-15T00:00:00Z"), criteria.NextFlip(world.State, At("2026-03-13T00:00:00Z")));
        Assert.Equal(At("2026-03-21T00:00:00Z"), criteria.NextFlip(world.State, At("2026-03-15T00:00:00Z")));
        Assert.True(criteria.NextFlip(world.State, At("2026-03-21T00:00:00Z")).IsNone);
    }

    [Fact]
    public void TRG_09_ASC_03_A_line_item_behind_a_deal_says_when_the_answer_flips()
    {
        var world = new FilterWorld();
        world.Associate(new FilterWorld("deal", "d1").Set("stage", "open").Keep(new FilterWorld("line_item", "l1").Set("until", "2026-03-12")));
        world.Associate(new FilterWorld("deal", "d2").Set("stage", "open").Keep(new FilterWorld("line_item", "l2").Set("until", "2026-03-20")));
        var item = new AssociatedFilterDefinition("line_item", string.Empty, [Is("until", IsLessThanXDaysFromNow, "5")]);
        var criteria = world.Ready(All(new AssociatedFilterDefinition("deal", string.Empty, [Is("stage", IsEqualTo, "open"), item])));
        Assert.True(criteria.DependsOnTime);
        Assert.True(criteria.Accepts(new Judging(world.State, At("2026-03-10T15:00:00Z"))));
        Assert.Equal(At("2026-03-13T00:00:00Z"), criteria.NextFlip(world.State, At("2026-03-10T15:00:00Z")));
        Assert.Equal(At("2026-03-15T00:00:00Z"), criteria.NextFlip(world.State, At("2026-03-13T00:00:00Z")));
        Assert.Equal(At("2026-03-21T00:00:00Z"), criteria.NextFlip(world.State, At("2026-03-15T00:00:00Z")));
    }

    [Fact]
    public void TRG_09_Of_several_filters_the_earliest_flip_counts()
    {
        var world = new FilterWorld().Set("at", "2026-03-12T10:00:00Z").Set("day", "2026-03-12");
        var criteria = world.Ready(new CriteriaDefinition([
            new FilterGroupDefinition([Is("at", IsAfter) with { From = OnIndex(TimeIndex.Now) }]), new FilterGroupDefinition([Is("day", IsMoreThanXDaysAgo, "0"), Is("stage", IsKnown)])]));
        Assert.Equal(At("2026-03-12T10:00:00.001Z"), criteria.NextFlip(world.State, At("2026-03-10T15:00:00Z")));
        Assert.Equal(At("2026-03-13T00:00:00Z"), criteria.NextFlip(world.State, At("2026-03-12T10:00:00.001Z")));
    }

    [Theory]
    [InlineData("UTC", "2026-03-29T00:30:00Z")]
    [InlineData("Europe/Berlin", "2026-03-28T22:30:00Z")]
    [InlineData("Europe/Berlin", "2026-10-24T20:30:00Z")]
    [InlineData("America/New_York", "2026-11-01T03:59:00Z")]
    [InlineData("America/Sao_Paulo", "2018-11-03T12:00:00Z")]
    [InlineData("America/Sao_Paulo", "2019-02-16T12:00:00Z")]
    [InlineData("America/St_Johns", "2010-11-06T12:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-28T12:00:00Z")]
    [InlineData("Australia/Lord_Howe", "2026-04-04T06:00:00Z")]
    [InlineData("Asia/Kathmandu", "2026-02-27T06:00:00Z")]
    public void TRG_09_Random_filters_flip_exactly_when_told_and_never_before(string zone, string around)
    {
        for (var seed = 0; seed < 120; seed++)
        {
            var random = new Random(seed);
            var center = At(around);
            var now = center.PlusMs(random.NextInt64(-3 * DayMs, 3 * DayMs));
            var world = RandomRecord(random, center);
            var filter = RandomFilter(random);
            var criteria = world.Ready(All(filter), zone);
            for (var flips = 0; flips < 4; flips++)
            {
                var what = $"seed {seed}, zone {zone}, now {now}: {world.Ready(All(filter), zone).Explain(new Judging(world.State, now)).Groups[0].Filters[0]}";
                var next = criteria.NextFlip(world.State, now);
                AssertSteady(criteria, world, random, now, next, what);
                if (next.IsNone)
                {
                    break;
                }

                now = next;
            }
        }
    }

    [Theory]
    [InlineData("Europe/Berlin", "2026-03-29T01:00:00Z")]
    [InlineData("Europe/Berlin", "2026-10-25T01:00:00Z")]
    [InlineData("America/St_Johns", "2010-11-07T02:31:00Z")]
    [InlineData("Australia/Lord_Howe", "2026-04-04T15:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-30T10:00:00Z")]
    public void TRG_09_FIL_26_Now_plus_days_jumps_and_goes_back_where_clocks_change_and_every_flip_is_told(string zone, string change)
    {
        var transition = At(change);
        for (var seed = 0; seed < 80; seed++)
        {
            var random = new Random(seed);
            var offset = random.Next(2) == 0 ? -1 : 1;
            var quarters = random.Next(-10, 11);
            var stored = transition.PlusMs((random.Next(2) * offset * DayMs) + (quarters * HourMs / 4) + random.Next(-1, 2));
            var world = new FilterWorld().Set("at", Text(stored));
            var filter = Is("at", IsBefore) with { From = OnIndex(TimeIndex.Now, exclusive: random.Next(2) == 0, offset) };
            var criteria = world.Ready(All(filter), zone);
            var now = transition.PlusMs((-2 * DayMs) + random.NextInt64(HourMs));
            var flips = 0;
            for (var next = criteria.NextFlip(world.State, now); !next.IsNone; next = criteria.NextFlip(world.State, now))
            {
                AssertSteady(criteria, world, random, now, next, $"seed {seed}: {stored} before now {offset}, from {now}");
                now = next;
                flips++;
            }

            AssertSteady(criteria, world, random, now, Timestamp.None, $"seed {seed}: {stored} before now {offset}, from {now}");
            Assert.InRange(flips, 1, 5);
        }
    }

    private static void AssertSteady(Criteria criteria, FilterWorld world, Random random, Timestamp now, Timestamp next, string what)
    {
        Assert.True(next.IsNone || next > now, what);
        var held = Accepts(now);
        var end = next.IsNone ? now.PlusMs(40 * DayMs) : next;
        var fine = Math.Min(end.Ms, now.Ms + (8 * DayMs));
        for (var at = now.Ms; at < fine; at += random.NextInt64(1, HourMs / 4))
        {
            Assert.True(Accepts(new Timestamp(at)) == held, $"{what} flips at {new Timestamp(at)}, before {next}");
        }

        for (var i = 0; i < 50; i++)
        {
            var at = new Timestamp(random.NextInt64(now.Ms, end.Ms));
            Assert.True(Accepts(at) == held, $"{what} flips at {at}, before {next}");
        }

        if (!next.IsNone)
        {
            Assert.True(Accepts(next.PlusMs(-1)) == held, $"{what} flips before {next}");
            Assert.True(Accepts(next) != held, $"{what} does not flip at {next}");
        }

        bool Accepts(Timestamp at) => criteria.Accepts(new Judging(world.State, at));
    }

    private static FilterWorld RandomRecord(Random random, Timestamp center)
    {
        var world = new FilterWorld();
        foreach (var property in new[] { "at", "other_at" })
        {
            world.Set(property, Text(RandomInstant(random, center)), RandomInstant(random, center));
        }

        foreach (var property in new[] { "day", "other_day" })
        {
            world.Set(property, Text(RandomInstant(random, center))[..10], RandomInstant(random, center));
        }

        for (var i = random.Next(4); i > 0; i--)
        {
            var id = ("email_id", Value.OfText(random.Next(2) == 0 ? "a" : "b"));
            world.Event(random.Next(2) == 0 ? "clicked" : "opened", RandomInstant(random, center), id, ("when", Value.OfDateTime(RandomInstant(random, center))));
        }

        for (var i = random.Next(3); i > 0; i--)
        {
            world.Associate(new FilterWorld("deal", $"d{i}").Set("close", Text(RandomInstant(random, center))[..10]));
        }

        return world;
    }

    private static FilterDefinition RandomFilter(Random random)
    {
        switch (random.Next(6))
        {
            case 0:
                var range = Within((TimeRangeKind)random.Next(1, 5), Days(random.Next(-5, 2)));
                var refine = range.Time!.Kind is TimeRangeKind.Between or TimeRangeKind.NotBetween
                    ? range with { Time = range.Time with { To = Days(random.Next(-2, 3)) } }
                    : range;
                return Happened("clicked") with { Refine = refine, Negate = random.Next(2) == 0 };
            case 1:
                var where = RandomTime(random, random.Next(2) == 0 ? "occurred_at" : "when", isEvent: true);
                return Happened("clicked", where) with { Refine = random.Next(2) == 0 ? Times(random.Next(3), 2) : null };
            case 2:
                return new EventPairFilterDefinition(
                    Happened("opened", RandomTime(random, "occurred_at", isEvent: true)), Happened("clicked") with { Refine = Within(TimeRangeKind.After, Days(random.Next(-4, 0))) });
            case 3:
                return new AssociatedFilterDefinition("deal", string.Empty, [RandomTime(random, "close"), RandomTime(random, "close")]);
            default:
                return RandomTime(random, random.Next(2) == 0 ? "at" : "day");
        }
    }

    private static PropertyFilterDefinition RandomTime(Random random, string property, bool isEvent = false)
    {
        var usesUpdatedAt = !isEvent && property != "close" && random.Next(4) == 0;
        switch (random.Next(usesUpdatedAt || isEvent ? 3 : 4))
        {
            case 0:
                return Is(property, (Operator)random.Next((int)IsLessThanXDaysAgo, (int)IsMoreThanXDaysFromNow + 1), $"{random.Next(5)}") with { UseUpdatedAt = usesUpdatedAt };
            case 1:
                var calendar = (Operator)random.Next((int)InThisTimeUnit, (int)InNextTimeUnit + 1);
                string[] values = calendar is InLastTimeUnit or InNextTimeUnit ? [$"{random.Next(1, 4)}"] : [];
                return Is(property, calendar, values) with { Unit = (TimeUnit)random.Next(1, 6), FiscalYearStart = random.Next(13), UseUpdatedAt = usesUpdatedAt };
            case 2:
                var isRange = random.Next(2) == 0;
                var op = isRange ? random.Next(2) == 0 ? IsBetween : IsNotBetween : random.Next(2) == 0 ? IsBefore : IsAfter;
                var hasProperties = !isEvent && property != "close";
                return Is(property, op) with
                {
                    From = RandomPoint(random, hasProperties),
                    To = isRange ? RandomPoint(random, hasProperties) : null,
                    FiscalYearStart = random.Next(13),
                    UseUpdatedAt = usesUpdatedAt,
                };
            default:
                return Is(property, random.Next(2) == 0 ? UpdatedInLastXDays : NotUpdatedInLastXDays, $"{random.Next(5)}");
        }
    }

    private static TimePointDefinition RandomPoint(Random random, bool hasProperties)
    {
        var exclusive = random.Next(2) == 0;
        var offset = random.Next(3) == 0 ? 0 : random.Next(-4, 5);
        return random.Next(hasProperties ? 6 : 4) switch
        {
            0 => OnDate("2026-03-29", exclusive, offset),
            1 => OnIndex((TimeIndex)random.Next(2, 9), exclusive, offset),
            2 or 3 => OnIndex(TimeIndex.Now, exclusive, offset),
            4 => OnProperty("other_at", exclusive, offset),
            _ => OnProperty("other_day", exclusive, offset),
        };
    }

    private static Timestamp RandomInstant(Random random, Timestamp center)
    {
        var at = center.Ms + random.NextInt64(-6 * DayMs, 6 * DayMs);
        return new Timestamp(random.Next(3) switch
        {
            0 => at - (at % HourMs),
            1 => at - (at % (HourMs / 2)) + random.Next(-1, 2),
            _ => at,
        });
    }

    private static void Check(PropertyFilterDefinition filter, string stored, string? expected, string zone = "UTC")
    {
        var world = new FilterWorld().Set(filter.Property, stored);
        var next = world.Ready(All(filter), zone).NextFlip(world.State, At("2026-03-10T15:00:00Z"));
        Assert.Equal(expected is null ? Timestamp.None : At(expected), next);
    }

    private static string Text(Timestamp at) => NodaTime.Text.InstantPattern.ExtendedIso.Format(at.ToInstant());
}
