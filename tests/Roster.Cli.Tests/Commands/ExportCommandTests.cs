using Roster.Cli.Json;
using Roster.Server;

namespace Roster.Cli.Tests.Commands;

public sealed class ExportCommandTests : IDisposable
{
    private static readonly string Samples = Path.Combine(AppContext.BaseDirectory, "samples");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-export-tests-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("big-customers", "won-deals", "newsletter", "birthday")]
    [InlineData("office-hours", "trial", "lead-again", "no-show-follow-up")]
    public async Task What_is_exported_and_applied_to_an_empty_server_is_exported_alike(params string[] samples)
    {
        await using var first = await ServeAsync();
        Assert.Equal((ExitCode.Success, ""), await RunAsync(first, ["apply", .. samples.Select(sample => Path.Combine(Samples, sample, "workflow.json"))]));
        var file = Path.Combine(_folder.FullName, "all.json");
        Assert.Equal((ExitCode.Success, ""), await RunAsync(first, "export", "--out", file));

        await using var second = await ServeAsync();
        Assert.Equal((ExitCode.Success, ""), await RunAsync(second, "apply", file));
        var (_, again, _) = await CommandRunner.RunAsync("--server", second.GrpcAddress.ToString(), "export");
        Assert.Equal(await File.ReadAllTextAsync(file, Cancel), again);
    }

    [Fact]
    public async Task A_workflow_alone_is_exported_as_its_version_in_force_or_as_its_draft()
    {
        await using var server = await ServeAsync();
        var one = Write("one.json", """{"tenant":{"object_types":[{"name":"contact","properties":[{"name":"p","type":"STRING"}]}]},"workflows":[{"id":"one","object_type":"contact","start":{"manual":{}},"steps":[{"id":"s","set_property":{"property":"p","value":"first"}}]},{"id":"two","object_type":"contact","start":{"manual":{}},"steps":[{"id":"s","set_property":{"property":"p","value":"x"}}]}],"on":["one"]}""");
        Assert.Equal((ExitCode.Success, ""), await RunAsync(server, "apply", one));
        Assert.Equal((ExitCode.Success, ""), await RunAsync(server, "apply", "--draft", Write("later.json", """{"id":"one","object_type":"contact","start":{"manual":{}},"steps":[{"id":"s","set_property":{"property":"p","value":"second"}}]}""")));
        var (_, inForce, _) = await CommandRunner.RunAsync("--server", server.GrpcAddress.ToString(), "export", "one");
        Assert.Contains("first", inForce, StringComparison.Ordinal);
        var (_, draft, _) = await CommandRunner.RunAsync("--server", server.GrpcAddress.ToString(), "export", "one", "two", "--draft");
        var exported = ApplyFile.Parse(draft, "draft.json");
        Assert.Equal("second", exported.Workflows[0].Workflow.Steps[0].SetProperty.Value);
        Assert.Equal((0, 0), (exported.Workflows[0].Workflow.Revision, exported.Workflows[0].Workflow.Version));
        Assert.Equal((true, false), (exported.SwitchesOn("one"), exported.SwitchesOn("two")));
        Assert.Null(exported.Tenant);
        Assert.Equal(ExitCode.ServerSaidNo, (await CommandRunner.RunAsync("--server", server.GrpcAddress.ToString(), "export", "nobody")).ExitCode);
    }

    private static Task<RosterServer> ServeAsync() =>
        RosterServer.StartAsync(new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0 }, cancellationToken: Cancel);

    private static async Task<(int ExitCode, string Error)> RunAsync(RosterServer server, params string[] args)
    {
        var (exitCode, _, error) = await CommandRunner.RunAsync(["--server", server.GrpcAddress.ToString(), .. args]);
        return (exitCode, error);
    }

    private string Write(string name, string json)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, json);
        return path;
    }
}
