using System.Collections.Frozen;
using System.Globalization;
using Roster.Core.Schema;

namespace Roster.Import.Internal;

/// <summary>What a type of association is about.</summary>
/// <param name="From">Object type that has it.</param>
/// <param name="To">Object type at the other end.</param>
/// <param name="Label">Its label here; empty for none.</param>
internal sealed record AssociationType(string From, string To, string Label);

/// <summary>HubSpot's own types of associations by id, from its documentation of the associations API.</summary>
internal static class AssociationTypes
{
    private const string Primary = "primary";

    private static readonly FrozenDictionary<long, AssociationType> ById = new Dictionary<long, AssociationType>
    {
        [449] = new("contact", "contact", ""),
        [279] = new("contact", "company", ""),
        [1] = new("contact", "company", Primary),
        [4] = new("contact", "deal", ""),
        [15] = new("contact", "ticket", ""),
        [9] = new("contact", "task", ""),
        [193] = new("contact", "call", ""),
        [199] = new("contact", "meeting", ""),
        [201] = new("contact", "note", ""),
        [203] = new("contact", "task", ""),
        [450] = new("company", "company", ""),
        [280] = new("company", "contact", ""),
        [2] = new("company", "contact", Primary),
        [342] = new("company", "deal", ""),
        [6] = new("company", "deal", Primary),
        [340] = new("company", "ticket", ""),
        [25] = new("company", "ticket", Primary),
        [7] = new("company", "task", ""),
        [181] = new("company", "call", ""),
        [187] = new("company", "meeting", ""),
        [189] = new("company", "note", ""),
        [191] = new("company", "task", ""),
        [451] = new("deal", "deal", ""),
        [3] = new("deal", "contact", ""),
        [341] = new("deal", "company", ""),
        [5] = new("deal", "company", Primary),
        [27] = new("deal", "ticket", ""),
        [19] = new("deal", "line_item", ""),
        [63] = new("deal", "quote", ""),
        [11] = new("deal", "task", ""),
        [205] = new("deal", "call", ""),
        [211] = new("deal", "meeting", ""),
        [213] = new("deal", "note", ""),
        [215] = new("deal", "task", ""),
        [16] = new("ticket", "contact", ""),
        [339] = new("ticket", "company", ""),
        [26] = new("ticket", "company", Primary),
        [28] = new("ticket", "deal", ""),
        [17] = new("ticket", "task", ""),
        [219] = new("ticket", "call", ""),
        [225] = new("ticket", "meeting", ""),
        [227] = new("ticket", "note", ""),
        [229] = new("ticket", "task", ""),
        [8] = new("task", "company", ""),
        [10] = new("task", "contact", ""),
        [12] = new("task", "deal", ""),
        [18] = new("task", "ticket", ""),
        [192] = new("task", "company", ""),
        [204] = new("task", "contact", ""),
        [216] = new("task", "deal", ""),
        [230] = new("task", "ticket", ""),
        [190] = new("note", "company", ""),
        [202] = new("note", "contact", ""),
        [214] = new("note", "deal", ""),
        [228] = new("note", "ticket", ""),
        [194] = new("call", "contact", ""),
        [200] = new("meeting", "contact", ""),
        [20] = new("line_item", "deal", ""),
        [67] = new("quote", "line_item", ""),
        [68] = new("line_item", "quote", ""),
        [64] = new("quote", "deal", ""),
        [69] = new("quote", "contact", ""),
        [71] = new("quote", "company", ""),
    }.ToFrozenDictionary();

    /// <summary>Reads <c>associationCategory</c> and <c>associationTypeId</c> of an object; null when the id is not one of HubSpot's own.</summary>
    public static AssociationType? Read(Node owner)
    {
        var category = owner["associationCategory"].Word();
        var id = owner["associationTypeId"];
        return id.Whole() is { } number && category is ("" or "HUBSPOT_DEFINED") ? ById.GetValueOrDefault(number) : null;
    }

    /// <summary>The label that an association has here. One with an own name over there is known by its number only.</summary>
    public static string LabelOf(Node owner)
    {
        if (Read(owner) is { } known)
        {
            return known.Label;
        }

        var id = owner["associationTypeId"];
        if (id.Whole() is not { } number)
        {
            return "";
        }

        var label = string.Create(CultureInfo.InvariantCulture, $"association-{number}");
        id.Adapted(FindingCode.Renamed, $"The label is `{label}` here: a definition has the number of an association, not its name.");
        return label;
    }

    /// <summary>The object type behind a HubSpot id, with a remark on types that are known by their id only.</summary>
    public static string ObjectType(Node id)
    {
        var text = id.Text() ?? "";
        var name = StandardObjectTypes.FromHubSpotId(text) is var known && known != text ? known : MoreTypes.GetValueOrDefault(text);
        if (name is not null)
        {
            return name;
        }

        var kept = Ids.Slug(text);
        if (text.Length > 0 && !StandardObjectTypes.Names.Contains(text))
        {
            id.Adapted(FindingCode.Renamed, $"The object type is `{kept}` here.");
        }

        return text.Length == 0 ? "" : kept;
    }

    private static readonly FrozenDictionary<string, string> MoreTypes = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["0-27"] = "task",
        ["0-46"] = "note",
        ["0-47"] = "meeting",
        ["0-48"] = "call",
        ["0-69"] = "subscription",
        ["0-101"] = "payment",
        ["0-11"] = "conversation",
        ["0-19"] = "feedback_submission",
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
