using Orleans.Runtime;
using Orleans.Placement;
using Orleans.Runtime.Placement;
using Roster.Cluster.Calls;

namespace Roster.Cluster;

/// <summary>
/// Places what belongs to one part of the records at one silo: the records, the timers that wake them, and what reaches them by number, such as a completed task. A turn finds the state
/// that the turn before it left. Where a record runs is a matter of speed alone; the store judges.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PlacedByPartAttribute() : PlacementAttribute(new PartPlacement());

/// <inheritdoc cref="PlacedByPartAttribute"/>
[Serializable]
[GenerateSerializer]
[Immutable]
[Alias("roster.part-placement")]
public sealed class PartPlacement : PlacementStrategy;

/// <summary>Finds the silo of a part.</summary>
internal sealed class PartPlacementDirector(Silo silo) : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context) =>
        Task.FromResult(OwnerOf(silo.PartOf(target.GrainIdentity.Key.ToString()!), context.GetCompatibleSilos(target)));

    /// <summary>
    /// The silo with the highest score for the part: when one comes or goes, only its own parts move. Of parts that would be more than its share a silo gets none, as long as others
    /// have room.
    /// </summary>
    public static SiloAddress OwnerOf(int part, IReadOnlyList<SiloAddress> silos)
    {
        var most = (Parts.Count + silos.Count - 1) / silos.Count;
        var load = new Dictionary<SiloAddress, int>();
        for (var i = 0; ; i++)
        {
            var owner = silos.Where(s => load.GetValueOrDefault(s) < most).MaxBy(s => (Parts.Score(i, s.ToParsableString()), s.ToParsableString()))!;
            if (i == part)
            {
                return owner;
            }

            load[owner] = load.GetValueOrDefault(owner) + 1;
        }
    }
}
