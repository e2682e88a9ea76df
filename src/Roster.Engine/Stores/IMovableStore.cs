using Roster.Core;

namespace Roster.Engine.Stores;

/// <summary>
/// What must be read of a store to move a tenant, beside <see cref="IRecordStore"/>. The caller has the store for itself and has written a checkpoint
/// (<see cref="IRecordStore.CheckpointAsync"/>): nothing is committed meanwhile.
/// </summary>
public interface IMovableStore : IRecordStore
{
    /// <summary>Keys of a tenant with the record that each names, in the order of object type and id, in which the store orders ids.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="after">Begins after this key; null begins at the first.</param>
    /// <param name="limit">Keys at most; at least 1.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<IReadOnlyList<KeyValuePair<RecordKey, long>>> ReadKeysAsync(int tenant, RecordKey? after, int limit, CancellationToken cancellationToken);

    /// <summary>All sections of some records.</summary>
    ValueTask<IReadOnlyList<StoredSection>> ReadSectionsAsync(IReadOnlyList<long> recordNumbers, CancellationToken cancellationToken);

    /// <summary>The first sequence that <see cref="IRecordStore.ReserveRecordSequencesAsync"/> never gave out.</summary>
    ValueTask<long> ReadNextSequenceAsync(CancellationToken cancellationToken);
}

/// <summary>A section of a record.</summary>
/// <param name="RecordNumber">The record.</param>
/// <param name="Index">Its index.</param>
/// <param name="Content">Its content.</param>
public readonly record struct StoredSection(long RecordNumber, int Index, ReadOnlyMemory<byte> Content);
