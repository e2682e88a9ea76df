namespace Roster.Storage.Postgres.Tests;

/// <summary>A server that the tests of one class may bring down.</summary>
public sealed class OwnServer : IAsyncLifetime
{
    private PostgresServer? _server;

    public PostgresServer Server
    {
        get
        {
            Databases.Require(ownServer: true);
            return _server!;
        }
    }

    /// <summary>An empty database.</summary>
    public async Task<PostgresStoreOptions> CreateAsync()
    {
        var name = $"test_{Guid.NewGuid():N}";
        await Databases.ExecuteAsync(Server.ConnectionString, $"CREATE DATABASE {name}");
        return Options(new Npgsql.NpgsqlConnectionStringBuilder(Server.ConnectionString) { Database = name }.ConnectionString);
    }

    public static PostgresStoreOptions Options(string connectionString) => new() { ConnectionString = connectionString };

    public async ValueTask InitializeAsync() => _server = PostgresServer.Programs is null ? null : await PostgresServer.StartNewAsync();

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? default;
}
