using Npgsql;
using Roster.Storage.Postgres.Tests;

namespace Roster.Cluster.Tests;

/// <summary>Tables of Orleans in PostgreSQL.</summary>
public sealed class SchemaTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_schema_is_made_once()
    {
        var database = await Databases.CreateAsync();
        Assert.Equal(1, await ClusterSchema.MigrateAsync(database, Token));
        Assert.Equal(0, await ClusterSchema.MigrateAsync(database, Token));
    }

    [Fact]
    public async Task Who_may_create_nothing_finds_the_schema_that_somebody_else_has_made()
    {
        var database = await Databases.CreateAsync();
        await ClusterSchema.MigrateAsync(database, Token);
        var user = $"limited_{Guid.NewGuid():N}";
        await Databases.ExecuteAsync(database, $"CREATE ROLE {user} LOGIN PASSWORD 'none'; GRANT USAGE ON SCHEMA orleans TO {user}; GRANT SELECT ON orleans.schema_versions TO {user}");
        var limited = new NpgsqlConnectionStringBuilder(database) { Username = user, Password = "none" }.ConnectionString;
        Assert.Equal(0, await ClusterSchema.MigrateAsync(limited, Token));
        await Databases.ExecuteAsync(database, $"DROP OWNED BY {user}; DROP ROLE {user}");
    }

    [Fact]
    public async Task A_second_row_of_one_state_is_refused()
    {
        var database = await Databases.CreateAsync();
        await ClusterSchema.MigrateAsync(database, Token);
        var orleans = ClusterSchema.ConnectionString(database);
        await Databases.ExecuteAsync(orleans, "SELECT * FROM writetostorage(1, 2, 3, 4, 'type', NULL, 'service', NULL, '\\x00')");

        // What a first writer inserts that did not see the other's row, since that was not committed yet.
        var refused = await Assert.ThrowsAsync<PostgresException>(() => Databases.ExecuteAsync(orleans, "INSERT INTO OrleansStorage SELECT * FROM OrleansStorage"));
        Assert.Equal(PostgresErrorCodes.UniqueViolation, refused.SqlState);
    }
}
