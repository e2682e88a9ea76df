using NodaTime;
using Roster.Core.Calendars;
using Roster.Core.Values;
using Roster.Core.Workflows;
using static Roster.Core.Tests.Calendars.Naive;

namespace Roster.Core.Tests.Calendars;

public sealed class DelayTimingTests
{
    private const string Berlin = "Europe/Berlin";
    private const string NewYork = "America/New_York";

    [Theory]
    [InlineData(0, DelayUnit.Minutes, 0)]
    [InlineData(1, DelayUnit.Minutes, Minute)]
    [InlineData(90, DelayUnit.Minutes, 90 * Minute)]
    [InlineData(25, DelayUnit.Hours, 25 * Hour)]
    [InlineData(3_650 * 24, DelayUnit.Hours, 3_650 * Day)]
    public void DLY_02_Minutes_and_hours_are_elapsed_time_to_the_millisecond(int amount, DelayUnit unit, long ms)
    {
        // The clock of Berlin is put forward in the night after the start.
        var start = Utc("2026-03-28T20:00:00.123Z");
        Assert.Equal(new DelayDue(start.PlusMs(ms), false), Due(DelayTiming.OfAmount(amount, unit, null, Weekdays.None), start, Berlin));
    }

    [Fact]
    public void DLY_02_Amount_0_is_over_at_its_start_in_every_unit()
    {
        // The second 01:30 of the night in which New York puts its clock back.
        var start = Utc("2026-11-01T06:30:00Z");
        foreach (var unit in new[] { DelayUnit.Minutes, DelayUnit.Hours, DelayUnit.Days, DelayUnit.Weeks })
        {
            Assert.Equal(new DelayDue(start, false), Due(DelayTiming.OfAmount(0, unit, null, Weekdays.None), start, NewYork));
        }
    }

    [Theory]
    [InlineData(NewYork, "2026-03-07T07:30:00Z", 1, "2026-03-08T07:00:00Z")]
    [InlineData(NewYork, "2026-03-07T06:59:59.999Z", 1, "2026-03-08T06:59:59.999Z")]
    [InlineData(NewYork, "2026-03-07T15:00:00Z", 1, "2026-03-08T14:00:00Z")]
    [InlineData(NewYork, "2026-03-01T07:30:00Z", 7, "2026-03-08T07:00:00Z")]
    [InlineData(NewYork, "2026-10-31T05:30:00Z", 1, "2026-11-01T05:30:00Z")]
    [InlineData(NewYork, "2026-10-31T15:00:00Z", 1, "2026-11-01T16:00:00Z")]
    [InlineData(NewYork, "2026-11-01T06:30:00Z", 1, "2026-11-02T06:30:00Z")]
    [InlineData("America/Sao_Paulo", "2018-11-03T03:30:00Z", 1, "2018-11-04T03:00:00Z")]
    [InlineData("America/Sao_Paulo", "2018-02-17T01:30:00Z", 1, "2018-02-18T01:30:00Z")]
    [InlineData("Asia/Beirut", "2026-03-27T22:15:00Z", 1, "2026-03-28T22:00:00Z")]
    [InlineData("Australia/Lord_Howe", "2026-10-02T15:45:00Z", 1, "2026-10-03T15:30:00Z")]
    [InlineData("Australia/Lord_Howe", "2026-10-03T05:00:00Z", 1, "2026-10-04T04:30:00Z")]
    [InlineData("Pacific/Apia", "2011-12-29T22:00:00Z", 1, "2011-12-30T10:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-29T22:00:00Z", 2, "2011-12-30T22:00:00Z")]
    [InlineData("UTC", "2028-02-28T12:00:00Z", 1, "2028-02-29T12:00:00Z")]
    public void DLY_03_DLY_04_Days_and_weeks_are_calendar_days_at_the_same_local_time(string zone, string start, int days, string due)
    {
        Assert.Equal(new DelayDue(Utc(due), false), Due(DelayTiming.OfAmount(days, DelayUnit.Days, null, Weekdays.None), Utc(start), zone));
        if (days % 7 == 0)
        {
            Assert.Equal(new DelayDue(Utc(due), false), Due(DelayTiming.OfAmount(days / 7, DelayUnit.Weeks, null, Weekdays.None), Utc(start), zone));
        }
    }

