using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.TestingHost;
using Roster.Storage.Postgres;
using Roster.Storage.Postgres.Tests;

namespace Roster.Cluster.Tests;

/// <summary>
/// Silos in this process over a database of their own: records, reminders and grain storage are in PostgreSQL; membership and the directory are those of the
/// test cluster, which sees at once what becomes of a silo.
/// </summary>
internal sealed class TestSilos : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;

    private TestSilos(InProcessTestCluster cluster, TimeProvider clock, string database)
    {
        _cluster = cluster;
        Clock = clock;
        Database = database;
    }

    public TimeProvider Clock { get; }

    public string Database { get; }

    public int Count => _cluster.Silos.Count;

    /// <summary>The front door of a silo.</summary>
    public ClusterEngine this[int index] => _cluster.Silos[index].ServiceProvider.GetRequiredService<ClusterEngine>();

    /// <summary>The front door without a silo.</summary>
    public ClusterEngine Door => _cluster.Client.ServiceProvider.GetRequiredService<ClusterEngine>();

    public Silo Silo(int index) => _cluster.Silos[index].ServiceProvider.GetRequiredService<Silo>();

    /// <param name="count">Silos.</param>
    /// <param name="clock">Their clock.</param>
    /// <param name="configure">Changes their options.</param>
    /// <param name="hasDoor">Whether there is a front door without a silo too.</param>
    /// <param name="database">Where the data is; by default a new database.</param>
    public static async Task<TestSilos> StartAsync(short count, TimeProvider clock, Action<ClusterOptions>? configure = null, bool hasDoor = false, string? database = null)
    {
        database ??= await Databases.CreateAsync();
        await ClusterSchema.MigrateAsync(database, TestContext.Current.CancellationToken);
        var builder = new InProcessTestClusterBuilder(count);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.InitializeClientOnDeploy = hasDoor;
        builder.ConfigureSiloHost((_, host) => host.Logging.SetMinimumLevel(LogLevel.Error));
        builder.ConfigureSilo((_, silo) =>
        {
            silo.UseRosterStorage(database);
            silo.AddRoster(Configure);
        });
        builder.ConfigureClient(client => client.AddRosterFrontDoor(Configure));
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new TestSilos(cluster, clock, database);

        void Configure(ClusterOptions options)
        {
            options.Clock = clock;
            options.OpenStore = async (name, token) => await PostgresRecordStore.OpenAsync(new PostgresStoreOptions { ConnectionString = database, SharedAs = name, ReadConnectionsMax = 4 }, token);
            options.Fence = async (store, name, token) => await ((PostgresRecordStore)store).FenceAsync(name, token);
            configure?.Invoke(options);
        }
    }

    /// <summary>The index of the silo that has the duties; -1 for none.</summary>
    public int FindConductor() => Enumerable.Range(0, Count).FirstOrDefault(i => Silo(i).Engine.HasDuties, -1);

    /// <summary>Has every silo count now what it counts every second.</summary>
    public Task CountAsync() => Task.WhenAll(Enumerable.Range(0, Count).Select(i => Silo(i).CountAsync(TestContext.Current.CancellationToken)));

    /// <summary>Stops a silo as an operator does; those after it move up.</summary>
    public Task StopAsync(int index) => _cluster.StopSiloAsync(_cluster.Silos[index]);

    /// <summary>Ends a silo without giving it time.</summary>
    public Task KillAsync(int index) => _cluster.KillSiloAsync(_cluster.Silos[index]);

    public Task AddAsync() => _cluster.StartAdditionalSiloAsync();

    public async ValueTask DisposeAsync()
    {
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();

        // What Orleans leaves in its pool counts against the connections of the one server of all tests.
        await using var pool = new NpgsqlConnection(ClusterSchema.ConnectionString(Database));
        NpgsqlConnection.ClearPool(pool);
    }
}
