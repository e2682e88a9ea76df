using System.Globalization;
using Roster.LoadTests.Generating;
using Roster.LoadTests.Measuring;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Servers;
using Roster.V1;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Roster.LoadTests.Scenarios;

/// <summary>
/// Timers by the million that are all due within one second: once while nothing else goes on, once while events are ingested in a closed loop; and
/// a steady 5,000 per second. Each timer is a record that waits for an instant of its own in a workflow of the run.
/// </summary>
internal static class TimerStorm
{
    private const int SteadyPerSecond = 5_000;
    private const string Arm = "storm_arm";
    private const string Due = "storm_due";
    private const int AttemptsMax = 4;
    private static readonly TimeSpan ReadingEvery = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMinutes(20);

    public static async Task RunAsync(LoadRun run)
    {
        await using var bench = await Bench.StartAsync(run.Options);
        using var workload = new Workload(run.Options, EventMix.Mixed, bench.Addresses);
        await workload.SetUpAsync();
        await run.LoadContactsAsync(bench, workload, run.Options.Records);
        await workload.DeclareAsync(PropertyType.Types.Kind.Datetime, Due);
        await SteadyAsync(run, bench, workload);
        await QuietAsync(run, bench, workload);
        await BesideIngestAsync(run, bench, workload);
        Loops.Note(run, bench);
    }

    private static async Task SteadyAsync(LoadRun run, Bench bench, Workload workload)
    {
        var count = SteadyPerSecond * run.Options.Seconds;
        var armed = await ArmAsync(run, workload, "steady", count, k => TimeSpan.FromSeconds((double)k / SteadyPerSecond), TimeSpan.Zero);
        var name = $"{SteadyPerSecond:N0} timers due per second";
        var curve = await FireAsync(run, bench, workload, armed, name, count);
        run.Result.Figures.Add(new Figure($"{name}: late p50", curve.Lateness.PercentileMs(0.5), "ms"));
        run.Result.Figures.Add(new Figure($"{name}: late p99", curve.Lateness.PercentileMs(0.99), "ms", 1_000, 200, LessIsBetter: true));
        run.Result.Figures.Add(new Figure($"{name}: late max", curve.Lateness.MaxMs, "ms"));
    }

    private static async Task QuietAsync(LoadRun run, Bench bench, Workload workload)
    {
        var armed = await ArmAsync(run, workload, "quiet", run.Options.Timers, k => Within(k, run.Options.Timers), TimeSpan.Zero);
        run.Result.Figures.Add(new Figure("timers held", (await workload.StatusAsync()).TimersPending, string.Empty, 1_000_000, 10_000_000));
        run.Result.Figures.Add(new Figure("resident memory of the server with the timers held", bench.Usage().ResidentBytes >> 20, "MB"));
        Add(run, "storm alone", await FireAsync(run, bench, workload, armed, "storm alone", run.Options.Timers), (10_000, 50_000));
    }

    /// <summary>Waits until all have fired, as a phase of its own: its events are fires, and its latencies are how late they were.</summary>
    private static async Task<FireCurve> FireAsync(LoadRun run, Bench bench, Workload workload, Armed armed, string name, int count)
    {
        await DelayUntilAsync(armed.At);
        var curve = new FireCurve(armed.DueOf, late => workload.Meter.Acked(1, 0, late));
        var firing = WatchAsync(run, workload, armed, curve, name, count);
        await run.MeasureAsync(bench, workload.Meter, name, firing, firing);
        await workload.SwitchOffAsync(armed.Workflow);
        return curve;
    }

    private static async Task BesideIngestAsync(LoadRun run, Bench bench, Workload workload)
    {
        var calm = TimeSpan.FromSeconds(run.Options.WarmupSeconds + run.Options.Seconds);
        var armed = await ArmAsync(run, workload, "storm", run.Options.Timers, k => Within(k, run.Options.Timers), calm);
        using var stop = new CancellationTokenSource();
        using var working = new CancellationTokenSource();
        var worker = workload.WorkAsync(working.Token);
        var driving = workload.DriveAsync(stop.Token);
        await run.WarmUpAsync(driving);
        var before = await run.MeasureAsync(bench, workload.Meter, "ingest before the storm", driving, DelayUntilAsync(armed.At));
        var curve = new FireCurve(armed.DueOf);
        var during = await run.MeasureAsync(bench, workload.Meter, "ingest during the storm", driving, WatchAsync(run, workload, armed, curve, "storm beside ingest", run.Options.Timers));
        var after = await run.MeasureAsync(bench, workload.Meter, "ingest after the storm", driving);
        await stop.CancelAsync();
        await driving;
        await working.CancelAsync();
        await worker;
        workload.NoteBreaks(run.Result);
        Add(run, "storm beside ingest", curve, (null, null));
        run.AddShare("ingest during the storm, in parts of before", during.EventsPerSecond, before.EventsPerSecond);
        run.AddShare("ingest after the storm, in parts of before", after.EventsPerSecond, before.EventsPerSecond);
        await workload.SwitchOffAsync(armed.Workflow);
    }

