using Npgsql;
using Roster.Engine.Moving;
using Roster.Engine.Stores;
using static Roster.Storage.Postgres.Internal.Parameters;

namespace Roster.Storage.Postgres.Internal;

/// <summary>
/// A tenant on its way into the tables: one transaction, whose rows nobody sees before its end, and which keeps the row of the owner. It takes positions as
/// a commit does: one that stands for all turns that were removed, then one for each effect and each turn.
/// </summary>
internal sealed class TenantImport : ITenantImport
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly Action<OwnerRow, long> _imported;
    private readonly int _owner;
    private readonly long _partitionPositions;
    private readonly OwnerRow _before;
    private readonly RecordPositions _latest = new();
    private readonly long _removed;
    private TenantPlan _plan;
    private long _nextPosition;
    private long _roomUntil;
    private long _journalBegin;
    private long _position;
    private long _records;
    private long _timers;
    private long _effects;
    private bool _isDisposed;

    public TenantImport(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IReadOnlyList<StoredDocument> present, OwnerRow row, int owner, long partitionPositions, Action<OwnerRow, long> imported)
    {
        (_connection, _transaction, _before, _owner, _partitionPositions, _imported) = (connection, transaction, row, owner, partitionPositions, imported);
        Present = present;
        _position = row.Position;
        _removed = row.NextPosition;
        _nextPosition = row.NextPosition + 1;
    }

    public IReadOnlyList<StoredDocument> Present { get; }

    public async ValueTask BeginAsync(TenantPlan plan, CancellationToken cancellationToken)
    {
        _plan = plan;

        // A pause is none of a client that is lost: the file is read meanwhile.
        await RunAsync("SET LOCAL idle_in_transaction_session_timeout = 0", [], cancellationToken).ConfigureAwait(false);
        await RunAsync("UPDATE sequences SET next = greatest(next, $1) WHERE name = 'record'", [Of(plan.NextSequence)], cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask AddDocumentsAsync(IReadOnlyList<StoredDocument> documents, CancellationToken cancellationToken)
    {
        if (documents.Count == 0)
        {
            return;
        }

        var rows = new DocumentRows();
        foreach (var document in documents)
        {
            rows.Add(document.Tenant, document.Kind, document.Id, document.Content);
        }

        await RunAsync(CommitStatements.InsertDocuments, [Of(rows.Tenants), Of(rows.Kinds), Of(rows.Ids), Of(rows.Contents)], cancellationToken).ConfigureAwait(false);
        await RunAsync(CommitStatements.RaiseCatalogs, [Of(documents.Where(d => d.IsDefinition).Select(d => d.Tenant).Distinct().ToList())], cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask AddEffectsAsync(IReadOnlyList<StoredEffect> effects, CancellationToken cancellationToken)
    {
        if (effects.Count == 0)
        {
            return;
        }

        var rows = new EffectRows();
        foreach (var effect in effects)
        {
            rows.Add(_nextPosition++, new EffectAdd(effect.Id, effect.Tenant, effect.Queue, effect.Task));
        }

        _effects += effects.Count;
        await RunAsync(
            CommitStatements.InsertEffects,
            [Of(rows.Ids.Records), Of(rows.Ids.Enrollments), Of(rows.Ids.Steps), Of(rows.Ids.Executions), Of(rows.Tenants), Of(rows.Queues), Of(rows.Sequences), Of(rows.Tasks)],
            cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask AddTurnsAsync(IReadOnlyList<MovedTurn> turns, CancellationToken cancellationToken)
    {
        if (turns.Count == 0)
        {
            return;
        }

        if (_plan.IsCut && _journalBegin == 0)
        {
            _journalBegin = _nextPosition;
        }

        var (journal, activity) = (new JournalRows(), new ActivityRows());
        foreach (var turn in turns)
        {
            var number = turn.Info.RecordNumber;
            var previous = turn.Link switch { TurnLink.First => 0, TurnLink.Removed => -1, _ => _latest.Find(number) };
            _position = _nextPosition++;
            _latest.Set(number, _position);
            journal.Add(_position, number, previous, turn.Skeleton, turn.Payload);
            foreach (var workflow in turn.Workflows)
            {
                activity.Add(_plan.Tenant, workflow, _position);
            }
        }

        if (_nextPosition > _roomUntil)
        {
            _roomUntil = _nextPosition + (_partitionPositions / 2);
            await Partitions.MakeAsync(_connection, _roomUntil + 1, _partitionPositions).ConfigureAwait(false);
        }

        await RunAsync(
            CommitStatements.InsertJournal,
            [Of(journal.Positions), Of(journal.Records), Of(journal.Previous), Of(journal.Checksums), Of(journal.Skeletons), Of(journal.Payloads)],
            cancellationToken).ConfigureAwait(false);
        await RunAsync(CommitStatements.InsertActivity, [Of(activity.Tenants), Of(activity.Workflows), Of(activity.Positions)], cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask AddCountersAsync(
        IReadOnlyList<KeyValuePair<CounterKey, long>> counters, IReadOnlyList<KeyValuePair<CounterKey, long>> removed, CancellationToken cancellationToken)
    {
        const string InsertRemoved = "INSERT INTO removed_counters (tenant, workflow, version, kind, step, code, value) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)";
        foreach (var (items, sql) in new[] { (counters, CommitStatements.AddCounters), (removed, InsertRemoved) })
        {
            if (items.Count == 0)
            {
                continue;
            }

            var rows = new CounterRows();
            foreach (var (key, value) in items)
            {
                rows.Add(key, value);
            }

            NpgsqlParameter[] columns = [Of(rows.Tenants), Of(rows.Workflows), Of(rows.Versions), Of(rows.Kinds), Of(rows.Steps), Of(rows.Codes), Of(rows.Values)];
            await RunAsync(sql, sql == InsertRemoved ? columns : [.. columns, Of(_owner)], cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask AddKeysAsync(IReadOnlyList<KeyValuePair<Core.RecordKey, long>> keys, CancellationToken cancellationToken)
    {
        if (keys.Count == 0)
        {
            return;
        }

        var rows = new KeyRows();
        foreach (var (key, number) in keys)
        {
            rows.Add(key, number);
        }

        await RunAsync(CommitStatements.InsertKeys, [Of(rows.Tenants), Of(rows.ObjectTypes), Of(rows.Ids), Of(rows.Numbers)], cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask AddRecordsAsync(IReadOnlyList<MovedRecord> records, CancellationToken cancellationToken)
    {
        if (records.Count == 0)
        {
            return;
        }

        var (heads, active) = (new HeadRows(), new EnrollmentChanges.Rows());
        foreach (var record in records)
        {
            var position = _latest.Find(record.Number) is var latest and not 0 ? latest : _removed;
            var turn = new TurnHeader { RecordNumber = record.Number, Tenant = _plan.Tenant, TurnId = record.TurnId, Position = position, NextDueAt = record.DueAt };
            heads.Add(turn, expected: 0, record.Head);
            foreach (var workflow in record.ActiveIn)
            {
                active.Add(_plan.Tenant, workflow, record.Number);
            }

            _timers += record.DueAt.IsNone ? 0 : 1;
        }

        _records += records.Count;
        await RunAsync(
            CommitStatements.InsertHeads,
            [Of(heads.Numbers), Of(heads.Tenants), Of(heads.TurnIds), Of(heads.Positions), Of(heads.DueMs), Of(heads.Checksums), Of(heads.Heads)],
            cancellationToken).ConfigureAwait(false);
        await RunAsync(CommitStatements.InsertEnrollments, [Of(active.Tenants), Of(active.Workflows), Of(active.Records)], cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask AddSectionsAsync(IReadOnlyList<StoredSection> sections, CancellationToken cancellationToken)
    {
        if (sections.Count == 0)
        {
            return;
        }

        var rows = new SectionRows();
        foreach (var section in sections)
        {
            rows.Add(section.RecordNumber, section.Index, section.Content.ToArray());
        }

        await RunAsync(CommitStatements.UpsertSections, [Of(rows.Records), Of(rows.Indexes), Of(rows.Checksums), Of(rows.Contents)], cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        const string MoveOwner = "UPDATE owners SET position = $2, next_position = $3, records = $4, timers = $5, effects = $6 WHERE owner = $1";
        await RunAsync("INSERT INTO moved_tenants (tenant, journal_begin) VALUES ($1, $2)", [Of(_plan.Tenant), Of(_journalBegin)], cancellationToken).ConfigureAwait(false);
        var row = _before with
        {
            Position = _position,
            NextPosition = _nextPosition,
            Records = _before.Records + _records,
            Timers = _before.Timers + _timers,
            Effects = _before.Effects + _effects,
        };
        await RunAsync(MoveOwner, [Of(_owner), Of(row.Position), Of(row.NextPosition), Of(row.Records), Of(row.Timers), Of(row.Effects)], cancellationToken).ConfigureAwait(false);
        try
        {
            await _transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (NpgsqlException e) when (e is not PostgresException)
        {
            throw new InvalidOperationException(
                $"The connection broke at the very end: it is not known whether the tenant is in the database `{_connection.Database}`. `roster tenant hash` says so; import again when it is not.", e);
        }

        _imported(row, _journalBegin);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;

            // Undoes what is not complete.
            await _transaction.DisposeAsync().ConfigureAwait(false);
            await _connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask RunAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        var command = Command(_connection, sql, parameters);
        await using var disposed = command.ConfigureAwait(false);
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new StoreRefusedException(
                $"Something of the tenant has a number that is taken in the database `{_connection.Database}` ({e.TableName}: {e.Detail}). A tenant and its records keep their numbers when they move: take a database of its own.", e);
        }
        catch (PostgresException e) when (Failures.KindOf(e) == FailureKind.Full)
        {
            throw new StoreFullException($"PostgreSQL has no room: {e.Message}. Nothing was written.", e);
        }
    }
}
