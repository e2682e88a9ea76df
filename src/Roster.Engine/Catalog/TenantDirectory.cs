using System.Collections.Concurrent;
using Google.Protobuf;
using Roster.Core.Schema;
using Roster.Engine.Stores;
using Roster.Storage.V1;

namespace Roster.Engine.Catalog;

/// <summary>All tenants. A tenant is made by its first use. Thread-safe.</summary>
public sealed class TenantDirectory
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, TenantOwner> _byId = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, TenantOwner> _byNumber = new();
    private readonly Action<IReadOnlyList<StoredDocument>> _commit;
    private readonly TimeProvider _clock;

    /// <summary>Creates the directory from stored documents.</summary>
    /// <param name="documents">All documents of the store.</param>
    /// <param name="commit">Makes documents durable; returns when they are.</param>
    /// <param name="clock">The engine's clock.</param>
    public TenantDirectory(IReadOnlyList<StoredDocument> documents, Action<IReadOnlyList<StoredDocument>> commit, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(documents);
        _commit = commit;
        _clock = clock;
        foreach (var stored in documents.Where(d => d.Kind == DocumentKinds.Tenant))
        {
            var document = TenantDocument.Parser.ParseFrom(stored.Content);
            Add(new TenantOwner(document.Number, document.Id, documents.Where(d => d.Tenant == document.Number), commit, clock));
        }
    }

    /// <summary>Definitions of some tenant changed.</summary>
    public event Action? Changed;

    /// <summary>All tenants.</summary>
    public IEnumerable<TenantOwner> All => _byNumber.Values.OrderBy(t => t.Number);

    /// <summary>The tenant of that number.</summary>
    public TenantOwner Get(int number) => _byNumber[number];

    /// <summary>The tenant of that name; it is made when there is none.</summary>
    /// <exception cref="RosterException">The name is no name.</exception>
    public TenantOwner Get(string id)
    {
        if (_byId.TryGetValue(id, out var known))
        {
            return known;
        }

        if (!Names.IsId(id))
        {
            throw RosterException.Invalid("tenant", id, "A tenant has 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        lock (_gate)
        {
            if (_byId.TryGetValue(id, out known))
            {
                return known;
            }

            var number = _byNumber.Keys.DefaultIfEmpty(0).Max() + 1;
            var document = new TenantDocument { Number = number, Id = id };
            _commit([new StoredDocument(number, DocumentKinds.Tenant, id, document.ToByteArray())]);
            return Add(new TenantOwner(number, id, [], _commit, _clock));
        }
    }

    /// <summary>The tenant of that name, or null; none is made.</summary>
    public TenantOwner? Find(string id) => _byId.GetValueOrDefault(id);

    private TenantOwner Add(TenantOwner owner)
    {
        owner.Changed += () => Changed?.Invoke();
        _byNumber[owner.Number] = owner;
        _byId[owner.Id] = owner;
        return owner;
    }
}
