using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Roster.Cli.Output;
using Roster.V1;

namespace Roster.Cli.Json;

/// <summary>Writes what <see cref="ApplyFile"/> reads. Equal definitions give equal bytes.</summary>
internal static class ApplyDocument
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A document with all that is given.</summary>
    /// <param name="tenant">Schema and settings; null for none.</param>
    /// <param name="lists">Lists.</param>
    /// <param name="workflows">Workflows.</param>
    /// <param name="on">Ids of those that are on.</param>
    /// <param name="inboxes">Inboxes; null for none.</param>
    /// <param name="sequences">Sequences; null for none.</param>
    public static string Write(
        Tenant? tenant,
        IReadOnlyCollection<List> lists,
        IReadOnlyCollection<Workflow> workflows,
        IReadOnlyCollection<string> on,
        IReadOnlyCollection<Inbox>? inboxes = null,
        IReadOnlyCollection<Sequence>? sequences = null)
    {
        var root = new JsonObject();
        if (tenant is not null)
        {
            root.Add("tenant", Node(tenant));
        }

        Add("lists", lists.Select(list => Node(Definition(list))));
        Add("inboxes", (inboxes ?? []).Select(inbox => Node(Definition(inbox))));
        Add("sequences", (sequences ?? []).Select(sequence => Node(Definition(sequence))));
        root.Add("workflows", new JsonArray([.. workflows.Select(workflow => Node(Definition(workflow)))]));
        root.Add("on", on.Count == 0 ? false : on.Count == workflows.Count ? true : new JsonArray([.. on.Order(StringComparer.Ordinal).Select(id => (JsonNode)id)]));
        return Text(root);

        void Add(string name, IEnumerable<JsonNode> nodes)
        {
            if (nodes.ToArray() is { Length: > 0 } array)
            {
                root.Add(name, new JsonArray(array));
            }
        }
    }

    /// <summary>JSON over several lines.</summary>
    public static string Text(JsonNode node) => node.ToJsonString(Indented);

    /// <summary>Without what the server fills in.</summary>
    private static Workflow Definition(Workflow workflow)
    {
        var definition = workflow.Clone();
        (definition.Revision, definition.Version, definition.State) = (0, 0, Workflow.Types.State.Unspecified);
        (definition.CreatedAt, definition.UpdatedAt) = (null, null);
        return definition;
    }

    private static List Definition(List list)
    {
        var definition = list.Clone();
        (definition.Revision, definition.Members) = (0, 0);
        (definition.CreatedAt, definition.UpdatedAt) = (null, null);
        return definition;
    }

    private static Inbox Definition(Inbox inbox)
    {
        var definition = inbox.Clone();
        (definition.EnrolledToday, definition.EmailsIn24H) = (0, 0);
        return definition;
    }

    private static Sequence Definition(Sequence sequence)
    {
        var definition = sequence.Clone();
        (definition.Revision, definition.Version) = (0, 0);
        (definition.CreatedAt, definition.UpdatedAt) = (null, null);
        return definition;
    }

    private static JsonNode Node(IMessage message) => JsonNode.Parse(JsonOutput.Line(message))!;
}
