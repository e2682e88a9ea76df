using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <summary>
/// The store of one process on one machine: an append-only log that is the truth, and tables that are checkpoints of it, in two SQLite
/// files of a data folder.
/// </summary>
/// <remarks>
/// <para>A commit appends the turns of a batch to <c>log.db</c> in one transaction with one flush, and notes in memory which records have turns
/// that no row has yet (the delta). A background checkpoint writes rows in the order of their keys, in short transactions on the other
/// file, so it never holds up a commit; at its end it notes the position it stands for. A row may be newer than that: loading a
/// record takes its row and folds the turns that are newer, found by the chain of positions from its latest turn.</para>
/// <para>Opening reads the log after the noted position and rebuilds the delta; no table is read or changed for that, but for removing
/// effects of a checkpoint that was cut short. So it can be cut short itself, any number of times.</para>
/// <para>Locks, in this order: upkeep (one of backup, erasure, scrub, removal of old turns at a time), the commit lock (the log's writing connection), the lock of sequences, the tables lock (the tables' writing connection), the gate
/// (everything in memory; never held while a file is touched).</para>
/// </remarks>
public sealed partial class SqliteRecordStore : IRecordStore, IStoreBackup
{
    private readonly SqliteStoreOptions _options;
    private readonly FolderLock _folderLock;
    private readonly LogFile _log;
    private readonly TableFile _tables;
    private readonly Pool<LogReader> _logReaders;
    private readonly Pool<TableReader> _tableReaders;
    private readonly SemaphoreSlim _upkeep = new(1, 1);
    private readonly Holds _holds = new();
    private readonly ScratchFiles _scratch;
    private readonly Lock _commitLock = new();
    private readonly Lock _tablesLock = new();
    private readonly Lock _sequenceLock = new();
    private readonly Lock _gate = new();

    // Guarded by the gate.
    private readonly RecordMap _map;
    private readonly Dictionary<int, Dictionary<CounterKey, long>> _counters = [];
    private readonly Dictionary<(int Tenant, string Name), EffectQueue> _queues = [];
    private Delta _live;
    private Delta? _frozen;
    private RecentLog _recent = new(0, LogFormat.FirstPosition);
    private long _logEnd = LogFormat.FirstPosition;
    private long _position;
    private long _checkpointPosition;
    private long _checkpointEnd = LogFormat.FirstPosition;
    private long _records;
    private long _timers;
    private long _effects;
    private int _cleanings;

    // Written by the checkpoint thread under the gate; read anywhere.
    private long _journalBegin = LogFormat.FirstPosition;

    // Guarded by the lock of sequences.
    private long _nextSequence;
    private long _reservedSequence;

    private ICheckpointSource? _source;
    private volatile Exception? _failure;
    private volatile bool _isClosing;

    private SqliteRecordStore(SqliteStoreOptions options, FolderLock folderLock, LogFile log, TableFile tables)
    {
        _options = options;
        _folderLock = folderLock;
        _log = log;
        _tables = tables;
        _scratch = new ScratchFiles(options.Folder);
        _live = NewDelta(1);
        _map = new RecordMap(options.KnownRecordsMax);
        _tableReaders = new Pool<TableReader>(() => new TableReader(_tables.Path, options.ReaderCacheBytes));
        _logReaders = new Pool<LogReader>(() => new LogReader(_log.Path, _recent, cacheBytes: 1024 * 1024));
        _commitReader = new Lazy<TableReader>(() => new TableReader(_tables.Path, options.ReaderCacheBytes));
        _checkpoints = new Thread(RunCheckpoints) { IsBackground = true, Name = "Roster checkpoint" };
    }

    /// <inheritdoc/>
    public string Name => "sqlite";

    /// <inheritdoc/>
    public bool NeedsHeads => false;

    /// <inheritdoc/>
    public StoreStatus Status
    {
        get
        {
            lock (_gate)
            {
                return new StoreStatus(_position, _checkpointPosition, _records, _timers, _effects)
                {
                    JournalBegin = _journalBegin == LogFormat.FirstPosition ? 0 : _journalBegin,
                };
            }
        }
    }

