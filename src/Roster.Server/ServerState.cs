namespace Roster.Server;

/// <summary>Where a server is in its life: starting, ready, draining, over. Streams and health read it.</summary>
internal sealed class ServerState : IDisposable
{
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = NewSource();
    private bool _ready;
    private ITimer? _timer;

    /// <summary>Cancelled when the server begins to stop: streams tell their clients and end.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Cancelled when the time for draining is over: streams end now.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Whether calls are welcome.</summary>
    public bool IsReady
    {
        get
        {
            lock (_lock)
            {
                return _ready;
            }
        }
    }

    /// <summary>Whether the server is able to go on at all.</summary>
    public bool IsAlive { get; private set; } = true;

    /// <summary>Completes at the next change of <see cref="IsReady"/>. Take it before reading the value.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>Calls are welcome.</summary>
    public void SetReady() => Set(ready: true);

    /// <summary>The engine has failed.</summary>
    public void SetFailed()
    {
        IsAlive = false;
        Set(ready: false);
    }

    /// <summary>The server is about to stop; streams have until <paramref name="timeout"/> to end.</summary>
    public void BeginDrain(TimeSpan timeout, TimeProvider clock)
    {
        Set(ready: false);
        _draining.Cancel();
        _timer ??= clock.CreateTimer(static state => ((CancellationTokenSource)state!).Cancel(), _over, timeout, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        _draining.Dispose();
        _over.Dispose();
    }

    private void Set(bool ready)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            if (_ready == ready)
            {
                return;
            }

            _ready = ready;
            changed = _changed;
            _changed = NewSource();
        }

        changed.SetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
