using Roster.Engine;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Lists of definitions, their order and filters, ids of other systems, and saves that are sent again.</summary>
public sealed class ListingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task API_01_Workflows_are_listed_in_any_order_with_filters_in_pages()
    {
        await using var harness = await EngineHarness.StartAsync();
        foreach (var (id, name) in new[] { ("a", "Zebra"), ("b", "Apple"), ("c", "Mango"), ("d", "Apple") })
        {
            await SaveAsync(harness, new Workflow { Id = id, DisplayName = name, ObjectType = "contact" });
            await harness.AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        await SaveAsync(harness, new Workflow { Id = "b", DisplayName = "Apple", ObjectType = "contact", Revision = 1, Description = "changed" });
        Assert.Equal("abcd", await IdsAsync(harness, ""));
        Assert.Equal("dcba", await IdsAsync(harness, "id desc"));
        Assert.Equal("bdca", await IdsAsync(harness, "display_name"));
        Assert.Equal("acdb", await IdsAsync(harness, "display_name desc"));
        Assert.Equal("acdb", await IdsAsync(harness, "updated_at"));
        Assert.Equal("bdca", await IdsAsync(harness, "updated_at desc"));
        Assert.Equal("bd", await IdsAsync(harness, "", request => request.Text = "APPLE"));
        Assert.Equal("", await IdsAsync(harness, "", request => request.States.Add(Workflow.Types.State.On)));
        Assert.Equal("abcd", await IdsAsync(harness, "", request => request.States.Add(Workflow.Types.State.Draft)));
        await RefusedAsync("order_by", () => IdsAsync(harness, "size"));
        await RefusedAsync("page_token", () => IdsAsync(harness, "updated_at", request => request.PageToken = "~"));
        await RefusedAsync("text", () => IdsAsync(harness, "", request => request.Text = new string('x', 101)));
    }

    [Fact]
    public async Task API_01_A_save_that_is_sent_again_with_its_id_gets_the_first_answer_until_somebody_else_has_saved()
    {
        await using var harness = await EngineHarness.StartAsync();
        var draft = new Workflow { Id = "w", ObjectType = "contact", Description = "one" };
        var first = await SaveAsync(harness, draft, "r1");
        Assert.Equal(first, await SaveAsync(harness, draft, "r1"));
        await ConflictAsync(() => SaveAsync(harness, draft, "r2"));
        await ConflictAsync(() => SaveAsync(harness, draft));
        var other = draft.Clone();
        other.Description = "two";
        await ConflictAsync(() => SaveAsync(harness, other, "r1"));
        other.Revision = 1;
        Assert.Equal(2, (await SaveAsync(harness, other)).Revision);
        await ConflictAsync(() => SaveAsync(harness, other));
        await ConflictAsync(() => SaveAsync(harness, draft, "r1"));
        await RefusedAsync("request_id", () => SaveAsync(harness, draft, new string('x', 129)));
        var list = new SaveListRequest { List = new List { Id = "l", ObjectType = "contact", DisplayName = "L" }, RequestId = "r1" };
        Assert.Equal(1, (await harness.Engine.SaveListAsync(EngineHarness.Tenant, list, Token)).List.Revision);
        Assert.Equal(1, (await harness.Engine.SaveListAsync(EngineHarness.Tenant, list, Token)).List.Revision);
        list.RequestId = "";
        await ConflictAsync(() => harness.Engine.SaveListAsync(EngineHarness.Tenant, list, Token).AsTask());
    }

    [Fact]
    public async Task API_01_Ids_of_other_systems_find_their_workflow_and_belong_to_one_only()
    {
        await using var harness = await EngineHarness.StartAsync();
        await SaveAsync(harness, new Workflow { Id = "w", ObjectType = "contact", ExternalIds = { Of("hubspot_v3", "12"), Of("hubspot_v4", "900") } });
        await SaveAsync(harness, new Workflow { Id = "x", ObjectType = "contact", ExternalIds = { Of("hubspot_v4", "901") } });
        var one = await MapAsync(harness, "hubspot_v4", "900", "999");
        Assert.Equal(("w", "900", "12"), (Assert.Single(one.Mappings).WorkflowId, one.Mappings[0].Id, one.Mappings[0].ExternalIds[0].Id));
        Assert.Equal(["w", "x"], (await MapAsync(harness, "hubspot_v4")).Mappings.Select(m => m.WorkflowId));
        Assert.Empty((await MapAsync(harness, "hubspot_v3", "900")).Mappings);
        await RefusedAsync("workflow.external_ids[0]", () => SaveAsync(harness, new Workflow { Id = "y", ObjectType = "contact", ExternalIds = { Of("hubspot_v4", "900") } }));
        await RefusedAsync("workflow.external_ids[0]", () => SaveAsync(harness, new Workflow { Id = "y", ObjectType = "contact", ExternalIds = { Of("Hub Spot", "1") } }));
        // Replacing removes what is left out, and then the id is free.
        await SaveAsync(harness, new Workflow { Id = "w", ObjectType = "contact", Revision = 1 });
        await SaveAsync(harness, new Workflow { Id = "y", ObjectType = "contact", ExternalIds = { Of("hubspot_v4", "900") } });
    }

    [Fact]
    public async Task Lists_and_operations_have_filters_and_an_operation_can_be_waited_for()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "lead")));
        await harness.ListAsync("""{ "id": "static", "objectType": "contact" }""");
        var saved = await harness.ListAsync("""
            { "id": "active", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } }
            """);
        var active = await harness.Engine.ListListsAsync(EngineHarness.Tenant, new ListListsRequest { Active = true }, Token);
        Assert.Equal("active", Assert.Single(active.Lists).Id);
        Assert.Equal("static", Assert.Single((await harness.Engine.ListListsAsync(EngineHarness.Tenant, new ListListsRequest { Active = false }, Token)).Lists).Id);
        var ended = await harness.Engine.WaitOperationAsync(EngineHarness.Tenant, saved.Operation.Id, Token);
        Assert.Equal(Operation.Types.State.Succeeded, ended.State);
        Assert.NotEmpty((await OperationsAsync(harness, new ListOperationsRequest { Kinds = { "list_rebuild" }, States = { Operation.Types.State.Succeeded } })).Operations);
        Assert.Empty((await OperationsAsync(harness, new ListOperationsRequest { Kinds = { "bulk_enroll" } })).Operations);
        Assert.Empty((await OperationsAsync(harness, new ListOperationsRequest { States = { Operation.Types.State.Failed } })).Operations);
    }

    private static ExternalId Of(string system, string id) => new() { System = system, Id = id };

    private static Task<Workflow> SaveAsync(EngineHarness harness, Workflow workflow, string requestId = "") =>
        harness.Engine.SaveWorkflowAsync(EngineHarness.Tenant, new SaveWorkflowRequest { Workflow = workflow, RequestId = requestId }, Token).AsTask();

    private static async Task ConflictAsync(Func<Task> call) => Assert.Equal(RosterError.RevisionConflict, (await Assert.ThrowsAsync<RosterException>(call)).Error);

    private static Task<MapWorkflowIdsResponse> MapAsync(EngineHarness harness, string system, params string[] ids) =>
        harness.Engine.MapWorkflowIdsAsync(EngineHarness.Tenant, new MapWorkflowIdsRequest { System = system, Ids = { ids } }, Token).AsTask();

    private static Task<ListOperationsResponse> OperationsAsync(EngineHarness harness, ListOperationsRequest request) =>
        harness.Engine.ListOperationsAsync(EngineHarness.Tenant, request, Token).AsTask();

    /// <summary>All ids, read two at a time.</summary>
    private static async Task<string> IdsAsync(EngineHarness harness, string order, Action<ListWorkflowsRequest>? configure = null)
    {
        var request = new ListWorkflowsRequest { OrderBy = order, PageSize = 2 };
        configure?.Invoke(request);
        var ids = "";
        do
        {
            var page = await harness.Engine.ListWorkflowsAsync(EngineHarness.Tenant, request, Token);
            ids += string.Concat(page.Workflows.Select(w => w.Id));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return ids;
    }

    private static async Task RefusedAsync(string path, Func<Task> call) => Assert.Equal(path, (await Assert.ThrowsAsync<RosterException>(call)).Refusal!.Path);
}
