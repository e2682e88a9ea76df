using Google.Protobuf;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>An engine over a volatile store with a manual clock, and short ways to say things.</summary>
internal sealed class EngineHarness : IAsyncDisposable
{
    public const string Tenant = "acme";
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private int _ids;

    private EngineHarness(EmbeddedEngine engine, IRecordStore store, ManualClock clock)
    {
        Engine = engine;
        Store = store;
        Clock = clock;
    }

    public EmbeddedEngine Engine { get; }

    public IRecordStore Store { get; }

    public ManualClock Clock { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<EngineHarness> StartAsync(EmbeddedOptions? options = null, IRecordStore? store = null, ManualClock? clock = null)
    {
        clock ??= new ManualClock(Start);
        store ??= new VolatileRecordStore();
        var harness = new EngineHarness(await EmbeddedEngine.StartAsync(options ?? new EmbeddedOptions(), store, clock, Token), store, clock);
        await harness.Engine.UpdateSettingsAsync(
            Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Declare } }, Token);
        return harness;
    }

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

    public async Task PublishAsync(string json)
    {
        var workflow = JsonParser.Default.Parse<Workflow>(json);
        await Engine.SaveWorkflowAsync(Tenant, new SaveWorkflowRequest { Workflow = workflow }, Token);
        await Engine.SetWorkflowStateAsync(Tenant, new SetWorkflowStateRequest { WorkflowId = workflow.Id, State = Workflow.Types.State.On }, Token);
    }

    public async Task AdvanceAsync(TimeSpan time) => await Engine.AdvanceClockAsync(
        new AdvanceClockRequest { To = Timestamp.FromDateTimeOffset(Clock.GetUtcNow() + time) }, Token);

    public async Task<V1.Record> RecordAsync(string id) =>
        await Engine.GetRecordAsync(Tenant, new RecordRef { ObjectType = "contact", RecordId = id }, Token) ?? throw new InvalidOperationException($"No record {id}.");

    public async Task<WorkflowStats> StatsAsync(string workflow) =>
        await Engine.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = workflow }, Token);

    public async Task VerifyAsync()
    {
        var verified = await Engine.VerifyAsync(Token);
        Assert.Empty(verified.Differences);
        Assert.Equal(verified.StateHash, verified.ReplayHash);
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await Store.DisposeAsync();
    }
}
