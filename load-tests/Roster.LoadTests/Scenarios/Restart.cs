using System.Diagnostics;
using Grpc.Core;
using Roster.LoadTests.Generating;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Servers;
using Roster.V1;

namespace Roster.LoadTests.Scenarios;

/// <summary>
/// The server is killed with <c>kill -9</c> while events are ingested in a closed loop, and started again: how long until it is ready for calls, and
/// until a new event is durable. Records and timers by the million are stored.
/// </summary>
internal static class Restart
{
    private const string Id = "restart";
    private const string Arm = "restart_arm";

    public static async Task RunAsync(LoadRun run)
    {
        if (run.Options.Address is not null)
        {
            throw new RunFailedException("`restart` kills the server: it starts one itself, so it takes no --address.");
        }

        await using var bench = await Bench.StartAsync(run.Options);
        await PrepareAsync(run, bench);
        var (ready, acked) = (new List<double>(), new List<double>());
        for (var kill = 1; kill <= run.Options.Kills; kill++)
        {
            await IngestUntilKilledAsync(run, bench, kill);
            var clock = Stopwatch.StartNew();
            await bench.StartServerAsync();
            ready.Add(clock.Elapsed.TotalSeconds);
            using var workload = new Workload(run.Options, EventMix.IngestOnly, bench.Addresses);
            await workload.SendAsync(stream => stream == 0 ? [OneEvent(workload)] : []);
            acked.Add(clock.Elapsed.TotalSeconds);
            var timers = (await workload.StatusAsync()).TimersPending;
            LoadRun.Say($"kill {kill}: ready after {ready[^1]:F2} s, first acknowledgement after {acked[^1]:F2} s, {timers:N0} timers pending, {bench.Usage().ResidentBytes >> 20:N0} MB");
            if (timers < run.Options.Timers)
            {
                run.Result.Failures.Add($"{timers:N0} timers are pending after the restart, and there were {run.Options.Timers:N0}.");
            }
        }

        var middle = run.Options.Kills / 2;
        run.Result.Figures.Add(new Figure("kill -9 to ready, median", ready.Order().ElementAt(middle), "s", 15, 3, LessIsBetter: true));
        run.Result.Figures.Add(new Figure("kill -9 to ready, longest", ready.Max(), "s"));
        run.Result.Figures.Add(new Figure("kill -9 to the first acknowledgement, median", acked.Order().ElementAt(middle), "s"));
        run.Result.Figures.Add(new Figure("kill -9 to the first acknowledgement, longest", acked.Max(), "s"));
        run.Result.Notes.Add($"Killed {run.Options.Kills} times while events were ingested in a closed loop; {run.Options.Timers:N0} timers pending. The time includes the start of the process.");
        Loops.Note(run, bench);
    }

    private static async Task PrepareAsync(LoadRun run, Bench bench)
    {
        using var workload = new Workload(run.Options, EventMix.IngestOnly, bench.Addresses);
        await workload.SetUpAsync();
        await run.LoadContactsAsync(bench, workload, run.Options.Records);
        await workload.SwitchOnAsync(new Workflow
        {
            Id = Id,
            ObjectType = "contact",
            Start = new Start { Event = new EventStart { AnyOf = { new EventTrigger { EventType = Arm, AllowNewRecord = true } } } },
            Steps = { new Step { Id = "wait", Delay = new Delay { Amount = 300, Unit = Delay.Types.Unit.Days } } },
        });
        if ((await workload.StatsAsync(Id)).Active < run.Options.Timers)
        {
            await run.ProgressAsync("timers", run.Options.Timers, progress => workload.SendAsync(
                stream => workload.Batches(stream, run.Options.Timers, i => new Event { EventId = "arm", ObjectType = "contact", RecordId = $"restart-{i:D8}", Type = Arm }), progress));
        }
    }

    /// <summary>Events in a closed loop, so that the log has a tail that no checkpoint covers; then the end, in the middle of it.</summary>
    private static async Task IngestUntilKilledAsync(LoadRun run, Bench bench, int kill)
    {
        using var workload = new Workload(run.Options, EventMix.IngestOnly, bench.Addresses);
        using var stop = new CancellationTokenSource();
        var driving = workload.DriveAsync(stop.Token);
        await run.WarmUpAsync(driving);
        await run.MeasureAsync(bench, workload.Meter, $"ingest before kill {kill}", driving);
        var clock = Stopwatch.StartNew();
        await bench.KillServerAsync();
        await stop.CancelAsync();
        try
        {
            await driving;
        }
        catch (Exception broken) when (broken is RpcException or IOException or InvalidOperationException)
        {
            // That is what a kill does to streams.
        }

        LoadRun.Say($"killed, streams broke within {clock.Elapsed.TotalMilliseconds:F0} ms");
    }

    private static EncodedRequest OneEvent(Workload workload) => EncodedRequest.Of([new Event
    {
        EventId = workload.Run,
        ObjectType = "contact",
        RecordId = EventGenerator.ContactId(0),
        Writes = { new PropertyValue { Name = "p0", Value = new Value { Text = workload.Run } } },
    }]);
}
