using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Roster.Server;

namespace Roster.LoadTests.Servers;

/// <summary>A server in a process of its own, so that its memory and collector are its own.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string ServeArgument = "--serve";
    private const string StockArgument = "--stock";
    private const string DatabaseVariable = "ROSTER__POSTGRES";
    private readonly Process _process;

    private ServerProcess(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    public int Id => _process.Id;

    public static bool IsServer(string[] args) => args.Length > 0 && args[0] is ServeArgument or StockArgument;

    /// <summary>The other side: runs the server until standard input ends.</summary>
    public static async Task<int> ServeAsync(string[] args)
    {
#if FULL_FEED
        if (args[0] == StockArgument)
        {
            await Stock.StockSilo.ServeAsync(Environment.GetEnvironmentVariable(DatabaseVariable)!);
            return 0;
        }
#endif
        var settings = args.Skip(1).Select(a => a.Split('=', 2)).GroupBy(a => a[0], StringComparer.Ordinal)
            .ToDictionary(same => same.Key, string? (same) => same.Last().ElementAtOrDefault(1), StringComparer.Ordinal);
        await using var server = await RosterServer.StartAsync(
            ServerOptions.Read(settings),
            logging: l => l.SetMinimumLevel(LogLevel.Error).AddConsole(c => c.LogToStandardErrorThreshold = LogLevel.Trace));
        Console.WriteLine(server.GrpcAddress);
        var stopped = Console.In.ReadToEndAsync();
        return await Task.WhenAny(stopped, server.Engine.Failed) == stopped ? 0 : 1;
    }

    /// <summary>Starts a server and returns when it is ready for calls.</summary>
    /// <param name="options">Store and cache.</param>
    /// <param name="folder">Its data folder.</param>
    /// <param name="postgres">Where its database is, where it has one: in the environment, because a command line can be read by everybody.</param>
    /// <remarks>A silo gets a free port for the others.</remarks>
    public static async Task<ServerProcess> StartAsync(LoadOptions options, string folder, string? postgres)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            ArgumentList =
            {
                ServeArgument, "grpc_port=0", "http_port=0", $"store={options.Store}", $"data_folder={folder}", $"cache_bytes={options.CacheBytes}",
            },
        };
        if (options.Silos > 0)
        {
            start.ArgumentList.Add("host=cluster");
            start.ArgumentList.Add(string.Create(CultureInfo.InvariantCulture, $"silo_port={FreePort()}"));
        }

        foreach (var setting in options.Set)
        {
            start.ArgumentList.Add(setting);
        }

        if (postgres is not null)
        {
            start.Environment[DatabaseVariable] = postgres;
        }

        return await StartAsync(start);
    }

    /// <summary>Starts a silo of the stock grain; its address is its gateway's.</summary>
    public static Task<ServerProcess> StartStockAsync(string postgres)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true, ArgumentList = { StockArgument } };
        start.Environment[DatabaseVariable] = postgres;
        return StartAsync(start);
    }

    private static async Task<ServerProcess> StartAsync(ProcessStartInfo start)
    {
        var process = Process.Start(start) ?? throw new InvalidOperationException("The server did not start.");
        var address = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The server ended before it listened.");
        return new ServerProcess(process, new Uri(address));
    }

    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary><c>kill -9</c>.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}
