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

    /// <summary>Unlike the other one never held while a commit is under way.</summary>
    private readonly Lock _adding = new();
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

    /// <summary>Version of the stored documents of the engine itself; 0 where nobody else writes.</summary>
    public long StoredVersion => _storedVersion.Value;

    /// <summary>Reads documents and versions from a store that other processes write too; null where they do not.</summary>
    internal Func<(IReadOnlyList<StoredDocument> Documents, IReadOnlyDictionary<int, long> Versions)>? ReadStored { get; init; }

    private readonly RisingVersion _storedVersion = new();

    /// <summary>The version of the definitions that a tenant's next change is decided on; 0 for one that is not known yet.</summary>
    internal long VersionOf(int tenant) => tenant == 0 ? StoredVersion : _byNumber.TryGetValue(tenant, out var owner) ? owner.StoredVersion : 0;

    /// <summary>
    /// A commit wrote definitions of a tenant; they have at least that version now. Not one more than what is known: what was written may have been read again already, and
    /// two changes may have been one commit.
    /// </summary>
    internal void RaiseVersion(int tenant, long version)
    {
        if (tenant == 0)
        {
            _storedVersion.RaiseTo(version);
        }
        else if (_byNumber.TryGetValue(tenant, out var owner))
        {
            owner.RaiseStoredVersion(version);
        }
    }

    /// <summary>Takes what other processes changed: tenants that are new, and definitions that are newer than what is known.</summary>
    /// <param name="documents">All documents, read after the versions.</param>
    /// <param name="versions">Versions by tenant.</param>
    internal void Refresh(IReadOnlyList<StoredDocument> documents, IReadOnlyDictionary<int, long> versions)
    {
        AddUnknown(documents, versions);
        foreach (var owner in All)
        {
            owner.Reload(documents.Where(d => d.Tenant == owner.Number), versions.GetValueOrDefault(owner.Number));
        }

        _storedVersion.RaiseTo(versions.GetValueOrDefault(0));
    }

    /// <summary>Adds tenants that another process made. Waits for no owner.</summary>
    private void AddUnknown(IReadOnlyList<StoredDocument> documents, IReadOnlyDictionary<int, long> versions)
    {
        lock (_adding)
        {
            foreach (var stored in documents.Where(d => d.Kind == DocumentKinds.Tenant))
            {
                var document = TenantDocument.Parser.ParseFrom(stored.Content);
                if (!_byNumber.ContainsKey(document.Number))
                {
                    var owner = new TenantOwner(document.Number, document.Id, documents.Where(d => d.Tenant == document.Number), _commit, _clock);
                    owner.SetStoredVersion(versions.GetValueOrDefault(document.Number));
                    Add(owner);
                }
            }
        }
    }

    /// <summary>Definitions of some tenant changed.</summary>
    public event Action? Changed;

    /// <summary>All tenants.</summary>
    public IEnumerable<TenantOwner> All => _byNumber.Values.OrderBy(t => t.Number);

    /// <summary>Whether there is a tenant of that name here.</summary>
    internal bool Knows(string id) => _byId.ContainsKey(id);

    /// <summary>The tenant of that number.</summary>
    public TenantOwner Get(int number)
    {
        if (!_byNumber.TryGetValue(number, out var owner) && ReadStored is not null)
        {
            var (documents, versions) = ReadStored();
            AddUnknown(documents, versions);
            owner = _byNumber[number];
        }

        return owner ?? throw new KeyNotFoundException($"There is no tenant {number}.");
    }

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

            while (true)
            {
                if (ReadStored is not null)
                {
                    var (documents, versions) = ReadStored();
                    AddUnknown(documents, versions);
                    if (_byId.TryGetValue(id, out known))
                    {
                        return known;
                    }
                }

                var number = _byNumber.Keys.DefaultIfEmpty(0).Max() + 1;
                var document = new TenantDocument { Number = number, Id = id };
                try
                {
                    _commit([new StoredDocument(number, DocumentKinds.Tenant, id, document.ToByteArray())]);
                }
                catch (StoreConflictException) when (ReadStored is not null)
                {
                    // Another process made a tenant of that number: this one, or another.
                    continue;
                }

                lock (_adding)
                {
                    var owner = new TenantOwner(number, id, [], _commit, _clock);
                    owner.SetStoredVersion(ReadStored is null ? 0 : 1);
                    return _byNumber.TryGetValue(number, out var read) ? read : Add(owner);
                }
            }
        }
    }

    /// <summary>The tenant of that name, or null; none is made.</summary>
    public TenantOwner? Find(string id) => _byId.GetValueOrDefault(id);

    private TenantOwner Add(TenantOwner owner)
    {
        owner.ReloadSelf = ReadStored is null ? null : ReloadFromStore;
        owner.Changed += () => Changed?.Invoke();
        _byNumber[owner.Number] = owner;
        _byId[owner.Id] = owner;
        return owner;
    }

    private void ReloadFromStore(TenantOwner owner)
    {
        var (documents, versions) = ReadStored!();
        owner.Reload(documents.Where(d => d.Tenant == owner.Number), versions.GetValueOrDefault(owner.Number));
    }
}
