using System.Text.Json;
using System.Text.Json.Serialization;

namespace Roster.Cli.Ingest;

/// <summary>
/// How the rows of a CSV file become events: a JSON file given with <c>--map</c>. A row makes one event per entry of
/// <see cref="Events"/>.
/// </summary>
internal sealed class CsvMap
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        Converters = { new FieldConverter(), new JsonStringEnumConverter<CsvType>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>IANA zone of local times. Default: UTC.</summary>
    public string TimeZone { get; init; } = "Etc/UTC";

    /// <summary>What parts the fields. Default: a comma.</summary>
    public char Delimiter { get; init; } = ',';

    /// <summary>Whether quoted fields may hold line breaks. With false, one bad quote costs one line. Default: true.</summary>
    public bool LineBreaksInQuotes { get; init; } = true;

    /// <summary>The events that a row makes, in order.</summary>
    public required IReadOnlyList<CsvEventMap> Events { get; init; }

    /// <summary>Reads a map.</summary>
    public static CsvMap Parse(string json, string file)
    {
        try
        {
            return JsonSerializer.Deserialize<CsvMap>(json, Options) ?? throw new CliException($"{file}: the map is empty.");
        }
        catch (JsonException error)
        {
            var path = error.Path is { Length: > 1 } found ? $"{found.TrimStart('$', '.')}: " : "";
            throw new CliException($"{file}: {path}{error.Message.Split(" Path:", 2)[0]}");
        }
    }

    /// <summary>A field is written as the name of its column, or as an object.</summary>
    private sealed class FieldConverter : JsonConverter<CsvFieldMap>
    {
        public override CsvFieldMap Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String)
            {
                return new CsvFieldMap { Column = reader.GetString() };
            }

            var plain = JsonSerializer.Deserialize<PlainField>(ref reader, options) ?? new PlainField();
            if (plain.Column is null == plain.Value is null)
            {
                throw new JsonException("A field names a `column` or gives a `value`, one of the two.");
            }

            return new CsvFieldMap
            {
                Column = plain.Column,
                Value = plain.Value,
                Type = plain.Type,
                Format = plain.Format,
                TimeZone = plain.TimeZone,
                Separator = plain.Separator,
            };
        }

        public override void Write(Utf8JsonWriter writer, CsvFieldMap value, JsonSerializerOptions options) => throw new NotSupportedException();
    }

    private sealed class PlainField
    {
        public string? Column { get; init; }

        public string? Value { get; init; }

        public CsvType Type { get; init; }

        public string? Format { get; init; }

        public string? TimeZone { get; init; }

        public string Separator { get; init; } = ";";
    }
}

/// <summary>One event of a row.</summary>
internal sealed class CsvEventMap
{
    /// <summary>Object type of the record.</summary>
    public required string Object { get; init; }

    /// <summary>Id of the record.</summary>
    public required CsvFieldMap Record { get; init; }

    /// <summary>Event id. Default: a hash of the row, the same whenever the row is read.</summary>
    public CsvFieldMap? Id { get; init; }

    /// <summary>Event type. Default: <c>property_changed</c>. A constant is written <c>{"value": "deal_won"}</c>.</summary>
    public CsvFieldMap? Type { get; init; }

    /// <summary>When it happened. Default: when the server handles it.</summary>
    public CsvFieldMap? At { get; init; }

    /// <summary>Who says so.</summary>
    public string Source { get; init; } = "";

    /// <summary>Skips this event, without an error, when the column is empty.</summary>
    public string? OnlyIf { get; init; }

    /// <summary>Properties of the record, by name. Empty cells write nothing.</summary>
    public IReadOnlyDictionary<string, CsvFieldMap> Set { get; init; } = new Dictionary<string, CsvFieldMap>();

    /// <summary>Properties of the event, by name. Empty cells are left out.</summary>
    public IReadOnlyDictionary<string, CsvFieldMap> Properties { get; init; } = new Dictionary<string, CsvFieldMap>();
}

/// <summary>Types of values in cells.</summary>
internal enum CsvType
{
    /// <summary>Text.</summary>
    String,

    /// <summary>Decimal number with a point.</summary>
    Number,

    /// <summary><c>true</c>, <c>false</c>, <c>1</c>, <c>0</c>, <c>yes</c>, <c>no</c>.</summary>
    Bool,

    /// <summary>Options, parted by the separator.</summary>
    Enumeration,

    /// <summary>A date.</summary>
    Date,

    /// <summary>An instant.</summary>
    Datetime,
}

/// <summary>Where a value comes from, and how it is read.</summary>
internal sealed class CsvFieldMap
{
    /// <summary>Its column.</summary>
    public string? Column { get; init; }

    /// <summary>Or a constant.</summary>
    public string? Value { get; init; }

    /// <summary>Its type. Default: string.</summary>
    public CsvType Type { get; init; }

    /// <summary>NodaTime pattern of a date or a local time, such as <c>uuuu-MM-dd HH:mm:ss</c>. Default: ISO.</summary>
    public string? Format { get; init; }

    /// <summary>IANA zone of a local time. Default: the map's.</summary>
    public string? TimeZone { get; init; }

    /// <summary>What parts options. Default: a semicolon.</summary>
    public string Separator { get; init; } = ";";
}
