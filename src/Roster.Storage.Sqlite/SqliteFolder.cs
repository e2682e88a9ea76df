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

    private static StoreBackup Restore(string backup, string target, CancellationToken cancellationToken)
    {
        Database.CheckLibrary();
        var manifest = BackupManifest.Read(backup);
        var partial = BackupFolder.CreatePartial(target);
        try
        {
            BackupFolder.Copy(backup, manifest, partial, cancellationToken);
            BackupFolder.Sign(partial, Guid.NewGuid().ToString("N"), manifest.Store, sequence: null);
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
