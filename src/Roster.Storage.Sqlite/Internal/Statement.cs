using System.Text;
using SQLitePCL;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>A prepared statement. Parameters are numbered from 1, columns from 0, as the library does.</summary>
internal sealed class Statement : IDisposable
{
    private readonly Database _database;
    private readonly sqlite3_stmt _handle;
    private bool _isActive;

    public Statement(Database database, sqlite3_stmt handle)
    {
        _database = database;
        _handle = handle;
    }

    public Statement Bind(int index, long value)
    {
        _database.Check(raw.sqlite3_bind_int64(_handle, index, value));
        return this;
    }

    public Statement BindNull(int index)
    {
        _database.Check(raw.sqlite3_bind_null(_handle, index));
        return this;
    }

    /// <summary>Binds bytes, which are copied; empty is an empty blob, not null.</summary>
    public Statement Bind(int index, ReadOnlySpan<byte> value)
    {
        _database.Check(value.IsEmpty ? raw.sqlite3_bind_zeroblob(_handle, index, 0) : raw.sqlite3_bind_blob(_handle, index, value));
        return this;
    }

    public Statement Bind(int index, string value)
    {
        Span<byte> bytes = stackalloc byte[512];
        if (Encoding.UTF8.TryGetBytes(value, bytes, out var length) && length > 0)
        {
            _database.Check(raw.sqlite3_bind_text(_handle, index, bytes[..length]));
        }
        else
        {
            _database.Check(raw.sqlite3_bind_text(_handle, index, value));
        }

        return this;
    }

    /// <summary>Goes to the next row; false at the end, and then the statement is ready for its next use.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(_handle);
        if (code == raw.SQLITE_ROW)
        {
            _isActive = true;
            return true;
        }

        // The message is of the latest call, so it is taken before the reset.
        var fault = code == raw.SQLITE_DONE ? null : _database.Fault(code);
        _isActive = false;
        raw.sqlite3_reset(_handle);
        return fault is null ? false : throw fault;
    }

    /// <summary>Runs a statement that returns nothing.</summary>
    public void Run()
    {
        while (Step())
        {
        }
    }

    /// <summary>Makes the statement ready for its next use and lets go of what it read.</summary>
    public void Reset()
    {
        if (_isActive)
        {
            _isActive = false;
            raw.sqlite3_reset(_handle);
        }
    }

    public bool IsNull(int column) => raw.sqlite3_column_type(_handle, column) == raw.SQLITE_NULL;

    public long Long(int column) => raw.sqlite3_column_int64(_handle, column);

    public int Int(int column) => (int)raw.sqlite3_column_int64(_handle, column);

    /// <summary>Valid until the next step or reset.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(_handle, column);

    public string Text(int column) => raw.sqlite3_column_text(_handle, column).utf8_to_string() ?? string.Empty;

    public void Dispose() => _handle.Dispose();
}
