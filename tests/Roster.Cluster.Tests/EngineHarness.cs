using System.Reflection;
using System.Runtime.CompilerServices;
using Roster.Cluster;
using Roster.Cluster.Tests;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.Storage.Postgres.Tests;

namespace Roster.Embedded.Tests;

/// <summary>Silos over a fresh database with a manual clock: what the harness of the embedded host is to the same tests there.</summary>
internal sealed class EngineHarness : EngineHarnessBase<ClusterEngine>
{
    /// <summary>The databases that stores of tests stand for: a test that starts again does so on what it left.</summary>
    private static readonly ConditionalWeakTable<IRecordStore, Task<string>> Left = [];

    private static readonly ConditionalWeakTable<ClusterEngine, EngineHarness> Of = [];

    private readonly TestSilos _silos;
    private bool _hasEnded;

    private EngineHarness(TestSilos silos)
        : base((ManualClock)silos.Clock)
    {
        _silos = silos;
        Engine = silos[0];
        Of.Add(Engine, this);
    }

    /// <summary>What a test starts on and starts again on. It stands for a database and is empty itself.</summary>
    public static Func<Task<IRecordStore>> OpenStore { get; } = () => Task.FromResult<IRecordStore>(new VolatileRecordStore());

    /// <summary>The front door of the first silo.</summary>
    public override ClusterEngine Engine { get; }

    /// <summary>The store as the first silo has it.</summary>
    public override IRecordStore Store => _silos.Silo(0).Store;

    /// <summary>Processes that a tenant's rates are shared by: the test goes through one of them (LIM-02).</summary>
    public const int Processes = 2;

    /// <summary>Starts two silos. Tests that have their hands in a store of their own are of the other host alone.</summary>
    public static async Task<EngineHarness> StartAsync(EmbeddedOptions? options = null, IRecordStore? store = null, ManualClock? clock = null)
    {
        Assert.SkipUnless(store is null or VolatileRecordStore, "The test brings a store that fails or waits when it says so, or that it looks and writes into itself.");
        var database = store is null ? null : await Left.GetValue(store, _ => Databases.CreateAsync());
        var harness = new EngineHarness(await TestSilos.StartAsync(Processes, clock ?? new ManualClock(Start), silo => Copy(options, silo), database: database));
        await EngineCalls.AcceptUndeclaredAsync(harness.Engine);
        return harness;
    }

    private static void Copy(EmbeddedOptions? from, ClusterOptions to)
    {
        // Also those that only tests set: without DeliveryReported, for one, a test would wait for ever.
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        foreach (var option in typeof(Engine.Hosting.HostOptions).GetProperties(All).Where(p => from is not null && p.SetMethod is not null))
        {
            option.SetValue(to, option.GetValue(from));
        }
    }

    /// <summary>Has every silo learn now what it learns every second: what others have counted (LIM-01, LIM-04), and how many there are (LIM-02).</summary>
    public Task CountAsync() => _silos.CountAsync();

    public override async ValueTask DisposeAsync()
    {
        if (!_hasEnded)
        {
            _hasEnded = true;
            await _silos.DisposeAsync();
        }
    }

    /// <summary>Ends the silos of an engine.</summary>
    internal static ValueTask EndAsync(ClusterEngine engine) => Of.TryGetValue(engine, out var harness) ? harness.DisposeAsync() : throw new InvalidOperationException("The engine is of no harness.");
}

internal static class ClusterEngineExtensions
{
    /// <summary>The embedded host can be ended by itself; a front door ends with its silo, and here with all of them.</summary>
    public static ValueTask DisposeAsync(this ClusterEngine engine) => EngineHarness.EndAsync(engine);
}
