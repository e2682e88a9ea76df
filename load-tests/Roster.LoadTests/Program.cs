using System.CommandLine;
using Roster.LoadTests;
using Roster.LoadTests.Generating;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Scenarios;
using Roster.LoadTests.Servers;
using Roster.Server;

if (ServerProcess.IsServer(args))
{
    return await ServerProcess.ServeAsync(args);
}

var scenarios = new Dictionary<string, Func<LoadRun, Task>>(StringComparer.Ordinal)
{
    ["mixed"] = run => Loops.RunAsync(run, EventMix.Mixed),
    ["cold"] = run => Loops.RunAsync(run, EventMix.Cold),
    ["ingest-only"] = run => Loops.RunAsync(run, EventMix.IngestOnly),
    ["enroll-all"] = run => Loops.RunAsync(run, EventMix.EnrollAll),
    ["hot-record"] = run => Loops.RunAsync(run, EventMix.HotRecord),
    ["goal-sweep"] = GoalSweep.RunAsync,
    ["timer-storm"] = TimerStorm.RunAsync,
    ["backfill"] = Backfill.RunAsync,
    ["restart"] = Restart.RunAsync,
    ["overload"] = Overload.RunAsync,
    ["noisy-neighbour"] = Neighbours.NoisyAsync,
    ["hostile"] = Neighbours.HostileAsync,
    ["curves"] = Curves.RunAsync,
#if FULL_FEED
    ["stock-grain"] = StockGrain.RunAsync,
#endif
    ["candidates"] = run => Task.Run(() => Candidates.Run(run)),
};
var scenario = new Argument<string>("scenario") { DefaultValueFactory = _ => "mixed", Description = $"One of: {string.Join(", ", scenarios.Keys)}. load-tests/README.md says what each does." };
scenario.AcceptOnlyFromAmong([.. scenarios.Keys]);
var defaults = new LoadOptions();
var records = new Option<int>("--records") { DefaultValueFactory = _ => defaults.Records, Description = "Stored contacts." };
var seconds = new Option<int>("--seconds") { DefaultValueFactory = _ => defaults.Seconds, Description = "Seconds measured in each phase." };
var warmup = new Option<int>("--warmup") { DefaultValueFactory = _ => defaults.WarmupSeconds, Description = "Seconds dropped before." };
var streams = new Option<int>("--streams") { DefaultValueFactory = _ => defaults.Streams, Description = "Ingest streams." };
var batch = new Option<int>("--batch") { DefaultValueFactory = _ => defaults.BatchEvents, Description = "Events per batch." };
var window = new Option<int>("--window") { DefaultValueFactory = _ => defaults.Window, Description = "Unacknowledged batches per stream." };
var workflows = new Option<int>("--workflows") { DefaultValueFactory = _ => defaults.Workflows, Description = "Live workflows, from 1." };
var rate = new Option<double?>("--rate") { Description = "Events per second of the open loop. Default: half of what the closed loop reaches; in overload three times of it." };
var timers = new Option<int>("--timers") { DefaultValueFactory = _ => defaults.Timers, Description = "Timers of timer-storm and restart." };
var kills = new Option<int>("--kills") { DefaultValueFactory = _ => defaults.Kills, Description = "How often restart kills the server." };
var curveWorkflows = new Option<int>("--curve-workflows") { DefaultValueFactory = _ => defaults.CurveWorkflows, Description = "Most live workflows in curves." };
var fiveTimes = new Option<bool>("--five-times") { Description = "Lets curves go on to five times the records." };
var address = new Option<Uri?>("--address")
{
    Description = "A server that runs already, such as http://127.0.0.1:7400; otherwise one is started.",
    CustomParser = result =>
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var given) && given.Scheme is "http" or "https")
        {
            return given;
        }

        result.AddError($"--address must be the address of a server, such as http://127.0.0.1:7400, and not '{result.Tokens[0].Value}'.");
        return null;
    },
};
var store = new Option<string>("--store") { DefaultValueFactory = _ => defaults.Store, Description = "sqlite, postgres or volatile." };
store.AcceptOnlyFromAmong("sqlite", "postgres", "volatile");
var silos = new Option<int>("--silos") { DefaultValueFactory = _ => defaults.Silos, Description = "Silos of the cluster host over one PostgreSQL database, in place of the embedded host." };
var postgres = new Option<string?>("--postgres") { Description = "Where the database of the store postgres is; otherwise the variable ROSTER__POSTGRES says so; otherwise a server is started from Debian's package." };
var data = new Option<string?>("--data") { Description = "Data folder to keep; one that has the contacts is used as it is." };
var cache = new Option<int>("--cache-mb") { DefaultValueFactory = _ => (int)(defaults.CacheBytes >> 20), Description = "Megabytes for record heads in the server." };
var set = new Option<string[]>("--set") { DefaultValueFactory = _ => [], Description = "A further setting of the server that is started, as name=value. Can be given again." };
var json = new Option<string?>("--json") { Description = "File for the result." };
var html = new Option<string?>("--html") { Description = "File for a report with plots." };
var root = new RootCommand("Drives a workload against Roster and prints rates and latencies.")
{
    scenario, records, seconds, warmup, streams, batch, window, workflows, rate, timers, kills, curveWorkflows, fiveTimes, address, store, silos, postgres, data, cache, set, json, html,
};
foreach (var counted in new[] { records, seconds, streams, batch, window, workflows, timers, kills, curveWorkflows, cache })
{
    counted.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<int>() < 1)
        {
            result.AddError($"{result.Option.Name} must be 1 or more.");
        }
    });
}

