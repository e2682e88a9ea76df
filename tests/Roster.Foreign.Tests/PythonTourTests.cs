using System.Diagnostics;
using Roster.Server;

namespace Roster.Foreign.Tests;

/// <summary>
/// Runs tour.py with Debian's python3-grpcio, python3-protobuf, protobuf-compiler and protobuf-compiler-grpc. Skipped where they are
/// not installed; fails there on CI.
/// </summary>
public sealed class PythonTourTests
{
    private const string Python = "/usr/bin/python3";
    private const string Plugin = "/usr/bin/grpc_python_plugin";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_tour_runs_with_a_client_nobody_here_wrote()
    {
        await RequireGrpcioAsync();
        var generated = Directory.CreateTempSubdirectory("roster-python-").FullName;
        try
        {
            await GenerateAsync(generated);
            await using var server = await RosterServer.StartAsync(
                new ServerOptions { Store = StoreKind.Volatile, Clock = ClockKind.Manual, GrpcPort = 0, HttpPort = 0, CallBytesInFlightMax = 64 * 1024 }, cancellationToken: Token);
            var (code, output) = await RunAsync(
                Python, [Path.Combine(AppContext.BaseDirectory, "tour.py"), server.GrpcAddress.Authority], generated);
            Assert.True(code == 0, output);
            Assert.Contains("tour done", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(generated, recursive: true);
        }
    }

    private static async Task RequireGrpcioAsync()
    {
        var isThere = File.Exists(Python) && File.Exists(Plugin) && (await RunAsync(Python, ["-c", "import grpc, google.protobuf"], "")).Code == 0;
        if (!isThere)
        {
            const string reason = "python3-grpcio, python3-protobuf, protobuf-compiler or protobuf-compiler-grpc is not installed (Debian's packages).";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", reason);
            Assert.Skip(reason);
        }
    }

    private static async Task GenerateAsync(string folder)
    {
        var protos = Path.Combine(AppContext.BaseDirectory, "protos");
        var files = Directory.EnumerateFiles(Path.Combine(protos, "roster", "v1")).Append(Path.Combine(protos, "grpc", "health", "v1", "health.proto"));
        var (code, output) = await RunAsync(
            "protoc",
            [$"-I{protos}", $"--python_out={folder}", $"--grpc_out={folder}", $"--plugin=protoc-gen-grpc={Plugin}", .. files],
            "");
        Assert.True(code == 0, output);

        // protoc makes grpc/health/v1 as a folder without code of its own; it must not hide the package grpc.
        Directory.Move(Path.Combine(folder, "grpc"), Path.Combine(folder, "grpc_generated"));
        File.WriteAllText(
            Path.Combine(folder, "sitecustomize.py"),
            "import os, grpc\ngrpc.__path__.append(os.path.join(os.path.dirname(__file__), 'grpc_generated'))\n");
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, IEnumerable<string> arguments, string pythonPath)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PYTHONPATH"] = pythonPath;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var output = process.StandardOutput.ReadToEndAsync(Token);
        var errors = process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return (process.ExitCode, await output + await errors);
    }
}
