using System.Globalization;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using NodaTime;
using NodaTime.Text;
using Roster.Cli.Json;
using Roster.Cli.Output;
using Roster.V1;
using Value = Roster.V1.Value;

namespace Roster.Cli.Ingest;

/// <summary>
/// One line of JSON as an event:
/// <c>{"id":"e1","object":"contact","record":"ada@example.org","type":"form_submitted","at":"2026-01-02T03:04:05Z","source":"web",
/// "properties":{...},"set":{...}}</c>. Values are plain JSON: text, number, true or false, an array of texts for options, null to
/// clear, <c>{"date":"2026-01-02"}</c> and <c>{"datetime":"2026-01-02T03:04:05Z"}</c>. Links to other records are
/// <c>"link":{"deal/d1":"buyer","company/c1":""}</c>, with a label or none; <c>"unlink"</c> takes them away. Consent is
/// <c>"consent":{"newsletter":"SUBSCRIBED"}</c>, with null to clear.
/// </summary>
internal static class JsonEvent
{
    private static readonly string[] Fields = ["id", "object", "record", "type", "at", "source", "properties", "set", "link", "unlink", "consent", "baseline"];

    /// <exception cref="JsonException">The line is not JSON.</exception>
    /// <exception cref="BadValueException">A field is not what it should be.</exception>
    public static Event Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new BadValueException("", MessageCheck.Show(document.RootElement), "The line is not a JSON object.");
        }

        var item = new Event();
        foreach (var property in document.RootElement.EnumerateObject())
        {
            ReadField(item, property);
        }

        Require(item.EventId, "id");
        Require(item.ObjectType, "object");
        Require(item.RecordId, "record");
        return item;
    }

    /// <summary>An instant as text, with <c>Z</c> or an offset.</summary>
    public static bool TryParseInstant(string text, out Timestamp? instant)
    {
        var parsed = InstantPattern.ExtendedIso.Parse(text);
        if (!parsed.Success)
        {
            var withOffset = OffsetDateTimePattern.ExtendedIso.Parse(text);
            if (!withOffset.Success)
            {
                instant = null;
                return false;
            }

            instant = ToTimestamp(withOffset.Value.ToInstant());
            return true;
        }

        instant = ToTimestamp(parsed.Value);
        return true;
    }

    public static Timestamp ToTimestamp(Instant instant)
    {
        var ms = instant.ToUnixTimeMilliseconds();
        var seconds = Math.DivRem(ms, 1_000, out var rest);
        return rest < 0
            ? new Timestamp { Seconds = seconds - 1, Nanos = (int)(rest + 1_000) * 1_000_000 }
            : new Timestamp { Seconds = seconds, Nanos = (int)rest * 1_000_000 };
    }

    private static void ReadField(Event item, JsonProperty property)
    {
        switch (property.Name)
        {
            case "id":
                item.EventId = Text(property);
                break;
            case "object":
                item.ObjectType = Text(property);
                break;
            case "record":
                item.RecordId = Text(property);
                break;
            case "type":
                item.Type = Text(property);
                break;
            case "source":
                item.Source = Text(property);
                break;
            case "at":
                item.OccurredAt = TryParseInstant(Text(property), out var at)
                    ? at
                    : throw new BadValueException("at", Text(property), "`at` is not an instant such as `2026-01-02T03:04:05Z`.");
                break;
            case "properties":
                ReadValues(item.Properties, property);
                break;
            case "set":
                ReadValues(item.Writes, property);
                break;
            case "link" or "unlink":
                ReadLinks(item, property);
                break;
            case "consent":
                ReadConsents(item, property);
                break;
            case "baseline" when property.Value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                item.Baseline = property.Value.GetBoolean();
                break;
            default:
                throw Unknown(property);
        }
    }

    private static void ReadLinks(Event item, JsonProperty property)
    {
        foreach (var link in Members(property))
        {
            var path = $"{property.Name}.{link.Name}";
            var slash = link.Name.IndexOf('/', StringComparison.Ordinal);
            if (slash <= 0 || link.Value.ValueKind != JsonValueKind.String)
            {
                throw new BadValueException(path, link.Name, "A link is an object type and an id with its label: `\"deal/d1\": \"buyer\"`; an empty text is no label.");
            }

            item.Associations.Add(new AssociationChange
            {
                ObjectType = link.Name[..slash],
                RecordId = link.Name[(slash + 1)..],
                Label = link.Value.GetString()!,
                Remove = property.Name == "unlink",
            });
        }
    }

    private static void ReadConsents(Event item, JsonProperty property)
    {
        foreach (var consent in Members(property))
        {
            var change = new ConsentChange { Subscription = consent.Name };
            if (consent.Value.ValueKind != JsonValueKind.Null)
            {
                change.Status = consent.Value.ValueKind == JsonValueKind.String && ProtoNames.TryParse<ConsentStatus.Types.Status>(consent.Value.GetString()!, out var status)
                    ? status
                    : throw new BadValueException($"consent.{consent.Name}", MessageCheck.Show(consent.Value), "A consent is SUBSCRIBED, UNSUBSCRIBED, GRANTED, NOT_GRANTED or null.");
            }

            item.Consents.Add(change);
        }
    }

    private static JsonElement.ObjectEnumerator Members(JsonProperty property) => property.Value.ValueKind == JsonValueKind.Object
        ? property.Value.EnumerateObject()
        : throw new BadValueException(property.Name, MessageCheck.Show(property.Value), $"`{property.Name}` is not an object of names and values.");

    private static BadValueException Unknown(JsonProperty property) => property.Name == "baseline"
        ? new BadValueException("baseline", MessageCheck.Show(property.Value), "`baseline` is not true or false.")
        : new BadValueException(property.Name, MessageCheck.Show(property.Value), $"An event has no field `{property.Name}`.{NearestName.Hint(property.Name, Fields)}");

    private static string Text(JsonProperty property) => property.Value.ValueKind == JsonValueKind.String
        ? property.Value.GetString()!
        : throw new BadValueException(property.Name, MessageCheck.Show(property.Value), $"`{property.Name}` is not a text in quotes.");

    private static void Require(string value, string field)
    {
        if (value.Length == 0)
        {
            throw new BadValueException(field, "", $"`{field}` is missing.");
        }
    }

    private static void ReadValues(Google.Protobuf.Collections.RepeatedField<PropertyValue> values, JsonProperty property)
    {
        foreach (var item in Members(property))
        {
            values.Add(new PropertyValue { Name = item.Name, Value = ToValue(item.Value, $"{property.Name}.{item.Name}") });
        }
    }

    private static Value ToValue(JsonElement element, string path) => element.ValueKind switch
    {
        JsonValueKind.String => new Value { Text = element.GetString()! },
        JsonValueKind.Number => new Value { Number = ToDecimalText(element.GetRawText(), path) },
        JsonValueKind.True => new Value { Boolean = true },
        JsonValueKind.False => new Value { Boolean = false },
        JsonValueKind.Null => new Value(),
        JsonValueKind.Array => ToOptions(element, path),
        _ => ToTyped(element, path),
    };

    // The digits as they stand: a number never goes through binary floating point.
    private static string ToDecimalText(string raw, string path)
    {
        if (!raw.AsSpan().ContainsAny('e', 'E'))
        {
            return raw;
        }

        return decimal.TryParse(raw, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number.ToString(CultureInfo.InvariantCulture)
            : throw new BadValueException(path, raw, $"`{raw}` has more digits than a decimal number can hold.");
    }

    private static Value ToOptions(JsonElement array, string path)
    {
        var options = new OptionSet();
        foreach (var item in array.EnumerateArray())
        {
            options.Options.Add(item.ValueKind == JsonValueKind.String
                ? item.GetString()!
                : throw new BadValueException(path, MessageCheck.Show(item), $"`{MessageCheck.Show(item)}` is not an option: options are texts in quotes."));
        }

        return new Value { Options = options };
    }

    private static Value ToTyped(JsonElement element, string path)
    {
        using var fields = element.EnumerateObject();
        if (fields.MoveNext() && fields.Current.Value.ValueKind == JsonValueKind.String)
        {
            var text = fields.Current.Value.GetString()!;
            if (fields.Current.Name == "date" && LocalDatePattern.Iso.Parse(text).Success)
            {
                return new Value { Date = text };
            }

            if (fields.Current.Name == "datetime" && TryParseInstant(text, out var instant))
            {
                return new Value { Datetime = instant };
            }
        }

        throw new BadValueException(
            path, MessageCheck.Show(element), "An object as a value is {\"date\":\"2026-01-02\"} or {\"datetime\":\"2026-01-02T03:04:05Z\"}.");
    }
}
