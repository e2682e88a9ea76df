using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <summary>What can be done with a data folder that no process has open.</summary>
public static class SqliteFolder
{
    /// <summary>
    /// Makes a data folder of a backup: checks the backup, copies it, checks the copy, and gives it an id of its own. The folder is there when
    /// it is complete and durable, and not before. A host draws a new owner epoch at every start, so no turn id of the
    /// original comes again.
    /// </summary>
    /// <param name="backup">A backup that <see cref="SqliteRecordStore.BackupAsync"/> made, as it was made.</param>
    /// <param name="folder">An absolute path; it must not exist, or be empty.</param>
    /// <param name="cancellationToken">Gives up; nothing is left.</param>
    /// <returns>What was restored.</returns>
    /// <exception cref="StoreRefusedException">The folder is not empty, its path is not absolute, or the other one is no backup of this version.</exception>
    /// <exception cref="StoreCorruptException">The backup is damaged, or was changed since it was taken.</exception>
    public static Task<StoreBackup> RestoreAsync(string backup, string folder, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(backup);
        BackupFolder.CheckTarget(folder);
        return Task.Run(() => Restore(backup, Path.TrimEndingDirectorySeparator(folder), cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Begins to make a data folder of a tenant that was elsewhere. The folder is there when the import is complete and durable, and not before. What a crash
    /// leaves beside it, under a name with <c>.partial-</c>, may be removed.
    /// </summary>
    /// <param name="folder">An absolute path; it must not exist, or be empty.</param>
    /// <exception cref="StoreRefusedException">The folder is not empty, or its path is not absolute.</exception>
    public static ITenantImport BeginImport(string folder) => new FolderImport(folder);

    /// <summary>
    /// Verifies a data folder without changing it: the structure of its files, their write-ahead logs, every checksum of the log, positions without a
    /// gap, that each turn names the one before it of its record, and that each row of a record is of the turn that it names. Reads all of both files.
    /// </summary>
    /// <param name="folder">The folder; a backup is one as well.</param>
    /// <param name="isDeep">Also compares states, sections, open tasks, counters and documents with what the journal gives. Holds a state per record in memory.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="StoreRefusedException">There is no such folder, a process has it open, or a file is of a later version.</exception>
    public static Task<FolderReport> CheckAsync(string folder, bool isDeep, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        return Task.Run(() => Check(folder, isDeep, cancellationToken), cancellationToken);
    }

    private static FolderReport Check(string folder, bool isDeep, CancellationToken cancellationToken)
    {
        Database.CheckLibrary();
        if (!Directory.Exists(folder))
        {
            throw new StoreRefusedException($"There is no folder {folder}.");
        }

        using var folderLock = FolderLock.Take(folder);
        return new FolderCheck(folder, isDeep, cancellationToken).Run();
    }

    private static StoreBackup Restore(string backup, string target, CancellationToken cancellationToken)
    {
        Database.CheckLibrary();
        var manifest = BackupManifest.Read(backup);
        var partial = BackupFolder.CreatePartial(target);
        try
        {
            BackupFolder.Copy(backup, manifest, partial, cancellationToken);
            BackupFolder.Sign(partial, Guid.NewGuid().ToString("N"), manifest.Store, sequence: null);
            var report = new FolderCheck(partial, isDeep: false, cancellationToken).Run();
            if (report.FaultCount > 0)
            {
                var first = report.Faults[0];
                throw new StoreCorruptException($"{backup} has {report.FaultCount} faults; the first: {first.File}, position {first.Position}: {first.What}. Use another backup.");
            }

            var files = BackupFolder.Flush(partial, cancellationToken);
            BackupFolder.CheckTarget(target);
            DurableFiles.Publish(partial, target);
            return new StoreBackup(target, manifest.Position, manifest.Records, files.Sum(file => file.Bytes));
        }
        catch
        {
            Directory.Delete(partial, recursive: true);
            throw;
        }
    }
}
