using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Roster.Embedded;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.V1;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>The engine over this store, opened again and again.</summary>
public sealed class EmbeddedOverSqliteTests : IDisposable
{
    private readonly DataFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [ModuleInitializer]
    internal static void UseSqlite()
    {
        var folders = new ConcurrentBag<DataFolder>();
        EngineHarness.OpenStore = async () =>
        {
            var folder = new DataFolder();
            folders.Add(folder);
            return await folder.OpenAsync();
        };
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            foreach (var folder in folders)
            {
                folder.Dispose();
            }
        };
    }

    [Fact]
    public async Task The_tests_of_the_host_run_over_this_store()
    {
        await using var harness = await EngineHarness.StartAsync();
        Assert.Equal("sqlite", harness.Store.Name);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ENG_15_Links_copies_and_messages_on_their_way_survive_a_crash(bool hasCheckpoint)
    {
        await using var harness = await EngineHarness.StartAsync(store: await _folder.OpenAsync());
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Text("tier", "x")));
        await harness.ListAsync("""
            { "id": "close", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "contact", "allOf": [
              { "property": "tier", "operator": "IS_EQUAL_TO", "values": ["vip"] } ] } } ] } ] } }
            """);
        await harness.SettleAsync();
        for (var chunk = 0; chunk < 5; chunk++)
        {
            var e = harness.Event("hub");
            e.Associations.AddRange(Enumerable.Range(chunk * 60, 60).Select(i => new AssociationChange { ObjectType = "contact", RecordId = $"c{i}" }));
            await harness.SendAsync(e);
            if (hasCheckpoint && chunk == 2)
            {
                await harness.SettleAsync();
                await harness.Engine.CheckpointAsync(Cancel);
            }
        }

        await harness.SendAsync(harness.Event("hub", "", EngineHarness.Text("tier", "vip")));
        using var image = _folder.CrashImage();
        await using var again = await EngineHarness.StartAsync(store: await image.OpenAsync(), clock: harness.Clock);
        await again.SettleAsync();
        Assert.Equal(300, (await again.Engine.GetListAsync(EngineHarness.Tenant, new GetListRequest { ListId = "close" }, Cancel)).Members);
        Assert.Equal(300, (await again.RecordAsync("hub")).AssociationCount);
        Assert.Empty(await again.Store.ReadEffectQueuesAsync(Cancel));
        await again.VerifyAsync();
    }

    [Fact]
    public async Task Record_numbers_grow_by_the_number_of_records_and_not_from_start_to_start()
    {
        // A number is a sequence times 256 plus a shard: a store that takes numbers for sequences runs out of them after a few restarts.
        const int Starts = 12;
        var clock = new ManualClock(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        for (var start = 0; start < Starts; start++)
        {
            await using var store = await _folder.OpenAsync();
            await using var engine = await EmbeddedEngine.StartAsync(new EmbeddedOptions(), store, clock, Cancel);
            var results = await engine.IngestAsync("acme", [new Event { EventId = "e", ObjectType = "contact", RecordId = $"r{start}" }], Cancel);
            Assert.Empty(results);
        }

        await using var last = await _folder.OpenAsync();
        var records = await last.ScanRecordsAsync(0, 100, Cancel);
        Assert.Equal(Starts, records.Count);
        Assert.True(records[^1].Number < Starts * 2L * 65_536 * 256, $"The highest record number is {records[^1].Number}.");
    }
}
