using System.Globalization;
using NodaTime;
using NodaTime.Text;
using Roster.Core.Packing;

namespace Roster.Core.Values;

/// <summary>A typed value, or unknown (the default). Equality is the rules' "same value" (REC-06).</summary>
/// <remarks>
/// Numbers compare by value, sets of options without order, texts exactly. Packed form: the message
/// <c>roster.storage.v1.Value</c>. Immutable.
/// </remarks>
public readonly struct Value : IEquatable<Value>
{
    private const int DigitsMax = 28;
    private const int TextField = 1;
    private const int NumberField = 2;
    private const int BoolField = 3;
    private const int OptionField = 4;
    private const int DateField = 5;
    private const int DateTimeField = 6;
    private const int DecimalScaleField = 7;
    private const int DecimalHighField = 8;

    private readonly object? _object;
    private readonly decimal _number;

    private Value(PropertyType type, object? content, decimal number)
    {
        Type = type;
        _object = content;
        _number = number;
    }

    /// <summary>No value.</summary>
    public static Value Unknown => default;

    /// <summary>Type of the value; <see cref="PropertyType.None"/> when unknown.</summary>
    public PropertyType Type { get; }

    /// <summary>Whether there is no value.</summary>
    public bool IsUnknown => Type == PropertyType.None;

    /// <summary>The text of a string value.</summary>
    public string Text => Type == PropertyType.String ? (string)_object! : throw WrongType(PropertyType.String);

    /// <summary>The number of a number value.</summary>
    public decimal Number => Type == PropertyType.Number ? _number : throw WrongType(PropertyType.Number);

    /// <summary>The truth of a bool value.</summary>
    public bool Bool => Type == PropertyType.Bool ? _number != 0 : throw WrongType(PropertyType.Bool);

    /// <summary>The options of an enumeration value, sorted by ordinal, without doubles.</summary>
    public ReadOnlySpan<string> Options => Type == PropertyType.Enumeration ? (string[])_object! : throw WrongType(PropertyType.Enumeration);

    /// <summary>The date of a date value.</summary>
    public LocalDate Date => Type == PropertyType.Date
        ? LocalDates.FromDays((int)_number)
        : throw WrongType(PropertyType.Date);

    /// <summary>The instant of a datetime value.</summary>
    public Timestamp DateTime => Type == PropertyType.DateTime ? new Timestamp((long)_number) : throw WrongType(PropertyType.DateTime);

    /// <summary>A string; the empty one is unknown (REC-03).</summary>
    public static Value OfText(string text) => text.Length == 0 ? Unknown : new Value(PropertyType.String, text, 0);

    /// <summary>A number.</summary>
    public static Value OfNumber(decimal number) => new(PropertyType.Number, null, number);

    /// <summary>A truth.</summary>
    public static Value OfBool(bool truth) => new(PropertyType.Bool, null, truth ? 1 : 0);

    /// <summary>A set of options; the empty one is unknown (REC-03). The array is sorted and freed of doubles.</summary>
    public static Value OfOptions(params ReadOnlySpan<string> options)
    {
        if (options.IsEmpty)
        {
            return Unknown;
        }

        var sorted = options.ToArray();
        if (sorted.Length > 1)
        {
            Array.Sort(sorted, StringComparer.Ordinal);
            sorted = sorted.Distinct(StringComparer.Ordinal).ToArray();
        }

        return new Value(PropertyType.Enumeration, sorted, 0);
    }

    /// <summary>A calendar date.</summary>
    public static Value OfDate(LocalDate date) => new(PropertyType.Date, null, LocalDates.ToDays(date));

    /// <summary>An instant.</summary>
    public static Value OfDateTime(Timestamp instant) => new(PropertyType.DateTime, null, instant.Ms);

    /// <summary>Reads a text as a value of a type: operands of filters, values of set-property steps, CSV cells.</summary>
    /// <param name="text">The text. Empty gives unknown. Options are parted by <c>;</c>.</param>
    /// <param name="type">The wanted type.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when the text is not of the type.</returns>
    public static bool TryParse(string text, PropertyType type, out Value value)
    {
        ArgumentNullException.ThrowIfNull(text);
        value = Unknown;
        if (text.Length == 0)
        {
            return true;
        }

        switch (type)
        {
            case PropertyType.String:
                value = OfText(text);
                return true;
            case PropertyType.Number:
                var isNumber = TryParseNumber(text, out var number);
                value = OfNumber(number);
                return isNumber;
            case PropertyType.Bool:
                var truth = string.Equals(text, "true", StringComparison.OrdinalIgnoreCase);
                value = OfBool(truth);
                return truth || string.Equals(text, "false", StringComparison.OrdinalIgnoreCase);
            case PropertyType.Enumeration:
                value = OfOptions(text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
                return true;
            case PropertyType.Date:
                var date = LocalDatePattern.Iso.Parse(text);
                var isDate = date.Success && date.Value.Year >= 1;
                value = isDate ? OfDate(date.Value) : Unknown;
                return isDate;
            case PropertyType.DateTime:
                var instant = InstantPattern.ExtendedIso.Parse(text);
                var isInstant = instant.Success && Timestamp.FromInstant(instant.Value) >= Timestamp.Min;
                value = isInstant ? OfDateTime(Timestamp.FromInstant(instant.Value)) : Unknown;
                return isInstant;
            default:
                return false;
        }
    }

    /// <summary>Reads a decimal: optional minus, digits, optional point and digits, at most 28 significant digits.</summary>
    public static bool TryParseNumber(string text, out decimal number) =>
        decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number)
        && text.Length <= 32 && text[0] != '+' && CountDigits(text) <= DigitsMax;

    /// <summary>Digits from the first that is not 0: more than fit would be cut silently.</summary>
    private static int CountDigits(string text)
    {
        var digits = 0;
        foreach (var c in text)
        {
            digits += char.IsAsciiDigit(c) && (digits > 0 || c != '0') ? 1 : 0;
        }

        return digits;
    }

    /// <summary>Writes the packed form.</summary>
    public void Pack(PackedWriter writer)
    {
        switch (Type)
        {
            case PropertyType.None:
                break;
            case PropertyType.String:
                writer.TextAlways(TextField, (string)_object!);
                break;
            case PropertyType.Number:
                PackNumber(writer);
                break;
            case PropertyType.Bool:
                writer.UInt(BoolField, _number != 0 ? 2UL : 1UL);
                break;
            case PropertyType.Enumeration:
                foreach (var option in (string[])_object!)
                {
                    writer.TextAlways(OptionField, option);
                }

                break;
            case PropertyType.Date:
                writer.SIntAlways(DateField, (long)_number);
                break;
            case PropertyType.DateTime:
                writer.SIntAlways(DateTimeField, (long)_number);
                break;
            default:
                throw new InvalidOperationException($"Value type {Type} has no packed form.");
        }
    }

    /// <summary>Reads the packed form.</summary>
    public static Value Unpack(ReadOnlySpan<byte> packed)
    {
        if (packed.IsEmpty)
        {
            return Unknown;
        }

        var reader = new PackedReader(packed);
        string[]? options = null;
        var optionCount = 0;
        var value = Unknown;
        var scale = 0;
        ulong high = 0;
        ulong low = 0;
        var isNumber = false;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case TextField:
                    value = new Value(PropertyType.String, reader.Text(), 0);
                    break;
                case NumberField:
                    low = reader.UInt();
                    isNumber = true;
                    break;
                case DecimalScaleField:
                    scale = reader.Int();
                    isNumber = true;
                    break;
                case DecimalHighField:
                    high = reader.UInt();
                    isNumber = true;
                    break;
                case BoolField:
                    value = OfBool(reader.UInt() == 2);
                    break;
                case OptionField:
                    Array.Resize(ref options, optionCount + 1);
                    options[optionCount++] = reader.Text();
                    break;
                case DateField:
                    value = new Value(PropertyType.Date, null, reader.SInt());
                    break;
                case DateTimeField:
                    value = new Value(PropertyType.DateTime, null, reader.SInt());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (isNumber)
        {
            // The scale field holds 1 + 2 * scale + sign, so that it is never left out.
            var bits = scale - 1;
            return OfNumber(new decimal((int)low, (int)(low >> 32), (int)high, (bits & 1) != 0, (byte)(bits >> 1)));
        }

        return options is null ? value : new Value(PropertyType.Enumeration, options, 0);
    }

    /// <inheritdoc/>
    public bool Equals(Value other)
    {
        if (Type != other.Type)
        {
            return false;
        }

        return Type switch
        {
            PropertyType.String => string.Equals((string)_object!, (string)other._object!, StringComparison.Ordinal),
            PropertyType.Enumeration => Options.SequenceEqual(other.Options),
            _ => _number == other._number,
        };
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Value other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => throw new NotSupportedException("Values are no keys: their hash would differ per process.");

    /// <summary>The same value (REC-06).</summary>
    public static bool operator ==(Value left, Value right) => left.Equals(right);

    /// <summary>Another value.</summary>
    public static bool operator !=(Value left, Value right) => !left.Equals(right);

    /// <summary>The text that <see cref="TryParse"/> reads back.</summary>
    public override string ToString() => Type switch
    {
        PropertyType.None => string.Empty,
        PropertyType.String => (string)_object!,
        PropertyType.Number => _number.ToString(CultureInfo.InvariantCulture),
        PropertyType.Bool => _number != 0 ? "true" : "false",
        PropertyType.Enumeration => string.Join(';', (string[])_object!),
        PropertyType.Date => LocalDatePattern.Iso.Format(Date),
        PropertyType.DateTime => InstantPattern.ExtendedIso.Format(DateTime.ToInstant()),
        _ => throw new InvalidOperationException($"Value type {Type} has no text."),
    };

    private void PackNumber(PackedWriter writer)
    {
        // 1.50 and 1.5 are one value: trailing zeros go, so that equal values have equal bytes.
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(_number.Scale == 0 ? _number : _number / 1.0000000000000000000000000000m, bits);
        writer.UInt(NumberField, (uint)bits[0] | ((ulong)(uint)bits[1] << 32));
        var scale = (bits[3] >> 16) & 0xFF;
        var sign = bits[3] < 0 && _number != 0 ? 1 : 0;
        writer.UInt(DecimalScaleField, (ulong)(1 + (2 * scale) + sign));
        writer.UInt(DecimalHighField, (uint)bits[2]);
    }

    private InvalidOperationException WrongType(PropertyType wanted) => new($"The value is of type {Type}, not {wanted}.");
}
