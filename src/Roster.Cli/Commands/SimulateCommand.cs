using System.CommandLine;
using System.Globalization;
using System.Text;
using Roster.Cli.Ingest;
using Roster.Cli.Json;
using Roster.Cli.Output;
using Roster.Cli.Simulate;

namespace Roster.Cli.Commands;

/// <summary><c>roster simulate</c>: tests workflows on a file of events, without a server.</summary>
internal static class SimulateCommand
{
    private const int TimelineDefault = 200;

    // Workflows, records, and one line for what a workflow did with a record.
    private const int ExpectationDepth = 3;

    private static readonly Argument<string[]> Files = new("FILE")
    {
        Description = "Files with a workflow, a tenant, or both, as `roster apply` takes them.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string[]> Events = new("--events")
    {
        Description = "JSON lines (.jsonl) or CSV (.csv, with --map), as `roster ingest` takes them; several files, each with --events, are merged by time.",
        HelpName = "FILE",
        Required = true,
    };

    private static readonly Option<string[]> Maps = new("--map")
    {
        Description = "Column mapping for all CSV files, or for one: `--map deals.csv=deals.map.json`.",
        HelpName = "[FILE=]MAP",
    };

    private static readonly Option<bool> Declare = new("--declare")
    {
        Description = "Declares unknown properties with the type of their first value (`undeclared = DECLARE`).",
    };

    private static readonly Option<string?> From = new("--from")
    {
        Description = "Where the clock starts. Default: at the first event.",
        HelpName = "INSTANT",
    };

    private static readonly Option<string?> Until = new("--until")
    {
        Description = "Where the clock ends, such as `2026-03-01T00:00:00Z`; events after it are left out.",
        HelpName = "INSTANT",
    };

    private static readonly Option<string?> For = new("--for")
    {
        Description = $"How long the clock goes on after the last event, such as `60d`. Default: until nothing is due any more, at most {Simulation.DaysMax} days.",
        HelpName = "SPAN",
    };

    private static readonly Option<string> Complete = new("--complete")
    {
        Description = "What becomes of tasks for workers: `success` or `fail` at once, or `none`: nobody takes them.",
        HelpName = "success|fail|none",
        DefaultValueFactory = _ => "success",
    };

    private static readonly Option<string?> Expect = new("--expect")
    {
        Description = "Compares with what this file expects. Exit code 1 when anything differs.",
        HelpName = "FILE",
    };

    private static readonly Option<string?> WriteExpect = new("--write-expect")
    {
        Description = "Writes what happened as an expectation, to commit and to cut down to what matters.",
        HelpName = "FILE",
    };

    private static readonly Option<string?> Explain = new("--explain")
    {
        Description = "Prints everything that happened to one record, such as `contact/ada@example.org`, instead of the timeline of all.",
        HelpName = "RECORD",
    };

    private static readonly Option<string?> TimelineLines = new("--timeline")
    {
        Description = $"Lines of the timeline that are printed: a number, or `all`. Default: {TimelineDefault}, and all with --json.",
        HelpName = "LINES",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Prints one JSON document instead." };

    public static Command Create(CliConsole console)
    {
        var command = new Command(
            "simulate",
            "Runs workflows on a file of events and a virtual clock, without a server: who enrolls, when, what would be sent, and why not. Changes nothing.")
        {
            Files, Events, Maps, Declare, From, Until, For, Complete, Expect, WriteExpect, Explain, TimelineLines, Json,
        };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var options = ReadOptions(result);
        var definitions = await SimulationDefinitions.ReadAsync(result.GetValue(Files)!, cancellationToken);
        var expectation = result.GetValue(Expect) is { } file
            ? await Expectation.ReadAsync(file, definitions.Workflows, cancellationToken)
            : null;
        CheckFolder(result.GetValue(WriteExpect));
        var names = result.GetValue(Events)!;
        var tracker = new IngestTracker(names, console, skipped: 0);
        using var feed = EventFeed.Open(EventFiles.Open(names, result.GetValue(Maps) ?? []), isSorted: true, tracker.OnBadLine, cancellationToken);
        var run = await SimulationRun.RunAsync(definitions, feed, tracker, options, console, cancellationToken);
        CheckExplained(run);
        var differences = expectation?.Compare(run.Fold, definitions.Workflows) ?? [];
        if (result.GetValue(Json))
        {
            new SimulationJson(run, differences).Print(console.Plain);
        }
        else
        {
            new SimulationReport(run, console).Print();
        }

        await WriteExpectationAsync(result, run, console, cancellationToken);
        Judge(expectation, differences, isQuiet: result.GetValue(Json), console);
        return differences.Count > 0 || run.HasFailures ? ExitCode.SomeFailed : ExitCode.Success;
    }

    private static SimulationOptions ReadOptions(ParseResult result)
    {
        if (result.GetValue(Until) is not null && result.GetValue(For) is not null)
        {
            throw new CliException("--until and --for exclude each other; give one of them.");
        }

        return new SimulationOptions
        {
            From = ReadInstant(From, result),
            Until = ReadInstant(Until, result),
            For = ReadSpan(result.GetValue(For)),
            Conduct = ReadConduct(result.GetValue(Complete)!),
            Declares = result.GetValue(Declare),
            Explained = result.GetValue(Explain) is { } name ? RecordName.Of(RecordName.Parse(name)) : null,
            TimelineMax = ReadLines(result.GetValue(TimelineLines), result.GetValue(Json)),
            KeepsTasks = result.GetValue(Json),
        };
    }

    private static DateTimeOffset? ReadInstant(Option<string?> option, ParseResult result)
    {
        if (result.GetValue(option) is not { } text)
        {
            return null;
        }

        return JsonEvent.TryParseInstant(text, out var instant)
            ? instant!.ToDateTimeOffset()
            : throw new CliException($"{option.Name} `{text}` is not an instant such as `2026-03-01T00:00:00Z`.");
    }

    private static TimeSpan? ReadSpan(string? text)
    {
        if (text is null)
        {
            return null;
        }

        return AdvanceCommand.TryParseSpan(text, out var span) ? span : throw new CliException($"--for `{text}` is not a time span such as `60d`, `6h` or `30m`.");
    }

    private static WorkerConduct ReadConduct(string text) => text switch
    {
        "success" => WorkerConduct.Success,
        "fail" => WorkerConduct.Fail,
        "none" => WorkerConduct.None,
        _ => throw new CliException($"--complete `{text}` is not `success`, `fail` or `none`."),
    };

    private static long ReadLines(string? text, bool isJson)
    {
        if (text is null)
        {
            return isJson ? long.MaxValue : TimelineDefault;
        }

        return text == "all" ? long.MaxValue
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var lines) ? lines
            : throw new CliException($"--timeline `{text}` is not a number of lines, nor `all`.");
    }

    // Known before the run, and not only after it.
    private static void CheckFolder(string? file)
    {
        if (file is not null && Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder))
        {
            throw new CliException($"--write-expect: there is no folder `{folder}`.");
        }
    }

