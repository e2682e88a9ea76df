using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>Which operator takes which type and how many operands (FIL-20 to FIL-29).</summary>
public static class OperatorTable
{
    /// <summary>The API name: <c>IS_EQUAL_TO</c>.</summary>
    public static string NameOf(Operator op) =>
        string.Concat(op.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{c}" : char.ToUpperInvariant(c).ToString()));

    /// <summary>Whether an operator looks at former values (FIL-31).</summary>
    public static bool LooksAtHistory(Operator op) => op >= Operator.HasEverBeenEqualTo;

    /// <summary>Whether an operator works on any type and takes no operand (FIL-20).</summary>
    public static bool IsAboutPresence(Operator op) => op is >= Operator.IsKnown and <= Operator.IsNotBlank;

    /// <summary>Whether an operator is defined for a type.</summary>
    public static bool Takes(Operator op, PropertyType type)
    {
        if (IsAboutPresence(op))
        {
            return true;
        }

        return type switch
        {
            PropertyType.String => op is >= Operator.IsEqualTo and <= Operator.EndsWith
                or >= Operator.HasEverBeenEqualTo and <= Operator.HasNeverContained,
            PropertyType.Number => op is Operator.IsEqualTo or Operator.IsNotEqualTo
                or (>= Operator.IsGreaterThan and <= Operator.IsNotBetween)
                or Operator.HasEverBeenEqualTo or Operator.HasNeverBeenEqualTo,
            PropertyType.Bool => op is Operator.IsEqualTo or Operator.IsNotEqualTo
                or Operator.HasEverBeenEqualTo or Operator.HasNeverBeenEqualTo,
            PropertyType.Enumeration => op is (>= Operator.IsAnyOf and <= Operator.DoesNotContainAll)
                or >= Operator.HasEverBeenAnyOf,
            PropertyType.Date or PropertyType.DateTime => op is Operator.IsEqualTo
                or (>= Operator.IsBetween and <= Operator.IsAfterDate),
            _ => false,
        };
    }

    /// <summary>Fewest and most operands of an operator.</summary>
    public static (int Min, int Max) Operands(Operator op) => op switch
    {
        _ when IsAboutPresence(op) => (0, 0),
        Operator.IsBetween or Operator.IsNotBetween => (2, 2),
        >= Operator.IsAnyOf and <= Operator.DoesNotContainAll => (1, int.MaxValue),
        >= Operator.HasEverBeenAnyOf => (1, int.MaxValue),
        _ => (1, 1),
    };

    /// <summary>The positive operator of a history operator, and whether the history operator is its negation ("never").</summary>
    public static (Operator Positive, bool IsNegated) OfHistory(Operator op) => op switch
    {
        Operator.HasEverBeenEqualTo => (Operator.IsEqualTo, false),
        Operator.HasNeverBeenEqualTo => (Operator.IsEqualTo, true),
        Operator.HasEverContained => (Operator.Contains, false),
        Operator.HasNeverContained => (Operator.Contains, true),
        Operator.HasEverBeenAnyOf => (Operator.IsAnyOf, false),
        Operator.HasNeverBeenAnyOf => (Operator.IsAnyOf, true),
        Operator.HasEverBeenExactly => (Operator.IsExactly, false),
        Operator.HasNeverBeenExactly => (Operator.IsExactly, true),
        Operator.HasEverContainedAll => (Operator.ContainsAll, false),
        Operator.HasNeverContainedAll => (Operator.ContainsAll, true),
        _ => throw new ArgumentOutOfRangeException(nameof(op), op, "No history operator."),
    };
}
