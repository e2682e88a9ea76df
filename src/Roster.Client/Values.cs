using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Roster.V1;
using Value = Roster.V1.Value;

namespace Roster.Client;

/// <summary>Makes values of properties.</summary>
public static class Values
{
    /// <summary>No value: writing it clears the property.</summary>
    public static Value Unknown => new();

    /// <summary>A text, at most 65,536 bytes.</summary>
    public static Value Text(string text) => new() { Text = text };

    /// <summary>A decimal number.</summary>
    public static Value Number(decimal number) => new() { Number = number.ToString(CultureInfo.InvariantCulture) };

    /// <summary>True or false.</summary>
    public static Value Bool(bool value) => new() { Boolean = value };

    /// <summary>A calendar date.</summary>
    public static Value Date(DateOnly date) => new() { Date = date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) };

    /// <summary>An instant; finer parts than a millisecond are cut off by the server.</summary>
    public static Value Instant(DateTimeOffset instant) => new() { Datetime = Timestamp.FromDateTimeOffset(instant) };

    /// <summary>Options of an enumeration.</summary>
    public static Value Options(params IEnumerable<string> options) => new() { Options = new OptionSet { Options = { options } } };

    /// <summary>The value as a person writes it; empty for no value.</summary>
    public static string Show(Value? value) => value?.KindCase switch
    {
        Value.KindOneofCase.Text => value.Text,
        Value.KindOneofCase.Number => value.Number,
        Value.KindOneofCase.Boolean => value.Boolean ? "true" : "false",
        Value.KindOneofCase.Date => value.Date,
        Value.KindOneofCase.Datetime => value.Datetime.ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'", CultureInfo.InvariantCulture),
        Value.KindOneofCase.Options => string.Join("; ", value.Options.Options),
        _ => "",
    };
}
