using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Roster.Engine.Catalog;

/// <summary>
/// The order of a list of definitions, and the place in it where a page begins. A token names a place and not a definition, which may go while pages are read: it is the
/// value that is sorted by and the id.
/// </summary>
internal sealed class DefinitionOrder
{
    private const int TextMax = 100;
    private const char Separator = '\n';

    private readonly string _field;
    private readonly bool _isDescending;
    private readonly int _size;
    private readonly (string Key, string Id)? _after;

    private DefinitionOrder(string field, bool isDescending, int size, (string, string)? after)
    {
        _field = field;
        _isDescending = isDescending;
        _size = size;
        _after = after;
    }

    /// <summary>Reads what a request asks for.</summary>
    /// <exception cref="RosterException">There is no such order, or the token is not one of it.</exception>
    public static DefinitionOrder Read(string orderBy, string pageToken, int pageSize)
    {
        var words = orderBy.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var field = words.Length == 0 ? "id" : words[0];
        if (words.Length > 2 || field is not ("id" or "display_name" or "updated_at") || (words.Length == 2 && words[1] is not ("desc" or "asc")))
        {
            throw RosterException.Invalid("order_by", orderBy, "The order is `id`, `display_name` or `updated_at`, with ` desc` for the other direction.");
        }

        var size = pageSize is 0 ? 100 : Math.Clamp(pageSize, 1, 1_000);
        return new DefinitionOrder(field, words is [_, "desc"], size, pageToken.Length == 0 ? null : ReadToken(pageToken, field));
    }

    /// <summary>Whether a text is in an id or name; any when it is empty.</summary>
    /// <exception cref="RosterException">The text is too long.</exception>
    public static bool HasText(string text, string id, string name) => text.Length <= TextMax
        ? text.Length == 0 || id.Contains(text, StringComparison.OrdinalIgnoreCase) || name.Contains(text, StringComparison.OrdinalIgnoreCase)
        : throw RosterException.Invalid("text", text, $"The text has {text.Length} characters; {TextMax} are allowed.");

    /// <summary>One page, and the token of the next; empty at the end.</summary>
    public (List<T> Page, string Next) Page<T>(IEnumerable<T> items, Func<T, string> id, Func<T, string> name, Func<T, long> updatedAt)
    {
        var sorted = items.Select(item => (Item: item, Place: (Key: KeyOf(item), Id: id(item)))).Where(item => _after is not { } after || Compare(item.Place, after) > 0).ToList();
        sorted.Sort((left, right) => Compare(left.Place, right.Place));
        var next = sorted.Count > _size ? TokenOf(sorted[_size - 1].Place) : string.Empty;
        return ([.. sorted.Take(_size).Select(item => item.Item)], next);

        string KeyOf(T item) => _field switch
        {
            "display_name" => name(item).Length > 0 ? name(item) : id(item),
            "updated_at" => updatedAt(item).ToString("D16", CultureInfo.InvariantCulture),
            _ => string.Empty,
        };
    }

    private int Compare((string Key, string Id) left, (string Key, string Id) right)
    {
        var order = string.CompareOrdinal(left.Key, right.Key) is not 0 and var byKey ? byKey : string.CompareOrdinal(left.Id, right.Id);
        return _isDescending ? -order : order;
    }

    /// <summary>By id the token is the id.</summary>
    private string TokenOf((string Key, string Id) place) =>
        _field == "id" ? place.Id : Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{place.Id}{Separator}{place.Key}"));

    private static (string Key, string Id) ReadToken(string token, string field)
    {
        if (field == "id")
        {
            return (string.Empty, token);
        }

        if (Base64Url.IsValid(token))
        {
            var text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token));
            if (text.IndexOf(Separator, StringComparison.Ordinal) is > 0 and var at)
            {
                return (text[(at + 1)..], text[..at]);
            }
        }

        throw RosterException.Invalid("page_token", token, "The page token is not one of this order.");
    }
}
