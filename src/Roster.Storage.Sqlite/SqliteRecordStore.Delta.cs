using System.Runtime.InteropServices;
using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <content>What is in memory: how a durable turn changes it, live and at recovery.</content>
public sealed partial class SqliteRecordStore
{
    private void Apply(TurnBatch batch)
    {
        _recent.Append(_batch.Start, _batch.Frames);
        _removedApplied = 0;
        for (var i = 0; i < batch.TurnCount; i++)
        {
            ref readonly var turn = ref batch.Turns[i];
            if (turn.Position != 0)
            {
                ApplyTurn(turn.RecordNumber, turn.Position, turn.TurnId, turn.NextDueAt.Ms, _hadTimer[i]);
                ApplyParts(batch, turn);
            }
        }

        foreach (var (tenant, workflow, index) in batch.Activity)
        {
            if (batch.Turns[index].Position is var position and not 0)
            {
                _live.AddActivity(tenant, workflow, position);
            }
        }

        foreach (var document in batch.Documents)
        {
            _live.Documents[(document.Tenant, document.Kind, document.Id)] = (byte[]?)document.Content?.Clone();
        }

        foreach (var (key, change) in batch.Counters)
        {
            ApplyCounter(key, change);
        }

        _logEnd = _batch.End;
    }

    private void ApplyParts(TurnBatch batch, in TurnHeader turn)
    {
        if (turn.CreatedKey.Id is not null)
        {
            ApplyCreated(turn.CreatedKey, turn.RecordNumber);
        }

        for (var i = 0; i < turn.Sections.Count; i++)
        {
            var section = batch.Sections[turn.Sections.Start + i];
            _live.AddSection(turn.RecordNumber, new SectionAt(section.Index, turn.Position, section.Content is null));
        }

        for (var i = 0; i < turn.EffectsRemoved.Count; i++)
        {
            ApplyEffectRemoved(_removedEffects[_removedApplied++]);
        }

        for (var i = 0; i < turn.EffectsAdded.Count; i++)
        {
            var effect = batch.EffectsAdded[turn.EffectsAdded.Start + i];
            ApplyEffectAdded(new EffectAt(effect.Id, QueueOf(effect.Tenant, effect.Queue), turn.Position + i, turn.Position));
        }
    }

    private void ApplyTurn(long number, long position, ulong turnId, long nextDueMs, bool hadTimer)
    {
        ref var entry = ref _map.Find(number);
        if (RecordMap.IsMissing(ref entry))
        {
            entry = ref _map.Add(number);
        }

        var isNew = entry.DirtyIn != _live.Id;
        if (isNew)
        {
            _live.Dirty.Add(number);
        }

        if (nextDueMs != 0 && (isNew || entry.NextDueMs != nextDueMs))
        {
            _live.Timers.Add(nextDueMs, number);
        }

        _timers += (nextDueMs == 0 ? 0 : 1) - (hadTimer ? 1 : 0);
        entry.Position = position;
        entry.TurnId = turnId;
        entry.NextDueMs = nextDueMs;
        entry.DirtyIn = _live.Id;
        _position = position;
    }

    private void ApplyCreated(RecordKey key, long number)
    {
        _live.Created[key] = number;
        _live.CreatedNumbers.Add(number, 0);
        _records++;
        _numberMax = Math.Max(_numberMax, number);
    }

    private void ApplyEffectAdded(in EffectAt effect)
    {
        _live.AddEffect(effect);
        effect.Queue.Open++;
        _effects++;
    }

    private void ApplyEffectRemoved(in EffectAt effect)
    {
        if (!_live.EffectsAdded.Remove(effect.Id, out var added) || added.MayHaveRow)
        {
            _live.EffectsRemoved[effect.Id] = effect;
        }

        effect.Queue.Open--;
        _effects--;
    }

    private void ApplyCounter(CounterKey key, long change)
    {
        ref var counters = ref CollectionsMarshal.GetValueRefOrAddDefault(_counters, key.Tenant, out _);
        counters ??= [];
        ref var counter = ref CollectionsMarshal.GetValueRefOrAddDefault(counters, key, out _);
        counter += change;
        _live.Counters.Add(key);
    }

    private long FindCreated_NeedsGate(RecordKey key)
    {
        if (_live.Created.TryGetValue(key, out var number))
        {
            return number;
        }

        return _frozen?.Created.GetValueOrDefault(key) ?? 0;
    }

    /// <summary>Finds an open effect that no table has for sure.</summary>
    private bool FindEffect_NeedsGate(EffectId id, out EffectAt effect)
    {
        if (_live.EffectsAdded.TryGetValue(id, out effect))
        {
            return true;
        }

        return !_live.EffectsRemoved.ContainsKey(id) && _frozen is not null && _frozen.EffectsAdded.TryGetValue(id, out effect);
    }

    private bool IsRemoved_NeedsGate(EffectId id) =>
        _live.EffectsRemoved.ContainsKey(id) || _frozen?.EffectsRemoved.ContainsKey(id) == true;

    /// <summary>The one object of a queue. Only the committing thread adds to the dictionary, so it may look without the gate.</summary>
    private EffectQueue QueueOf(int tenant, string name)
    {
        if (!_queues.TryGetValue((tenant, name), out var queue))
        {
            queue = new EffectQueue(tenant, name);
            lock (_gate)
            {
                _queues.Add((tenant, name), queue);
            }
        }

        return queue;
    }
}
