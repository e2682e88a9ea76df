using System.Collections.Frozen;
using NodaTime;

namespace Roster.Core.Calendars;

/// <summary>A weekly window (WIN-01): from the start, included, to the end, not included.</summary>
/// <param name="Days">Days on which it starts.</param>
/// <param name="Start">Local time at which it starts.</param>
/// <param name="End">
/// Local time at which it ends. At or before the start: on the next day, so that equal times are a whole day (WIN-02).
/// </param>
public readonly record struct WeeklyWindow(Weekdays Days, LocalTime Start, LocalTime End);

/// <summary>A whole local day on which no action runs, of one year or of every year (WIN-04).</summary>
/// <remarks>29 February of every year is blocked in leap years only: unlike a yearly run, a blocked date has no stand-in.</remarks>
public readonly record struct BlockedDate
{
    private BlockedDate(LocalDate date, bool isYearly)
    {
        Date = date;
        IsYearly = isYearly;
    }

    /// <summary>Whether it holds every year.</summary>
    public bool IsYearly { get; }

    /// <summary>The date. The year of a yearly one means nothing.</summary>
    internal LocalDate Date { get; }

    /// <summary>One date.</summary>
    public static BlockedDate On(LocalDate date) => new(date, isYearly: false);

    /// <summary>A day of every year.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No year has such a day.</exception>
    public static BlockedDate EveryYear(int month, int day)
    {
        AnnualDates.Check(month, day);
        return new BlockedDate(new LocalDate(2000, month, day), isYearly: true);
    }
}

/// <summary>When actions may run, and to when the others move (WIN-01 to WIN-08).</summary>
/// <remarks>
/// <para>An instant is open when its local date is not blocked and a window contains it. Start and end of a window are instants by
/// DLY-04: a window that begins and ends in the same gap of the clock is empty on that day, one that ends in an hour that occurs twice
/// ends in the first of the two.</para>
/// <para>Without windows every date that is not blocked is open. Immutable; thread-safe.</para>
/// </remarks>
public sealed class ExecutionWindows
{
    /// <summary>Default of <c>spread</c>: 15 minutes.</summary>
    public const long SpreadDefaultMs = 15 * LocalTimes.MinuteMs;

    /// <summary>Largest <c>spread</c>: 24 hours.</summary>
    public const long SpreadMaxMs = LocalTimes.DayMs;

    /// <summary>Within how many days of 24 hours there must be an opening (WIN-08): 400.</summary>
    public const int HorizonDays = 400;

    private readonly WeeklyWindow[][] _windowsByDay;
    private readonly bool _hasWindows;
    private readonly FrozenSet<LocalDate> _blocked;
    private readonly FrozenSet<(int Month, int Day)> _blockedYearly;
    private readonly long _spreadMs;
    private readonly DateTimeZone _zone;

    /// <param name="windows">The weekly windows; none for always.</param>
    /// <param name="blockedDates">The blocked dates.</param>
    /// <param name="spreadMs">Over how many milliseconds moved actions are spread, 0 to 24 hours; 0 for no spread (WIN-06).</param>
    /// <param name="zone">Zone of days and times of day.</param>
    /// <exception cref="ArgumentOutOfRangeException">The spread is out of range.</exception>
    public ExecutionWindows(
        IReadOnlyCollection<WeeklyWindow> windows, IReadOnlyCollection<BlockedDate> blockedDates, long spreadMs, DateTimeZone zone)
    {
        ArgumentNullException.ThrowIfNull(windows);
        ArgumentNullException.ThrowIfNull(blockedDates);
        ArgumentNullException.ThrowIfNull(zone);
        ArgumentOutOfRangeException.ThrowIfNegative(spreadMs);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(spreadMs, SpreadMaxMs);
        _windowsByDay = [.. Enumerable.Range(0, 8).Select(day => windows.Where(w => w.Days.Contains((IsoDayOfWeek)day)).ToArray())];
        _hasWindows = windows.Count > 0;
        _blocked = blockedDates.Where(b => !b.IsYearly).Select(b => b.Date).ToFrozenSet();
        _blockedYearly = blockedDates.Where(b => b.IsYearly).Select(b => (b.Date.Month, b.Date.Day)).ToFrozenSet();
        _spreadMs = spreadMs;
        _zone = zone;
    }

    private ExecutionWindows(ExecutionWindows other, DateTimeZone zone)
    {
        _windowsByDay = other._windowsByDay;
        _hasWindows = other._hasWindows;
        _blocked = other._blocked;
        _blockedYearly = other._blockedYearly;
        _spreadMs = other._spreadMs;
        _zone = zone;
    }

    /// <summary>No windows and no blocked dates: every instant is open.</summary>
    public static ExecutionWindows Always { get; } = new([], [], SpreadDefaultMs, DateTimeZone.Utc);

    /// <summary>Whether every instant is open.</summary>
    public bool IsAlways => !_hasWindows && _blocked.Count == 0 && _blockedYearly.Count == 0;

