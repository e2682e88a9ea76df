using Microsoft.AspNetCore.Builder;
using Roster.Server;

namespace Roster.Foreign.Tests;

/// <summary>
/// The official interoperability cases against a real server with the official test service beside its own, driven by Debian's python3-grpcio and by <c>@grpc/grpc-js</c>.
/// </summary>
public sealed class InteropTests
{
    private static readonly string Cases = Path.Combine(AppContext.BaseDirectory, "Interop");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_official_interoperability_cases_pass_with_grpcio()
    {
        await PythonStubs.RequireGrpcioAsync(Token);
        var generated = Directory.CreateTempSubdirectory("roster-interop-").FullName;
        try
        {
            var (compiled, errors) = await Processes.RunAsync(
                "protoc",
                [$"-I{Cases}", $"--python_out={generated}", $"--grpc_out={generated}", $"--plugin=protoc-gen-grpc={PythonStubs.Plugin}", Path.Combine(Cases, "testing.proto")],
                [],
                Token);
            Assert.True(compiled == 0, errors);
            await CheckAsync(address => Processes.RunAsync(PythonStubs.Python, [Path.Combine(Cases, "interop.py"), address], [("PYTHONPATH", generated)], Token));
        }
        finally
        {
            Directory.Delete(generated, recursive: true);
        }
    }

    [Fact]
    public async Task The_official_interoperability_cases_pass_with_grpc_js()
    {
        var packages = NodePackages.Require();
        await CheckAsync(address => Processes.RunAsync("node", [Path.Combine(Cases, "interop.mjs"), address], [(NodePackages.Folder, packages)], Token));
    }

    private static async Task CheckAsync(Func<string, Task<(int Code, string Output)>> run)
    {
        var options = new ServerOptions
        {
            Store = StoreKind.Volatile,
            GrpcPort = 0,
            HttpPort = 0,
            FurtherService = ("grpc.testing.TestService", endpoints => endpoints.MapGrpcService<Interop.TestServiceApi>()),
        };
        await using var server = await RosterServer.StartAsync(options, cancellationToken: Token);
        var (code, output) = await run(server.GrpcAddress.Authority);
        Assert.True(code == 0, output);
        Assert.Contains("interop done", output, StringComparison.Ordinal);
    }
}
