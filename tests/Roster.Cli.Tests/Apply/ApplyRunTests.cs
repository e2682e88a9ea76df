using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Cli.Tests.Apply;

public sealed class ApplyRunTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-apply-tests-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task All_drafts_are_saved_then_lists_then_versions_then_switches()
    {
        await using var server = await TestServer.StartAsync();
        var first = Write("a.json", """{"lists":[{"id":"l","object_type":"contact"}],"workflows":[{"id":"a","object_type":"contact"}]}""");
        var second = Write("b.json", """{"id":"b","object_type":"contact","steps":[]}""");
        var (exitCode, output, error) = await CommandRunner.RunAsync(server, "apply", first, second);
        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Equal(["save", "save", "list", "publish", "publish", "state", "state"], server.Engine.Calls.Select(call => call.Word));
        Assert.Contains("list l: static, revision 1", output, StringComparison.Ordinal);
        Assert.Contains("workflow b: version 1, on", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workflows_that_name_each_other_are_applied_whatever_order_their_files_come_in()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.Needs["a"] = "b";
        server.Engine.Needs["b"] = "a";
        var (exitCode, _, error) = await CommandRunner.RunAsync(
            server, "apply", Write("a.json", """{"id":"a","object_type":"contact","steps":[]}"""), Write("b.json", """{"id":"b","object_type":"contact","steps":[]}"""));
        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.All(server.Engine.WorkflowState.Values, workflow => Assert.Equal(Workflow.Types.State.On, workflow.State));
    }

    [Fact]
    public async Task A_version_that_is_refused_is_told_once_and_the_others_are_published()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.Needs["a"] = "nowhere";
        var file = Write("ab.json", """{"workflows":[{"id":"a","object_type":"contact"},{"id":"b","object_type":"contact"}]}""");
        var (exitCode, output, error) = await CommandRunner.RunAsync(server, "apply", file);
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Equal($"error {file}: workflows[0].steps[0]: There is no workflow `nowhere`. [UNKNOWN_WORKFLOW]", error.Trim());
        Assert.Contains("workflow b: version 1, on", output, StringComparison.Ordinal);
        Assert.DoesNotContain("workflow a", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_workflows_with_one_id_the_last_counts_with_a_warning()
    {
        await using var server = await TestServer.StartAsync();
        var first = Write("a.json", """{"id":"w","object_type":"contact","display_name":"first","steps":[]}""");
        var second = Write("b.json", """{"id":"w","object_type":"contact","display_name":"second","steps":[]}""");
        var (exitCode, _, error) = await CommandRunner.RunAsync(server, "apply", first, second);
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("Workflow `w` is given 2 times", error, StringComparison.Ordinal);
        Assert.Equal("second", server.Engine.WorkflowState["w"].DisplayName);
    }

    [Fact]
    public async Task Drafts_only_publishes_nothing_and_leaves_lists()
    {
        await using var server = await TestServer.StartAsync();
        var file = Write("a.json", """{"lists":[{"id":"l","object_type":"contact"}],"workflows":[{"id":"a","object_type":"contact"}]}""");
        var (_, output, _) = await CommandRunner.RunAsync(server, "apply", "--draft", file);
        Assert.Equal(["save"], server.Engine.Calls.Select(call => call.Word));
        Assert.Contains("workflow a: draft saved, revision 1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_with_on_false_publishes_and_does_not_switch()
    {
        await using var server = await TestServer.StartAsync();
        await CommandRunner.RunAsync(server, "apply", Write("a.json", """{"workflows":[{"id":"a","object_type":"contact"}],"on":false}"""));
        Assert.Equal(["save", "publish"], server.Engine.Calls.Select(call => call.Word));
    }

    [Fact]
    public async Task A_check_names_problems_of_lists_by_their_own_paths_and_not_what_the_files_bring()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.Problems.AddRange(
        [
            new DefinitionProblem { Path = "steps", Code = "NO_STEPS", Message = "There is no step." },
            new DefinitionProblem { Path = "start.filter.criteria.anyOf[0].allOf[0].list", Code = "UNKNOWN_LIST", Value = "other", Message = "There is no list." },
            new DefinitionProblem { Path = "start.filter.criteria.anyOf[0].allOf[1]", Code = "UNDECLARED_PROPERTY", Value = "p", Message = "There is no property `p`." },
        ]);
        var file = Write("a.json", """{"lists":[{"id":"l","object_type":"contact","criteria":{"any_of":[]}},{"id":"other","object_type":"contact"}]}""");
        var (exitCode, output, error) = await CommandRunner.RunAsync(server, "apply", "--check", file);
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.StartsWith($"error {file}: lists[0].criteria.any_of[0].all_of[1]: There is no property `p`. [UNDECLARED_PROPERTY]", error, StringComparison.Ordinal);
        Assert.DoesNotContain("NO_STEPS", error, StringComparison.Ordinal);
        Assert.DoesNotContain("UNKNOWN_LIST", error, StringComparison.Ordinal);
        Assert.Contains("2 lists, 0 workflows checked", output, StringComparison.Ordinal);
        Assert.Empty(server.Engine.Calls);
    }

    private string Write(string name, string json)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, json);
        return path;
    }
}
