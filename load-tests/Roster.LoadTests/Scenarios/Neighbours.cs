using Roster.LoadTests.Generating;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Servers;

namespace Roster.LoadTests.Scenarios;

/// <summary>
/// What a good client notices of others: phases with it alone and phases with the others beside it take turns in one run, so that whatever else the machine does
/// concerns both alike.
/// </summary>
internal static class Neighbours
{
    /// <summary>Pairs of phases.</summary>
    private const int Pairs = 3;

    /// <summary>Latencies are measured at this part of what a closed loop reaches.</summary>
    private const double Share = 0.25;

    /// <summary>Beside a tenant that sends ten times its quota (LIM-02): latencies in an open loop.</summary>
    public static async Task NoisyAsync(LoadRun run)
    {
        await using var bench = await Bench.StartAsync(run.Options);
        using var noisy = new NoisyTenant(run.Options, bench.Address);
        await noisy.SetUpAsync();
        const string beside = "beside a tenant at ten times its quota";
        var (alone, disturbed) = await TakeTurnsAsync(run, bench, beside, noisy.DriveAsync, isOpen: true);
        var (quietP99, loudP99) = (Median(alone.Select(p => p.P99Ms)), Median(disturbed.Select(p => p.P99Ms)));
        run.Result.Figures.Add(new Figure("p99 alone, median of the phases", quietP99, "ms"));
        run.Result.Figures.Add(new Figure($"p99 {beside}, median of the phases", loudP99, "ms"));
        if (quietP99 > 0)
        {
            run.Result.Figures.Add(new Figure($"p99 {beside}: growth", ((loudP99 / quietP99) - 1) * 100, "%", 20, LessIsBetter: true));
        }

        run.Result.Figures.Add(new Figure("the noisy tenant: events applied per second, its quota being 1,000", noisy.EventsPerSecond, "events/s"));
        run.Result.Figures.Add(new Figure("the noisy tenant: calls refused", noisy.Refused, string.Empty));
    }

    /// <summary>Beside clients that send what no client would (LIM-03): the rate of a closed loop, which takes all that there is.</summary>
    public static async Task HostileAsync(LoadRun run)
    {
        await using var bench = await Bench.StartAsync(run.Options);
        var hostile = new HostileClients(bench.Address);
        await TakeTurnsAsync(run, bench, "beside hostile clients", hostile.DriveAsync, isOpen: false);
        run.Result.Figures.Add(new Figure("connections that hostile clients used up", hostile.Rounds, string.Empty));
    }

    private static async Task<(List<Phase> Alone, List<Phase> Disturbed)> TakeTurnsAsync(
        LoadRun run, Bench bench, string disturbance, Func<CancellationToken, Task> disturb, bool isOpen)
    {
        using var workload = new Workload(run.Options, EventMix.Mixed, bench.Addresses);
        await workload.SetUpAsync();
        await run.LoadContactsAsync(bench, workload, run.Options.Records);
        using var working = new CancellationTokenSource();
        var worker = workload.WorkAsync(working.Token);
        var rate = run.Options.Rate ?? (!isOpen ? (double?)null : (await run.MeasureLoopAsync(bench, workload, "closed loop")).EventsPerSecond * Share);
        using var stop = new CancellationTokenSource();
        var driving = workload.DriveAsync(stop.Token, rate);
        await run.WarmUpAsync(driving);
        var (alone, beside) = (new List<Phase>(), new List<Phase>());
        for (var i = 1; i <= Pairs; i++)
        {
            alone.Add(await run.MeasureAsync(bench, workload.Meter, $"alone {i}", driving, target: rate));
            using var quiet = new CancellationTokenSource();
            var others = disturb(quiet.Token);
            await run.WarmUpAsync(driving);
            beside.Add(await run.MeasureAsync(bench, workload.Meter, $"{disturbance} {i}", driving, target: rate));
            await quiet.CancelAsync();
            await others;
            await run.WarmUpAsync(driving);
        }

        await stop.CancelAsync();
        await driving;
        await working.CancelAsync();
        await worker;
        workload.NoteBreaks(run.Result);
        // The median: a checkpoint in one of the phases says nothing about the others.
        run.AddShare($"rate {disturbance}, of the rate alone", Median(beside.Select(p => p.EventsPerSecond)), Median(alone.Select(p => p.EventsPerSecond)), 90);
        Loops.Note(run, bench);
        return (alone, beside);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
