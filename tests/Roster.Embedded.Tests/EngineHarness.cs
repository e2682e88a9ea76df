using Roster.Engine;
using Roster.Engine.Stores;

namespace Roster.Embedded.Tests;

/// <summary>An engine over a fresh store with a manual clock.</summary>
internal sealed class EngineHarness : EngineHarnessBase<EmbeddedEngine>
{
    private EngineHarness(EmbeddedEngine engine, IRecordStore store, ManualClock clock)
        : base(clock)
    {
        Engine = engine;
        Store = store;
    }

    /// <summary>Opens the store of an engine whose test does not bring one. Volatile here; other projects run the same tests on theirs.</summary>
    public static Func<Task<IRecordStore>> OpenStore { get; set; } = () => Task.FromResult<IRecordStore>(new VolatileRecordStore());

    public override EmbeddedEngine Engine { get; }

    public override IRecordStore Store { get; }

    /// <summary>Processes that a tenant's rates are shared by: the test goes through one of them (LIM-02).</summary>
    public const int Processes = 1;

    public static async Task<EngineHarness> StartAsync(EmbeddedOptions? options = null, IRecordStore? store = null, ManualClock? clock = null)
    {
        clock ??= new ManualClock(Start);
        store ??= await OpenStore();
        var engine = await EmbeddedEngine.StartAsync(options ?? new EmbeddedOptions(), store, clock, TestContext.Current.CancellationToken);
        var harness = new EngineHarness(engine, store, clock);
        await EngineCalls.AcceptUndeclaredAsync(harness.Engine);
        return harness;
    }

    /// <summary>Has every process learn now what it learns every second: what others have counted (LIM-01, LIM-04), and how many there are (LIM-02). Here there is one.</summary>
    public Task CountAsync() => Task.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await Store.DisposeAsync();
    }
}
