using System.Globalization;

namespace Roster.Core.Journal;

/// <summary>Numbers as one text of an entry or message: <c>1,4</c>.</summary>
internal static class NumberList
{
    public static string Text(IEnumerable<int> numbers) => string.Join(',', numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)));

    public static int[] Read(string? text) =>
        string.IsNullOrEmpty(text) ? [] : [.. text.Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
}
