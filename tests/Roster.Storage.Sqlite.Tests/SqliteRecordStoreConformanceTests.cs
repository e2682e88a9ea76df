using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>The contract, with everything in the log and nothing in the tables.</summary>
public sealed class SqliteRecordStoreConformanceTests : RecordStoreConformance
{
    private readonly DataFolder _folder = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    protected override async ValueTask<IRecordStore> OpenAsync() => await _folder.OpenAsync();
}

/// <summary>The contract, with a checkpoint after every turn and nothing kept in memory that a table has.</summary>
public sealed class CheckpointedSqliteRecordStoreConformanceTests : RecordStoreConformance
{
    private readonly DataFolder _folder = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    protected override async ValueTask<IRecordStore> OpenAsync() => await SqliteRecordStore.OpenAsync(
        new SqliteStoreOptions { Folder = _folder.Path, CheckpointDirtyRecords = 1, KnownRecordsMax = 0, RecentLogBytes = 0 },
        TestContext.Current.CancellationToken);
}
