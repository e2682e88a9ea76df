using NodaTime;
using Roster.V1;

namespace Roster.Import.Internal;

/// <content>Time points (FIL-26) and refine-bys (FIL-04, FIL-05).</content>
internal sealed partial class CriteriaReader
{
    private static readonly string[] TimeFields = ["hour", "minute", "second", "millisecond"];

    private static bool AtPoint(Node operation, Filter to)
    {
        operation["type"].Text();
        to.From = Point(operation["timePoint"], operation["endpointBehavior"], to);
        return Parser(operation, to) && to.From is not null;
    }

    private static bool BetweenPoints(Node operation, Filter to)
    {
        operation["type"].Text();
        to.From = Point(operation["lowerBoundTimePoint"], operation["lowerBoundEndpointBehavior"], to);
        to.To = Point(operation["upperBoundTimePoint"], operation["upperBoundEndpointBehavior"], to);
        return Parser(operation, to) && to.From is not null && to.To is not null;
    }

    private static bool Parser(Node operation, Filter to)
    {
        var parser = operation["propertyParser"];
        var word = parser.Word();
        to.UseUpdatedAt = word == "UPDATED_AT";
        if (word is not ("VALUE" or "UPDATED_AT" or ""))
        {
            parser.Unsupported(FindingCode.UnknownValue, "A property is judged by its VALUE or by UPDATED_AT. The filter is left without an operator.");
            return false;
        }

        return true;
    }

    private static TimePoint? Point(Node point, Node endpoint, Filter to)
    {
        if (!Zone(point, to))
        {
            return null;
        }

        var type = point["timeType"].Word();
        var result = type switch
        {
            "DATE" => DatePoint(point, to),
            "INDEXED" => IndexPoint(point, to),
            "PROPERTY_REFERENCED" when point["referenceType"].Word() is "VALUE" or "" => new TimePoint { Property = Ids.KeepName(point["property"], "property") },
            _ => null,
        };
        if (result is null)
        {
            point.Unsupported(FindingCode.NoCounterpart, "This point in time cannot be said here. The filter is left without an operator.");
            return null;
        }

        result.Exclusive |= endpoint.Word() == "EXCLUSIVE";
        return result;
    }

    private static bool Zone(Node point, Filter to)
    {
        var source = point["timezoneSource"];
        if (source.Exists)
        {
            source.Text();
            source.Adapted(FindingCode.Rewritten, "Without a zone of its own a filter is judged in the zone of the workflow, else of the tenant (FIL-08).");
        }

        var zone = point["zoneId"];
        if (zone.Text() is not { Length: > 0 } id)
        {
            return true;
        }

        if (to.TimeZone.Length > 0 && to.TimeZone != id)
        {
            zone.Unsupported(FindingCode.NoCounterpart, $"A filter has one zone, and that is {to.TimeZone}. The filter is left without an operator.");
            return false;
        }

        to.TimeZone = id;
        return true;
    }

    private static TimePoint? DatePoint(Node point, Filter to)
    {
        if (DateText(point["year"].Int(), Month(point["month"]), point["day"].Int()) is not { } date)
        {
            return null;
        }

        var time = TimeOf(point);
        if (time == LocalTime.Midnight || IsEndOfDay(time))
        {
            return new TimePoint { Date = date };
        }

        var zone = DateTimeZoneProviders.Tzdb.GetZoneOrNull(to.TimeZone) ?? DateTimeZone.Utc;
        if (to.TimeZone.Length == 0)
        {
            point["hour"].Adapted(FindingCode.Rewritten, "The time of day is taken in UTC: the point names no zone.");
        }

        var local = NodaTime.Text.LocalDatePattern.Iso.Parse(date).Value + time;
        return new TimePoint { Date = InstantText(local.InZoneLeniently(zone).ToDateTimeOffset().ToUniversalTime()) };
    }

    private static LocalTime TimeOf(Node owner)
    {
        var parts = TimeFields.Select(name => owner[name].Int() ?? 0).ToArray();
        var isTime = parts[0] is >= 0 and < 24 && parts[1] is >= 0 and < 60 && parts[2] is >= 0 and < 60 && parts[3] is >= 0 and < 1000;
        return isTime ? new LocalTime(parts[0], parts[1], parts[2], parts[3]) : LocalTime.Midnight;
    }

