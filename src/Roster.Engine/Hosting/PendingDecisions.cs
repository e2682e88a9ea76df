using Roster.Core.Turns;

namespace Roster.Engine.Hosting;

/// <summary>
/// Callers who wait for the decision about an enrollment in a sequence, which is made when the inbox has answered (SEQ-04). A caller who is
/// gone by then finds the decision in the journal. Thread-safe; bounded by the callers.
/// </summary>
internal sealed class PendingDecisions
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Key, List<Waiter>> _waiting = [];

    /// <summary>Names a request to a record.</summary>
    public readonly record struct Key(int Tenant, int ObjectType, string RecordId, string RequestId);

    /// <summary>Waits for a decision to come, until it is disposed.</summary>
    public Waiter Wait(Key key)
    {
        var waiter = new Waiter(this, key);
        lock (_gate)
        {
            if (!_waiting.TryGetValue(key, out var waiters))
            {
                _waiting[key] = waiters = [];
            }

            waiters.Add(waiter);
        }

        return waiter;
    }

    /// <summary>The decision is durable.</summary>
    public void Tell(Key key, TurnResult result)
    {
        lock (_gate)
        {
            foreach (var waiter in _waiting.GetValueOrDefault(key) ?? [])
            {
                waiter.Decide(result);
            }
        }
    }

    /// <summary>One caller who waits.</summary>
    public sealed class Waiter(PendingDecisions owner, Key key) : IDisposable
    {
        private readonly TaskCompletionSource<TurnResult> _decided = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The decision.</summary>
        public Task<TurnResult> Decision => _decided.Task;

        public void Decide(TurnResult result) => _decided.TrySetResult(result);

        public void Dispose()
        {
            lock (owner._gate)
            {
                if (owner._waiting.TryGetValue(key, out var waiters) && waiters.Remove(this) && waiters.Count == 0)
                {
                    owner._waiting.Remove(key);
                }
            }
        }
    }
}
