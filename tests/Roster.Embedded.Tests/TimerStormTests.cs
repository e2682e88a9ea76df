using Google.Protobuf;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Many timers at once, on a clock that runs: order, once, never early, and room for others (DLY-16, DLY-17).</summary>
public sealed class TimerStormTests
{
    private const int Many = 3_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly RunningClock _clock = new(EngineHarness.Start);
    private readonly List<long> _turns = [];
    private int _ids;
    private int _wanted = int.MaxValue;
    private TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task DLY_16_DLY_17_A_storm_fires_oldest_first_each_once_and_lets_events_through()
    {
        await using var store = await OpenStoreAsync();
        await using var engine = await StartAsync(store);
        await PublishAsync(engine, "w", "");
        await IngestAsync(engine, "go", Many);
        var timers = await store.ReadTimersAsync(default, Many + 1, Token);
        Assert.Equal(Many, timers.Count);
        Forget();

        // Just before the instant nothing has fired: all turns are those of the event that is sent then.
        _clock.Move(TimeSpan.FromHours(1) - TimeSpan.FromMilliseconds(1));
        await IngestAsync(engine, "seen", 1, "other");
        Assert.Single(Forget());
        var other = new TaskCompletionSource<Task>();
        store.OnCommit = batch =>
        {
            Note(batch);
            if (!other.Task.IsCompleted)
            {
                other.SetResult(IngestAsync(engine, "seen", 1, "another"));
            }
        };
        var done = Reach(Many + 1);
        _clock.Move(TimeSpan.FromMilliseconds(1));
        await done;
        await await other.Task;
        var turns = Forget();
        var numbers = timers.Select(t => t.RecordNumber).ToHashSet();
        Assert.Equal(timers.Select(t => t.RecordNumber), turns.Where(numbers.Contains));

        // The event was sent when the first timers were committed. At most a chunk of timers is before it.
        Assert.InRange(turns.FindIndex(n => !numbers.Contains(n)), 0, 2_048);

        // Commits are in order: when this one is durable the timers are.
        await IngestAsync(engine, "seen", 1, "last");
        Assert.Empty(await store.ReadTimersAsync(default, 10, Token));
        Assert.Empty((await engine.VerifyAsync(Token)).Differences);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"catchUp\": \"SKIP\",")]
    [InlineData("\"catchUp\": \"SPREAD\", \"catchUpSpread\": \"1800s\", \"catchUpGrace\": \"3600s\",")]
    public async Task DLY_17_At_restart_overdue_timers_fire_at_once_oldest_first_by_the_policy(string policy)
    {
        const int Few = 200;
        await using var store = await OpenStoreAsync();
        await using (var engine = await StartAsync(store))
        {
            await PublishAsync(engine, "w", policy);
            for (var i = 0; i < Few; i++)
            {
                await IngestAsync(engine, "go", 1);
                _clock.Move(TimeSpan.FromSeconds(1));
            }
        }

        var timers = await store.ReadTimersAsync(default, Few + 1, Token);
        Forget();
        var fired = Reach(Few);
        _clock.Move(TimeSpan.FromDays(1));
        await using var again = await StartAsync(store);
        await fired;
        Assert.Equal(timers.Select(t => t.RecordNumber), Forget());
        var now = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (policy.Contains("SPREAD", StringComparison.Ordinal))
        {
            await IngestAsync(again, "seen", 1, "other");
            var moved = await store.ReadTimersAsync(default, Few + 1, Token);
            Assert.Equal(Few, moved.Count);
            Assert.All(moved, t => Assert.InRange(t.DueAt.Ms, now + 1, now + 1_800_000));
            Assert.True(moved.Select(t => t.DueAt).Distinct().Count() > Few / 2);
            Forget();
            fired = Reach(Few);
            _clock.Move(TimeSpan.FromMinutes(30));
            await fired;
        }

        var isSkipped = policy.Contains("SKIP", StringComparison.Ordinal);
        await IngestAsync(again, "seen", 1, "last");
        var stats = await again.GetWorkflowStatsAsync(EngineHarness.Tenant, new GetWorkflowStatsRequest { WorkflowId = "w" }, Token);
        Assert.Equal((Few, Few), (stats.Completed, stats.Steps.Single(s => s.StepId == "mark").Entered));
        Assert.Equal(isSkipped ? 0 : Few, stats.Steps.Single(s => s.StepId == "mark").Succeeded);
        Assert.Empty(await store.ReadTimersAsync(default, 10, Token));
    }

    [Fact]
    public async Task DLY_16_A_timer_that_was_sent_fires_even_when_the_clock_goes_back_meanwhile()
    {
        await using var store = await OpenStoreAsync();
        await using (var engine = await StartAsync(store))
        {
            await PublishAsync(engine, "w", "");
            await IngestAsync(engine, "go", 5);
        }

        Forget();
        var fired = Reach(5);

        // The records are not in memory after the restart: while they are read the clock goes back.
        store.OnLoadNumbers = _ => _clock.Back = TimeSpan.FromMinutes(10);
        await using var again = await StartAsync(store);
        _clock.Move(TimeSpan.FromHours(1));
        await fired;
        Assert.Equal(5, Forget().Count);

        // Commits are in order: when this one is durable the timers are.
        await IngestAsync(again, "seen", 1, "last");
        Assert.Equal(5, (await again.GetWorkflowStatsAsync(EngineHarness.Tenant, new GetWorkflowStatsRequest { WorkflowId = "w" }, Token)).Completed);
    }

    private static async Task<FaultStore> OpenStoreAsync() => new(await EngineHarness.OpenStore());

    private async Task<EmbeddedEngine> StartAsync(FaultStore store)
    {
        store.OnCommit = Note;
        return await EmbeddedEngine.StartAsync(new EmbeddedOptions { Shards = 1 }, store, _clock, Token);
    }

    private static async Task PublishAsync(EmbeddedEngine engine, string id, string policy)
    {
        await EngineCalls.AcceptUndeclaredAsync(engine);
        await engine.IngestAsync(EngineHarness.Tenant, [new Event { EventId = "seed", ObjectType = "contact", RecordId = "seed", Writes = { EngineHarness.Text("stage", "x") } }], Token);
        await EngineCalls.PublishAsync(engine, $$"""
            { "id": "{{id}}", "objectType": "contact", {{policy}}
              "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
              "steps": [ { "id": "wait", "next": "mark", "delay": { "amount": 1, "unit": "HOURS" } }, { "id": "mark", "setProperty": { "property": "stage", "value": "done" } } ] }
            """);
    }

    private async Task IngestAsync(EmbeddedEngine engine, string type, int count, string record = "r")
    {
        var events = Enumerable.Range(0, count).Select(_ => new Event { EventId = $"e{++_ids}", ObjectType = "contact", RecordId = $"{record}-{_ids}", Type = type }).ToArray();
        Assert.Empty(await engine.IngestAsync(EngineHarness.Tenant, events, Token));
    }

    private void Note(TurnBatch batch)
    {
        lock (_turns)
        {
            foreach (ref readonly var turn in batch.Turns)
            {
                _turns.Add(turn.RecordNumber);
            }

            if (_turns.Count >= _wanted)
            {
                _reached.TrySetResult();
            }
        }
    }

    /// <summary>Completes when so many turns are about to be committed.</summary>
    private Task Reach(int turns)
    {
        lock (_turns)
        {
            _wanted = turns;
            _reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _reached.Task.WaitAsync(Token);
        }
    }

    private List<long> Forget()
    {
        lock (_turns)
        {
            _wanted = int.MaxValue;
            List<long> turns = [.. _turns];
            _turns.Clear();
            return turns;
        }
    }
}
