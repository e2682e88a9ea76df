using Google.Protobuf;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Short ways to say things to an engine that has a manual clock, whichever host it is. Tests know it as <c>EngineHarness</c>, of which every host has one.</summary>
internal abstract class EngineHarnessBase<TEngine>(ManualClock clock) : IAsyncDisposable
    where TEngine : IRosterEngine
{
    public const string Tenant = "acme";
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private int _ids;

    public abstract TEngine Engine { get; }

    public abstract IRecordStore Store { get; }

    public ManualClock Clock { get; } = clock;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static PropertyValue Text(string name, string value) => new() { Name = name, Value = new Value { Text = value } };

    public static PropertyValue Number(string name, string value) => new() { Name = name, Value = new Value { Number = value } };

    public Event Event(string record, string type = "", params PropertyValue[] writes)
    {
        var e = new Event { EventId = $"e{++_ids}", ObjectType = "contact", RecordId = record, Type = type };
        e.Writes.AddRange(writes);
        return e;
    }

    public async Task<IReadOnlyList<IndexedResult>> SendAsync(params Event[] events)
    {
        try
        {
            return await Engine.IngestAsync(Tenant, events, Token);
        }
        catch (RosterException) when (Engine.Failed.Exception is { } cause)
        {
            // A test that does not fail the store wants to know why the engine stopped.
            throw new RosterException(RosterError.Unavailable, cause.ToString());
        }
    }

    public Task PublishAsync(string json) => EngineCalls.PublishAsync(Engine, json);

    /// <summary>Replaces a workflow by another version and publishes it.</summary>
    public async Task<PublishWorkflowResponse> RepublishAsync(string json)
    {
        var workflow = JsonParser.Default.Parse<Workflow>(json);
        await Engine.SaveWorkflowAsync(Tenant, new SaveWorkflowRequest { Workflow = workflow, Force = true }, Token);
        return await Engine.PublishWorkflowAsync(Tenant, new PublishWorkflowRequest { WorkflowId = workflow.Id }, Token);
    }

    public async Task<Workflow> SwitchAsync(string workflow, Workflow.Types.State state, bool enrollExisting = false) => await Engine.SetWorkflowStateAsync(
        Tenant, new SetWorkflowStateRequest { WorkflowId = workflow, State = state, EnrollExisting = enrollExisting }, Token);

    public async Task<SaveListResponse> ListAsync(string json)
    {
        var list = JsonParser.Default.Parse<List>(json);
        return await Engine.SaveListAsync(Tenant, new SaveListRequest { List = list, Force = true }, Token);
    }

    public async Task<List<string>> MembersAsync(string list) =>
        [.. (await Engine.ListMembersAsync(Tenant, new ListMembersRequest { ListId = list }, Token)).Members.Select(m => m.RecordId).Order(StringComparer.Ordinal)];

    public async Task AddAsync(string list, string record) => Assert.Equal(
        EventResult.Types.Code.Applied,
        (await Engine.ChangeMembershipAsync(
            Tenant,
            new ChangeMembershipRequest { ListId = list, Ref = new RecordRef { ObjectType = "contact", RecordId = record }, RequestId = $"m{++_ids}" },
            adds: true,
            Token)).Result.Code);

    /// <summary>Lets jobs end: the clock does not move.</summary>
    public Task SettleAsync() => AdvanceAsync(TimeSpan.Zero);

    /// <summary>The whole journal in words.</summary>
    public async Task<List<JournalEntry>> JournalAsync(params JournalEntry.Types.Kind[] kinds)
    {
        var entries = new List<JournalEntry>();
        await foreach (var page in Engine.ReadJournalAsync(Tenant, new ReadJournalRequest(), Token))
        {
            entries.AddRange(page.Entries.Where(e => kinds.Length == 0 || kinds.Contains(e.Kind)));
        }

        return entries;
    }

    public async Task AdvanceAsync(TimeSpan time) => await Engine.AdvanceClockAsync(
        new AdvanceClockRequest { To = Timestamp.FromDateTimeOffset(Clock.GetUtcNow() + time) }, Token);

    public Task<V1.Record> RecordAsync(string id) => EngineCalls.RecordAsync(Engine, id);

    public async Task<WorkflowStats> StatsAsync(string workflow) =>
        await Engine.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = workflow }, Token);

    public Task VerifyAsync() => EngineCalls.VerifyAsync(Engine);

    public abstract ValueTask DisposeAsync();
}
