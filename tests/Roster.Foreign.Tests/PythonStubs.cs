namespace Roster.Foreign.Tests;

/// <summary>Python modules of the protos, made by Debian's protobuf-compiler and protobuf-compiler-grpc.</summary>
internal static class PythonStubs
{
    public const string Python = "/usr/bin/python3";
    public const string Plugin = "/usr/bin/grpc_python_plugin";

    /// <summary>Skips the test where Debian's packages are not installed; fails there on CI.</summary>
    public static async Task RequireGrpcioAsync(CancellationToken cancellationToken)
    {
        var isThere = File.Exists(Python) && File.Exists(Plugin) && (await Processes.RunAsync(Python, ["-c", "import grpc, google.protobuf"], [], cancellationToken)).Code == 0;
        if (!isThere)
        {
            const string reason = "python3-grpcio, python3-protobuf, protobuf-compiler or protobuf-compiler-grpc is not installed (Debian's packages).";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", reason);
            Assert.Skip(reason);
        }
    }

    public static async Task GenerateAsync(string folder, CancellationToken cancellationToken)
    {
        var protos = Path.Combine(AppContext.BaseDirectory, "protos");
        var files = Directory.EnumerateFiles(Path.Combine(protos, "roster", "v1")).Append(Path.Combine(protos, "grpc", "health", "v1", "health.proto"));
        var (code, output) = await Processes.RunAsync(
            "protoc",
            [$"-I{protos}", $"--python_out={folder}", $"--grpc_out={folder}", $"--plugin=protoc-gen-grpc={Plugin}", .. files],
            [],
            cancellationToken);
        Assert.True(code == 0, output);

        // protoc makes grpc/health/v1 as a folder without code of its own; it must not hide the package grpc.
        Directory.Move(Path.Combine(folder, "grpc"), Path.Combine(folder, "grpc_generated"));
        File.WriteAllText(
            Path.Combine(folder, "sitecustomize.py"),
            "import os, grpc\ngrpc.__path__.append(os.path.join(os.path.dirname(__file__), 'grpc_generated'))\n");
    }
}
