using System.Text;
using Npgsql;
using Roster.Core;
using Roster.Engine.Stores;
using static Roster.Storage.Postgres.Internal.Parameters;

namespace Roster.Storage.Postgres;

/// <content>Timers, effects, documents and counters.</content>
public sealed partial class PostgresRecordStore
{
    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<TimerEntry>> ReadTimersAsync(TimerEntry after, int limit, CancellationToken cancellationToken)
    {
        const string Sql =
            "SELECT next_due, number FROM heads WHERE next_due IS NOT NULL AND (next_due, number) > ($1, $2) ORDER BY next_due, number LIMIT $3";
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return await ListAsync(
            Sql,
            reader => new TimerEntry(new Timestamp(reader.GetInt64(0)), reader.GetInt64(1)),
            cancellationToken,
            () => Of(after.DueAt.Ms), () => Of(after.RecordNumber), () => Of((long)limit)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoredEffect>> ReadEffectsAsync(
        int tenant, string queue, long afterSequence, int limit, CancellationToken cancellationToken)
    {
        const string Sql = """
            SELECT sequence, record, enrollment, step, execution, task FROM effects
            WHERE tenant = $1 AND queue = $2 AND sequence > $3 ORDER BY sequence LIMIT $4
            """;
        ArgumentNullException.ThrowIfNull(queue);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var name = Encoding.UTF8.GetBytes(queue);
        return await ListAsync(
            Sql,
            reader => new StoredEffect(
                reader.GetInt64(0),
                new EffectId(reader.GetInt64(1), reader.GetInt32(2), reader.GetInt32(3), reader.GetInt32(4)),
                tenant,
                queue,
                reader.GetFieldValue<byte[]>(5)),
            cancellationToken,
            () => Of(tenant), () => Of(name), () => Of(afterSequence), () => Of((long)limit)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<EffectQueueCount>> ReadEffectQueuesAsync(CancellationToken cancellationToken)
    {
        const string Sql = "SELECT tenant, queue, count(*) FROM effects GROUP BY tenant, queue";
        return await ListAsync(
            Sql, reader => new EffectQueueCount(reader.GetInt32(0), ReadText(reader, 1), reader.GetInt64(2)), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoredDocument>> ReadDocumentsAsync(CancellationToken cancellationToken)
    {
        const string Sql = "SELECT tenant, kind, id, content FROM documents";
        var documents = await ListAsync(
            Sql,
            reader => new StoredDocument(reader.GetInt32(0), ReadText(reader, 1), ReadText(reader, 2), reader.GetFieldValue<byte[]>(3)),
            cancellationToken).ConfigureAwait(false);
        return [.. documents.OrderBy(d => d.Tenant).ThenBy(d => d.Kind, StringComparer.Ordinal).ThenBy(d => d.Id, StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<KeyValuePair<CounterKey, long>>> ReadCountersAsync(int tenant, CancellationToken cancellationToken)
    {
        const string Sql = "SELECT workflow, version, kind, step, code, sum(value)::bigint FROM counters WHERE tenant = $1 GROUP BY 1, 2, 3, 4, 5";
        return await ListAsync(Sql, reader => ReadCounter(tenant, reader), cancellationToken, () => Of(tenant)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<CounterKind, long>> SumCountersAsync(int tenant, IReadOnlyList<CounterKind> kinds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kinds);
        const string Sql = "SELECT kind, sum(value)::bigint FROM counters WHERE tenant = $1 AND kind = ANY ($2) GROUP BY 1";
        List<int> numbers = [.. kinds.Select(kind => (int)kind)];
        var sums = await ListAsync(Sql, reader => ((CounterKind)reader.GetInt32(0), reader.GetInt64(1)), cancellationToken, () => Of(tenant), () => Of(numbers)).ConfigureAwait(false);
        return sums.ToDictionary();
    }

    /// <summary>Columns: workflow, version, kind, step, code, value.</summary>
    private static KeyValuePair<CounterKey, long> ReadCounter(int tenant, NpgsqlDataReader reader) => KeyValuePair.Create(
        new CounterKey(tenant, reader.GetInt32(0), reader.GetInt32(1), (CounterKind)reader.GetInt32(2), reader.GetInt32(3), reader.GetInt32(4)),
        reader.GetInt64(5));
}
