namespace Roster.Core;

/// <summary>Names of codes as the API and definitions write them.</summary>
public static class ApiNames
{
    /// <summary>The API name of a code: <c>AlreadyActive</c> becomes <c>ALREADY_ACTIVE</c>.</summary>
    /// <param name="name">Its name here: words with a capital at the start of each, without a sign between.</param>
    public static string Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return string.Concat(name.Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{c}" : char.ToUpperInvariant(c).ToString()));
    }
}
