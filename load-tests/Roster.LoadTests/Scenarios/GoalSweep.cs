using System.Diagnostics;
using Google.Protobuf;
using Roster.LoadTests.Generating;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Servers;
using Roster.V1;

namespace Roster.LoadTests.Scenarios;

/// <summary>
/// Records by the million wait in a delay of a workflow with a goal; single writes meet the goal. The figure is the time from when the
/// write was due to its durable acknowledgement, which has the unenrollment in the same commit.
/// </summary>
internal static class GoalSweep
{
    private const string Id = "goal-sweep";
    private const int WritesMax = 3_000;
    private const int PerSecond = 200;

    private const string Definition = """
        { "id": "goal-sweep", "objectType": "contact",
          "start": { "event": { "anyOf": [ { "eventType": "sweep_signup", "allowNewRecord": true } ] } },
          "goals": [ { "id": "customer", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["customer"] } ] } ] } } ],
          "steps": [ { "id": "wait", "delay": { "amount": 30, "unit": "DAYS" } } ] }
        """;

    public static async Task RunAsync(LoadRun run)
    {
        await using var bench = await Bench.StartAsync(run.Options);
        using var workload = new Workload(run.Options, EventMix.IngestOnly, bench.Addresses);
        await workload.DeclareAsync(PropertyType.Types.Kind.String, "stage");
        await workload.SwitchOnAsync(JsonParser.Default.Parse<Workflow>(Definition));
        var before = await PrepareAsync(run, workload);
        var records = (int)before.RecordsEnrolled;
        var writes = (int)Math.Min(WritesMax, before.Active / 2);
        if (writes == 0)
        {
            throw new RunFailedException("No record waits any more: runs on this folder took all of them out. Take a new one.");
        }

        // Those that left in former runs on the same data are passed over: every run goes on where the one before ended.
        var gone = records - before.Active;
        var writing = WriteAsync(workload, records, gone, writes);
        var phase = await run.MeasureAsync(bench, workload.Meter, "writes that meet the goal", writing, writing, PerSecond);
        var after = await workload.StatsAsync(Id);
        var left = before.Active - after.Active;
        if (left != writes)
        {
            run.Result.Failures.Add($"{left:N0} records left the workflow, and {writes:N0} were to.");
        }

        run.Result.Figures.Add(new Figure("records that wait in the delay", before.Active, string.Empty));
        run.Result.Figures.Add(new Figure("goal met by one write: p99 to durably unenrolled", phase.P99Ms, "ms", 200, 20, LessIsBetter: true));
        run.Result.Notes.Add($"{writes:N0} writes, {PerSecond} per second, spread over all records, each in a call of its own.");
        Loops.Note(run, bench);
    }

    private static async Task<WorkflowStats> PrepareAsync(LoadRun run, Workload workload)
    {
        var stats = await workload.StatsAsync(Id);
        if (stats.RecordsEnrolled >= run.Options.Records)
        {
            return stats;
        }

        await run.ProgressAsync("enrollments", run.Options.Records, progress => workload.SendAsync(
            stream => workload.Batches(stream, run.Options.Records, i => new Event { EventId = "s", ObjectType = "contact", RecordId = RecordId(i), Type = "sweep_signup" }),
            progress));
        return await workload.StatsAsync(Id);
    }

    private static string RecordId(long number) => $"sweep-{number:D8}";

    private static async Task WriteAsync(Workload workload, int records, long gone, int writes)
    {
        var open = new List<Task>();
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < writes; i++)
        {
            var due = start + (long)((double)i / PerSecond * Stopwatch.Frequency);
            await StreamDriver.WaitUntilAsync(due);
            open.Add(MeetAsync(workload, RecordId(Spread(gone + i, records)), due));
        }

        await Task.WhenAll(open);
    }

    /// <summary>The k-th record of an order that leaps through all of them: the step is a prime that no usual count has as a factor.</summary>
    private static long Spread(long k, int records) => k % records * 611_953 % records;

    private static async Task MeetAsync(Workload workload, string record, long dueAt)
    {
        var request = new IngestRequest();
        request.Events.Add(new Event
        {
            EventId = workload.Run,
            ObjectType = "contact",
            RecordId = record,
            Writes = { new PropertyValue { Name = "stage", Value = new Value { Text = "customer" } } },
        });
        var response = await new IngestService.IngestServiceClient(workload.Channel).IngestAsync(request);
        workload.Meter.Acked(1, response.Results[0].Code == EventResult.Types.Code.Applied ? 0 : 1, Stopwatch.GetElapsedTime(dueAt));
    }
}
