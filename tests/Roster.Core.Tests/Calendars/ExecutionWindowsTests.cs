using NodaTime;
using Roster.Core.Calendars;
using static Roster.Core.Tests.Calendars.Naive;

namespace Roster.Core.Tests.Calendars;

public sealed class ExecutionWindowsTests
{
    private const string Berlin = "Europe/Berlin";
    private const string NewYork = "America/New_York";

    [Fact]
    public void WIN_01_No_window_means_always()
    {
        var at = Utc("2026-06-06T03:00:00Z");
        Assert.True(ExecutionWindows.Always.IsAlways);
        Assert.True(ExecutionWindows.Always.IsOpen(at));
        Assert.True(ExecutionWindows.Always.HasOpening(at));
        Assert.Equal(at, ExecutionWindows.Always.NextRun(at, 7));
        Assert.False(Weekly(Window(Weekdays.All, "00:00", "00:00")).IsAlways);
    }

    [Theory]
    [InlineData("2026-06-01T08:59", false)]
    [InlineData("2026-06-01T09:00", true)]
    [InlineData("2026-06-01T16:59", true)]
    [InlineData("2026-06-01T17:00", false)]
    [InlineData("2026-06-06T12:00", false)]
    public void WIN_01_The_start_is_included_and_the_end_is_not(string at, bool isOpen)
    {
        var windows = Weekly(Window(Weekdays.MondayToFriday, "09:00", "17:00"));
        Assert.Equal(isOpen, windows.IsOpen(In(Berlin, at)));
        Assert.Equal(isOpen, windows.IsOpen(In(Berlin, at).PlusMs(59_999)));
    }

    [Theory]
    [InlineData("2026-06-01T10:59", true)]
    [InlineData("2026-06-01T11:30", false)]
    [InlineData("2026-06-01T13:00", true)]
    [InlineData("2026-06-02T13:00", false)]
    [InlineData("2026-06-02T20:00", true)]
    public void WIN_01_Several_windows_a_day_are_allowed(string at, bool isOpen) =>
        Assert.Equal(
            isOpen,
            Weekly(Window(Weekdays.Monday, "09:00", "11:00"), Window(Weekdays.Monday, "13:00", "15:00"), Window(Weekdays.Tuesday, "19:00", "21:00"))
                .IsOpen(In(Berlin, at)));

    [Theory]
    [InlineData("02:15", "02:45", "2026-03-08T07:00:00Z", false)]
    [InlineData("02:15", "03:30", "2026-03-08T06:59:00Z", false)]
    [InlineData("02:15", "03:30", "2026-03-08T07:00:00Z", true)]
    [InlineData("02:15", "03:30", "2026-03-08T07:30:00Z", false)]
    [InlineData("01:15", "01:45", "2026-11-01T05:30:00Z", true)]
    [InlineData("01:15", "01:45", "2026-11-01T06:30:00Z", false)]
    [InlineData("01:15", "02:15", "2026-11-01T05:15:00Z", true)]
    [InlineData("01:15", "02:15", "2026-11-01T06:05:00Z", true)]
    [InlineData("01:15", "02:15", "2026-11-01T07:15:00Z", false)]
    public void WIN_01_DLY_04_Start_and_end_are_instants_where_the_clock_is_changed(string start, string end, string at, bool isOpen) =>
        Assert.Equal(isOpen, Make(NewYork, [Window(Weekdays.Sunday, start, end)], []).IsOpen(Utc(at)));

    [Fact]
    public void WIN_01_DLY_04_A_window_that_has_begun_goes_on_when_the_clock_goes_back_to_the_day_before()
    {
        // St John's went back from 00:01 on Sunday, at 02:31Z, to 23:01 on Saturday.
        var windows = Make("America/St_Johns", [Window(Weekdays.Sunday, "00:00", "04:00")], []);
        Assert.False(windows.IsOpen(Utc("2010-11-07T02:29:59Z")));
        Assert.True(windows.IsOpen(Utc("2010-11-07T02:30:00Z")));
        Assert.True(windows.IsOpen(Utc("2010-11-07T02:45:00Z")));
        Assert.False(windows.IsOpen(Utc("2010-11-07T07:30:00Z")));
    }

