using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using NodaTime;
using NodaTime.Text;
using Roster.V1;
using Value = Roster.V1.Value;

namespace Roster.Cli.Ingest;

/// <summary>Reads one field of rows: the column is found once, the pattern is compiled once.</summary>
internal sealed class CsvCell
{
    private readonly CsvFieldMap _field;
    private readonly int _index;
    private readonly LocalDateTimePattern? _pattern;
    private readonly DateTimeZone _zone;

    /// <exception cref="CliException">There is no such column, zone or pattern.</exception>
    public CsvCell(CsvFieldMap field, string path, IReadOnlyList<string> header, string mapZone, string file)
    {
        _field = field;
        _index = field.Column is null ? -1 : IndexOf(field.Column, path, header, file);
        var zone = field.TimeZone ?? mapZone;
        _zone = DateTimeZoneProviders.Tzdb.GetZoneOrNull(zone) ?? throw new CliException($"{file}: {path}: `{zone}` is not an IANA time zone.");
        try
        {
            _pattern = field.Format is null ? null : LocalDateTimePattern.CreateWithInvariantCulture(field.Format);
        }
        catch (InvalidPatternException error)
        {
            throw new CliException($"{file}: {path}.format: `{field.Format}` is not a NodaTime pattern: {error.Message}");
        }
    }

    private string ColumnName => _field.Column ?? "";

    /// <summary>The text; empty when the cell is.</summary>
    public string Text(IReadOnlyList<string> row) => _index < 0 ? _field.Value! : row[_index];

    /// <summary>The instant; null when the cell is empty.</summary>
    public Timestamp? Instant(IReadOnlyList<string> row)
    {
        var text = Text(row);
        return text.Length == 0 ? null : ParseInstant(text);
    }

    /// <summary>The value; null when the cell is empty.</summary>
    public Value? Value(IReadOnlyList<string> row)
    {
        var text = Text(row);
        if (text.Length == 0)
        {
            return null;
        }

        return _field.Type switch
        {
            CsvType.String => new Value { Text = text },
            CsvType.Number => new Value { Number = ParseNumber(text) },
            CsvType.Bool => new Value { Boolean = ParseBool(text) },
            CsvType.Enumeration => new Value { Options = ParseOptions(text) },
            CsvType.Date => new Value { Date = ParseDate(text) },
            CsvType.Datetime => new Value { Datetime = ParseInstant(text) },
            _ => throw new InvalidOperationException($"Unknown type {_field.Type}: a new one needs a case here."),
        };
    }

    private string ParseNumber(string text)
    {
        const NumberStyles Styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent | NumberStyles.AllowLeadingWhite
            | NumberStyles.AllowTrailingWhite;
        return decimal.TryParse(text, Styles, CultureInfo.InvariantCulture, out var number)
            ? number.ToString(CultureInfo.InvariantCulture)
            : throw new BadValueException(ColumnName, text, $"`{text}` is not a number.");
    }

    private bool ParseBool(string text) => text.Trim().ToLowerInvariant() switch
    {
        "true" or "1" or "yes" or "t" or "y" => true,
        "false" or "0" or "no" or "f" or "n" => false,
        _ => throw new BadValueException(ColumnName, text, $"`{text}` is not true or false."),
    };

    private OptionSet ParseOptions(string text) =>
        new() { Options = { text.Split(_field.Separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) } };

    private string ParseDate(string text)
    {
        if (_pattern is null)
        {
            return LocalDatePattern.Iso.Parse(text).Success ? text : throw new BadValueException(ColumnName, text, $"`{text}` is not a date such as `2026-01-31`.");
        }

        return LocalDatePattern.Iso.Format(ParseLocal(text, _pattern).Date);
    }

    private Timestamp ParseInstant(string text)
    {
        if (_pattern is not null)
        {
            // Lenient as people are: a time in a gap is moved forward by its length, of a time that is there twice the earlier is meant.
            return JsonEvent.ToTimestamp(ParseLocal(text, _pattern).InZoneLeniently(_zone).ToInstant());
        }

        return JsonEvent.TryParseInstant(text, out var instant)
            ? instant!
            : throw new BadValueException(ColumnName, text, $"`{text}` is not an instant such as `2026-01-31T09:00:00Z`; give a `format` for local times.");
    }

    private LocalDateTime ParseLocal(string text, LocalDateTimePattern pattern)
    {
        var parsed = pattern.Parse(text);
        return parsed.Success ? parsed.Value : throw new BadValueException(ColumnName, text, $"`{text}` does not match the format `{_field.Format}`.");
    }

    private static int IndexOf(string column, string path, IReadOnlyList<string> header, string file)
    {
        for (var i = 0; i < header.Count; i++)
        {
            if (string.Equals(header[i], column, StringComparison.Ordinal))
            {
                return i;
            }
        }

        throw new CliException($"{file}: {path}: there is no column `{column}`.{Json.NearestName.Hint(column, header)}");
    }
}
