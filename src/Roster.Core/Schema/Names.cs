namespace Roster.Core.Schema;

/// <summary>What names may look like.</summary>
public static class Names
{
    /// <summary>Longest name of a property, an event type, a workflow, a step or a queue, in characters.</summary>
    public const int LengthMax = 100;

    /// <summary>Whether a name is 1 to 100 characters of <c>[a-z0-9_.-]</c>.</summary>
    public static bool IsName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length is > 0 and <= LengthMax && !name.AsSpan().ContainsAnyExcept(NameCharacters);
    }

    /// <summary>Whether an id of a workflow, step or goal is 1 to 100 characters of <c>[a-z0-9_-]</c>.</summary>
    public static bool IsId(string id) => IsName(id) && !id.Contains('.', StringComparison.Ordinal);

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_.-");
}
