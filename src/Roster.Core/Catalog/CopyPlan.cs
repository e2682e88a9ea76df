using System.Collections.Frozen;
using Roster.Core.Workflows;

namespace Roster.Core.Catalog;

/// <summary>What records of one type keep of linked records of another type (ASC-04).</summary>
/// <param name="Properties">Numbers of the properties, sorted.</param>
/// <param name="Lists">Numbers of the lists whose membership is kept, sorted.</param>
internal sealed record CopyTarget(int[] Properties, int[] Lists);

/// <summary>
/// What records must keep of the records that they are linked to, because filters, tokens and data sources of workflows and lists of their
/// type look at it (ASC-04).
/// </summary>
public sealed class CopyPlan
{
    private readonly Dictionary<(int Owner, int Keeper), CopyTarget> _targets;

    internal CopyPlan(IReadOnlyCollection<CompiledWorkflow> workflows, IEnumerable<CompiledList> lists)
    {
        var wanted = new Dictionary<(int, int), (SortedSet<int> Properties, SortedSet<int> Lists)>();
        (SortedSet<int> Properties, SortedSet<int> Lists) Of(int owner, int keeper)
        {
            if (!wanted.TryGetValue((owner, keeper), out var found))
            {
                wanted[(owner, keeper)] = found = ([], []);
            }

            return found;
        }

        void Add(int keeper, Filters.Criteria criteria)
        {
            foreach (var owner in criteria.AssociatedTypes)
            {
                Of(owner, keeper);
            }

            foreach (var (owner, property) in criteria.AssociatedProperties)
            {
                Of(owner, keeper).Properties.Add(property);
            }

            foreach (var (owner, list) in criteria.AssociatedLists)
            {
                Of(owner, keeper).Lists.Add(list);
            }
        }

        foreach (var workflow in workflows)
        {
            foreach (var criteria in workflow.AllCriteria)
            {
                Add(workflow.ObjectType.Number, criteria);
            }

            foreach (var (owner, property) in workflow.ReadFromAssociated)
            {
                var target = Of(owner, workflow.ObjectType.Number);
                if (property != 0)
                {
                    target.Properties.Add(property);
                }
            }
        }

        foreach (var list in lists.Where(l => l.Criteria is not null))
        {
            Add(list.Info.ObjectType, list.Criteria!);
        }

        _targets = wanted.ToDictionary(p => p.Key, p => new CopyTarget([.. p.Value.Properties], [.. p.Value.Lists]));
    }

    /// <summary>
    /// Numbers of the types whose records must send copies again because another plan needs more than this one: types of owners with the
    /// types of those who keep the copies.
    /// </summary>
    public IReadOnlyList<(int Owner, int Keeper)> FindAdded(CopyPlan later)
    {
        ArgumentNullException.ThrowIfNull(later);
        return [.. later._targets
            .Where(p => !_targets.TryGetValue(p.Key, out var present) || p.Value.Properties.Except(present.Properties).Any() || p.Value.Lists.Except(present.Lists).Any())
            .Select(p => p.Key)
            .Order()];
    }

    /// <summary>What one workflow needs.</summary>
    public static CopyPlan Of(CompiledWorkflow workflow) => new([workflow], []);

    /// <summary>What one list needs.</summary>
    public static CopyPlan Of(CompiledList list) => new([], [list]);

    /// <summary>Whether no copies are kept.</summary>
    public bool IsEmpty => _targets.Count == 0;

    /// <summary>Who keeps copies of records of a type, and what, by type of the keeper.</summary>
    internal FrozenDictionary<int, CopyTarget> TargetsOf(int owner) =>
        _targets.Where(p => p.Key.Owner == owner).ToFrozenDictionary(p => p.Key.Keeper, p => p.Value);
}
