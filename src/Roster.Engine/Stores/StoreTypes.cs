using Roster.Core;

namespace Roster.Engine.Stores;

/// <summary>A head as loaded.</summary>
/// <param name="Found">Whether there is such a record.</param>
/// <param name="Number">Its number.</param>
/// <param name="Position">Position of its latest turn.</param>
/// <param name="Head">Its packed head, message <c>roster.storage.v1.RecordHead</c>.</param>
public readonly record struct LoadedRecord(bool Found, long Number, long Position, ReadOnlyMemory<byte> Head);

/// <summary>A record that goes on by itself.</summary>
/// <param name="DueAt">When.</param>
/// <param name="RecordNumber">Which.</param>
public readonly record struct TimerEntry(Timestamp DueAt, long RecordNumber) : IComparable<TimerEntry>
{
    /// <inheritdoc/>
    public int CompareTo(TimerEntry other)
    {
        var byTime = DueAt.Ms.CompareTo(other.DueAt.Ms);
        return byTime != 0 ? byTime : RecordNumber.CompareTo(other.RecordNumber);
    }
}

/// <summary>Names an effect within the store: unique, and the same for every attempt (ACT-03).</summary>
/// <param name="RecordNumber">The record.</param>
/// <param name="Enrollment">Enrollment number.</param>
/// <param name="Step">Number of the step.</param>
/// <param name="Execution">Execution index.</param>
public readonly record struct EffectId(long RecordNumber, int Enrollment, int Step, int Execution);

/// <summary>An effect that a turn adds to the outbox.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Tenant">The tenant.</param>
/// <param name="Queue">Queue that workers lease from.</param>
/// <param name="Task">Packed task, opaque to the store (message <c>roster.storage.v1.OutboxTask</c>).</param>
public sealed record EffectAdd(EffectId Id, int Tenant, string Queue, byte[] Task);

/// <summary>An open effect.</summary>
/// <param name="Sequence">Rises in commit order: the position of its turn plus its index in the turn.</param>
/// <param name="Id">Its id.</param>
/// <param name="Tenant">The tenant.</param>
/// <param name="Queue">Its queue.</param>
/// <param name="Task">Packed task.</param>
public sealed record StoredEffect(long Sequence, EffectId Id, int Tenant, string Queue, byte[] Task);

/// <summary>How many effects are open in a queue.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Queue">The queue.</param>
/// <param name="Count">Open effects.</param>
public readonly record struct EffectQueueCount(int Tenant, string Queue, long Count);

/// <summary>A turn as stored.</summary>
/// <param name="Position">Its position; 0 is none.</param>
/// <param name="Previous">Position of the record's turn before it; 0 for its first, -1 when that one was removed by retention.</param>
/// <param name="Skeleton">Packed skeleton, message <c>roster.storage.v1.TurnSkeleton</c>: numbers, times, codes.</param>
/// <param name="Payload">Packed payload, message <c>roster.storage.v1.TurnPayload</c>: texts and values. Empty after erasure.</param>
public sealed record StoredTurn(long Position, long Previous, ReadOnlyMemory<byte> Skeleton, ReadOnlyMemory<byte> Payload);

/// <summary>What <see cref="IRecordStore.EraseAsync"/> takes out.</summary>
/// <param name="Turns">Turns with the payloads that they shall have from now on.</param>
/// <param name="Key">The key that shall have another id; null for none.</param>
public sealed record Erasure(IReadOnlyList<RewrittenTurn> Turns, RenamedKey? Key = null);

/// <summary>A turn with another payload.</summary>
/// <param name="Position">Position of the turn.</param>
/// <param name="Payload">Its payload from now on: not longer than the one that it has; may be empty.</param>
public readonly record struct RewrittenTurn(long Position, ReadOnlyMemory<byte> Payload);

/// <summary>A key with another id. It names the same record.</summary>
/// <param name="From">The key until now. When it is not there, it was renamed before.</param>
/// <param name="To">The key from now on.</param>
public sealed record RenamedKey(RecordKey From, RecordKey To);

/// <summary>A definition or other small document.</summary>
/// <param name="Tenant">The tenant, 0 for the engine.</param>
/// <param name="Kind">Kind: <c>tenant</c>, <c>schema</c>, <c>workflow</c>, <c>list</c>, <c>inbox</c>, <c>operation</c>, <c>operation_refs</c>, <c>zones</c>, <c>erasure</c>, <c>webhook</c>, <c>queue</c>.</param>
/// <param name="Id">Id within the kind.</param>
/// <param name="Content">Content, opaque to the store; null removes it.</param>
public sealed record StoredDocument(int Tenant, string Kind, string Id, byte[]? Content)
{
    /// <summary>Whether turns and definitions depend on it, so that a change of it makes what was decided before stale. Jobs only note how far they are.</summary>
    public bool IsDefinition => Kind is not ("operation" or "operation_refs" or "zones");
}

