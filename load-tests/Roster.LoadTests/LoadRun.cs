using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Text.Json;
using Spectre.Console;

namespace Roster.LoadTests;

/// <summary>One run: start, load, warm up, measure closed loop, measure open loop at half of the rate, report.</summary>
internal static class LoadRun
{
    public static async Task<int> RunAsync(LoadOptions options)
    {
        var folder = options.Data ?? Directory.CreateTempSubdirectory("roster-load-").FullName;
        var server = options.Address is null ? await ServerProcess.StartAsync(options, folder) : null;
        try
        {
            return await RunAsync(options, server);
        }
        finally
        {
            if (server is not null)
            {
                await server.DisposeAsync();
            }

            if (options.Data is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task<int> RunAsync(LoadOptions options, ServerProcess? server)
    {
        using var workload = new Workload(options, options.Address ?? server!.Address);
        PrintSettings(options);
        await workload.SetUpAsync();
        await LoadAsync(options, workload);
        using var working = new CancellationTokenSource();
        var worker = workload.WorkAsync(working.Token);
        var closed = await MeasureAsync("closed loop", options, workload, server, null);
        var open = await MeasureAsync("open loop", options, workload, server, closed.EventsPerSecond / 2);
        await working.CancelAsync();
        await worker;
        Report(options, workload, closed, open);
        return workload.Refused == 0 ? 0 : 1;
    }

    private static void PrintSettings(LoadOptions options)
    {
#if DEBUG
        AnsiConsole.MarkupLine("[red]This is a Debug build: its figures mean nothing.[/]");
#endif
        AnsiConsole.MarkupLineInterpolated(
            $"{options.Scenario}: {options.Records:N0} contacts, {options.Workflows} workflows, {options.Streams} streams, batches of {options.BatchEvents}, window {options.Window}, store {options.Store}, cache {options.CacheBytes >> 20} MB");
        AnsiConsole.MarkupLineInterpolated(
            $"{Environment.ProcessorCount} cores, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, server GC {GCSettings.IsServerGC}");
    }

    private static async Task LoadAsync(LoadOptions options, Workload workload)
    {
        var status = await workload.StatusAsync();
        if (status.Records >= options.Records)
        {
            return;
        }

        var clock = Stopwatch.StartNew();
        await AnsiConsole.Progress().StartAsync(async context =>
        {
            var bar = context.AddTask("loading contacts (not measured)", maxValue: options.Records);
            await workload.LoadContactsAsync(done => bar.Value = done);
        });
        AnsiConsole.MarkupLineInterpolated($"loaded in {clock.Elapsed.TotalSeconds:F1} s, {options.Records / clock.Elapsed.TotalSeconds:N0} contacts/s");
    }

    private static async Task<Figures> MeasureAsync(string loop, LoadOptions options, Workload workload, ServerProcess? server, double? rate)
    {
        using var stop = new CancellationTokenSource();
        var driving = workload.DriveAsync(stop.Token, rate);
        await Task.Delay(TimeSpan.FromSeconds(options.WarmupSeconds));
        workload.BeginMeasuring();
        var clock = Stopwatch.StartNew();
        var before = server?.Usage ?? default;
        var resident = 0L;
        var last = 0L;
        for (var second = 1; second <= options.Seconds; second++)
        {
            await Task.WhenAny(driving, Task.Delay(TimeSpan.FromSeconds(second) - clock.Elapsed is var wait && wait > TimeSpan.Zero ? wait : TimeSpan.Zero));
            if (driving.IsFaulted)
            {
                await driving;
            }

            var acked = workload.Acked;
            resident = Math.Max(resident, server?.Usage.ResidentBytes ?? 0);
            AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{loop} {second,3} s  {acked - last,9:N0} events/s  p99 {workload.Latencies.PercentileMs(0.99),7:F1} ms  {resident >> 20:N0} MB");
            last = acked;
        }

        var elapsed = clock.Elapsed.TotalSeconds;
        var after = server?.Usage ?? default;
        var figures = new Figures(
            loop, rate, workload.Acked / elapsed, workload.Completed / elapsed,
            workload.Latencies.PercentileMs(0.5), workload.Latencies.PercentileMs(0.99), workload.Latencies.PercentileMs(0.999), workload.Latencies.MaxMs,
            resident >> 20, (after.Cpu - before.Cpu).TotalSeconds / elapsed, (after.WrittenBytes - before.WrittenBytes) / (double)Math.Max(1, workload.Acked));
        await stop.CancelAsync();
        await driving;
        return figures;
    }

    private static void Report(LoadOptions options, Workload workload, params Figures[] all)
    {
        var table = new Table().AddColumns("", "events/s", "tasks/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "server MB", "server cores", "bytes/event");
        foreach (var f in all)
        {
            table.AddRow(
                f.Loop, $"{f.EventsPerSecond:N0}", $"{f.TasksPerSecond:N0}", $"{f.P50Ms:F1}", $"{f.P99Ms:F1}", $"{f.P999Ms:F1}", $"{f.MaxMs:F1}",
                $"{f.ResidentMb:N0}", $"{f.ServerCores:F2}", $"{f.BytesWrittenPerEvent:N0}");
        }

        AnsiConsole.Write(table);
        AnsiConsole.MarkupLineInterpolated($"refused events: {workload.Refused}");
        if (options.Json is not null)
        {
            var result = new { at = TimeProvider.System.GetUtcNow(), cores = Environment.ProcessorCount, runtime = RuntimeInformation.FrameworkDescription, options, figures = all, refused = workload.Refused };
            File.WriteAllText(options.Json, JsonSerializer.Serialize(result, JsonSerializerOptions.Web));
        }
    }

    internal sealed record Figures(
        string Loop, double? TargetEventsPerSecond, double EventsPerSecond, double TasksPerSecond, double P50Ms, double P99Ms, double P999Ms, double MaxMs,
        long ResidentMb, double ServerCores, double BytesWrittenPerEvent);
}
