using Roster.Engine;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Lists on a host: kept current inside the turn, rebuilt by jobs.</summary>
public sealed class ListTests
{
    private const string Vip = """
        { "id": "vip", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "property": "score", "operator": "IS_GREATER_THAN", "values": ["10"] } ] } ] } }
        """;

    private const string OnVip = """
        { "id": "on-vip", "objectType": "contact",
          "start": { "event": { "anyOf": [ { "eventType": "list_joined", "where": [ { "property": "list", "operator": "IS_EQUAL_TO", "values": ["vip"] } ] } ] } },
          "steps": [ { "id": "mark", "setProperty": { "property": "stage", "value": "vip" } } ] }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<EngineHarness> StartAsync()
    {
        var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "x"), EngineHarness.Number("score", "1")));
        await harness.SendAsync(harness.Event("bob", "", EngineHarness.Text("stage", "x"), EngineHarness.Number("score", "20")));
        return harness;
    }

    [Fact]
    public async Task LST_05_New_criteria_compute_every_record_in_its_own_turn_and_what_comes_of_it_fires()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync("""{ "id": "dummy", "objectType": "contact", "start": { "manual": {} }, "steps": [ { "id": "s", "delay": { "amount": 1, "unit": "DAYS" } } ] }""");
        var saved = await harness.ListAsync(Vip);
        Assert.Equal("list_rebuild", saved.Operation.Kind);
        await harness.SettleAsync();
        Assert.Equal(["bob"], await harness.MembersAsync("vip"));
        await harness.PublishAsync(OnVip);

        await harness.ListAsync(Vip.Replace("\"10\"", "\"0\"", StringComparison.Ordinal));
        await harness.SettleAsync();
        Assert.Equal(["ada", "bob"], await harness.MembersAsync("vip"));
        Assert.Equal(["ada"], (await harness.JournalAsync(JournalEntry.Types.Kind.Enrolled)).Select(e => e.Ref.RecordId));
        Assert.Equal(2, (await harness.Engine.GetListAsync(EngineHarness.Tenant, new GetListRequest { ListId = "vip" }, Token)).Members);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task LST_02_An_active_list_follows_its_criteria_in_the_turn_of_the_change()
    {
        await using var harness = await StartAsync();
        await harness.ListAsync(Vip);
        await harness.SettleAsync();
        await harness.PublishAsync(OnVip);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Number("score", "11")));
        Assert.Equal("vip", (await harness.RecordAsync("ada")).Properties.Single(p => p.Name == "stage").Value.Text);
        Assert.Equal(["vip"], (await harness.RecordAsync("ada")).Lists);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Number("score", "1")));
        Assert.Equal(["bob"], await harness.MembersAsync("vip"));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task LST_01_Only_static_lists_are_changed_by_hand()
    {
        await using var harness = await StartAsync();
        await harness.ListAsync(Vip);
        await harness.ListAsync("""{ "id": "blocked", "objectType": "contact" }""");
        await harness.AddAsync("blocked", "ada");
        Assert.Equal(["ada"], await harness.MembersAsync("blocked"));
        var request = new ChangeMembershipRequest { ListId = "vip", Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, RequestId = "r" };
        var refused = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.ChangeMembershipAsync(EngineHarness.Tenant, request, adds: true, Token));
        Assert.Contains("LST-01", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LST_04_A_circle_of_lists_is_refused()
    {
        await using var harness = await StartAsync();
        await harness.ListAsync("""{ "id": "a", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "constant": true } ] } ] } }""");
        await harness.ListAsync("""{ "id": "b", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "list": { "listId": "a" } } ] } ] } }""");
        var refused = await Assert.ThrowsAsync<RosterException>(() => harness.ListAsync(
            """{ "id": "a", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "list": { "listId": "b" } } ] } ] } }"""));
        Assert.Contains("a -> b -> a", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LST_06_A_list_in_use_is_not_deleted_and_a_deleted_one_has_no_members()
    {
        await using var harness = await StartAsync();
        await harness.ListAsync(Vip);
        await harness.PublishAsync(OnVip);
        var request = new DeleteListRequest { ListId = "vip" };
        await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.DeleteListAsync(EngineHarness.Tenant, request, Token));
        await harness.SwitchAsync("on-vip", Workflow.Types.State.Off);
        await harness.Engine.DeleteListAsync(EngineHarness.Tenant, request, Token);
        await harness.SettleAsync();
        Assert.Empty((await harness.RecordAsync("bob")).Lists);
        await Assert.ThrowsAsync<RosterException>(() => harness.SwitchAsync("on-vip", Workflow.Types.State.On));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task SUP_03_Joining_a_suppression_list_ends_the_enrollment_in_the_same_turn()
    {
        await using var harness = await StartAsync();
        await harness.ListAsync("""{ "id": "blocked", "objectType": "contact" }""");
        await harness.PublishAsync("""
            { "id": "w", "objectType": "contact", "suppressionLists": ["blocked"], "start": { "event": { "anyOf": [ { "eventType": "go" } ] } },
              "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
            """);
        await harness.SendAsync(harness.Event("ada", "go"), harness.Event("bob", "go"));
        await harness.AddAsync("blocked", "ada");
        Assert.Empty((await harness.RecordAsync("ada")).Enrollments);
        var ended = Assert.Single(await harness.JournalAsync(JournalEntry.Types.Kind.EnrollmentEnded));
        Assert.Equal((Enrollment.Types.EndReason.Suppressed, "blocked"), (ended.EndReason, ended.Detail));
        await harness.SendAsync(harness.Event("ada", "go"));
        Assert.Equal(Decision.Types.Code.ReenrollmentOff, Assert.Single(await harness.JournalAsync(JournalEntry.Types.Kind.EnrollmentRefused)).Decision);
        await harness.VerifyAsync();
    }
}
