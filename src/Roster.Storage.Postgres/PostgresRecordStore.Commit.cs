using System.Data;
using System.Runtime.ExceptionServices;
using Npgsql;
using Roster.Engine.Stores;
using Roster.Storage.Postgres.Internal;

namespace Roster.Storage.Postgres;

/// <content>
/// Commits, on a connection of their own: judge, write, commit. An attempt that failed before COMMIT was sent wrote nothing. After that the
/// outcome is unknown until the row of the owner was read again; it says the number of the last batch that came through.
/// </content>
public sealed partial class PostgresRecordStore
{
    /// <summary>A transaction that other ones undo again and again is no race any more.</summary>
    private const int UndoneMax = 10;

    private static readonly TurnBatch NoTurns = new();
    private readonly CommitPlan _plan = new();
    private NpgsqlConnection? _connection;
    private bool _isOutcomeKnown = true;
    private Exception? _fullAtCommit;

    /// <inheritdoc/>
    public ValueTask CommitAsync(TurnBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        cancellationToken.ThrowIfCancellationRequested();
        BatchRules.Check(batch, NeedsHeads);
        ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
        ThrowIfFailed();
        return batch.IsEmpty ? default : new(CommitForSureAsync(batch));
    }

    private async Task CommitForSureAsync(TurnBatch batch)
    {
        var patience = new Patience(_options);
        var undone = 0;
        _isOutcomeKnown = true;
        _fullAtCommit = null;
        while (true)
        {
            FailureKind kind;
            try
            {
                await AttemptAsync(batch).ConfigureAwait(false);
                _plan.End();
                return;
            }
            catch (StoreConflictException)
            {
                // The transaction was undone whole; the connection is as it was.
                Forget(batch);
                throw;
            }
            catch (Exception e)
            {
                kind = Failures.KindOf(e);
                if (kind == FailureKind.Full && _isOutcomeKnown)
                {
                    await DropConnectionAsync().ConfigureAwait(false);
                    Forget(batch);
                    throw new StoreFullException($"PostgreSQL has no room: {e.Message}. Nothing was written.", e);
                }

                // What COMMIT was answered is believed once the row of the owner says the same.
                _fullAtCommit = kind == FailureKind.Full ? e : _fullAtCommit;
                undone += kind == FailureKind.Undone ? 1 : 0;
                if (kind is FailureKind.Fatal or FailureKind.Corrupt || !patience.IsLeft || undone > UndoneMax)
                {
                    throw await FailAsync(batch, e).ConfigureAwait(false);
                }
            }

            // Also of a transaction that was merely undone: what is left of it ends with the connection.
            await DropConnectionAsync().ConfigureAwait(false);
            if (kind == FailureKind.Unavailable)
            {
                _source.Clear();
            }

            await patience.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>One attempt. Returns when the batch is durable, by this attempt or the one before.</summary>
    private async Task AttemptAsync(TurnBatch batch)
    {
        var connection = _connection ??= await ConnectToCommitAsync().ConfigureAwait(false);
        await MakeRoomAsync(connection, _row.NextPosition + batch.TurnCount + batch.EffectsAdded.Count).ConfigureAwait(false);
        _plan.Begin(batch);
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, CancellationToken.None).ConfigureAwait(false);
        await using var undone = transaction.ConfigureAwait(false);
        var row = await JudgeAsync(connection).ConfigureAwait(false);
        if (row.Batch == _row.Batch + 1 && !_isOutcomeKnown)
        {
            // The attempt before came through; the positions are those that it gave. Others may have written since.
            Apply(_self is null ? row : _plan.Owner);
            _isOutcomeKnown = true;
            return;
        }

        if (_self is null ? row != _row : row.Batch != _row.Batch)
        {
            throw new InvalidOperationException($"The row of owner {Owner} is {row} where {_row} was written: somebody else changed it.");
        }

        _isOutcomeKnown = true;
        if (_fullAtCommit is { } full)
        {
            ExceptionDispatchInfo.Throw(full);
        }

        _plan.Judge(batch, row);
        if (_self is not null && (_plan.Conflicts.Count > 0 || _plan.StaleTenants.Count > 0))
        {
            throw new StoreConflictException([.. _plan.Conflicts], [.. _plan.StaleTenants]);
        }

        if (_plan.IsEmpty)
        {
            return;
        }

        if (await CommitStatements.WriteAsync(connection, _plan, Owner, _epoch, _self).ConfigureAwait(false) is { } statement)
        {
            throw new InvalidOperationException($"Rows are not as they were read in the same commit, by the statement: {statement}");
        }

        _isOutcomeKnown = false;
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        _isOutcomeKnown = true;
        Apply(_plan.Owner);
    }

    private async Task<NpgsqlConnection> ConnectToCommitAsync()
    {
        var connection = await _source.OpenConnectionAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            // A server that restarted may have come back with other settings.
            await ServerCheck.CheckAsync(connection, CancellationToken.None).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private void Apply(in OwnerRow row)
    {
        lock (_gate)
        {
            _row = row;
        }
    }

    private async Task DropConnectionAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            try
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is NpgsqlException or IOException)
            {
                // It is broken; that is why it is dropped.
            }
        }
    }

    /// <summary>The store takes no more commits; returns what to throw.</summary>
    private async Task<Exception> FailAsync(TurnBatch batch, Exception failure)
    {
        _failure = failure;
        await DropConnectionAsync().ConfigureAwait(false);
        Forget(batch);
        return failure switch
        {
            // Fenced while the fate of a COMMIT was still to be learned: it may have come through before.
            StoreFencedException when _isOutcomeKnown => failure,
            StoreCorruptException => failure,
            _ when Failures.KindOf(failure) == FailureKind.Corrupt => new StoreCorruptException($"PostgreSQL found stored bytes that are not what was written: {failure.Message}", failure),
            _ => new InvalidOperationException($"A commit to PostgreSQL failed for good: {failure.Message}", failure),
        };
    }

    private void Forget(TurnBatch batch)
    {
        _plan.End();
        foreach (ref var turn in batch.Turns)
        {
            turn.Position = 0;
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            throw new InvalidOperationException(
                "The store failed and takes no more commits: what it last wrote may or may not be durable. Restart the process.", failure);
        }
    }
}
