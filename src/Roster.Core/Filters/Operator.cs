namespace Roster.Core.Filters;

/// <summary>Operators of the table in section 6. Numbers equal those of <c>roster.v1.Filter.Operator</c>.</summary>
public enum Operator
{
#pragma warning disable CS1591 // The names are the rule's own; the rule is the documentation.
    None = 0,
    IsKnown = 1,
    IsUnknown = 2,
    IsBlank = 3,
    IsNotBlank = 4,
    IsEqualTo = 5,
    IsNotEqualTo = 6,
    Contains = 7,
    DoesNotContain = 8,
    StartsWith = 9,
    EndsWith = 10,
    IsGreaterThan = 11,
    IsGreaterThanOrEqualTo = 12,
    IsLessThan = 13,
    IsLessThanOrEqualTo = 14,
    IsBetween = 15,
    IsNotBetween = 16,
    IsBeforeDate = 17,
    IsAfterDate = 18,
    IsAnyOf = 19,
    IsNoneOf = 20,
    IsExactly = 21,
    IsNotExactly = 22,
    ContainsAll = 23,
    DoesNotContainAll = 24,
    HasEverBeenEqualTo = 25,
    HasNeverBeenEqualTo = 26,
    HasEverContained = 27,
    HasNeverContained = 28,
    HasEverBeenAnyOf = 29,
    HasNeverBeenAnyOf = 30,
    HasEverBeenExactly = 31,
    HasNeverBeenExactly = 32,
    HasEverContainedAll = 33,
    HasNeverContainedAll = 34,
#pragma warning restore CS1591
}
