using Roster.Core.Sequences;

namespace Roster.Core.Workflows;

/// <summary>
/// Where enrollments go on whose step a publish removed: the first step after it, by the connections of the version that had it last,
/// that the newest version still has (EDT-09). At a removed branch the default, else the first branch; at a removed wait the way of a
/// timeout.
/// </summary>
public static class StepMoves
{
    /// <summary>For each step that the newest version lacks: the number of the step that follows, 0 for the end.</summary>
    /// <param name="versions">All versions, oldest first.</param>
    /// <param name="newest">The version in force.</param>
    /// <param name="stepNumber">Number of a step id.</param>
    public static Dictionary<int, int> Find(IReadOnlyList<WorkflowDefinition> versions, WorkflowDefinition newest, Func<string, int> stepNumber)
    {
        ArgumentNullException.ThrowIfNull(versions);
        ArgumentNullException.ThrowIfNull(newest);
        ArgumentNullException.ThrowIfNull(stepNumber);
        var kept = newest.Steps.Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        var moved = new Dictionary<int, int>();
        for (var v = versions.Count - 1; v >= 0; v--)
        {
            var steps = versions[v].Steps.DistinctBy(s => s.Id).ToDictionary(s => s.Id, StringComparer.Ordinal);
            foreach (var id in steps.Keys.Where(id => !kept.Contains(id)))
            {
                var next = Successor(id, steps, step => After(versions[v], step), kept, stepNumber);
                moved.TryAdd(stepNumber(id), next);
                if (steps[id] is CreateTaskStepDefinition { Wait: true })
                {
                    moved.TryAdd(stepNumber(WorkflowCompiler.WaitOf(id)), next);
                }
            }
        }

        return moved;
    }

    private static int Successor(string id, Dictionary<string, StepDefinition> steps, Func<StepDefinition, string> after, HashSet<string> kept, Func<string, int> stepNumber)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (id.Length > 0 && !kept.Contains(id) && seen.Add(id) && steps.TryGetValue(id, out var step))
        {
            id = after(step);
        }

        return kept.Contains(id) ? stepNumber(id) : 0;
    }

    private static string After(WorkflowDefinition definition, StepDefinition step) => step switch
    {
        BranchStepDefinition branch => First(branch.DefaultNext, branch.Branches.Select(b => b.Next)),
        ValueBranchStepDefinition branch => First(branch.DefaultNext, branch.Cases.Select(c => c.Next)),
        SplitStepDefinition split => First(string.Empty, split.Paths.Select(p => p.Next)),
        GoToStepDefinition goTo => goTo.Step,
        WaitStepDefinition wait => First(wait.TimeoutNext, [wait.Next]),
        CreateTaskStepDefinition task => First(task.TimeoutNext, [task.Next]),
        SequenceAdaptiveStepDefinition adaptive => First(adaptive.OtherwiseNext, []),
        _ => StepChain.Next(definition, step),
    };

    private static string First(string wanted, IEnumerable<string> others) => wanted.Length > 0 ? wanted : others.FirstOrDefault(string.Empty);
}
