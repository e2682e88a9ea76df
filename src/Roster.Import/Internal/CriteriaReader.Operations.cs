using System.Globalization;
using Roster.V1;
using Kind = Roster.V1.PropertyType.Types.Kind;
using Operator = Roster.Core.Filters.Operator;
using OperatorTable = Roster.Core.Filters.OperatorTable;

namespace Roster.Import.Internal;

/// <content>Operations: operator and operands of a filter (FIL-20 to FIL-31).</content>
internal sealed partial class CriteriaReader
{
    /// <summary>
    /// Reads an operation into a filter, and says of which type the property is. When it cannot be said, the filter is left without an
    /// operator, and publishing refuses it.
    /// </summary>
    private static Kind Operation(Node operation, Filter to)
    {
        if (!operation.IsObject)
        {
            operation.Unsupported(FindingCode.Missing, "The filter has no operation.");
            return Kind.Unspecified;
        }

        to.IncludeUnknown = operation["includeObjectsWithNoValueSet"].Flag();
        var type = operation["operationType"].Word().Replace("_", "", StringComparison.Ordinal);
        var op = operation["operator"];
        if (!WireNames.TryParse(op.Word(), out Filter.Types.Operator parsed))
        {
            op.Unsupported(FindingCode.UnknownValue, "The operator has no counterpart. The filter is left without one.");
            return Kind.Unspecified;
        }

        to.Operator = parsed;
        if (OperatorTable.IsAboutPresence((Operator)(int)parsed))
        {
            // These operators ignore the option (FIL-06), so it says nothing.
            to.IncludeUnknown = false;
            return KindOf(type);
        }

        if (!Operands(operation, type, to))
        {
            to.Operator = Filter.Types.Operator.Unspecified;
        }

        return KindOf(type);
    }

    private static Kind KindOf(string type) => type switch
    {
        "STRING" or "MULTISTRING" or "COMPARATIVESTRING" => Kind.String,
        "NUMBER" or "NUMBERRANGED" or "RANGEDNUMBER" => Kind.Number,
        "BOOL" or "BOOLEAN" => Kind.Bool,
        "ENUMERATION" => Kind.Enumeration,
        "DATE" => Kind.Date,
        "DATETIME" or "RANGEDDATE" or "ROLLINGDATERANGE" or "CALENDARDATE" or "COMPARATIVEDATE" or "TIMEPOINT" or "TIMERANGED" => Kind.Datetime,
        _ => Kind.Unspecified,
    };

    private static bool Operands(Node operation, string type, Filter to)
    {
        switch (type)
        {
            case "STRING" or "MULTISTRING" or "NUMBER" or "BOOL" or "BOOLEAN" or "ENUMERATION" or "ALLPROPERTY" or "ALLTYPES" or "ALLPROPERTYTYPES":
                return Values(operation, to, [operation["value"], .. operation["values"].Items()], 1);
            case "NUMBERRANGED" or "RANGEDNUMBER":
                return Values(operation, to, [operation["lowerBound"], operation["upperBound"]], 2);
            case "DATE":
                return Date(operation, to);
            case "DATETIME":
                return Instant(operation, to);
            case "RANGEDDATE":
                return RangedDate(operation, to);
            case "ROLLINGDATERANGE" or "ROLLINGPROPERTYUPDATED":
                ZoneRemark(operation);
                return Values(operation, to, [operation["numberOfDays"]], 1);
            case "CALENDARDATE":
                return Calendar(operation, to);
            case "COMPARATIVEDATE" or "COMPARATIVESTRING" or "COMPARATIVENUMBER" or "COMPARATIVEPROPERTYUPDATED":
                to.CompareWith = Ids.KeepName(operation["comparisonPropertyName"], "property");
                to.DefaultComparisonValue = operation["defaultComparisonValue"].Text() ?? "";
                to.UseUpdatedAt = type == "COMPARATIVEPROPERTYUPDATED";
                return true;
            case "TIMEPOINT":
                return AtPoint(operation, to);
            case "TIMERANGED":
                return BetweenPoints(operation, to);
            default:
                operation["operationType"].Unsupported(FindingCode.UnknownValue, "Operations of this type have no counterpart. The filter is left without an operator.");
                return false;
        }
    }

    /// <summary>Single values; false when one is no single value, or when there are too few.</summary>
    private static bool Values(Node operation, Filter to, IReadOnlyList<Node> nodes, int min)
    {
        var texts = nodes.Where(node => node.Exists).Select(node => node.Text()).ToList();
        to.Values.AddRange(texts.OfType<string>());
        if (to.Values.Count < min)
        {
            operation.Unsupported(FindingCode.Missing, "The operation lacks a value. The filter is left without an operator.");
        }

        return to.Values.Count >= min && texts.All(text => text is not null);
    }

