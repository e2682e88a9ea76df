using System.Globalization;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>The writing side of the log file. Rows: start position, header of the batch in its first row, frames.</summary>
internal sealed class LogFile : IDisposable
{
    public const string FileName = "log.db";
    public const int FormatVersion = 1;

    public const string Schema = """
        CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS log(start INTEGER PRIMARY KEY, batch BLOB, frames BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS removed_counters(
            tenant INTEGER, workflow INTEGER, version INTEGER, kind INTEGER, step INTEGER, code INTEGER, value INTEGER NOT NULL,
            PRIMARY KEY(tenant, workflow, version, kind, step, code)) WITHOUT ROWID;
        """;

    public const string AddRemovedCounter = """
        INSERT INTO removed_counters(tenant, workflow, version, kind, step, code, value) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT DO UPDATE SET value = value + excluded.value
        """;

    /// <summary>In <c>meta</c>: where the log begins. Rows before it are on their way out.</summary>
    public const string BeginName = "begin";

    public const string InsertRow = "INSERT INTO log(start, batch, frames) VALUES(?1, ?2, ?3)";

    private readonly Database _database;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _insert;
    private readonly Statement _row;
    private readonly Statement _rewrite;
    private readonly Statement _remove;
    private readonly int _walBytesMax;
    private readonly StoreHooks? _hooks;
    private long _walBytes;

    public LogFile(string folder, SqliteStoreOptions options)
    {
        Path = System.IO.Path.Combine(folder, FileName);
        _walBytesMax = options.WalBytesMax;
        _hooks = options.Hooks;
        _database = Database.OpenWriter(Path, options.LogPageBytes, options.Hooks?.LogOpened);
        try
        {
            // Rows are replaced by erasure, by ones of the same length, and removed by retention: nothing of them may stay behind (REC-17).
            _database.Execute("PRAGMA secure_delete = on");
            _database.Execute(Schema);
            _begin = _database.Prepare("BEGIN IMMEDIATE");
            _commit = _database.Prepare("COMMIT");
            _insert = _database.Prepare(InsertRow);
            _row = _database.Prepare("SELECT start, frames FROM log WHERE start <= ?1 ORDER BY start DESC LIMIT 1");
            _rewrite = _database.Prepare("UPDATE log SET frames = ?2 WHERE start = ?1");
            _remove = _database.Prepare("DELETE FROM log WHERE start IN (SELECT start FROM log WHERE start < ?1 ORDER BY start LIMIT ?2)");
            FileFormat.Check(_database, FormatVersion);
        }
        catch
        {
            _database.Dispose();
            throw;
        }
    }

    public string Path { get; }

    /// <summary>Names the pair of files; empty in a new file.</summary>
    public string StoreId
    {
        get => _database.Query("SELECT value FROM meta WHERE name = 'store'") ?? string.Empty;
        set => _database.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT INTO meta(name, value) VALUES('store', '{value}')"));
    }

    public bool IsWalLarge => _walBytes > _walBytesMax;

    /// <summary>Where the log begins.</summary>
    public long Begin => long.TryParse(
        _database.Query($"SELECT value FROM meta WHERE name = '{BeginName}'"), NumberStyles.None, CultureInfo.InvariantCulture, out var begin)
        ? begin
        : LogFormat.FirstPosition;

    /// <summary>Appends a batch and waits until it is durable.</summary>
    /// <exception cref="StoreFullException">Nothing was written.</exception>
    public void Append(LogBatch batch)
    {
        try
        {
            _begin.Run();
            var from = 0;
            foreach (var to in batch.RowEnds)
            {
                _insert.Bind(1, batch.Start + from);
                _ = from == 0 ? _insert.Bind(2, batch.Header) : _insert.BindNull(2);
                _insert.Bind(3, batch.Frames[from..to]).Run();
                from = to;
            }

            _hooks?.LogCommit?.Invoke(false);
            _commit.Run();
            _hooks?.LogCommit?.Invoke(true);
        }
        catch (StoreFullException)
        {
            _database.Rollback();
            throw;
        }

        _walBytes += batch.Frames.Length + (batch.Frames.Length / 16) + 8192;
    }

