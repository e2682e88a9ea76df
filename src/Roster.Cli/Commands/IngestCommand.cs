using System.CommandLine;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Roster.Cli.Ingest;
using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Commands;

/// <summary><c>roster ingest</c>: sends the events of files.</summary>
internal static class IngestCommand
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    private static readonly Argument<string[]> Files = new("FILE")
    {
        Description = "JSON lines (.jsonl) or CSV (.csv, with --map). `-`: JSON lines from standard input.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string[]> Maps = new("--map")
    {
        Description = "Column mapping for all CSV files, or for one: `--map deals.csv=deals.map.json`.",
        HelpName = "[FILE=]MAP",
    };

    private static readonly Option<bool> FollowClock = new("--follow-clock")
    {
        Description = "Moves the server's manual clock to the time of each event before sending it.",
    };

    private static readonly Option<bool> Declare = new("--declare")
    {
        Description = "Declares unknown properties with the type of their first value (`undeclared = DECLARE`).",
    };

    private static readonly Option<string?> Resume = new("--resume")
    {
        Description = "Remembers in this file how far all is acknowledged, and goes on from there.",
        HelpName = "STATEFILE",
    };

    private static readonly Option<int> Batch = new("--batch") { Description = "Most events in one message.", DefaultValueFactory = _ => 500 };

    public static Command Create(CliConsole console)
    {
        var command = new Command("ingest", "Sends the events of files, several files merged by time.") { Files, Maps, FollowClock, Declare, Resume, Batch };
        command.SetActionSafely(console, (result, cancellationToken) => RunAsync(result, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CliConsole console, CancellationToken cancellationToken)
    {
        var names = result.GetValue(Files)!;
        var sources = EventFiles.Open(names, result.GetValue(Maps) ?? []);
        using var client = ConnectionOptions.Connect(result, TimeSpan.FromHours(1));
        var resume = result.GetValue(Resume) is { } path ? ResumeState.Open(path, names) : null;
        var follow = result.GetValue(FollowClock);
        if (follow)
        {
            await CheckClockAsync(client, cancellationToken);
        }

        if (result.GetValue(Declare))
        {
            var settings = new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Declare };
            await client.Tenants.UpdateSettingsAsync(new UpdateSettingsRequest { Settings = settings }, cancellationToken: cancellationToken);
        }

        var tracker = new IngestTracker(names, console, resume?.Acknowledged ?? 0);
        using var feed = EventFeed.Open(sources, isSorted: follow || sources.Count > 1, tracker.OnBadLine, cancellationToken);
        var run = new IngestRun(client, feed, tracker, resume, result.GetValue(Batch));
        await ShowProgressAsync(run, console, follow, cancellationToken);
        return Summarize(run, tracker, console);
    }

    private static async Task CheckClockAsync(RosterClient client, CancellationToken cancellationToken)
    {
        var status = await client.Admin.GetStatusAsync(new GetStatusRequest(), cancellationToken: cancellationToken);
        if (!status.ManualClock)
        {
            throw new CliException("--follow-clock needs a server with `--clock manual`; this one runs on the real clock.", ExitCode.ServerSaidNo);
        }
    }

    private static Task ShowProgressAsync(IngestRun run, CliConsole console, bool follow, CancellationToken cancellationToken) =>
        console.Error.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask("sending", maxValue: 1);
                using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var ticking = TickAsync(run, bar, ended.Token);
                try
                {
                    await run.SendAsync(follow, cancellationToken);
                }
                finally
                {
                    await ended.CancelAsync();
                    await ticking;
                    run.SaveResume();
                }
            });

    private static async Task TickAsync(IngestRun run, ProgressTask bar, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Tick, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                bar.Value = run.Fraction;
                bar.Description = string.Create(CultureInfo.InvariantCulture, $"{run.Progress.Acknowledged:N0} events, {run.Rate:N0}/s");
                run.SaveResume();
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    private static int Summarize(IngestRun run, IngestTracker tracker, CliConsole console)
    {
        var progress = run.Progress;
        var rate = string.Create(CultureInfo.InvariantCulture, $"{progress.Acknowledged:N0} events in {run.Elapsed.TotalSeconds:N2} s ({run.Rate:N0}/s)");
        var parts = string.Create(
            CultureInfo.InvariantCulture,
            $"{progress.Applied:N0} applied, {progress.Duplicates:N0} duplicate, {progress.Mismatches:N0} mismatch, {progress.Refused:N0} refused, {tracker.BadLines:N0} malformed lines");
        console.Out.MarkupLine($"[bold]{rate}[/]: {parts}");
        if (run.Skipped > 0)
        {
            console.Out.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"{run.Skipped:N0} events had been acknowledged before and were skipped"));
        }

        if (run.ClockMoves > 0)
        {
            console.Out.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"the clock was moved {run.ClockMoves:N0} times, {run.TimersFired:N0} timers fired on the way"));
        }

        return progress.Refused + progress.Mismatches + tracker.BadLines == 0 ? ExitCode.Success : ExitCode.SomeFailed;
    }
}
