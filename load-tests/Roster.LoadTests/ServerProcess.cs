using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Roster.Server;

namespace Roster.LoadTests;

/// <summary>A server in a process of its own, so that its memory and collector are its own.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string ServeArgument = "--serve";
    private readonly Process _process;

    private ServerProcess(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    /// <summary>What the operating system says of it: resident bytes, processor time, bytes written to disk.</summary>
    public (long ResidentBytes, TimeSpan Cpu, long WrittenBytes) Usage
    {
        get
        {
            _process.Refresh();
            var written = File.ReadLines($"/proc/{_process.Id}/io").First(l => l.StartsWith("write_bytes", StringComparison.Ordinal));
            return (_process.WorkingSet64, _process.TotalProcessorTime, long.Parse(written.Split(' ')[1], CultureInfo.InvariantCulture));
        }
    }

    public int Id => _process.Id;

    public static bool IsServer(string[] args) => args.Length > 0 && args[0] == ServeArgument;

    /// <summary>The other side: runs the server until standard input ends.</summary>
    public static async Task<int> ServeAsync(string[] args)
    {
        var settings = args.Skip(1).Select(a => a.Split('=', 2)).ToDictionary(a => a[0], string? (a) => a[1], StringComparer.Ordinal);
        await using var server = await RosterServer.StartAsync(
            ServerOptions.Read(settings),
            logging: l => l.SetMinimumLevel(LogLevel.Error).AddConsole(c => c.LogToStandardErrorThreshold = LogLevel.Trace));
        Console.WriteLine(server.GrpcAddress);
        var stopped = Console.In.ReadToEndAsync();
        return await Task.WhenAny(stopped, server.Engine.Failed) == stopped ? 0 : 1;
    }

    public static async Task<ServerProcess> StartAsync(LoadOptions options, string folder)
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
        if (options.Postgres is { } postgres)
        {
            start.Environment["ROSTER__POSTGRES"] = postgres;
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException("The server did not start.");
        var address = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The server ended before it listened.");
        return new ServerProcess(process, new Uri(address));
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
