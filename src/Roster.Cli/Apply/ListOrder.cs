using Roster.V1;

namespace Roster.Cli.Apply;

/// <summary>Lists that refer to lists come after those they refer to (LST-04), in whatever order they are given.</summary>
internal static class ListOrder
{
    /// <summary>Sorts by reference; the given order decides otherwise. Lists in a circle keep it: the server says no to them.</summary>
    public static IReadOnlyList<T> Sort<T>(IReadOnlyList<T> items, Func<T, List> listOf)
    {
        var sorted = new List<T>(items.Count);
        var pending = items.ToList();
        while (pending.Count > 0)
        {
            var open = pending.Select(item => listOf(item).Id).ToHashSet(StringComparer.Ordinal);
            var next = pending.FindIndex(item => !References(listOf(item)).Any(id => id != listOf(item).Id && open.Contains(id)));
            sorted.Add(pending[Math.Max(0, next)]);
            pending.RemoveAt(Math.Max(0, next));
        }

        return sorted;
    }

    private static IEnumerable<string> References(List list) =>
        list.Criteria is null ? [] : list.Criteria.AnyOf.SelectMany(group => group.AllOf).SelectMany(References);

    private static IEnumerable<string> References(Filter filter) => filter.OtherCase switch
    {
        Filter.OtherOneofCase.List => [filter.List.ListId],
        Filter.OtherOneofCase.Associated => filter.Associated.AllOf.SelectMany(References),
        _ => [],
    };
}
