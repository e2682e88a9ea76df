namespace Roster.Server.Ingest;

/// <summary>Bounds what one stream has in flight. One taker, any number of givers.</summary>
internal sealed class Credit(int eventsMax, long bytesMax)
{
    private readonly Lock _lock = new();
    private int _events;
    private long _bytes;
    private TaskCompletionSource? _waiter;

    /// <summary>
    /// Takes room for a batch; waits until there is enough, or nothing is in flight: a batch larger than the whole credit passes alone.
    /// </summary>
    public async ValueTask TakeAsync(int events, long bytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task wait;
            lock (_lock)
            {
                if (_events == 0 || (_events + events <= eventsMax && _bytes + bytes <= bytesMax))
                {
                    _events += events;
                    _bytes += bytes;
                    return;
                }

                _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                wait = _waiter.Task;
            }

            await wait.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Gives room back.</summary>
    public void Give(int events, long bytes)
    {
        TaskCompletionSource? waiter;
        lock (_lock)
        {
            _events -= events;
            _bytes -= bytes;
            waiter = _waiter;
            _waiter = null;
        }

        waiter?.SetResult();
    }
}
