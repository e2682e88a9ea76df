using System.Diagnostics;
using Google.Protobuf;
using Roster.Embedded;
using Roster.Engine;
using Roster.Storage.Sqlite;
using Roster.V1;

namespace Roster.LoadTests;

/// <summary>
/// Records by the million wait in a delay of a workflow with a goal; single writes meet the goal. The figure is the time from handing the
/// write in to its durable acknowledgement, which has the unenrollment in the same commit.
/// </summary>
internal static class GoalSweepRun
{
    private const string Tenant = "sweep";
    private const int Writes = 3_000;
    private const int PerSecond = 200;

    private const string Definition = """
        { "id": "waiting", "objectType": "contact",
          "start": { "event": { "anyOf": [ { "eventType": "signup", "allowNewRecord": true } ] } },
          "goals": [ { "id": "customer", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["customer"] } ] } ] } } ],
          "steps": [ { "id": "wait", "delay": { "amount": 30, "unit": "DAYS" } } ] }
        """;

    public static async Task<int> RunAsync(int records, long cacheBytes)
    {
        var folder = Directory.CreateTempSubdirectory("roster-goal-sweep-").FullName;
        try
        {
            await using var store = await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = folder }, CancellationToken.None);
            await using var engine = await EmbeddedEngine.StartAsync(new EmbeddedOptions { CacheBytes = cacheBytes }, store, TimeProvider.System, CancellationToken.None);
            await PrepareAsync(engine, records);
            var active = await ActiveAsync(engine);
            Console.WriteLine($"{active:N0} records wait in a delay");
            var latencies = await WriteAsync(engine, records);
            latencies.Sort();
            var left = active - await ActiveAsync(engine);
            Console.WriteLine($"{left:N0} of {Writes:N0} left by one write each, {PerSecond} writes/s, uniform over all records");
            Console.WriteLine($"write to durable unenrollment: p50 {At(latencies, 0.5):F1} ms, p99 {At(latencies, 0.99):F1} ms, p99.9 {At(latencies, 0.999):F1} ms, max {latencies[^1]:F1} ms");
            return left == Writes ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double At(List<double> sorted, double share) => sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))];

    private static async Task<long> ActiveAsync(EmbeddedEngine engine) =>
        (await engine.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = "waiting" }, CancellationToken.None)).Active;

    private static async Task PrepareAsync(EmbeddedEngine engine, int records)
    {
        await engine.DeclarePropertiesAsync(
            Tenant, new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = "stage", Type = PropertyType.Types.Kind.String } } }, CancellationToken.None);
        await engine.SaveWorkflowAsync(Tenant, new SaveWorkflowRequest { Workflow = JsonParser.Default.Parse<Workflow>(Definition) }, CancellationToken.None);
        await engine.SetWorkflowStateAsync(Tenant, new SetWorkflowStateRequest { WorkflowId = "waiting", State = Workflow.Types.State.On }, CancellationToken.None);
        var open = new Queue<Task>();
        for (var from = 0; from < records; from += 1_000)
        {
            var events = Enumerable.Range(from, Math.Min(1_000, records - from)).Select(i => new Event { EventId = "s", ObjectType = "contact", RecordId = $"c{i}", Type = "signup" }).ToArray();
            open.Enqueue(engine.IngestAsync(Tenant, events, CancellationToken.None).AsTask());
            if (open.Count >= 16)
            {
                await open.Dequeue();
            }
        }

        await Task.WhenAll(open);
    }

    private static async Task<List<double>> WriteAsync(EmbeddedEngine engine, int records)
    {
        var open = new List<Task<double>>();
        var watch = Stopwatch.StartNew();
        var step = records / Writes;
        for (var i = 0; i < Writes; i++)
        {
            var due = TimeSpan.FromSeconds((double)i / PerSecond);
            if (due > watch.Elapsed)
            {
                await Task.Delay(due - watch.Elapsed);
            }

            open.Add(MeetAsync(engine, $"c{(int)((long)i * step * 7919 % records)}", i, due, watch));
        }

        return [.. await Task.WhenAll(open)];
    }

    private static async Task<double> MeetAsync(EmbeddedEngine engine, string record, int i, TimeSpan due, Stopwatch watch)
    {
        var write = new Event { EventId = $"g{i}", ObjectType = "contact", RecordId = record, Writes = { new PropertyValue { Name = "stage", Value = new Value { Text = "customer" } } } };
        var results = await engine.IngestAsync(Tenant, [write], CancellationToken.None);
        return results.Count == 0 ? (watch.Elapsed - due).TotalMilliseconds : throw new InvalidOperationException(results[0].ToString());
    }
}
