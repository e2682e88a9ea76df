using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite;

/// <content>A tenant that moves out: after a checkpoint, when nobody commits, tables have all there is.</content>
public sealed partial class SqliteRecordStore : IMovableStore
{
    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<KeyValuePair<RecordKey, long>>> ReadKeysAsync(int tenant, RecordKey? after, int limit, CancellationToken cancellationToken)
    {
        const string Sql = "SELECT object_type, id, number FROM keys WHERE tenant = ?1 AND (object_type, id) > (?2, ?3) ORDER BY object_type, id LIMIT ?4";
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        using var reader = _tableReaders.Rent();
        var keys = new List<KeyValuePair<RecordKey, long>>();
        var rows = reader.Item.Prepared(ref reader.Item.Keys, Sql);
        rows.Bind(1, tenant).Bind(2, after?.ObjectType ?? -1).Bind(3, after?.Id ?? string.Empty).Bind(4, limit);
        while (rows.Step())
        {
            keys.Add(KeyValuePair.Create(new RecordKey(tenant, rows.Int(0), rows.Text(1)), rows.Long(2)));
        }

        return new(keys);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredSection>> ReadSectionsAsync(IReadOnlyList<long> recordNumbers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(recordNumbers);
        cancellationToken.ThrowIfCancellationRequested();
        using var reader = _tableReaders.Rent();
        var sections = new List<StoredSection>();
        var rows = reader.Item.Prepared(ref reader.Item.Sections, "SELECT idx, content FROM sections WHERE record = ?1 ORDER BY idx");
        foreach (var number in recordNumbers)
        {
            rows.Bind(1, number);
            while (rows.Step())
            {
                sections.Add(new StoredSection(number, rows.Int(0), rows.Blob(1).ToArray()));
            }
        }

        return new(sections);
    }

    /// <inheritdoc/>
    public ValueTask<long> ReadNextSequenceAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_sequenceLock)
        {
            return new(_nextSequence);
        }
    }
}
