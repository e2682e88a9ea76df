using Roster.Server;

namespace Roster.Foreign.Tests;

/// <summary>Runs samples/clients as their READMEs say, against a server. Skipped where an interpreter or its packages are not there.</summary>
public sealed class ExampleTests
{
    private static readonly string Examples = Path.Combine(AppContext.BaseDirectory, "clients");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_dotnet_example_sends_and_works()
    {
        await using var server = await ServeAsync();
        var (code, output) = await Processes.RunAsync(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "Roster.Samples.Client.dll"), server.GrpcAddress.ToString()], [], Token);
        Assert.True(code == 0, output);
        Assert.Contains("1000 events applied, 0 known before, 0 refused", output, StringComparison.Ordinal);
        Assert.Contains("mail `welcome` to person999@example.org", output, StringComparison.Ordinal);
        Assert.Contains("welcome: 1000 enrolled, 1000 completed, 0 active", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_Python_example_sends_and_works_and_does_nothing_twice()
    {
        await PythonStubs.RequireGrpcioAsync(Token);
        var generated = Directory.CreateTempSubdirectory("roster-python-").FullName;
        try
        {
            await PythonStubs.GenerateAsync(generated, Token);
            await using var server = await ServeAsync();
            Task<(int Code, string Output)> Run() => Processes.RunAsync(
                PythonStubs.Python, [Path.Combine(Examples, "python", "first_steps.py"), server.GrpcAddress.Authority], [("PYTHONPATH", generated)], Token);
            await CheckAsync(Run);
        }
        finally
        {
            Directory.Delete(generated, recursive: true);
        }
    }

    [Fact]
    public async Task The_Node_example_sends_and_works_and_does_nothing_twice()
    {
        var packages = NodePackages.Require();
        await using var server = await ServeAsync();
        await CheckAsync(() => Processes.RunAsync(
            "node",
            [Path.Combine(Examples, "node", "first-steps.mjs"), server.GrpcAddress.Authority],
            [(NodePackages.Folder, packages), ("PROTOS", Path.Combine(AppContext.BaseDirectory, "protos"))],
            Token));
    }

    private static async Task CheckAsync(Func<Task<(int Code, string Output)>> run)
    {
        var (code, output) = await run();
        Assert.True(code == 0, output);
        Assert.Contains("events: APPLIED, APPLIED, APPLIED", output, StringComparison.Ordinal);
        Assert.Contains("mail to person2@example.org", output, StringComparison.Ordinal);
        Assert.Contains("welcome: 3 enrolled, 3 completed", output, StringComparison.Ordinal);
        (code, output) = await run();
        Assert.True(code == 0, output);
        Assert.Contains("events: DUPLICATE, DUPLICATE, DUPLICATE", output, StringComparison.Ordinal);
        Assert.Contains("welcome: 3 enrolled, 3 completed", output, StringComparison.Ordinal);
    }

    private static Task<RosterServer> ServeAsync() =>
        RosterServer.StartAsync(new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0 }, cancellationToken: Token);
}
