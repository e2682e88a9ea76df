using System.Globalization;
using Roster.Engine.Stores;
using SQLitePCL;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// One connection to one file. Speaks to the library without ADO.NET: blobs are read as spans, a statement costs no allocation, and
/// nothing is retried behind our back.
/// </summary>
/// <remarks>Used by one thread at a time.</remarks>
internal sealed class Database : IDisposable
{
    /// <summary>Oldest library that was tested. Below 3.7 there is no WAL; the rest of the distance is caution.</summary>
    private const int LibraryVersionMin = 3_050_004;

    private const int NoCheckpointOnClose = 1006;
    private readonly sqlite3 _handle;
    private readonly List<Statement> _statements = [];

    private Database(string path, sqlite3 handle)
    {
        Path = path;
        _handle = handle;
    }

    public string Path { get; }

    /// <summary>Rows that the latest statement changed.</summary>
    public int Changes => raw.sqlite3_changes(_handle);

    /// <summary>For <see cref="PageCopy"/>.</summary>
    internal sqlite3 Handle => _handle;

    public bool IsInTransaction => raw.sqlite3_get_autocommit(_handle) == 0;

    /// <summary>Opens the one connection that may write and checkpoint the file.</summary>
    public static Database OpenWriter(string path, int pageBytes, Action<Database>? beforeCheck)
    {
        var database = Open(path, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE);
        try
        {
            database.Execute($"PRAGMA page_size = {pageBytes}");
            database.Execute("PRAGMA journal_mode = wal");
            database.Execute("PRAGMA synchronous = full");
            database.Execute("PRAGMA wal_autocheckpoint = 0");
            database.Execute("PRAGMA foreign_keys = off");
            beforeCheck?.Invoke(database);
            database.CheckSettings();
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Opens a connection that cannot write.</summary>
    public static Database OpenReader(string path, int cacheBytes)
    {
        var database = Open(path, raw.SQLITE_OPEN_READONLY);
        database.Execute($"PRAGMA cache_size = -{cacheBytes / 1024}");
        return database;
    }

    /// <summary>
    /// Opens a file that nobody relies on before it is complete: without a journal, and flushed by whoever makes it
    /// (<see cref="DurableFiles"/>). The page size is that of a new file; 0 leaves it to the library.
    /// </summary>
    public static Database OpenNew(string path, int pageBytes)
    {
        var database = Open(path, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE);
        try
        {
            database.Execute($"PRAGMA page_size = {pageBytes}");
            database.Execute("PRAGMA journal_mode = off");
            database.Execute("PRAGMA synchronous = off");
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public static void CheckLibrary()
    {
        Batteries_V2.Init();
        if (raw.sqlite3_libversion_number() < LibraryVersionMin)
        {
            throw new StoreRefusedException(
                $"The SQLite library is version {raw.sqlite3_libversion().utf8_to_string()}; at least 3.50.4 is needed.");
        }
    }

    public Statement Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var handle));
        var statement = new Statement(this, handle);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>A statement for one use; the caller disposes of it.</summary>
    public Statement PrepareOnce(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out var handle));
        return new Statement(this, handle);
    }

    /// <summary>Runs a statement that is not worth preparing.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>The first column of the first row; null when there is no row.</summary>
    public string? Query(string sql)
    {
        using var statement = PrepareOnce(sql);
        return statement.Step() ? statement.Text(0) : null;
    }

    /// <summary>Ends whatever a caller left open when it failed.</summary>
    public void Clean()
    {
        foreach (var statement in _statements)
        {
            statement.Reset();
        }

        Rollback();
    }

    /// <summary>Ends a transaction without its changes, where one is open.</summary>
    public void Rollback()
    {
        if (IsInTransaction)
        {
            Execute("ROLLBACK");
        }
    }

    /// <summary>Copies the WAL into the file. Never retried after a failed flush, which the caller takes as the end.</summary>
    /// <returns>False when a reader was in the way: harmless, a later call goes on.</returns>
    public bool CheckpointWal(bool waitForReaders) => CheckpointWal(waitForReaders ? raw.SQLITE_CHECKPOINT_RESTART : raw.SQLITE_CHECKPOINT_PASSIVE);

    /// <summary>Copies the WAL into the file and empties it, so that nothing of what was replaced is left in it.</summary>
    /// <returns>False when a reader was in the way: harmless, a later call goes on.</returns>
    public bool TruncateWal() => CheckpointWal(raw.SQLITE_CHECKPOINT_TRUNCATE);

    private bool CheckpointWal(int mode)
    {
        var code = raw.sqlite3_wal_checkpoint_v2(_handle, "main", mode, out var frames, out var copied);
        if ((code & 0xFF) is raw.SQLITE_BUSY or raw.SQLITE_LOCKED)
        {
            return false;
        }

        Check(code);
        return frames == copied;
    }

    /// <summary>After a failed flush even closing must not touch the file.</summary>
    public void KeepWalOnClose() => raw.sqlite3_db_config(_handle, NoCheckpointOnClose, 1, out _);

    public void Dispose()
    {
        foreach (var statement in _statements)
        {
            statement.Dispose();
        }

        raw.sqlite3_close_v2(_handle);
        _handle.Dispose();
    }

    internal void Check(int code)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            throw Fault(code);
        }
    }

    internal Exception Fault(int code)
    {
        var message = $"SQLite reports {code} for {Path}: {raw.sqlite3_errmsg(_handle).utf8_to_string()}.";
        return (code & 0xFF) switch
        {
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => new StoreCorruptException(message),
            raw.SQLITE_FULL => new StoreFullException($"{message} Nothing of the batch was written: free space in the data folder."),
            _ => new IOException(message),
        };
    }

    private static Database Open(string path, int flags)
    {
        var code = raw.sqlite3_open_v2(path, out var handle, flags | raw.SQLITE_OPEN_NOMUTEX, null);
        var database = new Database(path, handle);
        try
        {
            database.Check(code);
            raw.sqlite3_extended_result_codes(handle, 1);
            raw.sqlite3_busy_timeout(handle, 1000);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    private void CheckSettings()
    {
        var journal = Query("PRAGMA journal_mode");
        var synchronous = Query("PRAGMA synchronous");
        if (journal != "wal" || synchronous != 2.ToString(CultureInfo.InvariantCulture))
        {
            throw new StoreRefusedException(
                $"{Path} has journal_mode {journal} and synchronous {synchronous}; only wal and 2 (full) keep what was acknowledged.");
        }
    }
}
