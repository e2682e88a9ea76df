using Npgsql;
using Roster.Engine.Stores;
using Roster.Storage.Postgres.Internal;
using static Roster.Storage.Postgres.Internal.Parameters;

namespace Roster.Storage.Postgres;

/// <summary>
/// The store in a PostgreSQL database. Tables are the truth: a commit is one transaction of set-based statements, and a head is read
/// where it was written.
/// </summary>
/// <remarks>
/// <para>One owner commits. Opening takes the row of the owner and raises its epoch; every commit locks that row and checks the epoch, so a
/// process that was replaced cannot commit any more, whatever it believes. It learns so by <see cref="StoreFencedException"/>.</para>
/// <para>The row also has the number of the last batch that was committed. When a connection breaks while a commit is under way, the same
/// row says on the next connection whether it came through: the lock waits for a transaction that is still alive.</para>
/// <para>PostgreSQL may restart: commits and reads wait and go on, for as long as <see cref="PostgresStoreOptions.ReconnectTimeout"/>.</para>
/// </remarks>
public sealed partial class PostgresRecordStore : IRecordStore
{
    /// <summary>The owner of a store that one process at a time writes.</summary>
    private const int Owner = 1;

    private readonly PostgresStoreOptions _options;
    private readonly NpgsqlDataSource _source;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();
    private readonly long _epoch;

    /// <summary>The row of this process when others commit too.</summary>
    private readonly SharedOwner? _self;

    // Guarded by the gate.
    private OwnerRow _row;

    private volatile Exception? _failure;
    private int _isDisposed;

    private PostgresRecordStore(PostgresStoreOptions options, NpgsqlDataSource source, long epoch, OwnerRow row, SharedOwner? self)
    {
        _self = self;
        _options = options;
        _source = source;
        _epoch = epoch;
        _row = row;
    }

    /// <inheritdoc/>
    public string Name => "postgres";

    /// <inheritdoc/>
    public bool NeedsHeads => true;

    /// <inheritdoc/>
    public bool IsShared => _self is not null;

    /// <inheritdoc/>
    public StoreStatus Status
    {
        get
        {
            lock (_gate)
            {
                return new StoreStatus(_row.Position, _row.Position, _row.Records, _row.Timers, _row.Effects) { JournalBegin = JournalBegin };
            }
        }
    }

