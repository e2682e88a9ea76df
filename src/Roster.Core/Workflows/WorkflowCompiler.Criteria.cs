using Roster.Core.Filters;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Workflows;

/// <content>Criteria and filters.</content>
public sealed partial class WorkflowCompiler
{
    private static readonly PropertyType[] EventValueTypes =
        [PropertyType.String, PropertyType.Number, PropertyType.Bool, PropertyType.Enumeration, PropertyType.Date, PropertyType.DateTime];

    private Criteria CompileCriteria(CriteriaDefinition? definition, string path)
    {
        if (definition is null)
        {
            Error(path, "NO_CRITERIA", string.Empty, "Criteria are required here.");
            return new Criteria([]);
        }

        if (definition.AnyOf.Count == 0)
        {
            Error($"{path}.anyOf", "EMPTY_CRITERIA", string.Empty, "Criteria without a group never hold (FIL-02).");
        }

        if (definition.AnyOf.Sum(g => g.Count) > FiltersMax)
        {
            Error(path, "TOO_MANY_FILTERS", $"{definition.AnyOf.Sum(g => g.Count)}", $"At most {FiltersMax} filters (setting filters_max).");
        }

        var groups = new PropertyFilter[definition.AnyOf.Count][];
        for (var g = 0; g < groups.Length; g++)
        {
            groups[g] = definition.AnyOf[g]
                .Select((filter, f) => CompileFilter(filter, $"{path}.anyOf[{g}].allOf[{f}]"))
                .OfType<PropertyFilter>()
                .ToArray();
        }

        return new Criteria(groups);
    }

    private PropertyFilter? CompileFilter(FilterDefinition filter, string path)
    {
        var property = _type.Find(filter.Property);
        if (property is null)
        {
            Error($"{path}.property", "UNDECLARED_PROPERTY", filter.Property, $"Property '{Refusal.Cut(filter.Property)}' of {_type.Name} is not declared.");
        }

        if (!CheckOperator(filter, path))
        {
            return null;
        }

        if (property is null)
        {
            return null;
        }

        if (!OperatorTable.Takes(filter.Operator, property.Type))
        {
            Error($"{path}.operator", "OPERATOR_NOT_FOR_TYPE", OperatorTable.NameOf(filter.Operator), $"Operator {OperatorTable.NameOf(filter.Operator)} is not defined for '{property.Name}', which is of type {Upper(property.Type)}.");
            return null;
        }

        if (OperatorTable.IsAboutPresence(filter.Operator))
        {
            return new PropertyFilter(property, filter.Operator, null, filter.IncludeUnknown);
        }

        var judged = OperatorTable.LooksAtHistory(filter.Operator) ? OperatorTable.OfHistory(filter.Operator).Positive : filter.Operator;
        var zone = Zone($"{path}.timeZone", filter.TimeZone, _zone);
        if (!Test.TryCreate(judged, property.Type, filter.Values, zone, out var test, out var bad))
        {
            Error($"{path}.values[{bad}]", "WRONG_TYPE", filter.Values[bad], $"'{Refusal.Cut(filter.Values[bad])}' is not a value of type {Upper(property.Type)} for operator {OperatorTable.NameOf(filter.Operator)}.");
            return null;
        }

        CheckOptions(property, filter, path);
        return new PropertyFilter(property, filter.Operator, test, filter.IncludeUnknown);
    }

    private EventFilter CompileEventFilter(FilterDefinition filter, string path)
    {
        var tests = new Test?[(int)PropertyType.DateTime + 1];
        if (!Names.IsName(filter.Property))
        {
            Error($"{path}.property", "BAD_NAME", filter.Property, "A property name has 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        }

        if (CheckOperator(filter, path) && OperatorTable.LooksAtHistory(filter.Operator))
        {
            Error($"{path}.operator", "OPERATOR_NOT_FOR_TYPE", OperatorTable.NameOf(filter.Operator), "An event has no former values.");
        }
        else if (!OperatorTable.IsAboutPresence(filter.Operator) && filter.Operator != Operator.None)
        {
            var zone = Zone($"{path}.timeZone", filter.TimeZone, _zone);
            foreach (var type in EventValueTypes.Where(t => OperatorTable.Takes(filter.Operator, t) && filter.Values.Count > 0))
            {
                Test.TryCreate(filter.Operator, type, filter.Values, zone, out tests[(int)type], out _);
            }

            if (filter.Values.Count > 0 && tests.All(t => t is null))
            {
                Error($"{path}.values", "WRONG_TYPE", filter.Values[0], $"The values are of no type that operator {OperatorTable.NameOf(filter.Operator)} takes.");
            }
        }

        return new EventFilter(filter.Property, filter.Operator, tests, filter.IncludeUnknown);
    }

    private bool CheckOperator(FilterDefinition filter, string path)
    {
        if (!Enum.IsDefined(filter.Operator) || filter.Operator == Operator.None)
        {
            Error($"{path}.operator", "UNKNOWN_OPERATOR", $"{(int)filter.Operator}", "The operator is missing or not known.");
            return false;
        }

        var (min, max) = OperatorTable.Operands(filter.Operator);
        if (filter.Values.Count < min || filter.Values.Count > max)
        {
            Error($"{path}.values", "VALUE_COUNT", $"{filter.Values.Count}", $"Operator {OperatorTable.NameOf(filter.Operator)} takes {(min == max ? $"{min}" : $"{min} or more")} values, not {filter.Values.Count}.");
            return false;
        }

        if (filter.Values.Count > ValuesMax)
        {
            Error($"{path}.values", "TOO_MANY_VALUES", $"{filter.Values.Count}", $"At most {ValuesMax} values (setting values_max).");
            return false;
        }

        return true;
    }

    private void CheckOptions(PropertyDefinition property, FilterDefinition filter, string path)
    {
        if (property.Type != PropertyType.Enumeration)
        {
            return;
        }

        for (var i = 0; i < filter.Values.Count; i++)
        {
            if (!property.HasOption(filter.Values[i]))
            {
                Error($"{path}.values[{i}]", "UNDECLARED_OPTION", filter.Values[i], $"'{Refusal.Cut(filter.Values[i])}' is no declared option of '{property.Name}'.");
            }
        }
    }
}
