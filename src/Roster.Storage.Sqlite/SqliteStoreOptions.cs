using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <summary>Options of the SQLite store. Read once, when the store is opened.</summary>
public sealed class SqliteStoreOptions
{
    /// <summary>The data folder; it is created when missing. One process at a time may open it. Required.</summary>
    public required string Folder { get; init; }

    /// <summary>
    /// Records with turns that are in the log only, before a checkpoint starts by itself. Default 500,000; at least 1. Higher: fewer and
    /// denser checkpoints, more memory (some 100 bytes per record) and a longer restart.
    /// </summary>
    public int CheckpointDirtyRecords { get; init; } = 500_000;

    /// <summary>
    /// Bytes of log since the last checkpoint, before one starts by itself. Default 640 MB; at least 1. Bounds the restart, which reads
    /// them (some 400 MB or 2 million turns a second), and the length of the chain that loading a record may have to fold.
    /// </summary>
    public long CheckpointLogBytes { get; init; } = 640L * 1024 * 1024;

    /// <summary>
    /// Records whose latest turn is remembered although their row is up to date, at most. Default 262,144 (40 bytes each); at least 0.
    /// A commit for a record that is not remembered costs one read of some microseconds.
    /// </summary>
    public int KnownRecordsMax { get; init; } = 262_144;

    /// <summary>
    /// Bytes of the newest log kept in memory, so that turns that were just committed are read back without the file. Default 8 MB;
    /// a power of two, or 0 for none.
    /// </summary>
    public int RecentLogBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// Bytes of heads kept in a temporary file that the host dropped from memory before a checkpoint wrote their rows, so that loading them
    /// again needs no folding of turns. Default 2 GB; 0 for none. A checkpoint starts by itself when half of it is used, since without room loading
    /// such a record costs many times as much. There may be two such files at a time. Each head takes some 36 bytes of memory as well.
    /// </summary>
    public long EvictedHeadBytes { get; init; } = 2L << 30;

    /// <summary>Page cache of a reading connection of the tables, of which there are as many as there are reads at a time. Default 4 MB: the
    /// inner pages of some million rows.</summary>
    public int ReaderCacheBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Page size of a new log file. Default 8192: two thirds of the system calls of 4096, and a small commit still writes few bytes. Has
    /// no effect on an existing file.
    /// </summary>
    public int LogPageBytes { get; init; } = 8192;

    /// <summary>Page size of a new tables file. Default 4096. Has no effect on an existing file.</summary>
    public int TablePageBytes { get; init; } = 4096;

    /// <summary>Bytes of a write-ahead log before it is copied into its file, between two commits. Default 4 MB.</summary>
    public int WalBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// How long turns stay in the journal at least, by the clock <see cref="Time"/>. Older ones are removed after a checkpoint, one of which is written every
    /// hour for that when there is something to remove. Default: null, for ever; from 1 hour. What may be removed by one of two limits is removed.
    /// </summary>
    public TimeSpan? JournalKeepAge { get; init; }

    /// <summary>
    /// Bytes of turns that stay in the journal at least, the newest ones; older ones are removed after a checkpoint. The file does not shrink: the
    /// room is used again. Default: null, no limit; at least 1. Turns that no checkpoint has yet stay whatever the limits.
    /// </summary>
    public long? JournalKeepBytes { get; init; }

    /// <summary>Tells when a backup was taken, and how old turns are. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Checkpoints of fewer records are not paced.</summary>
    internal int PacedFrom { get; init; } = 20_000;

    /// <summary>Points at which tests step in.</summary>
    internal StoreHooks? Hooks { get; init; }

    internal void Check()
    {
        ArgumentException.ThrowIfNullOrEmpty(Folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(CheckpointDirtyRecords, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(CheckpointLogBytes, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(KnownRecordsMax);
        ArgumentOutOfRangeException.ThrowIfNegative(EvictedHeadBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(ReaderCacheBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(WalBytesMax, 4096);
        ArgumentOutOfRangeException.ThrowIfLessThan(JournalKeepAge ?? TimeSpan.MaxValue, TimeSpan.FromHours(1), nameof(JournalKeepAge));
        ArgumentOutOfRangeException.ThrowIfLessThan(JournalKeepBytes ?? long.MaxValue, 1, nameof(JournalKeepBytes));
        CheckPower(RecentLogBytes, 0, nameof(RecentLogBytes));
        CheckPower(LogPageBytes, 512, nameof(LogPageBytes));
        CheckPower(TablePageBytes, 512, nameof(TablePageBytes));
    }

    private static void CheckPower(int value, int min, string name)
    {
        if (value < min || (value & (value - 1)) != 0)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be a power of two of at least {min}.");
        }
    }
}
