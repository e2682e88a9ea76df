using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>Thousands of random commits, with checkpoints and reopenings in between, against the volatile store.</summary>
public sealed class SqliteModelTests
{
    [Theory]
    [InlineData(1, 1_000_000)]
    [InlineData(2, 1_000_000)]
    [InlineData(3, 1)]
    [InlineData(4, 20)]
    [InlineData(5, 100)]
    public async Task Random_commits_checkpoints_and_reopenings_are_as_in_memory(int seed, int checkpointDirtyRecords)
    {
        using var folder = new DataFolder();
        var options = new SqliteStoreOptions
        {
            Folder = folder.Path,
            CheckpointDirtyRecords = checkpointDirtyRecords,
            KnownRecordsMax = seed % 2 == 0 ? 0 : 1000,
            RecentLogBytes = seed % 2 == 0 ? 0 : 1 << 16,
        };
        var random = new Random(seed);
        var workload = new RandomWorkload(seed);
        await using var model = new VolatileRecordStore();
        var store = await SqliteRecordStore.OpenAsync(options, TestContext.Current.CancellationToken);
        for (var i = 0; i < 600; i++)
        {
            await workload.CommitAsync(model, store);
            await EvictAsync(store, workload.AnyNumber(random));
            switch (random.Next(60))
            {
                case 0:
                    await store.CheckpointAsync(TestContext.Current.CancellationToken);
                    break;
                case 1:
                    await store.DisposeAsync();
                    store = await SqliteRecordStore.OpenAsync(options, TestContext.Current.CancellationToken);
                    break;
                case 2:
                    Assert.Equal(await RandomWorkload.DumpAsync(model), await RandomWorkload.DumpAsync(store));
                    break;
            }
        }

        Assert.Equal(await RandomWorkload.DumpAsync(model), await RandomWorkload.DumpAsync(store));
        await store.DisposeAsync();
        store = await SqliteRecordStore.OpenAsync(options, TestContext.Current.CancellationToken);
        Assert.Equal(await RandomWorkload.DumpAsync(model), await RandomWorkload.DumpAsync(store));
        await store.DisposeAsync();
    }

    /// <summary>As a host does that had the head in memory.</summary>
    private static async Task EvictAsync(SqliteRecordStore store, long number)
    {
        var loaded = await store.LoadAsync(number, TestContext.Current.CancellationToken);
        if (loaded.Found)
        {
            store.KeepHead(number, loaded.Position, loaded.Head.Span);
        }
    }
}
