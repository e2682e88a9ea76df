using Roster.Cli.Output;
using Roster.V1;

namespace Roster.Cli.Simulate;

/// <summary>What a simulation did, folded from the journal: per workflow, per record, and the tasks that would have been sent.</summary>
/// <param name="timeline">Gets every turn too.</param>
/// <param name="onSent">Called for each task that would have been sent, in order.</param>
internal sealed class SimulationFold(Timeline timeline, Action<JournalEntry> onSent)
{
    private readonly Dictionary<string, Dictionary<string, RecordTally>> _records = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WorkflowTally> _workflows = new(StringComparer.Ordinal);

    /// <summary>Names of all records that there are, also of those that no workflow considered.</summary>
    public IReadOnlyCollection<string> RecordNames => _records.Keys;

    /// <summary>Tasks that would have been sent.</summary>
    public long Sent { get; private set; }

    /// <summary>What the workflows did with a record, by workflow; null when there is no such record.</summary>
    public IReadOnlyDictionary<string, RecordTally>? Record(string name) => _records.GetValueOrDefault(name);

    /// <summary>What a workflow did.</summary>
    public WorkflowTally Workflow(string id) => _workflows.GetValueOrDefault(id) ?? new WorkflowTally();

    /// <summary>Adds entries in the order of the journal, whole turns.</summary>
    public void Add(IReadOnlyList<JournalEntry> entries)
    {
        for (var start = 0; start < entries.Count;)
        {
            var end = start + 1;
            while (end < entries.Count && entries[end].Position == entries[start].Position)
            {
                end++;
            }

            AddTurn([.. entries.Skip(start).Take(end - start)]);
            start = end;
        }
    }

    private void AddTurn(IReadOnlyList<JournalEntry> entries)
    {
        var turn = new JournalTurn(RecordName.Of(entries[0].Ref), entries);
        if (!_records.TryGetValue(turn.Record, out var tallies))
        {
            _records.Add(turn.Record, tallies = []);
        }

        foreach (var entry in entries)
        {
            if (entry.WorkflowId.Length > 0)
            {
                Count(turn, entry, Get(_workflows, entry.WorkflowId), tallies);
            }
        }

        timeline.Add(turn);
    }

    private void Count(JournalTurn turn, JournalEntry entry, WorkflowTally workflow, Dictionary<string, RecordTally> tallies)
    {
        switch (entry.Kind)
        {
            case JournalEntry.Types.Kind.EnrollmentRefused:
                var code = ProtoNames.Of(entry.Decision);
                Increment(workflow.Refused, code);
                Increment(Get(tallies, entry.WorkflowId).Refused, code);
                break;
            case JournalEntry.Types.Kind.Enrolled:
                workflow.Enrolled++;
                workflow.RecordsEnrolled += Get(tallies, entry.WorkflowId).Enrolled++ == 0 ? 1 : 0;
                break;
            case JournalEntry.Types.Kind.StepEntered:
                Increment(workflow.Steps, entry.StepId);
                Get(tallies, entry.WorkflowId).Steps.Add(entry.StepId);
                break;
            case JournalEntry.Types.Kind.EffectRequested when !turn.IsWithdrawn(entry):
                Sent++;
                Increment(workflow.Sent, entry.StepId);
                Get(tallies, entry.WorkflowId).Sent.Add(entry.StepId);
                onSent(entry);
                break;
            case JournalEntry.Types.Kind.GoalMet:
                Increment(workflow.Goals, entry.Name);
                Get(tallies, entry.WorkflowId).Goals.Add(entry.Name);
                break;
            case JournalEntry.Types.Kind.EnrollmentEnded:
                var reason = ProtoNames.Of(entry.EndReason);
                Increment(workflow.Ended, reason);
                Get(tallies, entry.WorkflowId).Ended.Add(reason);
                break;
            default:
                break;
        }
    }

    private static void Increment(SortedDictionary<string, long> counts, string name) => counts[name] = counts.GetValueOrDefault(name) + 1;

    private static T Get<T>(Dictionary<string, T> tallies, string id)
        where T : new()
    {
        if (!tallies.TryGetValue(id, out var tally))
        {
            tallies.Add(id, tally = new T());
        }

        return tally;
    }
}

/// <summary>The entries of one turn.</summary>
/// <param name="Record">Name of its record.</param>
/// <param name="Entries">The entries in order; at least one.</param>
internal sealed record JournalTurn(string Record, IReadOnlyList<JournalEntry> Entries)
{
    /// <summary>The first entry of a kind that is about the same run of the same step as <paramref name="entry"/>.</summary>
    public JournalEntry? Find(JournalEntry entry, JournalEntry.Types.Kind kind) => Entries.FirstOrDefault(other =>
        other.Kind == kind
        && other.EnrollmentNumber == entry.EnrollmentNumber
        && other.ExecutionIndex == entry.ExecutionIndex
        && other.WorkflowId == entry.WorkflowId
        && other.StepId == entry.StepId);

    /// <summary>Whether a task was withdrawn in the turn that asked for it: then no worker ever sees it.</summary>
    public bool IsWithdrawn(JournalEntry requested) => Find(requested, JournalEntry.Types.Kind.EffectCompleted) is not null;
}

/// <summary>What one workflow did.</summary>
internal sealed class WorkflowTally
{
    public long Enrolled { get; set; }

    /// <summary>Distinct records.</summary>
    public long RecordsEnrolled { get; set; }

    /// <summary>By decision code.</summary>
    public SortedDictionary<string, long> Refused { get; } = new(StringComparer.Ordinal);

    /// <summary>By end reason.</summary>
    public SortedDictionary<string, long> Ended { get; } = new(StringComparer.Ordinal);

    /// <summary>Goals met, by goal.</summary>
    public SortedDictionary<string, long> Goals { get; } = new(StringComparer.Ordinal);

    /// <summary>Tasks that would have been sent, by step.</summary>
    public SortedDictionary<string, long> Sent { get; } = new(StringComparer.Ordinal);

    /// <summary>Times a step was entered.</summary>
    public SortedDictionary<string, long> Steps { get; } = new(StringComparer.Ordinal);

    public long Considered => Enrolled + Refused.Values.Sum();

    public long Active => Enrolled - Ended.Values.Sum();
}

/// <summary>What one workflow did with one record.</summary>
internal sealed class RecordTally
{
    public long Enrolled { get; set; }

    /// <summary>By decision code.</summary>
    public SortedDictionary<string, long> Refused { get; } = new(StringComparer.Ordinal);

    /// <summary>End reasons in order.</summary>
    public List<string> Ended { get; } = [];

    /// <summary>Goals met, in order.</summary>
    public List<string> Goals { get; } = [];

    /// <summary>Steps of the tasks that would have been sent, in order.</summary>
    public List<string> Sent { get; } = [];

    /// <summary>Steps entered, in order.</summary>
    public List<string> Steps { get; } = [];

    public long Active => Enrolled - Ended.Count;
}
