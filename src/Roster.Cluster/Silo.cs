using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;
using Roster.Cluster.Contracts;
using Roster.Engine.Hosting;
using Roster.Engine.Stores;

namespace Roster.Cluster;

/// <summary>
/// What Roster has in a silo: the store opened under the silo's name and the engine over it, from before the silo takes calls until after it took the last;
/// and a watch over the others: whoever is declared dead loses the right to commit.
/// </summary>
public sealed partial class Silo : IEngineHere, ILifecycleParticipant<ISiloLifecycle>, ISiloStatusListener
{
    private const int ThreadsMin = 32;

    /// <summary>How old a silo's count of what tenants have a cap on may be (LIM-04).</summary>
    private static readonly TimeSpan CountEvery = TimeSpan.FromSeconds(1);

    private readonly ClusterOptions _options;
    private readonly ILocalSiloDetails _details;
    private readonly IGrainFactory _grains;
    private readonly ISiloStatusOracle _oracle;
    private readonly ILogger<Silo> _logger;
    private readonly CancellationTokenSource _stop = new();
    private int _memberships;
    private Placement _placement = new(-1, []);
    private IRecordStore? _store;
    private SiloEngine? _engine;
    private Task _watching = Task.CompletedTask;

    /// <summary>Creates it; the silo's lifecycle starts and stops it.</summary>
    public Silo(IOptions<ClusterOptions> options, ILocalSiloDetails details, IGrainFactory grains, ISiloStatusOracle oracle, ILogger<Silo> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Value;
        _details = details;
        _grains = grains;
        _oracle = oracle;
        _logger = logger;
    }

    /// <inheritdoc/>
    public SiloEngine Engine => _engine ?? throw new InvalidOperationException("The silo has not begun yet.");

    /// <summary>The store as this silo has it.</summary>
    internal IRecordStore Store => _store ?? throw new InvalidOperationException("The silo has not begun yet.");

    /// <summary>The name under which this silo commits.</summary>
    internal string Name => NameOf(_details.SiloAddress);

    /// <summary>The part of the records that a grain belongs to, by its key.</summary>
    internal int PartOf(string key)
    {
        if (key[0] == 't')
        {
            return int.Parse(key.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture);
        }

        // What no record can be called is refused wherever it comes to.
        var reference = Calls.Keys.RecordOf(key);
        return Engine.PartOf(Calls.Keys.TenantOf(key), reference) ?? 0;
    }

    /// <summary>Whether a grain that is here would be placed at another silo by now. Asks once for each change of the membership.</summary>
    /// <param name="key">The grain.</param>
    /// <param name="askedAt">When it was asked last; -1 at first.</param>
    internal bool HasMoved(string key, ref int askedAt)
    {
        var now = Volatile.Read(ref _memberships);
        if (askedAt == now)
        {
            return false;
        }

        askedAt = now;
        var placement = _placement;
        if (placement.At != now)
        {
            var silos = _oracle.GetApproximateSiloStatuses(onlyActive: true).Keys.ToArray();
            _placement = placement = new Placement(now, silos.Length == 0 ? [] : [.. Enumerable.Range(0, Calls.Parts.Count).Select(part => PartPlacementDirector.OwnerOf(part, silos))]);
        }

        return placement.Owners.Length > 0 && !placement.Owners[PartOf(key)].Equals(_details.SiloAddress);
    }

