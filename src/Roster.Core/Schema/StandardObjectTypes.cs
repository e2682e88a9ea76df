using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Roster.Core.Schema;

/// <summary>The object types that every tenant has (REC-01).</summary>
public static class StandardObjectTypes
{
    /// <summary>The type of tasks (ACT-24).</summary>
    public const string Task = "task";

    /// <summary>The type of companies.</summary>
    public const string Company = "company";

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

    /// <summary>
    /// Whether records of a type may look at others that are not linked to them, but to a linked one: a contact at the line items of its deals
    /// (ASC-03).
    /// </summary>
    /// <param name="from">Number of the type that looks.</param>
    /// <param name="through">Number of the type between.</param>
    /// <param name="to">Number of the type that is looked at.</param>
    public static bool IsReachable(int from, int through, int to) =>
        from == NumberOf("contact") && through == NumberOf("deal") && to == NumberOf("line_item");

    /// <summary>Whether copies of records of a type are in copies of another one that some records keep (ASC-03).</summary>
    /// <param name="through">Number of the type between.</param>
    /// <param name="to">Number of the type whose copies these are.</param>
    public static bool IsToldOn(int through, int to) => IsReachable(NumberOf("contact"), through, to);

    private static int NumberOf(string name) => Names.IndexOf(name) + 1;

    /// <summary>The name behind a HubSpot id, or the text itself.</summary>
    public static string FromHubSpotId(string id) => HubSpotIds.GetValueOrDefault(id, id);
}
