namespace Roster.Core.Workflows;

/// <summary>
/// A date-anchored workflow whose steps name no connections is a list: its actions run by instant, then by the order of the definition
/// (SCH-08).
/// </summary>
internal static class StepChain
{
    /// <summary>Whether the steps of a definition are such a list.</summary>
    public static bool Is(WorkflowDefinition definition) =>
        definition.Start?.Kind == StartKind.DateAnchor && definition.Steps.All(s => s.Next.Length == 0 && s.ErrorNext.Length == 0 && s.At is not null);

    /// <summary>The steps in the order in which they run.</summary>
    public static List<StepDefinition> Of(WorkflowDefinition definition) =>
        [.. definition.Steps.OrderBy(s => s.At!.OffsetDays).ThenBy(s => s.At!.TimeOfDay.PadRight(8, ' '), StringComparer.Ordinal)];

    /// <summary>Id of the step after another, in a list the next one; empty for the end.</summary>
    public static string Next(WorkflowDefinition definition, StepDefinition step)
    {
        if (!Is(definition))
        {
            return step.Next;
        }

        var chain = Of(definition);
        var index = chain.FindIndex(s => ReferenceEquals(s, step)) + 1;
        return index < chain.Count ? chain[index].Id : string.Empty;
    }
}
