using System.Collections.Frozen;
using Roster.Core.Workflows;

namespace Roster.Core.Catalog;

/// <summary>What records of one type keep of linked records of another type (ASC-04).</summary>
/// <param name="Properties">Numbers of the properties, sorted.</param>
/// <param name="Lists">Numbers of the lists whose membership is kept, sorted.</param>
internal sealed record CopyTarget(int[] Properties, int[] Lists)
{
    /// <summary>What is kept of the records that the owner is linked to itself (ASC-03), by the number of their type, sorted.</summary>
    public (int ObjectType, CopyTarget Content)[] Through { get; init; } = [];

    /// <summary>Whether this has all that another one has.</summary>
    public bool Covers(CopyTarget other) =>
        !other.Properties.Except(Properties).Any() && !other.Lists.Except(Lists).Any()
        && Array.TrueForAll(other.Through, wanted => Array.Exists(Through, t => t.ObjectType == wanted.ObjectType && t.Content.Covers(wanted.Content)));
}

/// <summary>
/// What records must keep of the records that they are linked to, because filters, tokens and data sources of workflows and lists of their
/// type look at it (ASC-04).
/// </summary>
public sealed class CopyPlan
{
    private readonly Dictionary<(int Owner, int Keeper), CopyTarget> _targets;

    internal CopyPlan(IReadOnlyCollection<CompiledWorkflow> workflows, IEnumerable<CompiledList> lists)
    {
        var wanted = new Dictionary<(int Owner, int Keeper), Wanted>();
        foreach (var workflow in workflows)
        {
            foreach (var criteria in workflow.AllCriteria)
            {
                Add(wanted, workflow.ObjectType.Number, criteria);
            }

            foreach (var (owner, property) in workflow.ReadFromAssociated)
            {
                var target = Of(wanted, (owner, workflow.ObjectType.Number));
                if (property != 0)
                {
                    target.Properties.Add(property);
                }
            }
        }

        foreach (var list in lists.Where(l => l.Criteria is not null))
        {
            Add(wanted, list.Info.ObjectType, list.Criteria!);
        }

        _targets = wanted.ToDictionary(p => p.Key, p => p.Value.ToTarget());
    }

    /// <summary>
    /// Numbers of the types whose records must send copies again because another plan needs more than this one: types of owners with the
    /// types of those who keep the copies.
    /// </summary>
    public IReadOnlyList<(int Owner, int Keeper)> FindAdded(CopyPlan later)
    {
        ArgumentNullException.ThrowIfNull(later);
        return [.. later._targets
            .Where(p => !_targets.TryGetValue(p.Key, out var present) || !present.Covers(p.Value))
            .Select(p => p.Key)
            .Order()];
    }

    /// <summary>What one workflow needs.</summary>
    public static CopyPlan Of(CompiledWorkflow workflow) => new([workflow], []);

    /// <summary>What one list needs.</summary>
    public static CopyPlan Of(CompiledList list) => new([], [list]);

    /// <summary>
    /// Types of owners whose copies are told on, with the types that do so (ASC-03): these send theirs when they have got those, so that they
    /// send all at once.
    /// </summary>
    public IReadOnlyList<(int Owner, int Via)> Through => [.. _targets.SelectMany(p => p.Value.Through.Select(t => (t.ObjectType, p.Key.Owner))).Distinct().Order()];

    /// <summary>Whether no copies are kept.</summary>
    public bool IsEmpty => _targets.Count == 0;

    /// <summary>Who keeps copies of records of a type, and what, by type of the keeper.</summary>
    internal FrozenDictionary<int, CopyTarget> TargetsOf(int owner) =>
        _targets.Where(p => p.Key.Owner == owner).ToFrozenDictionary(p => p.Key.Keeper, p => p.Value);

    private static void Add(Dictionary<(int Owner, int Keeper), Wanted> wanted, int keeper, Filters.Criteria criteria)
    {
        foreach (var owner in criteria.AssociatedTypes)
        {
            Of(wanted, (owner, keeper));
        }

        foreach (var (owner, property) in criteria.AssociatedProperties)
        {
            Of(wanted, (owner, keeper)).Properties.Add(property);
        }

        foreach (var (owner, list) in criteria.AssociatedLists)
        {
            Of(wanted, (owner, keeper)).Lists.Add(list);
        }

        // Who is between keeps the same of the owner, and has it in its own copy.
        foreach (var (via, needs) in criteria.Through)
        {
            foreach (var owner in needs.AssociatedTypes)
            {
                foreach (var target in new[] { Of(wanted, (owner, via)), Of(wanted, (via, keeper)).Of(owner) })
                {
                    target.Properties.UnionWith(needs.AssociatedProperties.Where(p => p.ObjectType == owner).Select(p => p.Property));
                    target.Lists.UnionWith(needs.AssociatedLists.Where(l => l.ObjectType == owner).Select(l => l.List));
                }
            }
        }
    }

    private static Wanted Of(Dictionary<(int Owner, int Keeper), Wanted> wanted, (int Owner, int Keeper) pair)
    {
        if (!wanted.TryGetValue(pair, out var found))
        {
            wanted[pair] = found = new Wanted();
        }

        return found;
    }

    /// <summary>A target while it is collected.</summary>
    private sealed class Wanted
    {
        private readonly SortedDictionary<int, Wanted> _through = [];

        public SortedSet<int> Properties { get; } = [];

        public SortedSet<int> Lists { get; } = [];

        public Wanted Of(int objectType)
        {
            if (!_through.TryGetValue(objectType, out var found))
            {
                _through[objectType] = found = new Wanted();
            }

            return found;
        }

        public CopyTarget ToTarget() => new([.. Properties], [.. Lists]) { Through = [.. _through.Select(t => (t.Key, t.Value.ToTarget()))] };
    }
}
