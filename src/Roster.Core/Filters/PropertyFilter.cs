using Roster.Core.Records;
using Roster.Core.Schema;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>A filter on a property of the record, ready to be judged.</summary>
internal sealed class PropertyFilter
{
    private readonly Operator _operator;
    private readonly Test? _test;
    private readonly bool _includeUnknown;

    public PropertyFilter(PropertyDefinition property, Operator op, Test? test, bool includeUnknown)
    {
        Property = property;
        _operator = op;
        _test = test;
        _includeUnknown = includeUnknown;
    }

    public PropertyDefinition Property { get; }

    public bool NeedsHistory => OperatorTable.LooksAtHistory(_operator);

    /// <summary>Judges the record as it is now, or as it was before the round.</summary>
    public bool Accepts(RecordState state, bool isBefore)
    {
        var found = state.TryGetProperty(Property.Number, isBefore, out var view);
        var packed = found ? view.PackedValue : default;
        return _operator switch
        {
            Operator.IsKnown => !packed.IsEmpty,
            Operator.IsUnknown => packed.IsEmpty,
            Operator.IsBlank => packed.IsEmpty || IsWhiteSpace(packed),
            Operator.IsNotBlank => !packed.IsEmpty && !IsWhiteSpace(packed),
            _ when NeedsHistory => AcceptsHistory(state, isBefore, packed, found),
            _ when packed.IsEmpty => _includeUnknown,
            _ => _test!.TryAcceptPacked(packed) ?? _test.Accepts(Value.Unpack(packed)),
        };
    }

    /// <summary>Whether this is "is known" and the property took another value in the round (REN-04).</summary>
    public bool IsKnownOfAnotherValue(RecordState state)
    {
        if (_operator != Operator.IsKnown || !state.TryGetProperty(Property.Number, isBefore: false, out var now) || now.IsUnknown)
        {
            return false;
        }

        return !state.TryGetProperty(Property.Number, isBefore: true, out var before) || !before.PackedValue.SequenceEqual(now.PackedValue);
    }

    /// <summary>Without a value means never had one: a clear alone is none (FIL-31).</summary>
    private bool AcceptsHistory(RecordState state, bool isBefore, ReadOnlySpan<byte> current, bool found)
    {
        if (!found || (current.IsEmpty && !state.AnyFormerValue(Property.Number, isBefore, this, static (_, _) => true)))
        {
            return _includeUnknown;
        }

        var (_, isNegated) = OperatorTable.OfHistory(_operator);
        var isMatch = !current.IsEmpty && _test!.Accepts(Value.Unpack(current));
        isMatch = isMatch || state.AnyFormerValue(Property.Number, isBefore, _test!, static (value, test) => test.Accepts(value));
        return isMatch != isNegated;
    }

    private static bool IsWhiteSpace(ReadOnlySpan<byte> packed)
    {
        var value = Value.Unpack(packed);
        return value.Type == PropertyType.String && string.IsNullOrWhiteSpace(value.Text);
    }
}
