using Microsoft.AspNetCore.Builder;
using Roster.Server;

namespace Roster.Foreign.Tests;

/// <summary>The official interoperability cases, driven by Debian's python3-grpcio against a real server with the official test service beside its own.</summary>
public sealed class InteropTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_official_interoperability_cases_pass_with_this_servers_transport()
    {
        await PythonStubs.RequireGrpcioAsync(Token);
        var generated = Directory.CreateTempSubdirectory("roster-interop-").FullName;
        try
        {
            var protos = Path.Combine(AppContext.BaseDirectory, "Interop");
            var (compiled, errors) = await Processes.RunAsync(
                "protoc",
                [$"-I{protos}", $"--python_out={generated}", $"--grpc_out={generated}", $"--plugin=protoc-gen-grpc={PythonStubs.Plugin}", Path.Combine(protos, "testing.proto")],
                [],
                Token);
            Assert.True(compiled == 0, errors);
            var options = new ServerOptions
            {
                Store = StoreKind.Volatile,
                GrpcPort = 0,
                HttpPort = 0,
                FurtherService = ("grpc.testing.TestService", endpoints => endpoints.MapGrpcService<Interop.TestServiceApi>()),
            };
            await using var server = await RosterServer.StartAsync(options, cancellationToken: Token);
            var (code, output) = await Processes.RunAsync(
                PythonStubs.Python, [Path.Combine(protos, "interop.py"), server.GrpcAddress.Authority], [("PYTHONPATH", generated)], Token);
            Assert.True(code == 0, output);
            Assert.Contains("interop done", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(generated, recursive: true);
        }
    }
}