    [Theory]
    [InlineData("2026-06-01T15:00", 1, DelayUnit.Days, "09:00", "2026-06-02T09:00")]
    [InlineData("2026-06-01T08:00", 1, DelayUnit.Days, "09:00", "2026-06-02T09:00")]
    [InlineData("2026-06-01T15:00", 1, DelayUnit.Weeks, "09:00", "2026-06-08T09:00")]
    [InlineData("2026-06-05T15:00", 2, DelayUnit.BusinessDays, "09:00", "2026-06-09T09:00")]
    [InlineData("2026-06-05T15:00", 2, DelayUnit.BusinessDays, "", "2026-06-09T15:00")]
    [InlineData("2026-03-28T15:00", 1, DelayUnit.Days, "02:30", "2026-03-29T03:00")]
    public void DLY_05_Days_or_weeks_with_a_time_of_day_are_that_time_on_the_target_date(string start, int amount, DelayUnit unit, string time, string due) =>
        Assert.Equal(due, ShowDue(DelayTiming.OfAmount(amount, unit, TimeOrNone(time), Weekdays.None), start));

    [Theory]
    [InlineData("2026-06-01T07:30", 60, "09:00", Weekdays.None, "2026-06-01T09:00")]
    [InlineData("2026-06-01T08:00", 60, "09:00", Weekdays.None, "2026-06-01T09:00")]
    [InlineData("2026-06-01T08:01", 60, "09:00", Weekdays.None, "2026-06-02T09:00")]
    [InlineData("2026-06-05T08:01", 60, "09:00", Weekdays.MondayToFriday, "2026-06-08T09:00")]
    [InlineData("2026-06-05T23:30", 60, "", Weekdays.MondayToFriday, "2026-06-08T00:00")]
    [InlineData("2026-06-07T23:30", 60, "", Weekdays.MondayToFriday, "2026-06-08T00:30")]
    [InlineData("2026-06-01T10:00", 0, "", Weekdays.Monday, "2026-06-01T10:00")]
    public void DLY_05_Minutes_or_hours_end_at_the_first_instant_at_or_after_the_end_that_fits(string start, int minutes, string time, Weekdays weekdays, string due)
    {
        Assert.Equal(due, ShowDue(DelayTiming.OfAmount(minutes, DelayUnit.Minutes, TimeOrNone(time), weekdays), start));
        Assert.Equal(due, ShowDue(DelayTiming.OfAmount(minutes / 60, DelayUnit.Hours, TimeOrNone(time), weekdays), start));
    }

    [Theory]
    [InlineData("2026-06-01T10:00", DelayUnit.Minutes, Weekdays.None, "2026-06-02T09:00")]
    [InlineData("2026-06-01T10:00", DelayUnit.Days, Weekdays.None, "2026-06-02T09:00")]
    [InlineData("2026-06-01T10:00", DelayUnit.Weeks, Weekdays.None, "2026-06-02T09:00")]
    [InlineData("2026-06-01T10:00", DelayUnit.Days, Weekdays.Monday, "2026-06-08T09:00")]
    [InlineData("2026-06-05T10:00", DelayUnit.BusinessDays, Weekdays.None, "2026-06-08T09:00")]
    [InlineData("2026-06-06T10:00", DelayUnit.BusinessDays, Weekdays.None, "2026-06-08T09:00")]
    [InlineData("2026-06-01T09:00", DelayUnit.Days, Weekdays.None, "2026-06-01T09:00")]
    [InlineData("2026-06-01T08:00", DelayUnit.BusinessDays, Weekdays.None, "2026-06-01T09:00")]
    public void DLY_05_Amount_0_with_a_time_already_past_is_the_next_day_that_fits(string start, DelayUnit unit, Weekdays weekdays, string due) =>
        Assert.Equal(due, ShowDue(DelayTiming.OfAmount(0, unit, Time("09:00"), weekdays), start));

