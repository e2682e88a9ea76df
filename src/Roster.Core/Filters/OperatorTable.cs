using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>Which operator takes which type and how many operands (FIL-20 to FIL-29).</summary>
public static class OperatorTable
{
    /// <summary>The API name: <c>IS_EQUAL_TO</c>.</summary>
    public static string NameOf(Operator op) => ApiNames.Of(op.ToString());

    /// <summary>Whether an operator looks at former values (FIL-31).</summary>
    public static bool LooksAtHistory(Operator op) => op is >= Operator.HasEverBeenEqualTo and <= Operator.HasNeverContainedAll;

    /// <summary>Whether an operator works on any type and takes no operand (FIL-20).</summary>
    public static bool IsAboutPresence(Operator op) => op is >= Operator.IsKnown and <= Operator.IsNotBlank;

    /// <summary>Whether an operator counts days from today (FIL-24).</summary>
    public static bool IsRolling(Operator op) => op is >= Operator.IsLessThanXDaysAgo and <= Operator.IsMoreThanXDaysFromNow;

    /// <summary>Whether an operator is about calendar units (FIL-25).</summary>
    public static bool IsCalendar(Operator op) => op is >= Operator.InThisTimeUnit and <= Operator.InNextTimeUnit;

    /// <summary>Whether an operator compares with a time point or another property (FIL-26, FIL-27, FIL-30).</summary>
    public static bool IsAboutPoint(Operator op) => op is Operator.IsBefore or Operator.IsAfter;

    /// <summary>Whether an operator is about when the value last changed (FIL-27).</summary>
    public static bool IsAboutUpdate(Operator op) => op is Operator.UpdatedInLastXDays or Operator.NotUpdatedInLastXDays;

    /// <summary>Whether an operator is clock-based: FIL-24 rolling, FIL-25, FIL-27 rolling (REN-06).</summary>
    public static bool IsClockBased(Operator op) => IsRolling(op) || IsCalendar(op) || IsAboutUpdate(op);

    /// <summary>Whether an operator accepts what its opposite rejects by saying "not" (REN-06).</summary>
    public static bool IsNegative(Operator op) => op is Operator.IsUnknown or Operator.IsBlank or Operator.IsNotEqualTo or Operator.DoesNotContain
        or Operator.IsNotBetween or Operator.IsNoneOf or Operator.IsNotExactly or Operator.DoesNotContainAll or Operator.DoesNotContainExactly
        or Operator.NotUpdatedInLastXDays || (LooksAtHistory(op) && OfHistory(op).IsNegated);

    /// <summary>
    /// Whether an operator is defined for a type. On enumerations <see cref="Operator.IsEqualTo"/> and <see cref="Operator.IsNotEqualTo"/>
    /// are the equality tests of FIL-29: both reject a set of several options.
    /// </summary>
    public static bool Takes(Operator op, PropertyType type)
    {
        if (IsAboutPresence(op) || IsAboutUpdate(op))
        {
            return true;
        }

        return type switch
        {
            PropertyType.String => op is (>= Operator.IsEqualTo and <= Operator.EndsWith)
                or (>= Operator.HasEverBeenEqualTo and <= Operator.HasNeverContained)
                or (>= Operator.ContainsExactly and <= Operator.MatchesRegex),
            PropertyType.Number => op is Operator.IsEqualTo or Operator.IsNotEqualTo
                or (>= Operator.IsGreaterThan and <= Operator.IsNotBetween)
                or Operator.HasEverBeenEqualTo or Operator.HasNeverBeenEqualTo,
            PropertyType.Bool => op is Operator.IsEqualTo or Operator.IsNotEqualTo
                or Operator.HasEverBeenEqualTo or Operator.HasNeverBeenEqualTo,
            PropertyType.Enumeration => op is Operator.IsEqualTo or Operator.IsNotEqualTo
                or (>= Operator.IsAnyOf and <= Operator.DoesNotContainAll)
                or (>= Operator.HasEverBeenAnyOf and <= Operator.HasNeverContainedAll),
            PropertyType.Date or PropertyType.DateTime => op is Operator.IsEqualTo
                or (>= Operator.IsBetween and <= Operator.IsAfterDate) or (>= Operator.IsLessThanXDaysAgo and <= Operator.IsAfter),
            _ => false,
        };
    }

    /// <summary>Whether an operator compares a property of a type with another property (FIL-30).</summary>
    public static bool Compares(Operator op, PropertyType type) => type switch
    {
        PropertyType.String => op is Operator.IsEqualTo,
        PropertyType.Number => op is Operator.IsEqualTo or Operator.IsGreaterThan or Operator.IsLessThan,
        PropertyType.Bool => op is Operator.IsEqualTo or Operator.IsNotEqualTo,
        PropertyType.Date or PropertyType.DateTime => IsAboutPoint(op),
        _ => false,
    };

    /// <summary>Fewest and most operands of an operator for a type. Texts take several (FIL-22), but for FIL-21's history operators.</summary>
    public static (int Min, int Max) Operands(Operator op, PropertyType type) => op switch
    {
        _ when IsAboutPresence(op) || IsAboutPoint(op) => (0, 0),
        Operator.InThisTimeUnit or Operator.InThisTimeUnitSoFar => (0, 0),
        Operator.IsBetween or Operator.IsNotBetween => (2, 2),
        >= Operator.IsAnyOf and <= Operator.DoesNotContainAll => (1, int.MaxValue),
        >= Operator.HasEverBeenAnyOf and <= Operator.HasNeverContainedAll => (1, int.MaxValue),
        >= Operator.IsEqualTo and <= Operator.EndsWith or Operator.ContainsExactly or Operator.DoesNotContainExactly
            when type == PropertyType.String => (1, int.MaxValue),
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
