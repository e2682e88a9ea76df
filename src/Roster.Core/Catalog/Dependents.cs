using Roster.Core.Filters;

namespace Roster.Core.Catalog;

/// <summary>An index from what may change to who looks at it. Who is a number from 0; results are added unsorted and may repeat.</summary>
internal sealed class Dependents
{
    private static readonly int[] None = [];
    private readonly int[][] _byProperty;
    private readonly Dictionary<int, int[]> _byEvent;
    private readonly Dictionary<int, int[]> _byList;
    private readonly Dictionary<int, int[]> _byWorkflow;
    private readonly Dictionary<int, int[]> _byAssociated;

    private Dependents(Builder builder, int propertiesEnd)
    {
        _byProperty = [.. Enumerable.Range(0, propertiesEnd).Select(p => builder.Properties.TryGetValue(p, out var who) ? who.Distinct().ToArray() : None)];
        _byEvent = Freeze(builder.Events);
        _byList = Freeze(builder.Lists);
        _byWorkflow = Freeze(builder.Workflows);
        _byAssociated = Freeze(builder.Associated);
        Timed = [.. builder.Timed.Distinct().Order()];
    }

    /// <summary>Who depends on the clock, in order.</summary>
    public int[] Timed { get; }

    public ReadOnlySpan<int> ByProperty(int property) => (uint)property < (uint)_byProperty.Length ? _byProperty[property] : None;

    public ReadOnlySpan<int> ByEvent(int eventType) => _byEvent.GetValueOrDefault(eventType, None);

    public ReadOnlySpan<int> ByList(int list) => _byList.Count == 0 ? None : _byList.GetValueOrDefault(list, None);

    public ReadOnlySpan<int> ByWorkflow(int workflow) => _byWorkflow.Count == 0 ? None : _byWorkflow.GetValueOrDefault(workflow, None);

    public ReadOnlySpan<int> ByAssociated(int objectType) => _byAssociated.Count == 0 ? None : _byAssociated.GetValueOrDefault(objectType, None);

    public bool LooksAtWorkflow(int workflow) => _byWorkflow.ContainsKey(workflow);

    private static Dictionary<int, int[]> Freeze(Dictionary<int, List<int>> from) => from.ToDictionary(p => p.Key, p => p.Value.Distinct().ToArray());

    internal sealed class Builder
    {
        public Dictionary<int, List<int>> Properties { get; } = [];

        public Dictionary<int, List<int>> Events { get; } = [];

        public Dictionary<int, List<int>> Lists { get; } = [];

        public Dictionary<int, List<int>> Workflows { get; } = [];

        public Dictionary<int, List<int>> Associated { get; } = [];

        public List<int> Timed { get; } = [];

        public void Add(int who, Criteria criteria)
        {
            AddAll(Properties, criteria.Properties, who);
            AddAll(Events, criteria.EventTypes, who);
            AddAll(Lists, criteria.Lists, who);
            AddAll(Workflows, criteria.Workflows, who);
            AddAll(Associated, criteria.AssociatedTypes, who);
            if (criteria.DependsOnTime)
            {
                Timed.Add(who);
            }
        }

        public void AddEvent(int who, int eventType) => AddAll(Events, [eventType], who);

        public void AddProperty(int who, int property) => AddAll(Properties, [property], who);

        public Dependents Build(int propertiesEnd) => new(this, propertiesEnd);

        private static void AddAll(Dictionary<int, List<int>> index, IEnumerable<int> keys, int who)
        {
            foreach (var key in keys)
            {
                if (!index.TryGetValue(key, out var list))
                {
                    index[key] = list = [];
                }

                list.Add(who);
            }
        }
    }
}