    [Theory]
    [InlineData("22:00", "06:00", "2026-06-05T21:59", false)]
    [InlineData("22:00", "06:00", "2026-06-05T22:00", true)]
    [InlineData("22:00", "06:00", "2026-06-06T05:59", true)]
    [InlineData("22:00", "06:00", "2026-06-06T06:00", false)]
    [InlineData("22:00", "06:00", "2026-06-05T05:00", false)]
    [InlineData("00:00", "00:00", "2026-06-04T23:59", false)]
    [InlineData("00:00", "00:00", "2026-06-05T00:00", true)]
    [InlineData("00:00", "00:00", "2026-06-05T23:59", true)]
    [InlineData("00:00", "00:00", "2026-06-06T00:00", false)]
    [InlineData("09:00", "09:00", "2026-06-06T08:59", true)]
    public void WIN_02_An_end_at_or_before_the_start_runs_into_the_next_day(string start, string end, string at, bool isOpen) =>
        Assert.Equal(isOpen, Weekly(Window(Weekdays.Friday, start, end)).IsOpen(In(Berlin, at)));

    [Theory]
    [InlineData("2026-12-24T23:59", true)]
    [InlineData("2026-12-25T00:00", false)]
    [InlineData("2026-12-25T23:59", false)]
    [InlineData("2026-12-26T00:00", true)]
    [InlineData("2027-12-25T12:00", true)]
    [InlineData("2027-01-01T12:00", false)]
    [InlineData("2031-01-01T12:00", false)]
    public void WIN_04_Blocked_dates_are_whole_days_of_one_year_or_of_every_year(string at, bool isOpen)
    {
        var windows = Make(Berlin, [], [BlockedDate.On(Date("2026-12-25")), BlockedDate.EveryYear(1, 1)]);
        Assert.False(windows.IsAlways);
        Assert.Equal(isOpen, windows.IsOpen(In(Berlin, at)));
    }

