using Google.Protobuf;
using Roster.Engine.Hosting;
using Roster.Engine;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Timers and other work share a shard: neither waits for all of the other.</summary>
public sealed class ShardFairnessTests
{
    private const int Timers = 1_500;
    private const string Waits = """
        { "id": "w", "objectType": "contact",
          "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
          "steps": [ { "id": "wait", "delay": { "amount": 1, "unit": "HOURS" } } ] }
        """;

    private readonly RunningClock _clock = new(EngineHarness.Start);
    private readonly List<char> _turns = [];
    private Action<string> _beforeTurn = _ => { };
    private int _ids;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DLY_17_A_flood_of_events_and_a_storm_of_timers_take_turns()
    {
        using var entered = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var sent = new TaskCompletionSource();
        await using var engine = await StartAsync(sent);
        _beforeTurn = _ =>
        {
            if (!sent.Task.IsCompleted)
            {
                entered.Release();
                goOn.Wait(Token);
            }
        };
        var first = IngestAsync(engine, 1);
        await entered.WaitAsync(Token);
        Task[] flood = [first, .. Enumerable.Range(0, 100).Select(_ => IngestAsync(engine, 10))];
        _clock.Move(TimeSpan.FromHours(1));
        await sent.Task.WaitAsync(Token);
        lock (_turns)
        {
            _turns.Clear();
        }

        goOn.Release();
        await Task.WhenAll(flood);

        // Until one of them is through, each has had as many turns as the other, but for the items at hand.
        List<char> turns;
        lock (_turns)
        {
            turns = [.. _turns];
        }

        var (events, timers) = (0, 0);
        foreach (var turn in turns.TakeWhile(_ => events < 1_000 && timers < 1_000))
        {
            (events, timers) = turn == 't' ? (events, timers + 1) : (events + 1, timers);
            Assert.InRange(timers - events, -11, 11);
        }

        Assert.True(events >= 900 && timers >= 900, $"{events} events, {timers} timers");
    }

    [Fact]
    public async Task DLY_17_An_event_that_comes_in_a_storm_of_timers_waits_for_a_bounded_number_of_them()
    {
        Task? late = null;
        var isStorm = false;
        await using var engine = await StartAsync(new TaskCompletionSource());
        _beforeTurn = id =>
        {
            lock (_turns)
            {
                if (late is null && id[0] == 't' && isStorm && _turns.Count > 100)
                {
                    _turns.Clear();
                    Volatile.Write(ref late, IngestAsync(engine, 1));
                }
            }
        };
        lock (_turns)
        {
            _turns.Clear();
            isStorm = true;
        }

        _clock.Move(TimeSpan.FromHours(1));
        while (Volatile.Read(ref late) is null)
        {
            await Task.Yield();
        }

        await late!;
        lock (_turns)
        {
            Assert.InRange(_turns.IndexOf('e'), 0, Shard.TimersAtOnce);
        }
    }

    private async Task<EmbeddedEngine> StartAsync(TaskCompletionSource sent)
    {
        var engine = await EmbeddedEngine.StartAsync(
            new EmbeddedOptions
            {
                Shards = 1,
                TimersSent = () => sent.TrySetResult(),
                BeforeTurn = state =>
                {
                    _beforeTurn(state.Id);
                    lock (_turns)
                    {
                        _turns.Add(state.Id[0]);
                    }
                },
            },
            await EngineHarness.OpenStore(),
            _clock,
            Token);
        await EngineCalls.AcceptUndeclaredAsync(engine);
        await EngineCalls.PublishAsync(engine, Waits);
        await engine.IngestAsync(EngineHarness.Tenant, [.. Enumerable.Range(0, Timers).Select(i => NewEvent("go", $"t{i}"))], Token);

        // The first event of a type declares it, which waits for a commit; a test that sends one from within a turn must not.
        await IngestAsync(engine, 1);
        return engine;
    }

    private async Task IngestAsync(EmbeddedEngine engine, int count) =>
        await engine.IngestAsync(EngineHarness.Tenant, [.. Enumerable.Range(0, count).Select(i => NewEvent("seen", $"e{i}"))], Token);

    private Event NewEvent(string type, string record) =>
        new() { EventId = $"e{Interlocked.Increment(ref _ids)}", ObjectType = "contact", RecordId = record, Type = type };
}
