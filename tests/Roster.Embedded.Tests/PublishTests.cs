using Roster.Engine;
using Roster.Engine.Stores;
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

    /// <summary>Each change of a definition, by name, with the kind of the job that follows it.</summary>
    public static TheoryData<string, string> Changes => new()
    {
        { "publish", "refresh" },
        { "switch", "refresh" },
        { "switch with existing records", "enroll_existing" },
        { "move", "refresh" },
        { "delete workflow", "delete_workflow" },
        { "save list", "list_rebuild" },
        { "delete list", "delete_list" },
        { "turn off", "refresh" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task EDT_06_A_change_and_the_job_that_follows_it_are_one_commit_so_a_crash_after_it_loses_no_job(string change, string kind)
    {
        var store = new FaultStore(new VolatileRecordStore());
        var clock = new ManualClock(EngineHarness.Start);
        var first = await PrepareAsync(store, clock);
        store.CrashAt(2);
        try
        {
            await ChangeAsync(first, change);
            await first.SettleAsync();
        }
        catch (RosterException failure) when (failure.Error == RosterError.Unavailable && first.Engine.Failed.IsFaulted)
        {
            // Who waits for the job hears that the process ends.
        }

        Assert.True(first.Engine.Failed.IsFaulted, "No job was at work.");
        await first.Engine.DisposeAsync();

        await using var second = await EngineHarness.StartAsync(store: store, clock: clock);
        await second.SettleAsync();
        Assert.Contains(await OperationsAsync(second), o => o.Kind == kind && o.State == Operation.Types.State.Succeeded);
        await second.VerifyAsync();
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task EDT_06_A_full_disk_leaves_neither_the_change_nor_its_job(string change, string kind)
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await PrepareAsync(store, new ManualClock(EngineHarness.Start));
        var before = await DefinitionsAsync(harness);
        store.FailNext(1);
        var failure = await Assert.ThrowsAsync<RosterException>(() => ChangeAsync(harness, change));
        Assert.Equal(RosterError.Overloaded, failure.Error);
        Assert.Equal(before, await DefinitionsAsync(harness));
        Assert.Empty(await OperationsAsync(harness));
        await ChangeAsync(harness, change);
        await harness.SettleAsync();
        Assert.Contains(await OperationsAsync(harness), o => o.Kind == kind && o.State == Operation.Types.State.Succeeded);
    }

    [Fact]
    public async Task EDT_06_No_two_jobs_of_a_workflow_have_one_id_also_after_a_restart()
    {
        var store = new VolatileRecordStore();
        var clock = new ManualClock(EngineHarness.Start);
        var first = await PrepareAsync(store, clock);
        await ChangeAsync(first, "switch");
        await ChangeAsync(first, "publish");
        await first.SettleAsync();
        var before = await OperationsAsync(first);
        await first.Engine.DisposeAsync();

        await using var second = await EngineHarness.StartAsync(store: store, clock: clock);
        await second.SwitchAsync("w", State.On);
        await ChangeAsync(second, "move");
        await second.SettleAsync();
        var after = await OperationsAsync(second);
        Assert.Equal((2, 4, 4), (before.Count, after.Count, after.Select(o => o.Id).Distinct().Count()));
        Assert.All(after, o => Assert.Equal(Operation.Types.State.Succeeded, o.State));
    }

    [Fact]
    public async Task EDT_05_A_paused_workflow_that_turns_itself_off_gives_what_it_held_to_EDT_04()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Delayed(1, "\"turnOffAt\": \"2026-01-05T00:00:00Z\","));
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.SwitchAsync("w", State.Paused);
        await harness.AdvanceAsync(TimeSpan.FromDays(3));
        Assert.Equal(1, (await harness.StatsAsync("w")).Active);
        await harness.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.Equal(0, (await harness.StatsAsync("w")).Active);
        Assert.Equal("", await StageAsync(harness, "ada"));
        var skipped = Assert.Single(await harness.JournalAsync(JournalEntry.Types.Kind.StepFinished), e => e.StepId == "s");
        Assert.Equal(new DateTime(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc), skipped.At.ToDateTime());
        await harness.VerifyAsync();
    }

    /// <summary>A workflow with an enrollment and a draft that is not published, and a list with a member; no job has run.</summary>
    private static async Task<EngineHarness> PrepareAsync(IRecordStore store, ManualClock clock)
    {
        var harness = await EngineHarness.StartAsync(store: store, clock: clock);
        await harness.ListAsync("""{ "id": "batch", "objectType": "contact" }""");
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "lead")));
        await harness.AddAsync("batch", "ada");
        await harness.PublishAsync(Leads(10));
        await harness.Engine.EnrollAsync(EngineHarness.Tenant, new EnrollRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, WorkflowId = "w", RequestId = "r" }, Token);
        await harness.SendAsync(harness.Event("bob", "", EngineHarness.Text("stage", "lead")));
        await harness.Engine.SaveWorkflowAsync(EngineHarness.Tenant, new SaveWorkflowRequest { Workflow = Google.Protobuf.JsonParser.Default.Parse<Workflow>(Leads(20)), Force = true }, Token);
        return harness;
    }

    private static string Leads(int days) => $$"""
        { "id": "w", "objectType": "contact", "turnOffAt": "2026-01-03T00:00:00Z",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } } },
          "steps": [ { "id": "d", "delay": { "amount": {{days}}, "unit": "DAYS" } } ] }
        """;

    private static async Task ChangeAsync(EngineHarness harness, string change)
    {
        switch (change)
        {
            case "publish":
                await harness.Engine.PublishWorkflowAsync(EngineHarness.Tenant, new PublishWorkflowRequest { WorkflowId = "w" }, Token);
                break;
            case "switch":
                await harness.SwitchAsync("w", State.Paused);
                break;
            case "switch with existing records":
                await harness.SwitchAsync("w", State.Paused, enrollExisting: true);
                break;
            case "move":
                await harness.Engine.MoveEnrollmentsAsync(EngineHarness.Tenant, new MoveEnrollmentsRequest { WorkflowId = "w" }, Token);
                break;
            case "delete workflow":
                await harness.Engine.DeleteWorkflowAsync(EngineHarness.Tenant, new DeleteWorkflowRequest { WorkflowId = "w" }, Token);
                break;
            case "save list":
                await harness.ListAsync("""{ "id": "all", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_KNOWN" } ] } ] } }""");
                break;
            case "delete list":
                await harness.Engine.DeleteListAsync(EngineHarness.Tenant, new DeleteListRequest { ListId = "batch" }, Token);
                break;
            default:
                await harness.AdvanceAsync(EngineHarness.Start.AddDays(2) - harness.Clock.GetUtcNow());
                break;
        }
    }

    private static async Task<string> DefinitionsAsync(EngineHarness harness) =>
        $"{await harness.Engine.ListWorkflowsAsync(EngineHarness.Tenant, new ListWorkflowsRequest(), Token)} {await harness.Engine.ListListsAsync(EngineHarness.Tenant, new ListListsRequest(), Token)}";

    private static async Task<IReadOnlyList<Operation>> OperationsAsync(EngineHarness harness) =>
        (await harness.Engine.ListOperationsAsync(EngineHarness.Tenant, new ListOperationsRequest(), Token)).Operations;
}
