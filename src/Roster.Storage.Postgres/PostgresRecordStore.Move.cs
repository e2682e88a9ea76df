using System.Text;
using Npgsql;
using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Postgres.Internal;
using static Roster.Storage.Postgres.Internal.Parameters;

namespace Roster.Storage.Postgres;

/// <content>A tenant that moves out or in.</content>
public sealed partial class PostgresRecordStore : IMovableStore
{
    /// <summary>A session that has just ended may be listed for a moment.</summary>
    private static readonly TimeSpan SessionsEndIn = TimeSpan.FromSeconds(5);

    /// <summary>Where the journal of a tenant begins that was moved here without its first turns; 0 when there is none.</summary>
    private long _movedBegin;

    private long JournalBegin => Math.Max(Volatile.Read(ref _firstPosition), Volatile.Read(ref _movedBegin));

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<KeyValuePair<RecordKey, long>>> ReadKeysAsync(int tenant, RecordKey? after, int limit, CancellationToken cancellationToken)
    {
        const string Sql = "SELECT object_type, id, number FROM keys WHERE tenant = $1 AND (object_type, id) > ($2, $3) ORDER BY object_type, id LIMIT $4";
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var id = Encoding.UTF8.GetBytes(after?.Id ?? string.Empty);
        return await ListAsync(
            Sql,
            reader => KeyValuePair.Create(new RecordKey(tenant, reader.GetInt32(0), ReadText(reader, 1)), reader.GetInt64(2)),
            cancellationToken,
            () => Of(tenant), () => Of(after?.ObjectType ?? -1), () => Of(id), () => Of((long)limit)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoredSection>> ReadSectionsAsync(IReadOnlyList<long> recordNumbers, CancellationToken cancellationToken)
    {
        const string Sql = "SELECT record, index, checksum, content FROM sections WHERE record = ANY ($1)";
        ArgumentNullException.ThrowIfNull(recordNumbers);
        return await ListAsync(Sql, Read, cancellationToken, () => Of(recordNumbers.ToList())).ConfigureAwait(false);

        static StoredSection Read(NpgsqlDataReader reader)
        {
            var (record, index, content) = (reader.GetInt64(0), reader.GetInt32(1), reader.GetFieldValue<byte[]>(3));
            Checksums.Check(reader.GetInt32(2), Checksums.OfSection(record, index, content), $"section {index} of record {record}");
            return new StoredSection(record, index, content);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> ReadNextSequenceAsync(CancellationToken cancellationToken) =>
        (await ListAsync("SELECT next FROM sequences WHERE name = 'record'", reader => reader.GetInt64(0), cancellationToken).ConfigureAwait(false))[0];

    /// <summary>
    /// Begins to take a tenant in, in one transaction that keeps the row of the owner: nobody commits meanwhile, and nobody sees any of it before it is complete.
    /// </summary>
    /// <exception cref="StoreFencedException">Another process has taken over.</exception>
    /// <exception cref="InvalidOperationException">Others share the store.</exception>
    public async Task<ITenantImport> BeginImportAsync(CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        if (_self is not null)
        {
            throw new InvalidOperationException("A tenant is taken in by a process that has the store for itself.");
        }

        var present = await ReadDocumentsAsync(cancellationToken).ConfigureAwait(false);
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await ServerCheck.CheckAsync(connection, cancellationToken).ConfigureAwait(false);
            var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            _plan.Begin(NoTurns);
            var row = await JudgeAsync(connection).ConfigureAwait(false);
            return new TenantImport(connection, transaction, present, row, Owner, _options.PartitionPositions, Imported);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Refuses a database that another process has open: opening it would take it away from that one.</summary>
    private static async Task CheckUnusedAsync(NpgsqlConnection connection, TimeProvider time, CancellationToken cancellationToken)
    {
        const string Sql = """
            SELECT count(*)::int FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name IN ('roster', current_setting('application_name'))
            """;
        for (var started = time.GetTimestamp(); ;)
        {
            var command = Command(connection, Sql);
            await using var disposed = command.ConfigureAwait(false);
            if ((int)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))! == 0)
            {
                return;
            }

            if (time.GetElapsedTime(started) > SessionsEndIn)
            {
                throw new StoreRefusedException($"The database `{connection.Database}` is in use by another process of Roster. Stop it first; opening would take the database away from it.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<long> ReadMovedBeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = Command(connection, "SELECT coalesce(max(journal_begin), 0) FROM moved_tenants");
        await using var disposed = command.ConfigureAwait(false);
        return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>An import came through.</summary>
    private void Imported(OwnerRow row, long journalBegin)
    {
        Apply(row);
        Volatile.Write(ref _movedBegin, Math.Max(_movedBegin, journalBegin));

        // It may have made parts of the journal; the next commit looks.
        _roomUntil = 0;
    }
}