silos.Validators.Add(result =>
{
    var count = result.GetValueOrDefault<int>();
    if (count is < 0 or > 10)
    {
        result.AddError($"--silos must be 0 to 10, and not {count}.");
    }
    else if (count > 0 && !EngineFactory.HasCluster)
    {
        result.AddError("--silos needs the cluster host, which this build leaves out: run eng/probe-feed and build again.");
    }
    else if (count > 0 && result.GetValue(address) is not null)
    {
        result.AddError("--silos are started here, and --address is a server that runs already: give one of them.");
    }
});

root.SetAction(async (result, _) =>
{
    var options = new LoadOptions
    {
        Scenario = result.GetValue(scenario)!,
        Records = result.GetValue(records),
        Seconds = result.GetValue(seconds),
        WarmupSeconds = result.GetValue(warmup),
        Streams = result.GetValue(streams),
        BatchEvents = result.GetValue(batch),
        Window = result.GetValue(window),
        Workflows = result.GetValue(workflows),
        Rate = result.GetValue(rate),
        Timers = result.GetValue(timers),
        Kills = result.GetValue(kills),
        CurveWorkflows = result.GetValue(curveWorkflows),
        FiveTimes = result.GetValue(fiveTimes),
        Address = result.GetValue(address),
        Store = result.GetValue(silos) > 0 ? "postgres" : result.GetValue(store)!,
        Silos = result.GetValue(silos),
        Postgres = result.GetValue(postgres),
        Data = result.GetValue(data),
        CacheBytes = (long)result.GetValue(cache) << 20,
        Set = result.GetValue(set) ?? [],
        Json = result.GetValue(json),
        Html = result.GetValue(html),
    };
    if (options.Address is { } running)
    {
        // What it stores in is its own affair; the results name it.
        using var asking = new Workload(options, EventMix.Mixed, [running]);
        options = options with { Store = (await asking.StatusAsync()).Store };
    }

    if (options is { Scenario: "stock-grain", Silos: 0 })
    {
        options = options with { Silos = 1, Store = "postgres" };
    }

    var run = new LoadRun(options);
    ConsoleReport.WriteSettings(run.Result);
    try
    {
        await scenarios[run.Options.Scenario](run);
    }
    catch (RunFailedException failure)
    {
        run.Result.Failures.Add(failure.Message);
    }

    return run.Report();
});
return await root.Parse(args).InvokeAsync();
