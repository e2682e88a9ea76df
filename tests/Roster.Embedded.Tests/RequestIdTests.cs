using Google.Protobuf;
using Roster.Engine;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Changes of definitions that carry a request id are done once, and answered as the first time (API-03).</summary>
public sealed class RequestIdTests
{
    private const string Manual = """
        { "id": "w", "objectType": "contact", "start": { "manual": {} }, "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
        """;

    private const string FollowUp = """
        { "id": "follow-up", "owner": "olga", "steps": [ { "id": "call", "task": { "kind": "CALL", "title": "Call" } } ] }
        """;

    private static readonly Dictionary<string, (IMessage Request, Func<EngineHarness, IMessage, ValueTask<IMessage>> Call)> Changes = new()
    {
        ["publish"] = Of(new PublishWorkflowRequest { WorkflowId = "w", RequestId = "r" }, async (e, t, r) => await e.PublishWorkflowAsync(t, r, Token)),
        ["switch"] = Of(new SetWorkflowStateRequest { WorkflowId = "w", State = Workflow.Types.State.Off, RequestId = "r" }, async (e, t, r) => await e.SetWorkflowStateAsync(t, r, Token)),
        ["delete"] = Of(new DeleteWorkflowRequest { WorkflowId = "w", RequestId = "r" }, async (e, t, r) => await e.DeleteWorkflowAsync(t, r, Token)),
        ["move"] = Of(new MoveEnrollmentsRequest { WorkflowId = "w", RequestId = "r" }, async (e, t, r) => await e.MoveEnrollmentsAsync(t, r, Token)),
        ["template"] = Of(new CreateFromTemplateRequest { TemplateId = WorkflowTemplates.Ids[0], WorkflowId = "new", RequestId = "r" }, async (e, t, r) => await e.CreateFromTemplateAsync(t, r, Token)),
        ["save-sequence"] = Of(
            new SaveSequenceRequest { Sequence = JsonParser.Default.Parse<Sequence>(FollowUp), Force = true, RequestId = "r" }, async (e, t, r) => await e.SaveSequenceAsync(t, r, Token)),
        ["delete-sequence"] = Of(new DeleteSequenceRequest { SequenceId = "follow-up", RequestId = "r" }, async (e, t, r) => await e.DeleteSequenceAsync(t, r, Token)),
        ["save-inbox"] = Of(new SaveInboxRequest { Inbox = new Inbox { User = "otto", Address = "otto@example.org" }, RequestId = "r" }, async (e, t, r) => await e.SaveInboxAsync(t, r, Token)),
        ["delete-inbox"] = Of(new DeleteInboxRequest { User = "olga", RequestId = "r" }, async (e, t, r) => await e.DeleteInboxAsync(t, r, Token)),
        ["delete-list"] = Of(new DeleteListRequest { ListId = "l", RequestId = "r" }, async (e, t, r) => await e.DeleteListAsync(t, r, Token)),
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Names() => [.. Changes.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task API_03_A_repeated_change_gets_the_first_answer_and_nothing_is_done_twice_also_after_a_restart(string name)
    {
        var (request, call) = Changes[name];
        var store = await EngineHarness.OpenStore();
        var clock = new ManualClock(EngineHarness.Start);
        var harness = await PreparedAsync(store, clock);
        var first = await call(harness, request);
        await harness.SettleAsync();
        clock.MoveTo(clock.GetUtcNow().AddMinutes(1));
        var stored = await DefinitionsAsync(harness);
        Assert.Equal(first, await call(harness, request));
        await harness.SettleAsync();
        Assert.Equal(stored, await DefinitionsAsync(harness));
        await harness.Engine.DisposeAsync();

        await using var again = await EngineHarness.StartAsync(store: store, clock: clock);
        Assert.Equal(first, await call(again, request));
        await again.SettleAsync();
        Assert.Equal(stored, await DefinitionsAsync(again));
    }

    [Fact]
    public async Task API_03_The_id_of_one_request_is_refused_for_another_request_or_other_content()
    {
        await using var harness = await PreparedAsync(null, new ManualClock(EngineHarness.Start));
        await harness.Engine.PublishWorkflowAsync(EngineHarness.Tenant, new PublishWorkflowRequest { WorkflowId = "w", RequestId = "r" }, Token);
        var other = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.PublishWorkflowAsync(
            EngineHarness.Tenant, new PublishWorkflowRequest { WorkflowId = "w", RequestId = "r", EnrollExisting = true }, Token));
        Assert.Equal((RosterError.InvalidArgument, "request_id"), (other.Error, other.Refusal!.Path));
        await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.MoveEnrollmentsAsync(EngineHarness.Tenant, new MoveEnrollmentsRequest { WorkflowId = "w", RequestId = "r" }, Token));
        Assert.Equal(2, (await harness.Engine.GetWorkflowAsync(EngineHarness.Tenant, new GetWorkflowRequest { WorkflowId = "w" }, Token)).Version);
    }

