using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <content>Filters on properties of a record.</content>
public sealed partial class CriteriaCompiler
{
    private Filter? CompileProperty(PropertyFilterDefinition filter, Place place)
    {
        if (filter.Property.Length == 0)
        {
            Error($"{place.Path}.property", "INCOMPLETE_FILTER", string.Empty, "A filter names a property, or is of another kind.");
            return null;
        }

        var property = FindProperty(filter.Property, $"{place.Path}.property", place.Type);
        var days = new ZoneDays(Zone($"{place.Path}.timeZone", filter.TimeZone));
        if (!CheckOperator(filter, place.Path) || property is null)
        {
            return null;
        }

        if (place.IsCopy && OperatorTable.LooksAtHistory(filter.Operator))
        {
            Error($"{place.Path}.operator", "NOT_IN_ASSOCIATED", OperatorTable.NameOf(filter.Operator), "A copy of an associated record has no former values (ASC-04).");
            return null;
        }

        if (filter.CompareWith.Length > 0)
        {
            return CompileComparison(filter, property, days, place);
        }

        var usesUpdatedAt = filter.UseUpdatedAt || OperatorTable.IsAboutUpdate(filter.Operator);
        var judged = usesUpdatedAt ? PropertyType.DateTime : property.Type;
        if (!CheckType(filter, property, judged, place.Path) || !CheckSettings(filter, place.Path) || !CheckValueCount(filter, judged, place.Path))
        {
            return null;
        }

        if (IsAboutTime(filter))
        {
            var points = new List<int>();
            var timeTest = CompileTime(filter, place.Path, days, name => FindPoint(name.Property, name.Path, place.Type, points));
            return timeTest is null ? null : new PropertyTimeFilter(Label(place, filter), property, timeTest, [.. points], usesUpdatedAt, filter.IncludeUnknown);
        }

        if (OperatorTable.IsAboutPresence(filter.Operator))
        {
            return new PropertyFilter(Label(place, filter), property, filter.Operator, null, filter.IncludeUnknown, Settings.PropertyHistoryMax);
        }

        return TryReadValues(filter, property, days, place.Path, out var test)
            ? new PropertyFilter(Label(place, filter), property, filter.Operator, test, filter.IncludeUnknown, Settings.PropertyHistoryMax)
            : null;
    }

    /// <summary>FIL-30, and FIL-27 between two properties.</summary>
    private ComparisonFilter? CompileComparison(PropertyFilterDefinition filter, PropertyDefinition left, ZoneDays days, Place place)
    {
        var path = place.Path;
        var right = FindProperty(filter.CompareWith, $"{path}.compareWith", place.Type);
        var judged = filter.UseUpdatedAt ? PropertyType.DateTime : left.Type;
        if (!OperatorTable.Compares(filter.Operator, judged))
        {
            NotForType(filter, left, path, "compares no properties of this type");
            return null;
        }

        if (filter.Values.Count > 0 || filter.From is not null || filter.To is not null)
        {
            Error(path, "BAD_COMBINATION", filter.CompareWith, "compareWith goes without values and without time points (FIL-30).");
            return null;
        }

        if (right is null)
        {
            return null;
        }

        if (!filter.UseUpdatedAt && right.Type != left.Type && !(IsTime(right.Type) && IsTime(left.Type)))
        {
            Error($"{path}.compareWith", "WRONG_TYPE", filter.CompareWith, $"'{right.Name}' is of type {Upper(right.Type)}, '{left.Name}' of type {Upper(left.Type)}: they do not compare (FIL-30).");
            return null;
        }

        if (filter.UseUpdatedAt && filter.DefaultComparisonValue.Length > 0)
        {
            Error($"{path}.defaultComparisonValue", "BAD_COMBINATION", filter.DefaultComparisonValue, "A default stands for a value; it has no time of change (FIL-27).");
            return null;
        }

        if (!Value.TryParse(filter.DefaultComparisonValue, right.Type, out var defaultValue))
        {
            Error($"{path}.defaultComparisonValue", "WRONG_TYPE", filter.DefaultComparisonValue, $"'{Refusal.Cut(filter.DefaultComparisonValue)}' is not a value of type {Upper(right.Type)}.");
            return null;
        }

        return CheckSettings(filter, path)
            ? new ComparisonFilter(Label(place, filter), left, right, filter.Operator, defaultValue, days, filter.UseUpdatedAt, filter.IncludeUnknown)
            : null;
    }

