#if FULL_FEED
using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Configuration;
using Orleans.Hosting;
using Roster.Cluster;
using Roster.LoadTests.Servers;

namespace Roster.LoadTests.Stock;

/// <summary>A silo that has nothing but the stock grain, over PostgreSQL.</summary>
internal static class StockSilo
{
    /// <summary>Name of the grain storage.</summary>
    public const string Storage = "stock";

    /// <summary>Connections of a silo. More made it no faster on two cores.</summary>
    private const int ConnectionsMax = 32;

    /// <summary>The other side: runs the silo until standard input ends. Its gateway is what is printed.</summary>
    public static async Task ServeAsync(string database)
    {
        await ClusterSchema.MigrateAsync(database, CancellationToken.None);
        var tables = new NpgsqlConnectionStringBuilder(ClusterSchema.ConnectionString(database)) { MaxPoolSize = ConnectionsMax }.ConnectionString;
        var gateway = ServerProcess.FreePort();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.Error).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.UseOrleans(silo =>
        {
            silo.ConfigureEndpoints(IPAddress.Loopback, ServerProcess.FreePort(), gateway);
            silo.Configure<Orleans.Configuration.ClusterOptions>(Name);
            silo.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (ClusterHosting.Invariant, tables));
            silo.AddAdoNetGrainStorage(Storage, options => (options.Invariant, options.ConnectionString) = (ClusterHosting.Invariant, tables));
        });
        using var host = builder.Build();
        await host.StartAsync();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{gateway}"));
        await Console.In.ReadToEndAsync();
        await host.StopAsync();
    }

    /// <summary>A client of running silos.</summary>
    public static async Task<IHost> ConnectAsync(IEnumerable<Uri> gateways)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.UseOrleansClient(client =>
        {
            client.Configure<Orleans.Configuration.ClusterOptions>(Name);
            client.UseStaticClustering([.. gateways.Select(gateway => new IPEndPoint(IPAddress.Loopback, gateway.Port))]);
        });
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private static void Name(Orleans.Configuration.ClusterOptions cluster) => (cluster.ClusterId, cluster.ServiceId) = ("stock", "stock");
}
#endif