    [Theory]
    [InlineData("2026-06-01T15:00", 1, DelayUnit.Days, "", Weekdays.Thursday, "2026-06-04T15:00")]
    [InlineData("2026-06-01T15:00", 3, DelayUnit.Days, "", Weekdays.Thursday, "2026-06-04T15:00")]
    [InlineData("2026-06-01T15:00", 4, DelayUnit.Days, "08:00", Weekdays.Thursday, "2026-06-11T08:00")]
    [InlineData("2026-06-06T15:00", 1, DelayUnit.Weeks, "", Weekdays.MondayToFriday, "2026-06-15T15:00")]
    [InlineData("2026-06-06T15:00", 0, DelayUnit.Days, "", Weekdays.MondayToFriday, "2026-06-08T15:00")]
    [InlineData("2026-06-01T15:00", 2, DelayUnit.BusinessDays, "", Weekdays.Friday, "2026-06-05T15:00")]
    [InlineData("2026-06-01T15:00", 2, DelayUnit.BusinessDays, "", Weekdays.Saturday, "2026-06-06T15:00")]
    public void DLY_05_Weekdays_move_a_calendar_delay_on_to_the_first_that_is_allowed(
        string start, int amount, DelayUnit unit, string time, Weekdays weekdays, string due) =>
        Assert.Equal(due, ShowDue(DelayTiming.OfAmount(amount, unit, TimeOrNone(time), weekdays), start));

    [Fact]
    public void DLY_06_Friday_afternoon_plus_2_is_Tuesday_afternoon_also_over_a_change_of_the_clock()
    {
        // Berlin puts its clock forward on Sunday 2026-03-29.
        Assert.Equal("2026-03-31T15:00", ShowDue(DelayTiming.OfAmount(2, DelayUnit.BusinessDays, null, Weekdays.None), "2026-03-27T15:00"));
        Assert.Equal("2026-03-30T15:00", ShowDue(DelayTiming.OfAmount(0, DelayUnit.BusinessDays, null, Weekdays.None), "2026-03-28T15:00"));
    }

    [Fact]
    public void DLY_06_A_business_day_delay_that_is_moved_on_ends_on_a_business_day()
    {
        var holiday = new BusinessCalendar(Weekdays.MondayToFriday, [Date("2026-06-08")]);
        var monday = DelayTiming.OfAmount(2, DelayUnit.BusinessDays, null, Weekdays.Monday);
        Assert.Equal(In(Berlin, "2026-06-15T15:00"), monday.Due(In(Berlin, "2026-06-03T15:00"), Zone(Berlin), holiday, Value.Unknown).At);
        var past = DelayTiming.OfAmount(0, DelayUnit.BusinessDays, Time("09:00"), Weekdays.None);
        Assert.Equal(In(Berlin, "2026-06-09T09:00"), past.Due(In(Berlin, "2026-06-05T15:00"), Zone(Berlin), holiday, Value.Unknown).At);
    }

    [Theory]
    [InlineData("2026-12-24", "", "2026-12-24T00:00")]
    [InlineData("2026-12-24", "18:30", "2026-12-24T18:30")]
    [InlineData("2027-03-28", "02:15", "2027-03-28T03:00")]
    public void DLY_07_A_calendar_date_is_its_time_of_day_or_midnight(string date, string time, string due)
    {
        var timing = DelayTiming.OfDate(Date(date), TimeOrNone(time));
        Assert.False(timing.NeedsProperty);
        Assert.Equal(due, ShowDue(timing, "2026-06-01T15:00"));
    }

    [Theory]
    [InlineData("2026-07-10", 0, "", "2026-07-10T00:00")]
    [InlineData("2026-07-10", 3, "", "2026-07-13T00:00")]
    [InlineData("2026-07-10", -3, "09:00", "2026-07-07T09:00")]
    [InlineData("2026-10-24", 2, "", "2026-10-26T00:00")]
    public void DLY_08_Days_around_a_date_property_are_calendar_days_from_midnight(string date, int days, string time, string due)
    {
        var timing = DelayTiming.OfPropertyDays(days, TimeOrNone(time));
        Assert.True(timing.NeedsProperty);
        var found = Due(timing, In(Berlin, "2026-06-01T15:00"), Berlin, Value.OfDate(Date(date)));
        Assert.Equal((due, false), (Show(found.At, Berlin), found.IsMissed));
    }

