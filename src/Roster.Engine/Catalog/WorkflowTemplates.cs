using System.Reflection;
using Google.Protobuf;
using Roster.V1;

namespace Roster.Engine.Catalog;

/// <summary>The templates that come with Roster (TRG-02), as files of this assembly. In them <c>@</c> stands for the id of the workflow to be.</summary>
public static class WorkflowTemplates
{
    private const string Folder = "Roster.Engine.Templates.";

    /// <summary>Ids of the templates, sorted.</summary>
    public static IReadOnlyList<string> Ids { get; } =
        [.. typeof(WorkflowTemplates).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal)).Select(n => n[Folder.Length..^".json".Length]).Order(StringComparer.Ordinal)];

    /// <summary>The templates as readers see them.</summary>
    public static ListTemplatesResponse List()
    {
        var response = new ListTemplatesResponse();
        foreach (var id in Ids)
        {
            var workflow = Create(id, id);
            response.Templates.Add(new WorkflowTemplate { Id = id, DisplayName = workflow.DisplayName, Description = workflow.Description, ObjectType = workflow.ObjectType });
        }

        return response;
    }

    /// <summary>A draft made from a template, with step ids of its own.</summary>
    /// <exception cref="RosterException">There is no such template.</exception>
    public static Workflow Create(string templateId, string workflowId)
    {
        ArgumentNullException.ThrowIfNull(workflowId);
        if (!Ids.Contains(templateId))
        {
            throw new RosterException(RosterError.NotFound, $"There is no template '{Core.Refusal.Cut(templateId)}'; there are {string.Join(", ", Ids)}.");
        }

        using var stream = typeof(WorkflowTemplates).Assembly.GetManifestResourceStream($"{Folder}{templateId}.json")!;
        using var reader = new StreamReader(stream);
        var prefix = workflowId.Length <= 50 ? workflowId : workflowId[..50];
        var json = reader.ReadToEnd()
            .Replace("\"@@\"", $"\"{workflowId}\"", StringComparison.Ordinal)
            .Replace("\"@", $"\"{prefix}-", StringComparison.Ordinal);
        return JsonParser.Default.Parse<Workflow>(json);
    }
}
