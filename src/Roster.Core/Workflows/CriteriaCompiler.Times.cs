using System.Globalization;
using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <content>Operators on times: rolling dates, calendar units, time points (FIL-24 to FIL-27) and ranges of occurrences (FIL-05).</content>
public sealed partial class CriteriaCompiler
{
    private static bool HasPoints(PropertyFilterDefinition filter) => filter.From is not null || filter.To is not null;

    private static bool IsRange(Operator op) => op is Operator.IsBetween or Operator.IsNotBetween;

    private static bool IsAboutTime(PropertyFilterDefinition filter) =>
        OperatorTable.IsClockBased(filter.Operator) || OperatorTable.IsAboutPoint(filter.Operator) || (IsRange(filter.Operator) && HasPoints(filter));

    /// <summary>A setting that an operator does not read is a mistake of the writer, so it is not passed over.</summary>
    private bool CheckSettings(PropertyFilterDefinition filter, string path)
    {
        var op = OperatorTable.NameOf(filter.Operator);
        var isFine = true;
        Check(!HasPoints(filter) || OperatorTable.IsAboutPoint(filter.Operator) || IsRange(filter.Operator), "from", "takes no time point (FIL-26)");
        Check(filter.To is null || !OperatorTable.IsAboutPoint(filter.Operator), "to", "takes one time point (FIL-26)");
        Check(filter.Unit == TimeUnit.None || OperatorTable.IsCalendar(filter.Operator), "unit", "takes no unit (FIL-25)");
        Check(filter.CompareWith.Length > 0 || filter.DefaultComparisonValue.Length == 0, "defaultComparisonValue", "compares with no property here (FIL-30)");
        if (filter.FiscalYearStart is < 0 or > 12)
        {
            OutOfRange($"{path}.fiscalYearStart", $"{filter.FiscalYearStart}", "The first month of the fiscal year is 1 to 12 (FIL-25).");
            isFine = false;
        }

        return isFine;

        void Check(bool holds, string field, string what)
        {
            if (!holds)
            {
                Error($"{path}.{field}", "BAD_COMBINATION", op, $"Operator {op} {what}.");
                isFine = false;
            }
        }
    }

    private TimeTest? CompileTime(
        PropertyFilterDefinition filter, string path, ZoneDays days, Func<(string Property, string Path), PropertyDefinition?> findPoint)
    {
        if (OperatorTable.IsCalendar(filter.Operator))
        {
            return CompileCalendar(filter, path, days);
        }

        if (OperatorTable.IsClockBased(filter.Operator))
        {
            return CompileRolling(filter, path, days);
        }

        var needsTo = IsRange(filter.Operator);
        if (filter.From is null || (needsTo && filter.To is null))
        {
            Error($"{path}.{(filter.From is null ? "from" : "to")}", "MISSING_TIME_POINT", string.Empty, $"Operator {OperatorTable.NameOf(filter.Operator)} needs {(needsTo ? "two time points, from and to" : "a time point, from, or another property, compareWith")} (FIL-26).");
            return null;
        }

        var isUpper = filter.Operator == Operator.IsBefore;
        var from = CompilePoint(filter.From, $"{path}.from", isUpper, filter.FiscalYearStart, days, findPoint);
        var to = filter.To is null ? null : CompilePoint(filter.To, $"{path}.to", isUpper: true, filter.FiscalYearStart, days, findPoint);
        return from is null || (needsTo && to is null)
            ? null
            : new TimeTest(days, isUpper ? null : from, isUpper ? from : to, filter.Operator == Operator.IsNotBetween);
    }

    /// <summary>With D = start of today: from D - X to now, before D - X, from now to D + X, after D + X (FIL-24, FIL-27).</summary>
    private TimeTest? CompileRolling(PropertyFilterDefinition filter, string path, ZoneDays days)
    {
        if (!TryReadCount(filter, path, 0, out var x))
        {
            return null;
        }

        return filter.Operator switch
        {
            Operator.IsLessThanXDaysAgo or Operator.UpdatedInLastXDays => new TimeTest(days, Day(-x, 0), new NowBound(days, 0, 1)),
            Operator.NotUpdatedInLastXDays => new TimeTest(days, Day(-x, 0), new NowBound(days, 0, 1), isNegated: true),
            Operator.IsMoreThanXDaysAgo => new TimeTest(days, null, Day(-x, 0)),
            Operator.IsLessThanXDaysFromNow => new TimeTest(days, new NowBound(days, 0, 0), Day(x, 1)),
            Operator.IsMoreThanXDaysFromNow => new TimeTest(days, Day(x, 1), null),
            _ => throw new InvalidOperationException($"Operator {filter.Operator} does not count days."),
        };

        UnitBound Day(int offset, int plusMs) => new(days, CalendarUnit.Day, 0, offset, plusMs);
    }

