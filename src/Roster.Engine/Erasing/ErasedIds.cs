using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Roster.Core;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;

namespace Roster.Engine.Erasing;

/// <summary>
/// What stands for the ids of erased records (REC-17): a keyed hash, so that an id can be checked against what was erased and cannot be found by
/// trying ids without the key. An erased record keeps its place in the store under the hash, and is found there by its id.
/// </summary>
/// <remarks>
/// Thread-safe. The key is a random document of the installation, made before the first erasure. Whoever has both the key and the store can
/// try ids; the key must not leave the installation.
/// </remarks>
public sealed class ErasedIds
{
    private const string Mark = "~erased/";
    private const int KeyBytes = 32;

    private readonly Lock _gate = new();
    private volatile byte[]? _key;

    /// <summary>Takes the key from the documents of the store; there is none before the first erasure.</summary>
    public ErasedIds(IEnumerable<StoredDocument> documents)
    {
        ArgumentNullException.ThrowIfNull(documents);
        _key = documents.FirstOrDefault(d => d.Kind == DocumentKinds.Erasure)?.Content;
    }

    /// <summary>Takes the key when another process made it.</summary>
    internal void Take(IEnumerable<StoredDocument> documents) => _key ??= documents.FirstOrDefault(d => d.Kind == DocumentKinds.Erasure)?.Content;

    /// <summary>Whether nothing was ever erased.</summary>
    public bool IsEmpty => _key is null;

    /// <summary>Makes the key before the first erasure; false when there is one already. It is durable when this returns.</summary>
    /// <param name="commit">Makes documents durable.</param>
    public bool Begin(Action<IReadOnlyList<StoredDocument>> commit)
    {
        ArgumentNullException.ThrowIfNull(commit);
        lock (_gate)
        {
            var isFirst = _key is null;
            if (isFirst)
            {
                var key = RandomNumberGenerator.GetBytes(KeyBytes);
                commit([new StoredDocument(0, DocumentKinds.Erasure, "key", key)]);
                _key = key;
            }

            return isFirst;
        }
    }

    /// <summary>The key under which the store has a record once it is erased.</summary>
    /// <exception cref="InvalidOperationException">Nothing was ever erased.</exception>
    public RecordKey Of(RecordKey key) => key with { Id = Mark + Base64Url.EncodeToString(Hash(key)) };

    /// <summary>
    /// What stands for an id in the journals of other records: as many bytes as the id has, so that it fits into its place, and always the same
    /// for the same id, so that a link that is made and the same link that is taken away stay one link when the journal is replayed.
    /// </summary>
    public string MaskOf(RecordKey key)
    {
        var hash = Base64Url.EncodeToString(Hash(key));
        var length = Encoding.UTF8.GetByteCount(key.Id);
        return string.Concat(Enumerable.Repeat(hash, (length / hash.Length) + 1))[..length];
    }

    /// <summary>Loads heads by key; those that are not there, and were erased, under the key that they have since.</summary>
    public async ValueTask LoadAsync(IRecordStore store, IReadOnlyList<RecordKey> keys, IList<LoadedRecord> results, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(results);
        await store.LoadAsync(keys, results, cancellationToken).ConfigureAwait(false);
        if (IsEmpty)
        {
            return;
        }

        var unknown = Enumerable.Range(0, keys.Count).Where(i => !results[i].Found).ToList();
        if (unknown.Count == 0)
        {
            return;
        }

        var erased = new List<LoadedRecord>();
        await store.LoadAsync([.. unknown.Select(i => Of(keys[i]))], erased, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < unknown.Count; i++)
        {
            results[unknown[i]] = erased[i];
        }
    }

    private byte[] Hash(RecordKey key)
    {
        var id = Encoding.UTF8.GetBytes(key.Id);
        var bytes = new byte[8 + id.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, key.Tenant);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), key.ObjectType);
        id.CopyTo(bytes, 8);
        return HMACSHA256.HashData(_key ?? throw new InvalidOperationException("Nothing was ever erased."), bytes);
    }
}
