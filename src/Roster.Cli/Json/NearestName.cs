namespace Roster.Cli.Json;

/// <summary>Finds what somebody probably meant.</summary>
internal static class NearestName
{
    /// <summary>A hint such as <c> Did you mean `steps`?</c>; the known names when none is near and they are few.</summary>
    public static string Hint(string name, IEnumerable<string> known)
    {
        var names = known.ToList();
        var nearest = names
            .Select(candidate => (Name: candidate, Distance: Distance(Normal(name), Normal(candidate))))
            .Where(candidate => candidate.Distance <= Math.Max(2, name.Length / 3))
            .OrderBy(candidate => candidate.Distance)
            .ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
            .Take(2)
            .Select(candidate => $"`{candidate.Name}`")
            .ToList();
        if (nearest.Count > 0)
        {
            return $" Did you mean {string.Join(" or ", nearest)}?";
        }

        return names.Count is > 0 and <= 12 ? $" Known: {string.Join(", ", names.Select(candidate => $"`{candidate}`"))}." : "";
    }

    private static string Normal(string name) => name.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    // Levenshtein: one row of the table at a time.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
