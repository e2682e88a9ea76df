using System.Globalization;
using System.Reflection;
using Npgsql;
using Roster.Engine.Stores;

namespace Roster.Storage.Postgres.Internal;

/// <summary>
/// Brings the schema to the version of this program: the files in <c>Migrations</c>, in the order of the number that their names begin
/// with, each once, all in one transaction.
/// </summary>
internal static class Migrator
{
    public const string Schema = "roster";

    /// <summary>Any number, but the same in every version: two that migrate at a time wait for each other.</summary>
    private const long LockKey = 0x526F_7374_6572_0001;

    private static readonly (int Version, string File)[] Migrations =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(file => file.EndsWith(".sql", StringComparison.Ordinal))
            .Select(file => (int.Parse(file.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture), file))
            .OrderBy(migration => migration.Item1),
    ];

    /// <summary>Version of the schema that this program reads and writes.</summary>
    public static int Newest => Migrations[^1].Version;

    /// <exception cref="StoreRefusedException">The schema is of a later version.</exception>
    public static async Task MigrateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var undone = transaction.ConfigureAwait(false);
        await RunAsync(connection, $"SELECT pg_advisory_xact_lock({LockKey})", cancellationToken).ConfigureAwait(false);
        if (await IsNewAsync(connection, cancellationToken).ConfigureAwait(false))
        {
            // Only then: a server whose user may create nothing in the database starts once somebody else has migrated.
            await RunAsync(
                connection,
                $"CREATE SCHEMA IF NOT EXISTS {Schema}; CREATE TABLE schema_versions (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
                cancellationToken).ConfigureAwait(false);
        }

        var present = await VersionAsync(connection, cancellationToken).ConfigureAwait(false);
        if (present > Newest)
        {
            throw new StoreRefusedException(
                $"The schema `{Schema}` of database `{connection.Database}` is of version {present}; this program knows versions up to {Newest}. Start the version of Roster that made it, or a later one.");
        }

        foreach (var (version, file) in Migrations.Where(migration => migration.Version > present))
        {
            await RunAsync(connection, await ReadAsync(file, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            await RunAsync(connection, $"INSERT INTO schema_versions (version) VALUES ({version})", cancellationToken).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<bool> IsNewAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand($"SELECT to_regclass('{Schema}.schema_versions') IS NULL", connection);
        await using var disposed = command.ConfigureAwait(false);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    private static async Task<int> VersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand("SELECT coalesce(max(version), 0) FROM schema_versions", connection);
        await using var disposed = command.ConfigureAwait(false);
        return (int)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        // However long: a migration may rewrite a table, and another process may be at it.
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await using var disposed = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<string> ReadAsync(string file, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(file)!);
        return await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
    }
}
