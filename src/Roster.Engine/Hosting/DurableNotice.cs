using Roster.Engine.Commits;
using Roster.Engine.Stores;

namespace Roster.Engine.Hosting;

/// <summary>
/// What became durable that whoever has the duties must hear of. It only says where to look: what counts is in the store, so a notice that comes late or is
/// lost costs time and nothing else.
/// </summary>
/// <param name="Timers">Records whose earliest due instant changed: for those who have the parts of the timers.</param>
/// <param name="Queues">Queues of the outbox that got effects.</param>
/// <param name="Removed">Effects that are gone, and whether they were withdrawn and not completed.</param>
/// <param name="HasJobs">Whether jobs were stored that nobody has begun.</param>
public sealed record DurableNotice(
    IReadOnlyList<TimerEntry> Timers, IReadOnlyList<(int Tenant, string Queue)> Queues, IReadOnlyList<(EffectId Id, bool IsWithdrawn)> Removed, bool HasJobs)
{
    /// <summary>Whether it says nothing to the one with the other duties.</summary>
    public bool IsEmpty => Queues.Count == 0 && Removed.Count == 0 && !HasJobs;

    internal static DurableNotice Of(OpenBatch batch)
    {
        var turns = batch.Turns;
        return new DurableNotice(
            batch.TimerChanges.Count == 0 ? [] : [.. batch.TimerChanges],
            turns.EffectsAdded.Count == 0 ? [] : [.. turns.EffectsAdded.Select(e => (e.Tenant, e.Queue)).Distinct()],
            turns.EffectsRemoved.Count == 0 ? [] : [.. turns.EffectsRemoved.Select(id => (id, turns.EffectsWithdrawn.Contains(id)))],
            turns.TurnCount > 0 && turns.Documents.Count > 0);
    }
}
