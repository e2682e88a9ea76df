using Google.Protobuf;
using Roster.Engine;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Revisions of drafts, and tests of a workflow that leave no trace (HIS-04 to HIS-06).</summary>
public sealed class DraftTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private const string Draft = """
        { "id": "w", "objectType": "contact",
          "start": { "event": { "anyOf": [ { "eventType": "go", "where": [ { "property": "plan", "operator": "IS_EQUAL_TO", "values": ["pro"] } ] } ] } },
          "steps": [
            { "id": "wait", "next": "split", "delay": { "amount": 2, "unit": "DAYS" } },
            { "id": "split", "branch": { "branches": [ { "name": "hot", "next": "mail", "criteria": { "anyOf": [ { "allOf": [ { "property": "score", "operator": "IS_GREATER_THAN", "values": ["10"] } ] } ] } } ], "defaultNext": "cold" } },
            { "id": "mail", "next": "", "worker": { "queue": "mail" } },
            { "id": "cold", "setProperty": { "property": "stage", "value": "cold" } } ] }
        """;

    private static async Task<EngineHarness> StartAsync()
    {
        var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "x"), EngineHarness.Number("score", "20")));
        await harness.Engine.SaveWorkflowAsync(EngineHarness.Tenant, new SaveWorkflowRequest { Workflow = JsonParser.Default.Parse<Workflow>(Draft) }, Token);
        return harness;
    }

    private static async Task<TestWorkflowResponse> TestAsync(EngineHarness harness, Action<TestWorkflowRequest> change)
    {
        var request = new TestWorkflowRequest { WorkflowId = "w" };
        change(request);
        return await harness.Engine.TestWorkflowAsync(EngineHarness.Tenant, request, Token);
    }

    [Fact]
    public async Task HIS_05_A_test_walks_a_real_record_and_leaves_no_trace()
    {
        await using var harness = await StartAsync();
        var before = (await harness.Engine.GetStatusAsync(Token)).JournalPosition;
        var walk = await TestAsync(harness, r => r.Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" });
        Assert.Equal(Decision.Types.Code.Enrolled, walk.Decision);
        Assert.Equal(["wait", "split:hot", "mail"], walk.Steps.Select(s => s.Branch.Length == 0 ? s.StepId : $"{s.StepId}:{s.Branch}"));
        Assert.Equal(EngineHarness.Start.AddDays(2), walk.Steps[^1].EnteredAt.ToDateTimeOffset());
        Assert.Equal(Enrollment.Types.EndReason.Completed, walk.EndReason);
        Assert.Equal(before, (await harness.Engine.GetStatusAsync(Token)).JournalPosition);
        Assert.Empty((await harness.RecordAsync("ada")).Summaries);
        Assert.Equal(Workflow.Types.State.Draft, (await harness.Engine.GetWorkflowAsync(EngineHarness.Tenant, new GetWorkflowRequest { WorkflowId = "w" }, Token)).State);
    }

    [Fact]
    public async Task HIS_05_A_made_up_record_and_chosen_ways()
    {
        await using var harness = await StartAsync();
        var cold = await TestAsync(harness, r => r.Properties.Add(EngineHarness.Number("score", "1")));
        Assert.Equal(["wait", "split", "cold"], cold.Steps.Select(s => s.StepId));
        Assert.Equal(("stage", "cold"), (Assert.Single(cold.Changes).Name, cold.Changes[0].Value.Text));
        var hot = await TestAsync(harness, r => r.Choices.Add(new TestChoice { StepId = "split", Branch = "hot" }));
        Assert.Equal(["wait", "split", "mail"], hot.Steps.Select(s => s.StepId));
        await Assert.ThrowsAsync<RosterException>(() => TestAsync(harness, r => r.Choices.Add(new TestChoice { StepId = "split", Branch = "nowhere" })));
    }

    [Theory]
    [InlineData("pro", Decision.Types.Code.Enrolled)]
    [InlineData("free", Decision.Types.Code.Unspecified)]
    public async Task HIS_06_A_test_may_begin_with_a_sample_event_and_at_a_chosen_time(string plan, Decision.Types.Code expected)
    {
        await using var harness = await StartAsync();
        var start = new DateTimeOffset(2030, 5, 1, 12, 0, 0, TimeSpan.Zero);
        var walk = await TestAsync(harness, r =>
        {
            r.Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" };
            r.Event = new Event { Type = "go", Properties = { EngineHarness.Text("plan", plan) } };
            r.Start = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(start);
        });
        Assert.Equal(expected, walk.Decision);
        Assert.Equal(expected == Decision.Types.Code.Enrolled ? [start] : [], walk.Steps.Take(1).Select(s => s.EnteredAt.ToDateTimeOffset()));
    }

    [Fact]
    public async Task HIS_04_EDT_02_Every_save_raises_the_revision_and_old_ones_can_be_read_and_saved_again()
    {
        await using var harness = await StartAsync();
        var changed = JsonParser.Default.Parse<Workflow>(Draft);
        changed.DisplayName = "Second";
        changed.Revision = 1;
        var saved = await harness.Engine.SaveWorkflowAsync(EngineHarness.Tenant, new SaveWorkflowRequest { Workflow = changed }, Token);
        Assert.Equal(2, saved.Revision);
        var stale = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.SaveWorkflowAsync(EngineHarness.Tenant, new SaveWorkflowRequest { Workflow = changed }, Token));
        Assert.Equal(RosterError.RevisionConflict, stale.Error);

        var old = await harness.Engine.GetWorkflowAsync(EngineHarness.Tenant, new GetWorkflowRequest { WorkflowId = "w", Revision = 1 }, Token);
        Assert.Equal("", old.DisplayName);
        old.Revision = 2;
        Assert.Equal(3, (await harness.Engine.SaveWorkflowAsync(EngineHarness.Tenant, new SaveWorkflowRequest { Workflow = old }, Token)).Revision);
        await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.GetWorkflowAsync(EngineHarness.Tenant, new GetWorkflowRequest { WorkflowId = "w", Revision = 9 }, Token));
    }

    [Fact]
    public async Task TRG_02_Templates_make_drafts_with_ids_of_their_own_that_can_be_published()
    {
        await using var harness = await StartAsync();
        foreach (var (name, type) in new[] { ("plan", PropertyType.Types.Kind.String), ("plan_offer", PropertyType.Types.Kind.String), ("usage_percent", PropertyType.Types.Kind.Number), ("renewal_date", PropertyType.Types.Kind.Date) })
        {
            await harness.Engine.DeclarePropertiesAsync(EngineHarness.Tenant, new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = name, Type = type } } }, Token);
        }

        Assert.Equal(["abandoned-cart", "no-show", "nurturing", "onboarding", "retention", "upsell"], Roster.Engine.Catalog.WorkflowTemplates.Ids);
        foreach (var template in Roster.Engine.Catalog.WorkflowTemplates.Ids)
        {
            var draft = await harness.Engine.CreateFromTemplateAsync(EngineHarness.Tenant, new CreateFromTemplateRequest { TemplateId = template, WorkflowId = $"my-{template}" }, Token);
            Assert.Equal(($"my-{template}", Workflow.Types.State.Draft), (draft.Id, draft.State));
            Assert.All(draft.Steps, s => Assert.StartsWith($"my-{template}-", s.Id, StringComparison.Ordinal));
            Assert.DoesNotContain((await harness.Engine.ValidateWorkflowAsync(EngineHarness.Tenant, new ValidateWorkflowRequest { Workflow = draft }, Token)).Problems, p => p.Severity == DefinitionProblem.Types.Severity.Error);
            await harness.SwitchAsync(draft.Id, Workflow.Types.State.On);
        }

        var again = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.CreateFromTemplateAsync(EngineHarness.Tenant, new CreateFromTemplateRequest { TemplateId = "upsell", WorkflowId = "my-upsell" }, Token));
        Assert.Equal(RosterError.RevisionConflict, again.Error);
        var unknown = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.CreateFromTemplateAsync(EngineHarness.Tenant, new CreateFromTemplateRequest { TemplateId = "nope", WorkflowId = "x" }, Token));
        Assert.Contains("abandoned-cart", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FIL_34_Consent_is_written_by_events_and_seen_by_filters()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync("""
            { "id": "opted-in", "objectType": "contact",
              "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "consent": { "subscription": "newsletter", "anyOf": ["SUBSCRIBED"] } } ] } ] } } },
              "steps": [ { "id": "s", "setProperty": { "property": "stage", "value": "reader" } } ] }
            """);
        var subscribed = harness.Event("ada");
        subscribed.Consents.Add(new ConsentChange { Subscription = "newsletter", Status = ConsentStatus.Types.Status.Subscribed });
        await harness.SendAsync(subscribed);
        Assert.Equal("reader", (await harness.RecordAsync("ada")).Properties.Single(p => p.Name == "stage").Value.Text);
    }
}
