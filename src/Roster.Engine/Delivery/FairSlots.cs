namespace Roster.Engine.Delivery;

/// <summary>
/// A bounded number of places for the deliveries of all tenants. When places are short, tenants get them in turn, whatever the number of their
/// deliveries that wait. Thread-safe.
/// </summary>
public sealed class FairSlots
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Queue<TaskCompletionSource>> _waiting = [];
    private readonly Queue<int> _turns = new();
    private int _free;

    /// <summary>Creates so many places.</summary>
    public FairSlots(int places) => _free = places;

    /// <summary>Takes a place for a tenant; waits for one.</summary>
    public async Task TakeAsync(int tenant, CancellationToken cancellationToken)
    {
        TaskCompletionSource place;
        lock (_gate)
        {
            if (_free > 0)
            {
                _free--;
                return;
            }

            place = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_waiting.TryGetValue(tenant, out var line))
            {
                _waiting[tenant] = line = new Queue<TaskCompletionSource>();
                _turns.Enqueue(tenant);
            }

            line.Enqueue(place);
        }

        using var cancelled = cancellationToken.Register(() => place.TrySetCanceled(cancellationToken));
        await place.Task.ConfigureAwait(false);
    }

    /// <summary>Gives a place back: the tenant whose turn it is gets it.</summary>
    public void Release()
    {
        lock (_gate)
        {
            while (_turns.TryDequeue(out var tenant))
            {
                var line = _waiting[tenant];
                var given = line.Dequeue().TrySetResult();
                if (line.Count == 0)
                {
                    _waiting.Remove(tenant);
                }
                else
                {
                    _turns.Enqueue(tenant);
                }

                if (given)
                {
                    return;
                }
            }

            _free++;
        }
    }
}
