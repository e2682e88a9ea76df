using System.Collections.Concurrent;

namespace Roster.Samples.Client;

/// <summary>Keys of the tasks that are done. A real service keeps them where it keeps what it did.</summary>
internal sealed class Outbox
{
    private readonly ConcurrentDictionary<string, bool> _done = new();

    public bool TryAdd(string key) => _done.TryAdd(key, true);
}
