using System.Data;
using System.Text;
using Npgsql;
using Roster.Engine.Stores;
using Roster.Storage.Postgres.Internal;
using static Roster.Storage.Postgres.Internal.Parameters;

namespace Roster.Storage.Postgres;

/// <content>Erasure. Tables are the truth and heads are read where they are, so nothing depends on the payloads of old turns.</content>
public sealed partial class PostgresRecordStore
{
    /// <inheritdoc/>
    public async ValueTask EraseAsync(Erasure erasure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(erasure);
        await RunAsync(
            async (connection, token) =>
            {
                var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, token).ConfigureAwait(false);
                await using var undone = transaction.ConfigureAwait(false);
                await CheckOwnershipAsync(connection, token).ConfigureAwait(false);
                await RewriteAsync(connection, erasure.Turns, token).ConfigureAwait(false);
                if (erasure.Key is { } key)
                {
                    await RenameAsync(connection, key, token).ConfigureAwait(false);
                }

                // Done again after a failure it changes nothing.
                await transaction.CommitAsync(token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask ScrubAsync(CancellationToken cancellationToken) => await RunAsync(
        async (connection, token) =>
        {
            var command = Command(connection, "VACUUM journal, keys, heads, sections, effects, documents");
            await using var disposed = command.ConfigureAwait(false);
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            return true;
        },
        cancellationToken).ConfigureAwait(false);

    private async Task CheckOwnershipAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (_self is { } self)
        {
            await CheckOwnershipAsync(connection, self.Owner, self.Epoch, cancellationToken).ConfigureAwait(false);
        }

        await CheckOwnershipAsync(connection, Owner, _epoch, cancellationToken).ConfigureAwait(false);
    }

    private static async Task CheckOwnershipAsync(NpgsqlConnection connection, int owner, long epoch, CancellationToken cancellationToken)
    {
        var command = Command(connection, "SELECT 1 FROM owners WHERE owner = $1 AND epoch = $2 FOR SHARE", Of(owner), Of(epoch));
        await using var disposed = command.ConfigureAwait(false);
        if (await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is null)
        {
            throw new StoreFencedException(
                $"Another process has taken over the database `{connection.Database}`; this one was owner {owner} of epoch {epoch} and writes no more.");
        }
    }

    private async Task RewriteAsync(NpgsqlConnection connection, IReadOnlyList<RewrittenTurn> turns, CancellationToken cancellationToken)
    {
        const string Find = "SELECT position, previous, record, skeleton, octet_length(payload) FROM journal WHERE position = ANY ($1)";
        const string Update = """
            UPDATE journal j SET payload = w.payload, checksum = w.checksum FROM unnest($1, $2, $3) AS w(position, checksum, payload)
            WHERE j.position = w.position
            """;
        var wanted = turns.ToDictionary(turn => turn.Position, turn => turn.Payload);
        var (positions, checksums, payloads) = (new List<long>(), new List<int>(), new List<ReadOnlyMemory<byte>>());
        void Read(NpgsqlDataReader reader)
        {
            var position = reader.GetInt64(0);
            var payload = wanted[position];
            if (payload.Length > reader.GetInt32(4))
            {
                throw new ArgumentException($"The payload for the turn at position {position} is longer than the one that it replaces.");
            }

            positions.Add(position);
            checksums.Add(Checksums.OfTurn(position, reader.GetInt64(1), reader.GetInt64(2), reader.GetFieldValue<byte[]>(3), payload.Span));
            payloads.Add(payload);
        }

        await ReadAsync(Command(connection, Find, Of([.. wanted.Keys])), Read, cancellationToken).ConfigureAwait(false);
        foreach (var position in wanted.Keys.Except(positions))
        {
            // What the retention removed has nothing to take out.
            if (position >= Volatile.Read(ref _firstPosition))
            {
                throw new ArgumentException($"There is no turn at position {position}.");
            }
        }

        var command = Command(connection, Update, Of(positions), Of(checksums), Of(payloads));
        await using var disposed = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task RenameAsync(NpgsqlConnection connection, RenamedKey key, CancellationToken cancellationToken)
    {
        var command = Command(
            connection,
            "UPDATE keys SET id = $4 WHERE tenant = $1 AND object_type = $2 AND id = $3",
            Of(key.From.Tenant), Of(key.From.ObjectType), Of(Encoding.UTF8.GetBytes(key.From.Id)), Of(Encoding.UTF8.GetBytes(key.To.Id)));
        await using var disposed = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
