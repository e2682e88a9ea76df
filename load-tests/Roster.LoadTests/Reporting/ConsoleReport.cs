using System.Globalization;
using Spectre.Console;

namespace Roster.LoadTests.Reporting;

/// <summary>The result for a terminal.</summary>
internal static class ConsoleReport
{
    /// <summary>What <see cref="Cells"/> gives.</summary>
    public static IReadOnlyList<string> PhaseColumns { get; } =
    [
        "phase", "events/s", "tasks/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "refused", "errors", "server MB", "database MB", "server cores", "generator cores", "bytes/event",
    ];

    public static void WriteSettings(RunResult result)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Capabilities.Ansi = false;
            AnsiConsole.Profile.Width = 160;
        }

        var (machine, options) = (result.Machine, result.Options);
        if (machine.Build != "Release")
        {
            AnsiConsole.MarkupLine("[red]This is a Debug build: its figures mean nothing.[/]");
        }

        Line($"{options.Scenario}: {options.Records:N0} contacts, {options.Workflows} workflows, {options.Streams} streams, batches of {options.BatchEvents}, window {options.Window}, store {options.Store}, cache {options.CacheBytes >> 20} MB");
        Line($"{machine.Processor}, {machine.Cores} cores, {machine.MemoryMb:N0} MB, {machine.Runtime}, {machine.System}, server GC {machine.ServerGc}");
    }

    public static void Write(RunResult result)
    {
        if (result.Phases.Count > 0)
        {
            WritePhases(result);
        }

        foreach (var curve in result.Curves)
        {
            var table = new Table { Title = new TableTitle(Markup.Escape(curve.Name)) }.AddColumns(Markup.Escape(curve.XName), Markup.Escape(curve.YName), "of the largest");
            foreach (var point in curve.Points)
            {
                table.AddRow(Figure.Number(point.X), Figure.Number(point.Y), (point.Y / curve.Points.Max(p => p.Y)).ToString("P0", CultureInfo.InvariantCulture));
            }

            AnsiConsole.Write(table);
        }

        if (result.Figures.Count > 0)
        {
            var table = new Table().AddColumns("figure", "value", "asked", string.Empty);
            result.Figures.ForEach(f => table.AddRow(Markup.Escape(f.Name), Markup.Escape(f.Text), Markup.Escape(f.Asked), f.Verdict));
            AnsiConsole.Write(table);
        }

        result.Notes.ForEach(note => Line($"{note}"));
        result.Failures.ForEach(failure => AnsiConsole.MarkupLineInterpolated($"[red]{failure}[/]"));
    }

    /// <summary>A column per phase, so that it fits a narrow terminal.</summary>
    private static void WritePhases(RunResult result)
    {
        var table = new Table().AddColumn(string.Empty);
        var columns = result.Phases.Select(p => Cells(p).ToList()).ToList();
        columns.ForEach(cells => table.AddColumn(new TableColumn(Markup.Escape(cells[0])).RightAligned()));
        for (var i = 1; i < PhaseColumns.Count; i++)
        {
            table.AddRow([PhaseColumns[i], .. columns.Select(cells => cells[i])]);
        }

        AnsiConsole.Write(table);
    }

    /// <summary>A phase as the cells of a row.</summary>
    public static IEnumerable<string> Cells(Phase p) =>
    [
        p.Name, Invariant($"{p.EventsPerSecond:N0}"), Invariant($"{p.TasksPerSecond:N0}"), Latency(p.P50Ms), Latency(p.P99Ms), Latency(p.P999Ms), Latency(p.MaxMs),
        Invariant($"{p.Refused:N0}"), Invariant($"{p.Errors:N0}"), p.ServerMb > 0 ? Invariant($"{p.ServerMb:N0}") : "–", p.DatabaseMb > 0 ? Invariant($"{p.DatabaseMb:N0}") : "–",
        p.ServerMb > 0 ? Invariant($"{p.ServerCores:F2}") : "–", Invariant($"{p.GeneratorCores:F2}"), p.BytesWrittenPerEvent is { } bytes ? Invariant($"{bytes:N0}") : "–",
    ];

    private static string Latency(double ms) => ms > 0 ? Invariant($"{ms:F1}") : "–";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Line(FormattableString text) => AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, text);
}
