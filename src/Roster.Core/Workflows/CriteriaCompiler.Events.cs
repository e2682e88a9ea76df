using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <content>Filters on events: of triggers, and in the history of a record.</content>
public sealed partial class CriteriaCompiler
{
    private static readonly PropertyType[] EventValueTypes =
        [PropertyType.String, PropertyType.Number, PropertyType.Bool, PropertyType.Enumeration, PropertyType.Date, PropertyType.DateTime];

    /// <summary>Compiles filters on the properties of an event. They are AND-ed.</summary>
    /// <param name="filters">The filters.</param>
    /// <param name="path">JSON path of the list of filters: the first is at <c>path[0]</c>.</param>
    internal EventFilter[] CompileWhere(IReadOnlyList<FilterDefinition> filters, string path)
    {
        CheckCount(CountOf(filters), path);
        return CompileWhereOf(filters, path);
    }

    private EventFilter[] CompileWhereOf(IReadOnlyList<FilterDefinition> filters, string path) =>
        [.. filters.Select((filter, f) => CompileEventFilter(filter, $"{path}[{f}]")).OfType<EventFilter>()];

    private EventFilter? CompileEventFilter(FilterDefinition definition, string path)
    {
        if (definition is not PropertyFilterDefinition filter)
        {
            var isIncomplete = definition is IncompleteFilterDefinition;
            Error(path, isIncomplete ? "INCOMPLETE_FILTER" : "NOT_IN_EVENT", KindOf(definition), "A filter on an event is about its properties (FIL-36).");
            return null;
        }

        if (!Names.IsName(filter.Property))
        {
            Error($"{path}.property", "BAD_NAME", filter.Property, "A property name has 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        }

        var days = new ZoneDays(Zone($"{path}.timeZone", filter.TimeZone));
        if (!CheckOperator(filter, path) || !CheckForEvent(filter, path) || !CheckSettings(filter, path))
        {
            return null;
        }

        if (IsAboutTime(filter))
        {
            var timeTest = CheckValueCount(filter, PropertyType.DateTime, path) ? CompileTime(filter, path, days, ReportPoint) : null;
            return timeTest is null ? null : new EventFilter(filter.Property, filter.Operator, [], timeTest, filter.IncludeUnknown);
        }

        return TryReadTests(filter, path, days, out var tests)
            ? new EventFilter(filter.Property, filter.Operator, tests, null, filter.IncludeUnknown)
            : null;
    }

    private bool CheckForEvent(PropertyFilterDefinition filter, string path)
    {
        var op = OperatorTable.NameOf(filter.Operator);
        if (OperatorTable.LooksAtHistory(filter.Operator) || OperatorTable.IsAboutUpdate(filter.Operator))
        {
            Error($"{path}.operator", "OPERATOR_NOT_FOR_TYPE", op, "An event has no former values.");
            return false;
        }

        if (filter.UseUpdatedAt || filter.CompareWith.Length > 0)
        {
            Error($"{path}.{(filter.UseUpdatedAt ? "useUpdatedAt" : "compareWith")}", "NOT_IN_EVENT", op, "Only properties of a record have a time of change or are compared with each other (FIL-27, FIL-30).");
            return false;
        }

        return true;
    }

    private PropertyDefinition? ReportPoint((string Property, string Path) point)
    {
        Error(point.Path, "NOT_IN_EVENT", point.Property, "A filter on an event has no properties of the record as time points.");
        return null;
    }

    /// <summary>The type of a value is known only when an event comes: the operands are read for each type they fit.</summary>
    private bool TryReadTests(PropertyFilterDefinition filter, string path, ZoneDays days, out Test?[] tests)
    {
        tests = new Test?[(int)PropertyType.DateTime + 1];
        if (OperatorTable.IsAboutPresence(filter.Operator))
        {
            return CheckValueCount(filter, PropertyType.String, path);
        }

        var taking = EventValueTypes.Where(t => OperatorTable.Takes(filter.Operator, t)).ToArray();
        var fitting = taking.Where(t => OperatorTable.Operands(filter.Operator, t) is var (min, max) && filter.Values.Count >= min && filter.Values.Count <= max).ToArray();
        if (fitting.Length == 0)
        {
            var (min, max) = OperatorTable.Operands(filter.Operator, taking[0]);
            return ReportValueCount(filter, path, min, max);
        }

        foreach (var valueType in fitting)
        {
            Test.TryCreate(filter.Operator, valueType, filter.Values, days, out tests[(int)valueType], out _);
        }

        if (tests.All(t => t is null))
        {
            ReportUnread(filter, path);
            return false;
        }

        return true;
    }

    private void ReportUnread(PropertyFilterDefinition filter, string path)
    {
        if (filter.Operator == Operator.MatchesRegex)
        {
            Error($"{path}.values[0]", "BAD_REGEX", filter.Values[0], $"The value is no regular expression of at most {Test.RegexLengthMax} characters without look-around and back references.");
            return;
        }

        Error($"{path}.values", "WRONG_TYPE", filter.Values[0], $"The values are of no type that operator {OperatorTable.NameOf(filter.Operator)} takes.");
    }

    private EventHistoryFilter? CompileEvents(EventHistoryFilterDefinition events, Place place)
    {
        var path = $"{place.Path}.events";
        var count = CompileCount(events.Refine, path);
        return CompileOccurrences(events, path) is { } test
            ? new EventHistoryFilter(Label(place, events), events.EventType, test, events.Negate, count)
            : null;
    }

    private EventPairFilter? CompilePair(EventPairFilterDefinition pair, Place place)
    {
        var path = $"{place.Path}.email";
        if (pair.Happened.Negate || pair.Missing.Negate || pair.Missing.Refine?.Occurrences is not null)
        {
            Error(path, "BAD_COMBINATION", string.Empty, "Of a two-part filter the first part has happened and the second has not; only the first is counted (FIL-33).");
            return null;
        }

        var count = CompileCount(pair.Happened.Refine, path);
        var happened = CompileOccurrences(pair.Happened, path);
        var missing = CompileOccurrences(pair.Missing, path);
        return happened is null || missing is null ? null : new EventPairFilter(Label(place, pair), happened, missing, count);
    }

    /// <summary>An event type that the schema does not know has never occurred: the filter finds nothing.</summary>
    private OccurrenceTest? CompileOccurrences(EventHistoryFilterDefinition events, string path)
    {
        if (!Names.IsName(events.EventType))
        {
            Error($"{path}.eventType", events.EventType.Length == 0 ? "INCOMPLETE_FILTER" : "BAD_NAME", events.EventType, "An event type has 1 to 100 characters of a-z, 0-9, _, - and '.'.");
            return null;
        }

        var where = CompileWhereOf(events.Where, $"{path}.where");
        var range = events.Refine?.Time is { } time ? CompileRange(time, $"{path}.refine.time") : null;
        return new OccurrenceTest(scope.Schema.FindEventType(events.EventType), Settings.EventHistoryMax, where, range);
    }

    private (int Min, int Max)? CompileCount(RefinementDefinition? refine, string path)
    {
        if (refine is { Time: not null, Occurrences: not null })
        {
            Error($"{path}.refine", "TWO_REFINEMENTS", string.Empty, "A filter has one refine-by: a time range or a count (FIL-04); for a count within a window filter on occurred_at in where.");
        }

        if (refine?.Occurrences is not { } occurrences)
        {
            return null;
        }

        var max = occurrences.Max ?? int.MaxValue;
        if (occurrences.Min < 0 || max < occurrences.Min || occurrences.Min > Settings.EventHistoryMax)
        {
            OutOfRange($"{path}.refine.occurrences", $"{occurrences.Min} to {(occurrences.Max is null ? "any" : $"{occurrences.Max}")}", $"A count is 0 to {Settings.EventHistoryMax} (setting event_history_max), and its max is not below its min.");
        }

        return (occurrences.Min, max);
    }
}
