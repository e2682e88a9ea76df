using Roster.Core;

namespace Roster.Engine.Stores;

/// <summary>
/// The durable store: journal, record states, timers, effects, definitions and counters. One port for the volatile store, SQLite
/// and PostgreSQL; the conformance kit in the tests is the contract made executable.
/// </summary>
/// <remarks>
/// <para>Atomicity: a batch is durable whole or not at all when <see cref="CommitAsync"/> returns; a single turn of it may be
/// refused as a conflict without harm to the others. What a commit wrote is seen by every read that begins after it returned.</para>
/// <para>Buffers: a batch belongs to the store from the call of <see cref="CommitAsync"/> until the returned task has completed;
/// after that the caller may reuse it, so the store keeps no reference. What a read returns belongs to the caller.</para>
/// <para>Failures: <see cref="StoreFullException"/> means nothing of the batch was written, and a later call may succeed. So do
/// <see cref="ArgumentException"/>, for a batch that breaks <see cref="BatchRules"/>, and <see cref="OperationCanceledException"/>: a
/// commit is not cancelled any more once it has begun. <see cref="StoreCorruptException"/> means stored bytes are not what was written:
/// stop. <see cref="StoreFencedException"/> means another process owns the store now: nothing was written, stop. Any other exception of <see cref="CommitAsync"/> means the outcome is unknown: the process must stop without acknowledging
/// anything, and find out by recovery; the store takes no more commits. Reads may be repeated.</para>
/// <para>Threads: <see cref="CommitAsync"/> is called by one caller at a time; everything else from any thread, also while a commit
/// is under way.</para>
/// </remarks>
public interface IRecordStore : IAsyncDisposable
{
    /// <summary>Name for status and logs: <c>volatile</c>, <c>sqlite</c>, <c>postgres</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Whether <see cref="CommitAsync"/> needs <see cref="TurnHeader.Head"/>. A store that keeps the truth in a log and asks a
    /// <see cref="ICheckpointSource"/> does not.
    /// </summary>
    bool NeedsHeads { get; }

    /// <summary>
    /// Whether other processes commit to the same store at the same time. Then <see cref="CommitAsync"/> judges a batch as a whole: when a turn would be a
    /// conflict, when a state of <see cref="TurnBatch.Checks"/> is not the newest one any more, or when a version of <see cref="TurnBatch.DecidedOn"/> is not
    /// the present one, it throws <see cref="StoreConflictException"/> and has written nothing. False by default.
    /// </summary>
    bool IsShared => false;

    /// <summary>Facts for status: positions and counts.</summary>
    StoreStatus Status { get; }

    /// <summary>Reads <see cref="Status"/> as of now, also what other processes did.</summary>
    ValueTask<StoreStatus> ReadStatusAsync(CancellationToken cancellationToken) => new(Status);

    /// <summary>
    /// Versions of the definitions by tenant, raised by every commit that writes documents of which <see cref="StoredDocument.IsDefinition"/> is true. One that
    /// was never written has none and is at 0. Empty where nobody else writes.
    /// </summary>
    ValueTask<IReadOnlyDictionary<int, long>> ReadVersionsAsync(CancellationToken cancellationToken) => new(new Dictionary<int, long>());

    /// <summary>Tells the store where copies of committed heads can be had without reading them from disk. Called once, before the first commit.</summary>
    void UseCheckpointSource(ICheckpointSource source);

    /// <summary>
    /// Reserves record numbers that no one else is ever given: the first of <paramref name="count"/> in a row. Gaps are fine.
    /// </summary>
    ValueTask<long> ReserveRecordSequencesAsync(int count, CancellationToken cancellationToken);

    /// <summary>
    /// Loads heads by key. For each request the result says whether there is such a record, its number and its packed head as of
    /// the newest commit.
    /// </summary>
    /// <param name="keys">The wanted records.</param>
    /// <param name="results">Element n answers key n: it is overwritten where the list is long enough, and added where it is not.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask LoadAsync(IReadOnlyList<RecordKey> keys, IList<LoadedRecord> results, CancellationToken cancellationToken);

