using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Roster.Client.Hosting;

/// <summary>Runs a worker as long as its host.</summary>
internal sealed partial class RosterWorkerService : BackgroundService
{
    private readonly RosterWorker _worker;
    private readonly string _queue;
    private readonly ILogger<RosterWorkerService> _logger;

    public RosterWorkerService(RosterClient client, RosterWorkerOptions options, TaskHandler handler, ILogger<RosterWorkerService> logger)
    {
        _queue = options.Queue;
        _logger = logger;
        var onReconnect = options.OnReconnect;
        options.OnReconnect = error =>
        {
            LogDisconnected(_queue, error.Status.Detail);
            onReconnect?.Invoke(error);
        };
        _worker = new RosterWorker(client, options, handler);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        LogStarted(_queue);
        try
        {
            await _worker.RunAsync(stoppingToken).ConfigureAwait(false);
            LogStopped(_queue, _worker.Completed);
        }
        catch (RpcException error)
        {
            LogRefused(_queue, error.Status.Detail);
            throw;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Worker of queue {Queue} takes tasks")]
    private partial void LogStarted(string queue);

    [LoggerMessage(2, LogLevel.Information, "Worker of queue {Queue} has stopped; {Completed} tasks were completed")]
    private partial void LogStopped(string queue, long completed);

    [LoggerMessage(3, LogLevel.Warning, "Worker of queue {Queue} has lost its connection and makes a new one: {Reason}")]
    private partial void LogDisconnected(string queue, string reason);

    [LoggerMessage(4, LogLevel.Error, "The server refuses the worker of queue {Queue}: {Reason}")]
    private partial void LogRefused(string queue, string reason);
}