    [Theory]
    [InlineData("2026-07-10T15:30", 0, "", "2026-07-10T15:30")]
    [InlineData("2026-07-10T15:30", -1, "", "2026-07-09T15:30")]
    [InlineData("2026-07-10T15:30", 1, "09:00", "2026-07-11T09:00")]
    [InlineData("2026-10-24T15:30", 1, "", "2026-10-25T15:30")]
    [InlineData("2027-03-27T02:30", 1, "", "2027-03-28T03:00")]
    public void DLY_08_Days_around_a_datetime_property_keep_its_local_time(string instant, int days, string time, string due)
    {
        var found = Due(DelayTiming.OfPropertyDays(days, TimeOrNone(time)), In(Berlin, "2026-06-01T15:00"), Berlin, Value.OfDateTime(In(Berlin, instant)));
        Assert.Equal((due, false), (Show(found.At, Berlin), found.IsMissed));
    }

    [Fact]
    public void DLY_08_Without_an_offset_the_instant_of_a_datetime_property_is_due_also_when_its_local_time_occurs_twice()
    {
        var second = Utc("2026-11-01T06:30:00Z");
        Assert.Equal(new DelayDue(second, false), Due(DelayTiming.OfPropertyDays(0, null), Utc("2026-06-01T00:00:00Z"), NewYork, Value.OfDateTime(second)));
    }

    [Fact]
    public void DLY_08_Hours_around_a_property_are_elapsed()
    {
        var start = Utc("2026-06-01T00:00:00Z");
        var date = Value.OfDate(Date("2026-10-25"));
        Assert.Equal(Utc("2026-10-25T22:00:00Z"), Due(DelayTiming.OfPropertyHours(24, null), start, Berlin, date).At);
        Assert.Equal(Utc("2026-10-24T21:00:00Z"), Due(DelayTiming.OfPropertyHours(-1, null), start, Berlin, date).At);
        var datetime = Value.OfDateTime(Utc("2026-07-10T10:00:00.001Z"));
        Assert.Equal(Utc("2026-07-10T06:00:00.001Z"), Due(DelayTiming.OfPropertyHours(-4, null), start, Berlin, datetime).At);
    }

    [Fact]
    public void DLY_08_Hours_with_a_time_of_day_are_the_first_such_time_at_or_after_them()
    {
        var timing = DelayTiming.OfPropertyHours(-4, Time("09:00"));
        Assert.Equal("2026-07-10T09:00", Show(Due(timing, In(Berlin, "2026-06-01T15:00"), Berlin, Value.OfDateTime(In(Berlin, "2026-07-10T12:00"))).At, Berlin));
        Assert.Equal("2026-07-11T09:00", Show(Due(timing, In(Berlin, "2026-06-01T15:00"), Berlin, Value.OfDateTime(In(Berlin, "2026-07-10T15:00"))).At, Berlin));
    }

    [Fact]
    public void DLY_09_A_date_delay_due_before_its_start_is_missed_and_due_at_its_start_is_not()
    {
        var due = In(Berlin, "2026-07-10T09:00");
        (DelayTiming Timing, Value Property)[] cases =
        [
            (DelayTiming.OfDate(Date("2026-07-10"), Time("09:00")), Value.Unknown),
            (DelayTiming.OfPropertyDays(1, Time("09:00")), Value.OfDate(Date("2026-07-09"))),
            (DelayTiming.OfPropertyHours(-3, null), Value.OfDateTime(In(Berlin, "2026-07-10T12:00"))),
        ];
        foreach (var (timing, property) in cases)
        {
            Assert.Equal(new DelayDue(due, false), Due(timing, due.PlusMs(-1), Berlin, property));
            Assert.Equal(new DelayDue(due, false), Due(timing, due, Berlin, property));
            Assert.Equal(new DelayDue(due.PlusMs(1), true), Due(timing, due.PlusMs(1), Berlin, property));
        }
    }

    [Fact]
    public void DLY_09_An_unknown_property_is_missed_and_so_is_one_without_a_date()
    {
        var start = Utc("2026-06-01T00:00:00Z");
        foreach (var timing in new[] { DelayTiming.OfPropertyDays(5, null), DelayTiming.OfPropertyHours(5, Time("09:00")) })
        {
            foreach (var value in new[] { Value.Unknown, Value.OfText("2026-07-10"), Value.OfNumber(5) })
            {
                Assert.Equal(new DelayDue(start, true), Due(timing, start, Berlin, value));
            }
        }
    }

