using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;
using Roster.Engine.Stores;

namespace Roster.Cluster;

/// <summary>
/// What a front door without a silo has. Events, commands and changes of definitions go to grains through a client of the cluster; reads, credentials, schema and settings are
/// those of an engine over the shared store that runs no turns and has no duties. It joins the store under a name of its own: the documents that it commits are judged like those of a silo.
/// </summary>
public sealed partial class FrontDoor : IEngineHere, IHostedService
{
    private readonly ClusterOptions _options;
    private readonly IClusterClient _client;
    private readonly ILogger<FrontDoor> _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly string _name = $"door/{Environment.MachineName}/{Guid.NewGuid():N}";
    private IRecordStore? _store;
    private SiloEngine? _engine;
    private Task _watching = Task.CompletedTask;

    /// <summary>Creates it; the process's host starts and stops it.</summary>
    public FrontDoor(IOptions<ClusterOptions> options, IClusterClient client, ILogger<FrontDoor> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Value;
        _client = client;
        _logger = logger;
    }

    /// <inheritdoc/>
    public SiloEngine Engine => _engine ?? throw new InvalidOperationException("The front door has not begun yet.");

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Silo.ReserveThreads();
        _options.ThrowIfWrong();
        _store = await _options.OpenStore!(_name, cancellationToken);
        _engine = await SiloEngine.StartAsync(_options, _store, _client, cancellationToken);
        _watching = Task.Run(WatchAsync, CancellationToken.None);
        LogStarted(_name);
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _watching;
        if (_engine is { } engine)
        {
            await engine.DisposeAsync();
        }

        if (_store is { } store)
        {
            await LeaveAsync(store, cancellationToken);
            await store.DisposeAsync();
        }
    }

    /// <summary>Nobody watches a front door, so it takes its row away itself. That of one that died stays: a row, and no harm, since nobody can commit under it any more.</summary>
    private async Task LeaveAsync(IRecordStore store, CancellationToken cancellationToken)
    {
        try
        {
            await _options.Fence!(store, _name, cancellationToken);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogResyncFailed(failure.GetType().Name, failure.Message);
        }
    }

    /// <summary>
    /// Follows what others change, also when nobody asks here: a credential that was revoked elsewhere ends here within one round. Nobody counts front doors, so each takes the
    /// part of a tenant's rates that a silo has (LIM-02).
    /// </summary>
    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(_options.ResyncEvery, TimeProvider.System);
        try
        {
            do
            {
                try
                {
                    await Engine.RefreshAsync(_stop.Token).ConfigureAwait(false);
                    var silos = await _client.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true).WaitAsync(_stop.Token).ConfigureAwait(false);
                    Engine.Rates.Processes = silos.Count;
                }
                catch (Exception failure) when (failure is not OutOfMemoryException && !_stop.IsCancellationRequested)
                {
                    // The database is away, or no silo is there: the next time.
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

    [LoggerMessage(4011, LogLevel.Information, "Front door {Name} has no silo and uses those of the cluster")]
    private partial void LogStarted(string name);

    [LoggerMessage(4012, LogLevel.Warning, "Looking at the store failed and is tried again: {Kind}: {Text}")]
    private partial void LogResyncFailed(string kind, string text);
}
