using System.Globalization;
using System.Text;
using Roster.Cli.Commands;
using Roster.Cli.Output;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Simulate;

/// <summary>Prints what came of a simulation for people: the timeline, then what each workflow did.</summary>
/// <remarks>Sentences are not wrapped: they are searched for in files and pipes, and a window wraps by itself.</remarks>
internal sealed class SimulationReport(SimulationResult result, CliConsole console)
{
    private const int PadMax = 40;
    private const int DetailMax = 200;

    public void Print()
    {
        PrintHeader();
        PrintTimeline();
        foreach (var workflow in result.Definitions.Workflows)
        {
            PrintWorkflow(workflow);
        }

        PrintFailures();
    }

    private void PrintHeader()
    {
        var counts = result.Counts;
        var parts = Named(
            ("applied", counts.Applied), ("duplicate", counts.Duplicates), ("mismatch", counts.Mismatches), ("refused", counts.Refused), ("malformed lines", result.BadLines));
        console.Plain.WriteLine(
            $"{Time(result.From)} to {Time(result.Until)} UTC: {Show.Count(counts.Events)} events{(parts.Length > 0 ? $" ({parts})" : "")}, "
            + $"{Show.Count(counts.TimersFired)} timers, {Show.Count(result.Fold.Sent)} tasks that would have been sent{Conduct()}");
        foreach (var workflow in result.Definitions.Workflows.Where(workflow => !workflow.IsOnInFile))
        {
            console.Plain.WriteLine($"workflow {workflow.Id}: its file leaves it a draft; it is on in this simulation");
        }

        if (counts.Early > 0)
        {
            console.Plain.WriteLine($"{Show.Count(counts.Early)} events lie before the start and were applied at the time that the clock showed");
        }

        if (counts.LeftOut > 0)
        {
            console.Plain.WriteLine($"{Show.Count(counts.LeftOut)} events after the end were left out");
        }

        if (result.NextScheduled is { } next)
        {
            console.Plain.WriteLine($"workflow {next.Workflow}: its schedule comes next at {Time(next.At)}; --until or --for goes on to it");
        }

        if (!result.IsRunOut)
        {
            console.Warn($"Something is due even after {Show.Count(Simulation.DaysMax)} days; the simulation ended there. --until or --for ends it sooner.");
        }

        console.Plain.WriteLine();
    }

    private string Conduct() => result.Options.Conduct switch
    {
        WorkerConduct.Success => "",
        WorkerConduct.Fail => ", each of which failed",
        WorkerConduct.None => ", none of which was taken",
        _ => throw new InvalidOperationException($"Unknown conduct {result.Options.Conduct}: a new one needs words here."),
    };

    private void PrintTimeline()
    {
        var lines = result.Timeline.Lines;
        if (result.Options.Explained is { } explained)
        {
            console.Out.MarkupLine($"[bold]{Markup.Escape(explained)}[/]");
        }

        var record = result.Options.Explained is null ? Width(lines, line => line.Record) + 2 : 0;
        var what = Width(lines, line => line.What) + 2;
        var where = Width(lines, line => line.Where) + 2;
        foreach (var line in lines)
        {
            var text = new StringBuilder(Time(line.At)).Append("  ");
            text.Append(record == 0 ? "" : OneLine(line.Record).PadRight(record));
            text.Append(line.What.PadRight(what)).Append(line.Where.PadRight(where)).Append(Cut(OneLine(line.Detail)));
            console.Plain.WriteLine(text.ToString().TrimEnd());
        }

        if (result.Timeline.Count > lines.Count)
        {
            console.Plain.WriteLine(
                $"… {Show.Count(result.Timeline.Count - lines.Count)} more lines: --timeline all, or --explain RECORD for everything about one record");
        }

        if (result.Options.Explained is { } name)
        {
            PrintNotConsidered(name);
        }

        if (result.Timeline.Count > 0)
        {
            console.Plain.WriteLine();
        }
    }

