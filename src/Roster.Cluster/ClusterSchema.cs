using System.Globalization;
using System.Reflection;
using Npgsql;

namespace Roster.Cluster;

/// <summary>
/// Tables of Orleans itself, for membership, reminders and grain storage: in a schema of their own in Roster's database. Numbered scripts, each run once, all
/// in one transaction.
/// </summary>
public static class ClusterSchema
{
    /// <summary>Name of the schema.</summary>
    public const string Name = "orleans";

    /// <summary>Any number, but the same in every version: two that migrate at a time wait for each other.</summary>
    private const long LockKey = 0x526F_7374_6572_0002;

    private static readonly (int Version, string File)[] Scripts =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(file => file.EndsWith(".sql", StringComparison.Ordinal))
            .Select(file => (int.Parse(file.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture), file))
            .OrderBy(script => script.Item1),
    ];

    /// <summary>Connections that Orleans may have open at a silo: membership, reminders and grain storage are rare.</summary>
    private const int ConnectionsMax = 10;

    /// <summary>How Orleans connects to a database: as Roster does, in its own schema.</summary>
    public static string ConnectionString(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { SearchPath = Name, Enlist = false, MaxPoolSize = ConnectionsMax }.ConnectionString;

    /// <summary>Brings the schema to the version of this program; returns how many scripts ran.</summary>
    /// <exception cref="InvalidOperationException">It is of a later version.</exception>
    /// <exception cref="NpgsqlException">The database cannot be reached, or refuses.</exception>
    public static async Task<int> MigrateAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString(connectionString));
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await RunAsync(connection, $"SELECT pg_advisory_xact_lock({LockKey})", cancellationToken);
        await using (var isNew = new NpgsqlCommand($"SELECT to_regclass('{Name}.schema_versions') IS NULL", connection))
        {
            // Only then: a server whose user may create nothing in the database starts once somebody else has migrated.
            if ((bool)(await isNew.ExecuteScalarAsync(cancellationToken))!)
            {
                await RunAsync(
                    connection,
                    $"CREATE SCHEMA IF NOT EXISTS {Name}; CREATE TABLE schema_versions (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
                    cancellationToken);
            }
        }

        await using var command = new NpgsqlCommand("SELECT coalesce(max(version), 0) FROM schema_versions", connection);
        var present = (int)(await command.ExecuteScalarAsync(cancellationToken))!;
        if (present > Scripts[^1].Version)
        {
            throw new InvalidOperationException($"The schema `{Name}` is of version {present}; this program knows versions up to {Scripts[^1].Version}.");
        }

        var count = 0;
        foreach (var (version, file) in Scripts.Where(script => script.Version > present))
        {
            using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(file)!);
            await RunAsync(connection, await reader.ReadToEndAsync(cancellationToken), cancellationToken);
            await RunAsync(connection, $"INSERT INTO schema_versions (version) VALUES ({version})", cancellationToken);
            count++;
        }

        await transaction.CommitAsync(cancellationToken);
        return count;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
