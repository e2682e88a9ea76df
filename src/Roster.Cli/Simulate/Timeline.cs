using System.Globalization;
using Roster.Cli.Output;
using Roster.V1;
using Kind = Roster.V1.JournalEntry.Types.Kind;

namespace Roster.Cli.Simulate;

/// <summary>One thing that happened.</summary>
/// <param name="At">When.</param>
/// <param name="Record">To which record.</param>
/// <param name="What">What happened, in a word or two.</param>
/// <param name="Workflow">In which workflow; empty for none.</param>
/// <param name="Step">In which step; empty for none.</param>
/// <param name="Detail">Particulars.</param>
internal sealed record TimelineLine(DateTimeOffset At, string Record, string What, string Workflow, string Step, string Detail)
{
    public string Where => Step.Length > 0 ? $"{Workflow} / {Step}" : Workflow;
}

/// <summary>A step as it was published; null for one that is not known.</summary>
internal delegate Step? FindStep(string workflow, int version, string step);

/// <summary>
/// What happened, in order of time: of all records what workflows did, one line per step, up to a limit; or of one record everything.
/// Entries of a kind that is not known here are told by its number.
/// </summary>
internal sealed class Timeline
{
    private readonly FindStep _findStep;
    private readonly string? _explained;
    private readonly long _linesMax;
    private readonly List<TimelineLine> _lines = [];

    /// <param name="findStep">What the steps are.</param>
    /// <param name="explained">The record of which everything is told; null for all records.</param>
    /// <param name="linesMax">Lines that are kept of all records; the rest is counted.</param>
    public Timeline(FindStep findStep, string? explained, long linesMax)
    {
        _findStep = findStep;
        _explained = explained;
        _linesMax = explained is null ? linesMax : long.MaxValue;
    }

    /// <summary>The first lines.</summary>
    public IReadOnlyList<TimelineLine> Lines => _lines;

    /// <summary>Lines in all.</summary>
    public long Count { get; private set; }

    public void Add(JournalTurn turn)
    {
        if (_explained is not null && _explained != turn.Record)
        {
            return;
        }

        foreach (var entry in turn.Entries)
        {
            var told = _explained is null ? Tell(turn, entry) : TellAll(entry);
            if (told is not var (what, detail))
            {
                continue;
            }

            Count++;
            if (_lines.Count < _linesMax)
            {
                var step = entry.Kind == Kind.Enrolled ? "" : entry.StepId;
                _lines.Add(new TimelineLine(entry.At.ToDateTimeOffset(), turn.Record, what, entry.WorkflowId, step, detail));
            }
        }
    }

    /// <summary>An entry of the timeline of all records; null for one that another line tells, or that is no deed of a workflow.</summary>
    private (string What, string Detail)? Tell(JournalTurn turn, JournalEntry entry)
    {
        switch (entry.Kind)
        {
            case Kind.RecordCreated or Kind.EventReceived or Kind.CommandReceived or Kind.PropertyChanged or Kind.PropertyLate:
                return null;
            case Kind.EnrollmentRefused:
                return ("refused", Join(ProtoNames.Of(entry.Decision), entry.Detail));
            case Kind.Enrolled:
                return ("enrolled", Join(string.Create(CultureInfo.InvariantCulture, $"#{entry.EnrollmentNumber}"), Show.Trigger(entry)));
            case Kind.StepEntered:
                return turn.Find(entry, Kind.EffectRequested) is null ? ("step", Passed(turn, entry)) : null;
            case Kind.StepFinished when entry is { Result: "SUCCESS", Name.Length: > 0 } && turn.Find(entry, Kind.StepEntered) is null:
                return ("step", entry.Name);
            case Kind.StepFinished:
                return IsTold(turn, entry) ? null : ("step finished", Join(entry.Result, entry.Name, entry.Detail));
            case Kind.EffectRequested:
                return turn.IsWithdrawn(entry) ? null : ("sent", Join($"to {entry.Name}", Show.Values(entry.Properties)));
            case Kind.EffectCompleted when entry.Result == "CANCELLED" && turn.Find(entry, Kind.EffectRequested) is not null:
                return ("task withdrawn", "");
            case Kind.EffectCompleted:
                return entry.Result is "SUCCESS" or "CANCELLED" ? null : ("task finished", Join(entry.Result, entry.Detail));
            case Kind.EnrollmentEnded:
                return ("ended", Join(ProtoNames.Of(entry.EndReason), entry.Detail));
            default:
                return Show.Entry(entry);
        }
    }

    /// <summary>What came of a step in the turn that entered it: the branch taken, the property written, how long it waits.</summary>
    private string Passed(JournalTurn turn, JournalEntry entered)
    {
        var written = turn.Entries
            .Where(entry => entry.Kind == Kind.PropertyChanged && entry.WorkflowId == entered.WorkflowId && entry.StepId == entered.StepId)
            .Select(entry => $"{entry.Name} = {Client.Values.Show(entry.Value)}");
        var finished = turn.Find(entered, Kind.StepFinished);
        return Join(
        [
            .. written.Distinct(),
            entered.Result == "RESCHEDULED" ? "moved by an execution window" : "",
            Show.Until(entered),
            finished is null or { Result: "SUCCESS" } ? "" : finished.Result,
            finished is null ? "" : TakenBranch(finished),
            finished?.Detail ?? "",
        ]);
    }

    private string TakenBranch(JournalEntry finished)
    {
        var step = _findStep(finished.WorkflowId, finished.Version, finished.StepId);
        var isBranch = step?.KindCase is Step.KindOneofCase.Branch or Step.KindOneofCase.ValueBranch or Step.KindOneofCase.RandomSplit;
        return isBranch ? $"took {(finished.Name.Length > 0 ? finished.Name : "default")}" : finished.Name;
    }

    // The line of its entry tells how a step was passed, and the line of its task how that ended; that a wait is over goes without saying.
    private static bool IsTold(JournalTurn turn, JournalEntry finished) =>
        finished.Result == "SUCCESS"
        || turn.Find(finished, Kind.StepEntered) is not null
        || turn.Find(finished, Kind.EffectCompleted) is not null;

    private static (string What, string Detail) TellAll(JournalEntry entry)
    {
        var (what, detail) = Show.Entry(entry);
        return entry.Kind == Kind.EnrollmentRefused ? (what, Join(detail, Decisions.Sentence(entry.Decision))) : (what, detail);
    }

    private static string Join(params IEnumerable<string> parts) => string.Join(", ", parts.Where(part => part.Length > 0));
}
