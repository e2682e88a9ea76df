using Roster.Engine;
using Roster.V1;
using State = Roster.V1.Workflow.Types.State;

namespace Roster.Embedded.Tests;

/// <summary>Live editing on a host: versions, switches, and the jobs that follow (EDT, TRG-08, TRG-09, UNE-04).</summary>
public sealed class PublishTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string Delayed(int days, string more = "") => $$"""
        { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] }, "reenroll": true }, {{more}}
          "steps": [ { "id": "d", "next": "s", "delay": { "amount": {{days}}, "unit": "DAYS" } }, { "id": "s", "setProperty": { "property": "stage", "value": "done" } } ] }
        """;

    private static async Task<EngineHarness> StartAsync()
    {
        var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Text("stage", "x")));
        return harness;
    }

    private static async Task<string> StageAsync(EngineHarness harness, string record) =>
        (await harness.RecordAsync(record)).Properties.SingleOrDefault(p => p.Name == "stage")?.Value.Text ?? "";

    [Fact]
    public async Task EDT_08_A_shorter_delay_releases_those_who_wait_by_a_job_and_a_longer_one_holds_them()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Delayed(10));
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.AdvanceAsync(TimeSpan.FromDays(3));
        var published = await harness.RepublishAsync(Delayed(20));
        Assert.Equal("refresh", Assert.Single(published.Operations).Kind);
        await harness.AdvanceAsync(TimeSpan.FromDays(10));
        Assert.Equal("", await StageAsync(harness, "ada"));
        await harness.RepublishAsync(Delayed(12));
        await harness.SettleAsync();
        Assert.Equal("done", await StageAsync(harness, "ada"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task EDT_06_A_text_only_edit_starts_no_job()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Delayed(10));
        Assert.Empty((await harness.RepublishAsync(Delayed(10, "\"displayName\": \"Another name\","))).Operations);
    }

    [Fact]
    public async Task EDT_11_Pinned_enrollments_finish_on_their_version_until_they_are_moved()
    {
        await using var harness = await StartAsync();
        const string Pinned = "\"publishPolicy\": \"PINNED\",";
        await harness.PublishAsync(Delayed(10, Pinned));
        await harness.SendAsync(harness.Event("ada", "go"), harness.Event("bob", "go"));
        await harness.RepublishAsync(Delayed(1, Pinned));
        await harness.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.Equal("", await StageAsync(harness, "ada"));
        await harness.SendAsync(harness.Event("cleo", "go"));
        await harness.AdvanceAsync(TimeSpan.FromDays(1));
        Assert.Equal("done", await StageAsync(harness, "cleo"));
        await harness.Engine.MoveEnrollmentsAsync(EngineHarness.Tenant, new MoveEnrollmentsRequest { WorkflowId = "w" }, Token);
        await harness.SettleAsync();
        Assert.Equal(("done", "done"), (await StageAsync(harness, "ada"), await StageAsync(harness, "bob")));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task EDT_05_Paused_holds_steps_and_on_runs_what_was_held()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Delayed(1));
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.SwitchAsync("w", State.Paused);
        await harness.SendAsync(harness.Event("bob", "go"));
        await harness.AdvanceAsync(TimeSpan.FromDays(5));
        Assert.Equal("", await StageAsync(harness, "ada"));
        Assert.Equal(2, (await harness.StatsAsync("w")).Active);
        await harness.SwitchAsync("w", State.On);
        await harness.SettleAsync();
        Assert.Equal("done", await StageAsync(harness, "ada"));
        await harness.AdvanceAsync(TimeSpan.FromDays(1));
        Assert.Equal("done", await StageAsync(harness, "bob"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task EDT_05_A_pause_and_a_resume_at_one_instant_hold_nobody_for_good()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Delayed(1));
        await harness.SwitchAsync("w", State.Paused);
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.SwitchAsync("w", State.On);
        await harness.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.Equal("done", await StageAsync(harness, "ada"));
        await harness.VerifyAsync();
    }

    [Theory]
    [InlineData(State.Draft, State.Off)]
    [InlineData(State.Draft, State.Paused)]
    [InlineData(State.Off, State.Paused)]
    public async Task EDT_01_Switches_that_are_not_allowed_are_refused(State from, State to)
    {
        await using var harness = await StartAsync();
        await harness.Engine.SaveWorkflowAsync(EngineHarness.Tenant, new SaveWorkflowRequest { Workflow = Google.Protobuf.JsonParser.Default.Parse<Workflow>(Delayed(1)) }, Token);
        if (from == State.Off)
        {
            await harness.SwitchAsync("w", State.On);
            await harness.SwitchAsync("w", State.Off);
        }

        var refused = await Assert.ThrowsAsync<RosterException>(() => harness.SwitchAsync("w", to));
        Assert.Contains("EDT-01", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EDT_01_A_workflow_turns_itself_off_at_a_set_time()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Delayed(1, "\"turnOffAt\": \"2026-01-03T00:00:00Z\","));
        await harness.AdvanceAsync(TimeSpan.FromDays(3));
        Assert.Equal(State.Off, (await harness.Engine.GetWorkflowAsync(EngineHarness.Tenant, new GetWorkflowRequest { WorkflowId = "w" }, Token)).State);
        await harness.SendAsync(harness.Event("ada", "go"));
        Assert.Equal(0, (await harness.StatsAsync("w")).Enrolled);
    }

    [Fact]
    public async Task TRG_08_Enroll_existing_considers_matching_records_once_and_never_those_enrolled_before()
    {
        const string Leads = """
            { "id": "leads", "objectType": "contact", "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } } },
              "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
            """;
        await using var harness = await StartAsync();
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "lead")), harness.Event("bob", "", EngineHarness.Text("stage", "lead")));
        await harness.PublishAsync(Leads);
        await harness.SettleAsync();
        Assert.Equal(0, (await harness.StatsAsync("leads")).Enrolled);
        var preview = await harness.Engine.PreviewEnrollmentAsync(EngineHarness.Tenant, new PreviewEnrollmentRequest { WorkflowId = "leads" }, Token);
        Assert.Equal((3, 2, 0), (preview.Records, preview.Matching, preview.EnrolledBefore));

        await harness.SwitchAsync("leads", State.Off);
        await harness.SwitchAsync("leads", State.On, enrollExisting: true);
        await harness.SettleAsync();
        Assert.Equal(2, (await harness.StatsAsync("leads")).Enrolled);
        Assert.Equal(["existing", "existing"], (await harness.JournalAsync(JournalEntry.Types.Kind.Enrolled)).Select(e => e.Type));
        await harness.AdvanceAsync(TimeSpan.FromDays(1));
        await harness.SwitchAsync("leads", State.Off);
        await harness.SwitchAsync("leads", State.On, enrollExisting: true);
        await harness.SettleAsync();
        Assert.Equal(2, (await harness.StatsAsync("leads")).Enrolled);
        Assert.Empty(await harness.JournalAsync(JournalEntry.Types.Kind.EnrollmentRefused));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task TRG_09_A_clock_dependent_start_fires_at_its_exact_instant_also_for_records_that_were_there_before()
    {
        await using var harness = await StartAsync();
        await harness.Engine.DeclarePropertiesAsync(
            EngineHarness.Tenant,
            new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = "renewal", Type = PropertyType.Types.Kind.Date } } },
            Token);
        var renewal = new PropertyValue { Name = "renewal", Value = new Value { Date = "2026-02-01" } };
        await harness.SendAsync(harness.Event("ada", "", renewal));
        await harness.PublishAsync("""
            { "id": "renew", "objectType": "contact",
              "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "renewal", "operator": "IS_LESS_THAN_X_DAYS_FROM_NOW", "values": ["7"] } ] } ] } } },
              "steps": [ { "id": "s", "setProperty": { "property": "stage", "value": "renew" } } ] }
            """);
        await harness.SettleAsync();
        await harness.SendAsync(harness.Event("bob", "", renewal.Clone()));
        await harness.AdvanceAsync(TimeSpan.FromDays(40));
        var enrolled = await harness.JournalAsync(JournalEntry.Types.Kind.Enrolled);
        Assert.Equal(["ada", "bob"], enrolled.Select(e => e.Ref.RecordId).Order(StringComparer.Ordinal));
        Assert.All(enrolled, e => Assert.Equal(new DateTime(2026, 1, 25, 0, 0, 0, DateTimeKind.Utc), e.At.ToDateTime()));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task UNE_04_Turning_off_unenrolls_nobody_and_deleting_ends_with_WORKFLOW_DELETED()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Delayed(5));
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.SwitchAsync("w", State.Off);
        await harness.SettleAsync();
        Assert.Single((await harness.RecordAsync("ada")).Enrollments);
        await harness.Engine.DeleteWorkflowAsync(EngineHarness.Tenant, new DeleteWorkflowRequest { WorkflowId = "w" }, Token);
        await harness.SettleAsync();
        Assert.Equal(Enrollment.Types.EndReason.WorkflowDeleted, Assert.Single(await harness.JournalAsync(JournalEntry.Types.Kind.EnrollmentEnded)).EndReason);
        await Assert.ThrowsAsync<RosterException>(() => harness.StatsAsync("w"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task UNE_03_Bulk_unenrollment_takes_out_all_and_is_a_success_for_those_not_active()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Delayed(5));
        await harness.SendAsync(harness.Event("ada", "go"), harness.Event("bob", "go"));
        await harness.Engine.BulkUnenrollAsync(EngineHarness.Tenant, new BulkUnenrollRequest { WorkflowId = "w", RequestId = "all" }, Token);
        await harness.SettleAsync();
        Assert.Equal(0, (await harness.StatsAsync("w")).Active);
        Assert.All(await harness.JournalAsync(JournalEntry.Types.Kind.EnrollmentEnded), e => Assert.Equal(Enrollment.Types.EndReason.Manual, e.EndReason));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task TRG_12_Bulk_enrollment_of_a_list_considers_each_member_in_its_own_turn()
    {
        await using var harness = await StartAsync();
        await harness.ListAsync("""{ "id": "batch", "objectType": "contact" }""");
        await harness.AddAsync("batch", "ada");
        await harness.AddAsync("batch", "bob");
        await harness.PublishAsync(Delayed(5));
        await harness.Engine.BulkEnrollAsync(EngineHarness.Tenant, new BulkEnrollRequest { WorkflowId = "w", ListId = "batch", RequestId = "b" }, Token);
        await harness.SettleAsync();
        var operation = Assert.Single((await harness.Engine.ListOperationsAsync(EngineHarness.Tenant, new ListOperationsRequest { WorkflowId = "w" }, Token)).Operations);
        Assert.Equal((Operation.Types.State.Succeeded, 2L), (operation.State, operation.Counts.Single(c => c.Name == "ENROLLED").Count));
        Assert.Equal(2, (await harness.StatsAsync("w")).Active);
        await harness.VerifyAsync();
    }
}
