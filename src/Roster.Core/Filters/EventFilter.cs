using Roster.Core.Journal;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>A filter on a property of an event. Its type is that of the value the event carries. Immutable.</summary>
internal sealed class EventFilter
{
    /// <summary>Names the time of the event itself.</summary>
    public const string OccurredAt = "occurred_at";

    private readonly string _property;
    private readonly Operator _operator;
    private readonly Test?[] _tests;
    private readonly TimeTest? _timeTest;
    private readonly bool _includeUnknown;
    private readonly bool _isOccurredAt;

    /// <param name="property">Name of the event property, or <see cref="OccurredAt"/>.</param>
    /// <param name="op">The operator.</param>
    /// <param name="tests">By type of value; null where the operator does not take the type or the operands are not of it.</param>
    /// <param name="timeTest">For operators on dates that move with the clock or name points; else null.</param>
    /// <param name="includeUnknown">Whether an event without the property is accepted (FIL-06).</param>
    public EventFilter(string property, Operator op, Test?[] tests, TimeTest? timeTest, bool includeUnknown)
    {
        _property = property;
        _operator = op;
        _tests = tests;
        _timeTest = timeTest;
        _includeUnknown = includeUnknown;
        _isOccurredAt = property == OccurredAt;
    }

    /// <summary>Whether the answer may change by the clock alone.</summary>
    public bool DependsOnTime => _timeTest?.DependsOnTime == true;

    /// <summary>Whether all filters accept an event.</summary>
    public static bool AcceptAll(EventFilter[] filters, ReadOnlySpan<NamedValue> properties, Timestamp occurredAt, Timestamp at)
    {
        foreach (var filter in filters)
        {
            if (!filter.Accepts(properties, occurredAt, at))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Judges an event.</summary>
    /// <param name="properties">Its properties.</param>
    /// <param name="occurredAt">When it occurred.</param>
    /// <param name="at">The instant it is judged at.</param>
    public bool Accepts(ReadOnlySpan<NamedValue> properties, Timestamp occurredAt, Timestamp at)
    {
        var value = Find(properties, occurredAt);
        var isBlank = value.IsUnknown || (value.Type == PropertyType.String && string.IsNullOrWhiteSpace(value.Text));
        return _operator switch
        {
            Operator.IsKnown => !value.IsUnknown,
            Operator.IsUnknown => value.IsUnknown,
            Operator.IsBlank => isBlank,
            Operator.IsNotBlank => !isBlank,
            _ when value.IsUnknown => _includeUnknown,
            _ when _timeTest is not null => TryGetSubject(value, out var subject) && _timeTest.Accepts(subject, at),
            _ => TestFor(value, out var judged)?.Accepts(judged) ?? false,
        };
    }

    /// <summary>The first instant after now at which the answer is another one; none when there is none.</summary>
    public Timestamp NextFlip(ReadOnlySpan<NamedValue> properties, Timestamp occurredAt, Timestamp now) =>
        DependsOnTime && TryGetSubject(Find(properties, occurredAt), out var subject) ? _timeTest!.NextFlip(subject, now) : Timestamp.None;

    private Value Find(ReadOnlySpan<NamedValue> properties, Timestamp occurredAt) =>
        _isOccurredAt ? Value.OfDateTime(occurredAt) : NamedValues.Find(properties, _property);

    private bool TryGetSubject(in Value value, out TimeSubject subject)
    {
        var hasTime = value.Type is PropertyType.Date or PropertyType.DateTime;
        subject = hasTime ? new TimeSubject(TimeSubject.InstantOf(value, _timeTest!.Days), value.Type == PropertyType.Date) : default;
        return hasTime;
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
