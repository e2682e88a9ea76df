namespace Roster.Core.Filters;

/// <summary>Collects what the filters of criteria depend on.</summary>
internal sealed class CriteriaNeeds
{
    public SortedSet<int> Properties { get; } = [];

    public SortedSet<int> EventTypes { get; } = [];

    public SortedSet<int> Lists { get; } = [];

    public SortedSet<int> Workflows { get; } = [];

    public SortedSet<int> Occurrences { get; } = [];

    public SortedSet<(int ObjectType, int Property)> AssociatedProperties { get; } = [];

    public SortedSet<(int ObjectType, int List)> AssociatedLists { get; } = [];

    public SortedSet<int> AssociatedTypes { get; } = [];

    /// <summary>What is looked at behind associated records (ASC-03), by the number of the type of these.</summary>
    public SortedDictionary<int, CriteriaNeeds> Through { get; } = [];

    public bool DependsOnTime { get; set; }

    public bool NeedsHistory { get; set; }

    public bool NeedsWhole { get; set; }
}