    private bool TryReadValues(PropertyFilterDefinition filter, PropertyDefinition property, ZoneDays days, string path, out Test? test)
    {
        var judged = OperatorTable.LooksAtHistory(filter.Operator) ? OperatorTable.OfHistory(filter.Operator).Positive : filter.Operator;
        if (!Test.TryCreate(judged, property.Type, filter.Values, days, out test, out var bad))
        {
            Error($"{path}.values[{bad}]", "WRONG_TYPE", filter.Values[bad], $"'{Refusal.Cut(filter.Values[bad])}' is not a value of type {Upper(property.Type)} for operator {OperatorTable.NameOf(filter.Operator)}.");
            return false;
        }

        for (var i = 0; i < filter.Values.Count && property.Type == PropertyType.Enumeration; i++)
        {
            if (!property.HasOption(filter.Values[i]))
            {
                Error($"{path}.values[{i}]", "UNDECLARED_OPTION", filter.Values[i], $"'{Refusal.Cut(filter.Values[i])}' is no declared option of '{property.Name}'.");
            }
        }

        return true;
    }

    private PropertyDefinition? FindProperty(string name, string path, ObjectTypeDefinition ofType)
    {
        if (ofType.Find(name) is { } property)
        {
            return property;
        }

        Error(path, "UNDECLARED_PROPERTY", name, $"Property '{Refusal.Cut(name)}' of {ofType.Name} is not declared.");
        return null;
    }

    private bool CheckOperator(PropertyFilterDefinition filter, string path)
    {
        if (!Enum.IsDefined(filter.Operator) || filter.Operator == Operator.None)
        {
            Error($"{path}.operator", "UNKNOWN_OPERATOR", $"{(int)filter.Operator}", "The operator is missing or not known.");
            return false;
        }

        if (filter.Values.Count > Settings.ValuesMax)
        {
            Error($"{path}.values", "TOO_MANY_VALUES", $"{filter.Values.Count}", $"At most {Settings.ValuesMax} values (setting values_max).");
            return false;
        }

        return true;
    }

    private bool CheckType(PropertyFilterDefinition filter, PropertyDefinition property, PropertyType judged, string path)
    {
        if (filter.UseUpdatedAt && !IsAboutTime(filter))
        {
            Error($"{path}.useUpdatedAt", "BAD_COMBINATION", OperatorTable.NameOf(filter.Operator), $"Operator {OperatorTable.NameOf(filter.Operator)} judges values, not when they changed (FIL-26, FIL-27).");
            return false;
        }

        if (filter.Operator == Operator.MatchesRegex)
        {
            NotForType(filter, property, path, "works on event properties only (FIL-32); it is not defined");
            return false;
        }

        if (!OperatorTable.Takes(filter.Operator, judged) || (HasPoints(filter) && IsRange(filter.Operator) && !IsTime(judged)))
        {
            NotForType(filter, property, path, "is not defined");
            return false;
        }

        return true;
    }

    private void NotForType(PropertyFilterDefinition filter, PropertyDefinition property, string path, string why) => Error(
        $"{path}.operator", "OPERATOR_NOT_FOR_TYPE", OperatorTable.NameOf(filter.Operator),
        $"Operator {OperatorTable.NameOf(filter.Operator)} {why} for '{property.Name}', which is of type {Upper(property.Type)}.");

    private bool CheckValueCount(PropertyFilterDefinition filter, PropertyType judged, string path)
    {
        var (min, max) = HasPoints(filter) ? (0, 0) : OperatorTable.Operands(filter.Operator, judged);
        return (filter.Values.Count >= min && filter.Values.Count <= max) || ReportValueCount(filter, path, min, max);
    }

    private bool ReportValueCount(PropertyFilterDefinition filter, string path, int min, int max)
    {
        Error($"{path}.values", "VALUE_COUNT", $"{filter.Values.Count}", $"Operator {OperatorTable.NameOf(filter.Operator)} takes {(min == max ? $"{min}" : $"{min} or more")} values, not {filter.Values.Count}.");
        return false;
    }

    private static bool IsTime(PropertyType propertyType) => propertyType is PropertyType.Date or PropertyType.DateTime;

    private static string Upper(PropertyType propertyType) => propertyType.ToString().ToUpperInvariant();
}
