using Npgsql;
using Roster.Engine.Stores;
using static Roster.Storage.Postgres.Internal.Parameters;

namespace Roster.Storage.Postgres.Internal;

/// <summary>
/// A commit as two round trips of set-based statements: one that reads what the turns are judged by, one that writes what was judged.
/// The second checks that what the first read is still so, by the number of rows that each statement changes.
/// </summary>
internal static class CommitStatements
{
    private const string LockOwner =
        "SELECT batch, position, next_position, records, timers, effects FROM owners WHERE owner = $1 AND epoch = $2 FOR UPDATE";

    private const string LockSelf = "SELECT batch FROM owners WHERE owner = $1 AND epoch = $2 FOR UPDATE";

    private const string MoveSelf = "UPDATE owners SET batch = $3 WHERE owner = $1 AND epoch = $2";

    private const string FindVersions = "SELECT tenant, version FROM catalogs WHERE tenant = ANY ($1)";

    private const string FindHeads = "SELECT number, turn_id, position, coalesce(next_due, 0) FROM heads WHERE number = ANY ($1)";

    private const string FindKeys = """
        SELECT w.i FROM unnest($1, $2, $3) WITH ORDINALITY AS w(tenant, object_type, id, i) JOIN keys k USING (tenant, object_type, id)
        """;

    private const string FindEffects = """
        SELECT record, enrollment, step, execution FROM unnest($1, $2, $3, $4) AS w(record, enrollment, step, execution)
        JOIN effects e USING (record, enrollment, step, execution)
        """;

    private const string MoveOwner =
        "UPDATE owners SET batch = $3, position = $4, next_position = $5, records = $6, timers = $7, effects = $8 WHERE owner = $1 AND epoch = $2";

    internal const string InsertKeys = "INSERT INTO keys (tenant, object_type, id, number) SELECT * FROM unnest($1, $2, $3, $4)";

    internal const string InsertHeads = """
        INSERT INTO heads (number, tenant, turn_id, position, next_due, checksum, head)
        SELECT number, tenant, turn_id, position, nullif(next_due, 0), checksum, head
        FROM unnest($1, $2, $3, $4, $5, $6, $7) AS w(number, tenant, turn_id, position, next_due, checksum, head)
        """;

    private const string UpdateHeads = """
        UPDATE heads h SET turn_id = w.turn_id, position = w.position, next_due = nullif(w.next_due, 0), checksum = w.checksum, head = w.head
        FROM unnest($1, $2, $3, $4, $5, $6, $7) AS w(number, expected, turn_id, position, next_due, checksum, head)
        WHERE h.number = w.number AND h.turn_id = w.expected
        """;

    internal const string InsertJournal =
        "INSERT INTO journal (position, record, previous, checksum, skeleton, payload) SELECT * FROM unnest($1, $2, $3, $4, $5, $6)";

    internal const string InsertActivity = "INSERT INTO activity (tenant, workflow, position) SELECT * FROM unnest($1, $2, $3) ON CONFLICT DO NOTHING";

    internal const string UpsertSections = """
        INSERT INTO sections (record, index, checksum, content) SELECT * FROM unnest($1, $2, $3, $4)
        ON CONFLICT (record, index) DO UPDATE SET checksum = excluded.checksum, content = excluded.content
        """;

    private const string DeleteSections =
        "DELETE FROM sections s USING unnest($1, $2) AS w(record, index) WHERE s.record = w.record AND s.index = w.index";

    private const string DeleteEnrollments = """
        DELETE FROM enrollments e USING unnest($1, $2, $3) AS w(tenant, workflow, record)
        WHERE e.tenant = w.tenant AND e.workflow = w.workflow AND e.record = w.record
        """;

    internal const string InsertEnrollments = "INSERT INTO enrollments (tenant, workflow, record) SELECT * FROM unnest($1, $2, $3)";

    private const string DeleteEffects = """
        DELETE FROM effects e USING unnest($1, $2, $3, $4) AS w(record, enrollment, step, execution)
        WHERE e.record = w.record AND e.enrollment = w.enrollment AND e.step = w.step AND e.execution = w.execution
        """;

    internal const string InsertEffects = """
        INSERT INTO effects (record, enrollment, step, execution, tenant, queue, sequence, task)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
        """;

    internal const string InsertDocuments = "INSERT INTO documents (tenant, kind, id, content) SELECT * FROM unnest($1, $2, $3, $4)";

    private const string UpsertDocuments = """
        INSERT INTO documents (tenant, kind, id, content) SELECT * FROM unnest($1, $2, $3, $4)
        ON CONFLICT (tenant, kind, id) DO UPDATE SET content = excluded.content
        """;

    private const string DeleteDocuments = """
        DELETE FROM documents d USING unnest($1, $2, $3) AS w(tenant, kind, id) WHERE d.tenant = w.tenant AND d.kind = w.kind AND d.id = w.id
        """;

