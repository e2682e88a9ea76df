using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Roster.Core.Schema;

/// <summary>The object types that every tenant has (REC-01).</summary>
public static class StandardObjectTypes
{
    /// <summary>The type of tasks (ACT-24).</summary>
    public const string Task = "task";

    /// <summary>The type of notes (ACT-24).</summary>
    public const string Note = "note";

    /// <summary>Their names; a type's number is its index plus one, for good.</summary>
    public static readonly ImmutableArray<string> Names =
    [
        "contact", "company", "deal", "ticket", "quote", "lead", "product", "line_item", "call", "meeting", "task", "note",
        "conversation", "feedback_submission", "subscription", "payment",
    ];

    private static readonly FrozenDictionary<string, string> HubSpotIds = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["0-1"] = "contact",
        ["0-2"] = "company",
        ["0-3"] = "deal",
        ["0-5"] = "ticket",
        ["0-7"] = "product",
        ["0-8"] = "line_item",
        ["0-14"] = "quote",
        ["0-136"] = "lead",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The name behind a HubSpot id, or the text itself.</summary>
    public static string FromHubSpotId(string id) => HubSpotIds.GetValueOrDefault(id, id);
}