    [Fact]
    public void WIN_04_29_February_of_every_year_is_29_February_only()
    {
        var windows = Make(Berlin, [], [BlockedDate.EveryYear(2, 29)]);
        Assert.True(windows.IsOpen(In(Berlin, "2027-02-28T12:00")));
        Assert.True(windows.IsOpen(In(Berlin, "2028-02-28T12:00")));
        Assert.False(windows.IsOpen(In(Berlin, "2028-02-29T12:00")));
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockedDate.EveryYear(2, 30));
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockedDate.EveryYear(13, 1));
    }

    [Theory]
    [InlineData("2026-12-25T12:00", "2026-12-26T00:00")]
    [InlineData("2026-12-24T22:30", "2026-12-26T00:00")]
    [InlineData("2026-12-26T06:00", "2026-12-31T22:00")]
    public void WIN_04_A_blocked_date_cuts_out_its_own_day_of_a_window_that_runs_over_midnight(string at, string run)
    {
        // 2026-12-24 and 2026-12-31 are Thursdays.
        var windows = Make(
            Berlin,
            [Window(Weekdays.Thursday | Weekdays.Friday, "22:00", "05:00")],
            [BlockedDate.On(Date("2026-12-24")), BlockedDate.On(Date("2026-12-25"))],
            0);
        Assert.Equal(In(Berlin, run), windows.NextRun(In(Berlin, at), 1));
    }

    [Fact]
    public void WIN_04_A_blocked_date_is_one_by_the_clock_also_when_the_clock_goes_back_to_it()
    {
        // St John's went back from 00:01 on Sunday to 23:01 on Saturday.
        var windows = Make("America/St_Johns", [], [BlockedDate.On(Date("2010-11-06"))], 0);
        Assert.True(windows.IsOpen(Utc("2010-11-07T02:30:30Z")));
        Assert.False(windows.IsOpen(Utc("2010-11-07T02:31:00Z")));
        Assert.Equal(Utc("2010-11-07T03:30:00Z"), windows.NextRun(Utc("2010-11-07T02:31:00Z"), 0));
    }

    [Theory]
    [InlineData("2026-06-01T09:00", "2026-06-01T09:00")]
    [InlineData("2026-06-01T12:34", "2026-06-01T12:34")]
    [InlineData("2026-06-01T06:00", "2026-06-01T09:00")]
    [InlineData("2026-06-01T17:00", "2026-06-02T09:00")]
    [InlineData("2026-06-05T20:00", "2026-06-08T09:00")]
    [InlineData("2026-06-06T12:00", "2026-06-08T09:00")]
    public void WIN_05_An_action_outside_moves_to_the_earliest_allowed_instant(string at, string run) =>
        Assert.Equal(In(Berlin, run), Make(Berlin, [Window(Weekdays.MondayToFriday, "09:00", "17:00")], [], 0).NextRun(In(Berlin, at), ulong.MaxValue));

    [Theory]
    [InlineData("Asia/Beirut", "00:00", "2026-03-28T12:00:00Z", "2026-03-28T22:00:00Z")]
    [InlineData("Pacific/Apia", "09:00", "2011-12-30T09:00:00Z", "2011-12-30T19:00:00Z")]
    [InlineData("Australia/Lord_Howe", "02:10", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z")]
    public void WIN_05_DLY_04_The_earliest_instant_is_the_first_after_the_gap(string zone, string start, string at, string run)
    {
        var weekend = Window(Weekdays.Saturday | Weekdays.Sunday, start, "12:00");
        var windows = Make(zone, [weekend], [BlockedDate.On(Date("2026-03-28")), BlockedDate.On(Date("2026-10-03"))], 0);
        Assert.Equal(Utc(run), windows.NextRun(Utc(at), 0));
    }

    [Theory]
    [InlineData(0UL, 0)]
    [InlineData(899_999UL, 899_999)]
    [InlineData(900_000UL, 0)]
    [InlineData(ulong.MaxValue, 651_615)]
    public void WIN_06_A_moved_action_is_spread_by_its_hash_over_15_minutes(ulong hash, long offset)
    {
        var windows = Weekly(Window(Weekdays.MondayToFriday, "09:00", "17:00"));
        Assert.Equal(In(Berlin, "2026-06-08T09:00").PlusMs(offset), windows.NextRun(In(Berlin, "2026-06-06T12:00"), hash));
        Assert.Equal(In(Berlin, "2026-06-08T09:00"), windows.NextRun(In(Berlin, "2026-06-08T09:00"), hash));
    }

    [Fact]
    public void WIN_06_The_spread_never_passes_the_end_of_the_window()
    {
        var windows = Weekly(Window(Weekdays.Monday, "09:00", "09:05"));
        var opening = In(Berlin, "2026-06-08T09:00");
        Assert.Equal(opening.PlusMs((5 * Minute) - 1), windows.NextRun(In(Berlin, "2026-06-06T12:00"), (ulong)((5 * Minute) - 1)));
        Assert.Equal(opening, windows.NextRun(In(Berlin, "2026-06-06T12:00"), 5 * (ulong)Minute));
    }

    [Fact]
    public void WIN_06_Windows_that_touch_or_overlap_are_one()
    {
        var windows = Make(Berlin, [Window(Weekdays.Monday, "09:00", "09:05"), Window(Weekdays.Monday, "09:05", "09:08"), Window(Weekdays.Monday, "09:07", "09:20")], []);
        var opening = In(Berlin, "2026-06-08T09:00");
        Assert.Equal(opening.PlusMs(899_999), windows.NextRun(In(Berlin, "2026-06-06T12:00"), 899_999));
    }

    [Fact]
    public void WIN_06_Windows_that_touch_at_midnight_are_one_and_a_blocked_date_ends_them_there()
    {
        WeeklyWindow[] touching = [Window(Weekdays.Monday, "23:55", "00:00"), Window(Weekdays.Tuesday, "00:00", "01:00")];
        var from = In(Berlin, "2026-06-06T12:00");
        var opening = In(Berlin, "2026-06-08T23:55");
        Assert.Equal(opening.PlusMs(899_999), Make(Berlin, touching, []).NextRun(from, 899_999));
        Assert.Equal(opening.PlusMs(299_999), Make(Berlin, touching, [BlockedDate.On(Date("2026-06-09"))]).NextRun(from, 299_999));
        Assert.Equal(opening, Make(Berlin, touching, [BlockedDate.On(Date("2026-06-09"))]).NextRun(from, 300_000));
        Assert.Equal(opening, Make(Berlin, [Window(Weekdays.Monday, "23:55", "04:00")], [BlockedDate.EveryYear(6, 9)]).NextRun(from, 300_000));
    }

    [Fact]
    public void WIN_06_Without_windows_the_spread_begins_at_the_midnight_after_the_blocked_dates()
    {
        var windows = Make(Berlin, [], [BlockedDate.On(Date("2026-12-25")), BlockedDate.On(Date("2026-12-26"))]);
        Assert.Equal(In(Berlin, "2026-12-27T00:00").PlusMs(899_999), windows.NextRun(In(Berlin, "2026-12-25T12:00"), 899_999));
    }

    [Fact]
    public void WIN_06_The_spread_is_at_most_a_day()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(Berlin, [], [], Day + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(Berlin, [], [], -1));
        var windows = Make(Berlin, [Window(Weekdays.Monday | Weekdays.Tuesday, "00:00", "00:00")], [], Day);
        Assert.Equal(In(Berlin, "2026-06-08T00:00").PlusMs(Day - 1), windows.NextRun(In(Berlin, "2026-06-06T12:00"), (ulong)(Day - 1)));
    }

    [Fact]
    public void WIN_08_Windows_without_an_opening_in_400_days_have_none()
    {
        var from = In(Berlin, "2026-06-01T12:00");
        BlockedDate[] everyDay = [.. Enumerable.Range(0, 366).Select(d => Date("2028-01-01").PlusDays(d)).Select(d => BlockedDate.EveryYear(d.Month, d.Day))];
        Assert.False(Make(Berlin, [], everyDay).HasOpening(from));
        Assert.Equal(Timestamp.None, Make(Berlin, [], everyDay).NextRun(from, 1));
        Assert.True(Make(Berlin, [], everyDay[1..]).HasOpening(from));
        Assert.Equal(In(Berlin, "2027-01-01T00:00"), Make(Berlin, [], everyDay[1..], 0).NextRun(from, 1));
        Assert.False(Weekly(Window(Weekdays.None, "09:00", "17:00")).HasOpening(from));
        Assert.Equal(Timestamp.None, Weekly(Window(Weekdays.None, "09:00", "17:00")).NextRun(from, 1));
    }

    [Fact]
    public void WIN_08_The_400_days_are_counted_from_the_instant()
    {
        // Every day from the first one on is blocked, as dates of their years.
        BlockedDate[] dates = [.. Enumerable.Range(0, 401).Select(d => BlockedDate.On(Date("2026-06-01").PlusDays(d)))];
        var opening = Utc("2026-06-01T00:00:00Z").PlusMs(401 * Day);
        var windows = Make("UTC", [], dates, 0);
        Assert.False(windows.HasOpening(opening.PlusMs(-400 * Day)));
        Assert.True(windows.HasOpening(opening.PlusMs((-400 * Day) + 1)));
        Assert.Equal(opening, windows.NextRun(opening.PlusMs((-400 * Day) + 1), 0));
    }

    [Fact]
    public void DLY_19_The_same_windows_can_be_had_in_another_zone()
    {
        var windows = Make(Berlin, [Window(Weekdays.MondayToFriday, "09:00", "17:00")], [BlockedDate.On(Date("2026-06-02"))], 0);
        Assert.Equal(In(NewYork, "2026-06-03T09:00"), windows.InZone(Zone(NewYork)).NextRun(In(NewYork, "2026-06-01T17:00"), 1));
        Assert.Same(windows, windows.InZone(Zone(Berlin)));
    }

    [Fact]
    public void The_ends_of_the_calendar_are_no_fault_in_any_zone()
    {
        WeeklyWindow[] weekly = [Window(Weekdays.All, "22:00", "04:00")];
        foreach (var zone in DateTimeZoneProviders.Tzdb.Ids)
        {
            foreach (var windows in new[] { Make(zone, weekly, []), Make(zone, [], [BlockedDate.EveryYear(12, 31), BlockedDate.EveryYear(1, 1)]) })
            {
                AssertBetween(windows.NextRun(Timestamp.Min, 5), Timestamp.Min, Timestamp.Max);
                AssertBetween(windows.NextRun(Timestamp.Max, 5), Timestamp.Min, Timestamp.Max);
            }
        }
    }

    [Fact]
    public void WIN_01_WIN_02_WIN_04_WIN_05_WIN_06_Windows_agree_with_looking_at_every_minute()
    {
        var random = new Random(18);
        for (var i = 0; i < 150; i++)
        {
            var (zone, near) = SomeTime(random);
            var today = near.ToInstant().InZone(zone).Date;
            WeeklyWindow[] windows = [.. Enumerable.Range(0, random.Next(5)).Select(_ => SomeWindow(random))];
            LocalDate[] blocked = [.. Enumerable.Range(0, random.Next(6)).Select(_ => today.PlusDays(random.Next(-2, 9)))];
            var spread = random.Next(4) * random.Next(10_000_000);
            var isYearly = random.Next(2) == 0;
            var tested = new ExecutionWindows(
                windows, [.. blocked.Select(d => isYearly && d.Month != 2 ? BlockedDate.EveryYear(d.Month, d.Day) : BlockedDate.On(d))], spread, zone);
            var naive = new OpenMinutes(windows, blocked, zone, today);
            for (var j = 0; j < 40; j++)
            {
                var at = near.PlusMs(random.NextInt64(-Day, 4 * Day));
                var hash = (ulong)random.NextInt64();
                Assert.True(naive.IsOpen(at) == tested.IsOpen(at), $"case {i}: {at} in {zone.Id} open");
                Assert.True(tested.HasOpening(at) == !tested.NextRun(at, hash).IsNone, $"case {i}: {at} in {zone.Id} opening");
                if (naive.NextRun(at, hash, spread) is { } run)
                {
                    Assert.True(run == tested.NextRun(at, hash), $"case {i}: {at} in {zone.Id} moves to {tested.NextRun(at, hash)}, not {run}");
                }
            }
        }
    }

    private static WeeklyWindow Window(Weekdays days, string start, string end) => new(days, Time(start), Time(end));

    private static ExecutionWindows Weekly(params WeeklyWindow[] windows) => Make(Berlin, windows, []);

    private static ExecutionWindows Make(string zone, WeeklyWindow[] windows, BlockedDate[] blocked, long spreadMs = ExecutionWindows.SpreadDefaultMs) =>
        new(windows, blocked, spreadMs, Zone(zone));

    private static WeeklyWindow SomeWindow(Random random)
    {
        var start = SomeTimeOfDay(random);
        return new WeeklyWindow(SomeWeekdays(random), start, random.Next(4) == 0 ? start.PlusMinutes(random.Next(30)) : SomeTimeOfDay(random));
    }

    /// <summary>Thirty days, minute by minute.</summary>
    private sealed class OpenMinutes
    {
        private const int Days = 30;
        private readonly bool[] _open = new bool[Days * 1440];
        private readonly long _first;

        public OpenMinutes(WeeklyWindow[] windows, LocalDate[] blocked, DateTimeZone zone, LocalDate today)
        {
            _first = MinuteOf(FirstNotBefore(today.PlusDays(-3).AtMidnight(), zone));
            if (windows.Length == 0)
            {
                Array.Fill(_open, true);
            }

            for (var date = today.PlusDays(-6); date <= today.PlusDays(Days); date = date.PlusDays(1))
            {
                foreach (var window in windows.Where(w => w.Days.Contains(date.DayOfWeek)))
                {
                    var end = window.End <= window.Start ? date.PlusDays(1) : date;
                    Mark(FirstNotBefore(date.At(window.Start), zone), FirstNotBefore(end.At(window.End), zone));
                }
            }

            for (var minute = 0; minute < _open.Length; minute++)
            {
                _open[minute] &= !blocked.Contains(LocalAt(_first + minute, zone).Date);
            }
        }

        public bool IsOpen(Timestamp at) => _open[MinuteOf(at) - _first];

        public Timestamp? NextRun(Timestamp at, ulong hash, long spread)
        {
            if (IsOpen(at))
            {
                return at;
            }

            var opening = MinuteOf(at) - _first;
            while (opening < _open.Length && !_open[opening])
            {
                opening++;
            }

            var end = opening;
            while (end < _open.Length && _open[end])
            {
                end++;
            }

            if (opening == _open.Length || end == _open.Length)
            {
                return null;
            }

            var range = Math.Min(spread, (end - opening) * Minute);
            return new Timestamp(((_first + opening) * Minute) + (range == 0 ? 0 : (long)(hash % (ulong)range)));
        }

        private void Mark(Timestamp start, Timestamp end)
        {
            for (var minute = Math.Max(0, MinuteOf(start) - _first); minute < Math.Min(_open.Length, MinuteOf(end) - _first); minute++)
            {
                _open[minute] = true;
            }
        }
    }
}
