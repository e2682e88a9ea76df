using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Roster.Cli.Json;

/// <summary>Something in a JSON document that does not fit its message.</summary>
/// <param name="Path">Where, such as <c>steps[2].delay.unit</c>.</param>
/// <param name="Value">The value in question, cut.</param>
/// <param name="Message">One sentence.</param>
internal sealed record JsonProblem(string Path, string Value, string Message)
{
    public override string ToString() => Path.Length > 0 ? $"{Path}: {Message}" : Message;
}

/// <summary>
/// Compares a JSON document with the message it is meant to be (proto3 JSON), and says where it differs. The protobuf parser refuses
/// the same documents, but without a path, and stops at the first.
/// </summary>
internal static class MessageCheck
{
    /// <summary>All differences; none when the document can be parsed as the message.</summary>
    public static IReadOnlyList<JsonProblem> Find(JsonElement element, MessageDescriptor message, string path = "")
    {
        var problems = new List<JsonProblem>();
        CheckMessage(element, message, path, problems);
        return problems;
    }

    /// <summary>A value as it is shown in an error.</summary>
    public static string Show(JsonElement element)
    {
        var text = element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText();
        return text.Length <= 100 ? text : string.Concat(text.AsSpan(0, 99), "…");
    }

    private static void CheckMessage(JsonElement element, MessageDescriptor message, string path, List<JsonProblem> problems)
    {
        if (message.File == Timestamp.Descriptor.File || message.File == Duration.Descriptor.File)
        {
            CheckWellKnown(element, message, path, problems);
            return;
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add(Wrong(element, path, $"an object with the fields of {message.Name}"));
            return;
        }

        var seen = new HashSet<FieldDescriptor>();
        var chosen = new Dictionary<OneofDescriptor, string>();
        foreach (var property in element.EnumerateObject())
        {
            var at = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            var field = message.Fields.InFieldNumberOrder().FirstOrDefault(candidate => candidate.Name == property.Name || candidate.JsonName == property.Name);
            if (field is null)
            {
                var hint = NearestName.Hint(property.Name, message.Fields.InFieldNumberOrder().Select(candidate => candidate.Name));
                problems.Add(new JsonProblem(at, Show(property.Value), $"{message.Name} has no field `{property.Name}`.{hint}"));
                continue;
            }

            if (!seen.Add(field))
            {
                problems.Add(new JsonProblem(at, Show(property.Value), $"`{property.Name}` is given twice."));
            }

            if (property.Value.ValueKind != JsonValueKind.Null)
            {
                CheckOneof(field, property, at, chosen, problems);
                CheckField(property.Value, field, at, problems);
            }
        }
    }

    private static void CheckOneof(
        FieldDescriptor field, JsonProperty property, string path, Dictionary<OneofDescriptor, string> chosen, List<JsonProblem> problems)
    {
        if (field.RealContainingOneof is { } oneof && !chosen.TryAdd(oneof, property.Name))
        {
            problems.Add(new JsonProblem(path, Show(property.Value), $"`{property.Name}` and `{chosen[oneof]}` exclude each other; give one of them."));
        }
    }

    private static void CheckField(JsonElement element, FieldDescriptor field, string path, List<JsonProblem> problems)
    {
        if (!field.IsRepeated)
        {
            CheckValue(element, field, path, problems);
            return;
        }

        if (element.ValueKind != JsonValueKind.Array)
        {
            problems.Add(Wrong(element, path, "an array"));
            return;
        }

        var index = 0;
        foreach (var item in element.EnumerateArray())
        {
            CheckValue(item, field, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]"), problems);
        }
    }

    private static void CheckValue(JsonElement element, FieldDescriptor field, string path, List<JsonProblem> problems)
    {
        switch (field.FieldType)
        {
            case FieldType.Message:
                CheckMessage(element, field.MessageType, path, problems);
                break;
            case FieldType.Enum:
                CheckEnum(element, field.EnumType, path, problems);
                break;
            case FieldType.String when element.ValueKind != JsonValueKind.String:
                problems.Add(Wrong(element, path, "a text in quotes"));
                break;
            case FieldType.Bool when element.ValueKind is not (JsonValueKind.True or JsonValueKind.False):
                problems.Add(Wrong(element, path, "true or false"));
                break;
            case FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 when !IsWhole(element, int.MinValue, int.MaxValue):
                problems.Add(Wrong(element, path, "a whole number"));
                break;
            case FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 when !IsWhole(element, long.MinValue, long.MaxValue):
                problems.Add(Wrong(element, path, "a whole number"));
                break;
            case FieldType.UInt32 or FieldType.UInt64 or FieldType.Fixed32 or FieldType.Fixed64 when !IsWhole(element, 0, ulong.MaxValue):
                problems.Add(Wrong(element, path, "a whole number, not negative"));
                break;
            default:
                break;
        }
    }

    private static void CheckEnum(JsonElement element, EnumDescriptor type, string path, List<JsonProblem> problems)
    {
        if (element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var number) && type.FindValueByNumber(number) is not null)
        {
            return;
        }

        var text = Show(element);
        if (element.ValueKind != JsonValueKind.String || type.FindValueByName(text) is null)
        {
            var known = type.Values.Where(value => value.Number != 0).Select(value => value.Name);
            problems.Add(new JsonProblem(path, text, $"`{text}` is not a value of {type.Name}.{NearestName.Hint(text, known)}"));
        }
    }

    private static void CheckWellKnown(JsonElement element, MessageDescriptor message, string path, List<JsonProblem> problems)
    {
        try
        {
            JsonParser.Default.Parse(element.GetRawText(), message);
        }
        catch (Exception error) when (error is InvalidProtocolBufferException or InvalidOperationException)
        {
            problems.Add(Wrong(element, path, message.File == Timestamp.Descriptor.File
                ? "a time in UTC such as \"2026-01-31T09:00:00Z\""
                : "a time span in seconds such as \"90s\""));
        }
    }

    private static bool IsWhole(JsonElement element, decimal min, decimal max)
    {
        var text = element.ValueKind switch
        {
            JsonValueKind.Number => element.GetRawText(),
            JsonValueKind.String => element.GetString(),
            _ => null,
        };
        return decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number >= min && number <= max && number == decimal.Truncate(number);
    }

    private static JsonProblem Wrong(JsonElement element, string path, string expected) =>
        new(path, Show(element), $"`{Show(element)}` is not {expected}.");
}
