using System.Runtime.InteropServices;

namespace Roster.Engine.Stores;

/// <content>Open effects.</content>
public sealed partial class VolatileRecordStore
{
    private readonly Dictionary<EffectId, StoredEffect> _effects = [];
    private readonly Dictionary<(int Tenant, string Queue), SortedSet<StoredEffect>> _queues = [];

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredEffect>> ReadEffectsAsync(
        int tenant, string queue, long afterSequence, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(queue);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (!_queues.TryGetValue((tenant, queue), out var open) || open.Max is not { } last || last.Sequence <= afterSequence)
            {
                return new([]);
            }

            var later = open.GetViewBetween(new StoredEffect(afterSequence + 1, default, tenant, queue, []), last);
            return new(later.Take(limit).Select(effect => effect with { Task = (byte[])effect.Task.Clone() }).ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<EffectQueueCount>> ReadEffectQueuesAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_queues.Select(q => new EffectQueueCount(q.Key.Tenant, q.Key.Queue, q.Value.Count)).ToArray());
        }
    }

    private void CommitEffects(TurnBatch batch, in TurnHeader turn)
    {
        for (var i = 0; i < turn.EffectsRemoved.Count; i++)
        {
            _effects.Remove(batch.EffectsRemoved[turn.EffectsRemoved.Start + i], out var effect);
            var key = (effect!.Tenant, effect.Queue);
            _queues[key].Remove(effect);
            if (_queues[key].Count == 0)
            {
                _queues.Remove(key);
            }
        }

        for (var i = 0; i < turn.EffectsAdded.Count; i++)
        {
            var add = batch.EffectsAdded[turn.EffectsAdded.Start + i];
            AddEffect(new StoredEffect(turn.Position + i, add.Id, add.Tenant, add.Queue, (byte[])add.Task.Clone()));
        }
    }

    private void AddEffect(StoredEffect effect)
    {
        _effects.Add(effect.Id, effect);
        ref var queue = ref CollectionsMarshal.GetValueRefOrAddDefault(_queues, (effect.Tenant, effect.Queue), out _);
        queue ??= new SortedSet<StoredEffect>(BySequence.Instance);
        queue.Add(effect);
    }

    private sealed class BySequence : IComparer<StoredEffect>
    {
        public static readonly BySequence Instance = new();

        public int Compare(StoredEffect? x, StoredEffect? y) => x!.Sequence.CompareTo(y!.Sequence);
    }
}
