using Roster.LoadTests.Generating;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Servers;

namespace Roster.LoadTests.Scenarios;

/// <summary>
/// Cost grows as the work: the same events to the same hot records while more and more others are stored, and while more and more workflows are
/// live. Each point is a closed loop on data of its own.
/// </summary>
internal static class Curves
{
    /// <summary>Records that all events go to.</summary>
    private const int HotRecords = 50_000;

    /// <summary>Of the largest rate, the smallest may be so much.</summary>
    private const double Flat = 0.75;

    private static readonly EventMix Hot = new(HotShare: 1, HotRecords: HotRecords);

    public static async Task RunAsync(LoadRun run)
    {
        if (run.Options.Address is not null)
        {
            throw new RunFailedException("`curves` needs a server per point: it takes no --address.");
        }

        await OverRecordsAsync(run);
        await OverWorkflowsAsync(run);
    }

    private static async Task OverRecordsAsync(LoadRun run)
    {
        var most = run.Options.Records;
        int[] sizes = [most / 100, most / 10, most, .. run.Options.FiveTimes ? [most * 5] : Array.Empty<int>()];
        var (rates, memory) = (new List<CurvePoint>(), new List<CurvePoint>());
        foreach (var records in sizes)
        {
            var phase = await PointAsync(run, run.Options with { Records = records }, Hot, $"{records:N0} records", $"records_{records}");
            rates.Add(new CurvePoint(records, phase.EventsPerSecond));
            memory.Add(new CurvePoint(records, phase.ServerMb));
        }

        Add(run, new Curve($"Stored records, {Math.Min(HotRecords, most):N0} of them hot", "records", "events/s", rates), "slowest of the fastest, over stored records");
        run.Result.Curves.Add(new Curve("Memory of the server over stored records", "records", "MB", memory));
    }

    private static async Task OverWorkflowsAsync(LoadRun run)
    {
        var records = Math.Min(run.Options.Records, 2 * HotRecords);
        var most = run.Options.CurveWorkflows;
        int[] counts = [.. new[] { 1, 40, 400 }.Where(n => n < most), most];
        var rates = new List<CurvePoint>();
        foreach (var workflows in counts)
        {
            // The enrolling tenth goes into one workflow again and again: with a single one, a record could enroll only once by a filter.
            var mix = Hot with { Enrolling = Enrolling.ByEvent };
            var phase = await PointAsync(run, run.Options with { Records = records, Workflows = workflows }, mix, $"{workflows:N0} live workflows", $"workflows_{workflows}");
            rates.Add(new CurvePoint(workflows, phase.EventsPerSecond));
        }

        Add(run, new Curve($"Live workflows, {records:N0} records", "workflows", "events/s", rates), "slowest of the fastest, over live workflows");
    }

    private static void Add(LoadRun run, Curve curve, string figure)
    {
        run.Result.Curves.Add(curve);
        run.Result.Figures.Add(new Figure(figure, curve.Flatness * 100, "%", Flat * 100));
    }

    private static async Task<Phase> PointAsync(LoadRun run, LoadOptions options, EventMix mix, string name, string part)
    {
        await using var bench = await Bench.StartAsync(options, part);
        using var workload = new Workload(options, mix, bench.Addresses);
        await workload.SetUpAsync();
        await run.LoadContactsAsync(bench, workload, options.Records, isPrebuilt: true);
        using var working = new CancellationTokenSource();
        var worker = workload.WorkAsync(working.Token);
        var phase = await run.MeasureLoopAsync(bench, workload, name);
        await working.CancelAsync();
        await worker;
        workload.NoteBreaks(run.Result);
        return phase;
    }
}
