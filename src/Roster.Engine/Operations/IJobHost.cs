using Roster.Core;
using Roster.Core.Records;
using Roster.Core.Turns;
using Roster.Engine.Catalog;
using Roster.Engine.Erasing;
using Roster.Engine.Stores;

namespace Roster.Engine.Operations;

/// <summary>What jobs need of a host: turns for records, and durable documents.</summary>
public interface IJobHost
{
    /// <summary>The store, for scans.</summary>
    IRecordStore Store { get; }

    /// <summary>What stands for the ids of erased records.</summary>
    ErasedIds ErasedIds { get; }

    /// <summary>The clock.</summary>
    TimeProvider Clock { get; }

    /// <summary>Runs an input for a record named by its key; one that is unknown may be created.</summary>
    ValueTask<TurnResult> RunTurnAsync(RecordKey key, TurnInput input, CancellationToken cancellationToken);

    /// <summary>Runs an input for a stored record; made from its state once the state is at hand, null for nothing to do.</summary>
    ValueTask<TurnResult> RunTurnAsync(long recordNumber, Func<RecordState, TurnInput?> input, CancellationToken cancellationToken);

    /// <summary>The decision that a repeated enrollment request got the first time (API-03); empty when none is found.</summary>
    ValueTask<string> FindFirstDecisionAsync(TenantOwner owner, V1.RecordRef reference, string workflowId, string requestId, CancellationToken cancellationToken);

    /// <summary>
    /// Waits before something is tried again that found the engine overloaded or the disk full. It ends in real time, whatever
    /// <see cref="Clock"/> is: room comes in real time, and a manual clock may be waiting for this very job.
    /// </summary>
    Task PauseAsync(CancellationToken cancellationToken);

    /// <summary>Lets live events go first: waits a while, in real time, when some wait to be decided (EDT-06).</summary>
    Task GiveWayAsync(CancellationToken cancellationToken);

    /// <summary>Waits until a job of the tenant may have a turn by the tenant's rate, live events first (LIM-02).</summary>
    ValueTask WaitForTurnAsync(TenantOwner tenant, CancellationToken cancellationToken);


    /// <summary>Makes documents durable, in the order of the calls.</summary>
    /// <exception cref="RosterException">The disk is full (overloaded): a later call may succeed. Or the store has failed for good.</exception>
    Task CommitAsync(IReadOnlyList<StoredDocument> documents);

    /// <summary>
    /// Completes when every turn that was decided until now is durable, or was taken back. A turn may have been decided by the catalog before a
    /// change that is durable already; what is read from the store after this has it.
    /// </summary>
    Task WhenDecidedAsync(CancellationToken cancellationToken);

    /// <summary>Completes when all messages between records of a tenant that are durable now have been delivered (ENG-15).</summary>
    Task WhenDeliveredAsync(int tenant, CancellationToken cancellationToken);

    /// <summary>The tenant of a number.</summary>
    TenantOwner TenantOf(int number);
}
