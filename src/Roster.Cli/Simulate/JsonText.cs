using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Roster.Cli.Simulate;

/// <summary>JSON that people read, compare and commit: outer objects one field per line, inner values on one line, the same bytes everywhere.</summary>
internal static class JsonText
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A document whose objects down to <paramref name="depth"/> have one field per line. Ends with a line break.</summary>
    public static string OnLines(JsonNode node, int depth)
    {
        var text = new StringBuilder();
        Write(node, text, depth, indent: 0);
        return text.Append('\n').ToString();
    }

    public static string OnOneLine(JsonNode node)
    {
        var text = new StringBuilder();
        Write(node, text, depth: 0, indent: 0);
        return text.ToString();
    }

    private static void Write(JsonNode? node, StringBuilder text, int depth, int indent)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } fields:
                WriteAll(fields, '{', '}', text, depth, indent, field =>
                {
                    text.Append(JsonSerializer.Serialize(field.Key, Options)).Append(": ");
                    Write(field.Value, text, depth - 1, indent + 2);
                });
                break;
            case JsonArray { Count: > 0 } items:
                WriteAll(items, '[', ']', text, depth, indent, item => Write(item, text, depth - 1, indent + 2));
                break;
            case JsonObject:
                text.Append("{}");
                break;
            default:
                text.Append(node?.ToJsonString(Options) ?? "null");
                break;
        }
    }

    private static void WriteAll<T>(IEnumerable<T> items, char open, char close, StringBuilder text, int depth, int indent, Action<T> write)
    {
        var isFirst = true;
        text.Append(open);
        foreach (var item in items)
        {
            text.Append(isFirst ? "" : depth > 0 ? "," : ", ");
            if (depth > 0)
            {
                text.Append('\n').Append(' ', indent + 2);
            }

            write(item);
            isFirst = false;
        }

        if (depth > 0)
        {
            text.Append('\n').Append(' ', indent);
        }

        text.Append(close);
    }
}
