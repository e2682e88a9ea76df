#if FULL_FEED
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using Roster.Cluster;
using Roster.Engine.Delivery;
using Roster.Server.Mail;
using Roster.Storage.Postgres;

namespace Roster.Server;

/// <summary>Starts a silo in this process, or a client of silos, with the front door's engine on it.</summary>
internal static class SiloFactory
{
    /// <summary>Three probes missed, and a silo is suspected: dead some ten seconds after it died, so that its records are served elsewhere within thirty.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(3);

    /// <summary>How often a front door without a silo looks for one at its start.</summary>
    private static readonly TimeSpan SilosWantedEvery = TimeSpan.FromSeconds(1);

    /// <summary>The least that an engine may have: that of a front door keeps no records.</summary>
    private const long CacheBytesOfDoor = 1 << 20;

    public static async ValueTask<RunningEngine> StartAsync(ServerOptions options, Action<ILoggingBuilder>? logging, CancellationToken cancellationToken)
    {
        await ClusterSchema.MigrateAsync(options.Postgres, cancellationToken);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        logging?.Invoke(builder.Logging);
        builder.Logging.AddFilter("Orleans", LogLevel.Warning);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(options.DrainSecondsMax + 5));
        builder.Services.Configure<Orleans.Configuration.ClusterOptions>(cluster =>
        {
            cluster.ClusterId = options.ClusterId;
            cluster.ServiceId = "roster";
        });
        var transports = new List<IAsyncDisposable>();
        if (options.Role == ClusterRole.Door)
        {
            builder.UseOrleansClient(client => Configure(client, options));
        }
        else
        {
            var (webhooks, mail) = EngineFactory.CreateTransports(options);
            transports.AddRange(mail is null ? [webhooks] : [webhooks, mail]);
            builder.UseOrleans(silo => Configure(silo, options, webhooks, mail));
        }

        var host = builder.Build();
        var running = new RunningSilo(host, transports);
        try
        {
            await host.StartAsync(cancellationToken);
            return new RunningEngine(host.Services.GetRequiredService<ClusterEngine>(), running);
        }
        catch
        {
            await running.AbandonAsync();
            throw;
        }
    }

    private static void Configure(ISiloBuilder silo, ServerOptions options, HttpWebhookTransport webhooks, SmtpMailTransport? mail)
    {
        ServerOptionsValidator.TryParseAddress(options.SiloAddress, out var address);
        silo.ConfigureEndpoints(address, options.SiloPort, options.GatewayPort);
        silo.Configure<ClusterMembershipOptions>(membership => membership.ProbeTimeout = ProbeTimeout);
        silo.UseRosterPostgres(options.Postgres);
        silo.AddRoster(roster =>
        {
            Configure(roster, options);
            roster.CacheBytes = options.CacheBytes;
            roster.EventsWaitingMax = options.EventsWaitingMax;
            roster.Shards = options.Shards;
            roster.DeliveriesInFlightMax = options.DeliveriesInFlightMax;
            roster.Webhooks = webhooks;
            roster.Mail = mail;
        });
    }

    /// <summary>A front door without a silo has no records in memory and runs no turns. It waits for silos as long as there are none.</summary>
    private static void Configure(IClientBuilder client, ServerOptions options)
    {
        client.UseRosterPostgres(options.Postgres);
        client.UseConnectionRetryFilter(async (_, token) =>
        {
            await Task.Delay(SilosWantedEvery, TimeProvider.System, token);
            return true;
        });
        client.AddRosterFrontDoor(roster =>
        {
            Configure(roster, options);
            roster.CacheBytes = CacheBytesOfDoor;
            roster.Shards = 1;
        });
    }

    private static void Configure(Cluster.ClusterOptions roster, ServerOptions options)
    {
        roster.EventsInFlightMax = options.EventsInFlightMax;
        roster.Meters = options.Meters;
        roster.OpenStore = async (name, token) => await PostgresRecordStore.OpenAsync(ToStore(options, name), token);
        roster.Fence = async (store, name, token) => await ((PostgresRecordStore)store).FenceAsync(name, token);
    }

    private static PostgresStoreOptions ToStore(ServerOptions options, string name) => new()
    {
        ConnectionString = options.Postgres,
        SharedAs = name,
        JournalRetention = options.JournalKeepDays > 0 ? TimeSpan.FromDays(options.JournalKeepDays) : null,
    };

    /// <summary>Stopping hands the silo's grains over to others; what was taken is durable first.</summary>
    private sealed class RunningSilo(IHost host, IReadOnlyList<IAsyncDisposable> transports) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await host.StopAsync();
            await AbandonAsync();
        }

        /// <summary>Without telling anybody.</summary>
        public async ValueTask AbandonAsync()
        {
            if (host is IAsyncDisposable disposable)
            {
                await disposable.DisposeAsync();
            }

            foreach (var transport in transports)
            {
                await transport.DisposeAsync();
            }
        }
    }
}
#endif
