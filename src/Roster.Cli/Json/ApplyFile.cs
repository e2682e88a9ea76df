using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Roster.V1;

namespace Roster.Cli.Json;

/// <summary>
/// What <c>roster apply</c> reads: a Tenant, a List, a Workflow, a Sequence, an Inbox, or all kinds, with sequences and inboxes, in one document
/// <c>{"tenant": {...}, "lists": [...], "inboxes": [...], "sequences": [...], "workflows": [...], "on": true}</c>. <c>on</c> is true, false, or the ids of those that are switched on.
/// </summary>
/// <remarks>
/// A list alone is told from a workflow by its <c>criteria</c>, or by having nothing but id, name and object type; a sequence by its <c>owner</c>, an inbox by its <c>user</c>.
/// </remarks>
internal sealed class ApplyFile
{
    private static readonly string[] BundleFields = ["tenant", "lists", "inboxes", "sequences", "workflows", "on"];
    private static readonly HashSet<string> FieldsOfEither = new(StringComparer.Ordinal)
    {
        "id", "display_name", "displayName", "object_type", "objectType", "revision", "created_at", "createdAt", "updated_at", "updatedAt",
    };

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly IReadOnlySet<string>? _on;

    private ApplyFile(Tenant? tenant, IReadOnlyList<(string Path, List List)> lists, IReadOnlyList<(string Path, Workflow Workflow)> workflows, IReadOnlySet<string>? on)
    {
        Tenant = tenant;
        Lists = lists;
        Workflows = workflows;
        _on = on;
    }

    /// <summary>Schema and settings; null when the file has none.</summary>
    public Tenant? Tenant { get; }

    /// <summary>The lists, with their paths in the file.</summary>
    public IReadOnlyList<(string Path, List List)> Lists { get; }

    /// <summary>The workflows, with their paths in the file.</summary>
    public IReadOnlyList<(string Path, Workflow Workflow)> Workflows { get; }

    /// <summary>The inboxes, with their paths in the file.</summary>
    public IReadOnlyList<(string Path, Inbox Inbox)> Inboxes { get; private init; } = [];

    /// <summary>The sequences, with their paths in the file.</summary>
    public IReadOnlyList<(string Path, Sequence Sequence)> Sequences { get; private init; } = [];

    /// <summary>Whether a workflow is switched on. Default: true.</summary>
    public bool SwitchesOn(string workflowId) => _on?.Contains(workflowId) ?? true;

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
        var lists = new List<(string, List)>();
        var workflows = new List<(string, Workflow)>();
        var inboxes = new List<(string, Inbox)>();
        var sequences = new List<(string, Sequence)>();
        IReadOnlySet<string>? on = null;
        if (root.ValueKind != JsonValueKind.Object)
        {
            problems.Add(new JsonProblem("", "", "The file is not a JSON object with a workflow, a sequence, an inbox, a list or a tenant."));
        }
        else if (Array.Exists(BundleFields, field => field != "on" && root.TryGetProperty(field, out _)))
        {
            ReadBundle(root, problems, ref tenant, lists, workflows, ref on);
            ReadSequences(root, problems, inboxes, sequences);
        }
        else if (root.TryGetProperty("object_types", out _) || root.TryGetProperty("objectTypes", out _) || root.TryGetProperty("settings", out _))
        {
            tenant = Message<Tenant>(root, Tenant.Descriptor, "", problems);
        }
        else if (root.TryGetProperty("user", out _))
        {
            Add(root, Inbox.Descriptor, "", inboxes, problems);
        }
        else if (root.TryGetProperty("owner", out _))
        {
            Add(root, Sequence.Descriptor, "", sequences, problems);
            hasProtoNames = root.EnumerateObject().Any(property => property.Name.Contains('_', StringComparison.Ordinal));
        }
        else if (IsList(root))
        {
            Add(root, List.Descriptor, "", lists, problems);
        }
        else
        {
            Add(root, Workflow.Descriptor, "", workflows, problems);
        }

        return problems.Count == 0
            ? new ApplyFile(tenant, lists, workflows, on) { HasProtoNames = hasProtoNames, Inboxes = inboxes, Sequences = sequences }
            : throw new CliException([.. problems.Select(problem => $"{file}: {problem}")]);
    }

    // A workflow without start and steps could not be published; a list without criteria is a static one.
    private static bool IsList(JsonElement root) =>
        root.TryGetProperty("criteria", out _)
        || (root.EnumerateObject().Count() > 1 && root.EnumerateObject().All(property => FieldsOfEither.Contains(property.Name)));

    private static void ReadBundle(
        JsonElement root, List<JsonProblem> problems, ref Tenant? tenant, List<(string, List)> lists, List<(string, Workflow)> workflows, ref IReadOnlySet<string>? on)
    {
        foreach (var property in root.EnumerateObject())
        {
            switch (property.Name)
            {
                case "tenant":
                    tenant = Message<Tenant>(property.Value, Tenant.Descriptor, "tenant", problems);
                    break;
                case "lists" when property.Value.ValueKind == JsonValueKind.Array:
                    AddAll(property, List.Descriptor, lists, problems);
                    break;
                case "workflows" when property.Value.ValueKind == JsonValueKind.Array:
                    AddAll(property, Workflow.Descriptor, workflows, problems);
                    break;
                case "on" when property.Value.ValueKind is JsonValueKind.True:
                    break;
                case "on" when property.Value.ValueKind is JsonValueKind.False:
                    on = new HashSet<string>(StringComparer.Ordinal);
                    break;
                case "on" when property.Value.ValueKind is JsonValueKind.Array && property.Value.EnumerateArray().All(id => id.ValueKind == JsonValueKind.String):
                    on = property.Value.EnumerateArray().Select(id => id.GetString()!).ToHashSet(StringComparer.Ordinal);
                    break;
                case "inboxes" or "sequences" when property.Value.ValueKind == JsonValueKind.Array:
                    break;
                case "lists" or "inboxes" or "sequences" or "workflows" or "on":
                    problems.Add(new JsonProblem(
                        property.Name, MessageCheck.Show(property.Value), $"`{MessageCheck.Show(property.Value)}` is not {(property.Name == "on" ? "true, false or an array of ids of workflows" : $"an array of {property.Name}")}."));
                    break;
                default:
                    problems.Add(new JsonProblem(
                        property.Name, MessageCheck.Show(property.Value), $"There is no field `{property.Name}` here.{NearestName.Hint(property.Name, BundleFields)}"));
                    break;
            }
        }
    }

    private static void ReadSequences(JsonElement root, List<JsonProblem> problems, List<(string, Inbox)> inboxes, List<(string, Sequence)> sequences)
    {
        foreach (var property in root.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Array))
        {
            if (property.Name == "inboxes")
            {
                AddAll(property, Inbox.Descriptor, inboxes, problems);
            }
            else if (property.Name == "sequences")
            {
                AddAll(property, Sequence.Descriptor, sequences, problems);
            }
        }
    }

    private static void AddAll<T>(JsonProperty array, MessageDescriptor descriptor, List<(string, T)> to, List<JsonProblem> problems)
        where T : class, IMessage
    {
        var index = 0;
        foreach (var item in array.Value.EnumerateArray())
        {
            Add(item, descriptor, string.Create(CultureInfo.InvariantCulture, $"{array.Name}[{index++}]"), to, problems);
        }
    }

    private static void Add<T>(JsonElement element, MessageDescriptor descriptor, string path, List<(string, T)> to, List<JsonProblem> problems)
        where T : class, IMessage
    {
        if (Message<T>(element, descriptor, path, problems) is { } message)
        {
            to.Add((path, message));
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
