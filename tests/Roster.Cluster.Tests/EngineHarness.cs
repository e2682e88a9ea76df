using Google.Protobuf;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;
using Roster.Cluster;
using Roster.Cluster.Tests;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Silos over a fresh database with a manual clock, and short ways to say things: what the harness of the embedded host is to the same tests there.</summary>
internal sealed class EngineHarness : IAsyncDisposable
{
    public const string Tenant = "acme";
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TestSilos _silos;
    private int _ids;

    private EngineHarness(TestSilos silos)
    {
        _silos = silos;
        Clock = (ManualClock)silos.Clock;
    }

    /// <summary>For tests that bring a store: they are skipped here.</summary>
    public static Func<Task<IRecordStore>> OpenStore { get; } = () => Task.FromResult<IRecordStore>(new VolatileRecordStore());

    /// <summary>The front door of the first silo.</summary>
    public ClusterEngine Engine => _silos[0];

    /// <summary>The store as the first silo has it.</summary>
    public IRecordStore Store => _silos.Silo(0).Store;

    public ManualClock Clock { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Starts two silos. Tests that bring a store of their own make it fail in ways that a database does not; they are of the other host alone.</summary>
    public static async Task<EngineHarness> StartAsync(EmbeddedOptions? options = null, IRecordStore? store = null, ManualClock? clock = null)
    {
        Assert.SkipWhen(store is not null, "The test is about a store that it brings itself.");
        var harness = new EngineHarness(await TestSilos.StartAsync(2, clock ?? new ManualClock(Start), silo => Copy(options, silo)));
        await harness.Engine.UpdateSettingsAsync(
            Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Declare } }, Token);
        return harness;
    }

    private static void Copy(EmbeddedOptions? from, ClusterOptions to)
    {
        foreach (var option in typeof(Engine.Hosting.HostOptions).GetProperties().Where(p => from is not null && p.SetMethod is { IsPublic: true }))
        {
            option.SetValue(to, option.GetValue(from));
        }
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

    public ValueTask DisposeAsync() => _silos.DisposeAsync();
}

internal static class ClusterEngineExtensions
{
    /// <summary>The embedded host can be ended by itself; a front door ends with its silo.</summary>
    public static ValueTask DisposeAsync(this ClusterEngine engine) => throw new InvalidOperationException($"{engine} ends with its silo.");
}