    [Fact]
    public void DLY_09_A_delay_of_a_set_amount_is_never_missed() =>
        Assert.False(Due(DelayTiming.OfAmount(0, DelayUnit.Days, Time("00:00"), Weekdays.None), In(Berlin, "2026-06-01T15:00"), Berlin).IsMissed);

    [Fact]
    public void DLY_10_A_property_that_changed_is_judged_at_the_time_of_the_change()
    {
        var timing = DelayTiming.OfPropertyDays(-1, Time("09:00"));
        var entered = In(Berlin, "2026-06-01T15:00");
        Assert.Equal(In(Berlin, "2026-06-20T09:00"), Due(timing, entered, Berlin, Value.OfDate(Date("2026-06-21"))).At);
        var changed = In(Berlin, "2026-06-10T12:00");
        Assert.Equal(new DelayDue(In(Berlin, "2026-06-11T09:00"), false), Due(timing, changed, Berlin, Value.OfDate(Date("2026-06-12"))));
        Assert.Equal(new DelayDue(changed, true), Due(timing, changed, Berlin, Value.OfDate(Date("2026-06-11"))));
        Assert.Equal(new DelayDue(changed, true), Due(timing, changed, Berlin, Value.Unknown));
    }

    [Theory]
    [InlineData("2026-06-01T15:00", Weekdays.Monday, "", "2026-06-01T15:00")]
    [InlineData("2026-06-02T15:00", Weekdays.Monday, "", "2026-06-08T00:00")]
    [InlineData("2026-06-01T15:00", Weekdays.None, "15:00", "2026-06-01T15:00")]
    [InlineData("2026-06-01T15:01", Weekdays.None, "15:00", "2026-06-02T15:00")]
    [InlineData("2026-06-01T14:59", Weekdays.Monday, "15:00", "2026-06-01T15:00")]
    [InlineData("2026-06-01T15:01", Weekdays.Monday, "15:00", "2026-06-08T15:00")]
    [InlineData("2026-03-28T15:00", Weekdays.Sunday, "02:30", "2026-03-29T03:00")]
    [InlineData("2026-06-01T15:01", Weekdays.None, "", "2026-06-01T15:01")]
    public void DLY_11_The_first_instant_at_or_after_the_start_that_fits(string start, Weekdays weekdays, string time, string due)
    {
        Assert.Equal(due, ShowDue(DelayTiming.OfFit(weekdays, TimeOrNone(time)), start));
    }

    [Theory]
    [InlineData(NewYork, "2026-11-01T06:30:00Z", "01:30", Weekdays.None, "2026-11-02T06:30:00Z")]
    [InlineData("America/Nuuk", "2026-03-29T01:00:00Z", "23:30", Weekdays.Saturday, "2026-03-29T01:00:00Z")]
    [InlineData("Asia/Beirut", "2026-03-28T12:00:00Z", "", Weekdays.Sunday, "2026-03-28T22:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-29T22:00:00Z", "10:00", Weekdays.Friday, "2011-12-30T10:00:00Z")]
    [InlineData("Pacific/Apia", "2011-12-29T22:00:00Z", "", Weekdays.Friday, "2012-01-05T10:00:00Z")]
    [InlineData("America/St_Johns", "2010-11-07T03:00:00Z", "", Weekdays.Sunday, "2010-11-07T03:30:00Z")]
    public void DLY_11_DLY_04_A_time_of_day_fits_once_a_day_and_a_day_wherever_the_clock_shows_it(
        string zone, string start, string time, Weekdays weekdays, string due) =>
        Assert.Equal(Utc(due), Due(DelayTiming.OfFit(weekdays, TimeOrNone(time)), Utc(start), zone).At);

