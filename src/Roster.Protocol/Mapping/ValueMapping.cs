using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Core.Values;
using CoreValue = Roster.Core.Values.Value;
using V1Value = Roster.V1.Value;
using WireTimestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Roster.Protocol.Mapping;

/// <summary>Values and times between the public contract and Core.</summary>
public static class ValueMapping
{
    /// <summary>Most bytes of a text value.</summary>
    public const int TextBytesMax = 65_536;

    /// <summary>Reads a value as sent.</summary>
    /// <returns>Null when it is fine, else one sentence about what is not.</returns>
    public static string? TryRead(V1Value? sent, out CoreValue value)
    {
        value = CoreValue.Unknown;
        switch (sent?.KindCase ?? V1Value.KindOneofCase.None)
        {
            case V1Value.KindOneofCase.None:
                return null;
            case V1Value.KindOneofCase.Text:
                value = CoreValue.OfText(sent!.Text);
                return sent.Text.Length > TextBytesMax || Encoding.UTF8.GetByteCount(sent.Text) > TextBytesMax ? $"A text has at most {TextBytesMax} bytes." : null;
            case V1Value.KindOneofCase.Number:
                if (sent!.Number.Length == 0 || !CoreValue.TryParseNumber(sent.Number, out var number))
                {
                    return "A number is a decimal in text: an optional minus, digits, an optional point and digits; at most 28 significant digits.";
                }

                value = CoreValue.OfNumber(number);
                return null;
            case V1Value.KindOneofCase.Boolean:
                value = CoreValue.OfBool(sent!.Boolean);
                return null;
            case V1Value.KindOneofCase.Date:
                return sent!.Date.Length > 0 && CoreValue.TryParse(sent.Date, PropertyType.Date, out value) ? null : "A date is YYYY-MM-DD.";
            case V1Value.KindOneofCase.Datetime:
                return TryRead(sent!.Datetime, out var instant, ref value) ? null : $"An instant lies in the years 1 to 9999, not at {instant} seconds.";
            case V1Value.KindOneofCase.Options:
                return ReadOptions(sent!.Options.Options, out value);
            default:
                return $"Values of kind {sent!.KindCase} are not known.";
        }
    }

    /// <summary>Writes a value; null for unknown.</summary>
    public static V1Value? ToWire(in CoreValue value) => value.Type switch
    {
        PropertyType.None => null,
        PropertyType.String => new V1Value { Text = value.Text },
        PropertyType.Number => new V1Value { Number = value.Number.ToString(CultureInfo.InvariantCulture) },
        PropertyType.Bool => new V1Value { Boolean = value.Bool },
        PropertyType.Date => new V1Value { Date = value.ToString() },
        PropertyType.DateTime => new V1Value { Datetime = Write(value.DateTime) },
        PropertyType.Enumeration => new V1Value { Options = new V1.OptionSet { Options = { value.Options.ToArray() } } },
        _ => throw new InvalidOperationException($"Value type {value.Type} has no wire form."),
    };

    /// <summary>Writes a named value.</summary>
    public static V1.PropertyValue ToWire(in NamedValue named) => new() { Name = named.Name, Value = ToWire(named.Value) };

    /// <summary>Reads an instant, cut to milliseconds; none when it was not sent.</summary>
    public static bool TryRead(WireTimestamp? sent, out Core.Timestamp instant)
    {
        instant = Core.Timestamp.None;
        if (sent is null)
        {
            return true;
        }

        if (sent.Seconds < Core.Timestamp.Min.Ms / 1000 || sent.Seconds > Core.Timestamp.Max.Ms / 1000 || sent.Nanos is < 0 or > 999_999_999)
        {
            return false;
        }

        instant = new Core.Timestamp((sent.Seconds * 1000) + (sent.Nanos / 1_000_000));
        return true;
    }

    /// <summary>Writes an instant; null for none.</summary>
    public static WireTimestamp? ToWire(Core.Timestamp instant) => instant.IsNone ? null : Write(instant);

    private static WireTimestamp Write(Core.Timestamp instant)
    {
        var seconds = Math.DivRem(instant.Ms, 1000, out var rest);
        return rest >= 0
            ? new WireTimestamp { Seconds = seconds, Nanos = (int)(rest * 1_000_000) }
            : new WireTimestamp { Seconds = seconds - 1, Nanos = (int)((rest + 1000) * 1_000_000) };
    }

    private static bool TryRead(WireTimestamp sent, out long seconds, ref CoreValue value)
    {
        seconds = sent.Seconds;
        var isFine = TryRead(sent, out var instant);
        value = CoreValue.OfDateTime(instant);
        return isFine;
    }

    private static string? ReadOptions(IReadOnlyList<string> options, out CoreValue value)
    {
        value = CoreValue.Unknown;
        if (options.Any(o => o.Length is 0 or > 256))
        {
            return "An option has 1 to 256 characters.";
        }

        value = CoreValue.OfOptions([.. options]);
        return null;
    }
}
