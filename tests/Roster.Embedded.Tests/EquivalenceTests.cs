using System.Text;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Sizes and boundaries do not matter: the same events give the same states.</summary>
public sealed class EquivalenceTests
{
    private const int Records = 3_000;

    private const string Nurture = """
        { "id": "nurture", "objectType": "contact",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } } },
          "goals": [ { "id": "won", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["won"] } ] } ] } } ],
          "steps": [
            { "id": "wait", "next": "hot", "delay": { "amount": 2, "unit": "DAYS" } },
            { "id": "hot", "branch": { "branches": [ { "name": "scored", "next": "mark", "criteria": { "anyOf": [ { "allOf": [ { "property": "score", "operator": "IS_GREATER_THAN", "values": ["10"] } ] } ] } } ], "defaultNext": "" } },
            { "id": "mark", "next": "task", "setProperty": { "property": "stage", "value": "mql" } },
            { "id": "task", "worker": { "queue": "mail", "wait": false } } ] }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly Lazy<Task<string>> Plain = new(() => RunAsync(new EmbeddedOptions { Shards = 2 }, 500));

    [Theory]
    [InlineData(1, 1, 1_000)]
    [InlineData(2, 1, 20_000)]
    [InlineData(2, 1, 37)]
    public async Task Eviction_with_a_tiny_cache_equals_no_eviction(int shards, int megabytes, int batch) =>
        Assert.Equal(await Plain.Value, await RunAsync(new EmbeddedOptions { Shards = shards, CacheBytes = megabytes << 20 }, batch));

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(20_000)]
    public async Task S37_Batch_boundaries_do_not_matter(int batch) => Assert.Equal(await Plain.Value, await RunAsync(new EmbeddedOptions { Shards = 2 }, batch));

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(64)]
    public async Task S38_The_number_of_shards_does_not_matter(int shards) => Assert.Equal(await Plain.Value, await RunAsync(new EmbeddedOptions { Shards = shards, CacheBytes = 2 << 20 }, 500));

    [Fact]
    public async Task Record_numbers_grow_by_the_number_of_records_and_not_from_reservation_to_reservation()
    {
        // A number is a sequence times 256 plus a shard: a store that takes numbers for sequences runs out of them after a few restarts.
        var store = new VolatileRecordStore();
        var clock = new ManualClock(EngineHarness.Start);
        for (var start = 0; start < 12; start++)
        {
            var harness = await EngineHarness.StartAsync(new EmbeddedOptions { Shards = 1 }, store, clock);
            Assert.Empty(await harness.SendAsync(harness.Event($"r{start}", "", EngineHarness.Text("stage", "x"))));
            await harness.Engine.DisposeAsync();
        }

        var records = await store.ScanRecordsAsync(0, 100, Token);
        Assert.Equal(12, records.Count);
        Assert.True(records[^1].Number < 12 * 1_024 * 256, $"The highest record number is {records[^1].Number}.");
    }

    private static async Task<string> RunAsync(EmbeddedOptions options, int batch)
    {
        await using var harness = await EngineHarness.StartAsync(options, new VolatileRecordStore());
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Text("stage", "x"), EngineHarness.Number("score", "1"), EngineHarness.Text("note", "n")));
        await harness.PublishAsync(Nurture);
        var random = new Random(17);
        for (var day = 0; day < 4; day++)
        {
            var events = Enumerable.Range(0, 4_000).Select(_ => NewEvent(harness, random)).ToArray();
            var pending = new List<Task>();
            foreach (var chunk in events.Chunk(batch))
            {
                pending.Add(harness.SendAsync(chunk));
                if (pending.Count == 64)
                {
                    await Task.WhenAll(pending);
                    pending.Clear();
                }
            }

            await Task.WhenAll(pending);
            await harness.AdvanceAsync(TimeSpan.FromDays(1));
        }

        await harness.VerifyAsync();
        var seen = new StringBuilder((await harness.StatsAsync("nurture")).ToString());
        for (var i = 0; i < Records; i += 7)
        {
            seen.Append(await harness.Engine.GetRecordAsync(EngineHarness.Tenant, new RecordRef { ObjectType = "contact", RecordId = $"r{i}" }, Token)).Append('\n');
        }

        return seen.ToString();
    }

    private static Event NewEvent(EngineHarness harness, Random random)
    {
        var record = $"r{random.Next(Records)}";
        return random.Next(4) switch
        {
            0 => harness.Event(record, "", EngineHarness.Number("score", $"{random.Next(20)}")),
            1 => harness.Event(record, "", EngineHarness.Text("note", new string('n', random.Next(600)))),
            2 => harness.Event(record, "", EngineHarness.Text("stage", "lead")),
            _ => harness.Event(record, "", EngineHarness.Text("stage", random.Next(3) == 0 ? "won" : "cold")),
        };
    }
}
