using System.Globalization;
using Roster.Core.Filters;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <summary>One side of a comparison: the record now, or as it was before the round.</summary>
internal sealed class NaiveSide(IReadOnlyDictionary<string, NaiveProperty> properties, IReadOnlySet<string> lists)
{
    public string? Value(string property) => properties.GetValueOrDefault(property)?.Value;

    public IReadOnlyList<string> Ever(string property) => properties.GetValueOrDefault(property)?.Ever ?? [];

    public bool IsMember(string list) => lists.Contains(list);
}

/// <summary>Filters of section 6, the ones that cases use.</summary>
internal static class NaiveFilters
{
    public static string Canonical(string property, string value) => CaseSchema.Properties[property] switch
    {
        CaseSchema.Number => Plain(decimal.Parse(value, CultureInfo.InvariantCulture)),
        CaseSchema.Options => string.Join(';', value.Split(';').Distinct().Order(StringComparer.Ordinal)),
        _ => value,
    };

    public static string Plain(decimal number) => number.ToString("G29", CultureInfo.InvariantCulture);

    public static bool Holds(CriteriaDefinition criteria, NaiveSide side) => criteria.AnyOf.Any(group => Holds(group, side));

    public static bool Holds(FilterGroupDefinition group, NaiveSide side) => group.Match switch
    {
        GroupMatch.NotAll => group.AllOf.Any(f => !Holds(f, side)),
        GroupMatch.NotAny => group.AllOf.All(f => !Holds(f, side)),
        _ => group.AllOf.All(f => Holds(f, side)),
    };

    /// <summary>A filter on the properties of an event.</summary>
    public static bool Passes(FilterDefinition filter, IReadOnlyDictionary<string, string> occurrence)
    {
        var test = (PropertyFilterDefinition)filter;
        var value = occurrence.GetValueOrDefault(test.Property);
        return Accepts(test, decimal.TryParse(value, CultureInfo.InvariantCulture, out _) ? CaseSchema.Number : CaseSchema.Text, value, []);
    }

    private static bool Holds(FilterDefinition filter, NaiveSide side) => filter switch
    {
        ListFilterDefinition list => side.IsMember(list.ListId) != list.Negate,
        PropertyFilterDefinition test => Accepts(test, CaseSchema.Properties[test.Property], side.Value(test.Property), side.Ever(test.Property)),
        _ => throw new NotSupportedException($"{filter}"),
    };

    private static bool Accepts(PropertyFilterDefinition test, string type, string? value, IReadOnlyList<string> ever)
    {
        switch (test.Operator)
        {
            case Operator.IsKnown:
                return value is not null;
            case Operator.IsUnknown:
                return value is null;
            case Operator.HasEverBeenEqualTo:
                return ever.Count == 0 ? test.IncludeUnknown : ever.Any(v => AreEqual(type, v, test.Values[0]));
            default:
                return value is null ? test.IncludeUnknown : Accepts(test.Operator, test.Values, type, value);
        }
    }

    private static bool Accepts(Operator op, IReadOnlyList<string> operands, string type, string value) => op switch
    {
        Operator.IsEqualTo => operands.Any(o => AreEqual(type, value, o)),
        Operator.IsNotEqualTo => operands.All(o => !AreEqual(type, value, o)),
        Operator.Contains => operands.Any(o => value.Contains(o, StringComparison.InvariantCultureIgnoreCase)),
        Operator.IsGreaterThan => Number(value) > Number(operands[0]),
        Operator.IsLessThan => Number(value) < Number(operands[0]),
        Operator.IsBetween => Number(value) >= Number(operands[0]) && Number(value) <= Number(operands[1]),
        Operator.IsAnyOf => value.Split(';').Any(operands.Contains),
        _ => throw new NotSupportedException($"{op}"),
    };

    private static bool AreEqual(string type, string left, string right) =>
        type == CaseSchema.Number ? Number(left) == Number(right) : string.Equals(left, right, StringComparison.InvariantCultureIgnoreCase);

    private static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
}
