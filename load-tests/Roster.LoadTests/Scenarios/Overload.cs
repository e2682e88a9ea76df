using Grpc.Net.Client;
using Roster.LoadTests.Generating;
using Roster.LoadTests.Measuring;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Servers;

namespace Roster.LoadTests.Scenarios;

/// <summary>
/// Three times the rate that a closed loop reaches, in an open loop: first in calls of their own, which are refused with RESOURCE_EXHAUSTED; then on
/// streams, which flow control holds. Before, between and after them the closed loop runs: what overload does is told by the two loops around it, not by how the
/// machine, the cache and the checkpoints were at the beginning.
/// </summary>
internal static class Overload
{
    private const double Factor = 3;

    /// <summary>A write that takes longer than this was held by flow control.</summary>
    private static readonly TimeSpan HeldFrom = TimeSpan.FromMilliseconds(10);

    public static async Task RunAsync(LoadRun run)
    {
        await using var bench = await Bench.StartAsync(run.Options);
        using var workload = new Workload(run.Options, EventMix.Mixed, bench.Addresses);
        await workload.SetUpAsync();
        await run.LoadContactsAsync(bench, workload, run.Options.Records);
        using var working = new CancellationTokenSource();
        var worker = workload.WorkAsync(working.Token);
        var peak = await run.MeasureLoopAsync(bench, workload, "closed loop");
        var rate = run.Options.Rate ?? peak.EventsPerSecond * Factor;
        var calls = await CallsAsync(run, bench, workload, rate);
        var between = await run.MeasureLoopAsync(bench, workload, "closed loop between");
        run.AddShare("calls: goodput of the closed loops around", calls.EventsPerSecond, Mean(peak, between), 80);
        var streams = await StreamsAsync(run, bench, workload, rate);
        var after = await run.MeasureLoopAsync(bench, workload, "closed loop after");
        run.AddShare("streams: goodput of the closed loops around", streams.EventsPerSecond, Mean(between, after), 80);
        await working.CancelAsync();
        await worker;
        workload.NoteBreaks(run.Result);
        if (bench.IsOwn)
        {
            run.Result.Figures.Add(new Figure("resident memory of the server at its peak", Math.Max(calls.ServerMb, streams.ServerMb), "MB"));
            run.Result.Figures.Add(new Figure("the same in the closed loop before", peak.ServerMb, "MB"));
        }

        Loops.Note(run, bench);
    }

    private static double Mean(Phase before, Phase after) => (before.EventsPerSecond + after.EventsPerSecond) / 2;

    private static async Task<Phase> CallsAsync(LoadRun run, Bench bench, Workload workload, double rate)
    {
        using var stop = new CancellationTokenSource();
        // Many callers have many connections: what one of them has on its way does not hold the others.
        var channels = Enumerable.Range(0, run.Options.Streams).Select(_ => GrpcChannel.ForAddress(bench.Address)).ToList();
        var drivers = channels.Select((channel, stream) => new CallDriver(channel, workload.Generator(stream), workload.Meter)).ToList();
        var driving = Task.WhenAll(drivers.Select((driver, stream) =>
            driver.RunAsync(new OpenLoopSchedule(rate, run.Options.Streams, stream, run.Options.BatchEvents), run.Options.BatchEvents, stop.Token)));
        await run.WarmUpAsync(driving);
        drivers.ForEach(d => d.Begin());
        var phase = await run.MeasureAsync(bench, workload.Meter, "calls at three times the rate", driving, target: rate);
        var (refused, withheld) = (drivers.Sum(d => d.Refusals.Count), drivers.Sum(d => d.Withheld));
        var late = drivers.Max(d => d.Starts.PercentileMs(0.99));
        var (p50, p99, max) = (drivers.Max(d => d.Refusals.PercentileMs(0.5)), drivers.Max(d => d.Refusals.PercentileMs(0.99)), drivers.Max(d => d.Refusals.MaxMs));
        await stop.CancelAsync();
        await driving;
        channels.ForEach(c => c.Dispose());
        run.Result.Figures.Add(new Figure("calls: events refused per second", refused * run.Options.BatchEvents / phase.Seconds, "events/s"));
        if (refused == 0)
        {
            run.Result.Notes.Add("No call was refused: fewer than `call_bytes_in_flight_max` bytes were in flight at any time. Run longer, or with a higher --rate.");
        }
        else
        {
            run.Result.Figures.Add(new Figure("calls: time to RESOURCE_EXHAUSTED, p50", p50, "ms"));
            run.Result.Figures.Add(new Figure("calls: time to RESOURCE_EXHAUSTED, p99", p99, "ms", 100, LessIsBetter: true));
            run.Result.Figures.Add(new Figure("calls: time to RESOURCE_EXHAUSTED, max", max, "ms"));
            run.Result.Figures.Add(new Figure("calls: of these times before the call was made, p99", late, "ms"));
        }

        if (withheld > 0)
        {
            run.Result.Notes.Add($"{withheld:N0} batches were due and not sent because {CallDriver.OpenMax:N0} calls of their stream were open already.");
        }

        return phase;
    }

    private static async Task<Phase> StreamsAsync(LoadRun run, Bench bench, Workload workload, double rate)
    {
        using var stop = new CancellationTokenSource();
        var writes = new LatencyHistogram();
        var held = 0L;
        var driving = workload.DriveAsync(stop.Token, rate, int.MaxValue, written =>
        {
            writes.Add(written);
            if (written >= HeldFrom)
            {
                Interlocked.Increment(ref held);
            }
        });
        await run.WarmUpAsync(driving);
        writes.Clear();
        Volatile.Write(ref held, 0);
        var phase = await run.MeasureAsync(bench, workload.Meter, "streams at three times the rate", driving, target: rate);
        await stop.CancelAsync();
        await driving;
        run.Result.Figures.Add(new Figure($"streams: writes held by flow control for {HeldFrom.TotalMilliseconds} ms or more", 100.0 * held / Math.Max(1, writes.Count), "%"));
        run.Result.Figures.Add(new Figure("streams: write held, p50", writes.PercentileMs(0.5), "ms"));
        run.Result.Figures.Add(new Figure("streams: write held, max", writes.MaxMs, "ms"));
        run.Result.Notes.Add("On streams latencies grow with the length of the run, because a batch is due at its instant and waits in the generator from then on.");
        return phase;
    }
}