    /// <summary>Loads one head by record number.</summary>
    ValueTask<LoadedRecord> LoadAsync(long recordNumber, CancellationToken cancellationToken);

    /// <summary>
    /// Loads heads by record number, with as few round trips as the store can: element n answers number n, and is empty when there is no such
    /// record.
    /// </summary>
    ValueTask<IReadOnlyList<LoadedRecord>> LoadAsync(IReadOnlyList<long> recordNumbers, CancellationToken cancellationToken);

    /// <summary>
    /// The host drops a head from memory. A store that would have to put it together from several places to load it may keep the bytes
    /// until its own tables have them. Neither blocks nor fails; a store that has no use for it does nothing, which is the default.
    /// </summary>
    /// <param name="recordNumber">Number of the record.</param>
    /// <param name="position">Position of its latest turn, which is durable.</param>
    /// <param name="head">Its packed head as of that turn; belongs to the caller.</param>
    void KeepHead(long recordNumber, long position, ReadOnlySpan<byte> head)
    {
    }

    /// <summary>Loads a section of a record as of the newest commit; null when there is none.</summary>
    ValueTask<byte[]?> LoadSectionAsync(long recordNumber, int sectionIndex, CancellationToken cancellationToken);

    /// <summary>
    /// Makes a batch durable. Sets <see cref="TurnHeader.Position"/> of each turn that was committed; the positions rise in
    /// the order of the batch and from batch to batch. A turn whose <see cref="TurnHeader.ExpectedTurnId"/> is not the stored
    /// one, that creates a record whose key is taken, or that removes an effect that is not there, is a conflict: it is left out, with
    /// <see cref="TurnHeader.Position"/> 0. Each turn is judged by what is stored and what the turns before it in the batch did.
    /// </summary>
    /// <remarks>
    /// Documents and counters belong to the batch and not to a turn: they are written also when turns are conflicts. An effect id
    /// is added once in the life of a store, which its numbers see to; stores need not check it. A turn removes before it adds.
    /// </remarks>
    ValueTask CommitAsync(TurnBatch batch, CancellationToken cancellationToken);

    /// <summary>
    /// Pending timers after <paramref name="after"/> in the order of due instant and record number, one per record: the
    /// earliest instant at which the record goes on by itself.
    /// </summary>
    ValueTask<IReadOnlyList<TimerEntry>> ReadTimersAsync(TimerEntry after, int limit, CancellationToken cancellationToken);

    /// <summary>Open effects of a queue with a sequence above <paramref name="afterSequence"/>, oldest first.</summary>
    ValueTask<IReadOnlyList<StoredEffect>> ReadEffectsAsync(int tenant, string queue, long afterSequence, int limit, CancellationToken cancellationToken);

