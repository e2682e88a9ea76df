using System.Reflection;
using Roster.Cluster;
using Roster.Cluster.Tests;
using Roster.Engine;
using Roster.Engine.Stores;

namespace Roster.Embedded.Tests;

/// <summary>Silos over a fresh database with a manual clock: what the harness of the embedded host is to the same tests there.</summary>
internal sealed class EngineHarness : EngineHarnessBase<ClusterEngine>
{
    private readonly TestSilos _silos;

    private EngineHarness(TestSilos silos)
        : base((ManualClock)silos.Clock) => _silos = silos;

    /// <summary>For tests that bring a store: they are skipped here.</summary>
    public static Func<Task<IRecordStore>> OpenStore { get; } = () => Task.FromResult<IRecordStore>(new VolatileRecordStore());

    /// <summary>The front door of the first silo.</summary>
    public override ClusterEngine Engine => _silos[0];

    /// <summary>The store as the first silo has it.</summary>
    public override IRecordStore Store => _silos.Silo(0).Store;

    /// <summary>Processes that a tenant's rates are shared by: the test goes through one of them (LIM-02).</summary>
    public const int Processes = 2;

    /// <summary>Starts two silos. Tests that bring a store of their own make it fail in ways that a database does not; they are of the other host alone.</summary>
    public static async Task<EngineHarness> StartAsync(EmbeddedOptions? options = null, IRecordStore? store = null, ManualClock? clock = null)
    {
        Assert.SkipWhen(store is not null, "The test is about a store that it brings itself.");
        var harness = new EngineHarness(await TestSilos.StartAsync(2, clock ?? new ManualClock(Start), silo => Copy(options, silo)));
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

    public override ValueTask DisposeAsync() => _silos.DisposeAsync();
}

internal static class ClusterEngineExtensions
{
    /// <summary>The embedded host can be ended by itself; a front door ends with its silo.</summary>
    public static ValueTask DisposeAsync(this ClusterEngine engine) => throw new InvalidOperationException($"{engine} ends with its silo.");
}
