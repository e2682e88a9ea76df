using Roster.Core.Schema;

namespace Roster.Import.Internal;

/// <summary>Ids of the source as ids here.</summary>
internal static class Ids
{
    /// <summary>A workflow is found by the id it had: flows that name each other still do after the import.</summary>
    public static string OfFlow(string flowId) => $"hubspot-{Slug(flowId, Names.LengthMax - 8)}";

    /// <summary>Lower-case letters, digits, <c>_</c> and <c>-</c>; what else there is becomes <c>-</c>.</summary>
    public static string Slug(string text, int lengthMax = Names.LengthMax)
    {
        var letters = text.ToLowerInvariant().Select(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '_' ? letter : '-').ToArray();
        var slug = string.Join('-', new string(letters).Split('-', StringSplitOptions.RemoveEmptyEntries));
        return slug.Length == 0 ? "unnamed" : slug.Length <= lengthMax ? slug : slug[..lengthMax].TrimEnd('-');
    }

    /// <summary>An id as it is when it may stay, with a remark when not.</summary>
    public static string Keep(Node node, string what)
    {
        var id = node.Text() ?? "";
        if (id.Length == 0 || Names.IsId(id))
        {
            return id;
        }

        var slug = Slug(id);
        node.Adapted(FindingCode.Renamed, $"The {what} is `{slug}` here: ids have 1 to 100 characters of a-z, 0-9, _ and -.");
        return slug;
    }

    /// <summary>A name of a property as it is when it may stay, with a remark when not.</summary>
    public static string KeepName(Node node, string what)
    {
        var name = node.Text() ?? "";
        if (name.Length == 0 || Names.IsName(name))
        {
            return name;
        }

        var letters = name.ToLowerInvariant().Select(letter => Names.IsName(letter.ToString()) ? letter : '_').Take(Names.LengthMax).ToArray();
        var kept = new string(letters);
        node.Adapted(FindingCode.Renamed, $"The {what} is `{kept}` here: names have 1 to 100 characters of a-z, 0-9, _, - and '.'.");
        return kept;
    }
}
