using System.Data;
using Npgsql;
using Roster.Engine.Stores;
using Roster.Storage.Postgres.Internal;

namespace Roster.Storage.Postgres;

/// <content>Room in the journal for what comes, and an end to what is old.</content>
public sealed partial class PostgresRecordStore
{
    /// <summary>Positions below it have a partition, and half a partition more has one too. 0 before the first commit.</summary>
    private long _roomUntil;

    /// <summary>Turns below it were removed.</summary>
    private long _firstPosition;

    /// <summary>Makes partitions for the positions of a batch when they run short, and drops old ones then. Once in many millions of turns.</summary>
    private async Task MakeRoomAsync(NpgsqlConnection connection, long until)
    {
        if (until < _roomUntil)
        {
            return;
        }

        await RunAsOwnerAsync(
            connection, () => Partitions.MakeAsync(connection, until + (_options.PartitionPositions / 2) + 1, _options.PartitionPositions)).ConfigureAwait(false);
        if (_options.JournalRetention is { } retention)
        {
            try
            {
                await RunAsOwnerAsync(connection, () => Partitions.DropAsync(connection, retention)).ConfigureAwait(false);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                // Somebody reads for long; what is old is dropped the next time.
            }
        }

        var (first, beyond) = await Partitions.ReadAsync(connection).ConfigureAwait(false);
        Volatile.Write(ref _firstPosition, first);
        _roomUntil = beyond - (_options.PartitionPositions / 2);
    }

    private async Task RunAsOwnerAsync(NpgsqlConnection connection, Func<Task> change)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, CancellationToken.None).ConfigureAwait(false);
        await using var undone = transaction.ConfigureAwait(false);
        _plan.Begin(NoTurns);
        await JudgeAsync(connection).ConfigureAwait(false);
        await change().ConfigureAwait(false);
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Locks the row of the owner, whoever is fenced, and reads what the plan asks for.</summary>
    private async Task<OwnerRow> JudgeAsync(NpgsqlConnection connection) =>
        await CommitStatements.JudgeAsync(connection, _plan, Owner, _epoch, _self).ConfigureAwait(false)
            ?? throw new StoreFencedException(
                $"Another process has taken over the database `{connection.Database}`; this one was owner of epoch {_epoch} and writes no more.");
}
