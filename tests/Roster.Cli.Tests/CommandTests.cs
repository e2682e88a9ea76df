using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Cli.Tests;

public sealed class CommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-cli-tests-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Ingest_tells_bad_lines_and_refused_events_counts_them_and_goes_on()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.Judge = item => item.EventId == "e2"
            ? new EventResult { Code = EventResult.Types.Code.Refused, Refusal = new Refusal { Reason = Refusal.Types.Reason.WrongType, Path = "writes[0].value", Message = "No." } }
            : null;
        var file = Write("events.jsonl", Line("e1"), "oops", Line("e2"), Line("e3"));
        var (exitCode, output, error) = await RunAsync(server, "ingest", file);
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Equal(["e1", "e3"], server.Engine.Ingested.Select(item => item.Event.EventId));
        Assert.Contains("2 applied, 0 duplicate, 0 mismatch, 1 refused, 1 malformed lines", output, StringComparison.Ordinal);
        Assert.Contains($"{file}:2:", error, StringComparison.Ordinal);
        Assert.Contains($"{file}:3: writes[0].value: No. [WRONG_TYPE]", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ingest_with_follow_clock_moves_the_clock_to_each_instant_before_its_events()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.IsManualClock = true;
        var first = Write("a.jsonl", Line("a3", "2026-01-03"), Line("a1", "2026-01-01"), Line("a2", "2026-01-01"));
        var second = Write("b.jsonl", Line("b1", "2026-01-02"), Line("b2", "2026-01-03"), Line("b0", "2019-01-01"));
        var (exitCode, output, _) = await RunAsync(server, "ingest", first, second, "--follow-clock");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Equal(
            ["b0", "advance 2026-01-01T00:00:00Z", "a1", "a2", "advance 2026-01-02T00:00:00Z", "b1", "advance 2026-01-03T00:00:00Z", "a3", "b2"],
            server.Engine.Log);
        Assert.Contains("the clock was moved 3 times", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Follow_clock_needs_a_manual_clock()
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, _, error) = await RunAsync(server, "ingest", Write("a.jsonl", Line("e1")), "--follow-clock");
        Assert.Equal(ExitCode.ServerSaidNo, exitCode);
        Assert.Contains("--clock manual", error, StringComparison.Ordinal);
        Assert.Empty(server.Engine.Ingested);
    }

    [Fact]
    public async Task Ingest_with_resume_goes_on_where_all_was_acknowledged()
    {
        await using var server = await TestServer.StartAsync();
        var file = Write("events.jsonl", Line("e1"), Line("e2"), Line("e3"));
        var state = Path.Combine(_folder.FullName, "state.json");
        await File.WriteAllTextAsync(
            state, $$"""{"files":[{"name":{{System.Text.Json.JsonSerializer.Serialize(file)}},"bytes":{{new FileInfo(file).Length}}}],"acknowledged":2}""", Cancel);
        var (exitCode, output, _) = await RunAsync(server, "ingest", file, "--resume", state);
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Equal(["e3"], server.Engine.Ingested.Select(item => item.Event.EventId));
        Assert.Contains("2 events had been acknowledged before", output, StringComparison.Ordinal);
        Assert.Contains("\"acknowledged\": 3", await File.ReadAllTextAsync(state, Cancel), StringComparison.Ordinal);
        await File.AppendAllTextAsync(file, Line("e4"), Cancel);
        (exitCode, _, var error) = await RunAsync(server, "ingest", file, "--resume", state);
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.Contains("other files", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ingest_with_declare_lets_the_tenant_declare()
    {
        await using var server = await TestServer.StartAsync();
        await RunAsync(server, "ingest", Write("a.jsonl", Line("e1")), "--declare");
        Assert.Equal(TenantSettings.Types.Undeclared.Declare, server.Engine.TenantState.Settings.Undeclared);
    }

    [Fact]
    public async Task Apply_publishes_and_switches_on_and_one_bad_file_does_not_stop_the_others()
    {
        await using var server = await TestServer.StartAsync();
        var bad = Write("bad.json", """{"id":"b","nope":1}""");
        var good = Write("good.json", """{"id":"w","object_type":"contact","steps":[]}""");
        var (exitCode, output, error) = await RunAsync(server, "apply", bad, good, Path.Combine(_folder.FullName, "missing.json"));
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Equal((1, Workflow.Types.State.On), (server.Engine.WorkflowState["w"].Version, server.Engine.WorkflowState["w"].State));
        Assert.Contains("workflow w: version 1, on", output, StringComparison.Ordinal);
        Assert.Contains("Workflow has no field `nope`", error, StringComparison.Ordinal);
        Assert.Contains("missing.json", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Problems_that_the_server_finds_are_told_with_file_path_and_code()
    {
        await using var server = await TestServer.StartAsync();
        var problem = new DefinitionProblem { Path = "steps[0].next", Code = "DANGLING_STEP", Value = "x", Message = "There is no step `x`." };
        server.Engine.Error = new Engine.RosterException(Engine.RosterError.FailedPrecondition, "No.", problems: [problem]);
        var file = Write("w.json", """{"workflows":[{"id":"w","object_type":"contact"}]}""");
        var (exitCode, _, error) = await RunAsync(server, "apply", file);
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Equal($"error {file}: workflows[0].steps[0].next: There is no step `x`. [DANGLING_STEP]", error.Trim());
    }

    [Fact]
    public async Task Paths_of_the_server_are_spelt_as_in_the_file()
    {
        await using var server = await TestServer.StartAsync();
        var problem = new DefinitionProblem { Path = "start.filter.criteria.anyOf[0].allOf[0].property", Code = "UNDECLARED_PROPERTY", Message = "No such property." };
        server.Engine.Error = new Engine.RosterException(Engine.RosterError.FailedPrecondition, "No.", problems: [problem]);
        var (_, _, snake) = await RunAsync(server, "apply", Write("a.json", """{"id":"w","object_type":"contact","steps":[]}"""));
        var (_, _, camel) = await RunAsync(server, "apply", Write("b.json", """{"id":"w","objectType":"contact","steps":[]}"""));
        Assert.Contains(": start.filter.criteria.any_of[0].all_of[0].property: ", snake, StringComparison.Ordinal);
        Assert.Contains(": start.filter.criteria.anyOf[0].allOf[0].property: ", camel, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("record", "ada")]
    [InlineData("ingest", "missing.jsonl")]
    [InlineData("ingest", "CommandTests.unknown")]
    [InlineData("advance", "soon")]
    [InlineData("serve", "--set", "nonsense")]
    [InlineData("serve", "--set", "grpc_address=0.0.0.0")]
    public async Task Bad_input_is_a_sentence_and_exit_code_2(params string[] args)
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, _, error) = await RunAsync(server, args);
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.StartsWith("error ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_sentence()
    {
        var (exitCode, _, error) = await RunAsync("--server", "http://127.0.0.1:1", "status");
        Assert.Equal(ExitCode.ServerSaidNo, exitCode);
        Assert.Contains("http://127.0.0.1:1 cannot be reached", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_command_has_help()
    {
        foreach (var command in new[] { "serve", "apply", "ingest", "enroll", "unenroll", "record", "workflow", "list", "operations", "work", "queue", "webhook", "dead-letters", "journal", "demo", "status", "advance", "backup", "restore", "check", "migrate" })
        {
            var (exitCode, output, _) = await RunAsync(command, "--help");
            Assert.Equal(ExitCode.Success, exitCode);
            Assert.Contains("Usage:", output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("volatile")]
    [InlineData("sqlite")]
    public async Task The_demo_tells_its_story_and_the_journal_agrees(string store)
    {
        var (exitCode, output, error) = await RunAsync("demo", "--events", "600", "--burst", "2000", "--store", store);
        Assert.True(exitCode == ExitCode.Success, error);
        Assert.Contains("enrolled", output, StringComparison.Ordinal);
        Assert.Contains("events/s", output, StringComparison.Ordinal);
        Assert.Contains("verified", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Work_runs_a_command_per_task_and_its_exit_code_decides()
    {
        await using var server = await TestServer.StartAsync();
        server.Engine.AddTask(new WorkTask { Key = "good", StepId = "s" });
        server.Engine.AddTask(new WorkTask { Key = "bad", StepId = "s" });
        var (exitCode, output, _) = await RunAsync(server, "work", "mail", "--once", "--run", "grep -q good || { echo broken >&2; exit 3; }");
        Assert.Equal(ExitCode.SomeFailed, exitCode);
        Assert.Contains("\"good\"", output, StringComparison.Ordinal);
        var outcomes = server.Engine.Completions.ToDictionary(completion => completion.Key);
        Assert.Equal(TaskCompletion.Types.Outcome.Completed, outcomes["good"].Outcome);
        Assert.Equal(TaskCompletion.Types.Outcome.Failed, outcomes["bad"].Outcome);
        Assert.Equal("exit code 3: broken", outcomes["bad"].Error);
    }

    private static string Line(string id, string? day = null) => day is null
        ? $$"""{"id":"{{id}}","object":"contact","record":"{{id}}"}"""
        : $$"""{"id":"{{id}}","object":"contact","record":"{{id}}","at":"{{day}}T00:00:00Z"}""";

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(TestServer server, params string[] args) =>
        RunAsync(["--server", server.Server.GrpcAddress.ToString(), .. args]);

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var exitCode = await CommandLine.RunAsync(args, CliConsole.Capture(output, error));
        return (exitCode, output.ToString(), error.ToString());
    }

    private string Write(string name, params string[] lines)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllLines(path, lines);
        return path;
    }
}
