using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Roster.Import.Internal;

/// <summary>A place in the source, there or not. Reading a value marks it as kept; the marks on top say otherwise.</summary>
internal readonly struct Node(JsonElement element, string path, Ledger ledger)
{
    private static readonly JsonSerializerOptions AsWritten = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Path => path;

    /// <summary>Whether there is a value. Null is none.</summary>
    public bool Exists => element.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    public bool IsArray => element.ValueKind == JsonValueKind.Array;

    public bool IsScalar => Exists && !IsObject && !IsArray;

    public Node this[string name] => new(IsObject && element.TryGetProperty(name, out var value) ? value : default, Paths.Member(path, name), ledger);

    /// <summary>The items of an array; none for what is no array. What is there and no array is marked.</summary>
    public IReadOnlyList<Node> Items()
    {
        if (!IsArray)
        {
            if (Exists)
            {
                Unsupported(FindingCode.WrongType, "An array is expected here.");
            }

            return [];
        }

        var (at, to) = (path, ledger);
        return [.. element.EnumerateArray().Select((item, index) => new Node(item, Paths.Item(at, index), to))];
    }

    /// <summary>The members of an object; none for what is no object.</summary>
    public IReadOnlyList<(string Name, Node Value)> Members()
    {
        if (!IsObject)
        {
            return [];
        }

        var self = this;
        return [.. element.EnumerateObject().Select(property => property.Name).Distinct(StringComparer.Ordinal).Select(name => (name, self[name]))];
    }

    /// <summary>A scalar as text, and marks it as kept; null when it is not there.</summary>
    public string? Text()
    {
        if (!Exists)
        {
            return null;
        }

        if (!IsScalar)
        {
            Unsupported(FindingCode.WrongType, "A single value is expected here.");
            return null;
        }

        Exact();
        return element.ValueKind switch
        {
            JsonValueKind.String => element.GetString(),
            JsonValueKind.Number => Number(element.GetRawText()),
            JsonValueKind.True => "true",
            _ => "false",
        };
    }

    /// <summary>A scalar in upper case with <c>_</c> between words: <c>calendar-date</c> and <c>CALENDAR_DATE</c> are one.</summary>
    public string Word() => (Text() ?? "").Trim().Replace('-', '_').Replace(' ', '_').ToUpperInvariant();

    /// <summary>A whole number; null when there is none, which is marked when there is something else.</summary>
    public long? Whole()
    {
        if (Text() is not { } text)
        {
            return null;
        }

        if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number == decimal.Truncate(number) && number is >= long.MinValue and <= long.MaxValue)
        {
            return (long)number;
        }

        Unsupported(FindingCode.WrongType, "A whole number is expected here.");
        return null;
    }

    /// <summary>A whole number that fits; null when there is none.</summary>
    public int? Int()
    {
        var whole = Whole();
        if (whole is null or (>= int.MinValue and <= int.MaxValue))
        {
            return (int?)whole;
        }

        Unsupported(FindingCode.WrongType, "The number is too large.");
        return null;
    }

    /// <summary>True or false, also as text; false when there is none.</summary>
    public bool Flag()
    {
        if (Text() is not { } text)
        {
            return false;
        }

        if (!bool.TryParse(text, out var value))
        {
            Unsupported(FindingCode.WrongType, "true or false is expected here.");
        }

        return value;
    }

    /// <summary>The value as JSON on one line.</summary>
    public string Json() => Exists ? JsonSerializer.Serialize(element, AsWritten) : "";

    /// <summary>Marks all in it as kept.</summary>
    public void KeepAll()
    {
        foreach (var (_, value) in Members())
        {
            value.KeepAll();
        }

        foreach (var item in IsArray ? Items() : [])
        {
            item.KeepAll();
        }

        Exact();
    }

    private void Exact() => Mark(Fidelity.Exact, FindingCode.None, "");

    public void Note(FindingCode code, string reason) => Mark(Fidelity.Exact, code, reason);

    public void Adapted(FindingCode code, string reason) => Mark(Fidelity.Adapted, code, reason);

    public void Unsupported(FindingCode code, string reason) => Mark(Fidelity.Unsupported, code, reason);

    private void Mark(Fidelity level, FindingCode code, string reason) => ledger.Mark(level, path, code, Ledger.Shown(element), reason);

    private static string Number(string raw) =>
        decimal.TryParse(raw, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number.ToString("0.############################", CultureInfo.InvariantCulture) : raw;
}
