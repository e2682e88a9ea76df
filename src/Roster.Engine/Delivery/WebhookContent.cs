using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Roster.Core.Journal;
using Roster.Core.Values;
using Roster.Engine.Catalog;
using Roster.Engine.Turns;

namespace Roster.Engine.Delivery;

/// <summary>The bodies of webhooks and what is read from their answers (ACT-60).</summary>
internal static class WebhookContent
{
    private const int OutputNameLengthMax = 100;

    /// <summary>JSON is read by programs, so it need not be fit for HTML.</summary>
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The body: a function of what was committed, so that it is the same for every attempt.</summary>
    public static byte[] Write(TenantOwner owner, TaskContent task, string key)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, Options);
        json.WriteStartObject();
        json.WriteString("key", key);
        json.WriteString("workflow_id", owner.WorkflowId(task.Workflow));
        json.WriteNumber("version", task.Version);
        json.WriteString("step_id", owner.StepId(task.Workflow, task.Step));
        json.WriteString("requested_at", Value.OfDateTime(task.RequestedAt).ToString());
        json.WriteStartObject("record");
        json.WriteString("object_type", owner.Schema.ObjectType(task.ObjectType).Name);
        json.WriteString("record_id", task.RecordId);
        json.WriteEndObject();
        Write(json, "event", task.Event);
        Write(json, "properties", task.Properties);
        Write(json, "fields", task.Fields);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>
    /// The outputs of an answer: <c>status</c>, and of a JSON object <c>body.NAME</c> for each member; of any other JSON <c>body</c>. What is no JSON gives the
    /// status alone.
    /// </summary>
    public static NamedValue[] ReadOutputs(int status, byte[]? body)
    {
        var outputs = new List<NamedValue> { new("status", Value.OfNumber(status)) };
        if (body is null)
        {
            return [.. outputs];
        }

        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                outputs.Add(new NamedValue("body", ToValue(json.RootElement)));
            }
            else
            {
                outputs.AddRange(json.RootElement.EnumerateObject().Where(m => m.Name.Length <= OutputNameLengthMax).Select(m => new NamedValue($"body.{m.Name}", ToValue(m.Value))));
            }
        }
        catch (JsonException)
        {
            // It said that it was JSON; its status counts all the same.
        }

        return [.. outputs.Where(o => !o.Value.IsUnknown).DistinctBy(o => o.Name)];
    }

    private static Value ToValue(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => Value.OfText(element.GetString()!),
        JsonValueKind.Number => Value.TryParseNumber(element.GetRawText(), out var number) ? Value.OfNumber(number) : Value.OfText(element.GetRawText()),
        JsonValueKind.True => Value.OfBool(true),
        JsonValueKind.False => Value.OfBool(false),
        JsonValueKind.Null or JsonValueKind.Undefined => Value.Unknown,
        _ => Value.OfText(element.GetRawText()),
    };

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<NamedValue> values)
    {
        json.WriteStartObject(name);
        foreach (var value in values.DistinctBy(v => v.Name))
        {
            json.WritePropertyName(value.Name);
            Write(json, value.Value);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, in Value value)
    {
        switch (value.Type)
        {
            case PropertyType.None:
                json.WriteNullValue();
                break;
            case PropertyType.Number:
                json.WriteRawValue(value.Number.ToString(CultureInfo.InvariantCulture));
                break;
            case PropertyType.Bool:
                json.WriteBooleanValue(value.Bool);
                break;
            case PropertyType.Enumeration:
                json.WriteStartArray();
                foreach (var option in value.Options)
                {
                    json.WriteStringValue(option);
                }

                json.WriteEndArray();
                break;
            default:
                json.WriteStringValue(value.ToString());
                break;
        }
    }
}
