using Roster.Core;
using Roster.Core.Journal;
using Roster.Engine.Turns;

namespace Roster.Engine.Stores;

/// <summary>
/// Takes a whole tenant into a store, all of it or nothing: before <see cref="CompleteAsync"/> has returned nobody sees any of it, and when it is disposed of
/// without that, or the process ends, nothing is left that anybody would take for the tenant. Items come in the order of the methods.
/// </summary>
/// <remarks>
/// Positions and sequences are the store's own; the order of turns, and of the effects of a queue, stays. Record numbers and turn ids stay as they are. Not
/// thread-safe.
/// </remarks>
public interface ITenantImport : IAsyncDisposable
{
    /// <summary>Documents that the store has before: of other tenants, and of the engine itself.</summary>
    IReadOnlyList<StoredDocument> Present { get; }

    /// <summary>Says what comes. Called once, before anything else.</summary>
    /// <exception cref="StoreRefusedException">The store cannot take it.</exception>
    ValueTask BeginAsync(TenantPlan plan, CancellationToken cancellationToken);

    /// <summary>Adds documents of the tenant, or of the engine itself.</summary>
    ValueTask AddDocumentsAsync(IReadOnlyList<StoredDocument> documents, CancellationToken cancellationToken);

    /// <summary>Adds open effects: those of a queue oldest first. Their <see cref="StoredEffect.Sequence"/> is not looked at.</summary>
    ValueTask AddEffectsAsync(IReadOnlyList<StoredEffect> effects, CancellationToken cancellationToken);

    /// <summary>Adds turns in commit order.</summary>
    ValueTask AddTurnsAsync(IReadOnlyList<MovedTurn> turns, CancellationToken cancellationToken);

    /// <summary>Adds counters, and what turns had counted that were removed from the journal.</summary>
    ValueTask AddCountersAsync(
        IReadOnlyList<KeyValuePair<CounterKey, long>> counters, IReadOnlyList<KeyValuePair<CounterKey, long>> removed, CancellationToken cancellationToken);

    /// <summary>Adds keys with the records that they name.</summary>
    ValueTask AddKeysAsync(IReadOnlyList<KeyValuePair<RecordKey, long>> keys, CancellationToken cancellationToken);

    /// <summary>Adds records, of which all turns were added.</summary>
    ValueTask AddRecordsAsync(IReadOnlyList<MovedRecord> records, CancellationToken cancellationToken);

    /// <summary>Adds sections.</summary>
    ValueTask AddSectionsAsync(IReadOnlyList<StoredSection> sections, CancellationToken cancellationToken);

    /// <summary>Makes all of it durable and seen. Nothing was written when it throws, unless the exception says that it is not known.</summary>
    /// <exception cref="StoreRefusedException">Another tenant of the store has something under the same number or key.</exception>
    ValueTask CompleteAsync(CancellationToken cancellationToken);
}

/// <summary>What an import is about.</summary>
/// <param name="Tenant">Number of the tenant.</param>
/// <param name="NextSequence">Record numbers of sequences below it may be taken: the store gives out none of them any more.</param>
/// <param name="IsCut">Whether turns were removed from the front of the journal.</param>
/// <param name="Effects">Open effects that will be added.</param>
public readonly record struct TenantPlan(int Tenant, long NextSequence, bool IsCut, long Effects);

/// <summary>What is before a turn of a record.</summary>
public enum TurnLink
{
    /// <summary>Nothing: the turn created the record.</summary>
    First = 0,

    /// <summary>A turn that is in the journal.</summary>
    Follows = 1,

    /// <summary>A turn that retention removed.</summary>
    Removed = 2,
}

/// <summary>A turn on its way from one store to another.</summary>
/// <param name="Skeleton">Packed skeleton.</param>
/// <param name="Payload">Packed payload.</param>
/// <param name="Link">What is before it.</param>
/// <param name="Info">What the skeleton says the turn is about.</param>
/// <param name="Entries">Its entries, without texts and values.</param>
public sealed record MovedTurn(ReadOnlyMemory<byte> Skeleton, ReadOnlyMemory<byte> Payload, TurnLink Link, TurnInfo Info, JournalEntry[] Entries)
{
    /// <summary>Workflows that the turn concerns, each once, as the index of activity has them.</summary>
    public IEnumerable<int> Workflows => Entries.Select(entry => entry.Workflow).Where(workflow => workflow != 0).Distinct();
}

/// <summary>A record on its way from one store to another.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Head">Its packed head.</param>
/// <param name="TurnId">Its latest turn.</param>
/// <param name="DueAt">Earliest instant at which it goes on by itself; none when it does not.</param>
/// <param name="ActiveIn">Workflows that it is active in.</param>
public sealed record MovedRecord(long Number, ReadOnlyMemory<byte> Head, ulong TurnId, Timestamp DueAt, int[] ActiveIn);
