using System.Text;
using Npgsql;
using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Postgres.Internal;
using static Roster.Storage.Postgres.Internal.Parameters;

namespace Roster.Storage.Postgres;

/// <content>Loading heads and sections.</content>
public sealed partial class PostgresRecordStore
{
    /// <inheritdoc/>
    public async ValueTask LoadAsync(IReadOnlyList<RecordKey> keys, IList<LoadedRecord> results, CancellationToken cancellationToken)
    {
        const string Sql = """
            SELECT h.number, h.position, h.checksum, h.head, w.i
            FROM unnest($1, $2, $3) WITH ORDINALITY AS w(tenant, object_type, id, i)
            JOIN keys k USING (tenant, object_type, id) JOIN heads h USING (number)
            """;
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(results);
        var wanted = new KeyRows();
        foreach (var key in keys)
        {
            wanted.Add(key, number: 0);
        }

        var found = await RunAsync(
            async (connection, token) =>
            {
                var loaded = new LoadedRecord[keys.Count];
                var command = Command(connection, Sql, Of(wanted.Tenants), Of(wanted.ObjectTypes), Of(wanted.Ids));
                await ReadAsync(command, reader => loaded[reader.GetInt64(4) - 1] = ReadHead(reader), token).ConfigureAwait(false);
                return loaded;
            },
            cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < found.Length; i++)
        {
            if (i < results.Count)
            {
                results[i] = found[i];
            }
            else
            {
                results.Add(found[i]);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<LoadedRecord> LoadAsync(long recordNumber, CancellationToken cancellationToken)
    {
        const string Sql = "SELECT number, position, checksum, head FROM heads WHERE number = $1";
        var found = await ListAsync(Sql, ReadHead, cancellationToken, () => Of(recordNumber)).ConfigureAwait(false);
        return found.Count > 0 ? found[0] : default;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<LoadedRecord>> LoadAsync(IReadOnlyList<long> recordNumbers, CancellationToken cancellationToken)
    {
        const string Sql = "SELECT number, position, checksum, head FROM heads WHERE number = ANY ($1)";
        ArgumentNullException.ThrowIfNull(recordNumbers);
        var found = await ListAsync(Sql, ReadHead, cancellationToken, () => Of(recordNumbers.ToList())).ConfigureAwait(false);
        var heads = found.ToDictionary(head => head.Number);
        return recordNumbers.Select(number => heads.GetValueOrDefault(number)).ToArray();
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<LoadedRecord>> ScanRecordsAsync(long afterNumber, int limit, CancellationToken cancellationToken)
    {
        const string Sql = "SELECT number, position, checksum, head FROM heads WHERE number > $1 ORDER BY number LIMIT $2";
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return await ListAsync(Sql, ReadHead, cancellationToken, () => Of(afterNumber), () => Of((long)limit)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]?> LoadSectionAsync(long recordNumber, int sectionIndex, CancellationToken cancellationToken)
    {
        const string Sql = "SELECT checksum, content FROM sections WHERE record = $1 AND index = $2";
        var found = await ListAsync(Sql, Read, cancellationToken, () => Of(recordNumber), () => Of(sectionIndex)).ConfigureAwait(false);
        return found.Count > 0 ? found[0] : null;

        byte[] Read(NpgsqlDataReader reader)
        {
            var content = reader.GetFieldValue<byte[]>(1);
            Checksums.Check(reader.GetInt32(0), Checksums.OfSection(recordNumber, sectionIndex, content), $"section {sectionIndex} of record {recordNumber}");
            return content;
        }
    }

    /// <summary>Columns: number, position, checksum, head.</summary>
    private static LoadedRecord ReadHead(NpgsqlDataReader reader)
    {
        var (number, position, head) = (reader.GetInt64(0), reader.GetInt64(1), reader.GetFieldValue<byte[]>(3));
        Checksums.Check(reader.GetInt32(2), Checksums.OfHead(number, position, head), $"the head of record {number}");
        return new LoadedRecord(Found: true, number, position, head);
    }

    /// <summary>Reads rows; parameters are made anew for each attempt, since a connection keeps those it was given.</summary>
    private ValueTask<List<T>> ListAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params Func<NpgsqlParameter>[] parameters) =>
        RunAsync(
            async (connection, token) =>
            {
                var rows = new List<T>();
                var command = Command(connection, sql, [.. parameters.Select(parameter => parameter())]);
                await ReadAsync(command, reader => rows.Add(read(reader)), token).ConfigureAwait(false);
                return rows;
            },
            cancellationToken);

    private static async Task ReadAsync(NpgsqlCommand command, Action<NpgsqlDataReader> read, CancellationToken cancellationToken)
    {
        await using var disposed = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var closed = reader.ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            read(reader);
        }
    }

    private static string ReadText(NpgsqlDataReader reader, int column) => Encoding.UTF8.GetString(reader.GetFieldValue<byte[]>(column));
}
