using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <content>
/// Retention: what is old goes out of the journal, on the thread of the checkpoints and never ahead of one. First the log is told to begin later, and
/// keeps what the batches before had counted; then their rows go, a few at a time between two commits.
/// </content>
public sealed partial class SqliteRecordStore
{
    /// <summary>Rows that go in one transaction: a commit waits for one of these at most, some milliseconds.</summary>
    private const int RemovedRows = 32;

    /// <summary>Transactions after which the thread looks whether a checkpoint is wanted.</summary>
    private const int RemovalsAtOnce = 256;

    private bool HasRetention => _options.JournalKeepAge is not null || _options.JournalKeepBytes is not null;

    /// <summary>How long the thread of the checkpoints waits before it looks for old turns by itself.</summary>
    private TimeSpan RetentionWait => HasRetention ? TimeSpan.FromHours(1) : Timeout.InfiniteTimeSpan;

    /// <summary>Whether a checkpoint now would let turns go that are too old.</summary>
    private bool WantsToRemoveMore()
    {
        if (!HasRetention)
        {
            return false;
        }

        try
        {
            using var log = _logReaders.Rent();
            var (end, checkpointEnd) = Ends();
            return FindBegin(log.Item, end, end) > checkpointEnd;
        }
        catch (Exception e)
        {
            Fail(e);
            return false;
        }
    }

    private void RemoveOldTurns()
    {
        if (!HasRetention || !_upkeep.Wait(TimeSpan.Zero))
        {
            // A backup or an erasure is under way; the next checkpoint comes.
            return;
        }

        try
        {
            MoveBegin();
            if (RemoveSome())
            {
                _checkpointWanted.Set();
            }
            else
            {
                _options.Hooks?.OldTurnsRemoved?.Invoke(_journalBegin);
            }
        }
        catch (Exception e) when (e is StoreFullException or OperationCanceledException)
        {
            // Nothing is lost; the next checkpoint comes.
        }
        catch (Exception e)
        {
            Fail(e);
        }
        finally
        {
            _upkeep.Release();
        }
    }

    private void MoveBegin()
    {
        using var log = _logReaders.Rent();
        var (end, checkpointEnd) = Ends();
        var begin = FindBegin(log.Item, end, checkpointEnd);
        if (begin <= _journalBegin)
        {
            return;
        }

        var counters = log.Item.Count(_journalBegin, begin, CancellationToken.None);
        lock (_commitLock)
        {
            if (_isClosed || _failure is not null)
            {
                return;
            }

            _log.MoveBegin(begin, counters);
        }

        lock (_gate)
        {
            _journalBegin = begin;
        }

        RemoveActivity(begin);
    }

    private (long Log, long Checkpoint) Ends()
    {
        lock (_gate)
        {
            return (_logEnd, _checkpointEnd);
        }
    }

    /// <summary>
    /// Where the journal may begin: with a batch that tables have all turns before of. The newest batch stays, so that the log says where it
    /// ends.
    /// </summary>
    private long FindBegin(LogReader log, long end, long checkpointEnd)
    {
        var latest = log.BatchAt(Math.Min(checkpointEnd, end - 1));
        var begin = _journalBegin;
        if (_options.JournalKeepBytes is { } bytes && end - bytes > begin)
        {
            begin = log.BatchAt(Math.Min(latest, end - bytes));
        }

        if (_options.JournalKeepAge is { } age)
        {
            begin = Math.Max(begin, FirstSince(log, _options.Time.GetUtcNow().Add(-age).ToUnixTimeMilliseconds(), latest));
        }

        return Math.Min(begin, latest);
    }

    /// <summary>The first batch with a turn at an instant or later, by halves: turns are in the order of time. At most <paramref name="latest"/>.</summary>
    private long FirstSince(LogReader log, long ms, long latest)
    {
        var (low, high) = (_journalBegin, latest);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var batch = log.BatchAt(middle);
            if (InstantOf(log, batch) < ms)
            {
                var next = log.BatchAfter(middle);
                low = next == middle ? high : Math.Min(high, next);
            }
            else
            {
                high = batch;
            }
        }

        return low;
    }

    /// <summary>Instant of the first turn at or after a row; the end of time when there is none.</summary>
    private static long InstantOf(LogReader log, long start)
    {
        var rows = log.RowsFrom(start);
        try
        {
            while (rows.Step())
            {
                if (rows.Blob(2) is { Length: > 0 } frames)
                {
                    var header = LogFormat.ReadFrame(frames, rows.Long(0), log.Path);
                    return TurnDecoder.ReadSkeleton(header.Skeleton(frames), []).At.Ms;
                }
            }

            return long.MaxValue;
        }
        finally
        {
            rows.Reset();
        }
    }

    /// <summary>Takes removed turns out of the index of workflows: rows of which not even the last turn is left.</summary>
    private void RemoveActivity(long begin)
    {
        var last = new List<(int Tenant, int Workflow, long First)>();
        using (var tables = Database.OpenReader(_tables.Path, _options.ReaderCacheBytes))
        {
            // The row that begins last before the journal does may reach into it.
            var rows = tables.Prepare("SELECT tenant, workflow, max(first) FROM activity WHERE first < ?1 GROUP BY tenant, workflow HAVING count(*) > 1").Bind(1, begin);
            while (rows.Step())
            {
                last.Add((rows.Int(0), rows.Int(1), rows.Long(2)));
            }
        }

        WriteSlices(last.ToArray(), row => _tables.RemoveActivityBefore(row.Tenant, row.Workflow, row.First));
    }

    private void RemoveAllRows()
    {
        while (RemoveSome())
        {
        }
    }

    /// <summary>Removes rows before the begin of the journal; true when there may be more.</summary>
    private bool RemoveSome()
    {
        if (_journalBegin == LogFormat.FirstPosition || !_holds.Wait(() => _isClosing || _failure is not null))
        {
            return false;
        }

        for (var i = 0; i < RemovalsAtOnce; i++)
        {
            while (Volatile.Read(ref _commitsWaiting) > 0)
            {
                // Whoever lets go of a lock and takes it again at once may starve those who wait for it.
                Thread.Yield();
            }

            lock (_commitLock)
            {
                if (_isClosing || _isClosed || _failure is not null || !_log.RemoveRows(_journalBegin, RemovedRows))
                {
                    return false;
                }

                if (_log.IsWalLarge)
                {
                    _log.CheckpointWal();
                }
            }
        }

        return true;
    }
}
