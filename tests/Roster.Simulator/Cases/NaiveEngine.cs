using System.Globalization;
using Roster.Core.Journal;
using Roster.Core.Schema;
using Roster.Core.Workflows;

namespace Roster.Simulator.Cases;

/// <summary>
/// The rules of one record in the plainest way: loops over everything, nothing is indexed, packed or remembered. Only the definition
/// records are taken from the engine, as the language in which rules are written down.
/// </summary>
internal sealed class NaiveEngine(TenantSettings settings, IReadOnlyList<CaseList> lists)
{
    private const long DayMs = 86_400_000;

    private readonly List<string> _order = [];
    private readonly Dictionary<string, List<WorkflowDefinition>> _versions = [];
    private readonly Dictionary<string, WorkflowState> _states = [];

    public TenantSettings Settings { get; } = settings;

    public IReadOnlyList<CaseList> Lists { get; } = lists;

    public NaiveRecord Record { get; } = new();

    /// <summary>Counts whatever happens, so that before and after can be told.</summary>
    public int Sequence { get; set; }

    /// <summary>Counts turns.</summary>
    public int Turns { get; set; }

    /// <summary>Counts phases 9.</summary>
    public int Runs { get; set; }

    /// <summary>Workflows, oldest first (ENG-05).</summary>
    public IReadOnlyList<string> Workflows => _order;

    /// <summary>Tells which way of a split was taken: any, but the same each time.</summary>
    public required Func<NaiveEnrollment, string, int> Split { get; init; }

    public WorkflowDefinition Newest(string workflow) => _versions[workflow][^1];

    public int Version(string workflow) => _versions[workflow].Count;

    public WorkflowDefinition OfVersion(string workflow, int version) => _versions[workflow][version - 1];

    public WorkflowState StateOf(string workflow) => _states[workflow];

    public bool IsRunning(string workflow) => _states[workflow] is WorkflowState.On or WorkflowState.Paused;

    public void Publish(WorkflowDefinition definition, WorkflowState? state)
    {
        if (!_versions.TryGetValue(definition.Id, out var versions))
        {
            _versions[definition.Id] = versions = [];
            _order.Add(definition.Id);
        }

        versions.Add(definition);
        _states[definition.Id] = state ?? _states[definition.Id];
    }

    public void Switch(string workflow, WorkflowState state) => _states[workflow] = state;

    /// <summary>The earliest instant at which something is due; null when nothing is.</summary>
    public long? NextDueAt() => Record.Active.Where(e => e.DueAt is not null).Select(e => e.DueAt!.Value).Concat(Record.Tasks.Select(t => t.TimesOutAt)).Cast<long?>().Min();

    /// <summary>One turn; null when the input needs none.</summary>
    public TurnStory Run(CaseInput? input, long clock)
    {
        var now = Math.Max(clock, Record.LastTurnAt);
        var (id, content) = input switch
        {
            EventCase e => ("event/" + e.Id, Content(e)),
            CommandCase c => ("request/" + c.RequestId, $"{c.Kind} {c.Target}"),
            _ => (string.Empty, string.Empty),
        };
        if (input is CommandCase { Kind: CommandKind.Unenroll or CommandKind.RemoveFromList } && !Record.Exists)
        {
            return Story("NOTHING", []);
        }

        if (id.Length > 0)
        {
            var known = Record.Marks.FindLast(m => m.Id == id);
            if (known.Id is not null && known.At >= now - (Settings.DedupeDays * DayMs))
            {
                return Story(known.Content == content ? "DUPLICATE" : "MISMATCH", []);
            }
        }

        var turn = new NaiveTurn(this, now);
        if (!turn.Begin(input))
        {
            return Story("NOTHING", []);
        }

        if (id.Length > 0)
        {
            Record.Marks.Add((id, content, now));
        }

        turn.Run(input);
        return Story("APPLIED", turn.Lines);
    }

    public CaseTask? Task(int pick) => pick < 0 || Record.Tasks.Count == 0
        ? null
        : Record.Tasks.OrderBy(t => t.Enrollment).ThenBy(t => t.Step, StringComparer.Ordinal).ThenBy(t => t.Execution)
            .Select(t => new CaseTask(t.Enrollment, t.Workflow, t.Step, t.Execution)).ElementAt(pick % Record.Tasks.Count);

    private TurnStory Story(string status, IReadOnlyList<string> lines) => new(string.Empty, status, lines, [.. Describe()]);

    private IEnumerable<string> Describe()
    {
        foreach (var (name, property) in Record.Properties.Where(p => p.Value.Value is not null))
        {
            yield return $"{name} = {property.Value}";
        }

        foreach (var list in Record.Lists)
        {
            yield return $"in {list}";
        }

        foreach (var e in Record.Active.OrderBy(e => e.Number))
        {
            yield return CaseWords.Standing(e.Workflow, e.Number, e.Standing, e.Step ?? "end", e.Standing is Standing.Delay or Standing.Wait ? e.DueAt : null);
        }

        foreach (var task in Record.Tasks.OrderBy(t => t.Enrollment).ThenBy(t => t.Step, StringComparer.Ordinal).ThenBy(t => t.Execution))
        {
            yield return CaseWords.Task(new CaseTask(task.Enrollment, task.Workflow, task.Step, task.Execution), task.TimesOutAt);
        }
    }

    private static string Content(EventCase e) => string.Create(
        CultureInfo.InvariantCulture,
        $"{e.Type} {e.OccurredAt} {string.Join(',', e.Properties)} {string.Join(',', e.Writes.Select(w => (w.Name, Canonical(w))))}");

    private static string Canonical(CaseValue write) => write.Value.Length == 0 ? string.Empty : NaiveFilters.Canonical(write.Name, write.Value);
}

/// <summary>The words of stories, so that both sides use the same ones.</summary>
internal static class CaseWords
{
    public static string Time(long? at) => at is null ? "never" : NodaTime.Instant.FromUnixTimeMilliseconds(at.Value).ToString("uuuu-MM-dd'T'HH:mm:ss.FFF'Z'", CultureInfo.InvariantCulture);

    public static string Standing(string workflow, int number, Standing standing, string step, long? dueAt) =>
        standing is Cases.Standing.Delay or Cases.Standing.Wait ? $"#{number} of {workflow}: {standing} at {step} until {Time(dueAt)}" : $"#{number} of {workflow}: {standing} at {step}";

    public static string Task(CaseTask task, long timesOutAt) => $"task #{task.Enrollment} {task.Workflow}.{task.Step} x{task.Execution} until {Time(timesOutAt)}";

    public static string Enrolled(string workflow, int number) => $"enrolled {workflow} #{number}";

    public static string Refused(string workflow, Decision decision) => $"refused {workflow} {decision}";

    public static string Entered(string workflow, int number, string step) => $"enter {workflow}.{step} #{number}";

    public static string Left(string workflow, int number, string step, string how) => $"leave {workflow}.{step} #{number} {how}";

    public static string Held(string workflow, int number, string step) => $"held {workflow}.{step} #{number}";

    public static string Goal(string workflow, string goal) => $"counted {workflow} goal {goal}";

    public static string Ended(string workflow, int number, EndReason reason) => $"ended {workflow} #{number} {reason}";

    public static string List(string list, bool hasJoined) => $"{(hasJoined ? "join" : "leave")} list {list}";

    public static string Wrote(string property, string? value) => $"{property} := {value ?? "unknown"}";

    public static string Late(string property) => $"{property} late";
}
