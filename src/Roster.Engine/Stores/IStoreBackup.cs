namespace Roster.Engine.Stores;

/// <summary>A store that can copy itself while it is in use.</summary>
public interface IStoreBackup
{
    /// <summary>
    /// Copies the store into a folder that holds one moment of it: every turn that was acknowledged before the call, and each later one either
    /// with all that went before it or not at all. Commits and reads go on meanwhile; erasure waits. The folder is there when it is complete
    /// and durable, and not before.
    /// </summary>
    /// <param name="folder">An absolute path on the machine of the store; it must not exist, or be empty.</param>
    /// <param name="cancellationToken">Gives up; nothing is left.</param>
    /// <exception cref="StoreRefusedException">The folder is not empty, or its path is not absolute.</exception>
    /// <exception cref="StoreFullException">There is no room for the copy. The store itself goes on.</exception>
    /// <exception cref="StoreCorruptException">What was read is not what was written; there is no copy.</exception>
    ValueTask<StoreBackup> BackupAsync(string folder, CancellationToken cancellationToken);
}

/// <summary>A backup that was made.</summary>
/// <param name="Folder">Where it is.</param>
/// <param name="Position">Position of the newest turn in it.</param>
/// <param name="Records">Records in it.</param>
/// <param name="Bytes">Bytes of its files.</param>
public readonly record struct StoreBackup(string Folder, long Position, long Records, long Bytes);
