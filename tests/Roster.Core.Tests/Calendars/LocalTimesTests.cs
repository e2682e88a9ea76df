using NodaTime;
using Roster.Core.Calendars;
using static Roster.Core.Tests.Calendars.Naive;

namespace Roster.Core.Tests.Calendars;

public sealed class LocalTimesTests
{
    [Theory]
    [InlineData("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59:00Z")]
    [InlineData("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00:00Z")]
    [InlineData("Europe/Berlin", "2026-03-29T02:59", "2026-03-29T01:00:00Z")]
    [InlineData("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00:00Z")]
    [InlineData("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00:00Z")]
    [InlineData("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00:00Z")]
    [InlineData("Asia/Beirut", "2026-03-29T00:30", "2026-03-28T22:00:00Z")]
    [InlineData("America/Nuuk", "2026-03-28T23:30", "2026-03-29T01:00:00Z")]
    [InlineData("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z")]
    [InlineData("Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00:00Z")]
    public void DLY_04_A_skipped_local_time_is_the_first_instant_after_the_gap(string zone, string local, string instant) =>
        Assert.Equal(Utc(instant), LocalTimes.At(Local(local), Zone(zone)));

    [Theory]
    [InlineData("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z")]
    [InlineData("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00:00Z")]
    [InlineData("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z")]
    [InlineData("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z")]
    [InlineData("America/Sao_Paulo", "2018-02-17T23:30", "2018-02-18T01:30:00Z")]
    [InlineData("America/Sao_Paulo", "2018-02-18T00:00", "2018-02-18T03:00:00Z")]
    public void DLY_04_A_local_time_that_occurs_twice_is_its_first_occurrence(string zone, string local, string instant) =>
        Assert.Equal(Utc(instant), LocalTimes.At(Local(local), Zone(zone)));

    [Fact]
    public void DLY_04_Every_local_time_is_the_first_instant_that_is_not_before_it()
    {
        var random = new Random(41);
        for (var i = 0; i < 2_000; i++)
        {
            var (zone, near) = SomeTime(random);
            var local = LocalTimes.Of(near, zone).Date.At(SomeTimeOfDay(random));
            Assert.True(FirstNotBefore(local, zone) == LocalTimes.At(local, zone), $"{local} in {zone.Id} (case {i})");
        }
    }

    [Fact]
    public void DLY_04_A_later_local_time_is_never_an_earlier_instant()
    {
        var random = new Random(42);
        for (var i = 0; i < 2_000; i++)
        {
            var (zone, near) = SomeTime(random);
            var local = LocalTimes.Of(near, zone);
            var later = local.PlusMinutes(random.Next(3_000));
            Assert.True(LocalTimes.At(local, zone) <= LocalTimes.At(later, zone), $"{local} and {later} in {zone.Id} (case {i})");
        }
    }

    [Theory]
    [InlineData("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z")]
    [InlineData("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z")]
    [InlineData("America/New_York", "2026-11-01", "2026-11-01T04:00:00Z")]
    [InlineData("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z")]
    [InlineData("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z")]
    public void DLY_04_A_day_starts_at_its_first_valid_instant(string zone, string date, string instant) =>
        Assert.Equal(Utc(instant), LocalTimes.StartOfDay(Date(date), Zone(zone)));

    [Fact]
    public void The_local_time_of_an_instant_is_cut_to_nothing()
    {
        var at = Utc("2026-06-01T21:59:59.999Z");
        Assert.Equal(new LocalDateTime(2026, 6, 1, 23, 59, 59, 999), LocalTimes.Of(at, Zone("Europe/Berlin")));
        Assert.Equal(at, LocalTimes.At(LocalTimes.Of(at, Zone("Europe/Berlin")), Zone("Europe/Berlin")));
    }

    [Fact]
    public void What_is_finer_than_a_millisecond_is_cut() =>
        Assert.Equal(Utc("2026-06-01T09:00:00.001Z"), LocalTimes.At(new LocalDateTime(2026, 6, 1, 9, 0).PlusNanoseconds(1_999_999), DateTimeZone.Utc));

    [Fact]
    public void The_ends_of_the_calendar_are_kept_in_every_zone()
    {
        foreach (var zone in DateTimeZoneProviders.Tzdb.Ids.Select(Zone))
        {
            foreach (var at in new[] { Timestamp.Min, Timestamp.Max, new Timestamp(long.MinValue), new Timestamp(long.MaxValue) })
            {
                var local = LocalTimes.Of(at, zone);
                Assert.InRange(local.Date, LocalTimes.FirstDay, LocalTimes.LastDay);
                AssertBetween(LocalTimes.At(local, zone), Timestamp.Min, Timestamp.Max);
                AssertBetween(LocalTimes.StartOfDay(local.Date, zone), Timestamp.Min, Timestamp.Max);
                AssertBetween(LocalTimes.SameDateUntil(new Timestamp(Math.Clamp(at.Ms, Timestamp.Min.Ms, Timestamp.Max.Ms)), zone), Timestamp.Min, Timestamp.Max);
            }

            // Two days of the end are told without the rules of the zone; they must agree with the days before.
            var before = LocalTimes.At(new LocalDateTime(9999, 12, 28, 12, 0), zone);
            Assert.Equal(before.PlusMs(Day), LocalTimes.At(new LocalDateTime(9999, 12, 29, 12, 0), zone));
            Assert.Equal(Timestamp.Min, LocalTimes.At(new LocalDateTime(-9998, 1, 1, 0, 0), zone));
        }

        Assert.Equal(Timestamp.Max, LocalTimes.At(new LocalDateTime(9999, 12, 31, 23, 59, 59), Zone("America/New_York")));
        Assert.Equal(Timestamp.Min, LocalTimes.At(new LocalDateTime(1, 1, 1, 0, 0), Zone("Pacific/Apia")));
    }

    [Fact]
    public void Days_beyond_the_calendar_give_its_ends()
    {
        Assert.Equal(LocalTimes.LastDay, LocalTimes.PlusDays(Date("9999-12-30"), int.MaxValue));
        Assert.Equal(LocalTimes.FirstDay, LocalTimes.PlusDays(Date("2026-01-01"), long.MinValue));
        Assert.Equal(Timestamp.Max, LocalTimes.At(Date("9999-12-31"), 1, LocalTime.Midnight, DateTimeZone.Utc));
        Assert.Equal(Timestamp.Min, LocalTimes.At(Date("0001-01-01"), -1, LocalTime.Midnight, DateTimeZone.Utc));
        Assert.Equal(Utc("9999-12-31T00:00:00Z"), LocalTimes.At(Date("9999-12-30"), 1, LocalTime.Midnight, DateTimeZone.Utc));
        Assert.Equal(Timestamp.Max, LocalTimes.PlusMs(Timestamp.Max, 1));
    }

    [Fact]
    public void A_date_lasts_until_the_next_midnight_or_the_next_shift_of_the_clock()
    {
        var random = new Random(43);
        for (var i = 0; i < 500; i++)
        {
            var (zone, at) = SomeTime(random);
            var end = LocalTimes.SameDateUntil(at, zone);
            Assert.True(end > at);
            var date = LocalTimes.Of(at, zone).Date;
            for (var t = at.Ms; t < end.Ms; t += 10 * Minute)
            {
                Assert.Equal(date, LocalTimes.Of(new Timestamp(t), zone).Date);
            }

            Assert.Equal(date, LocalTimes.Of(end.PlusMs(-1), zone).Date);
        }
    }
}
