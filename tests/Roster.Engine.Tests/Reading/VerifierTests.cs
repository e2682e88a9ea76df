using Roster.Core;
using Roster.Embedded.Tests;
using Roster.Engine.Reading;
using Roster.Engine.Stores;

namespace Roster.Engine.Tests.Reading;

/// <summary>A check that finds nothing must be known to find something.</summary>
public sealed class VerifierTests
{
    private readonly FaultStore _store = new(new VolatileRecordStore());
    private readonly Actors _actors;

    public VerifierTests()
    {
        _actors = new Actors(_store, new ManualClock(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        _actors.Set("seed", "stage", "x");
        _actors.Publish("""
            { "id": "w", "objectType": "contact", "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } } },
              "steps": [ { "id": "t", "next": "d", "worker": { "queue": "mail", "wait": false } }, { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
            """);
        _actors.Set("ada", "stage", "lead");
        _actors.Set("ada", "name", "Ada");
        _actors.Set("bob", "stage", "x");
    }

    [Fact]
    public async Task A_sound_store_has_no_difference()
    {
        var verified = await VerifyAsync();
        Assert.Empty(verified.Differences);
        Assert.Equal(verified.StateHash, verified.ReplayHash);
        Assert.Equal(4, verified.Turns);
        Assert.True(verified.Counters > 5);
    }

    [Fact]
    public async Task It_finds_a_state_that_its_journal_does_not_give()
    {
        _store.OnScan = records => [.. records.Select((r, i) => i == 1 ? r with { Head = Flipped(r.Head) } : r)];
        var verified = await VerifyAsync();
        Assert.Contains(verified.Differences, d => d.Contains("state of record", StringComparison.Ordinal));
        Assert.NotEqual(verified.StateHash, verified.ReplayHash);
    }

    [Fact]
    public async Task It_finds_a_missing_record()
    {
        _store.OnScan = records => [.. records.Skip(1)];
        Assert.Contains((await VerifyAsync()).Differences, d => d.Contains("2 records, the journal has 3", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_finds_a_wrong_a_missing_and_an_extra_counter()
    {
        _store.OnReadCounters = counters => [.. counters.Skip(1).Select((c, i) => i == 0 ? KeyValuePair.Create(c.Key, c.Value + 1) : c), KeyValuePair.Create(new CounterKey(1, 9, 9, CounterKind.Enrolled, 0, 0), 1L)];
        Assert.Equal(3, (await VerifyAsync()).Differences.Count);
    }

    [Fact]
    public async Task It_finds_a_missing_timer_and_one_that_nobody_wants()
    {
        _store.OnReadTimers = (_, _) => [];
        Assert.Contains((await VerifyAsync()).Differences, d => d.Contains("timers", StringComparison.Ordinal));
        _store.OnReadTimers = (after, _) => after == default ? [new TimerEntry(new Timestamp(5), 1), new TimerEntry(new Timestamp(6), 2)] : [];
        Assert.Contains((await VerifyAsync()).Differences, d => d.Contains("timers", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_finds_a_task_too_many()
    {
        _store.OnReadQueues = queues => [.. queues, new EffectQueueCount(1, "ghost", 1)];
        Assert.Contains((await VerifyAsync()).Differences, d => d.Contains("open tasks", StringComparison.Ordinal));
    }

    private async Task<V1.VerifyResponse> VerifyAsync() => await new Verifier(_store, _actors.Tenants).VerifyAsync(TestContext.Current.CancellationToken);

    private static byte[] Flipped(ReadOnlyMemory<byte> head)
    {
        var bytes = head.ToArray();
        bytes[^1] ^= 1;
        return bytes;
    }
}