    private static bool Date(Node operation, Filter to)
    {
        var month = operation["month"];
        if (DateText(operation["year"].Int(), Month(month), operation["day"].Int()) is not { } date)
        {
            operation.Unsupported(FindingCode.WrongType, "Year, month and day are no date.");
            return false;
        }

        SetDay(to, date);
        return true;
    }

    private static void SetDay(Filter to, string date)
    {
        if (OperatorTable.IsAboutPoint((Operator)(int)to.Operator))
        {
            to.From = new TimePoint { Date = date, Exclusive = true };
            return;
        }

        to.Values.Add(date);
    }

    private static bool Instant(Node operation, Filter to)
    {
        ZoneRemark(operation);
        var timestamp = operation["timestamp"];
        if (Moment(timestamp) is not { } moment)
        {
            timestamp.Unsupported(FindingCode.WrongType, "A time is expected here, in milliseconds since 1970.");
            return false;
        }

        if (to.Operator is not (Filter.Types.Operator.IsBeforeDate or Filter.Types.Operator.IsAfterDate))
        {
            SetDay(to, InstantText(moment));
            return true;
        }

        to.Values.Add(DateText(moment));
        if (moment.TimeOfDay != TimeSpan.Zero)
        {
            timestamp.Adapted(FindingCode.Rewritten, "The day counts, in UTC.");
        }

        return true;
    }

    private static bool RangedDate(Node operation, Filter to)
    {
        ZoneRemark(operation);
        if (Moment(operation["lowerBound"]) is not { } lower || Moment(operation["upperBound"]) is not { } upper)
        {
            operation.Unsupported(FindingCode.WrongType, "Two times are expected here, lowerBound and upperBound, in milliseconds since 1970.");
            return false;
        }

        // Whole days are said as such: they are judged in the zone of the workflow.
        var isWhole = lower.TimeOfDay == TimeSpan.Zero && (upper.TimeOfDay == TimeSpan.Zero || upper.TimeOfDay >= new TimeSpan(23, 59, 59));
        to.From = new TimePoint { Date = isWhole ? DateText(lower) : InstantText(lower) };
        to.To = new TimePoint { Date = isWhole ? DateText(upper) : InstantText(upper) };
        return true;
    }

    private static void ZoneRemark(Node operation)
    {
        var node = operation["requiresTimeZoneConversion"];
        if (node.Flag())
        {
            node.Adapted(FindingCode.Rewritten, "Days are judged in the zone of the workflow, else of the tenant (FIL-08).");
        }
    }

    private static bool Calendar(Node operation, Filter to)
    {
        if (!WireNames.TryParse(operation["timeUnit"].Word(), out Filter.Types.TimeUnit unit))
        {
            operation["timeUnit"].Unsupported(FindingCode.UnknownValue, "A unit is DAY, WEEK, MONTH, QUARTER or YEAR.");
            return false;
        }

        to.Unit = unit;
        var count = operation["timeUnitCount"].Text();
        if (to.Operator is Filter.Types.Operator.InLastTimeUnit or Filter.Types.Operator.InNextTimeUnit)
        {
            to.Values.Add(count ?? "1");
        }

        var start = Month(operation["fiscalYearStart"]) ?? 0;
        to.FiscalYearStart = operation["useFiscalYear"].Flag() ? start : 0;
        return true;
    }

    public static int? Month(Node node)
    {
        if (!node.Exists)
        {
            return null;
        }

        var word = node.Word();
        if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 12)
        {
            return number;
        }

        var index = Array.FindIndex(CultureInfo.InvariantCulture.DateTimeFormat.MonthNames, name => name.Length > 0 && string.Equals(name, word, StringComparison.OrdinalIgnoreCase));
        if (index < 0)
        {
            node.Unsupported(FindingCode.WrongType, "A month is expected here.");
        }

        return index < 0 ? null : index + 1;
    }

    public static string? DateText(int? year, int? month, int? day) =>
        year is >= 1 and <= 9999 && month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year.Value, month.Value)
            ? string.Create(CultureInfo.InvariantCulture, $"{year:0000}-{month:00}-{day:00}")
            : null;

    public static string DateText(DateTimeOffset moment) => moment.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string InstantText(DateTimeOffset moment) => moment.ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'", CultureInfo.InvariantCulture);

    public static DateTimeOffset? Moment(Node node) => node.Whole() is { } ms && ms is > -61_000_000_000_000 and < 253_000_000_000_000
        ? DateTimeOffset.FromUnixTimeMilliseconds(ms)
        : null;
}