    private static bool IsEndOfDay(LocalTime time) => time >= new LocalTime(23, 59);

    private static TimePoint? IndexPoint(Node point, Filter to)
    {
        var reference = point["indexReference"];
        if (!WireNames.TryParse(reference["referenceType"].Word(), out TimePoint.Types.Index index) || Offset(point["offset"]) is not { } days)
        {
            return null;
        }

        var isStart = index switch
        {
            TimePoint.Types.Index.Week => reference["dayOfWeek"].Word() is "MONDAY" or "",
            TimePoint.Types.Index.Month => (reference["day"].Int() ?? 1) == 1,
            TimePoint.Types.Index.Quarter or TimePoint.Types.Index.Year => (reference["day"].Int() ?? 1) == 1 && (Month(reference["month"]) ?? 1) == 1,
            TimePoint.Types.Index.FiscalQuarter or TimePoint.Types.Index.FiscalYear => (reference["day"].Int() ?? 1) == 1,
            _ => true,
        };
        if (index is TimePoint.Types.Index.FiscalQuarter or TimePoint.Types.Index.FiscalYear)
        {
            to.FiscalYearStart = Month(reference["month"]) ?? 0;
        }

        var time = TimeOf(reference);
        var result = new TimePoint { Index = index, OffsetDays = days };
        if (!isStart || time == LocalTime.Midnight || index == TimePoint.Types.Index.Now)
        {
            return isStart ? result : null;
        }

        if (index != TimePoint.Types.Index.Today || !IsEndOfDay(time))
        {
            return null;
        }

        // The end of a day is where the next one begins.
        reference["hour"].Adapted(FindingCode.Rewritten, "The end of the day is said as before the next one.");
        result.OffsetDays++;
        result.Exclusive = true;
        return result;
    }

    private static int? Offset(Node offset)
    {
        var days = (offset["days"].Int() ?? 0) + ((offset["weeks"].Int() ?? 0) * 7L);
        var hasOther = offset.Members().Any(part => part.Name is not ("days" or "weeks") && part.Value.Text() is { } text && text != "0");
        return hasOther || days is < -36_500 or > 36_500 ? null : (int)days;
    }

    /// <summary>Reads the refine-by of a filter; false when there are two, or one that cannot be said.</summary>
    private static bool Refine(Node owner, out Refinement? refine)
    {
        var isFine = RefineBy(owner["pruningRefineBy"], out var time) & RefineBy(owner["coalescingRefineBy"], out var count);
        refine = time ?? count;
        if (isFine && time is not null && count is not null)
        {
            owner["coalescingRefineBy"].Unsupported(FindingCode.NoCounterpart, "A filter has one refine-by here (FIL-04). An incomplete filter stands for it.");
            return false;
        }

        return isFine;
    }

    /// <summary>As <see cref="Refine"/>; a count within a time is said with the time of the event as one of its properties (FIL-04).</summary>
    private static bool RefineEvents(Node owner, EventHistoryFilter events)
    {
        var isFine = RefineBy(owner["pruningRefineBy"], out var time) & RefineBy(owner["coalescingRefineBy"], out var count);
        events.Refine = time ?? count;
        if (isFine && time is not null && count is not null)
        {
            owner["pruningRefineBy"].Adapted(FindingCode.Rewritten, "A count within a time is said with a filter on `occurred_at` (FIL-04).");
            events.Where.Add(OccurredAt(time.Time));
            events.Refine = count;
        }

        return isFine;
    }

    private static Filter OccurredAt(TimeRange range)
    {
        var filter = new Filter
        {
            Property = "occurred_at",
            Operator = range.Kind switch
            {
                TimeRange.Types.Kind.Before => Filter.Types.Operator.IsBefore,
                TimeRange.Types.Kind.After => Filter.Types.Operator.IsAfter,
                TimeRange.Types.Kind.Between => Filter.Types.Operator.IsBetween,
                _ => Filter.Types.Operator.IsNotBetween,
            },
            From = Bound(range.From, isUpper: range.Kind == TimeRange.Types.Kind.After, isOut: range.Kind is TimeRange.Types.Kind.Before or TimeRange.Types.Kind.After),
        };
        filter.To = range.To is null ? null : Bound(range.To, isUpper: true, isOut: false);
        return filter;
    }

