using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Roster.LoadTests.Measuring;
using Roster.Storage.Postgres.Tests;

namespace Roster.LoadTests.Servers;

/// <summary>
/// What is measured: a server with its data, and a database server where the store needs one and nobody named one. What was started here ends
/// here, and what is temporary is removed.
/// </summary>
internal sealed class Bench : IAsyncDisposable
{
    private static readonly TimeSpan SettleInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SettleMax = TimeSpan.FromMinutes(3);
    private readonly LoadOptions _options;
    private readonly Dictionary<int, long> _written = [];
    private readonly List<ServerProcess> _servers = [];
    private readonly string _folder;
    private readonly bool _isStock;
    private string? _connection;
    private PostgresServer? _postgres;

    private Bench(LoadOptions options, string folder, bool isStock)
    {
        _options = options;
        _folder = folder;
        _isStock = isStock;
    }

    /// <summary>Where the server listens now.</summary>
    public Uri Address => Addresses[0];

    /// <summary>Where the front doors are now: one, or one of each silo.</summary>
    public IReadOnlyList<Uri> Addresses => _options.Address is { } given ? [given]
        : _servers.Count > 0 ? [.. _servers.Select(server => server.Address)]
        : throw new InvalidOperationException("No server runs.");

    /// <summary>Whether the server is ours, so that it can be killed and looked at.</summary>
    public bool IsOwn => _options.Address is null;

    /// <summary>Whether the database is ours, so that its memory and its writes are counted.</summary>
    public bool HasOwnDatabase => _postgres is not null;

    /// <summary>Whether all that is written to disk for the events is counted.</summary>
    public bool CountsWrites => IsOwn && (HasOwnDatabase || !IsPostgres);

    private bool IsPostgres => string.Equals(_options.Store, "postgres", StringComparison.OrdinalIgnoreCase);

    /// <summary>Starts all that is needed.</summary>
    /// <param name="options">Store, data folder, address.</param>
    /// <param name="part">Name of one of several sets of data in the same folder or database server; empty for the only one.</param>
    /// <param name="isStock">Whether silos with the stock grain are started in place of Roster.</param>
    public static async Task<Bench> StartAsync(LoadOptions options, string part = "", bool isStock = false)
    {
        var folder = options.Data is { } data ? Path.GetFullPath(Path.Combine(data, part)) : Directory.CreateTempSubdirectory("roster-load-").FullName;
        Directory.CreateDirectory(folder);
        var bench = new Bench(options, folder, isStock);
        try
        {
            if (bench.IsOwn)
            {
                await bench.StartDatabaseAsync(part);
                await bench.StartServerAsync();
            }

            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the server on its data, or the silos one after the other, and returns when it is ready for calls.</summary>
    public async Task StartServerAsync()
    {
        for (var i = 0; i < Math.Max(1, _options.Silos); i++)
        {
            _servers.Add(_isStock ? await ServerProcess.StartStockAsync(_connection!) : await ServerProcess.StartAsync(_options, _folder, _connection));
        }
    }

    /// <summary>Ends the server without warning; its database goes on.</summary>
    public async Task KillServerAsync()
    {
        foreach (var server in _servers)
        {
            Note(server.Id);
            await server.KillAsync();
            await server.DisposeAsync();
        }

        _servers.Clear();
    }

    /// <summary>Lets the server finish what a load left it to do. Does nothing with one that is not ours.</summary>
    public async Task SettleAsync()
    {
        var clock = Stopwatch.StartNew();
        var written = -1L;
        while (_servers.Count > 0 && written != (written = Usage().WrittenBytes) && clock.Elapsed < SettleMax)
        {
            await Task.Delay(SettleInterval);
        }

        await SyncAsync();
    }

    /// <summary>
    /// Has the kernel write what it still holds of the load, which it would otherwise do half a minute later, in the middle of what is measured. Best
    /// effort: without the program it does so then.
    /// </summary>
    private static async Task SyncAsync()
    {
        try
        {
            using var sync = Process.Start("sync");
            await sync.WaitForExitAsync();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // A system without it.
        }
    }

    /// <summary>Starts the server anew, as one that finds its data. Does nothing with one that is not ours.</summary>
    public async Task RestartServerAsync()
    {
        if (_servers.Count > 0)
        {
            await StopServersAsync();
            await StartServerAsync();
        }
    }

    /// <summary>What server and database use now, and used so far.</summary>
    public Usage Usage()
    {
        var generator = Environment.CpuUsage.TotalTime;
        var resident = 0L;
        var cpu = TimeSpan.Zero;
        var database = 0L;
        foreach (var server in _servers)
        {
            resident += Proc.ResidentBytes(server.Id);
            cpu += Proc.Cpu(server.Id);
            Note(server.Id);
        }

        foreach (var process in _postgres is { } postgres ? Proc.WithChildren(postgres.ProcessId) : [])
        {
            Note(process);
            database += Proc.ProportionalBytes(process);
            cpu += Proc.Cpu(process);
        }

        return new Usage(resident, database, cpu, _written.Values.Sum(), generator);
    }

    public async ValueTask DisposeAsync()
    {
        await StopServersAsync();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }

        if (_options.Data is null)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private async Task StopServersAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        _servers.Clear();
    }

    /// <summary>Sessions of a database come and go: what each had written when last seen is kept.</summary>
    private void Note(int process) => _written[process] = Math.Max(_written.GetValueOrDefault(process), Proc.WrittenBytes(process));

    private async Task StartDatabaseAsync(string part)
    {
        if (!IsPostgres)
        {
            return;
        }

        _connection = _options.Postgres ?? Environment.GetEnvironmentVariable("ROSTER__POSTGRES");
        if (_connection is { Length: > 0 } given)
        {
            _connection = part.Length == 0 ? given : await MakeDatabaseAsync(given, part);
            return;
        }

        var settings = DatabaseSettings();
        _postgres = _options.Data is null
            ? await PostgresServer.StartNewAsync(settings)
            : await PostgresServer.StartInAsync(Path.Combine(_folder, "postgres"), settings);
        _connection = _postgres.ConnectionString;
    }

    /// <summary>Durable, with room for the log between checkpoints; an eighth of the memory for its buffers.</summary>
    private static (string Name, string Value)[] DatabaseSettings()
    {
        var buffers = Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8, 128L << 20, 2L << 30) >> 20;
        return [("shared_buffers", string.Create(CultureInfo.InvariantCulture, $"{buffers}MB")), ("max_wal_size", "8GB"), ("checkpoint_timeout", "15min")];
    }

    private static async Task<string> MakeDatabaseAsync(string connection, string part)
    {
        var of = new NpgsqlConnectionStringBuilder(connection);
        of.Database = $"{of.Database ?? of.Username}_{part}";
        await using var source = NpgsqlDataSource.Create(connection);
        await using var exists = source.CreateCommand("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)");
        exists.Parameters.AddWithValue(of.Database);
        if (!(bool)(await exists.ExecuteScalarAsync())!)
        {
            await using var create = source.CreateCommand($"CREATE DATABASE \"{of.Database.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
            await create.ExecuteNonQueryAsync();
        }

        return of.ConnectionString;
    }
}
