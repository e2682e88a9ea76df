using System.Globalization;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Storage.Sqlite.Internal;
using Roster.V1;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>The engine over files that cannot grow, and over a disk whose flushes fail.</summary>
public sealed class DiskFaultTests : IDisposable
{
    private readonly DataFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_full_disk_is_RESOURCE_EXHAUSTED_loses_nothing_acknowledged_and_heals()
    {
        Database? log = null;
        await using var harness = await EngineHarness.StartAsync(store: await _folder.OpenAsync(new StoreHooks { LogOpened = database => log = database }));
        await SendAsync(harness, "before", "a");
        log!.Execute($"PRAGMA max_page_count = {Pages(log)}");
        var refused = 0;
        for (var i = 0; i < 5; i++)
        {
            var refusal = await Assert.ThrowsAsync<RosterException>(() => SendAsync(harness, "large", new string('x', 30_000)));
            Assert.Equal(RosterError.Overloaded, refusal.Error);
            refused++;
        }

        // What was acknowledged is there, in this process and after a crash.
        Assert.Equal(5, refused);
        Assert.Equal("a", await ValueAsync(harness, "before"));
        Assert.Null(await FindAsync(harness, "large"));
        using (var image = _folder.CrashImage())
        {
            await using var crashed = await EngineHarness.StartAsync(store: await image.OpenAsync(), clock: harness.Clock);
            Assert.Equal("a", await ValueAsync(crashed, "before"));
            Assert.Null(await FindAsync(crashed, "large"));
        }

        log.Execute("PRAGMA max_page_count = 1000000");
        await SendAsync(harness, "large", "b");
        await SendAsync(harness, "before", "c");
        Assert.Equal("b", await ValueAsync(harness, "large"));
        Assert.Equal("c", await ValueAsync(harness, "before"));
        await harness.VerifyAsync();
        Assert.False(harness.Engine.Failed.IsCompleted);
    }

    [Fact]
    public async Task Full_tables_hold_up_checkpoints_and_no_event()
    {
        Database? tables = null;
        await using var harness = await EngineHarness.StartAsync(store: await _folder.OpenAsync(new StoreHooks { TablesOpened = database => tables = database }));
        await SendAsync(harness, "ada", "a");
        tables!.Execute($"PRAGMA max_page_count = {Pages(tables)}");
        for (var i = 0; i < 50; i++)
        {
            await SendAsync(harness, $"r{i}", new string('x', 1_000));
        }

        await Assert.ThrowsAsync<Roster.Engine.Stores.StoreFullException>(() => harness.Store.CheckpointAsync(Cancel).AsTask());
        await SendAsync(harness, "ada", "b");
        tables.Execute("PRAGMA max_page_count = 1000000");
        await harness.Store.CheckpointAsync(Cancel);
        Assert.Equal("b", await ValueAsync(harness, "ada"));
        await harness.VerifyAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failed_flush_stops_the_engine_before_any_acknowledgement(bool isWritten)
    {
        var hooks = new StoreHooks();
        var harness = await EngineHarness.StartAsync(store: await _folder.OpenAsync(hooks));
        await SendAsync(harness, "ada", "a");
        hooks.LogCommit = isDone =>
        {
            if (isDone == isWritten)
            {
                throw new IOException("The flush failed.");
            }
        };
        await Assert.ThrowsAsync<RosterException>(() => SendAsync(harness, "ada", "b", "the one"));
        Assert.Equal("The flush failed.", (await Assert.ThrowsAsync<IOException>(() => harness.Engine.Failed)).Message);

        // Not even when the disk seems well again: what the failed flush left in memory of the kernel is not known.
        hooks.LogCommit = null;
        Assert.Equal(RosterError.Unavailable, (await Assert.ThrowsAsync<RosterException>(() => harness.Engine.IngestAsync(EngineHarness.Tenant, [harness.Event("bob")], Cancel).AsTask())).Error);
        await harness.DisposeAsync();
        await using var again = await EngineHarness.StartAsync(store: await _folder.OpenAsync(), clock: harness.Clock);
        Assert.Equal(isWritten ? "b" : "a", await ValueAsync(again, "ada"));
        Assert.Null(await FindAsync(again, "bob"));

        // The client heard nothing, and sends again.
        // (What was applied is not listed among the results.)
        var results = await SendAsync(again, "ada", "b", "the one");
        Assert.Equal(isWritten ? [EventResult.Types.Code.Duplicate] : [], results.Select(r => r.Result.Code));
        Assert.Equal("b", await ValueAsync(again, "ada"));
        await again.VerifyAsync();
    }

    private static Task<IReadOnlyList<IndexedResult>> SendAsync(EngineHarness harness, string record, string stage, string? eventId = null)
    {
        var sent = harness.Event(record, "", EngineHarness.Text("stage", stage));
        sent.EventId = eventId ?? $"{record} {stage[..1]}";
        return harness.SendAsync(sent);
    }

    private static async Task<string> ValueAsync(EngineHarness harness, string record) =>
        (await harness.RecordAsync(record)).Properties.Single(p => p.Name == "stage").Value.Text;

    private static async Task<Roster.V1.Record?> FindAsync(EngineHarness harness, string record) =>
        await harness.Engine.GetRecordAsync(EngineHarness.Tenant, new RecordRef { ObjectType = "contact", RecordId = record }, Cancel);

    private static int Pages(Database database) => int.Parse(database.Query("PRAGMA page_count")!, CultureInfo.InvariantCulture);
}
