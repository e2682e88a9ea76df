using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Postgres.Tests;

/// <summary>Random commits, with reopenings in between, against the volatile store.</summary>
public sealed class PostgresModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Random_commits_and_reopenings_are_as_in_memory(int seed)
    {
        var options = new PostgresStoreOptions { ConnectionString = await Databases.CreateAsync() };
        var random = new Random(seed);
        var workload = new RandomWorkload(seed);
        await using var model = new VolatileRecordStore();
        var store = await PostgresRecordStore.OpenAsync(options, TestContext.Current.CancellationToken);
        for (var i = 0; i < 300; i++)
        {
            await workload.CommitAsync(model, store);
            switch (random.Next(60))
            {
                case 0:
                    await store.DisposeAsync();
                    store = await PostgresRecordStore.OpenAsync(options, TestContext.Current.CancellationToken);
                    break;
                case 1:
                    Assert.Equal(await RandomWorkload.DumpAsync(model), await RandomWorkload.DumpAsync(store));
                    break;
            }
        }

        await store.DisposeAsync();
        store = await PostgresRecordStore.OpenAsync(options, TestContext.Current.CancellationToken);
        Assert.Equal(await RandomWorkload.DumpAsync(model), await RandomWorkload.DumpAsync(store));
        await store.DisposeAsync();
    }
}
