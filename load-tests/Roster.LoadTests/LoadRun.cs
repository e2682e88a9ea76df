using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using Roster.LoadTests.Generating;
using Roster.LoadTests.Measuring;
using Roster.LoadTests.Reporting;
using Roster.LoadTests.Servers;
using Spectre.Console;

namespace Roster.LoadTests;

/// <summary>One run: what its scenario needs to load and to measure, and where the results go.</summary>
internal sealed class LoadRun(LoadOptions options)
{
    private const double Megabyte = 1 << 20;
    private const int CanonicalSize = 1_000_000;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public LoadOptions Options => options;

    public RunResult Result { get; } = new() { At = TimeProvider.System.GetUtcNow(), Machine = Here(), Options = options };

    /// <summary>Loads the contacts unless they are there.</summary>
    /// <param name="bench">The server.</param>
    /// <param name="workload">The contacts.</param>
    /// <param name="records">How many.</param>
    /// <param name="isPrebuilt">Whether the server is to begin with them as with a data folder that it finds, without memory of the load.</param>
    public async Task LoadContactsAsync(Bench bench, Workload workload, int records, bool isPrebuilt = false)
    {
        await workload.DeclareAsync(V1.PropertyType.Types.Kind.String, Enumerable.Range(0, EventGenerator.Properties).Select(i => "p" + i));
        if (await workload.HasContactsAsync())
        {
            Say($"the contacts are there");
            return;
        }

        await ProgressAsync("contacts", records, workload.LoadContactsAsync);
        await bench.SettleAsync();
        if (isPrebuilt)
        {
            await bench.RestartServerAsync();
            workload.Reconnect(bench.Addresses);
            await bench.SettleAsync();
        }
    }

    /// <summary>Does something that is not measured and says how far it is.</summary>
    public async Task ProgressAsync(string what, long count, Func<Action<long>, Task> work)
    {
        var clock = Stopwatch.StartNew();
        await AnsiConsole.Progress().StartAsync(async context =>
        {
            var bar = context.AddTask($"{what} (not measured)", maxValue: count);
            await work(done => bar.Value = done);
        });
        Say($"{count:N0} {what} in {clock.Elapsed.TotalSeconds:F1} s, {count / clock.Elapsed.TotalSeconds:N0} per second");
    }

    /// <summary>Events in a loop of their own: warm-up, one phase, and the end of the loop.</summary>
    /// <param name="bench">The server.</param>
    /// <param name="workload">The events.</param>
    /// <param name="name">Name of the phase.</param>
    /// <param name="eventsPerSecond">Rate of an open loop; null for a closed one.</param>
    public async Task<Phase> MeasureLoopAsync(Bench bench, Workload workload, string name, double? eventsPerSecond = null)
    {
        using var stop = new CancellationTokenSource();
        var driving = workload.DriveAsync(stop.Token, eventsPerSecond);
        await WarmUpAsync(driving);
        var phase = await MeasureAsync(bench, workload.Meter, name, driving, target: eventsPerSecond);
        await stop.CancelAsync();
        await driving;
        return phase.EventsPerSecond > 0
            ? phase
            : throw new RunFailedException($"{name}: no event was acknowledged within {options.Seconds} s. Let it run longer (--seconds), or send less at a time (--batch, --window).");
    }

    /// <summary>Lets the warm-up pass.</summary>
    public async Task WarmUpAsync(Task driving)
    {
        if (await Task.WhenAny(driving, Task.Delay(TimeSpan.FromSeconds(options.WarmupSeconds))) == driving)
        {
            await driving;
        }
    }

    /// <summary>Measures what goes on: counts begin here, and a sample is taken each second or more often.</summary>
    /// <param name="bench">The server.</param>
    /// <param name="meter">What is counted.</param>
    /// <param name="name">Name of the phase.</param>
    /// <param name="driving">What makes the load; the phase ends with it when it fails.</param>
    /// <param name="until">Ends the phase; null when time does.</param>
    /// <param name="target">Rate of an open loop.</param>
    public async Task<Phase> MeasureAsync(Bench bench, Meter meter, string name, Task driving, Task? until = null, double? target = null)
    {
        meter.Begin();
        var course = new Course(this, bench, meter, name);
        var clock = Stopwatch.StartNew();
        var length = until is null ? TimeSpan.FromSeconds(options.Seconds) : Timeout.InfiniteTimeSpan;
        var interval = TimeSpan.FromSeconds(options.Seconds > 15 ? 1 : 0.25);
        for (var tick = 1; ; tick++)
        {
            var left = (until is null && length < interval * tick ? length : interval * tick) - clock.Elapsed;
            var ended = await Task.WhenAny(until ?? driving, driving, Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero));
            if (driving.IsFaulted)
            {
                await driving;
            }

            course.Take();
            if (ended == until || (until is null && (clock.Elapsed >= length || driving.IsCompleted)))
            {
                await ended;
                break;
            }
        }

        var phase = course.End(target);
        Result.Phases.Add(phase);
        if (phase.Refused > 0 || phase.Errors > 0)
        {
            Result.Failures.Add($"{name}: {phase.Refused:N0} events were refused, {phase.Errors:N0} calls failed.");
        }

