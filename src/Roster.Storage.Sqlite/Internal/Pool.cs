using System.Collections.Concurrent;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>A thing that is used by one thread at a time and kept for the next.</summary>
internal interface IPooled : IDisposable
{
    /// <summary>Ends whatever its last user left open when it failed.</summary>
    void Clean();
}

/// <summary>As many readers as there are reads at a time.</summary>
internal sealed class Pool<T>(Func<T> create) : IDisposable
    where T : class, IPooled
{
    private readonly ConcurrentBag<T> _free = [];

    public Lease Rent() => new(this, _free.TryTake(out var item) ? item : create());

    public void Dispose()
    {
        while (_free.TryTake(out var item))
        {
            item.Dispose();
        }
    }

    /// <summary>Gives its item back when disposed.</summary>
    public readonly struct Lease(Pool<T> pool, T item) : IDisposable
    {
        public T Item => item;

        public void Dispose()
        {
            item.Clean();
            pool._free.Add(item);
        }
    }
}