    internal const string RaiseCatalogs = """
        INSERT INTO catalogs (tenant, version) SELECT tenant, 1 FROM unnest($1) AS w(tenant) ORDER BY tenant
        ON CONFLICT (tenant) DO UPDATE SET version = catalogs.version + 1
        """;

    internal const string AddCounters = """
        INSERT INTO counters (tenant, workflow, version, kind, step, code, owner, value)
        SELECT w.tenant, w.workflow, w.version, w.kind, w.step, w.code, $8, w.value
        FROM unnest($1, $2, $3, $4, $5, $6, $7) AS w(tenant, workflow, version, kind, step, code, value)
        ON CONFLICT (tenant, workflow, version, kind, step, code, owner) DO UPDATE SET value = counters.value + excluded.value
        """;

    /// <summary>Locks the row of the owner and reads what the plan must know. Null when the owner has another epoch.</summary>
    public static async Task<OwnerRow?> JudgeAsync(NpgsqlConnection connection, CommitPlan plan, int owner, long epoch, SharedOwner? self)
    {
        var batch = new NpgsqlBatch(connection);
        await using var disposed = batch.ConfigureAwait(false);
        if (self is not null)
        {
            batch.BatchCommands.Add(Statement(LockSelf, Of(self.Owner), Of(self.Epoch)));
        }

        batch.BatchCommands.Add(Statement(LockOwner, Of(owner), Of(epoch)));
        if (plan.Numbers.Count > 0)
        {
            batch.BatchCommands.Add(Statement(FindHeads, Of(plan.Numbers)));
        }

        var (keys, effects) = (plan.Keys, plan.Removed);
        if (keys.Ids.Count > 0)
        {
            batch.BatchCommands.Add(Statement(FindKeys, Of(keys.Tenants), Of(keys.ObjectTypes), Of(keys.Ids)));
        }

        if (effects.Records.Count > 0)
        {
            batch.BatchCommands.Add(Statement(FindEffects, Of(effects.Records), Of(effects.Enrollments), Of(effects.Steps), Of(effects.Executions)));
        }

        if (plan.DecidedOn.Count > 0)
        {
            batch.BatchCommands.Add(Statement(FindVersions, Of(plan.DecidedOn)));
        }

        var reader = await batch.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
        await using var closed = reader.ConfigureAwait(false);
        long? number = null;
        if (self is not null)
        {
            if (!await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                return null;
            }

            number = reader.GetInt64(0);
            await reader.NextResultAsync(CancellationToken.None).ConfigureAwait(false);
        }

        if (!await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            return null;
        }

        var row = new OwnerRow(number ?? reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5));
        await ReadFoundAsync(reader, plan).ConfigureAwait(false);
        return row;
    }

    private static async Task ReadFoundAsync(NpgsqlDataReader reader, CommitPlan plan)
    {
        if (plan.Numbers.Count > 0)
        {
            await reader.NextResultAsync(CancellationToken.None).ConfigureAwait(false);
            while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                plan.FoundHead(reader.GetInt64(0), (ulong)reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3));
            }
        }

        if (plan.Keys.Ids.Count > 0)
        {
            await reader.NextResultAsync(CancellationToken.None).ConfigureAwait(false);
            while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                plan.FoundKey((int)reader.GetInt64(0) - 1);
            }
        }

        if (plan.Removed.Records.Count > 0)
        {
            await reader.NextResultAsync(CancellationToken.None).ConfigureAwait(false);
            while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                plan.FoundEffect(new EffectId(reader.GetInt64(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetInt32(3)));
            }
        }

        if (plan.DecidedOn.Count > 0)
        {
            await reader.NextResultAsync(CancellationToken.None).ConfigureAwait(false);
            while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                plan.FoundVersion(reader.GetInt32(0), reader.GetInt64(1));
            }
        }
    }

    /// <summary>Writes what was judged. Null, or the statement that found another number of rows than was read: another owner was quicker.</summary>
    public static async Task<string?> WriteAsync(NpgsqlConnection connection, CommitPlan plan, int owner, long epoch, SharedOwner? self)
    {
        var batch = new NpgsqlBatch(connection);
        await using var disposed = batch.ConfigureAwait(false);
        var expected = new List<int>();
        AddRecords(batch, expected, plan);
        AddEffects(batch, expected, plan);
        AddDocumentsAndCounters(batch, expected, plan, owner);

        // Last, so that whatever fails before it leaves the row as it was for the shortest time.
        var row = plan.Owner;
        if (self is not null)
        {
            Add(batch, expected, 1, MoveSelf, Of(self.Owner), Of(self.Epoch), Of(row.Batch));
        }

        Add(batch, expected, 1, MoveOwner, Of(owner), Of(epoch), Of(row.Batch), Of(row.Position), Of(row.NextPosition), Of(row.Records), Of(row.Timers), Of(row.Effects));
        await batch.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        for (var i = 0; i < expected.Count; i++)
        {
            if (expected[i] >= 0 && batch.BatchCommands[i].RecordsAffected != expected[i])
            {
                return batch.BatchCommands[i].CommandText;
            }
        }

        return null;
    }

    private static void AddRecords(NpgsqlBatch batch, List<int> expected, CommitPlan plan)
    {
        var (keys, created, changed, journal, activity) = (plan.CreatedKeys, plan.CreatedHeads, plan.ChangedHeads, plan.Journal, plan.Activity);
        Add(batch, expected, keys.Numbers.Count, InsertKeys, Of(keys.Tenants), Of(keys.ObjectTypes), Of(keys.Ids), Of(keys.Numbers));
        Add(
            batch, expected, created.Numbers.Count, InsertHeads,
            Of(created.Numbers), Of(created.Tenants), Of(created.TurnIds), Of(created.Positions), Of(created.DueMs), Of(created.Checksums), Of(created.Heads));
        Add(
            batch, expected, changed.Numbers.Count, UpdateHeads,
            Of(changed.Numbers), Of(changed.ExpectedTurnIds), Of(changed.TurnIds), Of(changed.Positions), Of(changed.DueMs), Of(changed.Checksums), Of(changed.Heads));
        Add(
            batch, expected, journal.Positions.Count, InsertJournal,
            Of(journal.Positions), Of(journal.Records), Of(journal.Previous), Of(journal.Checksums), Of(journal.Skeletons), Of(journal.Payloads));
        if (activity.Positions.Count > 0)
        {
            AddUnchecked(batch, expected, InsertActivity, Of(activity.Tenants), Of(activity.Workflows), Of(activity.Positions));
        }

        var (written, removed) = (plan.WrittenSections, plan.RemovedSections);
        Add(batch, expected, written.Records.Count, UpsertSections, Of(written.Records), Of(written.Indexes), Of(written.Checksums), Of(written.Contents));
        if (removed.Records.Count > 0)
        {
            AddUnchecked(batch, expected, DeleteSections, Of(removed.Records), Of(removed.Indexes));
        }

        var (ended, begun) = (plan.Enrollments.Ended, plan.Enrollments.Begun);
        Add(batch, expected, ended.Records.Count, DeleteEnrollments, Of(ended.Tenants), Of(ended.Workflows), Of(ended.Records));
        Add(batch, expected, begun.Records.Count, InsertEnrollments, Of(begun.Tenants), Of(begun.Workflows), Of(begun.Records));
    }

    private static void AddEffects(NpgsqlBatch batch, List<int> expected, CommitPlan plan)
    {
        var (closed, opened) = (plan.ClosedEffects, plan.OpenedEffects);
        Add(batch, expected, closed.Records.Count, DeleteEffects, Of(closed.Records), Of(closed.Enrollments), Of(closed.Steps), Of(closed.Executions));
        Add(
            batch, expected, opened.Sequences.Count, InsertEffects,
            Of(opened.Ids.Records), Of(opened.Ids.Enrollments), Of(opened.Ids.Steps), Of(opened.Ids.Executions),
            Of(opened.Tenants), Of(opened.Queues), Of(opened.Sequences), Of(opened.Tasks));
    }

    private static void AddDocumentsAndCounters(NpgsqlBatch batch, List<int> expected, CommitPlan plan, int owner)
    {
        var (written, removed, counters) = (plan.WrittenDocuments, plan.RemovedDocuments, plan.Counters);
        Add(batch, expected, written.Tenants.Count, UpsertDocuments, Of(written.Tenants), Of(written.Kinds), Of(written.Ids), Of(written.Contents));
        if (removed.Tenants.Count > 0)
        {
            AddUnchecked(batch, expected, DeleteDocuments, Of(removed.Tenants), Of(removed.Kinds), Of(removed.Ids));
        }

        Add(batch, expected, plan.ChangedCatalogs.Count, RaiseCatalogs, Of(plan.ChangedCatalogs));
        Add(
            batch, expected, counters.Values.Count, AddCounters,
            Of(counters.Tenants), Of(counters.Workflows), Of(counters.Versions), Of(counters.Kinds), Of(counters.Steps), Of(counters.Codes),
            Of(counters.Values), Of(owner));
    }

    private static void Add(NpgsqlBatch batch, List<int> expected, int rows, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        if (rows > 0)
        {
            batch.BatchCommands.Add(Statement(sql, parameters));
            expected.Add(rows);
        }
    }

    private static void AddUnchecked(NpgsqlBatch batch, List<int> expected, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        batch.BatchCommands.Add(Statement(sql, parameters));
        expected.Add(-1);
    }
}
