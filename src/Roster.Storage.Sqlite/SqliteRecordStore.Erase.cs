using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite;

/// <content>
/// Erasure. A checkpoint comes first: from then on tables have what the turns led to, so neither loading nor recovery reads their payloads
/// again. Frames are rewritten where they are. To scrub is to write the tables anew and to empty the WAL of both files, which has pages as
/// they were. A backup that is under way comes first: it copies tables and log one after the other, and tables that are older than an erasure
/// do not go with a log that has it.
/// </content>
public sealed partial class SqliteRecordStore
{
    /// <inheritdoc/>
    public async ValueTask EraseAsync(Erasure erasure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(erasure);
        await _upkeep.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await CheckpointAsync(cancellationToken).ConfigureAwait(false);
            await Task.Yield();
            RewriteTurns(erasure.Turns);
            if (erasure.Key is { } key)
            {
                RenameKey(key);
            }
        }
        finally
        {
            _upkeep.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask ScrubAsync(CancellationToken cancellationToken)
    {
        await _upkeep.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await CheckpointAsync(cancellationToken).ConfigureAwait(false);
            _scratch.Forget();
            await Task.Run(RemoveAllRows, cancellationToken).ConfigureAwait(false);
            await Task.Run(Vacuum, cancellationToken).ConfigureAwait(false);
            while (!TruncateWals())
            {
                // A reader of an older state was in the way; reads are short.
                cancellationToken.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
        finally
        {
            _upkeep.Release();
        }
    }

    private void RenameKey(RenamedKey key)
    {
        lock (_tablesLock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            ThrowIfFailed();
            RunOnTables(() => _tables.RenameKey(key));
        }
    }

    private void RewriteTurns(IReadOnlyList<RewrittenTurn> turns)
    {
        lock (_commitLock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            ThrowIfFailed();
            try
            {
                // What retention removed needs no other payload.
                _log.Rewrite([.. turns.Where(turn => turn.Position >= _journalBegin)]);
                _recent.Forget();
            }
            catch (Exception e) when (e is not (StoreFullException or ArgumentException))
            {
                Fail(e);
                throw;
            }
        }
    }

    private void Vacuum()
    {
        lock (_tablesLock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            ThrowIfFailed();
            try
            {
                _tables.Vacuum();
            }
            catch (Exception e) when (e is not StoreFullException)
            {
                Fail(e);
                throw;
            }
        }
    }

    private bool TruncateWals()
    {
        lock (_commitLock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            ThrowIfFailed();
            try
            {
                lock (_tablesLock)
                {
                    return _log.TruncateWal() && _tables.TruncateWal();
                }
            }
            catch (Exception e) when (e is not StoreFullException)
            {
                Fail(e);
                throw;
            }
        }
    }
}
