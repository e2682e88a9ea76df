using System.Globalization;
using System.Text.Json;
using Roster.Import.Internal;
using Roster.V1;

namespace Roster.Import;

/// <summary>
/// Turns workflow definitions of HubSpot's Automation API v4 into drafts, and says of every field what became of it (IMP-01 to IMP-05). It
/// reads text and makes messages: no files, no network, no clock. The same text gives the same result. Not thread-safe.
/// </summary>
/// <remarks>
/// What cannot be said here is never left out quietly: a field has its line in the report, and where leaving it out would change who enrolls or
/// what happens, the draft has an incomplete filter or step that publishing refuses.
/// </remarks>
public sealed class HubSpotImport
{
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly SchemaGuess _guess = new();

    /// <summary>
    /// The properties that the imported definitions name, with types guessed from what compares them, else from the values that are written; a text where
    /// nothing says more. To be looked through before it is declared: the type of a property never changes (REC-18).
    /// </summary>
    public Tenant Schema => _guess.ToTenant();

    /// <summary>The lists that the imported definitions name, as static lists without members. Definitions have no lists in them.</summary>
    public IReadOnlyList<List> Lists => _guess.ToLists();

    /// <summary>
    /// Imports a definition, or each in <c>{"results": [...]}</c>, the answer of a batch read. A part alone, an action, an array of actions or an object with
    /// <c>enrollmentCriteria</c> or re-enrollment triggers, becomes a draft that has what the part says.
    /// </summary>
    /// <param name="json">The text.</param>
    /// <param name="workflowId">Id of the workflow; null for <c>hubspot-</c> and the flow's own id, or one made of its name. For one definition only.</param>
    /// <returns>The drafts, in the order of the text.</returns>
    /// <exception cref="ImportException">The text is not JSON, is no flow, or has several where an id for one is given.</exception>
    public IReadOnlyList<ImportedWorkflow> Import(string json, string? workflowId = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        using var document = Parse(json);
        var root = document.RootElement;
        CheckTexts(root);
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("results", out var results) || results.ValueKind != JsonValueKind.Array)
        {
            return [One(root, workflowId)];
        }

        if (workflowId is not null && results.GetArrayLength() != 1)
        {
            throw new ImportException(string.Create(CultureInfo.InvariantCulture, $"There are {results.GetArrayLength()} flows here; an id can be given to one only."));
        }

        return [.. results.EnumerateArray().Select(flow => One(flow, workflowId))];
    }

    private static JsonDocument Parse(string json)
    {
        try
        {
            return JsonDocument.Parse(json, Lenient);
        }
        catch (JsonException error)
        {
            var sentence = error.Message.Split(" LineNumber:", 2)[0].Split(" Path:", 2)[0];
            throw new ImportException(string.Create(CultureInfo.InvariantCulture, $"{(error.LineNumber ?? 0) + 1}:{(error.BytePositionInLine ?? 0) + 1}: this is not JSON: {sentence}"));
        }
    }

    /// <summary>Half of a character is JSON by the letter, and no text.</summary>
    private static void CheckTexts(JsonElement element)
    {
        try
        {
            Read(element);
        }
        catch (InvalidOperationException)
        {
            throw new ImportException("A text has half of a character in it: an escape such as \\ud83d without its second half.");
        }

        static void Read(JsonElement element)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var property in element.EnumerateObject())
                    {
                        _ = property.Name;
                        Read(property.Value);
                    }

                    break;
                case JsonValueKind.Array:
                    foreach (var item in element.EnumerateArray())
                    {
                        Read(item);
                    }

                    break;
                case JsonValueKind.String:
                    _ = element.GetString();
                    break;
                default:
                    break;
            }
        }
    }

    private ImportedWorkflow One(JsonElement flow, string? workflowId)
    {
        var ledger = new Ledger();
        var root = new Node(flow, "", ledger);
        var nothing = new Node(default, "", ledger);
        var reader = flow.ValueKind switch
        {
            JsonValueKind.Object when root["actions"].IsArray || root["enrollmentCriteria"].IsObject || root["reEnrollmentTriggersFilterBranches"].IsArray => new FlowReader(root, root["actions"].Items(), workflowId, _guess),
            JsonValueKind.Object when root["actionId"].Exists => new FlowReader(nothing, [root], workflowId, _guess),
            JsonValueKind.Array when root.Items() is { Count: > 0 } actions && actions.All(action => action["actionId"].Exists) => new FlowReader(nothing, actions, workflowId, _guess),
            _ => throw new ImportException("This is no flow: a flow has an array `actions`. Parts that can be read alone are `enrollmentCriteria`, an action, and an array of actions."),
        };
        return new ImportedWorkflow(reader.Read(), ledger.Report(flow));
    }
}
