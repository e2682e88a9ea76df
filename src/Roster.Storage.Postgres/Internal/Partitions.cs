using Npgsql;
using static Roster.Storage.Postgres.Internal.Parameters;

namespace Roster.Storage.Postgres.Internal;

/// <summary>The parts of the journal: made ahead of what is written, dropped when they are old.</summary>
internal static class Partitions
{
    /// <summary>Lowest position that is kept, and the first one that has no partition.</summary>
    public static async Task<(long First, long Beyond)> ReadAsync(NpgsqlConnection connection)
    {
        var command = Command(connection, "SELECT coalesce(min(first), 0), coalesce(max(beyond), 0) FROM partitions");
        await using var disposed = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
        await using var closed = reader.ConfigureAwait(false);
        await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    /// <summary>Makes partitions until there are some for all positions below <paramref name="wanted"/>. In a transaction of the caller.</summary>
    public static async Task MakeAsync(NpgsqlConnection connection, long wanted, long positions)
    {
        for (var (_, beyond) = await ReadAsync(connection).ConfigureAwait(false); beyond < wanted; beyond += positions)
        {
            var sql = $"INSERT INTO partitions (number, first, beyond) SELECT coalesce(max(number), 0) + 1, {beyond}, {beyond + positions} FROM partitions RETURNING number";
            var number = (int)(await ScalarAsync(connection, sql).ConfigureAwait(false))!;

            // Made apart and then attached: unlike PARTITION OF that does not wait for those who read, such as a backup.
            foreach (var table in new[] { "journal", "activity" })
            {
                await ScalarAsync(
                    connection,
                    $"""
                    CREATE TABLE {table}_{number} (LIKE {table} INCLUDING ALL);
                    ALTER TABLE {table} ATTACH PARTITION {table}_{number} FOR VALUES FROM ({beyond}) TO ({beyond + positions})
                    """).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Drops what is older, in a transaction of the caller. A partition is made when the one before is half full, so all turns of one are
    /// older than the second one after it. Waits a second at most for those who read: the next time comes.
    /// </summary>
    public static async Task DropAsync(NpgsqlConnection connection, TimeSpan retention)
    {
        const string Old = """
            SELECT coalesce(array_agg(p.number), '{}') FROM partitions p JOIN partitions l ON l.number = p.number + 2
            WHERE l.made_at < now() - make_interval(secs => $1)
            """;
        var command = Command(connection, Old, new NpgsqlParameter<double> { TypedValue = retention.TotalSeconds });
        await using var disposed = command.ConfigureAwait(false);
        var old = (int[])(await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false))!;
        foreach (var number in old)
        {
            await ScalarAsync(
                connection,
                $"SET LOCAL lock_timeout = '1s'; DROP TABLE journal_{number}, activity_{number}; DELETE FROM partitions WHERE number = {number}").ConfigureAwait(false);
        }
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using var disposed = command.ConfigureAwait(false);
        return await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false);
    }
}