    /// <summary>A bound in days is the whole day (FIL-05): its end is where the next one begins.</summary>
    private static TimePoint Bound(RangeBound bound, bool isUpper, bool isOut)
    {
        if (bound.AtCase == RangeBound.AtOneofCase.Date)
        {
            return new TimePoint { Date = bound.Date, Exclusive = isOut };
        }

        var days = bound.AtCase == RangeBound.AtOneofCase.Weeks ? bound.Weeks * 7 : bound.Days;
        return new TimePoint { Index = TimePoint.Types.Index.Today, OffsetDays = days + (isUpper ? 1 : 0), Exclusive = isUpper != isOut };
    }

    private static bool RefineBy(Node refine, out Refinement? result)
    {
        result = null;
        if (!refine.Exists)
        {
            return true;
        }

        var type = refine["type"].Word();
        switch (type)
        {
            case "ALL_HISTORY":
            case "SET_OCCURRENCES" when refine["setType"].Word() is "ANY":
                return true;
            case "NUM_OCCURRENCES":
                var occurrences = new Occurrences { Min = refine["minOccurrences"].Int() ?? 0 };
                if (refine["maxOccurrences"].Int() is { } max)
                {
                    occurrences.Max = max;
                }

                result = new Refinement { Occurrences = occurrences };
                return true;
            case "ABSOLUTE_COMPARATIVE" or "ABSOLUTE_RANGED" or "RELATIVE_COMPARATIVE" or "RELATIVE_RANGED":
                result = Range(refine, type) is { } range ? new Refinement { Time = range } : null;
                break;
            default:
                break;
        }

        if (result is null)
        {
            refine.Unsupported(FindingCode.NoCounterpart, "This refine-by cannot be said here. An incomplete filter stands for the filter.");
        }

        return result is not null;
    }

    private static TimeRange? Range(Node refine, string type)
    {
        var isRanged = type.EndsWith("_RANGED", StringComparison.Ordinal);
        var word = refine[isRanged ? "rangeType" : "comparison"].Word();
        word = word.StartsWith("IS_", StringComparison.Ordinal) ? word[3..] : word;
        var isKnown = isRanged ? word is "BETWEEN" or "NOT_BETWEEN" : word is "BEFORE" or "AFTER";
        var (from, to) = type switch
        {
            "ABSOLUTE_COMPARATIVE" => (Absolute(refine["timestamp"]), null),
            "ABSOLUTE_RANGED" => (Absolute(refine["lowerTimestamp"]), Absolute(refine["upperTimestamp"])),
            "RELATIVE_COMPARATIVE" => (Relative(refine["timeOffset"]), null),
            _ => (Relative(refine["lowerBoundOffset"]), Relative(refine["upperBoundOffset"])),
        };
        return isKnown && WireNames.TryParse(word, out TimeRange.Types.Kind kind) && from is not null && (!isRanged || to is not null)
            ? new TimeRange { Kind = kind, From = from, To = to }
            : null;
    }

    private static RangeBound? Absolute(Node timestamp) => Moment(timestamp) is { } moment ? new RangeBound { Date = InstantText(moment) } : null;

    private static RangeBound? Relative(Node offset)
    {
        var sign = offset["offsetDirection"].Word() switch { "PAST" => -1, "FUTURE" => 1, _ => 0 };
        var amount = offset["amount"].Int() ?? -1;
        return offset["timeUnit"].Word() switch
        {
            "DAYS" or "DAY" when sign != 0 && amount is >= 0 and <= 36_500 => new RangeBound { Days = sign * amount },
            "WEEKS" or "WEEK" when sign != 0 && amount is >= 0 and <= 5_000 => new RangeBound { Weeks = sign * amount },
            _ => null,
        };
    }
}
