using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Roster.V1;

namespace Roster.Cli.Json;

/// <summary>
/// What <c>roster apply</c> reads: a Tenant, a Workflow, or both kinds in one document
/// <c>{"tenant": {...}, "workflows": [...], "on": true}</c>.
/// </summary>
internal sealed class ApplyFile
{
    private static readonly string[] BundleFields = ["tenant", "workflows", "on"];
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private ApplyFile(Tenant? tenant, IReadOnlyList<(string Path, Workflow Workflow)> workflows, bool isOn)
    {
        Tenant = tenant;
        Workflows = workflows;
        IsOn = isOn;
    }

    /// <summary>Schema and settings; null when the file has none.</summary>
    public Tenant? Tenant { get; }

    /// <summary>The workflows, with their paths in the file.</summary>
    public IReadOnlyList<(string Path, Workflow Workflow)> Workflows { get; }

    /// <summary>Whether workflows are switched on. Default: true.</summary>
    public bool IsOn { get; }

    /// <summary>Whether the file spells names as the protos do (<c>any_of</c>), and not as JSON does by default (<c>anyOf</c>).</summary>
    public bool HasProtoNames { get; private init; }

    /// <summary>A path of the server, spelt as the names in this file are.</summary>
    public string Spell(string path) => HasProtoNames
        ? string.Concat(path.Select(letter => char.IsAsciiLetterUpper(letter) ? $"_{char.ToLowerInvariant(letter)}" : letter.ToString()))
        : path;

    /// <summary>Reads a document.</summary>
    /// <exception cref="CliException">It is not JSON, or does not fit: one sentence per problem, with path and value.</exception>
    public static ApplyFile Parse(string json, string file)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Lenient);
            return Read(document.RootElement, file, json.Contains("\"object_type", StringComparison.Ordinal));
        }
        catch (JsonException error)
        {
            var line = (error.LineNumber ?? 0) + 1;
            var column = (error.BytePositionInLine ?? 0) + 1;
            throw new CliException(string.Create(CultureInfo.InvariantCulture, $"{file}:{line}:{column}: this is not JSON: {FirstSentence(error.Message)}"));
        }
    }

    private static ApplyFile Read(JsonElement root, string file, bool hasProtoNames)
    {
        var problems = new List<JsonProblem>();
        Tenant? tenant = null;
        var workflows = new List<(string, Workflow)>();
        var isOn = true;
        if (root.ValueKind != JsonValueKind.Object)
        {
            problems.Add(new JsonProblem("", "", "The file is not a JSON object with a workflow or a tenant."));
        }
        else if (root.TryGetProperty("workflows", out _) || root.TryGetProperty("tenant", out _))
        {
            ReadBundle(root, problems, ref tenant, workflows, ref isOn);
        }
        else if (root.TryGetProperty("object_types", out _) || root.TryGetProperty("objectTypes", out _) || root.TryGetProperty("settings", out _))
        {
            tenant = Message<Tenant>(root, Tenant.Descriptor, "", problems);
        }
        else if (Message<Workflow>(root, Workflow.Descriptor, "", problems) is { } workflow)
        {
            workflows.Add(("", workflow));
        }

        return problems.Count == 0
            ? new ApplyFile(tenant, workflows, isOn) { HasProtoNames = hasProtoNames }
            : throw new CliException([.. problems.Select(problem => $"{file}: {problem}")]);
    }

    private static void ReadBundle(JsonElement root, List<JsonProblem> problems, ref Tenant? tenant, List<(string, Workflow)> workflows, ref bool isOn)
    {
        foreach (var property in root.EnumerateObject())
        {
            switch (property.Name)
            {
                case "tenant":
                    tenant = Message<Tenant>(property.Value, Tenant.Descriptor, "tenant", problems);
                    break;
                case "workflows" when property.Value.ValueKind == JsonValueKind.Array:
                    ReadWorkflows(property.Value, problems, workflows);
                    break;
                case "on" when property.Value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                    isOn = property.Value.GetBoolean();
                    break;
                case "workflows" or "on":
                    problems.Add(new JsonProblem(
                        property.Name, MessageCheck.Show(property.Value), $"`{MessageCheck.Show(property.Value)}` is not {(property.Name == "on" ? "true or false" : "an array of workflows")}."));
                    break;
                default:
                    problems.Add(new JsonProblem(
                        property.Name, MessageCheck.Show(property.Value), $"There is no field `{property.Name}` here.{NearestName.Hint(property.Name, BundleFields)}"));
                    break;
            }
        }
    }

    private static void ReadWorkflows(JsonElement array, List<JsonProblem> problems, List<(string, Workflow)> workflows)
    {
        var index = 0;
        foreach (var item in array.EnumerateArray())
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"workflows[{index++}]");
            if (Message<Workflow>(item, Workflow.Descriptor, path, problems) is { } workflow)
            {
                workflows.Add((path, workflow));
            }
        }
    }

    private static T? Message<T>(JsonElement element, MessageDescriptor descriptor, string path, List<JsonProblem> problems)
        where T : class, IMessage
    {
        var found = MessageCheck.Find(element, descriptor, path);
        problems.AddRange(found);
        if (found.Count > 0)
        {
            return null;
        }

        try
        {
            return (T)JsonParser.Default.Parse(element.GetRawText(), descriptor);
        }
        catch (Exception error) when (error is InvalidProtocolBufferException or InvalidJsonException)
        {
            problems.Add(new JsonProblem(path, MessageCheck.Show(element), error.Message));
            return null;
        }
    }

    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        return end > 0 ? message[..end] : message.Split(" LineNumber:", 2)[0];
    }
}
