using System.Text.Json;

namespace Roster.Import.Internal;

/// <summary>
/// Remembers what became of each field. A field that nobody asked for is unsupported, so that nothing can be dropped silently (IMP-02). An
/// object that is unsupported is so with all in it; other remarks on objects say nothing of their fields. Of several remarks on one place the worst stays.
/// </summary>
internal sealed class Ledger
{
    private const int ValueLengthMax = 100;

    private readonly Dictionary<string, Finding> _marks = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];

    public void Mark(Fidelity level, string path, FindingCode code, string value, string reason)
    {
        if (!_marks.TryGetValue(path, out var present))
        {
            _order.Add(path);
        }
        else if (present.Level > level || (present.Level == level && present.Code != FindingCode.None))
        {
            return;
        }

        _marks[path] = new Finding(level, path, code, Cut(value), reason);
    }

    public FidelityReport Report(JsonElement root)
    {
        var fields = new List<Finding>();
        var notes = new List<Finding>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        Walk(root, "", null, fields, notes, seen);

        // What is missing has no place in the source.
        notes.AddRange(_order.Where(path => !seen.Contains(path)).Select(path => _marks[path]).Where(mark => mark.Code != FindingCode.None));
        return new FidelityReport(fields, notes);
    }

    private void Walk(JsonElement element, string path, Finding? inherited, List<Finding> fields, List<Finding> notes, HashSet<string> seen)
    {
        seen.Add(path);
        var own = _marks.GetValueOrDefault(path);
        var covering = own is { Level: Fidelity.Unsupported } ? own : inherited;
        if (IsLeaf(element))
        {
            fields.Add(Leaf(element, path, covering ?? own));
            return;
        }

        if (own is { Code: not FindingCode.None })
        {
            notes.Add(own);
        }

        if (element.ValueKind == JsonValueKind.Array)
        {
            var index = 0;
            foreach (var item in element.EnumerateArray())
            {
                Walk(item, Paths.Item(path, index++), covering, fields, notes, seen);
            }

            return;
        }

        var last = element.EnumerateObject().GroupBy(property => property.Name, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Count(), StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject())
        {
            var at = Paths.Member(path, property.Name);
            var isLast = --last[property.Name] == 0;
            Walk(property.Value, at, isLast ? covering : Double(at), fields, notes, seen);
        }
    }

    private static Finding Double(string path) =>
        new(Fidelity.Unsupported, path, FindingCode.DuplicateField, "", "The object has this field again further on; the last one counts.");

    private static Finding Leaf(JsonElement element, string path, Finding? mark)
    {
        var value = Cut(Shown(element));
        if (mark is not null)
        {
            return mark with { Path = path, Value = value };
        }

        // What says nothing cannot be lost.
        return value.Length == 0
            ? new Finding(Fidelity.Exact, path, FindingCode.None, "", "")
            : new Finding(Fidelity.Unsupported, path, FindingCode.UnknownField, value, "The import does not know this field here.");
    }

    /// <summary>A scalar as it stands in the source, without quotes; empty for all else.</summary>
    public static string Shown(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString() ?? "",
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => element.GetRawText(),
        _ => "",
    };

    private static bool IsLeaf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => !element.EnumerateObject().Any(),
        JsonValueKind.Array => element.GetArrayLength() == 0,
        _ => true,
    };

    private static string Cut(string value) => value.Length <= ValueLengthMax ? value : string.Concat(value.AsSpan(0, ValueLengthMax - 3), "...");
}

/// <summary>JSON paths: <c>actions[3].fields.delta</c>, and <c>customProperties['a b']</c> for names that are not simple.</summary>
internal static class Paths
{
    public static string Item(string path, int index) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{path}[{index}]");

    public static string Member(string path, string name)
    {
        var isSimple = name.Length > 0 && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-');
        return isSimple ? path.Length == 0 ? name : $"{path}.{name}" : $"{path}['{name}']";
    }
}
