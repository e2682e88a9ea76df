using System.Globalization;
using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>The writing side of the tables. One thread at a time.</summary>
internal sealed class TableFile : IDisposable
{
    public const string FileName = "tables.db";
    public const int FormatVersion = 1;

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS heads(
            number INTEGER PRIMARY KEY, position INTEGER NOT NULL, turn_id INTEGER NOT NULL, next_due INTEGER, head BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS heads_due ON heads(next_due) WHERE next_due IS NOT NULL;
        CREATE TABLE IF NOT EXISTS keys(
            tenant INTEGER, object_type INTEGER, id TEXT, number INTEGER NOT NULL, PRIMARY KEY(tenant, object_type, id)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS sections(record INTEGER, idx INTEGER, content BLOB NOT NULL, PRIMARY KEY(record, idx)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS effects(
            tenant INTEGER, queue TEXT, sequence INTEGER, record INTEGER NOT NULL, enrollment INTEGER NOT NULL, step INTEGER NOT NULL,
            execution INTEGER NOT NULL, task BLOB NOT NULL, PRIMARY KEY(tenant, queue, sequence)) WITHOUT ROWID;
        CREATE UNIQUE INDEX IF NOT EXISTS effects_id ON effects(record, enrollment, step, execution);
        CREATE TABLE IF NOT EXISTS queues(
            tenant INTEGER, queue TEXT, open INTEGER NOT NULL, PRIMARY KEY(tenant, queue)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS activity(
            tenant INTEGER, workflow INTEGER, first INTEGER, positions BLOB NOT NULL, PRIMARY KEY(tenant, workflow, first)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS documents(
            tenant INTEGER, kind TEXT, id TEXT, content BLOB NOT NULL, PRIMARY KEY(tenant, kind, id)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS counters(
            tenant INTEGER, workflow INTEGER, version INTEGER, kind INTEGER, step INTEGER, code INTEGER, value INTEGER NOT NULL,
            PRIMARY KEY(tenant, workflow, version, kind, step, code)) WITHOUT ROWID;
        """;

    private readonly Database _database;
    private readonly Statement _head;
    private readonly Statement _key;
    private readonly Statement _keyRenamed;
    private readonly Statement _section;
    private readonly Statement _sectionRemoved;
    private readonly Statement _effect;
    private readonly Statement _effectRemoved;
    private readonly Statement _activity;
    private readonly Statement _activityRemoved;
    private readonly Statement _document;
    private readonly Statement _documentRemoved;
    private readonly Statement _counter;
    private readonly Statement _queue;
    private readonly Statement _meta;
    private readonly int _walBytesMax;
    private long _walRows;

    public TableFile(string folder, SqliteStoreOptions options)
    {
        Path = System.IO.Path.Combine(folder, FileName);
        _walBytesMax = options.WalBytesMax;
        _database = Database.OpenWriter(Path, options.TablePageBytes, options.Hooks?.TablesOpened);
        try
        {
            _database.Execute("BEGIN IMMEDIATE");
            _database.Execute(Schema);
            FileFormat.Check(_database, FormatVersion);
            _database.Execute("COMMIT");
            _head = _database.Prepare("INSERT OR REPLACE INTO heads(number, position, turn_id, next_due, head) VALUES(?1, ?2, ?3, ?4, ?5)");
            _key = _database.Prepare("INSERT OR REPLACE INTO keys(tenant, object_type, id, number) VALUES(?1, ?2, ?3, ?4)");
            _keyRenamed = _database.Prepare("UPDATE keys SET id = ?4 WHERE tenant = ?1 AND object_type = ?2 AND id = ?3");
            _section = _database.Prepare("INSERT OR REPLACE INTO sections(record, idx, content) VALUES(?1, ?2, ?3)");
            _sectionRemoved = _database.Prepare("DELETE FROM sections WHERE record = ?1 AND idx = ?2");
            _effect = _database.Prepare(
                "INSERT OR REPLACE INTO effects(tenant, queue, sequence, record, enrollment, step, execution, task) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
            _effectRemoved = _database.Prepare("DELETE FROM effects WHERE tenant = ?1 AND queue = ?2 AND sequence = ?3");
            _activity = _database.Prepare("INSERT OR REPLACE INTO activity(tenant, workflow, first, positions) VALUES(?1, ?2, ?3, ?4)");
            _activityRemoved = _database.Prepare("DELETE FROM activity WHERE tenant = ?1 AND workflow = ?2 AND first < ?3");
            _document = _database.Prepare("INSERT OR REPLACE INTO documents(tenant, kind, id, content) VALUES(?1, ?2, ?3, ?4)");
            _documentRemoved = _database.Prepare("DELETE FROM documents WHERE tenant = ?1 AND kind = ?2 AND id = ?3");
            _counter = _database.Prepare(
                "INSERT OR REPLACE INTO counters(tenant, workflow, version, kind, step, code, value) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
            _queue = _database.Prepare("INSERT OR REPLACE INTO queues(tenant, queue, open) VALUES(?1, ?2, ?3)");
            _meta = _database.Prepare("INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)");
        }
        catch
        {
            _database.Dispose();
            throw;
        }
    }

    public string Path { get; }

    public string StoreId
    {
        get => _database.Query("SELECT value FROM meta WHERE name = 'store'") ?? string.Empty;
        set => _database.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT INTO meta(name, value) VALUES('store', '{value}')"));
    }

    public void Begin() => _database.Execute("BEGIN IMMEDIATE");

    public void Commit() => _database.Execute("COMMIT");

    /// <summary>Copies the WAL into the file when it is large, so that it starts over. Between two transactions.</summary>
    public void CheckpointWalIfLarge()
    {
        // A dense pass writes more than a kilobyte per row; the exact size does not matter.
        if (_walRows * 1024 > _walBytesMax && _database.CheckpointWal(waitForReaders: _walRows * 1024 > 8L * _walBytesMax))
        {
            _walRows = 0;
        }
    }

    /// <summary>Begins a copy into another file. It takes in what is written to this one until it is complete.</summary>
    public PageCopy CopyTo(Database copy) => new(_database, copy);

    /// <summary>
    /// Writes the file anew. Pages keep bytes of rows that were replaced, removed, or moved to another page; <c>secure_delete</c> does not
    /// reach the last of these (REC-17). Between two transactions.
    /// </summary>
    /// <exception cref="StoreFullException">Nothing changed.</exception>
    public void Vacuum() => _database.Execute("VACUUM");

    /// <summary>Copies the WAL into the file and empties it. Between two transactions.</summary>
    /// <returns>False when a reader was in the way.</returns>
    public bool TruncateWal()
    {
        var isDone = _database.TruncateWal();
        _walRows = isDone ? 0 : _walRows;
        return isDone;
    }

    public void Rollback() => _database.Rollback();

    public void KeepWalOnClose() => _database.KeepWalOnClose();

    public void WriteHead(long number, long position, ulong turnId, long nextDueMs, ReadOnlySpan<byte> head)
    {
        _head.Bind(1, number).Bind(2, position).Bind(3, (long)turnId).Bind(5, head);
        _ = nextDueMs == 0 ? _head.BindNull(4) : _head.Bind(4, nextDueMs);
        Run(_head);
    }

    public void WriteKey(RecordKey key, long number) => Run(_key.Bind(1, key.Tenant).Bind(2, key.ObjectType).Bind(3, key.Id).Bind(4, number));

    /// <summary>Gives a key another id. Nothing happens when it is not there.</summary>
    public void RenameKey(RenamedKey key)
    {
        _keyRenamed.Bind(1, key.From.Tenant).Bind(2, key.From.ObjectType).Bind(3, key.From.Id);
        Run(_keyRenamed.Bind(4, key.To.Id));
    }

    public void WriteSection(long number, int index, byte[]? content) => Run(
        content is null ? _sectionRemoved.Bind(1, number).Bind(2, index) : _section.Bind(1, number).Bind(2, index).Bind(3, content));

    public void WriteEffect(in EffectAt effect, ReadOnlySpan<byte> task)
    {
        var id = effect.Id;
        _effect.Bind(1, effect.Queue.Tenant).Bind(2, effect.Queue.Name).Bind(3, effect.Sequence);
        Run(_effect.Bind(4, id.RecordNumber).Bind(5, id.Enrollment).Bind(6, id.Step).Bind(7, id.Execution).Bind(8, task));
    }

    public void RemoveEffect(in EffectAt effect) =>
        Run(_effectRemoved.Bind(1, effect.Queue.Tenant).Bind(2, effect.Queue.Name).Bind(3, effect.Sequence));

    /// <summary>Removes rows that a checkpoint wrote and did not live to name: their turns are replayed from the log.</summary>
    public void RemoveEffectsAbove(EffectQueue queue, long sequence)
    {
        using var statement = _database.Prepare("DELETE FROM effects WHERE tenant = ?1 AND queue = ?2 AND sequence > ?3");
        Run(statement.Bind(1, queue.Tenant).Bind(2, queue.Name).Bind(3, sequence));
    }

    public void WriteActivity(int tenant, int workflow, long first, ReadOnlySpan<byte> positions) =>
        Run(_activity.Bind(1, tenant).Bind(2, workflow).Bind(3, first).Bind(4, positions));

    /// <summary>Removes the rows of a workflow that begin before a position.</summary>
    public void RemoveActivityBefore(int tenant, int workflow, long first) =>
        Run(_activityRemoved.Bind(1, tenant).Bind(2, workflow).Bind(3, first));

    public void WriteDocument(int tenant, string kind, string id, byte[]? content)
    {
        var statement = (content is null ? _documentRemoved : _document).Bind(1, tenant).Bind(2, kind).Bind(3, id);
        Run(content is null ? statement : statement.Bind(4, content));
    }

    public void WriteCounter(CounterKey key, long value)
    {
        _counter.Bind(1, key.Tenant).Bind(2, key.Workflow).Bind(3, key.Version).Bind(4, (int)key.Kind);
        Run(_counter.Bind(5, key.Step).Bind(6, key.Code).Bind(7, value));
    }

    public void WriteQueue(EffectQueue queue, long open) => Run(_queue.Bind(1, queue.Tenant).Bind(2, queue.Name).Bind(3, open));

    public void WriteMeta(string name, long value) => Run(_meta.Bind(1, name).Bind(2, value));

    public long ReadMeta(string name) =>
        long.Parse(_database.Query($"SELECT value FROM meta WHERE name = '{name}'") ?? "0", NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <summary>For tests: runs a statement on the writing connection.</summary>
    internal void Execute(string sql) => _database.Execute(sql);

    public void Dispose() => _database.Dispose();

    private void Run(Statement statement)
    {
        statement.Run();
        _walRows++;
    }
}

/// <summary>Names in <c>meta</c>.</summary>
internal static class MetaNames
{
    /// <summary>1 once the log was created.</summary>
    public const string HasLog = "has_log";

    /// <summary>Position of the newest turn that is in the tables for sure.</summary>
    public const string Position = "position";

    /// <summary>Where the log goes on after it.</summary>
    public const string End = "end";

    /// <summary>Records as of the checkpoint.</summary>
    public const string Records = "records";

    /// <summary>Pending timers as of the checkpoint.</summary>
    public const string Timers = "timers";

    /// <summary>In a restored folder and in a backup: the store that it is a copy of.</summary>
    public const string Origin = "origin";

    /// <summary>First record number that was never reserved.</summary>
    public const string Sequence = "sequence";
}