    /// <summary>Opens the store in a folder, or creates it there, and recovers what the log has and the tables do not.</summary>
    /// <param name="options">Options; read once.</param>
    /// <param name="cancellationToken">Gives up; the folder is as if it had not been opened.</param>
    /// <exception cref="StoreRefusedException">Another process has the folder open, its format is of another version, a file is missing,
    /// or the library or its settings are not safe.</exception>
    /// <exception cref="StoreCorruptException">Stored bytes are not what was written.</exception>
    public static Task<SqliteRecordStore> OpenAsync(SqliteStoreOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        return Task.Run(() => Open(options, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public void UseCheckpointSource(ICheckpointSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        Volatile.Write(ref _source, source);
    }

    /// <inheritdoc/>
    public ValueTask<long> ReserveRecordSequencesAsync(int count, CancellationToken cancellationToken)
    {
        const int ReservedAhead = 65_536;
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_sequenceLock)
        {
            ThrowIfFailed();
            if (_nextSequence + count > _reservedSequence)
            {
                var reserved = _nextSequence + Math.Max(count, ReservedAhead);
                lock (_tablesLock)
                {
                    RunOnTables(() => _tables.WriteMeta(MetaNames.Sequence, reserved));
                }

                _reservedSequence = reserved;
            }

            var first = _nextSequence;
            _nextSequence += count;
            return new ValueTask<long>(first);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isClosing)
        {
            return;
        }

        _isClosing = true;
        _checkpointWanted.Set();
        await _checkpointsEnded.Task.ConfigureAwait(false);
        await _upkeep.WaitAsync().ConfigureAwait(false);
        lock (_commitLock)
        {
            _isClosed = true;
            if (_commitReader.IsValueCreated)
            {
                _commitReader.Value.Dispose();
            }

            _tableReaders.Dispose();
            _logReaders.Dispose();
            _live.Evicted.Dispose();
            _frozen?.Evicted.Dispose();
            _scratch.Dispose();

            // Closing the last connection copies the WAL into the file, so the writers go last.
            lock (_tablesLock)
            {
                _tables.Dispose();
            }

            _log.Dispose();
            _folderLock.Dispose();
        }

        // Not disposed: whoever still waits goes on and hears that the store is closed.
        _upkeep.Release();
    }

    private static SqliteRecordStore Open(SqliteStoreOptions options, CancellationToken cancellationToken)
    {
        Database.CheckLibrary();
        Directory.CreateDirectory(options.Folder);
        var folderLock = FolderLock.Take(options.Folder);
        TableFile? tables = null;
        LogFile? log = null;
        try
        {
            CheckFiles(options.Folder);
            ScratchFiles.RemoveLeftovers(options.Folder);
            tables = new TableFile(options.Folder, options);
            log = new LogFile(options.Folder, options);
            CheckPair(log, tables);
            var store = new SqliteRecordStore(options, folderLock, log, tables);
            store._journalBegin = log.Begin;
            store.Recover(cancellationToken);
            store._checkpoints.UnsafeStart();
            if (store.HasRetention)
            {
                store._checkpointWanted.Set();
            }

            return store;
        }
        catch
        {
            log?.Dispose();
            tables?.Dispose();
            folderLock.Dispose();
            throw;
        }
    }

    /// <summary>The tables are created first, so a lone log has lost its tables.</summary>
    private static void CheckFiles(string folder)
    {
        var tables = Path.Combine(folder, TableFile.FileName);
        if (File.Exists(Path.Combine(folder, LogFile.FileName)) && !File.Exists(tables))
        {
            throw new StoreRefusedException($"{tables} is missing beside its log. Restore it from the backup that the log is of, or an older one.");
        }
    }

    /// <summary>A crash may come between any two of these steps; none of them may take a lost log for a new one.</summary>
    private static void CheckPair(LogFile log, TableFile tables)
    {
        if (tables.StoreId.Length == 0)
        {
            tables.StoreId = Guid.NewGuid().ToString("N");
        }

        if (log.StoreId.Length == 0 && tables.ReadMeta(MetaNames.HasLog) == 0)
        {
            log.StoreId = tables.StoreId;
        }

        if (log.StoreId != tables.StoreId)
        {
            throw new StoreRefusedException($"{log.Path} and {tables.Path} are not of one store, or the log was lost. Restore both from a backup.");
        }

        tables.WriteMeta(MetaNames.HasLog, 1);
    }

    private Delta NewDelta(int id) => new() { Id = id, Evicted = new EvictedHeads(_scratch, _options.EvictedHeadBytes) };

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            throw new InvalidOperationException(
                $"The store in {_options.Folder} failed and takes no more writes: what it last wrote may or may not be durable. Restart the process.", failure);
        }
    }

    /// <summary>The outcome of a write is unknown: nothing more is written, not even by closing.</summary>
    private void Fail(Exception failure)
    {
        _failure ??= failure;
        _log.KeepWalOnClose();
        _tables.KeepWalOnClose();
    }

    /// <summary>One transaction on the tables. Full is undone and passed on; anything else is the end.</summary>
    private void RunOnTables(Action write)
    {
        try
        {
            _tables.Begin();
            write();
            _tables.Commit();
        }
        catch (Exception e)
        {
            try
            {
                _tables.Rollback();
            }
            catch (Exception rollback) when (rollback is not StoreCorruptException)
            {
                Fail(e);
            }

            if (e is not StoreFullException)
            {
                Fail(e);
            }

            throw;
        }
    }
}