    private static void Add(LoadRun run, string name, FireCurve curve, (double? Bar, double? Goal) rate)
    {
        // From the first instant at which one was due: what came later waited for others.
        run.Result.Figures.Add(new Figure($"{name}: fires per second", curve.Fired / Math.Max(0.001, curve.LastAt.TotalSeconds), "per second", rate.Bar, rate.Goal));
        run.Result.Figures.Add(new Figure($"{name}: late p50", curve.Lateness.PercentileMs(0.5), "ms"));
        run.Result.Figures.Add(new Figure($"{name}: late p99", curve.Lateness.PercentileMs(0.99), "ms"));
        run.Result.Figures.Add(new Figure($"{name}: late max", curve.Lateness.MaxMs, "ms"));
    }

    private static TimeSpan Within(long k, int count) => TimeSpan.FromMilliseconds(k * 1000 / count);

    /// <summary>
    /// Enrolls so many records that wait for their instants. How long that takes is found out with a few that wait for next month; the first instant
    /// comes when all are armed, and not before the time asked for has passed. Where that was wrong, others are armed with more time.
    /// </summary>
    private static async Task<Armed> ArmAsync(LoadRun run, Workload workload, string name, int count, Func<long, TimeSpan> dueOf, TimeSpan calm)
    {
        for (var (attempt, spare) = (1, 0.5); attempt <= AttemptsMax; attempt++, spare *= 4)
        {
            var armed = await TryArmAsync(run, workload, $"{name}-{attempt}", count, dueOf, calm + TimeSpan.FromSeconds(spare));
            if (TimeProvider.System.GetUtcNow() + (calm * 0.9) <= armed.At)
            {
                return armed;
            }

            LoadRun.Say($"arming took longer than was estimated; once more");
            await workload.SwitchOffAsync(armed.Workflow);
        }

        throw new RunFailedException("Arming the timers always took longer than was estimated. Try again while less else runs.");
    }

    private static async Task<Armed> TryArmAsync(LoadRun run, Workload workload, string name, int count, Func<long, TimeSpan> dueOf, TimeSpan spare)
    {
        var workflow = $"load-{workload.Run}-{name}";
        await workload.SwitchOnAsync(NewWorkflow(workflow, $"{Arm}_{name}"));
        var sample = Math.Clamp(count / 50, 500, 20_000);
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        await workload.SendAsync(stream => workload.Batches(stream, sample, i => NewEvent(workload, name, $"probe-{name}", i, clock.GetUtcNow().AddDays(30))));
        var seconds = clock.GetElapsedTime(start).TotalSeconds / sample * count;
        var at = clock.GetUtcNow() + TimeSpan.FromSeconds(seconds * 2) + spare;
        await run.ProgressAsync($"timers for {at:HH:mm:ss} UTC", count, progress => workload.SendAsync(
            stream => workload.Batches(stream, count, i => NewEvent(workload, name, name, i, at + dueOf(i))), progress));
        return new Armed(workflow, at, dueOf);
    }

    private static Event NewEvent(Workload workload, string type, string name, int number, DateTimeOffset due) => new()
    {
        EventId = "arm",
        ObjectType = "contact",
        RecordId = string.Create(CultureInfo.InvariantCulture, $"{name}-{workload.Run}-{number}"),
        Type = $"{Arm}_{type}",
        Writes = { new PropertyValue { Name = Due, Value = new Value { Datetime = Timestamp.FromDateTimeOffset(due) } } },
    };

    private static Workflow NewWorkflow(string id, string eventType) => new()
    {
        Id = id,
        ObjectType = "contact",
        Start = new Start { Event = new EventStart { AnyOf = { new EventTrigger { EventType = eventType, AllowNewRecord = true } } } },
        Steps = { new Step { Id = "wait", Delay = new Delay { Property = new PropertyDate { Property = Due } } } },
    };

    /// <summary>Reads how many have fired until all have. The counters are those of the journal: what is counted is durable.</summary>
    private static async Task WatchAsync(LoadRun run, Workload workload, Armed armed, FireCurve curve, string name, int count)
    {
        while (curve.Fired < count && TimeProvider.System.GetUtcNow() - armed.At < PatienceMax)
        {
            var stats = await workload.StatsAsync(armed.Workflow);
            curve.Read(TimeProvider.System.GetUtcNow() - armed.At, stats.Completed);
            await Task.Delay(ReadingEvery);
        }

        if (curve.Fired != count)
        {
            run.Result.Failures.Add($"{name}: {curve.Fired:N0} of {count:N0} timers fired within {PatienceMax.TotalMinutes} minutes.");
        }
    }

    private static async Task DelayUntilAsync(DateTimeOffset at)
    {
        var wait = at - TimeProvider.System.GetUtcNow();
        await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
    }

    private sealed record Armed(string Workflow, DateTimeOffset At, Func<long, TimeSpan> DueOf);
}
