using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>A folder of its own for a test; gone afterwards.</summary>
public sealed class DataFolder : IDisposable
{
    private static readonly string[] Files = ["log.db", "log.db-wal", "tables.db", "tables.db-wal"];

    public string Path { get; } = Directory.CreateTempSubdirectory("roster-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);

    /// <summary>What a crash at this moment would leave: the files as they are, without what SQLite rebuilds.</summary>
    public DataFolder CrashImage()
    {
        var image = new DataFolder();
        foreach (var file in Files.Where(f => File.Exists(System.IO.Path.Combine(Path, f))))
        {
            using var from = new FileStream(System.IO.Path.Combine(Path, file), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var to = File.Create(System.IO.Path.Combine(image.Path, file));
            from.CopyTo(to);
        }

        return image;
    }

    internal SqliteStoreOptions Options(StoreHooks? hooks = null) => new() { Folder = Path, Hooks = hooks };

    internal Task<SqliteRecordStore> OpenAsync(StoreHooks? hooks = null) =>
        SqliteRecordStore.OpenAsync(Options(hooks), TestContext.Current.CancellationToken);
}