    private static void CheckExplained(SimulationResult run)
    {
        if (run.Options.Explained is { } name && run.Fold.Record(name) is null)
        {
            throw new CliException($"--explain: there is no record `{name}` in this simulation.{NearestName.Hint(name, run.Fold.RecordNames)}");
        }
    }

    private static async Task WriteExpectationAsync(ParseResult result, SimulationResult run, CliConsole console, CancellationToken cancellationToken)
    {
        if (result.GetValue(WriteExpect) is not { } file)
        {
            return;
        }

        var text = JsonText.OnLines(Expectation.Of(run.Fold, run.Definitions.Workflows), ExpectationDepth);
        await File.WriteAllTextAsync(file, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), cancellationToken);
        if (!result.GetValue(Json))
        {
            await console.Plain.WriteLineAsync($"expectation written to {file}");
        }
    }

    private static void Judge(Expectation? expectation, IReadOnlyList<Difference> differences, bool isQuiet, CliConsole console)
    {
        foreach (var difference in differences)
        {
            console.Fail($"{expectation!.File}: {difference}");
        }

        if (expectation is not null && !isQuiet)
        {
            console.Plain.WriteLine(differences.Count == 0
                ? $"{expectation.File}: all {Show.Count(expectation.Values)} values as expected"
                : $"{expectation.File}: {Show.Count(differences.Count)} of {Show.Count(expectation.Values)} values differ");
        }
    }
}
