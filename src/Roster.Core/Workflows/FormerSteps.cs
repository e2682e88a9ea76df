using System.Collections.Frozen;

namespace Roster.Core.Workflows;

/// <summary>
/// What the newest version of a workflow has to know of all versions, since enrollments may still be in one of them: where those go on
/// whose step was removed (EDT-09), how removed steps were called (ENG-04), and which delays and timeouts were edited (EDT-08). Immutable.
/// </summary>
public sealed class FormerSteps
{
    /// <summary>There is one version only.</summary>
    public static readonly FormerSteps None = new([], [], []);

    private readonly FrozenDictionary<int, string> _removed;
    private readonly FrozenSet<(int Version, int Step)> _edited;

    private FormerSteps(Dictionary<int, int> moved, Dictionary<int, string> removed, HashSet<(int Version, int Step)> edited)
    {
        Moved = moved.ToFrozenDictionary();
        _removed = removed.ToFrozenDictionary();
        _edited = edited.ToFrozenSet();
    }

    /// <summary>Compares a version with all versions of its workflow.</summary>
    /// <param name="versions">All versions, oldest first: the first one is version 1.</param>
    /// <param name="newest">The version in force.</param>
    /// <param name="stepNumber">Number of a step id.</param>
    public static FormerSteps Of(IReadOnlyList<WorkflowDefinition> versions, WorkflowDefinition newest, Func<string, int> stepNumber)
    {
        ArgumentNullException.ThrowIfNull(versions);
        ArgumentNullException.ThrowIfNull(newest);
        ArgumentNullException.ThrowIfNull(stepNumber);
        var present = newest.Steps.DistinctBy(s => s.Id).ToDictionary(s => s.Id, StringComparer.Ordinal);
        var removed = new Dictionary<int, string>();
        var edited = new HashSet<(int Version, int Step)>();
        for (var v = 0; v < versions.Count; v++)
        {
            foreach (var step in versions[v].Steps)
            {
                if (!present.TryGetValue(step.Id, out var now))
                {
                    removed.TryAdd(stepNumber(step.Id), step.Id);
                }
                else if (IsEdited(step, now, hasOtherZone: versions[v].TimeZone != newest.TimeZone))
                {
                    edited.Add((v + 1, stepNumber(step.Id)));
                }
            }
        }

        return new FormerSteps(StepMoves.Find(versions, newest, stepNumber), removed, edited);
    }

    /// <summary>Where enrollments in removed steps go on: number of the step, 0 for the end (EDT-09).</summary>
    public FrozenDictionary<int, int> Moved { get; }

    /// <summary>Id of a removed step; empty when there was none of that number.</summary>
    public string IdOf(int step) => _removed.GetValueOrDefault(step, string.Empty);

    /// <summary>Whether the setting of a delay, the timeout of a wait (EDT-08), or the kind of an external action (EDT-10) was another one in a version.</summary>
    public bool IsEdited(int version, int step) => _edited.Contains((version, step));

    private static bool IsEdited(StepDefinition before, StepDefinition now, bool hasOtherZone) => (before, now) switch
    {
        (DelayStepDefinition old, DelayStepDefinition delay) => hasOtherZone || old.Delay != delay.Delay,
        (WaitStepDefinition old, WaitStepDefinition wait) => old.Timeout != wait.Timeout,
        (CreateTaskStepDefinition old, CreateTaskStepDefinition task) => old.Timeout != task.Timeout,
        _ => IsExternal(before) && IsExternal(now) && before.GetType() != now.GetType(),
    };

    /// <summary>All of these are tasks of the outbox, so that their kind cannot be told from what an enrollment waits for.</summary>
    private static bool IsExternal(StepDefinition step) => step is WorkerStepDefinition or WebhookStepDefinition or MessageStepDefinition or CodeStepDefinition;
}
