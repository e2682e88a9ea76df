using Npgsql;

namespace Roster.Storage.Postgres;

/// <summary>Options of the PostgreSQL store. Read once, when the store is opened.</summary>
public sealed class PostgresStoreOptions
{
    /// <summary>
    /// Where the database is, as Npgsql writes it: <c>Host=/var/run/postgresql;Database=roster;Username=roster</c>. The database must
    /// exist and be for Roster alone; its tables are made in the schema <c>roster</c>. Connect to PostgreSQL itself: a pooler in between
    /// cannot keep the session settings. Required.
    /// </summary>
    public required string ConnectionString { get; init; }

    /// <summary>Connections for reads, at most, beside the one that commits. Default 16; from 1 to 1,000.</summary>
    public int ReadConnectionsMax { get; init; } = 16;

    /// <summary>
    /// How long a commit or read goes on trying while PostgreSQL cannot be reached, for instance because it restarts. Default 5 minutes;
    /// from 0. After that a read fails, and a commit fails for good.
    /// </summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long one statement may take before its connection is given up and it is tried again. Default 30 seconds; from 1 second.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long turns stay in the journal at least. What is older is removed in large parts, with the first commit and whenever a new part begins.
    /// States, counters, timers and open effects stay. What the removed turns had counted is not kept, so `Verify` does not compare counters any more. Default: null, for ever;
    /// from 1 hour.
    /// </summary>
    public TimeSpan? JournalRetention { get; init; }

    /// <summary>Positions in a part of the journal: some gigabytes, whatever is dropped at once. At least 16.</summary>
    internal long PartitionPositions { get; init; } = 1 << 24;

    /// <summary>
    /// Name of this process among those that commit to the same journal; null, which is the default, for a process that has the store for itself. A
    /// name is used once: a process that starts again takes another one. Up to 200 characters.
    /// </summary>
    public string? SharedAs { get; init; }

    /// <summary>
    /// Whether opening takes the database from a process that has it open, which is how a server takes the place of one that hangs. When false, opening is refused
    /// while such a process is connected. Default: true.
    /// </summary>
    public bool MayTakeOver { get; init; } = true;

    /// <summary>Time of waiting between two attempts. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Settings of every session. All statements take arrays and walk an index for each element, so a plan made for certain values is never
    /// better than the generic one. That one is made while the tables are empty, and kept when they are not any more: without the other
    /// settings it would go on reading whole tables.
    /// </summary>
    private const string SessionSettings =
        "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";

    internal string Check()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(ConnectionString);
        ArgumentOutOfRangeException.ThrowIfLessThan(ReadConnectionsMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ReadConnectionsMax, 1_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(ReconnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(CommandTimeout, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(JournalRetention ?? TimeSpan.MaxValue, TimeSpan.FromHours(1), nameof(JournalRetention));
        ArgumentOutOfRangeException.ThrowIfLessThan(PartitionPositions, 16);
        if (SharedAs is { Length: 0 or > 200 })
        {
            throw new ArgumentException("SharedAs is empty or longer than 200 characters.");
        }

        var builder = new NpgsqlConnectionStringBuilder(ConnectionString);
        builder.ApplicationName ??= "roster";
        builder.SearchPath = Internal.Migrator.Schema;
        builder.MaxPoolSize = ReadConnectionsMax + 2;
        builder.MinPoolSize = 0;
        builder.CommandTimeout = (int)CommandTimeout.TotalSeconds;
        builder.MaxAutoPrepare = 100;
        builder.AutoPrepareMinUsages = 2;
        builder.Enlist = false;
        builder.Multiplexing = false;
        builder.TcpKeepAlive = true;

        // No session ever changes its settings, so there is nothing to reset when a connection goes back to the pool.
        builder.NoResetOnClose = true;

        // A session that lost its client while it held the row of the owner must let go of it.
        builder.Options = $"{builder.Options} {SessionSettings} -c idle_in_transaction_session_timeout={builder.CommandTimeout}s".Trim();
        return builder.ConnectionString;
    }
}