    /// <summary>The same windows in another zone, for records that name their own (DLY-19).</summary>
    public ExecutionWindows InZone(DateTimeZone zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        return zone.Equals(_zone) ? this : new ExecutionWindows(this, zone);
    }

    /// <summary>Whether an action may run at this instant.</summary>
    public bool IsOpen(Timestamp at) => IsAlways || (!IsBlocked(at) && IsInWindow(at));

    /// <summary>
    /// When an action that is due now runs: now when it is open, else at the next opening plus its share of the spread (WIN-05, WIN-06).
    /// </summary>
    /// <param name="at">When the action is due.</param>
    /// <param name="hash">
    /// Hash of the effect key; the share is its rest by the spread, or by the length of the opening if that is shorter.
    /// </param>
    /// <returns>None when nothing opens in the next 400 days.</returns>
    public Timestamp NextRun(Timestamp at, ulong hash)
    {
        if (IsOpen(at))
        {
            return at;
        }

        var opening = NextOpening(at);
        if (opening.IsNone || _spreadMs == 0)
        {
            return opening;
        }

        // The shorter of the two, and not a cut at the end: else the actions of a short window would pile up in its last instant.
        var rangeMs = OpenUntil(opening, LocalTimes.PlusMs(opening, _spreadMs)).Ms - opening.Ms;
        return LocalTimes.PlusMs(opening, (long)(hash % (ulong)Math.Max(1, rangeMs)));
    }

    /// <summary>Whether an instant of the 400 days from here on is open (WIN-08).</summary>
    public bool HasOpening(Timestamp from) => IsAlways || !NextOpening(from).IsNone;

    /// <summary>The first open instant at or after one; none in the horizon gives None.</summary>
    private Timestamp NextOpening(Timestamp from)
    {
        var limit = LocalTimes.PlusMs(from, HorizonDays * LocalTimes.DayMs);
        var at = from;
        while (at < limit)
        {
            if (IsBlocked(at))
            {
                at = LocalTimes.SameDateUntil(at, _zone);
                continue;
            }

            var inWindow = NextInWindow(at);
            if (inWindow == at)
            {
                return at;
            }

            at = inWindow;
        }

        return Timestamp.None;
    }

    /// <summary>How long it stays open from an open instant on, as far as the limit. Windows that touch or overlap are one.</summary>
    private Timestamp OpenUntil(Timestamp from, Timestamp limit)
    {
        var at = from;
        while (at < limit && !IsBlocked(at))
        {
            var end = _hasWindows ? WindowEnd(at) : limit;
            if (end <= at)
            {
                break;
            }

            at = LocalTimes.Earlier(end, LocalTimes.SameDateUntil(at, _zone));
        }

        return LocalTimes.Earlier(at, limit);
    }

    private bool IsBlocked(Timestamp at)
    {
        if (_blocked.Count == 0 && _blockedYearly.Count == 0)
        {
            return false;
        }

        var date = LocalTimes.Of(at, _zone).Date;
        return _blocked.Contains(date) || _blockedYearly.Contains((date.Month, date.Day));
    }

    private bool IsInWindow(Timestamp at) => !_hasWindows || WindowEnd(at) > at;

    /// <summary>
    /// The latest end of the windows that contain the instant; the instant itself when none does. Windows of the day before may run
    /// into this one (WIN-02); those of the next day may have begun before a clock that was set back at midnight.
    /// </summary>
    private Timestamp WindowEnd(Timestamp at)
    {
        var today = LocalTimes.Of(at, _zone).Date;
        var latest = at;
        for (var day = -1; day <= 1; day++)
        {
            var date = LocalTimes.PlusDays(today, day);
            foreach (var window in _windowsByDay[(int)date.DayOfWeek])
            {
                var (start, end) = Bounds(window, date);
                latest = start <= at ? LocalTimes.Later(latest, end) : latest;
            }
        }

        return latest;
    }

    /// <summary>The first instant at or after one that a window contains, blocked or not.</summary>
    private Timestamp NextInWindow(Timestamp from)
    {
        if (!_hasWindows)
        {
            return from;
        }

        var today = LocalTimes.Of(from, _zone).Date;
        for (var day = -1; day <= HorizonDays; day++)
        {
            // No window of a later date begins before one of an earlier date, so the first date that has one has the first one.
            if (FirstOn(LocalTimes.PlusDays(today, day), from) is { } first)
            {
                return first;
            }
        }

        return Timestamp.Max;
    }

    private Timestamp? FirstOn(LocalDate date, Timestamp from)
    {
        Timestamp? first = null;
        foreach (var window in _windowsByDay[(int)date.DayOfWeek])
        {
            var (start, end) = Bounds(window, date);
            var at = LocalTimes.Later(start, from);
            if (at < end && (first is null || at < first))
            {
                first = at;
            }
        }

        return first;
    }

    private (Timestamp Start, Timestamp End) Bounds(WeeklyWindow window, LocalDate date) =>
        (LocalTimes.At(date, 0, window.Start, _zone), LocalTimes.At(date, window.End <= window.Start ? 1 : 0, window.End, _zone));
}