    [Fact]
    public void DLY_05_DLY_11_The_first_that_fits_agrees_with_looking_at_every_minute()
    {
        var random = new Random(11);
        for (var i = 0; i < 400; i++)
        {
            var (zone, start) = SomeTime(random);
            var weekdays = SomeWeekdays(random);
            LocalTime? time = random.Next(2) == 0 ? SomeTimeOfDay(random) : null;
            var minutes = random.Next(3) * random.Next(3_000);
            var timing = minutes == 0 ? DelayTiming.OfFit(weekdays, time) : DelayTiming.OfAmount(minutes, DelayUnit.Minutes, time, weekdays);
            var expected = FirstFit(start.PlusMs(minutes * Minute), zone, time, weekdays);
            var found = timing.Due(start, zone, BusinessCalendar.Default, Value.Unknown);
            Assert.True(expected == found.At && !found.IsMissed, $"case {i}: {start} plus {minutes} min in {zone.Id}, {weekdays} {time}: {found}, not {expected}");
        }
    }

    [Fact]
    public void DLY_03_DLY_05_DLY_06_Calendar_delays_agree_with_looking_at_every_day()
    {
        var random = new Random(5);
        for (var i = 0; i < 2_000; i++)
        {
            var (zone, start) = SomeTime(random);
            var weekdays = random.Next(2) == 0 ? Weekdays.All : SomeWeekdays(random);
            LocalTime? time = random.Next(2) == 0 ? SomeTimeOfDay(random) : null;
            var amount = random.Next(0, 12);
            var unit = new[] { DelayUnit.Days, DelayUnit.Weeks, DelayUnit.BusinessDays }[random.Next(3)];
            var expected = CalendarDue(start, zone, amount, unit, time, weekdays);
            var found = DelayTiming.OfAmount(amount, unit, time, weekdays).Due(start, zone, BusinessCalendar.Default, Value.Unknown);
            Assert.True(expected == found.At && !found.IsMissed, $"case {i}: {start} plus {amount} {unit} in {zone.Id}, {weekdays} {time}: {found}, not {expected}");
        }
    }

    [Fact]
    public void No_delay_is_due_before_its_start_or_out_of_range_in_any_zone()
    {
        var random = new Random(9);
        var ends = new[] { Timestamp.Min, Timestamp.Max, Timestamp.Max.PlusMs(-Day), Utc("2026-06-01T00:00:00Z") };
        Value[] values =
        [
            Value.OfDate(LocalTimes.FirstDay), Value.OfDate(LocalTimes.LastDay), Value.OfDateTime(Timestamp.Min), Value.OfDateTime(Timestamp.Max),
            Value.Unknown,
        ];
        foreach (var zone in DateTimeZoneProviders.Tzdb.Ids.Select(Zone))
        {
            foreach (var start in ends)
            {
                var timing = SomeTiming(random);
                var due = timing.Due(start, zone, BusinessCalendar.Default, values[random.Next(values.Length)]);
                AssertBetween(due.At, start, Timestamp.Max);
            }
        }
    }

    [Fact]
    public void A_far_property_date_plus_days_is_never()
    {
        var due = Due(DelayTiming.OfPropertyDays(1, null), Utc("2026-06-01T00:00:00Z"), Berlin, Value.OfDate(Date("9999-12-31")));
        Assert.Equal(new DelayDue(Timestamp.Max, false), due);
        var beyond = Value.OfDateTime(new Timestamp(long.MaxValue));
        Assert.Equal(new DelayDue(Timestamp.Max, false), Due(DelayTiming.OfPropertyDays(0, null), Utc("2026-06-01T00:00:00Z"), Berlin, beyond));
    }

    [Theory]
    [InlineData(DelayUnit.Minutes, 5_256_000)]
    [InlineData(DelayUnit.Hours, 87_600)]
    [InlineData(DelayUnit.Days, 3_650)]
    [InlineData(DelayUnit.Weeks, 521)]
    [InlineData(DelayUnit.BusinessDays, 3_650)]
    public void DLY_02_An_amount_out_of_range_is_the_end_that_it_passed(DelayUnit unit, int max)
    {
        var start = Utc("2026-06-01T12:00:00Z");
        DelayDue Of(int amount) => Due(DelayTiming.OfAmount(amount, unit, null, Weekdays.None), start, Berlin);
        Assert.Equal(max, DelayTiming.AmountMax(unit));
        Assert.True(Of(max - 1).At < Of(max).At);
        Assert.Equal(Of(max), Of(int.MaxValue));
        Assert.Equal(new DelayDue(start, false), Of(-1));
    }

