using Roster.Server;
using Roster.Storage.Postgres.Tests;
using Roster.V1;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace Roster.Cli.Tests.Commands;

/// <summary><c>tenant export</c>, <c>tenant import</c> and <c>tenant hash</c>.</summary>
public sealed class TenantCommandTests : IDisposable
{
    private const string Tenant = "default";

    private const string Workflow = """
        {
          "id": "nurture", "objectType": "contact",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } } },
          "steps": [ { "id": "wait", "next": "mark", "delay": { "amount": 2, "unit": "DAYS" } }, { "id": "mark", "setProperty": { "property": "stage", "value": "mql" } } ]
        }
        """;

    private static readonly string[] Events = [.. Enumerable.Range(0, 50).Select(i => $$$"""{"id":"e{{{i}}}","object":"contact","record":"r{{{i}}}","set":{"stage":"{{{(i < 10 ? "lead" : "other")}}}"}}""")];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-cli-move-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task DLY_01_REC_08_A_tenant_moves_from_a_data_folder_to_a_database_and_back_and_goes_on()
    {
        var database = await Databases.CreateAsync();
        var (data, file) = (Name("data"), Name("acme.tenant"));
        await ServeAndFillAsync(data);
        Assert.Equal(ExitCode.Success, (await RunAsync("tenant", "export", file, "--data", data)).ExitCode);
        var (exitCode, output, error) = await RunAsync("tenant", "import", file, "--postgres", database);
        Assert.True(exitCode == ExitCode.Success, error);
        Assert.Contains("imported, and read back", output, StringComparison.Ordinal);
        Assert.Contains("tenant default: 50 records, 50 turns, 10 timers, 0 open tasks", output, StringComparison.Ordinal);
        Assert.Equal(StateOf((await RunAsync("tenant", "hash", "--data", data)).Output), StateOf(output));
        Assert.Equal(StateOf(output), StateOf((await RunAsync("tenant", "hash", "--postgres", database)).Output));

        // And back, into a folder that does not exist yet.
        var (back, again) = (Name("back.tenant"), Name("again"));
        Assert.Equal(ExitCode.Success, (await RunAsync("tenant", "export", back, "--postgres", database)).ExitCode);
        Assert.Equal(StateOf(output), StateOf((await RunAsync("tenant", "import", back, "--data", again)).Output));
        Assert.Equal(ExitCode.Success, (await RunAsync("check", "--data", again, "--deep")).ExitCode);

        await using var server = await RosterServer.StartAsync(Options(new ServerOptions { Store = StoreKind.Postgres, Postgres = database }), cancellationToken: Cancel);
        (exitCode, output, _) = await RunAsync("--server", server.GrpcAddress.ToString(), "ingest", Write("events.jsonl", Events));
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("50 duplicate", output + error, StringComparison.OrdinalIgnoreCase);
        await AdvanceAsync(server, TimeSpan.FromDays(2) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(10, (await StatsAsync(server)).Active);
        await AdvanceAsync(server, TimeSpan.FromMilliseconds(1));
        Assert.Equal((10, 0, 10), ((await StatsAsync(server)).Enrolled, (await StatsAsync(server)).Active, (await StatsAsync(server)).Completed));
        Assert.Empty((await server.Engine.VerifyAsync(Cancel)).Differences);
    }

    [Fact]
    public async Task What_is_in_use_damaged_or_there_already_is_refused()
    {
        var (data, file) = (Name("data"), Name("acme.tenant"));
        await ServeAndFillAsync(data, async () =>
        {
            var (code, _, inUse) = await RunAsync("tenant", "export", file, "--data", data);
            Assert.Equal(ExitCode.BadInput, code);
            Assert.Contains($"process {Environment.ProcessId}", inUse, StringComparison.Ordinal);
        });
        Assert.Equal(ExitCode.Success, (await RunAsync("tenant", "export", file, "--data", data)).ExitCode);
        await RefusedAsync("is there already", "tenant", "export", file, "--data", data);
        await RefusedAsync("is not empty", "tenant", "import", file, "--data", data);
        await RefusedAsync("there is no data folder", "tenant", "hash", "--data", Name("nothing"));
        await RefusedAsync("name two stores", "tenant", "hash", "--data", data, "--postgres", "Host=x");
        await RefusedAsync("No store is named", "tenant", "hash");
        await RefusedAsync("has no tenant `nobody`", "--tenant", "nobody", "tenant", "hash", "--data", data);
        var bytes = await File.ReadAllBytesAsync(file, Cancel);
        await File.WriteAllBytesAsync(file, bytes[..^9], Cancel);
        var (exitCode, _, error) = await RunAsync("tenant", "import", file, "--data", Name("new"));
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Contains("the file ends before its last frame", error, StringComparison.Ordinal);
        Assert.Equal(["acme.tenant", "data", "events.jsonl"], _folder.EnumerateFileSystemInfos().Select(found => found.Name).Order(StringComparer.Ordinal));
    }

    private async Task ServeAndFillAsync(string data, Func<Task>? meanwhile = null)
    {
        await using var server = await RosterServer.StartAsync(Options(new ServerOptions { DataFolder = data }), cancellationToken: Cancel);
        await server.Engine.UpdateSettingsAsync(Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Declare } }, Cancel);
        await server.Engine.DeclarePropertiesAsync(
            Tenant, new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = "stage", Type = PropertyType.Types.Kind.String } } }, Cancel);
        await server.Engine.SaveWorkflowAsync(Tenant, new SaveWorkflowRequest { Workflow = Google.Protobuf.JsonParser.Default.Parse<Roster.V1.Workflow>(Workflow) }, Cancel);
        await server.Engine.SetWorkflowStateAsync(Tenant, new SetWorkflowStateRequest { WorkflowId = "nurture", State = Roster.V1.Workflow.Types.State.On }, Cancel);
        var (exitCode, _, error) = await RunAsync("--server", server.GrpcAddress.ToString(), "ingest", Write("events.jsonl", Events));
        Assert.True(exitCode == ExitCode.Success, error);
        if (meanwhile is not null)
        {
            await meanwhile();
        }
    }

    private static ServerOptions Options(ServerOptions options)
    {
        (options.GrpcPort, options.HttpPort, options.Clock) = (0, 0, ClockKind.Manual);
        return options;
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args) => CommandRunner.RunAsync(args);

    private static async Task RefusedAsync(string why, params string[] args)
    {
        var (exitCode, _, error) = await RunAsync(args);
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Contains(why, error, StringComparison.Ordinal);
    }

    private static string StateOf(string output) => Assert.Single(output.Split('\n', StringSplitOptions.TrimEntries), line => line.StartsWith("state ", StringComparison.Ordinal));

    private static async Task AdvanceAsync(RosterServer server, TimeSpan by) => await server.Engine.AdvanceClockAsync(
        new AdvanceClockRequest { To = Timestamp.FromDateTimeOffset(server.Engine.Clock.GetUtcNow() + by) }, Cancel);

    private static async Task<WorkflowStats> StatsAsync(RosterServer server) =>
        await server.Engine.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = "nurture" }, Cancel);

    private string Name(string name) => Path.Combine(_folder.FullName, name);

    private string Write(string name, string[] lines)
    {
        File.WriteAllLines(Name(name), lines);
        return Name(name);
    }
}
