using System.Text.Json;
using Roster.Server;
using Roster.Server.Tests;

namespace Roster.Cli.Tests.Commands;

public sealed class ImportCommandTests : IDisposable
{
    private const string Flow =
        """
        {"id":"4711","name":"Tea","type":"CONTACT_FLOW","objectTypeId":"0-1","isEnabled":true,"flowType":"WORKFLOW","startActionId":"1","mystery":"x",
         "enrollmentCriteria":{"type":"EVENT_BASED","shouldReEnroll":true,"listMembershipFilterBranches":[],"eventFilterBranches":[
           {"eventTypeId":"4-655002","operator":"HAS_COMPLETED","filterBranchType":"UNIFIED_EVENTS","filterBranchOperator":"AND","filterBranches":[],"filters":[
             {"filterType":"PROPERTY","property":"hs_name","operation":{"operationType":"STRING","operator":"IS_EQUAL_TO","value":"score","includeObjectsWithNoValueSet":false}}]}]},
         "actions":[
           {"type":"LIST_BRANCH","actionId":"1","listBranches":[{"branchName":"high","connection":{"edgeType":"STANDARD","nextActionId":"2"},"filterBranch":
             {"filterBranchType":"OR","filterBranchOperator":"OR","filters":[],"filterBranches":[{"filterBranchType":"AND","filterBranchOperator":"AND","filterBranches":[],"filters":[
               {"filterType":"PROPERTY","property":"score","operation":{"operationType":"NUMBER","operator":"IS_GREATER_THAN","value":70.0,"includeObjectsWithNoValueSet":false}}]}]}}],
            "defaultBranch":{"edgeType":"STANDARD","nextActionId":"3"}},
           {"type":"SINGLE_CONNECTION","actionId":"2","actionTypeId":"0-5","actionTypeVersion":0,"fields":{"property_name":"tier","value":{"type":"STATIC_VALUE","staticValue":"A"}}},
           {"type":"SINGLE_CONNECTION","actionId":"3","actionTypeId":"0-5","actionTypeVersion":0,"fields":{"property_name":"tier","value":{"type":"STATIC_VALUE","staticValue":"B"}}}]}
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-import-tests-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task IMP_01_What_is_imported_runs_as_the_flow_says_when_it_is_applied()
    {
        var (workflow, report) = (Path.Combine(_folder.FullName, "tea.json"), Path.Combine(_folder.FullName, "report.json"));
        var (exitCode, output, error) = await CommandRunner.RunAsync("import", "hubspot", Write("flow.json", Flow), "--schema", "--out", workflow, "--report", report);
        Assert.Equal((ExitCode.Success, ""), (exitCode, output));
        Assert.Contains("workflow hubspot-4711: 3 steps", error, StringComparison.Ordinal);
        Assert.Contains("unsupported mystery `x`: The import does not know this field here. [UNKNOWN_FIELD]", error, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(report, Cancel));
        Assert.Equal(1, document.RootElement[0].GetProperty("unsupported").GetInt32());
        Assert.False(JsonDocument.Parse(await File.ReadAllTextAsync(workflow, Cancel)).RootElement.GetProperty("on").GetBoolean());

        var events = Write(
            "events.jsonl",
            """{"id":"e1","object":"contact","record":"ada","at":"2026-01-01T00:00:00Z","set":{"score":80}}""",
            """{"id":"e2","object":"contact","record":"bob","at":"2026-01-01T00:00:01Z","set":{"score":10}}""",
            """{"id":"e3","object":"contact","record":"ada","at":"2026-01-01T00:00:02Z","set":{"score":20}}""");
        var expect = Write("expect.json", """{"workflows":{"hubspot-4711":{"enrolled":3,"steps":{"1":3,"2":1,"3":2},"ended":{"COMPLETED":3}}}}""");
        (exitCode, _, error) = await CommandRunner.RunAsync("simulate", workflow, "--events", events, "--expect", expect);
        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
    }

    [Fact]
    public async Task IMP_01_Drafts_are_saved_on_the_server_and_one_that_is_there_is_left_alone()
    {
        await using var server = await RosterServer.StartAsync(new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0 }, cancellationToken: Cancel);
        string[] import = ["--server", server.GrpcAddress.ToString(), "import", "hubspot", Write("flow.json", Flow), "--draft"];
        var (exitCode, output, _) = await CommandRunner.RunAsync(import);
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Equal("workflow hubspot-4711: draft saved, revision 1", output.Trim());
        (exitCode, _, var error) = await CommandRunner.RunAsync(import);
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Contains("--id gives the import another id", error, StringComparison.Ordinal);
        (exitCode, output, _) = await CommandRunner.RunAsync([.. import, "--id", "second"]);
        Assert.Equal((ExitCode.Success, "workflow second: draft saved, revision 1"), (exitCode, output.Trim()));
        (_, output, _) = await CommandRunner.RunAsync("--server", server.GrpcAddress.ToString(), "workflow");
        Assert.DoesNotContain(" on ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task IMP_02_A_file_that_is_no_flow_is_told_and_the_others_go_on_and_strict_counts_what_is_unsupported()
    {
        var (good, bad) = (Write("good.json", Flow), Write("bad.json", "{\"actions\": ["));
        var (exitCode, output, error) = await CommandRunner.RunAsync("import", "hubspot", good, bad, Path.Combine(_folder.FullName, "missing.json"));
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Contains($"error {bad}: 2:1: this is not JSON", error, StringComparison.Ordinal);
        Assert.Contains("missing.json", error, StringComparison.Ordinal);
        Assert.Contains("\"id\": \"hubspot-4711\"", output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.BadInput, (await CommandRunner.RunAsync("import", "hubspot", bad)).ExitCode);
        Assert.Equal(ExitCode.SomeFailed, (await CommandRunner.RunAsync("import", "hubspot", good, "--strict")).ExitCode);
        Assert.Equal(ExitCode.Success, (await CommandRunner.RunAsync("import", "hubspot", Write("fine.json", Flow.Replace("\"mystery\":\"x\",", "", StringComparison.Ordinal)), "--strict")).ExitCode);
        Assert.Equal(ExitCode.BadInput, (await CommandRunner.RunAsync("import", "hubspot", good, good, "--id", "x")).ExitCode);
        Assert.Equal(ExitCode.BadInput, (await CommandRunner.RunAsync("import", "hubspot", good, "--schema", "--draft")).ExitCode);
    }

    private string Write(string name, params string[] lines)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, string.Join('\n', lines) + "\n");
        return path;
    }
}
