using System.Globalization;
using Roster.V1;

namespace Roster.Simulator.Reference;

/// <summary>Values of the model are texts in a fixed spelling: numbers as decimals, sets sorted; null is unknown.</summary>
internal static class Values
{
    public static string? Read(Value? value) => value?.KindCase switch
    {
        Value.KindOneofCase.Text => value.Text.Length == 0 ? null : value.Text,
        Value.KindOneofCase.Number => Number(decimal.Parse(value.Number, CultureInfo.InvariantCulture)),
        Value.KindOneofCase.Options => value.Options.Options.Count == 0 ? null : string.Join(';', value.Options.Options.Distinct().Order(StringComparer.Ordinal)),
        _ => null,
    };

    public static string Number(decimal number) => number.ToString("0.############################", CultureInfo.InvariantCulture);

    /// <summary>A value as a set-property step has it.</summary>
    public static string? OfStep(string property, string text) => text.Length == 0 ? null
        : property == "score" ? Number(decimal.Parse(text, CultureInfo.InvariantCulture))
        : property == "tags" ? string.Join(';', text.Split(';').Distinct().Order(StringComparer.Ordinal))
        : text;

    public static bool Accepts(Criteria criteria, Func<string, string?> now, Func<string, IEnumerable<string>> ever) =>
        criteria.AnyOf.Any(group => group.AllOf.All(filter => Accepts(filter, now(filter.Property), ever(filter.Property).ToList())));

    public static bool Accepts(Filter filter, string? value, IReadOnlyList<string> ever)
    {
        var operands = filter.Values;
        switch (filter.Operator)
        {
            case Filter.Types.Operator.IsKnown:
                return value is not null;
            case Filter.Types.Operator.IsUnknown:
                return value is null;
            case Filter.Types.Operator.HasEverBeenEqualTo:
            case Filter.Types.Operator.HasNeverBeenEqualTo:
                if (ever.Count == 0)
                {
                    return filter.IncludeUnknown;
                }

                return ever.Any(v => string.Equals(v, operands[0], StringComparison.OrdinalIgnoreCase)) == (filter.Operator == Filter.Types.Operator.HasEverBeenEqualTo);
            default:
                break;
        }

        if (value is null)
        {
            return filter.IncludeUnknown;
        }

        return filter.Operator switch
        {
            Filter.Types.Operator.IsEqualTo => string.Equals(value, operands[0], StringComparison.OrdinalIgnoreCase),
            Filter.Types.Operator.IsNotEqualTo => !string.Equals(value, operands[0], StringComparison.OrdinalIgnoreCase),
            Filter.Types.Operator.Contains => value.Contains(operands[0], StringComparison.OrdinalIgnoreCase),
            Filter.Types.Operator.IsGreaterThan => Parse(value) > Parse(operands[0]),
            Filter.Types.Operator.IsBetween => Parse(value) >= Parse(operands[0]) && Parse(value) <= Parse(operands[1]),
            Filter.Types.Operator.IsAnyOf => value.Split(';').Intersect(operands).Any(),
            Filter.Types.Operator.ContainsAll => !operands.Except(value.Split(';')).Any(),
            _ => throw new InvalidOperationException($"The model does not know {filter.Operator}."),
        };
    }

    private static decimal Parse(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
}
