using Roster.Server;

namespace Roster.Foreign.Tests;

/// <summary>
/// Runs tour.py with Debian's python3-grpcio, python3-protobuf, protobuf-compiler and protobuf-compiler-grpc. Skipped where they are
/// not installed; fails there on CI.
/// </summary>
public sealed class PythonTourTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_tour_runs_with_a_client_nobody_here_wrote()
    {
        await PythonStubs.RequireGrpcioAsync(Token);
        var generated = Directory.CreateTempSubdirectory("roster-python-").FullName;
        try
        {
            await PythonStubs.GenerateAsync(generated, Token);
            await using var server = await RosterServer.StartAsync(
                new ServerOptions { Store = StoreKind.Volatile, Clock = ClockKind.Manual, GrpcPort = 0, HttpPort = 0, CallBytesInFlightMax = 64 * 1024 }, cancellationToken: Token);
            var (code, output) = await Processes.RunAsync(
                PythonStubs.Python, [Path.Combine(AppContext.BaseDirectory, "tour.py"), server.GrpcAddress.Authority], [("PYTHONPATH", generated)], Token);
            Assert.True(code == 0, output);
            Assert.Contains("tour done", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(generated, recursive: true);
        }
    }
}
