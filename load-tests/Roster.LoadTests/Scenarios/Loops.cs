using Roster.LoadTests.Generating;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Servers;

namespace Roster.LoadTests.Scenarios;

/// <summary>
/// Events of a mix over stored contacts: a closed loop gives the rate, an open loop at half of it the latencies. <c>mixed</c>, <c>cold</c>,
/// <c>ingest-only</c>, <c>enroll-all</c> and <c>hot-record</c> differ in the mix alone.
/// </summary>
internal static class Loops
{
    public static async Task RunAsync(LoadRun run, EventMix mix)
    {
        await using var bench = await Bench.StartAsync(run.Options);
        using var workload = new Workload(run.Options, mix, bench.Addresses);
        await workload.SetUpAsync();
        await run.LoadContactsAsync(bench, workload, run.Options.Records, isPrebuilt: true);
        var applied = (await workload.StatusAsync()).Events.Applied;
        using var working = new CancellationTokenSource();
        var worker = workload.WorkAsync(working.Token);
        var closed = await run.MeasureLoopAsync(bench, workload, "closed loop");
        var open = await run.MeasureLoopAsync(bench, workload, "open loop", run.Options.Rate ?? closed.EventsPerSecond / 2);
        await working.CancelAsync();
        await worker;
        workload.NoteBreaks(run.Result);

        var figures = run.Result.Figures;
        var (bar, goal) = Targets(run.Options);
        figures.Add(new Figure("durable events per second", closed.EventsPerSecond, "events/s", bar, goal));
        figures.Add(new Figure("p99 to the acknowledgement at half of that rate", open.P99Ms, "ms", 60, 15, LessIsBetter: true));
        if (bench.IsOwn)
        {
            figures.Add(new Figure("resident memory of the server", Math.Max(closed.ServerMb, open.ServerMb), "MB", 700, 450, LessIsBetter: true));
        }

        if (mix.Enrolling == Enrolling.ByEvent)
        {
            var enrolled = (await workload.StatsAsync($"load-{workload.Run}-event")).Enrolled;
            run.AddShare("events that enrolled, warm-up counted", enrolled, (await workload.StatusAsync()).Events.Applied - applied, 100);
        }

        Note(run, bench);
    }

    /// <summary>What the figures leave out.</summary>
    public static void Note(LoadRun run, Bench bench)
    {
        if (!bench.IsOwn)
        {
            run.Result.Notes.Add("The server was not started here: its memory, processor time and writes are not known.");
        }
        else if (!bench.CountsWrites)
        {
            run.Result.Notes.Add("The database was not started here: its memory, processor time and writes are not counted.");
        }
    }

    private static (double? Bar, double? Goal) Targets(LoadOptions options) => (options.Scenario, options.Store.ToUpperInvariant()) switch
    {
        ("mixed", _) when options.Silos > 0 => (8_000, 25_000),
        ("mixed", "SQLITE") => (80_000, 250_000),
        ("mixed", "POSTGRES") => (20_000, 60_000),
        ("cold", "SQLITE") => (25_000, 80_000),
        _ => (null, null),
    };
}
