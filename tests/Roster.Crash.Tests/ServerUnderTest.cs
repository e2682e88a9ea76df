using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Grpc.Net.Client;

namespace Roster.Crash.Tests;

/// <summary>A server in a process of its own that can be killed without warning.</summary>
internal sealed class ServerUnderTest : IAsyncDisposable
{
    private readonly Process _process;

    private ServerUnderTest(Process process, GrpcChannel channel)
    {
        _process = process;
        Channel = channel;
    }

    public GrpcChannel Channel { get; }

    public int ProcessId => _process.Id;

    /// <summary>Starts <c>roster serve</c> on a store and waits until it answers.</summary>
    /// <param name="settings">Settings that name the store.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ServerUnderTest> StartAsync(IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        var (grpc, http) = (FreePort(), FreePort());
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "roster.dll"), "serve", "--clock", settings.GetValueOrDefault("clock", "manual") },
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[$"ROSTER__{name.ToUpperInvariant()}"] = value;
        }

        start.Environment["ROSTER__GRPC_PORT"] = $"{grpc}";
        start.Environment["ROSTER__HTTP_PORT"] = $"{http}";
        var process = Process.Start(start) ?? throw new InvalidOperationException("The server did not start.");
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            // It says where it listens once it does.
            if (line.StartsWith("gRPC", StringComparison.Ordinal))
            {
                _ = DrainAsync(process.StandardOutput);
                return new ServerUnderTest(process, GrpcChannel.ForAddress($"http://127.0.0.1:{grpc}"));
            }
        }

        throw new InvalidOperationException($"The server did not come up: {await errors}");
    }

    /// <summary>A port that nobody listens at.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary><c>kill -9</c>.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        Channel.Dispose();
    }

    /// <summary>Waits until it has ended by itself.</summary>
    public Task WaitForExitAsync(CancellationToken cancellationToken) => _process.WaitForExitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private static async Task DrainAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is not null)
        {
            // The pipe must not fill up.
        }
    }
}

/// <summary>One server after another on the same store; whatever the test does, the last one ends with it.</summary>
internal sealed class Restartable(IReadOnlyDictionary<string, string> settings) : IAsyncDisposable
{
    private ServerUnderTest? _now;

    public ServerUnderTest Now => _now ?? throw new InvalidOperationException("No server runs.");

    public async Task<ServerUnderTest> StartAsync(CancellationToken cancellationToken) => _now = await ServerUnderTest.StartAsync(settings, cancellationToken);

    public Task KillAsync() => Now.KillAsync();

    public ValueTask DisposeAsync() => _now?.DisposeAsync() ?? default;
}
