namespace Roster.Server.Work;

/// <summary>
/// How many more tasks a worker takes. A worker that opened with a credit of n has at most n tasks out: a completion makes room
/// again. Room asked for with <c>credit</c> messages is used once.
/// </summary>
internal sealed class TaskRoom
{
    /// <summary>Most tasks that are out or asked for on one stream.</summary>
    public const int TasksMax = 10_000;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _out = [];
    private readonly bool _renews;
    private int _room;
    private TaskCompletionSource? _waiter;

    /// <summary>Creates it with the credit of the hello; 0 means that every room is asked for.</summary>
    public TaskRoom(int credit)
    {
        _renews = credit > 0;
        _room = credit;
    }

    /// <summary>Tasks that are out.</summary>
    public int OutCount
    {
        get
        {
            lock (_lock)
            {
                return _out.Count;
            }
        }
    }

    /// <summary>The worker has room for more; false when that would be too many.</summary>
    public bool TryAdd(int tasks)
    {
        TaskCompletionSource? waiter;
        lock (_lock)
        {
            if (_room + _out.Count + tasks > TasksMax)
            {
                return false;
            }

            _room += tasks;
            waiter = TakeWaiter_NeedsLock();
        }

        waiter?.SetResult();
        return true;
    }

    /// <summary>Waits until there is room; returns how much.</summary>
    public async ValueTask<int> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task wait;
            lock (_lock)
            {
                if (_room > 0)
                {
                    return _room;
                }

                _waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                wait = _waiter.Task;
            }

            await wait.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Tasks go out.</summary>
    public void GoOut(IEnumerable<string> keys)
    {
        lock (_lock)
        {
            foreach (var key in keys)
            {
                if (_out.Add(key))
                {
                    _room--;
                }
            }
        }
    }

    /// <summary>A task is done with.</summary>
    public void ComeBack(string key)
    {
        TaskCompletionSource? waiter = null;
        lock (_lock)
        {
            if (_out.Remove(key) && _renews)
            {
                _room++;
                waiter = TakeWaiter_NeedsLock();
            }
        }

        waiter?.SetResult();
    }

    private TaskCompletionSource? TakeWaiter_NeedsLock()
    {
        var waiter = _waiter;
        _waiter = null;
        return waiter;
    }
}