    private TimeTest? CompileCalendar(PropertyFilterDefinition filter, string path, ZoneDays days)
    {
        if (filter.Unit == TimeUnit.None || !Enum.IsDefined(filter.Unit))
        {
            Error($"{path}.unit", "MISSING_UNIT", $"{(int)filter.Unit}", $"Operator {OperatorTable.NameOf(filter.Operator)} needs a unit: DAY, WEEK, MONTH, QUARTER or YEAR (FIL-25).");
            return null;
        }

        var n = 0;
        if (filter.Values.Count > 0 && !TryReadCount(filter, path, 1, out n))
        {
            return null;
        }

        var unit = new CalendarUnit(filter.Unit, Math.Max(1, filter.FiscalYearStart));
        return filter.Operator switch
        {
            Operator.InThisTimeUnit => new TimeTest(days, Start(0), Start(1)),
            Operator.InThisTimeUnitSoFar => new TimeTest(days, Start(0), new NowBound(days, 0, 1)),
            Operator.InLastTimeUnit => new TimeTest(days, Start(-n), Start(0)),
            Operator.InNextTimeUnit => new TimeTest(days, Start(1), Start(n + 1)),
            _ => throw new InvalidOperationException($"Operator {filter.Operator} is not about calendar units."),
        };

        UnitBound Start(int pieces) => new(days, unit, pieces, 0, 0);
    }

    private bool TryReadCount(PropertyFilterDefinition filter, string path, int min, out int count)
    {
        if (!int.TryParse(filter.Values[0], NumberStyles.None, CultureInfo.InvariantCulture, out count) && !filter.Values[0].All(char.IsAsciiDigit))
        {
            Error($"{path}.values[0]", "WRONG_TYPE", filter.Values[0], $"'{Refusal.Cut(filter.Values[0])}' is not a whole number for operator {OperatorTable.NameOf(filter.Operator)}.");
            return false;
        }

        if (filter.Values[0].Length is 0 or > 9 || count < min || count > DaysMax)
        {
            OutOfRange($"{path}.values[0]", filter.Values[0], $"Operator {OperatorTable.NameOf(filter.Operator)} takes {min} to {DaysMax}.");
            return false;
        }

        return true;
    }

    /// <summary>
    /// A point that is a date is the whole day: included with its last ms, left out from its first. All other points are instants; an
    /// index is the start of its unit (FIL-26).
    /// </summary>
    private TimeBound? CompilePoint(
        TimePointDefinition point, string path, bool isUpper, int fiscalYearStart, ZoneDays days, Func<(string Property, string Path), PropertyDefinition?> findPoint)
    {
        var given = (point.Date.Length > 0 ? 1 : 0) + (point.Index != TimeIndex.None ? 1 : 0) + (point.Property.Length > 0 ? 1 : 0);
        if (given != 1 || !Enum.IsDefined(point.Index))
        {
            Error(path, "BAD_TIME_POINT", $"{given}", "A time point is exactly one of date, index and property (FIL-26).");
            return null;
        }

        if (point.OffsetDays is < -DaysMax or > DaysMax)
        {
            OutOfRange($"{path}.offsetDays", $"{point.OffsetDays}", $"The offset of a time point is -{DaysMax} to {DaysMax} days.");
            return null;
        }

        var plusMs = isUpper != point.Exclusive ? 1 : 0;
        if (point.Index != TimeIndex.None)
        {
            return point.Index == TimeIndex.Now
                ? new NowBound(days, point.OffsetDays, plusMs)
                : new UnitBound(days, UnitOf(point.Index, fiscalYearStart), 0, point.OffsetDays, plusMs);
        }

        if (point.Date.Length > 0)
        {
            return CompileDate(point.Date, $"{path}.date", point.OffsetDays, plusMs, days);
        }

        return findPoint((point.Property, $"{path}.property")) is { } property ? new PropertyBound(property.Number, days, point.OffsetDays, plusMs) : null;
    }

