namespace Roster.Engine.Hosting;

/// <summary>
/// Events that were handed in and not yet decided. Whoever reads more of them waits while there are many: an event that waits as bytes costs less than
/// one that waits as objects, which outlive their generation. Thread-safe.
/// </summary>
internal sealed class Backlog(int max)
{
    private readonly Lock _gate = new();
    private int _waiting;
    private TaskCompletionSource? _room;

    /// <summary>Events that wait.</summary>
    public int Count => Volatile.Read(ref _waiting);

    /// <summary>Events were handed in. Never refused.</summary>
    public void Add(int count) => Interlocked.Add(ref _waiting, count);

    /// <summary>They were decided, or will never be.</summary>
    public void Remove(int count)
    {
        if (Interlocked.Add(ref _waiting, -count) >= max || Volatile.Read(ref _room) is null)
        {
            return;
        }

        TaskCompletionSource? room;
        lock (_gate)
        {
            (room, _room) = (_room, null);
        }

        room?.TrySetResult();
    }

    /// <summary>Completes when fewer than the maximum wait.</summary>
    public Task WhenRoom()
    {
        if (Count < max)
        {
            return Task.CompletedTask;
        }

        Task room;
        lock (_gate)
        {
            room = (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        // The last of them may have been decided before anybody could hear of it.
        Remove(0);
        return room;
    }
}
