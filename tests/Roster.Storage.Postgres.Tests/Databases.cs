using Npgsql;

namespace Roster.Storage.Postgres.Tests;

/// <summary>
/// The one server of a test run, and databases on it. The server is that of <c>ROSTER_TEST_POSTGRES</c> (a connection string of a role that
/// may create databases), or one that is started for the run. Where there is neither, tests are skipped, and fail on CI.
/// </summary>
public sealed class Databases : IAsyncLifetime
{
    public const string Variable = "ROSTER_TEST_POSTGRES";
    private static Databases? _current;
    private readonly List<string> _created = [];
    private PostgresServer? _server;
    private string? _connectionString;
    private int _count;

    /// <summary>Skips the test, or fails it on CI, where no server can be had.</summary>
    public static void Require(bool ownServer = false)
    {
        if (PostgresServer.Programs is not null || (!ownServer && External is not null))
        {
            return;
        }

        const string Reason = $"PostgreSQL is not installed (Debian package `postgresql`), and {Variable} does not name a server.";
        if (Environment.GetEnvironmentVariable("CI") == "true")
        {
            throw new InvalidOperationException(Reason);
        }

        Assert.Skip(Reason);
    }

    /// <summary>Makes an empty database and returns how to connect to it.</summary>
    public static async Task<string> CreateAsync()
    {
        Require();
        var all = _current!;
        var name = $"roster_test_{Environment.ProcessId}_{Interlocked.Increment(ref all._count)}";
        await ExecuteAsync(all._connectionString!, $"CREATE DATABASE {name}");
        lock (all._created)
        {
            all._created.Add(name);
        }

        return new NpgsqlConnectionStringBuilder(all._connectionString!) { Database = name }.ConnectionString;
    }

    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<T> QueryAsync<T>(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask InitializeAsync()
    {
        _current = this;
        _connectionString = External;
        if (_connectionString is null && PostgresServer.Programs is not null)
        {
            _server = await PostgresServer.StartNewAsync();
            _connectionString = _server.ConnectionString;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
            return;
        }

        NpgsqlConnection.ClearAllPools();
        foreach (var name in _created)
        {
            await ExecuteAsync(_connectionString!, $"DROP DATABASE {name} WITH (FORCE)");
        }
    }

    private static string? External => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? given : null;
}
