using System.Runtime.InteropServices;
using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// What was committed since a checkpoint began and no table has for sure. There are at most two: the one that commits write to,
/// and the frozen one that a checkpoint is writing out. Newer ones win over older ones, and both over the tables.
/// </summary>
/// <remarks>Guarded by the store's lock; a frozen one does not change any more.</remarks>
internal sealed class Delta
{
    /// <summary>Number of the delta, rising; marks which records are in <see cref="Dirty"/>.</summary>
    public required int Id { get; init; }

    /// <summary>Heads of these records that the host dropped from memory. Not guarded by the store's lock; the frozen one changes too.</summary>
    public required EvictedHeads Evicted { get; init; }

    /// <summary>Numbers of the records with a turn, each at least once.</summary>
    public List<long> Dirty { get; } = [];

    /// <summary>Keys of the records created.</summary>
    public Dictionary<RecordKey, long> Created { get; } = [];

    /// <summary>Numbers of the records created.</summary>
    public SortedRuns CreatedNumbers { get; } = new();

    /// <summary>Due instant and number. A pair holds if the record still has that instant.</summary>
    public SortedRuns Timers { get; } = new();

    /// <summary>Sections written or removed by record, in the order of the turns.</summary>
    public Dictionary<long, List<SectionAt>> Sections { get; } = [];

    /// <summary>Effects added and not removed.</summary>
    public Dictionary<EffectId, EffectAt> EffectsAdded { get; } = [];

    /// <summary>The same by queue, in the order of sequences; those not in <see cref="EffectsAdded"/> were removed.</summary>
    public Dictionary<EffectQueue, List<EffectAt>> EffectsByQueue { get; } = [];

    /// <summary>Effects removed that were added in an older delta or are in the tables.</summary>
    public Dictionary<EffectId, EffectAt> EffectsRemoved { get; } = [];

    /// <summary>Positions of turns by workflow.</summary>
    public Dictionary<(int Tenant, int Workflow), List<long>> Activity { get; } = [];

    /// <summary>Documents written; null content removes.</summary>
    public Dictionary<(int Tenant, string Kind, string Id), byte[]?> Documents { get; } = [];

    /// <summary>Counters that changed.</summary>
    public HashSet<CounterKey> Counters { get; } = [];

    public void AddEffect(in EffectAt effect)
    {
        EffectsAdded[effect.Id] = effect;
        ref var queue = ref CollectionsMarshal.GetValueRefOrAddDefault(EffectsByQueue, effect.Queue, out _);
        queue ??= [];
        if (queue.Count >= 1024 && queue.Count > effect.Queue.Open * 4)
        {
            // Mostly completed ones: let go of them now and then, so that the list follows what is open.
            queue.RemoveAll(old => !IsOpen(old));
        }

        queue.Add(effect);
    }

    public bool IsOpen(in EffectAt effect) => EffectsAdded.TryGetValue(effect.Id, out var open) && open.Sequence == effect.Sequence;

    public void AddSection(long number, SectionAt section)
    {
        ref var sections = ref CollectionsMarshal.GetValueRefOrAddDefault(Sections, number, out _);
        sections ??= [];
        sections.Add(section);
    }

    public void AddActivity(int tenant, int workflow, long position)
    {
        ref var positions = ref CollectionsMarshal.GetValueRefOrAddDefault(Activity, (tenant, workflow), out _);
        positions ??= [];
        if (positions.Count == 0 || positions[^1] < position)
        {
            positions.Add(position);
        }
    }

    /// <summary>Takes in the older delta of a checkpoint that was given up. Nothing of either is lost but evicted heads.</summary>
    /// <param name="older">The older one.</param>
    /// <param name="newer">The newer one.</param>
    /// <param name="joined">An empty one, which takes both.</param>
    public static Delta Join(Delta older, Delta newer, Delta joined)
    {
        foreach (var part in new[] { older, newer })
        {
            joined.Dirty.AddRange(part.Dirty);
            joined.CreatedNumbers.AddAll(part.CreatedNumbers);
            joined.Timers.AddAll(part.Timers);
            joined.Counters.UnionWith(part.Counters);
            Each(part.Created, (key, number) => joined.Created[key] = number);
            Each(part.Documents, (key, content) => joined.Documents[key] = content);
            Each(part.Sections, (number, sections) => sections.ForEach(section => joined.AddSection(number, section)));
            Each(part.Activity, (key, positions) => positions.ForEach(at => joined.AddActivity(key.Tenant, key.Workflow, at)));
            joined.JoinEffects(part, mayHaveRow: part == older);
        }

        older.Evicted.Dispose();
        newer.Evicted.Dispose();
        return joined;
    }

    /// <summary>
    /// What the older one added and the newer one removed stays among the removed: the checkpoint that was given up may have
    /// written its row.
    /// </summary>
    private void JoinEffects(Delta part, bool mayHaveRow)
    {
        foreach (var (id, effect) in part.EffectsRemoved)
        {
            EffectsRemoved[id] = effect;
            EffectsAdded.Remove(id);
        }

        foreach (var effect in part.EffectsByQueue.Values.SelectMany(queue => queue).Where(effect => part.IsOpen(effect)))
        {
            AddEffect(effect with { MayHaveRow = mayHaveRow || effect.MayHaveRow });
        }
    }

    private static void Each<TKey, TValue>(Dictionary<TKey, TValue> source, Action<TKey, TValue> action)
        where TKey : notnull
    {
        foreach (var (key, value) in source)
        {
            action(key, value);
        }
    }
}

/// <summary>A section written or removed by a turn; its content is in the payload of that turn.</summary>
internal readonly record struct SectionAt(int Index, long Position, bool IsRemoved);

/// <summary>An effect added by a turn; its task is in the extra of that turn. Sequence minus position is its index there.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Queue">Its queue.</param>
/// <param name="Sequence">Its sequence.</param>
/// <param name="Position">Position of its turn.</param>
/// <param name="MayHaveRow">A checkpoint that was given up may have written it: removing it must remove the row as well.</param>
internal readonly record struct EffectAt(EffectId Id, EffectQueue Queue, long Sequence, long Position, bool MayHaveRow = false);

/// <summary>A queue of effects, one object for each, with the exact number of open ones.</summary>
internal sealed class EffectQueue(int tenant, string name)
{
    public int Tenant { get; } = tenant;

    public string Name { get; } = name;

    public long Open { get; set; }
}