        return phase;
    }

    /// <summary>A figure in percent of another one; where that is nothing there is none.</summary>
    public void AddShare(string name, double value, double whole, double? bar = null)
    {
        if (whole > 0)
        {
            Result.Figures.Add(new Figure(name, value / whole * 100, "%", bar));
        }
        else
        {
            Result.Notes.Add($"{name}: not known, because nothing was acknowledged in the phase that it is compared with.");
        }
    }

    /// <summary>Prints the result and writes the files that were asked for.</summary>
    /// <returns>The exit code.</returns>
    public int Report()
    {
        if (options.Records < CanonicalSize || options.Timers < CanonicalSize)
        {
            Result.Notes.Add($"The targets are for {CanonicalSize:N0} records and timers: smaller sizes say little about them.");
        }

        ConsoleReport.Write(Result);
        if (options.Json is { } json)
        {
            File.WriteAllText(json, JsonReport.Write(Result));
        }

        if (options.Html is { } html)
        {
            File.WriteAllText(html, HtmlReport.Write(Result));
        }

        return Result.Failures.Count == 0 ? 0 : 1;
    }

    public static void Say(FormattableString text) => AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, text);

    private static Machine Here() => new(
        File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "processor"
            : RuntimeInformation.ProcessArchitecture.ToString(),
        Environment.ProcessorCount,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20,
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        GCSettings.IsServerGC,
#if DEBUG
        "Debug");
#else
        "Release");
#endif

    /// <summary>The samples of one phase.</summary>
    private sealed class Course(LoadRun run, Bench bench, Meter meter, string name)
    {
        /// <summary>What is left at the end of a phase counts for the phase; as a sample it would say nothing.</summary>
        private const double SampleSecondsMin = 0.1;

        private readonly int _index = run.Result.Phases.Count;
        private readonly TimeSpan _start = run._clock.Elapsed;
        private readonly Usage _first = bench.Usage();
        private Usage _last = bench.Usage();
        private TimeSpan _at = run._clock.Elapsed;
        private TimeSpan _shownAt = TimeSpan.MinValue;
        private int _samples;
        private long _events;
        private long _tasks;
        private long _resident;
        private long _database;

        public void Take()
        {
            var (at, usage, events, tasks) = (run._clock.Elapsed, bench.Usage(), meter.Events, meter.Tasks);
            var seconds = Math.Max(0.001, (at - _at).TotalSeconds);
            var any = meter.Interval.Count > 0;
            var sample = new Sample(
                _index, at.TotalSeconds, (events - _events) / seconds, (tasks - _tasks) / seconds,
                any ? meter.Interval.PercentileMs(0.5) : null, any ? meter.Interval.PercentileMs(0.99) : null, any ? meter.Interval.MaxMs : null,
                usage.ResidentBytes / Megabyte, usage.DatabaseBytes / Megabyte,
                Math.Max(0, usage.WrittenBytes - _last.WrittenBytes) / Megabyte / seconds, Math.Max(0, (usage.Cpu - _last.Cpu).TotalSeconds) / seconds);
            meter.Interval.Clear();
            (_at, _last, _events, _tasks) = (at, usage, events, tasks);
            _resident = Math.Max(_resident, usage.ResidentBytes);
            _database = Math.Max(_database, usage.DatabaseBytes);
            if (_samples++ == 0 || seconds >= SampleSecondsMin)
            {
                run.Result.Samples.Add(sample);
                Show(sample);
            }
        }

        public Phase End(double? target)
        {
            var seconds = Math.Max(0.001, (_at - _start).TotalSeconds);
            var latencies = meter.Latencies;
            if (!Console.IsOutputRedirected)
            {
                Console.WriteLine();
            }

            return new Phase(
                name, target, seconds, _events / seconds, _tasks / seconds,
                latencies.PercentileMs(0.5), latencies.PercentileMs(0.99), latencies.PercentileMs(0.999), latencies.MaxMs, meter.Refused, meter.Errors,
                _resident / Megabyte, _database / Megabyte, Math.Max(0, (_last.Cpu - _first.Cpu).TotalSeconds) / seconds, (_last.GeneratorCpu - _first.GeneratorCpu).TotalSeconds / seconds,
                _events > 0 && bench.CountsWrites ? (_last.WrittenBytes - _first.WrittenBytes) / (double)_events : null);
        }

        /// <summary>A terminal has one line that changes; elsewhere there is a line per second.</summary>
        private void Show(Sample s)
        {
            var line = string.Create(
                CultureInfo.InvariantCulture,
                $"{name} {(_at - _start).TotalSeconds,5:F1} s  {s.EventsPerSecond,9:N0} events/s  p50 {s.P50Ms ?? 0,7:F1} ms  p99 {s.P99Ms ?? 0,7:F1} ms  {s.ServerMb,6:N0} MB  {s.WrittenMbPerSecond,6:F1} MB/s written");
            if (!Console.IsOutputRedirected)
            {
                Console.Write("\r" + line);
            }
            else if (_shownAt == TimeSpan.MinValue || _at - _shownAt >= TimeSpan.FromSeconds(0.9))
            {
                _shownAt = _at;
                Console.WriteLine(line);
            }
        }
    }
}
