using System.Text.Json;
using Google.Protobuf;
using Roster.Client;
using Roster.Server;
using Roster.Server.Tests;
using Roster.V1;

namespace Roster.Cli.Tests.Commands;

/// <summary>HIS-01 and HIS-07 at the terminal: over a whole server for what is shown, over the fake engine for what is asked.</summary>
public sealed class ExplainCommandTests
{
    private const string Welcome =
        """
        {"id":"welcome","object_type":"contact","suppression_lists":["quiet"],
         "start":{"filter":{"criteria":{"any_of":[{"all_of":[
           {"property":"stage","operator":"IS_EQUAL_TO","values":["lead"]},{"property":"size","operator":"IS_GREATER_THAN","values":["10"]}]}]}}},
         "goals":[{"id":"won","criteria":{"any_of":[{"all_of":[{"property":"stage","operator":"IS_EQUAL_TO","values":["won"]}]}]}}],
         "steps":[{"id":"day","delay":{"amount":1,"unit":"DAYS"}}]}
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HIS_07_Explain_shows_the_decision_the_checks_the_tree_and_the_smallest_change()
    {
        await using var server = await StartAsync();
        await SendAsync(server, "ada", ("stage", Text("lead")), ("size", Number("3")));
        var (exitCode, output, error) = await RunAsync(server, "explain", "contact/ada", "welcome");
        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Equal(
            """
            contact/ada in welcome (version 1, on), at 2026-01-05 12:00:00 UTC
            by a trigger that fires now: not enrolled, the criteria do not hold (CRITERIA_NOT_MET)
            by hand: enrolled
            contact/ada would not be enrolled in welcome: CRITERIA_NOT_MET, anyOf[0].allOf[1]: size IS_GREATER_THAN 10, but it is 3; by hand it would be enrolled.

            checks
              ✓ RECORD_GONE                        the record exists
              ✓ TYPE_MISMATCH                      the workflow is for contact, the record is a contact
              ✓ WORKFLOW_OFF                       the workflow is on
              ✓ SOURCE_NOT_ALLOWED                 every source may enroll but an external CRM sync
              ✓ NEW_RECORD                         the record existed before
              ✓ MERGE_OFF                          no merge; what one changes does not enroll
              ✓ EVALUATION_FAILED                  the triggers can be judged
              ✓ REFINEMENT_NOT_MET                 no "only if"
              ✓ ALREADY_ACTIVE                     not active
              ✓ REENROLLMENT_OFF                   never enrolled; re-enrollment is off
              ✓ REENROLLMENT_TRIGGER_NOT_SELECTED  never enrolled
              ✗ CRITERIA_NOT_MET                   anyOf[0].allOf[1]: size IS_GREATER_THAN 10, but it is 3
              ✓ SUPPRESSED                         not a member of a suppression list
              ✓ UNENROLLMENT_TRIGGER_MET           no unenrollment triggers
              ✓ GOAL_ALREADY_MET                   no goal that ends the enrollment holds
              ✓ ANCHOR_UNKNOWN                     no date anchor
              ✓ LOOP_GUARD                         0 of at most 20 enrollments in 60 minutes (enrollments_per_hour_max)
              ✓ LIMIT_REACHED                      0 of at most 1000 active enrollments of the record (active_enrollments_per_record_max)

            criteria: do not hold
              ✗ all of
                ✓ stage IS_EQUAL_TO lead   is lead  start.filter.criteria.anyOf[0].allOf[0]
                ✗ size IS_GREATER_THAN 10  is 3  start.filter.criteria.anyOf[0].allOf[1]

            goal won, ends the enrollment: do not hold
              ✗ all of
                ✗ stage IS_EQUAL_TO won  is lead  goals[0].criteria.anyOf[0].allOf[0]

            enrollments
              never enrolled

            the smallest change that would enroll it
              1. set size so that size IS_GREATER_THAN 10