    /// <summary>
    /// Opens the store: checks that the server is safe, brings the schema to the version of this program, and takes ownership. Whoever had
    /// the store open before is fenced; a commit of theirs that is under way ends first.
    /// </summary>
    /// <param name="options">Options; read once.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="StoreRefusedException">The server cannot be reached, is not safe (the message names the setting), the schema is of a later version, or
    /// another process has the database open and <see cref="PostgresStoreOptions.MayTakeOver"/> is false.</exception>
    public static async Task<PostgresRecordStore> OpenAsync(PostgresStoreOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var source = NpgsqlDataSource.Create(options.Check());
        try
        {
            var connection = await ConnectAsync(source, cancellationToken).ConfigureAwait(false);
            await using var disposed = connection.ConfigureAwait(false);
            await ServerCheck.CheckAsync(connection, cancellationToken).ConfigureAwait(false);
            await Migrator.MigrateAsync(connection, cancellationToken).ConfigureAwait(false);
            if (!options.MayTakeOver)
            {
                await CheckUnusedAsync(connection, options.Time, cancellationToken).ConfigureAwait(false);
            }

            var (epoch, row) = await TakeOwnershipAsync(connection, options.SharedAs is not null, cancellationToken).ConfigureAwait(false);
            var self = options.SharedAs is { } name ? await JoinAsync(connection, name, cancellationToken).ConfigureAwait(false) : null;
            var (first, _) = await Partitions.ReadAsync(connection).ConfigureAwait(false);
            var moved = await ReadMovedBeginAsync(connection, cancellationToken).ConfigureAwait(false);
            return new PostgresRecordStore(options, source, epoch, self is null ? row : row with { Batch = 0 }, self) { _firstPosition = first, _movedBegin = moved };
        }
        catch
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Brings the schema to the version of this program and does nothing else: whoever has the store open keeps it. Returns the version.</summary>
    /// <exception cref="StoreRefusedException">As of <see cref="OpenAsync"/>.</exception>
    public static async Task<int> MigrateAsync(PostgresStoreOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var source = NpgsqlDataSource.Create(options.Check());
        await using var closed = source.ConfigureAwait(false);
        var connection = await ConnectAsync(source, cancellationToken).ConfigureAwait(false);
        await using var disposed = connection.ConfigureAwait(false);
        await ServerCheck.CheckAsync(connection, cancellationToken).ConfigureAwait(false);
        await Migrator.MigrateAsync(connection, cancellationToken).ConfigureAwait(false);
        return Migrator.Newest;
    }

    /// <inheritdoc/>
    public void UseCheckpointSource(ICheckpointSource source) => ArgumentNullException.ThrowIfNull(source);

    /// <inheritdoc/>
    public ValueTask<long> ReserveRecordSequencesAsync(int count, CancellationToken cancellationToken)
    {
        const string Sql = "UPDATE sequences SET next = next + $1 WHERE name = 'record' RETURNING next - $1";
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);

        // Done again after a failure it may leave a gap, which is fine.
        return RunAsync(
            async (connection, token) =>
            {
                var command = Command(connection, Sql, Of((long)count));
                await using var disposed = command.ConfigureAwait(false);
                return (long)(await command.ExecuteScalarAsync(token).ConfigureAwait(false))!;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<CheckpointResult> CheckpointAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(new CheckpointResult(Status.JournalPosition, 0));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _closing.CancelAsync().ConfigureAwait(false);
        await DropConnectionAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
        _closing.Dispose();
    }

    private static async Task<NpgsqlConnection> ConnectAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        try
        {
            return await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException e)
        {
            // Not the whole connection string: it may have secrets.
            var parts = new NpgsqlConnectionStringBuilder(source.ConnectionString);
            throw new StoreRefusedException(
                $"The database `{parts.Database}` of PostgreSQL at `{parts.Host}`, port {parts.Port}, cannot be opened as `{parts.Username}`: {e.Message}", e);
        }
    }

    private static async Task<(long Epoch, OwnerRow Row)> TakeOwnershipAsync(NpgsqlConnection connection, bool isShared, CancellationToken cancellationToken)
    {
        const string Sql = """
            INSERT INTO owners AS o (owner, epoch, shared) VALUES ($1, 1, $2)
            ON CONFLICT (owner) DO UPDATE SET epoch = o.epoch + (NOT (o.shared AND $2))::int, batch = 0, shared = $2
            RETURNING epoch, batch, position, next_position, records, timers, effects
            """;
        var command = Command(connection, Sql, Of(Owner), Of(isShared));
        await using var disposed = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var closed = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return (
            reader.GetInt64(0),
            new OwnerRow(reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6)));
    }

    /// <summary>A row for this process, with a number that no other ever had.</summary>
    private static async Task<SharedOwner> JoinAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        const string Sql = """
            WITH next AS (UPDATE sequences SET next = next + 1 WHERE name = 'owner' RETURNING next - 1 AS owner)
            INSERT INTO owners (owner, epoch, name) SELECT owner, 1, $1 FROM next RETURNING owner, epoch
            """;
        var command = Command(connection, Sql, Of(name));
        await using var disposed = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var closed = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return new SharedOwner(reader.GetInt32(0), reader.GetInt64(1));
    }

    /// <summary>Runs a statement that may be repeated on a connection of the pool, again and again while the server cannot be reached.</summary>
    private async ValueTask<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> statement, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
        var patience = new Patience(_options);
        while (true)
        {
            try
            {
                var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
                await using var closed = connection.ConfigureAwait(false);
                return await statement(connection, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (Failures.KindOf(e) is FailureKind.Unavailable or FailureKind.Undone && patience.IsLeft)
            {
                // Those that lie idle in the pool are broken as well, more often than not.
                _source.Clear();
            }
            catch (PostgresException e) when (Failures.KindOf(e) == FailureKind.Corrupt)
            {
                throw new StoreCorruptException($"PostgreSQL found stored bytes that are not what was written: {e.Message}", e);
            }

            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            await patience.WaitAsync(either.Token).ConfigureAwait(false);
        }
    }
}
