using System.Globalization;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>The folder of a backup, or one that a backup is restored to, while it is made.</summary>
internal static class BackupFolder
{
    public static readonly IReadOnlyList<string> Files = [TableFile.FileName, LogFile.FileName];

    /// <summary>Refuses a folder in which there is something: nothing is ever overwritten.</summary>
    /// <exception cref="StoreRefusedException">It is not empty, not a folder, or its path is not absolute.</exception>
    public static void CheckTarget(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        if (!Path.IsPathFullyQualified(folder))
        {
            throw new StoreRefusedException($"The path {folder} is not absolute; name the folder from the root on.");
        }

        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
        {
            throw new StoreRefusedException($"{folder} is not empty. Name a folder that does not exist, or an empty one.");
        }
    }

    /// <summary>A folder beside the target that nobody takes for it. What a crash leaves of it may be removed.</summary>
    public static string CreatePartial(string target)
    {
        var partial = $"{target}.partial-{Guid.NewGuid():N}";
        Directory.CreateDirectory(partial);
        return partial;
    }

    /// <summary>
    /// Gives the files an id that no other store has, so that a file of one is never taken for a file of another: both go on from the same position,
    /// and not with the same turns.
    /// </summary>
    /// <param name="folder">Where they are; nobody has them open.</param>
    /// <param name="store">The id.</param>
    /// <param name="origin">The store that they are a copy of.</param>
    /// <param name="sequence">First record number that was never reserved; null leaves it as it is.</param>
    /// <exception cref="StoreCorruptException">The tables are damaged.</exception>
    public static void Sign(string folder, string store, string origin, long? sequence)
    {
        using (var tables = Database.OpenNew(Path.Combine(folder, TableFile.FileName), 0))
        {
            CheckIntegrity(tables);
            tables.Execute($"INSERT OR REPLACE INTO meta(name, value) VALUES('store', '{store}'), ('{MetaNames.Origin}', '{origin}')");
            if (sequence is { } first)
            {
                tables.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT OR REPLACE INTO meta(name, value) VALUES('{MetaNames.Sequence}', {first})"));
            }
        }

        using var log = Database.OpenNew(Path.Combine(folder, LogFile.FileName), 0);
        log.Execute($"INSERT OR REPLACE INTO meta(name, value) VALUES('store', '{store}')");
    }

    /// <summary>Waits until the files are on the disk, and reads them for their checksums.</summary>
    public static IReadOnlyList<BackupFile> Flush(string folder, CancellationToken cancellationToken)
    {
        var files = new List<BackupFile>();
        foreach (var name in Files)
        {
            var path = Path.Combine(folder, name);
            DurableFiles.Flush(path);
            files.Add(new BackupFile(name, new FileInfo(path).Length, DurableFiles.Checksum(path, cancellationToken)));
        }

        return files;
    }

    /// <summary>Copies the files of a backup, each as its manifest says that it is.</summary>
    /// <exception cref="StoreCorruptException">A file is missing or is not as it was.</exception>
    public static void Copy(string backup, BackupManifest manifest, string folder, CancellationToken cancellationToken)
    {
        foreach (var name in Files)
        {
            var path = Path.Combine(backup, name);
            var stated = manifest.Files.FirstOrDefault(file => file.Name == name);
            if (stated is null || !File.Exists(path) || new FileInfo(path).Length != stated.Bytes
                || DurableFiles.Copy(path, Path.Combine(folder, name), cancellationToken) != stated.Crc32C)
            {
                throw new StoreCorruptException(
                    $"{path} is missing, damaged, or was written to since the backup was taken. A backup is restored and never opened itself. Use another backup.");
            }
        }
    }

    private static void CheckIntegrity(Database database)
    {
        if (database.Query("PRAGMA integrity_check(1)") is var found && found != "ok")
        {
            throw new StoreCorruptException($"{database.Path} is damaged: {found}. Restore the data folder from a backup.");
        }
    }
}
