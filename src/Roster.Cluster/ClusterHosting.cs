using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Roster.Cluster.Grains;
using Roster.Engine;

namespace Roster.Cluster;

/// <summary>Adds Roster to a silo, or to a process that is a client of silos.</summary>
public static class ClusterHosting
{
    /// <summary>Provider name of Npgsql for Orleans' ADO.NET providers.</summary>
    public const string Invariant = "Npgsql";

    /// <summary>A record that nobody calls leaves memory after this long; its state is in the store.</summary>
    private static readonly TimeSpan RecordIdleAge = TimeSpan.FromMinutes(2);

    /// <summary>A silo that came is used by front doors without a silo after this long.</summary>
    private static readonly TimeSpan GatewaysKnownFor = TimeSpan.FromSeconds(10);

    /// <summary>Calls that may wait at one grain before more are refused.</summary>
    private const int WaitingPerGrainMax = 10_000;

    /// <summary>Adds the engine, the grains' limits and the front door's <see cref="IRosterEngine"/> to a silo. Clustering, reminders and grain storage are added apart.</summary>
    public static ISiloBuilder AddRoster(this ISiloBuilder silo, Action<ClusterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(silo);
        silo.Services.Configure(configure);
        silo.Services.AddSingleton<Silo>();
        silo.Services.AddSingleton<IEngineHere>(services => services.GetRequiredService<Silo>());
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(services => services.GetRequiredService<Silo>());
        silo.Services.AddPlacementDirector<PartPlacement, PartPlacementDirector>();
        silo.Services.AddSingleton<ClusterEngine>();
        silo.Services.AddSingleton<IRosterEngine>(services => services.GetRequiredService<ClusterEngine>());
        silo.Services.Configure<GrainCollectionOptions>(options =>
        {
            options.ClassSpecificCollectionAge[typeof(RecordGrain).FullName!] = RecordIdleAge;
            options.EnableActivationSheddingOnMemoryPressure = true;
        });
        silo.Services.Configure<SiloMessagingOptions>(options =>
        {
            options.MaxEnqueuedRequestsHardLimit = WaitingPerGrainMax;
            options.MaxEnqueuedRequestsSoftLimit = WaitingPerGrainMax / 2;
        });
        return silo;
    }

    /// <summary>Adds a front door without a silo to a client. Clustering is added apart; the silos need gateways.</summary>
    public static IClientBuilder AddRosterFrontDoor(this IClientBuilder client, Action<ClusterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(client);
        client.Services.Configure(configure);
        client.Services.AddSingleton<FrontDoor>();
        client.Services.AddSingleton<IEngineHere>(services => services.GetRequiredService<FrontDoor>());
        client.Services.AddSingleton<IHostedService>(services => services.GetRequiredService<FrontDoor>());
        client.Services.AddSingleton<ClusterEngine>();
        client.Services.AddSingleton<IRosterEngine>(services => services.GetRequiredService<ClusterEngine>());
        client.Services.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = GatewaysKnownFor);
        return client;
    }

    /// <summary>Where a client finds the silos: in a PostgreSQL database that <see cref="ClusterSchema.MigrateAsync"/> has prepared.</summary>
    public static IClientBuilder UseRosterPostgres(this IClientBuilder client, string connectionString)
    {
        var orleans = ClusterSchema.ConnectionString(connectionString);
        return client.UseAdoNetClustering(options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = orleans;
        });
    }

    /// <summary>Clustering, reminders and grain storage in a PostgreSQL database that <see cref="ClusterSchema.MigrateAsync"/> has prepared.</summary>
    public static ISiloBuilder UseRosterPostgres(this ISiloBuilder silo, string connectionString)
    {
        var orleans = ClusterSchema.ConnectionString(connectionString);
        silo.UseAdoNetClustering(options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = orleans;
        });
        return silo.UseRosterStorage(connectionString);
    }

    /// <summary>Reminders and grain storage only.</summary>
    public static ISiloBuilder UseRosterStorage(this ISiloBuilder silo, string connectionString)
    {
        var orleans = ClusterSchema.ConnectionString(connectionString);
        silo.UseAdoNetReminderService(options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = orleans;
        });
        silo.AddAdoNetGrainStorage(ClusterOptions.StorageName, options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = orleans;
        });
        return silo;
    }
}
