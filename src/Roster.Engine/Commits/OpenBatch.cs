using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Engine.Commits;

/// <summary>Someone who waits for a batch to be durable.</summary>
public interface ICommitWaiter
{
    /// <summary>Called once, on the committer's thread; must not block. Null when the batch is durable, else why nothing of it is.</summary>
    void OnCommitted(Exception? failure);
}

/// <summary>Turns that one source has decided and that are not yet handed to the store, with all that follows their commit.</summary>
public sealed class OpenBatch
{
    /// <summary>The turns.</summary>
    public TurnBatch Turns { get; } = new();

    /// <summary>Who waits for them.</summary>
    public List<ICommitWaiter> Waiters { get; } = [];

    /// <summary>Records whose earliest due instant changed; none when the record waits for nothing any more.</summary>
    public List<TimerEntry> TimerChanges { get; } = [];

    /// <summary>For the source: one slot per turn.</summary>
    public List<int> Slots { get; } = [];

    /// <summary>Whether there is nothing to commit and nobody who waits.</summary>
    public bool IsEmpty => Turns.IsEmpty && Waiters.Count == 0;

    /// <summary>Empties the batch and keeps its buffers.</summary>
    public void Clear()
    {
        Turns.Clear();
        Waiters.Clear();
        TimerChanges.Clear();
        Slots.Clear();
    }
}

/// <summary>Where the committer gets batches from: a shard of the embedded host, or a silo's grains.</summary>
public interface ICommitSource
{
    /// <summary>Takes the open batch, if it has content; the source begins another one.</summary>
    OpenBatch? TakeBatch();

    /// <summary>A batch that was taken is durable; positions are set. The source may reuse it.</summary>
    void OnCommitted(OpenBatch batch);

    /// <summary>
    /// Nothing of a batch that was taken is durable. The source drops every state that is not durable, and everything decided on it,
    /// the open batch included, and fails those who wait (design section 4).
    /// </summary>
    void OnFailed(OpenBatch batch, Exception failure);

    /// <summary>
    /// Nothing of a batch that was taken is durable, because what it was decided on had changed. The source drops every state that is not durable and those
    /// that the conflict names, and decides everything again, in its order.
    /// </summary>
    void OnConflict(OpenBatch batch, StoreConflictException conflict);
}
