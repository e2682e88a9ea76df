using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>Compares a property with another property of the same record (FIL-30), or the times of their last changes (FIL-27).</summary>
internal sealed class ComparisonFilter : Filter
{
    private readonly PropertyDefinition _left;
    private readonly PropertyDefinition _right;
    private readonly Operator _operator;
    private readonly Value _default;
    private readonly ZoneDays _days;
    private readonly bool _usesUpdatedAt;
    private readonly bool _includeUnknown;

    /// <param name="label">The label.</param>
    /// <param name="left">The property.</param>
    /// <param name="right">The property it is compared with; of the same type, or both with a time.</param>
    /// <param name="op">An operator that compares the type.</param>
    /// <param name="defaultValue">Stands for the other property when that is unknown; unknown for none.</param>
    /// <param name="days">Zone in which a date is compared with an instant.</param>
    /// <param name="usesUpdatedAt">Whether the times of the last changes are compared.</param>
    /// <param name="includeUnknown">Whether a record without a value of <paramref name="left"/> is accepted (FIL-06).</param>
    public ComparisonFilter(
        FilterLabel label, PropertyDefinition left, PropertyDefinition right, Operator op, Value defaultValue, ZoneDays days, bool usesUpdatedAt, bool includeUnknown)
        : base(label)
    {
        _left = left;
        _right = right;
        _operator = op;
        _default = defaultValue;
        _days = days;
        _usesUpdatedAt = usesUpdatedAt;
        _includeUnknown = includeUnknown;
    }

    public override bool Accepts(in Judging judging)
    {
        if (!judging.State.TryGetProperty(_left.Number, judging.IsBefore, out var left) || left.IsUnknown)
        {
            return _includeUnknown;
        }

        var isKnown = judging.State.TryGetProperty(_right.Number, judging.IsBefore, out var right) && !right.IsUnknown;
        if (_usesUpdatedAt)
        {
            return isKnown && AcceptsOrder(left.UpdatedAt.CompareTo(right.UpdatedAt));
        }

        var other = isKnown ? right.Value : _default;
        return !other.IsUnknown && AcceptsValues(left.Value, other);
    }

    public override void AddNeeds(CriteriaNeeds needs)
    {
        needs.Properties.Add(_left.Number);
        needs.Properties.Add(_right.Number);
    }

    public override string Actual(in Judging judging) =>
        $"{PropertyFilter.TextOf(judging, _left.Number)}; {_right.Name} is {PropertyFilter.TextOf(judging, _right.Number)}";

    private bool AcceptsValues(in Value left, in Value right) => left.Type switch
    {
        PropertyType.String => string.Equals(left.Text, right.Text, StringComparison.OrdinalIgnoreCase),
        PropertyType.Number => AcceptsOrder(left.Number.CompareTo(right.Number)),
        PropertyType.Bool => left.Bool == right.Bool == (_operator == Operator.IsEqualTo),
        PropertyType.Date when right.Type == PropertyType.Date => AcceptsOrder(left.Date.CompareTo(right.Date)),
        _ => AcceptsOrder(TimeSubject.InstantOf(left, _days).CompareTo(TimeSubject.InstantOf(right, _days))),
    };

    private bool AcceptsOrder(int order) => _operator switch
    {
        Operator.IsEqualTo => order == 0,
        Operator.IsGreaterThan or Operator.IsAfter => order > 0,
        Operator.IsLessThan or Operator.IsBefore => order < 0,
        _ => throw new InvalidOperationException($"Operator {_operator} compares no properties; the compiler should have refused it."),
    };
}
