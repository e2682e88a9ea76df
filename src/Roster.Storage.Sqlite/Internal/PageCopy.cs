using SQLitePCL;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// A copy of a file, made page by page through the connection that writes it. What that connection writes meanwhile goes into the copy as
/// well, so that the copy is the file as of the last step, and no read of an old state holds up the WAL.
/// </summary>
/// <remarks>Steps and writes exclude each other: the caller holds the lock of the connection.</remarks>
internal sealed class PageCopy : IDisposable
{
    private readonly Database _copy;
    private readonly sqlite3_backup _backup;

    public PageCopy(Database from, Database copy)
    {
        _copy = copy;
        _backup = raw.sqlite3_backup_init(copy.Handle, "main", from.Handle, "main");
        if (_backup.IsInvalid)
        {
            throw copy.Fault(raw.sqlite3_errcode(copy.Handle));
        }
    }

    /// <summary>Copies some pages; true when the copy is complete.</summary>
    public bool Step(int pages)
    {
        var code = raw.sqlite3_backup_step(_backup, pages);
        if ((code & 0xFF) is raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_OK)
        {
            return false;
        }

        _copy.Check(code);
        return true;
    }

    public void Dispose() => raw.sqlite3_backup_finish(_backup);
}
