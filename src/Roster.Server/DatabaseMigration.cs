using Roster.Storage.Postgres;

namespace Roster.Server;

/// <summary>Prepares a PostgreSQL database for this program, without a server: <c>roster migrate</c>.</summary>
public static class DatabaseMigration
{
    /// <summary>Brings the schemas of Roster, and of Orleans where the program has the host <c>cluster</c>, to its version. Does nothing when they are.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The version that the schema of Roster has now, and whether that of Orleans is there.</returns>
    /// <exception cref="Engine.Stores.StoreRefusedException">The database cannot be used, or its schema is of a later version.</exception>
    public static async Task<(int Version, bool HasOrleans)> RunAsync(string connectionString, CancellationToken cancellationToken)
    {
        var version = await PostgresRecordStore.MigrateAsync(new PostgresStoreOptions { ConnectionString = connectionString }, cancellationToken);
#if FULL_FEED
        await Cluster.ClusterSchema.MigrateAsync(connectionString, cancellationToken);
#endif
        return (version, EngineFactory.HasCluster);
    }
}