/// <summary>What a counter counts. Stored.</summary>
public enum CounterKind
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Events and commands applied. No workflow.</summary>
    Applied = 1,

    /// <summary>Duplicates. No workflow.</summary>
    Duplicate = 2,

    /// <summary>Duplicates with another content. No workflow.</summary>
    Mismatch = 3,

    /// <summary>Refused events and commands; code is the reason. No workflow.</summary>
    RefusedInput = 4,

    /// <summary>Enrollments begun.</summary>
    Enrolled = 10,

    /// <summary>Distinct records enrolled.</summary>
    RecordsEnrolled = 11,

    /// <summary>Enrollments ended; code is the end reason.</summary>
    Ended = 12,

    /// <summary>Considerations refused; code is the decision.</summary>
    Refused = 13,

    /// <summary>Steps entered.</summary>
    StepEntered = 20,

    /// <summary>Steps left; code is the result.</summary>
    StepFinished = 21,

    /// <summary>Branches taken; code is 1 plus the index, 0 for the default.</summary>
    BranchTaken = 22,

    /// <summary>Steps left because the enrollment ended in them or a publish removed them.</summary>
    StepAbandoned = 23,

    /// <summary>Records counted for a goal; code is 1 plus its index.</summary>
    GoalMet = 24,

    /// <summary>Steps left that took time; code is the bucket of the time in step (MET-14).</summary>
    StepTime = 25,

    /// <summary>Steps left with an error; code is the failure code (MET-02).</summary>
    StepError = 26,

    /// <summary>Enrollments that came from an older version, less those that went to a newer one (EDT-07).</summary>
    Adapted = 27,

    /// <summary>Steps waited in when the enrollment came from an older version, less those that went to a newer one.</summary>
    StepAdapted = 28,

    /// <summary>Enrollments begun on a day; code is the day since 1970-01-01 in the tenant's zone (MET-03).</summary>
    EnrolledOn = 33,

    /// <summary>Enrollments completed on a day.</summary>
    CompletedOn = 34,

    /// <summary>Enrollments ended before they completed, on a day.</summary>
    UnenrolledOn = 35,

    /// <summary>Members of a list; workflow is the number of the list.</summary>
    ListMembers = 36,

    /// <summary>Late writes (REC-05). No workflow.</summary>
    LateWrite = 37,

    /// <summary>Loop guards that tripped (ENG-08). No workflow.</summary>
    LoopGuard = 38,

    /// <summary>Tasks requested.</summary>
    EffectRequested = 30,

    /// <summary>Tasks completed; code is the result.</summary>
    EffectCompleted = 31,

    /// <summary>What became of e-mails, by signal; of a step, or with step 0 of all e-mails of the workflow (MET-10, MET-11).</summary>
    Email = 60,

    /// <summary>Enrollments of which an e-mail was opened, clicked and so on, by signal (MET-16).</summary>
    EmailEnrollments = 61,

    /// <summary>First reactions to e-mails of a step; code is the bucket of the time since the send (MET-13).</summary>
    ReactionTime = 62,

    /// <summary>Enrollments in a sequence that finished without a reply or a meeting (MET-16).</summary>
    NoResponse = 63,

    /// <summary>Timers that fired.</summary>
    TimerFired = 40,

    /// <summary>Records created.</summary>
    RecordCreated = 41,
}

/// <summary>Names a counter. Counters are folds of the journal (MET-01), but for inputs that left no entry (MET-17).</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Workflow">The workflow, 0 for none.</param>
/// <param name="Version">Its version, 0 for none.</param>
/// <param name="Kind">What is counted.</param>
/// <param name="Step">The step, 0 for none.</param>
/// <param name="Code">A code, by kind.</param>
public readonly record struct CounterKey(int Tenant, int Workflow, int Version, CounterKind Kind, int Step, int Code);

/// <summary>Facts about a store.</summary>
/// <param name="JournalPosition">Position of the newest durable turn, 0 for none.</param>
/// <param name="CheckpointPosition">Position up to which tables are written.</param>
/// <param name="Records">Records known.</param>
/// <param name="Timers">Pending timers.</param>
/// <param name="Effects">Open effects.</param>
public readonly record struct StoreStatus(long JournalPosition, long CheckpointPosition, long Records, long Timers, long Effects)
{
    /// <summary>Turns below this position were removed by retention; 0: none was.</summary>
    public long JournalBegin { get; init; }
}

/// <summary>A checkpoint.</summary>
/// <param name="Position">Position it stands for.</param>
/// <param name="Rows">Rows written.</param>
public readonly record struct CheckpointResult(long Position, long Rows);

/// <summary>The disk, or a size limit of the store, is full. Nothing of the batch was written; a later call may succeed.</summary>
public sealed class StoreFullException : Exception
{
    /// <summary>Creates the exception.</summary>
    public StoreFullException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>Stored bytes are not what was written. The process must stop; it must not guess (P8).</summary>
public sealed class StoreCorruptException : Exception
{
    /// <summary>Creates the exception.</summary>
    public StoreCorruptException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>The store cannot be opened as it is: in use by another process, unsafe settings, or of a later version.</summary>
public sealed class StoreRefusedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public StoreRefusedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// What a batch was decided on is not what a store that several processes write has by now. Nothing of the batch was written: drop the states that
/// are named, read the definitions of the tenants that are named, and decide again.
/// </summary>
public sealed class StoreConflictException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="records">Numbers of records that are not as they were when they were read.</param>
    /// <param name="tenants">Tenants whose definitions changed; 0 for those of the engine.</param>
    public StoreConflictException(IReadOnlyCollection<long> records, IReadOnlyCollection<int> tenants)
        : base($"Another process was quicker: {records?.Count} records and the definitions of {tenants?.Count} tenants have changed. Nothing was written.")
    {
        Records = records ?? [];
        Tenants = tenants ?? [];
    }

    /// <summary>Numbers of records that are not as they were when they were read.</summary>
    public IReadOnlyCollection<long> Records { get; }

    /// <summary>Tenants whose definitions changed; 0 for those of the engine.</summary>
    public IReadOnlyCollection<int> Tenants { get; }
}

/// <summary>Another process has taken the store over. Nothing of the batch was written, and nothing ever will be: the process must stop.</summary>
public sealed class StoreFencedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public StoreFencedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