    /// <summary>A date or instant as a bound. For a date, one ms after it is the first ms of the next day.</summary>
    private FixedBound? CompileDate(string text, string path, int offsetDays, int plusMs, ZoneDays days)
    {
        if (Value.TryParse(text, PropertyType.Date, out var date))
        {
            return new FixedBound(days.StartOf((long)LocalDates.ToDays(date.Date) + offsetDays + plusMs));
        }

        if (Value.TryParse(text, PropertyType.DateTime, out var instant))
        {
            return new FixedBound(days.PlusDays(instant.DateTime, offsetDays).PlusMs(plusMs));
        }

        Error(path, "WRONG_TYPE", text, $"'{Refusal.Cut(text)}' is no date like 2026-11-22 and no instant like 2026-11-22T10:00:00Z.");
        return null;
    }

    private PropertyDefinition? FindPoint(string name, string path, ObjectTypeDefinition ofType, List<int> points)
    {
        if (FindProperty(name, path, ofType) is not { } property)
        {
            return null;
        }

        if (!IsTime(property.Type))
        {
            Error(path, "WRONG_TYPE", name, $"'{property.Name}' is of type {Upper(property.Type)}; a time point is a property of type DATE or DATETIME (FIL-26).");
            return null;
        }

        points.Add(property.Number);
        return property;
    }

    private static CalendarUnit UnitOf(TimeIndex index, int fiscalYearStart) => index switch
    {
        TimeIndex.Today => CalendarUnit.Day,
        TimeIndex.Week => new CalendarUnit(TimeUnit.Week),
        TimeIndex.Month => new CalendarUnit(TimeUnit.Month),
        TimeIndex.Quarter => new CalendarUnit(TimeUnit.Quarter),
        TimeIndex.Year => new CalendarUnit(TimeUnit.Year),
        TimeIndex.FiscalQuarter => new CalendarUnit(TimeUnit.Quarter, Math.Max(1, fiscalYearStart)),
        TimeIndex.FiscalYear => new CalendarUnit(TimeUnit.Year, Math.Max(1, fiscalYearStart)),
        _ => throw new InvalidOperationException($"Time index {index} is no start of a unit."),
    };

    private TimeTest? CompileRange(TimeRangeDefinition range, string path)
    {
        if (range.Kind == TimeRangeKind.None || !Enum.IsDefined(range.Kind))
        {
            Error($"{path}.kind", "UNKNOWN_RANGE", $"{(int)range.Kind}", "The kind of a range is BEFORE, AFTER, BETWEEN or NOT_BETWEEN (FIL-05).");
            return null;
        }

        var needsTo = range.Kind is TimeRangeKind.Between or TimeRangeKind.NotBetween;
        if (!needsTo && range.To is not null)
        {
            Error($"{path}.to", "BAD_COMBINATION", range.Kind.ToString().ToUpperInvariant(), "BEFORE and AFTER have one bound, from (FIL-05).");
            return null;
        }

        // BEFORE and AFTER leave their bound out, so an upper bound is where it begins and a lower one where it is over.
        var days = new ZoneDays(zone);
        var from = CompileRangeBound(range.From, $"{path}.from", range.Kind == TimeRangeKind.After ? 1 : 0, days);
        var to = needsTo ? CompileRangeBound(range.To, $"{path}.to", 1, days) : null;
        if (from is null || (needsTo && to is null))
        {
            return null;
        }

        return range.Kind == TimeRangeKind.Before
            ? new TimeTest(days, null, from)
            : new TimeTest(days, from, to, range.Kind == TimeRangeKind.NotBetween);
    }

    /// <summary>Where a bound begins or, with 1, where it is over. Bounds in days are whole calendar days (FIL-05).</summary>
    private TimeBound? CompileRangeBound(RangeBoundDefinition? bound, string path, int plus, ZoneDays days)
    {
        if (bound is null || bound.Date.Length > 0 == bound.Days is not null)
        {
            Error(path, "BAD_BOUND", string.Empty, "A bound of a range is exactly one of date, days and weeks (FIL-05).");
            return null;
        }

        if (bound.Days is not { } offset)
        {
            return CompileDate(bound.Date, $"{path}.date", 0, plus, days);
        }

        if (offset is < -DaysMax or > DaysMax)
        {
            OutOfRange($"{path}.days", $"{offset}", $"A relative bound is -{DaysMax} to {DaysMax} days.");
            return null;
        }

        return new UnitBound(days, CalendarUnit.Day, 0, offset + plus, 0);
    }

    private void OutOfRange(string path, string value, string message) => Error(path, "OUT_OF_RANGE", value, message);
}
