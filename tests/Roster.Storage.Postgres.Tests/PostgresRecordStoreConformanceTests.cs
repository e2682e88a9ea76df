using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Postgres.Tests;

/// <summary>The contract of the store, in a database of its own for each fact.</summary>
public sealed class PostgresRecordStoreConformanceTests : RecordStoreConformance
{
    protected override async ValueTask<IRecordStore> OpenAsync() => await PostgresRecordStore.OpenAsync(
        new PostgresStoreOptions { ConnectionString = await Databases.CreateAsync() }, TestContext.Current.CancellationToken);
}
