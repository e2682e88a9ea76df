using Roster.LoadTests.Generating;
using Roster.LoadTests.Measuring;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Servers;
using Roster.V1;

namespace Roster.LoadTests.Scenarios;

/// <summary>A workflow is switched on for records that exist: once none of them matches, once all do, and each runs through it in one turn.</summary>
internal static class Backfill
{
    private static readonly TimeSpan ReadingEvery = TimeSpan.FromMilliseconds(50);

    public static async Task RunAsync(LoadRun run)
    {
        await using var bench = await Bench.StartAsync(run.Options);
        using var workload = new Workload(run.Options, EventMix.IngestOnly, bench.Addresses);
        await run.LoadContactsAsync(bench, workload, run.Options.Records);
        await ScanAsync(run, bench, workload, "none", new Filter { Property = "p0", Operator = Filter.Types.Operator.IsEqualTo, Values = { "nobody has this" } }, (100_000, 400_000));
        await ScanAsync(run, bench, workload, "all", new Filter { Property = "p1", Operator = Filter.Types.Operator.IsKnown }, (null, null));
        Loops.Note(run, bench);
    }

    private static async Task ScanAsync(LoadRun run, Bench bench, Workload workload, string which, Filter filter, (double? Bar, double? Goal) rate)
    {
        var id = $"load-{workload.Run}-{which}";
        var scanning = ScanAsync(workload, id, filter);
        await run.MeasureAsync(bench, workload.Meter, $"enroll existing, {which} match (records)", scanning, scanning);
        var operation = await scanning;
        var seconds = (operation.EndedAt - operation.CreatedAt).ToTimeSpan().TotalSeconds;
        run.Result.Figures.Add(new Figure($"enroll existing, {which} of {operation.Done:N0} records match", operation.Done / Math.Max(0.001, seconds), "records/s", rate.Bar, rate.Goal));
        var enrolled = (await workload.StatsAsync(id)).Enrolled;
        if (operation.State != Operation.Types.State.Succeeded || operation.Done < run.Options.Records || (which == "none" ? enrolled != 0 : enrolled < run.Options.Records))
        {
            run.Result.Failures.Add($"The scan ended as {operation.State} after {operation.Done:N0} records, {enrolled:N0} enrolled. {operation.Error}");
        }

        await workload.SwitchOffAsync(id);
    }

    private static async Task<Operation> ScanAsync(Workload workload, string id, Filter filter)
    {
        await workload.SwitchOnAsync(
            new Workflow
            {
                Id = id,
                ObjectType = "contact",
                Start = new Start { Filter = new FilterStart { Criteria = new Criteria { AnyOf = { new FilterGroup { AllOf = { filter } } } } } },
                Steps = { new Step { Id = "through", Delay = new Delay { Amount = 0, Unit = Delay.Types.Unit.Minutes } } },
            },
            enrollExisting: true);
        var operations = new OperationService.OperationServiceClient(workload.Channel);
        var listed = await operations.ListOperationsAsync(new ListOperationsRequest { WorkflowId = id });
        var operation = listed.Operations.First(o => o.Kind == "enroll_existing");
        var done = 0L;
        while (true)
        {
            operation = await operations.GetOperationAsync(new GetOperationRequest { OperationId = operation.Id });
            workload.Meter.Done(operation.Done - done);
            done = operation.Done;
            if (operation.State != Operation.Types.State.Running)
            {
                return operation;
            }

            await Task.Delay(ReadingEvery);
        }
    }
}