    [Fact]
    public void DLY_02_An_amount_without_a_unit_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => DelayTiming.OfAmount(1, DelayUnit.None, null, Weekdays.None));

    private static DelayDue Due(DelayTiming timing, Timestamp start, string zone, Value property = default) =>
        timing.Due(start, Zone(zone), BusinessCalendar.Default, property);

    private static string ShowDue(DelayTiming timing, string start) => Show(Due(timing, In(Berlin, start), Berlin).At, Berlin);

    private static DelayTiming SomeTiming(Random random) => random.Next(6) switch
    {
        0 => DelayTiming.OfAmount(random.Next(3_650), DelayUnit.Hours, SomeTimeOfDay(random), SomeWeekdays(random)),
        1 => DelayTiming.OfAmount(random.Next(100), DelayUnit.Days, SomeTimeOfDay(random), SomeWeekdays(random)),
        2 => DelayTiming.OfAmount(random.Next(100), DelayUnit.BusinessDays, null, SomeWeekdays(random)),
        3 => DelayTiming.OfPropertyDays(random.Next(2) == 0 ? int.MinValue : random.Next(-3_650, 3_650), random.Next(2) == 0 ? SomeTimeOfDay(random) : null),
        4 => DelayTiming.OfPropertyHours(random.Next(2) == 0 ? int.MaxValue : random.Next(-3_650, 3_650), random.Next(2) == 0 ? SomeTimeOfDay(random) : null),
        _ => DelayTiming.OfFit(SomeWeekdays(random), random.Next(2) == 0 ? SomeTimeOfDay(random) : null),
    };

    private static Timestamp FirstFit(Timestamp from, DateTimeZone zone, LocalTime? time, Weekdays weekdays)
    {
        var today = from.ToInstant().InZone(zone).Date;
        var targets = time is null
            ? []
            : Enumerable.Range(-3, 25).Select(d => today.PlusDays(d)).Where(d => weekdays.Contains(d.DayOfWeek))
                .Select(d => FirstNotBefore(d.At(time.Value), zone)).ToHashSet();
        bool Fits(Timestamp at) => time is null ? weekdays.Contains(at.ToInstant().InZone(zone).DayOfWeek) : targets.Contains(at);
        if (Fits(from))
        {
            return from;
        }

        var minute = MinuteOf(from) + 1;
        while (!Fits(new Timestamp(minute * Minute)))
        {
            minute++;
        }

        return new Timestamp(minute * Minute);
    }

    private static Timestamp CalendarDue(Timestamp start, DateTimeZone zone, int amount, DelayUnit unit, LocalTime? time, Weekdays weekdays)
    {
        var entry = start.ToInstant().InZone(zone).LocalDateTime;
        bool IsBusiness(LocalDate d) => d.DayOfWeek is not (IsoDayOfWeek.Saturday or IsoDayOfWeek.Sunday);
        var onWeekendOnly = (weekdays & Weekdays.MondayToFriday) == 0;
        var counted = 0;
        var hadBusinessDay = false;
        for (var day = 0; ; day++)
        {
            var date = entry.Date.PlusDays(day);
            hadBusinessDay |= IsBusiness(date);
            counted += day > 0 && IsBusiness(date) ? 1 : 0;
            var isReached = unit switch
            {
                DelayUnit.Days => day >= amount,
                DelayUnit.Weeks => day >= amount * 7,
                _ => counted >= amount && hadBusinessDay && (IsBusiness(date) || onWeekendOnly),
            };
            if (!isReached || !weekdays.Contains(date.DayOfWeek))
            {
                continue;
            }

            var local = date.At(time ?? entry.TimeOfDay);
            var at = day == 0 && time is null ? start : FirstInstant(local, zone);
            if (at >= start)
            {
                return at;
            }
        }
    }

    /// <summary>As the search by minutes, for local times that are no whole minutes.</summary>
    private static Timestamp FirstInstant(LocalDateTime local, DateTimeZone zone)
    {
        var minute = local.With(TimeAdjusters.TruncateToMinute);
        var restMs = (local - minute).ToDuration().ToInt64Nanoseconds() / 1_000_000;
        var at = FirstNotBefore(minute, zone);
        return LocalAt(MinuteOf(at), zone) == minute ? at.PlusMs(restMs) : at;
    }
}
