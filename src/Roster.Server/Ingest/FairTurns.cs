using Roster.Engine;

namespace Roster.Server.Ingest;

/// <summary>
/// Which stream hands in its next batch when the engine wants no more for the moment: that of the tenant which has had the fewest events of those that wait (LIM-02). A
/// tenant with many streams gets no more than one with a single stream. Nobody is asked while the engine keeps up, or only one tenant has streams. Thread-safe.
/// </summary>
internal sealed class FairTurns(IRosterEngine engine)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Share> _shares = new(StringComparer.Ordinal);
    private int _waiting;
    private bool _isServing;

    /// <summary>A stream of a tenant begins.</summary>
    public void Open(string tenant)
    {
        lock (_lock)
        {
            if (!_shares.TryGetValue(tenant, out var share))
            {
                // Who comes anew does not make up for the time before.
                _shares[tenant] = share = new Share { Events = _shares.Count == 0 ? 0 : _shares.Values.Min(other => other.Events) };
            }

            share.Streams++;
        }
    }

    /// <summary>A stream of a tenant ends.</summary>
    public void Close(string tenant)
    {
        lock (_lock)
        {
            if (_shares.TryGetValue(tenant, out var share) && --share.Streams == 0)
            {
                _shares.Remove(tenant);
            }
        }
    }

    /// <summary>Waits until it is the tenant's turn to hand in a batch. <see cref="Leave"/> must follow when it has been, or will not be, handed in.</summary>
    public ValueTask<Turn?> EnterAsync(string tenant, int events, CancellationToken cancellationToken)
    {
        Turn turn;
        lock (_lock)
        {
            var share = _shares[tenant];
            if (_shares.Count == 1 || (_waiting == 0 && engine.WhenTakingAsync(CancellationToken.None).IsCompleted))
            {
                share.Events += events;
                return new ValueTask<Turn?>((Turn?)null);
            }

            turn = new Turn(events);
            share.Waiting.Enqueue(turn);
            _waiting++;
            if (!_isServing)
            {
                _isServing = true;
                _ = Task.Run(ServeAsync, CancellationToken.None);
            }
        }

        return WaitAsync(turn, cancellationToken);
    }

    /// <summary>The batch was handed in.</summary>
    public static void Leave(Turn? turn) => turn?.Left.TrySetResult();

    private static async ValueTask<Turn?> WaitAsync(Turn turn, CancellationToken cancellationToken)
    {
        try
        {
            await turn.Come.Task.WaitAsync(cancellationToken);
            return turn;
        }
        catch
        {
            // Its turn will come, and passes at once.
            Leave(turn);
            throw;
        }
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            await engine.WhenTakingAsync(CancellationToken.None);
            Turn? next;
            lock (_lock)
            {
                var share = _shares.Values.Where(other => other.Waiting.Count > 0).MinBy(other => other.Events);
                if (share is null)
                {
                    _waiting = 0;
                    _isServing = false;
                    return;
                }

                next = share.Waiting.Dequeue();
                share.Events += next.Left.Task.IsCompleted ? 0 : next.Events;
                _waiting--;
            }

            next.Come.TrySetResult();
            await next.Left.Task;
        }
    }

    /// <summary>The turn of one batch.</summary>
    internal sealed class Turn(int events)
    {
        public int Events { get; } = events;

        public TaskCompletionSource Come { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Left { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Share
    {
        public long Events;
        public int Streams;

        public Queue<Turn> Waiting { get; } = new();
    }
}