    [Theory]
    [InlineData("a\u0000b")]
    [InlineData("123456789-123456789-123456789-123456789-123456789-123456789-123456789-123456789-123456789-123456789-123456789-123456789-123456789")]
    public async Task API_03_A_request_id_that_is_none_is_refused(string id)
    {
        await using var harness = await PreparedAsync(null, new ManualClock(EngineHarness.Start));
        var refused = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.PublishWorkflowAsync(EngineHarness.Tenant, new PublishWorkflowRequest { WorkflowId = "w", RequestId = id }, Token));
        Assert.Equal("request_id", refused.Refusal!.Path);
    }

    [Fact]
    public async Task API_03_A_change_that_was_refused_or_not_committed_leaves_its_request_id_free()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await PreparedAsync(store, new ManualClock(EngineHarness.Start));
        await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.PublishWorkflowAsync(
            EngineHarness.Tenant, new PublishWorkflowRequest { WorkflowId = "w", Revision = 99, RequestId = "r" }, Token));
        store.FailNext(1);
        var request = new PublishWorkflowRequest { WorkflowId = "w", RequestId = "r" };
        Assert.Equal(RosterError.Overloaded, (await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.PublishWorkflowAsync(EngineHarness.Tenant, request, Token))).Error);
        Assert.Equal(2, (await harness.Engine.PublishWorkflowAsync(EngineHarness.Tenant, request, Token)).Workflow.Version);
    }

    [Fact]
    public async Task API_03_Of_the_ids_of_changes_the_newest_are_remembered()
    {
        await using var harness = await PreparedAsync(null, new ManualClock(EngineHarness.Start));
        for (var i = 0; i <= TenantOwner.RequestsMax; i++)
        {
            await harness.Engine.SaveInboxAsync(EngineHarness.Tenant, new SaveInboxRequest { Inbox = new Inbox { User = $"u{i}", Address = "u@example.org" }, RequestId = $"r{i}" }, Token);
        }

        Assert.Equal(TenantOwner.RequestsMax, (await harness.Store.ReadDocumentsAsync(Token)).Count(d => d.Kind == "request"));
        var request = new SaveInboxRequest { Inbox = new Inbox { User = "other", Address = "u@example.org" }, RequestId = "r0" };
        await harness.Engine.SaveInboxAsync(EngineHarness.Tenant, request, Token);
        request.RequestId = "r2";
        await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.SaveInboxAsync(EngineHarness.Tenant, request, Token));
    }

    private static async Task<EngineHarness> PreparedAsync(IRecordStore? store, ManualClock clock)
    {
        var harness = await EngineHarness.StartAsync(store: store, clock: clock);
        await harness.Engine.SaveInboxAsync(EngineHarness.Tenant, new SaveInboxRequest { Inbox = new Inbox { User = "olga", Address = "olga@example.org", Connected = true } }, Token);
        await harness.Engine.SaveSequenceAsync(EngineHarness.Tenant, new SaveSequenceRequest { Sequence = JsonParser.Default.Parse<Sequence>(FollowUp) }, Token);
        await harness.PublishAsync(Manual);
        await harness.ListAsync("""{ "id": "l", "objectType": "contact" }""");
        await harness.SettleAsync();
        return harness;
    }

    /// <summary>Everything stored but the ends of jobs.</summary>
    private static async Task<List<string>> DefinitionsAsync(EngineHarness harness) =>
        [.. (await harness.Store.ReadDocumentsAsync(Token)).Select(d => $"{d.Kind} {d.Id} {Convert.ToHexString(d.Content!)}").Order(StringComparer.Ordinal)];

    private static (IMessage Request, Func<EngineHarness, IMessage, ValueTask<IMessage>> Call) Of<T>(T request, Func<IRosterEngine, string, T, Task<IMessage>> call)
        where T : IMessage => (request, async (harness, message) => await call(harness.Engine, EngineHarness.Tenant, (T)message));
}