    /// <summary>Gives turns other payloads, in one transaction, and waits until it is durable.</summary>
    /// <exception cref="StoreFullException">Nothing was written.</exception>
    /// <exception cref="ArgumentException">There is no such turn, or the payload is too long; nothing was written.</exception>
    public void Rewrite(IReadOnlyList<RewrittenTurn> turns)
    {
        try
        {
            _begin.Run();
            foreach (var turn in turns)
            {
                Rewrite(turn);
            }

            _commit.Run();
        }
        catch (Exception e) when (e is StoreFullException or ArgumentException)
        {
            _row.Reset();
            _database.Rollback();
            throw;
        }
    }

    /// <summary>Lets the log begin later, and keeps what is counted in the batches before; their rows may go then.</summary>
    /// <exception cref="StoreFullException">Nothing was written.</exception>
    public void MoveBegin(long begin, IReadOnlyDictionary<CounterKey, long> counters)
    {
        using var count = _database.PrepareOnce(AddRemovedCounter);
        try
        {
            _begin.Run();
            foreach (var (key, value) in counters)
            {
                count.Bind(1, key.Tenant).Bind(2, key.Workflow).Bind(3, key.Version).Bind(4, (int)key.Kind);
                count.Bind(5, key.Step).Bind(6, key.Code).Bind(7, value).Run();
            }

            _database.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT OR REPLACE INTO meta(name, value) VALUES('{BeginName}', {begin})"));
            _commit.Run();
        }
        catch (StoreFullException)
        {
            _database.Rollback();
            throw;
        }
    }

    /// <summary>Removes some rows before where the log begins; false when there is none.</summary>
    /// <exception cref="StoreFullException">Nothing was removed.</exception>
    public bool RemoveRows(long begin, int rows)
    {
        try
        {
            _begin.Run();
            _remove.Bind(1, begin).Bind(2, rows).Run();
            var removed = _database.Changes;
            _commit.Run();
            _walBytes += removed * (LogBatch.RowBytes + 8192L);
            return removed > 0;
        }
        catch (StoreFullException)
        {
            _database.Rollback();
            throw;
        }
    }

    private void Rewrite(RewrittenTurn turn)
    {
        var found = _row.Bind(1, turn.Position).Step();
        var (start, frames) = found ? (_row.Long(0), _row.Blob(1).ToArray()) : (0, []);
        _row.Reset();
        var offset = turn.Position - start;
        if (offset >= frames.Length || !LogFormat.TryReadFrame(frames.AsSpan((int)offset), turn.Position, out var header))
        {
            throw new ArgumentException($"There is no turn at position {turn.Position}.");
        }

        if (turn.Payload.Length > header.PayloadLength)
        {
            throw new ArgumentException($"The payload for the turn at position {turn.Position} is longer than the one that it replaces.");
        }

        LogFormat.RewriteFrame(frames.AsSpan((int)offset), header, turn.Payload.Span, turn.Position);
        _rewrite.Bind(1, start).Bind(2, frames).Run();
        _walBytes += frames.Length;
    }

    /// <summary>Copies the WAL into the file and empties it. Between two commits.</summary>
    /// <returns>False when a reader was in the way.</returns>
    public bool TruncateWal()
    {
        var isDone = _database.TruncateWal();
        _walBytes = isDone ? 0 : _walBytes;
        return isDone;
    }

    /// <summary>Copies the WAL into the file, so that it starts over. Between two commits, never inside one.</summary>
    public void CheckpointWal()
    {
        if (_database.CheckpointWal(waitForReaders: _walBytes > 8L * _walBytesMax))
        {
            _walBytes = 0;
        }
    }

    public void KeepWalOnClose() => _database.KeepWalOnClose();

    /// <summary>For tests: runs a statement on the writing connection.</summary>
    internal void Execute(string sql) => _database.Execute(sql);

    public void Dispose() => _database.Dispose();
}

/// <summary>Version of a file's format.</summary>
internal static class FileFormat
{
    /// <summary>Writes the version into a new file; refuses any other than this program knows.</summary>
    public static void Check(Database database, int version)
    {
        var stored = database.Query("SELECT value FROM meta WHERE name = 'format'");
        if (stored is null)
        {
            database.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT INTO meta(name, value) VALUES('format', {version})"));
        }
        else if (stored != version.ToString(CultureInfo.InvariantCulture))
        {
            throw new StoreRefusedException(
                $"{database.Path} has format {stored}; this program reads and writes format {version}. Use the version that wrote it, or a later one.");
        }
    }
}