    /// <summary>A workflow that did nothing with a record has left no line; that is an answer too.</summary>
    private void PrintNotConsidered(string record)
    {
        var tallies = result.Fold.Record(record)!;
        var objectType = RecordName.Parse(record).ObjectType;
        foreach (var workflow in result.Definitions.Workflows.Where(workflow => !tallies.ContainsKey(workflow.Id)))
        {
            console.Plain.WriteLine(workflow.Definition.ObjectType == objectType
                ? $"{workflow.Id}: never considered; none of its triggers fired"
                : $"{workflow.Id}: never considered; it is for {workflow.Definition.ObjectType} records");
        }
    }

    private void PrintWorkflow(SimulatedWorkflow workflow)
    {
        var tally = result.Fold.Workflow(workflow.Id);
        var completed = tally.Ended.GetValueOrDefault("COMPLETED");
        var refused = tally.Refused.Values.Sum();
        console.Out.MarkupLine($"[bold]{Markup.Escape(workflow.Id)}[/]  {Markup.Escape(workflow.Definition.DisplayName)}".TrimEnd());
        console.Plain.WriteLine(
            $"considered {Show.Count(tally.Considered)}, enrolled {Show.Count(tally.Enrolled)} ({Show.Count(tally.RecordsEnrolled)} records), "
            + $"refused {Show.Count(refused)}{Breakdown(tally.Refused)}");
        console.Plain.WriteLine(
            $"completed {Show.Count(completed)}, unenrolled {Show.Count(tally.Enrolled - tally.Active - completed)}{Breakdown(tally.Ended.Where(end => end.Key != "COMPLETED"))}, "
            + $"still active {Show.Count(tally.Active)}{(tally.Goals.Count > 0 ? $", goals met{Breakdown(tally.Goals)}" : "")}");
        PrintSteps(result.Stats[workflow.Id], tally);
    }

    private void PrintSteps(WorkflowStats stats, WorkflowTally tally)
    {
        (string Name, Func<StepStats, string> Cell)[] columns =
        [
            ("step", step => step.StepId),
            ("kind", step => step.Kind),
            ("entered", step => Show.Count(step.Entered)),
            ("sent", step => tally.Sent.TryGetValue(step.StepId, out var sent) || step.Kind == "worker" ? Show.Count(sent) : ""),
            ("waiting", step => NotZero(step.Waiting)),
            ("failed", step => NotZero(step.Failed)),
            ("skipped", step => NotZero(step.Skipped)),
            ("branches", step => string.Join(", ", step.Branches.Select(branch => $"{branch.Name} {Show.Count(branch.Count)}"))),
        ];
        var used = columns.Where(column => stats.Steps.Any(step => column.Cell(step).Length > 0)).ToList();
        if (used.Count == 0)
        {
            return;
        }

        var table = Show.Table([.. used.Select(column => column.Name)]);
        foreach (var step in stats.Steps)
        {
            table.Row([.. used.Select(column => column.Cell(step))]);
        }

        console.Out.Write(table);
    }

    private void PrintFailures()
    {
        if (result.HasFailures)
        {
            var parts = Named(("refused", result.Counts.Refused), ("mismatch", result.Counts.Mismatches), ("malformed lines", result.BadLines));
            console.Fail($"Not every event was applied: {parts}.");
        }
    }

    private static string NotZero(long count) => count == 0 ? "" : Show.Count(count);

    private static string Breakdown(IEnumerable<KeyValuePair<string, long>> counts)
    {
        var text = string.Join(", ", counts.Select(count => $"{count.Key} {Show.Count(count.Value)}"));
        return text.Length > 0 ? $": {text}" : "";
    }

    private static string Named(params IEnumerable<(string Name, long Count)> counts) =>
        string.Join(", ", counts.Where(count => count.Count > 0).Select(count => $"{Show.Count(count.Count)} {count.Name}"));

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static int Width(IReadOnlyList<TimelineLine> lines, Func<TimelineLine, string> text) =>
        Math.Min(PadMax, lines.Count == 0 ? 0 : lines.Max(line => text(line).Length));

    private static string Cut(string text) => text.Length <= DetailMax ? text : string.Concat(text.AsSpan(0, DetailMax - 1), "…");

    // What comes from files may hold line breaks and worse.
    private static string OneLine(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter)) : text;
}
