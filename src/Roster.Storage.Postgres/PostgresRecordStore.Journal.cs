using Npgsql;
using Roster.Engine.Stores;
using Roster.Storage.Postgres.Internal;
using static Roster.Storage.Postgres.Internal.Parameters;

namespace Roster.Storage.Postgres;

/// <content>Reading turns: of a record, of all, of a workflow.</content>
public sealed partial class PostgresRecordStore
{
    /// <summary>A read of the journal stops after the turn that reaches this many bytes.</summary>
    private const int JournalReadBytesMax = 4 * 1024 * 1024;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoredTurn>> ReadTimelineAsync(
        long recordNumber, long beforePosition, int limit, CancellationToken cancellationToken)
    {
        // Walks back from turn to turn. When the position is a turn of the record, as it is for every page but the first, from there.
        const string Sql = """
            WITH RECURSIVE start AS (
                SELECT coalesce(
                    (SELECT previous FROM journal WHERE position = $2 AND record = $1), (SELECT position FROM heads WHERE number = $1), 0) AS position),
            chain AS (
                SELECT j.*, (j.position < $2)::int AS n FROM start s JOIN journal j ON j.position = s.position
                UNION ALL
                SELECT j.*, c.n + (j.position < $2)::int FROM chain c JOIN journal j ON j.position = c.previous WHERE c.n < $3)
            SELECT position, previous, record, checksum, skeleton, payload FROM chain WHERE position < $2 ORDER BY position DESC LIMIT $3
            """;
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var before = beforePosition <= 0 ? long.MaxValue : beforePosition;
        return await ListAsync(Sql, ReadTurn, cancellationToken, () => Of(recordNumber), () => Of(before), () => Of((long)limit)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoredTurn>> ReadJournalAsync(long afterPosition, int limit, CancellationToken cancellationToken)
    {
        // The sizes are known without reading the bytes.
        const string Sql = """
            SELECT position, previous, record, checksum, skeleton, payload
            FROM (
                SELECT j.*, sum(octet_length(skeleton) + octet_length(payload)) OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                FROM (SELECT * FROM journal WHERE position > $1 ORDER BY position LIMIT $2) j) w
            WHERE before IS NULL OR before < $3 ORDER BY position
            """;
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return await ListAsync(
            Sql, ReadTurn, cancellationToken, () => Of(afterPosition), () => Of((long)limit), () => Of((long)JournalReadBytesMax)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoredTurn>> ReadActivityAsync(
        int tenant, int workflow, long beforePosition, int limit, CancellationToken cancellationToken)
    {
        const string Sql = """
            SELECT j.position, j.previous, j.record, j.checksum, j.skeleton, j.payload
            FROM (SELECT position FROM activity WHERE tenant = $1 AND workflow = $2 AND position < $3 ORDER BY position DESC LIMIT $4) a
            JOIN journal j USING (position) ORDER BY j.position DESC
            """;
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var before = beforePosition <= 0 ? long.MaxValue : beforePosition;
        return await ListAsync(
            Sql, ReadTurn, cancellationToken, () => Of(tenant), () => Of(workflow), () => Of(before), () => Of((long)limit)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<KeyValuePair<CounterKey, long>>?> ReadRemovedCountersAsync(int tenant, CancellationToken cancellationToken)
    {
        const string Sql = "SELECT workflow, version, kind, step, code, value FROM removed_counters WHERE tenant = $1";
        if (Volatile.Read(ref _firstPosition) != 0)
        {
            // Parts are dropped whole, without reading them.
            return null;
        }

        return await ListAsync(Sql, reader => ReadCounter(tenant, reader), cancellationToken, () => Of(tenant)).ConfigureAwait(false);
    }

    /// <summary>Columns: position, previous, record, checksum, skeleton, payload.</summary>
    private StoredTurn ReadTurn(NpgsqlDataReader reader)
    {
        var (position, previous, record) = (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
        var (skeleton, payload) = (reader.GetFieldValue<byte[]>(4), reader.GetFieldValue<byte[]>(5));
        Checksums.Check(reader.GetInt32(3), Checksums.OfTurn(position, previous, record, skeleton, payload), $"the turn at position {position}");
        var isRemoved = previous > 0 && previous < Volatile.Read(ref _firstPosition);
        return new StoredTurn(position, isRemoved ? -1 : previous, skeleton, payload);
    }
}
