using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Postgres.Tests;

/// <summary>What every store does that removes old turns: here whole partitions.</summary>
public sealed class PostgresRetentionConformanceTests : RetentionConformance
{
    private string? _connectionString;

    protected override async Task<IRecordStore> OpenAsync() => await OpenAsync(retention: null);

    protected override async Task<IRecordStore> ReopenAndRemoveAsync(Func<IRecordStore, Task> commit)
    {
        await Databases.ExecuteAsync(_connectionString!, "UPDATE roster.partitions SET made_at = now() - interval '2 days'");
        var store = await OpenAsync(TimeSpan.FromDays(1));
        await commit(store);
        return store;
    }

    private async Task<IRecordStore> OpenAsync(TimeSpan? retention)
    {
        _connectionString ??= await Databases.CreateAsync();
        return await PostgresRecordStore.OpenAsync(
            new PostgresStoreOptions { ConnectionString = _connectionString, PartitionPositions = 16, JournalRetention = retention },
            TestContext.Current.CancellationToken);
    }
}