    /// <summary>Queues that have open effects, with their number.</summary>
    ValueTask<IReadOnlyList<EffectQueueCount>> ReadEffectQueuesAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Turns of one record below <paramref name="beforePosition"/>, newest first. 0 begins at the newest. Those that retention removed are left
    /// out: the oldest one that is left says so by <see cref="StoredTurn.Previous"/>; when none is left, all were removed.
    /// </summary>
    ValueTask<IReadOnlyList<StoredTurn>> ReadTimelineAsync(long recordNumber, long beforePosition, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Turns of all records above <paramref name="afterPosition"/> in commit order: at most <paramref name="limit"/>, or fewer when
    /// they are large. Empty at the end.
    /// </summary>
    ValueTask<IReadOnlyList<StoredTurn>> ReadJournalAsync(long afterPosition, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// What the turns counted that retention removed, all below <see cref="StoreStatus.JournalBegin"/>: a recount of the journal starts there
    /// (MET-01). Empty when none was removed; null when the store does not keep it.
    /// </summary>
    ValueTask<IReadOnlyList<KeyValuePair<CounterKey, long>>?> ReadRemovedCountersAsync(int tenant, CancellationToken cancellationToken);

    /// <summary>
    /// Turns that concern one workflow below <paramref name="beforePosition"/>, newest first, each once. 0 begins at the newest.
    /// </summary>
    ValueTask<IReadOnlyList<StoredTurn>> ReadActivityAsync(int tenant, int workflow, long beforePosition, int limit, CancellationToken cancellationToken);

    /// <summary>Heads of records with a number above <paramref name="afterNumber"/> in the order of numbers, as of some moment of the call.</summary>
    ValueTask<IReadOnlyList<LoadedRecord>> ScanRecordsAsync(long afterNumber, int limit, CancellationToken cancellationToken);

    /// <summary>All documents: tenants, schemas, workflows, operations. Read once, at start.</summary>
    ValueTask<IReadOnlyList<StoredDocument>> ReadDocumentsAsync(CancellationToken cancellationToken);

    /// <summary>All counters of a tenant as of the newest commit.</summary>
    ValueTask<IReadOnlyList<KeyValuePair<CounterKey, long>>> ReadCountersAsync(int tenant, CancellationToken cancellationToken);

    /// <summary>
    /// Sums of a tenant's counters of some kinds, over all workflows, as of the newest commit. A kind that counted nothing is not among them. A store that others commit
    /// to is asked every second, so it does not read all counters for it.
    /// </summary>
    async ValueTask<IReadOnlyDictionary<CounterKind, long>> SumCountersAsync(int tenant, IReadOnlyList<CounterKind> kinds, CancellationToken cancellationToken) =>
        (await ReadCountersAsync(tenant, cancellationToken).ConfigureAwait(false))
            .Where(counter => kinds.Contains(counter.Key.Kind))
            .GroupBy(counter => counter.Key.Kind)
            .ToDictionary(kind => kind.Key, kind => kind.Sum(counter => counter.Value));

    /// <summary>
    /// Takes personal data out of what was committed before (REC-17): puts other payloads in the place of those of some turns, and another
    /// id in the place of the one in a key. Tasks and sections that the store may keep beside these payloads go too. No read that begins
    /// after the call has returned finds the former ones; when they are in no file any more is what <see cref="ScrubAsync"/> says.
    /// </summary>
    /// <remarks>
    /// <para>Skeletons, positions, heads, sections in force, open effects, timers, counters and activity do not change. The same call again
    /// changes nothing. Commits and reads may go on meanwhile.</para>
    /// <para>A store that folds payloads when it loads or recovers must have what they led to in its tables first: it writes a checkpoint.</para>
    /// </remarks>
    /// <exception cref="ArgumentException">There is no turn at a position, or the payload is longer than the one that it replaces; nothing changed.</exception>
    ValueTask EraseAsync(Erasure erasure, CancellationToken cancellationToken);

    /// <summary>
    /// Sees that what was replaced or removed before the call, payloads, keys and former rows alike, leaves the files of the store. Backups are
    /// the operator's. It may take as long as writing the tables anew. Commits go on meanwhile.
    /// </summary>
    /// <remarks>
    /// SQLite: a checkpoint, <c>VACUUM</c>, and an empty WAL; when the call returns no byte is left. PostgreSQL: <c>VACUUM</c>, after which no
    /// query finds anything; bytes in unused parts of pages and in the WAL go as the server uses them again, and <c>VACUUM FULL</c>, which
    /// holds up everything, hastens it.
    /// </remarks>
    ValueTask ScrubAsync(CancellationToken cancellationToken);

    /// <summary>Writes a checkpoint now, where the store has such a thing; returns the position it stands for and the rows written.</summary>
    ValueTask<CheckpointResult> CheckpointAsync(CancellationToken cancellationToken);
}

/// <summary>Gives copies of packed heads to a checkpoint, so that hot records need no reading.</summary>
public interface ICheckpointSource
{
    /// <summary>
    /// Copies the heads that are in memory and whose latest turn is durable. Those left out are loaded by the store itself.
    /// </summary>
    /// <param name="recordNumbers">The wanted records.</param>
    /// <param name="heads">Same length; an entry that stays null was not at hand.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask CopyHeadsAsync(IReadOnlyList<long> recordNumbers, IList<DurableHead?> heads, CancellationToken cancellationToken);
}

/// <summary>A copy of a head with the position of its latest turn, which is durable.</summary>
/// <param name="Position">Position of the latest turn that is in the head.</param>
/// <param name="Head">Packed head.</param>
public sealed record DurableHead(long Position, byte[] Head);
