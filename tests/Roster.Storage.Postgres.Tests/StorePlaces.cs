using Roster.Engine.Moving;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite;

namespace Roster.Storage.Postgres.Tests;

/// <summary>Where a store is, whatever it is of: it can be opened again and again, and taken a tenant into.</summary>
internal abstract class StorePlace : IDisposable
{
    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<StorePlace> CreateAsync(string kind) => kind switch
    {
        "volatile" => new VolatilePlace(),
        "sqlite" => new SqlitePlace(),
        _ => new PostgresPlace(await Databases.CreateAsync()),
    };

    /// <summary>Opens the store, which is made when there is none.</summary>
    public abstract Task<IMovableStore> OpenAsync();

    /// <summary>Takes in the tenant of a file.</summary>
    public abstract Task<TenantSummary> ImportAsync(Stream file);

    /// <summary>Whether nothing at all is there.</summary>
    public virtual async Task<bool> IsEmptyAsync()
    {
        await using var store = await OpenAsync();
        return store.Status == default && (await store.ReadDocumentsAsync(Cancel)).Count == 0 && (await store.ReadJournalAsync(0, 1, Cancel)).Count == 0
            && (await store.ScanRecordsAsync(0, 1, Cancel)).Count == 0 && (await store.ReadEffectQueuesAsync(Cancel)).Count == 0 && (await store.ReadCountersAsync(1, Cancel)).Count == 0;
    }

    public async Task<byte[]> ExportAsync(string tenant = "acme")
    {
        await using var store = await OpenAsync();
        using var file = new MemoryStream();
        await TenantMove.ExportAsync(store, tenant, file, DateTimeOffset.UnixEpoch, Cancel);
        return file.ToArray();
    }

    public async Task<TenantSummary> HashAsync(string tenant = "acme")
    {
        await using var store = await OpenAsync();
        return await TenantMove.HashAsync(store, tenant, Cancel);
    }

    public virtual void Dispose()
    {
    }

    private sealed class VolatilePlace : StorePlace
    {
        private readonly VolatileRecordStore _store = new();

        public override Task<IMovableStore> OpenAsync() => Task.FromResult<IMovableStore>(_store);

        public override async Task<TenantSummary> ImportAsync(Stream file)
        {
            await using var import = _store.BeginImport();
            return await TenantMove.ImportAsync(file, import, Cancel);
        }
    }

    private sealed class SqlitePlace : StorePlace
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-move-");

        private string Data => Path.Combine(_folder.FullName, "data");

        public override async Task<IMovableStore> OpenAsync() => await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = Data }, Cancel);

        public override async Task<TenantSummary> ImportAsync(Stream file)
        {
            await using var import = SqliteFolder.BeginImport(Data);
            var summary = await TenantMove.ImportAsync(file, import, Cancel);
            var report = await SqliteFolder.CheckAsync(Data, isDeep: true, Cancel);
            Assert.Equal([], report.Faults);
            return summary;
        }

        public override Task<bool> IsEmptyAsync() => Task.FromResult(!_folder.EnumerateFileSystemInfos().Any());

        public override void Dispose() => _folder.Delete(recursive: true);
    }

    private sealed class PostgresPlace(string database) : StorePlace
    {
        public override async Task<IMovableStore> OpenAsync() => await OpenStoreAsync();

        public override async Task<TenantSummary> ImportAsync(Stream file)
        {
            await using var store = await OpenStoreAsync();
            await using var import = await store.BeginImportAsync(Cancel);
            return await TenantMove.ImportAsync(file, import, Cancel);
        }

        private Task<PostgresRecordStore> OpenStoreAsync() =>
            PostgresRecordStore.OpenAsync(new PostgresStoreOptions { ConnectionString = database, PartitionPositions = 1_000, MayTakeOver = false }, Cancel);
    }
}
