namespace Roster.Core.Workflows;

/// <summary>What the references of definitions to lists forbid.</summary>
public static class ListReferences
{
    /// <summary>Looks for a circle of lists that refer to each other (LST-04).</summary>
    /// <param name="id">The list that is saved.</param>
    /// <param name="criteria">Its criteria.</param>
    /// <param name="criteriaOf">Criteria of another list by its id; null for one that has none.</param>
    /// <returns>The circle in words, <c>a -> b -> a</c>; null when there is none.</returns>
    public static string? FindCircle(string id, CriteriaDefinition criteria, Func<string, CriteriaDefinition?> criteriaOf)
    {
        ArgumentNullException.ThrowIfNull(criteriaOf);
        var stack = new Stack<(string List, string Path)>(DefinitionWalk.Lists(criteria).Select(l => (l, $"{id} -> {l}")));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (stack.TryPop(out var present))
        {
            if (present.List == id)
            {
                return present.Path;
            }

            if (seen.Add(present.List) && criteriaOf(present.List) is { } next)
            {
                foreach (var list in DefinitionWalk.Lists(next))
                {
                    stack.Push((list, $"{present.Path} -> {list}"));
                }
            }
        }

        return null;
    }

    /// <summary>Whether a workflow keeps a list from being deleted (LST-06): it uses it, and it is on or paused.</summary>
    public static bool IsHeldBy(string list, WorkflowState state, WorkflowDefinition newest) =>
        state is WorkflowState.On or WorkflowState.Paused && DefinitionWalk.Lists(newest).Contains(list);
}
