using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>A filter on the value, or a former value, of a property of the record.</summary>
internal sealed class PropertyFilter : Filter
{
    private readonly PropertyDefinition _property;
    private readonly Operator _operator;
    private readonly Test? _test;
    private readonly bool _includeUnknown;
    private readonly bool _needsHistory;
    private readonly int _historyMax;

    public PropertyFilter(FilterLabel label, PropertyDefinition property, Operator op, Test? test, bool includeUnknown, int historyMax)
        : base(label)
    {
        _property = property;
        _operator = op;
        _test = test;
        _includeUnknown = includeUnknown;
        _needsHistory = OperatorTable.LooksAtHistory(op);
        _historyMax = historyMax;
    }

    public override FilterCost Cost => _needsHistory ? FilterCost.History : FilterCost.Head;

    /// <inheritdoc/>
    public override bool Accepts(in Judging judging)
    {
        var found = judging.State.TryGetProperty(_property.Number, judging.IsBefore, out var view);
        var packed = found ? view.PackedValue : default;
        return _operator switch
        {
            Operator.IsKnown => !packed.IsEmpty,
            Operator.IsUnknown => packed.IsEmpty,
            Operator.IsBlank => packed.IsEmpty || IsWhiteSpace(packed),
            Operator.IsNotBlank => !packed.IsEmpty && !IsWhiteSpace(packed),
            _ when _needsHistory => AcceptsHistory(judging.State, judging.IsBefore, packed, found),
            _ when packed.IsEmpty => _includeUnknown,
            _ => _test!.TryAcceptPacked(packed) ?? _test.Accepts(Value.Unpack(packed)),
        };
    }

    /// <inheritdoc/>
    public override bool IsKnownOfAnotherValue(RecordState state)
    {
        if (_operator != Operator.IsKnown || !state.TryGetProperty(_property.Number, isBefore: false, out var now) || now.IsUnknown)
        {
            return false;
        }

        return !state.TryGetProperty(_property.Number, isBefore: true, out var before) || !before.PackedValue.SequenceEqual(now.PackedValue);
    }

    public override void AddNeeds(CriteriaNeeds needs)
    {
        needs.Properties.Add(_property.Number);
        needs.NeedsHistory |= _needsHistory;
    }

    public override string Actual(in Judging judging) => TextOf(judging, _property.Number);

    public override string Change(in Judging judging, bool isWanted) => (_operator, isWanted) switch
    {
        (Operator.IsKnown or Operator.IsNotBlank, true) or (Operator.IsUnknown or Operator.IsBlank, false) => $"set {_property.Name}",
        (Operator.IsUnknown or Operator.IsBlank, true) or (Operator.IsKnown or Operator.IsNotBlank, false) => $"clear {_property.Name}",
        (Operator.IsEqualTo or Operator.IsAnyOf, true) or (Operator.IsNotEqualTo or Operator.IsNoneOf, false) =>
            $"set {_property.Name} to {_test!.Quoted(" or ")}",
        (Operator.IsExactly, true) or (Operator.IsNotExactly, false) => $"set {_property.Name} to {_test!.Quoted(" and ")}",
        (_, true) => $"set {_property.Name} so that {Label.Text}",
        _ => $"set {_property.Name} so that it is not true that {Label.Text}",
    };

    /// <summary>The value of a property as text: <c>unknown</c> without one.</summary>
    public static string TextOf(in Judging judging, int property) =>
        judging.State.TryGetProperty(property, judging.IsBefore, out var view) && !view.IsUnknown ? view.Value.ToString() : "unknown";

    /// <summary>Without a value means never had one: a clear alone is none (FIL-31).</summary>
    private bool AcceptsHistory(RecordState state, bool isBefore, ReadOnlySpan<byte> current, bool found)
    {
        if (!found || (current.IsEmpty && !state.AnyFormerValue(_property.Number, isBefore, _historyMax, this, static (_, _) => true)))
        {
            return _includeUnknown;
        }

        var (_, isNegated) = OperatorTable.OfHistory(_operator);
        var isMatch = !current.IsEmpty && _test!.Accepts(Value.Unpack(current));
        isMatch = isMatch || state.AnyFormerValue(_property.Number, isBefore, _historyMax, _test!, static (value, test) => test.Accepts(value));
        return isMatch != isNegated;
    }

    private static bool IsWhiteSpace(ReadOnlySpan<byte> packed)
    {
        var value = Value.Unpack(packed);
        return value.Type == PropertyType.String && string.IsNullOrWhiteSpace(value.Text);
    }
}
