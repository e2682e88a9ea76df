#if FULL_FEED
using System.Diagnostics;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Roster.LoadTests.Generating;
using Roster.LoadTests.Measuring;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Servers;
using Roster.LoadTests.Stock;
using Roster.V1;

namespace Roster.LoadTests.Scenarios;

/// <summary>
/// The events of <c>mixed</c> through the cluster host, and through a plain Orleans grain with stock ADO.NET storage that writes its state once per event: as many silos,
/// and a new PostgreSQL database with the same settings each.
/// </summary>
internal static class StockGrain
{
    /// <summary>Calls of the stock grain that are on their way at a time. Twice and half as many made it no faster.</summary>
    private const int CallsMax = 256;

    public static async Task RunAsync(LoadRun run)
    {
        var stock = await MeasureStockAsync(run);
        var roster = await MeasureRosterAsync(run);
        run.Result.Figures.Add(new Figure("stock grain, events per second", stock.EventsPerSecond, "events/s", null));
        run.Result.Figures.Add(new Figure("cluster host, durable events per second", roster.EventsPerSecond, "events/s", 8_000, 25_000));
        run.Result.Figures.Add(new Figure("cluster host, times the stock grain", roster.EventsPerSecond / stock.EventsPerSecond, "x", null));
    }

    private static async Task<Phase> MeasureRosterAsync(LoadRun run)
    {
        await using var bench = await Bench.StartAsync(run.Options, "roster");
        using var workload = new Workload(run.Options, EventMix.Mixed, bench.Addresses);
        await workload.SetUpAsync();
        await run.LoadContactsAsync(bench, workload, run.Options.Records);
        using var working = new CancellationTokenSource();
        var worker = workload.WorkAsync(working.Token);
        var phase = await run.MeasureLoopAsync(bench, workload, "cluster host");
        await working.CancelAsync();
        await worker;
        return phase;
    }

    private static async Task<Phase> MeasureStockAsync(LoadRun run)
    {
        await using var bench = await Bench.StartAsync(run.Options, "stock", isStock: true);
        using var client = await StockSilo.ConnectAsync(bench.Addresses);
        var grains = client.Services.GetRequiredService<IGrainFactory>();
        await run.ProgressAsync("contacts", run.Options.Records, progress => LoadAsync(grains, run.Options.Records, progress));
        await bench.SettleAsync();
        var meter = new Meter();
        using var stop = new CancellationTokenSource();
        var driving = Task.WhenAll(Enumerable.Range(0, run.Options.Streams).Select(stream => Task.Run(() => DriveAsync(run.Options, grains, meter, stream, stop.Token))));
        await run.WarmUpAsync(driving);
        var phase = await run.MeasureAsync(bench, meter, "stock grain", driving);
        await stop.CancelAsync();
        await driving;
        return phase;
    }

    private static async Task LoadAsync(IGrainFactory grains, int records, Action<long> progress)
    {
        var done = 0L;
        var options = new ParallelOptions { MaxDegreeOfParallelism = CallsMax };
        await Parallel.ForEachAsync(Enumerable.Range(0, records), options, async (number, _) =>
        {
            await grains.GetGrain<IStockContactGrain>(EventGenerator.ContactId(number)).ApplyAsync(Workload.Contact(number).ToByteArray());
            progress(Interlocked.Increment(ref done));
        });
    }

    private static async Task DriveAsync(LoadOptions options, IGrainFactory grains, Meter meter, int stream, CancellationToken stop)
    {
        var generator = new EventGenerator(options, EventMix.Mixed, stream, "stock");
        using var room = new SemaphoreSlim(CallsMax / options.Streams);
        var batch = new EncodedRequest();
        while (!stop.IsCancellationRequested)
        {
            generator.Fill(batch);
            batch.SetSequence(1);
            foreach (var e in StreamRequest.Parser.ParseFrom(batch.ToByteArray()).Batch.Events)
            {
                await room.WaitAsync(CancellationToken.None);
                _ = CallAsync(e);
            }
        }

        for (var i = 0; i < CallsMax / options.Streams; i++)
        {
            await room.WaitAsync(CancellationToken.None);
        }

        async Task CallAsync(Event e)
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                await grains.GetGrain<IStockContactGrain>(e.RecordId).ApplyAsync(e.ToByteArray());
                meter.Acked(1, 0, Stopwatch.GetElapsedTime(start));
            }
            catch (Exception failure) when (failure is OrleansException or TimeoutException)
            {
                meter.Failed();
            }
            finally
            {
                room.Release();
            }
        }
    }
}
#endif