            """,
            output);
    }

    [Fact]
    public async Task HIS_07_Explain_shows_the_active_enrollment_and_the_journal_entry_that_decided()
    {
        await using var server = await StartAsync();
        await SendAsync(server, "ada", ("stage", Text("lead")), ("size", Number("30")));
        var (_, output, _) = await RunAsync(server, "explain", "contact/ada", "welcome");
        Assert.Contains("by hand: not enrolled, it is active in the workflow already (ALREADY_ACTIVE)", output, StringComparison.Ordinal);
        Assert.Contains("  enrolled once\n  active: #1 since 2026-01-05 12:00:00, in day, goes on at 2026-01-06 12:00:00\n  latest: enrolled #1 at 2026-01-05 12:00:00 by filter, version 1 journal ", output, StringComparison.Ordinal);
        Assert.Contains("  1. end the active enrollment, number 1\n  2. switch re-enrollment on\n  3. enroll the record by hand\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HIS_07_Explain_takes_a_record_that_does_not_exist_and_the_draft()
    {
        await using var server = await StartAsync();
        var draft = JsonParser.Default.Parse<Workflow>("""{"id":"idle","object_type":"contact","start":{"event":{"any_of":[{"event_type":"form_submitted"}]}},"steps":[{"id":"day","delay":{"amount":1,"unit":"DAYS"}}]}""");
        using var client = Connect(server);
        await client.Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = draft }, cancellationToken: Cancel);
        var (exitCode, output, _) = await RunAsync(server, "explain", "contact/nobody", "idle", "--version", "draft");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.StartsWith("contact/nobody (does not exist) in idle (draft, draft), at 2026-01-05 12:00:00 UTC\n", output, StringComparison.Ordinal);
        Assert.Contains("\nevent triggers\n  form_submitted\n", output, StringComparison.Ordinal);
        Assert.Contains("  1. switch the workflow on\n  2. this must happen: form_submitted\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HIS_07_Explain_asks_for_the_version_that_is_named_and_prints_JSON()
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, output, _) = await RunAsync(server.Server, "explain", "contact/ada", "w", "--version", "7", "--json");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Equal("Because.", JsonDocument.Parse(output).RootElement.GetProperty("summary").GetString());
        await RunAsync(server.Server, "explain", "contact/ada", "w", "--version", "DRAFT");
        await RunAsync(server.Server, "explain", "contact/ada", "w");
        var asked = server.Engine.Calls.Select(call => call.Request).OfType<ExplainRequest>().ToList();
        Assert.Equal([7, -1, 0], asked.Select(request => request.Version));
        Assert.Equal(("contact", "ada", "w"), (asked[0].Ref.ObjectType, asked[0].Ref.RecordId, asked[0].WorkflowId));
    }

    [Theory]
    [InlineData("explain", "ada", "w")]
    [InlineData("explain", "contact/ada", "w", "--version", "latest")]
    [InlineData("explain", "contact/ada", "w", "--version", "0")]
    [InlineData("history")]
    [InlineData("history", "--record", "ada")]
    [InlineData("history", "--workflow", "w", "--limit", "0")]
    public async Task HIS_07_Bad_input_is_a_sentence_and_exit_code_2(params string[] args)
    {
        await using var server = await TestServer.StartAsync();
        var (exitCode, _, error) = await RunAsync(server.Server, args);
        Assert.Equal(ExitCode.BadInput, exitCode);
        Assert.StartsWith("error ", error, StringComparison.Ordinal);
        Assert.Empty(server.Engine.Calls);
    }

    [Fact]
    public async Task HIS_01_History_shows_decisions_and_ends_newest_first()
    {
        await using var server = await StartAsync();
        await SendAsync(server, "ada", ("stage", Text("lead")), ("size", Number("30")));
        await SendAsync(server, "ada", ("stage", Text("won")));
        await SendAsync(server, "bob", ("stage", Text("lead")), ("size", Number("30")));
        var (exitCode, output, _) = await RunAsync(server, "history", "--record", "contact/ada");
        Assert.Equal(ExitCode.Success, exitCode);
        var rows = output.Split('\n').Where(line => line.Contains("contact/ada", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, rows.Count);
        Assert.Contains("ended #1 GOAL_MET", rows[0], StringComparison.Ordinal);
        Assert.Contains("won", rows[0], StringComparison.Ordinal);
        Assert.Contains("enrolled #1", rows[1], StringComparison.Ordinal);
        Assert.Contains("filter", rows[1], StringComparison.Ordinal);
        (_, output, _) = await RunAsync(server, "history", "--workflow", "welcome", "--limit", "1");
        Assert.Contains("contact/bob", output, StringComparison.Ordinal);
        Assert.DoesNotContain("contact/ada", output, StringComparison.Ordinal);
        Assert.Contains("older entries: --limit", output, StringComparison.Ordinal);
        (_, output, _) = await RunAsync(server, "history", "--workflow", "welcome", "--record", "contact/bob", "--json");
        Assert.Equal("ENROLLED", JsonDocument.Parse(output).RootElement.GetProperty("decision").GetString());
    }

    [Fact]
    public async Task HIS_01_An_empty_history_says_so()
    {
        await using var server = await StartAsync();
        Assert.Equal("no enrollment, and none was refused", (await RunAsync(server, "history", "--workflow", "welcome")).Output.Trim());
    }

    [Theory]
    [InlineData("explain")]
    [InlineData("history")]
    public async Task HIS_07_The_commands_have_help(string command)
    {
        var (exitCode, output, _) = await CommandRunner.RunAsync(command, "--help");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("Usage:", output, StringComparison.Ordinal);
    }

    /// <summary>A whole server over a volatile store, with a manual clock, a list and a workflow that is on.</summary>
    private static async Task<RosterServer> StartAsync()
    {
        var server = await RosterServer.StartAsync(
            new ServerOptions { Store = StoreKind.Volatile, GrpcPort = 0, HttpPort = 0, Clock = ClockKind.Manual, ClockStart = new DateTimeOffset(2026, 1, 5, 12, 0, 0, TimeSpan.Zero) },
            cancellationToken: Cancel);
        using var client = Connect(server);
        var properties = new DeclarePropertiesRequest { ObjectType = "contact" };
        properties.Properties.Add(new PropertyDefinition { Name = "stage", Type = PropertyType.Types.Kind.String });
        properties.Properties.Add(new PropertyDefinition { Name = "size", Type = PropertyType.Types.Kind.Number });
        await client.Tenants.DeclarePropertiesAsync(properties, cancellationToken: Cancel);
        await client.Lists.SaveListAsync(new SaveListRequest { List = new List { Id = "quiet", ObjectType = "contact" } }, cancellationToken: Cancel);
        await client.Workflows.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = JsonParser.Default.Parse<Workflow>(Welcome) }, cancellationToken: Cancel);
        await client.Workflows.SetWorkflowStateAsync(new SetWorkflowStateRequest { WorkflowId = "welcome", State = Workflow.Types.State.On }, cancellationToken: Cancel);
        return server;
    }

    private static async Task SendAsync(RosterServer server, string record, params (string Name, Value Value)[] writes)
    {
        using var client = Connect(server);
        var sent = new Event { EventId = $"{record} {writes.Length}", ObjectType = "contact", RecordId = record };
        sent.Writes.AddRange(writes.Select(write => new PropertyValue { Name = write.Name, Value = write.Value }));
        var request = new IngestRequest();
        request.Events.Add(sent);
        Assert.Equal(EventResult.Types.Code.Applied, Assert.Single((await client.Ingest.IngestAsync(request, cancellationToken: Cancel)).Results).Code);
    }

    private static Value Text(string text) => new() { Text = text };

    private static Value Number(string number) => new() { Number = number };

    private static RosterClient Connect(RosterServer server) => new(new RosterClientOptions { Address = server.GrpcAddress });

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(RosterServer server, params string[] args) =>
        CommandRunner.RunAsync(["--server", server.GrpcAddress.ToString(), .. args]);
}
