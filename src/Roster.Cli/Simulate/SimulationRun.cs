using System.Globalization;
using Roster.Cli.Ingest;
using Roster.Cli.Output;
using Roster.V1;
using Spectre.Console;

namespace Roster.Cli.Simulate;

/// <summary>How a simulation is to be run.</summary>
internal sealed record SimulationOptions
{
    /// <summary>Where the clock starts; null for the time of the first event.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Where it ends; events after it are left out.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>How long it goes on after the last event. With neither an end nor this: until nothing is due any more.</summary>
    public TimeSpan? For { get; init; }

    /// <summary>What the made-up worker does.</summary>
    public WorkerConduct Conduct { get; init; }

    /// <summary>Whether unknown properties are declared by their first value.</summary>
    public bool Declares { get; init; }

    /// <summary>The record of which everything is told; null for none.</summary>
    public string? Explained { get; init; }

    /// <summary>Lines of the timeline that are kept.</summary>
    public long TimelineMax { get; init; }

    /// <summary>Whether each task that would have been sent is kept.</summary>
    public bool KeepsTasks { get; init; }
}

/// <summary>What came of a simulation.</summary>
internal sealed class SimulationResult
{
    public required SimulationDefinitions Definitions { get; init; }

    public required SimulationOptions Options { get; init; }

    public required DateTimeOffset From { get; init; }

    public required DateTimeOffset Until { get; init; }

    /// <summary>False when something would have been due after the most days that a simulation without an end goes on.</summary>
    public required bool IsRunOut { get; init; }

    /// <summary>The next instant of a schedule and its workflow, when the simulation had no end of its own; null for none.</summary>
    public required (DateTimeOffset At, string Workflow)? NextScheduled { get; init; }

    public required SimulationCounts Counts { get; init; }

    /// <summary>Lines of the files that could not become events.</summary>
    public required long BadLines { get; init; }

    public required SimulationFold Fold { get; init; }

    public required Timeline Timeline { get; init; }

    /// <summary>Entries of the tasks that would have been sent; empty when they were not to be kept.</summary>
    public required IReadOnlyList<JournalEntry> Tasks { get; init; }

    /// <summary>Counters of the engine, by workflow.</summary>
    public required IReadOnlyDictionary<string, WorkflowStats> Stats { get; init; }

    /// <summary>Whether an event or a line was not applied.</summary>
    public bool HasFailures => Counts.Refused + Counts.Mismatches + BadLines > 0;
}

/// <summary>Runs a simulation from start to end, with a progress bar where somebody watches.</summary>
internal static class SimulationRun
{
    /// <summary>Where the clock starts when neither <c>--from</c> nor an event says so: where a server's manual clock does.</summary>
    public static readonly DateTimeOffset DefaultFrom = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static async Task<SimulationResult> RunAsync(
        SimulationDefinitions definitions,
        EventFeed feed,
        IngestTracker tracker,
        SimulationOptions options,
        CliConsole console,
        CancellationToken cancellationToken)
    {
        var from = options.From ?? FirstTime(feed) ?? DefaultFrom;
        if (options.Until < from)
        {
            throw new CliException($"--until {Iso(options.Until.Value)} lies before the start of the simulation, {Iso(from)}.");
        }

        var timeline = new Timeline(definitions.FindStep, options.Explained, options.TimelineMax);
        var tasks = new List<JournalEntry>();
        var fold = new SimulationFold(timeline, options.KeepsTasks ? tasks.Add : _ => { });
        await using var simulation = await Simulation.StartAsync(definitions, from, fold, options.Conduct, options.Declares, console, cancellationToken);
        var isRunOut = await LiveAsync(simulation, feed, tracker, options, console, cancellationToken);
        var stats = new Dictionary<string, WorkflowStats>(StringComparer.Ordinal);
        foreach (var workflow in definitions.Workflows)
        {
            stats.Add(workflow.Id, await simulation.GetStatsAsync(workflow, cancellationToken));
        }

        return new SimulationResult
        {
            Definitions = definitions,
            Options = options,
            From = from,
            Until = simulation.Now,
            IsRunOut = isRunOut,
            NextScheduled = options.Until is null && options.For is null ? simulation.NextScheduled() : null,
            Counts = simulation.Counts,
            BadLines = tracker.BadLines,
            Fold = fold,
            Timeline = timeline,
            Tasks = tasks,
            Stats = stats,
        };
    }

    /// <summary>An instant as it is written in files and options.</summary>
    public static string Iso(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'", CultureInfo.InvariantCulture);

    private static DateTimeOffset? FirstTime(EventFeed feed)
    {
        var first = feed.Read().FirstOrDefault(item => item.AtMs != long.MinValue);
        return first is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(first.AtMs);
    }

    private static Task<bool> LiveAsync(
        Simulation simulation, EventFeed feed, IngestTracker tracker, SimulationOptions options, CliConsole console, CancellationToken cancellationToken)
    {
        if (!console.Error.Profile.Capabilities.Interactive)
        {
            return LiveAsync(simulation, feed, tracker, options, onEvent: () => { }, onEnd: () => { }, cancellationToken);
        }

        return console.Error.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                var bar = context.AddTask("events", maxValue: Math.Max(1, feed.Count ?? 1));
                return LiveAsync(
                    simulation,
                    feed,
                    tracker,
                    options,
                    onEvent: () =>
                    {
                        bar.Increment(1);
                        bar.Description = $"events, {Show.Count((long)bar.Value)}";
                    },
                    onEnd: () => bar.IsIndeterminate(),
                    cancellationToken);
            });
    }

    private static async Task<bool> LiveAsync(
        Simulation simulation, EventFeed feed, IngestTracker tracker, SimulationOptions options, Action onEvent, Action onEnd, CancellationToken cancellationToken)
    {
        await simulation.LiveAsync(feed.Read(), options.Until, tracker, onEvent, cancellationToken);
        onEnd();
        if (options.Until is { } until)
        {
            await simulation.MoveToAsync(until, cancellationToken);
            return true;
        }

        if (options.For is { } span)
        {
            await simulation.MoveToAsync(Later(simulation.Now, span), cancellationToken);
            return true;
        }

        return await simulation.RunOutAsync(Later(simulation.Now, TimeSpan.FromDays(Simulation.DaysMax)), cancellationToken);
    }

    private static DateTimeOffset Later(DateTimeOffset instant, TimeSpan span) =>
        DateTimeOffset.MaxValue - instant > span ? instant + span : Roster.Core.Timestamp.Max.ToInstant().ToDateTimeOffset();
}
