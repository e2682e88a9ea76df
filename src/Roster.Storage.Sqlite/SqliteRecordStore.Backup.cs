using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <content>
/// Backups of an open store. The tables are copied first, page by page, then the log up to where it ends by then: that is what a crash at
/// that moment would leave, and recovery is what makes a store of it. Nothing waits but, for a part of a millisecond, a checkpoint.
/// </content>
public sealed partial class SqliteRecordStore
{
    private const int BackupStepPages = 256;

    /// <inheritdoc/>
    public async ValueTask<StoreBackup> BackupAsync(string folder, CancellationToken cancellationToken)
    {
        BackupFolder.CheckTarget(folder);
        await _upkeep.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // So that whoever opens the copy has little to replay.
            await CheckpointAsync(cancellationToken).ConfigureAwait(false);
            return await Task.Run(() => WriteBackup(folder, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _upkeep.Release();
        }
    }

    private StoreBackup WriteBackup(string folder, CancellationToken cancellationToken)
    {
        var target = Path.TrimEndingDirectorySeparator(folder);
        var partial = BackupFolder.CreatePartial(target);
        try
        {
            var store = Guid.NewGuid().ToString("N");
            var origin = ReadStoreId();
            CopyTables(Path.Combine(partial, TableFile.FileName), cancellationToken);
            var (position, end, records) = ReadEnd();
            CopyLog(Path.Combine(partial, LogFile.FileName), end, cancellationToken);

            // After the end was taken: the numbers of the last records were reserved when the tables had been copied.
            BackupFolder.Sign(partial, store, origin, ReadReserved());
            var files = BackupFolder.Flush(partial, cancellationToken);
            BackupManifest.Write(
                partial, new BackupManifest(BackupManifest.FormatVersion, store, origin, _options.Time.GetUtcNow(), position, records, files));
            BackupFolder.CheckTarget(folder);
            DurableFiles.Publish(partial, target);
            return new StoreBackup(target, position, records, files.Sum(file => file.Bytes));
        }
        catch (StoreFullException e)
        {
            Directory.Delete(partial, recursive: true);
            throw new StoreFullException($"There is no room for a backup in {target}: {e.Message}", e);
        }
        catch
        {
            Directory.Delete(partial, recursive: true);
            throw;
        }
    }

    private void CopyTables(string path, CancellationToken cancellationToken)
    {
        using var copy = Database.OpenNew(path, _options.TablePageBytes);
        PageCopy pages;
        lock (_tablesLock)
        {
            pages = _tables.CopyTo(copy);
        }

        try
        {
            var steps = 0;
            for (var isDone = false; !isDone; steps++)
            {
                CheckBackupGoesOn("tables", cancellationToken);
                lock (_tablesLock)
                {
                    isDone = pages.Step(BackupStepPages);
                }

                FlushNowAndThen(path, steps);
            }
        }
        finally
        {
            lock (_tablesLock)
            {
                pages.Dispose();
            }
        }
    }

    private void CopyLog(string path, long end, CancellationToken cancellationToken)
    {
        using var reader = new LogReader(_log.Path, _recent, cacheBytes: 256 * 1024);
        using var copy = new LogCopy(reader, path, _options.LogPageBytes, _journalBegin);
        var steps = 0;
        for (var isDone = false; !isDone; steps++)
        {
            CheckBackupGoesOn("log", cancellationToken);
            isDone = copy.Step(end);
            FlushNowAndThen(path, steps);
        }

        copy.Complete();
    }

    /// <summary>Little by little: a flush of gigabytes at the end would hold up the flushes of commits.</summary>
    private static void FlushNowAndThen(string path, int steps)
    {
        const int FlushSteps = 16;
        if (steps % FlushSteps == FlushSteps - 1)
        {
            DurableFiles.Flush(path);
        }

        Thread.Yield();
    }

    private string ReadStoreId()
    {
        lock (_tablesLock)
        {
            return _tables.StoreId;
        }
    }

    private (long Position, long End, long Records) ReadEnd()
    {
        lock (_gate)
        {
            return (_position, _logEnd, _records);
        }
    }

    private long ReadReserved()
    {
        lock (_sequenceLock)
        {
            return _reservedSequence;
        }
    }

    private void CheckBackupGoesOn(string stage, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_isClosing, this);
        ThrowIfFailed();
        _options.Hooks?.BackupStage?.Invoke(stage);
    }
}
