using System.Text;
using NodaTime;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>
/// One operator with its operands, read for one type of values: the innermost part of a filter. It judges values; who has none is
/// decided outside (FIL-06).
/// </summary>
/// <remarks>Text is compared without case by simple case mapping of Unicode, which needs no culture and no library (FIL-07).</remarks>
internal sealed class Test
{
    private static readonly LocalDate LastDay = new(9999, 12, 31);

    private readonly Operator _operator;
    private readonly Value[] _operands;
    private readonly string[] _texts;
    private readonly byte[]? _asciiText;
    private readonly Timestamp _from;
    private readonly Timestamp _to;

    private Test(Operator op, PropertyType type, Value[] operands, DateTimeZone zone)
    {
        _operator = op;
        _operands = operands;
        _texts = type == PropertyType.Enumeration ? Value.OfOptions(operands.Select(o => o.Options[0]).ToArray()).Options.ToArray() : [];
        if (type == PropertyType.String && Ascii.IsValid(operands[0].Text))
        {
            _asciiText = Encoding.ASCII.GetBytes(operands[0].Text);
        }

        if (type is PropertyType.Date or PropertyType.DateTime)
        {
            _from = FirstMs(operands[0], zone);
            _to = LastMs(operands[^1], zone);
        }
    }

    /// <summary>Reads operands for a type.</summary>
    /// <param name="op">An operator that the type takes, about values.</param>
    /// <param name="type">The type.</param>
    /// <param name="texts">The operands.</param>
    /// <param name="zone">Zone of days.</param>
    /// <param name="test">The test.</param>
    /// <param name="badIndex">Index of the operand that is not of the type.</param>
    public static bool TryCreate(Operator op, PropertyType type, IReadOnlyList<string> texts, DateTimeZone zone, out Test? test, out int badIndex)
    {
        test = null;
        var operands = new Value[texts.Count];
        for (badIndex = 0; badIndex < operands.Length; badIndex++)
        {
            var text = texts[badIndex];
            var isRead = type switch
            {
                PropertyType.Enumeration => Set(text.Length > 0, Value.OfOptions(text), out operands[badIndex]),
                PropertyType.DateTime => Value.TryParse(text, PropertyType.DateTime, out operands[badIndex])
                    || Value.TryParse(text, PropertyType.Date, out operands[badIndex]),
                _ => Value.TryParse(text, type, out operands[badIndex]),
            };
            var needsDay = op is Operator.IsBeforeDate or Operator.IsAfterDate;
            if (!isRead || operands[badIndex].IsUnknown || (needsDay && operands[badIndex].Type != PropertyType.Date))
            {
                return false;
            }
        }

        badIndex = -1;
        test = new Test(op, type, operands, zone);
        return true;

        static bool Set(bool isFine, Value value, out Value target)
        {
            target = value;
            return isFine;
        }
    }

    /// <summary>Judges a packed value without decoding it, where that is possible; null when it is not.</summary>
    public bool? TryAcceptPacked(ReadOnlySpan<byte> packed)
    {
        // A packed text is one field: tag 0x0A, a length below 128 in one byte, the text.
        if (_asciiText is null || packed.Length < 2 || packed[0] != 0x0A || packed[1] != packed.Length - 2 || packed[1] >= 0x80)
        {
            return null;
        }

        var text = packed[2..];
        if (!Ascii.IsValid(text))
        {
            return null;
        }

        return _operator switch
        {
            Operator.IsEqualTo => Ascii.EqualsIgnoreCase(text, _asciiText),
            Operator.IsNotEqualTo => !Ascii.EqualsIgnoreCase(text, _asciiText),
            Operator.StartsWith => text.Length >= _asciiText.Length && Ascii.EqualsIgnoreCase(text[.._asciiText.Length], _asciiText),
            Operator.EndsWith => text.Length >= _asciiText.Length && Ascii.EqualsIgnoreCase(text[^_asciiText.Length..], _asciiText),
            _ => null,
        };
    }

    /// <summary>Judges a value of the type.</summary>
    public bool Accepts(in Value value) => value.Type switch
    {
        PropertyType.String => AcceptsText(value.Text),
        PropertyType.Number => AcceptsNumber(value.Number),
        PropertyType.Bool => value.Bool == _operands[0].Bool == (_operator == Operator.IsEqualTo),
        PropertyType.Enumeration => AcceptsOptions(value.Options),
        PropertyType.Date => AcceptsDay(value.Date),
        PropertyType.DateTime => AcceptsInstant(value.DateTime),
        _ => false,
    };