    /// <summary>Takes the right to commit from a silo.</summary>
    internal ValueTask FenceAsync(string name, CancellationToken cancellationToken) => _options.Fence!(Store, name, cancellationToken);

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle lifecycle)
    {
        ArgumentNullException.ThrowIfNull(lifecycle);
        lifecycle.Subscribe(nameof(Silo), ServiceLifecycleStage.ApplicationServices, StartAsync, StopAsync);
        lifecycle.Subscribe($"{nameof(Silo)}.Watch", ServiceLifecycleStage.Active + 1, StartWatchingAsync, StopWatchingAsync);
    }

    /// <inheritdoc/>
    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        ArgumentNullException.ThrowIfNull(updatedSilo);
        Interlocked.Increment(ref _memberships);
        if (status == SiloStatus.Dead && !updatedSilo.Equals(_details.SiloAddress) && _store is { } store)
        {
            _ = Task.Run(() => BuryAsync(store, updatedSilo));
        }
    }

    /// <summary>The name under which a silo commits: unique to its one life.</summary>
    internal static string NameOf(SiloAddress silo) => silo.ToParsableString();

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        ReserveThreads();
        _options.ThrowIfWrong();
        _store = await _options.OpenStore!(NameOf(_details.SiloAddress), cancellationToken);
        _engine = await SiloEngine.StartAsync(_options, _store, _grains, cancellationToken);
        _oracle.SubscribeToSiloStatusEvents(this);
        LogStarted(NameOf(_details.SiloAddress));
    }

    /// <summary>
    /// Changes of definitions wait for their commit on a thread of the pool, which grains and the database driver share: without some to spare they would wait
    /// for each other until the pool has found out that it needs more.
    /// </summary>
    internal static void ReserveThreads()
    {
        ThreadPool.GetMinThreads(out var threads, out var ports);
        ThreadPool.SetMinThreads(Math.Max(threads, ThreadsMin), ports);
    }

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        _oracle.UnSubscribeFromSiloStatusEvents(this);
        if (_engine is { } engine)
        {
            await engine.DisposeAsync();
            LogStopped(NameOf(_details.SiloAddress), engine.Committed.Turns, engine.Conflicts);
        }

        if (_store is { } store)
        {
            await store.DisposeAsync();
        }
    }

    private Task StartWatchingAsync(CancellationToken cancellationToken)
    {
        _watching = Task.WhenAll(Task.Run(() => EveryAsync(_options.ResyncEvery, LookAsync), CancellationToken.None), Task.Run(() => EveryAsync(CountEvery, CountAsync), CancellationToken.None));
        return Task.CompletedTask;
    }

    private async Task StopWatchingAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _watching;
    }

    /// <summary>Sees that the conductor and the timers live, and looks for what no notice told.</summary>
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var timers = Enumerable.Range(0, EngineHost.TimerParts).Select(part => _grains.GetGrain<ITimerShardGrain>(Calls.Keys.Timers(part)).PingAsync());
        await Task.WhenAll([_grains.GetGrain<IConductorGrain>(Calls.Keys.Conductor).PingAsync(), .. timers]).WaitAsync(cancellationToken).ConfigureAwait(false);
        await Engine.ResyncAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Learns what tenants may still do here: what all silos have counted of their caps (LIM-01, LIM-04), and how many share their rates (LIM-02).</summary>
    internal async Task CountAsync(CancellationToken cancellationToken)
    {
        Engine.Rates.Processes = _oracle.GetApproximateSiloStatuses(onlyActive: true).Count;
        await Engine.CountAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task EveryAsync(TimeSpan period, Func<CancellationToken, Task> action)
    {
        using var timer = new PeriodicTimer(period, TimeProvider.System);
        try
        {
            do
            {
                try
                {
                    await action(_stop.Token).ConfigureAwait(false);
                }
                catch (Exception failure) when (failure is not OutOfMemoryException && !_stop.IsCancellationRequested)
                {
                    // The cluster is changing, or the database is away: the next time.
                    LogResyncFailed(failure.GetType().Name, failure.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
    }

    /// <summary>Whatever a dead silo still believes, it commits nothing more; what it did not tell the conductor is in the store.</summary>
    private async Task BuryAsync(IRecordStore store, SiloAddress silo)
    {
        try
        {
            await _options.Fence!(store, NameOf(silo), _stop.Token).ConfigureAwait(false);
            LogFenced(NameOf(silo));
            await _grains.GetGrain<IConductorGrain>(Calls.Keys.Conductor).ResyncAsync().WaitAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Others do it too; and turns of two owners are judged by the store in any case.
            LogResyncFailed(failure.GetType().Name, failure.Message);
        }
    }

    [LoggerMessage(4001, LogLevel.Information, "Silo {Name} commits under its own name")]
    private partial void LogStarted(string name);

    [LoggerMessage(4002, LogLevel.Information, "Silo {Name} has stopped: {Turns} turns, {Conflicts} commits decided again")]
    private partial void LogStopped(string name, long turns, long conflicts);

    [LoggerMessage(4003, LogLevel.Warning, "Silo {Name} is dead and may commit no more")]
    private partial void LogFenced(string name);

    [LoggerMessage(4004, LogLevel.Warning, "Looking at the cluster failed and is tried again: {Kind}: {Text}")]
    private partial void LogResyncFailed(string kind, string text);

    /// <summary>The silos of the parts, as the membership was.</summary>
    private sealed record Placement(int At, SiloAddress[] Owners);
}
