using Roster.Core.Journal;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>A filter on a property of an event. Its type is that of the value the event carries.</summary>
internal sealed class EventFilter
{
    private readonly string _property;
    private readonly Operator _operator;
    private readonly Test?[] _tests;
    private readonly bool _includeUnknown;

    /// <param name="property">Name of the event property.</param>
    /// <param name="op">The operator.</param>
    /// <param name="tests">By type of value; null where the operator does not take the type or the operands are not of it.</param>
    /// <param name="includeUnknown">Whether an event without the property is accepted (FIL-06).</param>
    public EventFilter(string property, Operator op, Test?[] tests, bool includeUnknown)
    {
        _property = property;
        _operator = op;
        _tests = tests;
        _includeUnknown = includeUnknown;
    }

    public bool Accepts(ReadOnlySpan<NamedValue> properties)
    {
        var value = Value.Unknown;
        foreach (ref readonly var property in properties)
        {
            if (string.Equals(property.Name, _property, StringComparison.Ordinal))
            {
                value = property.Value;
                break;
            }
        }

        var isBlank = value.IsUnknown || (value.Type == PropertyType.String && string.IsNullOrWhiteSpace(value.Text));
        return _operator switch
        {
            Operator.IsKnown => !value.IsUnknown,
            Operator.IsUnknown => value.IsUnknown,
            Operator.IsBlank => isBlank,
            Operator.IsNotBlank => !isBlank,
            _ when value.IsUnknown => _includeUnknown,
            _ => TestFor(value, out var judged)?.Accepts(judged) ?? false,
        };
    }

    private Test? TestFor(in Value value, out Value judged)
    {
        judged = value;
        var test = _tests[(int)value.Type];
        if (test is null && value.Type == PropertyType.String && _tests[(int)PropertyType.Enumeration] is { } options)
        {
            judged = Value.OfOptions(value.Text);
            return options;
        }

        return test;
    }
}
