using System.Text;
using System.Text.RegularExpressions;
using NodaTime;
using Roster.Core.Values;

namespace Roster.Core.Filters;

/// <summary>
/// One operator with its operands, read for one type of values: the innermost part of a filter. It judges values; who has none is
/// decided outside (FIL-06).
/// </summary>
/// <remarks>Text is compared without case by simple case mapping of Unicode, which needs no culture and no library (FIL-07).</remarks>
internal sealed partial class Test
{
    private readonly Operator _operator;
    private readonly Value[] _operands;
    private readonly string[] _texts;
    private readonly byte[][]? _asciiTexts;
    private readonly bool _isNegated;
    private readonly Regex? _regex;
    private readonly Timestamp _from;
    private readonly Timestamp _to;

    private Test(Operator op, PropertyType type, Value[] operands, ZoneDays days, Regex? regex)
    {
        _operator = op;
        _operands = operands;
        _regex = regex;
        _isNegated = OperatorTable.IsNegative(op);
        _texts = type switch
        {
            PropertyType.Enumeration => Value.OfOptions(operands.Select(o => o.Options[0]).ToArray()).Options.ToArray(),
            PropertyType.String => [.. operands.Select(o => o.Text)],
            _ => [],
        };
        if (type == PropertyType.String && HasAsciiForm(op) && _texts.All(text => Ascii.IsValid(text)))
        {
            _asciiTexts = [.. _texts.Select(Encoding.ASCII.GetBytes)];
        }

        if (type is PropertyType.Date or PropertyType.DateTime)
        {
            _from = FirstMs(operands[0], days);
            _to = LastMs(operands[^1], days);
        }
    }

    /// <summary>Reads operands for a type.</summary>
    /// <param name="op">An operator that the type takes, about values.</param>
    /// <param name="type">The type.</param>
    /// <param name="texts">The operands.</param>
    /// <param name="days">Zone of days.</param>
    /// <param name="test">The test.</param>
    /// <param name="badIndex">Index of the operand that is not of the type.</param>
    public static bool TryCreate(Operator op, PropertyType type, IReadOnlyList<string> texts, ZoneDays days, out Test? test, out int badIndex)
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

        Regex? regex = null;
        if (op == Operator.MatchesRegex && !TryReadRegex(texts[0], out regex))
        {
            badIndex = 0;
            return false;
        }

        badIndex = -1;
        test = new Test(op, type, operands, days, regex);
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
        if (_asciiTexts is null || packed.Length < 2 || packed[0] != 0x0A || packed[1] != packed.Length - 2 || packed[1] >= 0x80)
        {
            return null;
        }

        var text = packed[2..];
        if (!Ascii.IsValid(text))
        {
            return null;
        }

        foreach (var operand in _asciiTexts)
        {
            if (MatchesAscii(text, operand))
            {
                return !_isNegated;
            }
        }

        return _isNegated;
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

    /// <summary>The operands for people: <c>'a' or 'b'</c>.</summary>
    public string Quoted(string separator) => string.Join(separator, _operands.Select(o => $"'{o}'"));

    private static bool HasAsciiForm(Operator op) => op is >= Operator.IsEqualTo and <= Operator.EndsWith;

    private bool MatchesAscii(ReadOnlySpan<byte> text, byte[] operand) => _operator switch
    {
        Operator.IsEqualTo or Operator.IsNotEqualTo => Ascii.EqualsIgnoreCase(text, operand),
        Operator.StartsWith => text.Length >= operand.Length && Ascii.EqualsIgnoreCase(text[..operand.Length], operand),
        Operator.EndsWith => text.Length >= operand.Length && Ascii.EqualsIgnoreCase(text[^operand.Length..], operand),
        _ => ContainsAscii(text, operand),
    };

    private static bool ContainsAscii(ReadOnlySpan<byte> text, byte[] operand)
    {
        for (var at = 0; at <= text.Length - operand.Length; at++)
        {
            if (Ascii.EqualsIgnoreCase(text.Slice(at, operand.Length), operand))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Positive: any of the operands matches. Negative: none does (FIL-22).</summary>
    private bool AcceptsText(string text)
    {
        foreach (var operand in _texts)
        {
            if (MatchesText(text, operand))
            {
                return !_isNegated;
            }
        }

        return _isNegated;
    }

    private bool MatchesText(string text, string operand) => _operator switch
    {
        Operator.IsEqualTo or Operator.IsNotEqualTo => string.Equals(text, operand, StringComparison.OrdinalIgnoreCase),
        Operator.Contains or Operator.DoesNotContain => text.Contains(operand, StringComparison.OrdinalIgnoreCase),
        Operator.StartsWith => text.StartsWith(operand, StringComparison.OrdinalIgnoreCase),
        Operator.EndsWith => text.EndsWith(operand, StringComparison.OrdinalIgnoreCase),
        Operator.ContainsExactly or Operator.DoesNotContainExactly => HasWords(text, operand),
        Operator.MatchesRegex => _regex!.IsMatch(text),
        _ => throw Unknown(),
    };

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

        // The equality tests of FIL-29 ask for the one option: a set of several is neither equal nor not equal.
        Operator.IsEqualTo => options.Length == 1 && SharesAny(options),
        Operator.IsNotEqualTo => options.Length == 1 && !SharesAny(options),
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

    private static Timestamp FirstMs(in Value operand, ZoneDays days) => TimeSubject.InstantOf(operand, days);

    private static Timestamp LastMs(in Value operand, ZoneDays days) => operand.Type == PropertyType.DateTime
        ? operand.DateTime
        : days.StartOf(LocalDates.ToDays(operand.Date) + 1L).PlusMs(-1);

    private InvalidOperationException Unknown() => new($"Operator {_operator} has no meaning here; the compiler should have refused it.");
}