    private bool AcceptsText(string text)
    {
        var operand = _operands[0].Text;
        return _operator switch
        {
            Operator.IsEqualTo => string.Equals(text, operand, StringComparison.OrdinalIgnoreCase),
            Operator.IsNotEqualTo => !string.Equals(text, operand, StringComparison.OrdinalIgnoreCase),
            Operator.Contains => text.Contains(operand, StringComparison.OrdinalIgnoreCase),
            Operator.DoesNotContain => !text.Contains(operand, StringComparison.OrdinalIgnoreCase),
            Operator.StartsWith => text.StartsWith(operand, StringComparison.OrdinalIgnoreCase),
            Operator.EndsWith => text.EndsWith(operand, StringComparison.OrdinalIgnoreCase),
            _ => throw Unknown(),
        };
    }

    private bool AcceptsNumber(decimal number) => _operator switch
    {
        Operator.IsEqualTo => number == _operands[0].Number,
        Operator.IsNotEqualTo => number != _operands[0].Number,
        Operator.IsGreaterThan => number > _operands[0].Number,
        Operator.IsGreaterThanOrEqualTo => number >= _operands[0].Number,
        Operator.IsLessThan => number < _operands[0].Number,
        Operator.IsLessThanOrEqualTo => number <= _operands[0].Number,
        Operator.IsBetween => number >= _operands[0].Number && number <= _operands[1].Number,
        Operator.IsNotBetween => number < _operands[0].Number || number > _operands[1].Number,
        _ => throw Unknown(),
    };

    private bool AcceptsOptions(ReadOnlySpan<string> options) => _operator switch
    {
        Operator.IsAnyOf => SharesAny(options),
        Operator.IsNoneOf => !SharesAny(options),
        Operator.IsExactly => options.SequenceEqual(_texts),
        Operator.IsNotExactly => !options.SequenceEqual(_texts),
        Operator.ContainsAll => HasAll(options),
        Operator.DoesNotContainAll => !HasAll(options),
        _ => throw Unknown(),
    };

    private bool SharesAny(ReadOnlySpan<string> options)
    {
        foreach (var option in options)
        {
            if (_texts.AsSpan().Contains(option))
            {
                return true;
            }
        }

        return false;
    }

    private bool HasAll(ReadOnlySpan<string> options)
    {
        foreach (var text in _texts)
        {
            if (!options.Contains(text))
            {
                return false;
            }
        }

        return true;
    }

    private bool AcceptsDay(LocalDate date)
    {
        var first = _operands[0].Date;
        var last = _operands[^1].Date;
        return _operator switch
        {
            Operator.IsEqualTo => date == first,
            Operator.IsBeforeDate => date < first,
            Operator.IsAfterDate => date > first,
            Operator.IsBetween => date >= first && date <= last,
            Operator.IsNotBetween => date < first || date > last,
            _ => throw Unknown(),
        };
    }

    private bool AcceptsInstant(Timestamp instant) => _operator switch
    {
        Operator.IsEqualTo or Operator.IsBetween => instant >= _from && instant <= _to,
        Operator.IsBeforeDate => instant < _from,
        Operator.IsAfterDate => instant > _to,
        Operator.IsNotBetween => instant < _from || instant > _to,
        _ => throw Unknown(),
    };

    private static Timestamp FirstMs(in Value operand, DateTimeZone zone) => operand.Type == PropertyType.DateTime
        ? operand.DateTime
        : Timestamp.FromInstant(zone.AtStartOfDay(operand.Date).ToInstant());

    private static Timestamp LastMs(in Value operand, DateTimeZone zone) => operand.Type == PropertyType.DateTime
        ? operand.DateTime
        : operand.Date == LastDay ? Timestamp.Max : Timestamp.FromInstant(zone.AtStartOfDay(operand.Date.PlusDays(1)).ToInstant()).PlusMs(-1);

    private InvalidOperationException Unknown() => new($"Operator {_operator} has no meaning here; the compiler should have refused it.");
}
