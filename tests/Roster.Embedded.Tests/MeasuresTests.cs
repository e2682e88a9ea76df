using System.Diagnostics.Metrics;
using Google.Protobuf.WellKnownTypes;
using Roster.Engine;
using Roster.Engine.Measures;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>What the engine measures of itself (MET-17).</summary>
public sealed class MeasuresTests
{
    private const string Mails = """
        { "id": "w", "objectType": "contact",
          "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
          "steps": [ { "id": "wait", "next": "mail", "delay": { "amount": 2, "unit": "HOURS" } }, { "id": "mail", "worker": { "queue": "mail" } } ] }
        """;

    private const string Loop = """
        { "id": "loop", "objectType": "contact",
          "start": { "event": { "anyOf": [ { "eventType": "spin", "allowNewRecord": true } ] } },
          "steps": [
            { "id": "count", "next": "again", "setProperty": { "property": "score", "mode": "INCREMENT", "value": "1" } },
            { "id": "again", "goTo": { "step": "count" } } ] }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MET_17_Timer_lateness_is_from_the_due_instant_to_the_instant_it_fired()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.PublishAsync(Mails);
        await harness.SendAsync(harness.Event("ada", "go"), harness.Event("bob", "go"));

        // Ada's timer fires on time; the clock jumps over Bob's, which fires with his next event.
        harness.Clock.MoveTo(EngineHarness.Start.AddHours(2).AddSeconds(-1));
        await harness.SendAsync(harness.Event("cleo", "go"));
        harness.Clock.MoveTo(EngineHarness.Start.AddHours(2).AddSeconds(5));
        await harness.SendAsync(harness.Event("bob"));
        var lateness = (await MeasuresAsync(harness)).TimerLateness;
        Assert.Equal((1L, TimeSpan.FromSeconds(5)), (lateness.Count, lateness.Max.ToTimeSpan()));
        Assert.InRange(lateness.Percentile99.ToTimeSpan().TotalSeconds, 4.8, 5);

        await harness.AdvanceAsync(TimeSpan.FromHours(2));
        lateness = (await MeasuresAsync(harness)).TimerLateness;
        Assert.Equal((3L, TimeSpan.Zero, TimeSpan.FromSeconds(5)), (lateness.Count, lateness.Median.ToTimeSpan(), lateness.Max.ToTimeSpan()));
    }

    [Fact]
    public async Task MET_17_Turn_time_is_that_of_each_turn_alone_on_the_stopwatch()
    {
        var stopwatch = new ManualClock(EngineHarness.Start);
        var slow = TimeSpan.FromMilliseconds(3);
        await using var harness = await EngineHarness.StartAsync(new EmbeddedOptions
        {
            Shards = 1,
            Stopwatch = stopwatch,
            BeforeTurn = _ => stopwatch.MoveTo(stopwatch.GetUtcNow() + slow),
        });
        await harness.SendAsync(harness.Event("ada"), harness.Event("bob"), harness.Event("cleo"));
        stopwatch.MoveTo(stopwatch.GetUtcNow().AddHours(1));
        slow = TimeSpan.FromMilliseconds(40);
        await harness.SendAsync(harness.Event("ada"));
        var turns = (await MeasuresAsync(harness)).TurnTime;
        Assert.Equal((4L, TimeSpan.FromMilliseconds(40)), (turns.Count, turns.Max.ToTimeSpan()));
        Assert.InRange(turns.Median.ToTimeSpan().TotalMilliseconds, 2.88, 3.12);
    }

    [Fact]
    public async Task MET_17_Queue_age_is_how_long_the_oldest_input_of_the_tenant_waits()
    {
        var stopwatch = new ManualClock(EngineHarness.Start);
        using var entered = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var holds = false;
        await using var harness = await EngineHarness.StartAsync(new EmbeddedOptions
        {
            Shards = 1,
            Stopwatch = stopwatch,
            BeforeTurn = _ =>
            {
                if (holds)
                {
                    entered.Release();
                    goOn.Wait(Token);
                }
            },
        });
        await harness.Engine.UpdateSettingsAsync(
            "other", new UpdateSettingsRequest { Settings = new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Declare } }, Token);
        holds = true;
        var first = harness.SendAsync(harness.Event("ada"));
        await entered.WaitAsync(Token);
        stopwatch.MoveTo(stopwatch.GetUtcNow().AddSeconds(4));
        var second = harness.SendAsync(harness.Event("bob"));
        var third = harness.Engine.IngestAsync("other", [harness.Event("cleo")], Token).AsTask();
        stopwatch.MoveTo(stopwatch.GetUtcNow().AddSeconds(3));
        Assert.Equal([(EngineHarness.Tenant, 7.0), ("other", 3.0)], await AgesAsync(harness));

        // The first one has its turn; the second one waits since 4 s.
        goOn.Release();
        await entered.WaitAsync(Token);
        Assert.Equal([(EngineHarness.Tenant, 3.0), ("other", 3.0)], await AgesAsync(harness));
        holds = false;
        goOn.Release();
        await Task.WhenAll(first, second, third);
        Assert.Equal([(EngineHarness.Tenant, 0.0), ("other", 0.0)], await AgesAsync(harness));
    }

    [Fact]
    public async Task MET_17_Outbox_age_is_that_of_the_oldest_open_task_in_memory_or_in_the_store()
    {
        // With one shard the order of the outbox is that of the due instants also while the clock leaps over several.
        await using var harness = await EngineHarness.StartAsync(new EmbeddedOptions { Shards = 1 });
        await harness.PublishAsync(Mails);
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.AdvanceAsync(TimeSpan.FromHours(1));
        await harness.SendAsync(harness.Event("bob", "go"));
        Assert.Equal(TimeSpan.Zero, await OutboxAgeAsync(harness));

        // Ada's task is there since 02:00, Bob's since 03:00.
        await harness.AdvanceAsync(TimeSpan.FromHours(3));
        Assert.Equal(TimeSpan.FromHours(2), await OutboxAgeAsync(harness));
        var tasks = await harness.Engine.LeaseTasksAsync(EngineHarness.Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Token);
        Assert.Equal(TimeSpan.FromHours(2), await OutboxAgeAsync(harness));
        await harness.Engine.CompleteTaskAsync(EngineHarness.Tenant, Done(tasks[0]), Token);
        Assert.Equal(TimeSpan.FromHours(1), await OutboxAgeAsync(harness));
        await harness.Engine.CompleteTaskAsync(EngineHarness.Tenant, Done(tasks[1]), Token);
        Assert.Equal(TimeSpan.Zero, await OutboxAgeAsync(harness));
    }

    [Fact]
    public async Task MET_17_Counts_are_per_tenant_and_go_on_after_a_restart()
    {
        var store = new VolatileRecordStore();
        await using (var harness = await EngineHarness.StartAsync(store: store))
        {
            await MakeCountsAsync(harness);
            var counts = await MeasuresAsync(harness);
            Assert.Equal((5L, 1L, 1L, 1L, 1L), (counts.Events.Applied, counts.Events.Duplicate, counts.Events.Refused, counts.Events.LateWrites, counts.LoopGuards));
            var status = await harness.Engine.GetStatusAsync(Token);
            Assert.Equal((1L, 1L, 1L), (status.Events.Duplicate, status.Events.LateWrites, status.LoopGuards));
        }

        await using var again = await EngineHarness.StartAsync(store: store);
        await again.Engine.IngestAsync("other", [again.Event("ada")], Token);
        var (mine, other) = (await MeasuresAsync(again), await MeasuresAsync(again, "other"));
        Assert.Equal((5L, 1L, 1L, 1L, 1L), (mine.Events.Applied, mine.Events.Duplicate, mine.Events.Refused, mine.Events.LateWrites, mine.LoopGuards));
        Assert.Equal((1L, 0L, 0L), (other.Events.Applied, other.Events.Duplicate, other.LoopGuards));
    }

    [Fact]
    public async Task MET_17_Each_measure_is_an_instrument_with_the_tenant_as_tag()
    {
        using var meters = new Meters();
        await using var harness = await EngineHarness.StartAsync(new EmbeddedOptions { Meters = meters });
        using var listener = new MeterListener();
        var seen = new Dictionary<string, double>(StringComparer.Ordinal);
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (meters.Made.Contains(instrument.Meter))
            {
                Assert.False(string.IsNullOrEmpty(instrument.Unit));
                Assert.False(string.IsNullOrEmpty(instrument.Description));
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => See(seen, instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => See(seen, instrument, value, tags));
        listener.Start();
        await MakeCountsAsync(harness);
        await harness.PublishAsync(Mails);
        await harness.SendAsync(harness.Event("eve", "go"));
        harness.Clock.MoveTo(EngineHarness.Start.AddHours(2).AddSeconds(5));
        await harness.SendAsync(harness.Event("eve"));
        harness.Clock.MoveTo(EngineHarness.Start.AddHours(2).AddSeconds(9));
        listener.RecordObservableInstruments();
        lock (seen)
        {
            Assert.True(seen.Remove("roster.turn.duration", out var duration) && duration > 0);
            Assert.Equal(
                [
                    "roster.event.applied 7", "roster.event.duplicates 1", "roster.event.late_writes 1", "roster.event.mismatches 0", "roster.event.refusals 1",
                    "roster.loop_guard.trips 1", "roster.outbox.age 4", "roster.queue.age 0", "roster.timer.lateness 5",
                ],
                seen.Select(s => $"{s.Key} {s.Value:0}").Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task MET_17_Measures_come_in_pages_of_tenants_by_id()
    {
        await using var harness = await EngineHarness.StartAsync();
        foreach (var tenant in new[] { "zeta", "beta" })
        {
            await harness.Engine.UpdateSettingsAsync(tenant, new UpdateSettingsRequest { Settings = new TenantSettings() }, Token);
        }

        var first = await harness.Engine.GetMeasuresAsync(new GetMeasuresRequest { PageSize = 2 }, Token);
        var second = await harness.Engine.GetMeasuresAsync(new GetMeasuresRequest { PageSize = 2, PageToken = first.NextPageToken }, Token);
        Assert.Equal(["acme", "beta", "zeta"], first.Tenants.Concat(second.Tenants).Select(t => t.Tenant));
        Assert.Empty(second.NextPageToken);
        Assert.Equal(RosterError.InvalidArgument, (await Assert.ThrowsAsync<RosterException>(
            async () => await harness.Engine.GetMeasuresAsync(new GetMeasuresRequest { PageSize = 1_001 }, Token))).Error);
        Assert.Equal(RosterError.NotFound, (await Assert.ThrowsAsync<RosterException>(
            async () => await harness.Engine.GetMeasuresAsync(new GetMeasuresRequest { Tenant = "nobody" }, Token))).Error);
    }

    /// <summary>Five applied, of these one with a late write and one that trips a loop guard; a duplicate; a refusal.</summary>
    private static async Task MakeCountsAsync(EngineHarness harness)
    {
        var first = harness.Event("ada", "", EngineHarness.Text("stage", "a"), EngineHarness.Number("score", "0"));
        first.OccurredAt = Timestamp.FromDateTime(new DateTime(2025, 6, 1, 0, 0, 0, DateTimeKind.Utc));
        var late = harness.Event("ada", "", EngineHarness.Text("stage", "b"));
        late.OccurredAt = Timestamp.FromDateTime(new DateTime(2025, 5, 1, 0, 0, 0, DateTimeKind.Utc));
        await harness.SendAsync(first, late, harness.Event("bob"), harness.Event("cleo"));
        await harness.SendAsync(first.Clone());
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("score", "no number")));
        await harness.PublishAsync(Loop);
        await harness.SendAsync(harness.Event("dan", "spin"));
    }

    private static async Task<TenantMeasures> MeasuresAsync(EngineHarness harness, string tenant = EngineHarness.Tenant) =>
        Assert.Single((await harness.Engine.GetMeasuresAsync(new GetMeasuresRequest { Tenant = tenant }, Token)).Tenants);

    private static async Task<List<(string, double)>> AgesAsync(EngineHarness harness) =>
        [.. (await harness.Engine.GetMeasuresAsync(new GetMeasuresRequest(), Token)).Tenants.Select(t => (t.Tenant, t.QueueAge.ToTimeSpan().TotalSeconds))];

    private static async Task<TimeSpan> OutboxAgeAsync(EngineHarness harness) => (await MeasuresAsync(harness)).OutboxAge.ToTimeSpan();

    private static TaskCompletion Done(WorkTask task) => new() { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed };

    private static void See(Dictionary<string, double> seen, Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Assert.Equal([new(EngineInstruments.TenantTag, EngineHarness.Tenant)], tags.ToArray());
        lock (seen)
        {
            seen[instrument.Name] = value;
        }
    }

    private sealed class Meters : IMeterFactory
    {
        public List<Meter> Made { get; } = [];

        public Meter Create(MeterOptions options)
        {
            Made.Add(new Meter(options));
            return Made[^1];
        }

        public void Dispose() => Made.ForEach(m => m.Dispose());
    }
}
