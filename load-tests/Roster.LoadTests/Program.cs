using System.CommandLine;
using Roster.LoadTests;

if (ServerProcess.IsServer(args))
{
    return await ServerProcess.ServeAsync(args);
}

var scenario = new Argument<string>("scenario") { DefaultValueFactory = _ => "mixed", Description = "mixed, cold (uniform keys), goal-sweep (one write takes a record out while all others wait), candidates (what a turn costs with 5 and with 2,000 live workflows)." };
var defaults = new LoadOptions();
var records = new Option<int>("--records") { DefaultValueFactory = _ => defaults.Records, Description = "Stored contacts." };
var seconds = new Option<int>("--seconds") { DefaultValueFactory = _ => defaults.Seconds, Description = "Seconds measured." };
var warmup = new Option<int>("--warmup") { DefaultValueFactory = _ => defaults.WarmupSeconds, Description = "Seconds dropped before." };
var streams = new Option<int>("--streams") { DefaultValueFactory = _ => defaults.Streams, Description = "Ingest streams." };
var batch = new Option<int>("--batch") { DefaultValueFactory = _ => defaults.BatchEvents, Description = "Events per batch." };
var window = new Option<int>("--window") { DefaultValueFactory = _ => defaults.Window, Description = "Unacknowledged batches per stream." };
var workflows = new Option<int>("--workflows") { DefaultValueFactory = _ => defaults.Workflows, Description = "Live workflows." };
var address = new Option<Uri?>("--address") { Description = "A server that runs already; otherwise one is started." };
var store = new Option<string>("--store") { DefaultValueFactory = _ => defaults.Store, Description = "sqlite, postgres or volatile." };
var postgres = new Option<string?>("--postgres") { Description = "Where the database of the store postgres is; otherwise the variable ROSTER__POSTGRES says so. It should be empty." };
var data = new Option<string?>("--data") { Description = "Data folder to keep; one that has the contacts is used as it is." };
var cache = new Option<int>("--cache-mb") { DefaultValueFactory = _ => (int)(defaults.CacheBytes >> 20), Description = "Megabytes for record heads in the server." };
var json = new Option<string?>("--json") { Description = "File for the figures." };
var root = new RootCommand("Drives the canonical workload against Roster and prints rates and latencies.")
{
    scenario, records, seconds, warmup, streams, batch, window, workflows, address, store, postgres, data, cache, json,
};
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
        Address = result.GetValue(address),
        Store = result.GetValue(store)!,
        Postgres = result.GetValue(postgres),
        Data = result.GetValue(data),
        CacheBytes = (long)result.GetValue(cache) << 20,
        Json = result.GetValue(json),
    };
    switch (options.Scenario)
    {
        case "candidates":
            return CandidatesRun.Run();
        case "goal-sweep":
            return await GoalSweepRun.RunAsync(options.Records, options.CacheBytes);
        case "mixed" or "cold":
            break;
        default:
            Console.Error.WriteLine($"Scenario '{options.Scenario}' is not known: mixed, cold, goal-sweep or candidates.");
            return 2;
    }

    return await LoadRun.RunAsync(options.Scenario == "cold" ? options with { HotShare = 0 } : options);
});
return await root.Parse(args).InvokeAsync();
