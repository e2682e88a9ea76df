using Roster.Core;

namespace Roster.Engine.Stores;

/// <content>Commits.</content>
public sealed partial class VolatileRecordStore
{
    /// <inheritdoc/>
    public ValueTask CommitAsync(TurnBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        cancellationToken.ThrowIfCancellationRequested();
        BatchRules.Check(batch, NeedsHeads);
        lock (_gate)
        {
            foreach (ref var turn in batch.Turns)
            {
                turn.Position = 0;
                if (!IsConflict(batch, turn))
                {
                    CommitTurn(batch, ref turn);
                }
            }

            foreach (var (tenant, workflow, index) in batch.Activity)
            {
                AddActivity(tenant, workflow, batch.Turns[index].Position);
            }

            CommitDocumentsAndCounters(batch);
        }

        return default;
    }

    private bool IsConflict(TurnBatch batch, in TurnHeader turn)
    {
        _records.TryGetValue(turn.RecordNumber, out var record);
        if ((record?.TurnId ?? 0) != turn.ExpectedTurnId || (record is null && _numbers.ContainsKey(turn.CreatedKey)))
        {
            return true;
        }

        for (var i = 0; i < turn.EffectsRemoved.Count; i++)
        {
            if (!_effects.ContainsKey(batch.EffectsRemoved[turn.EffectsRemoved.Start + i]))
            {
                return true;
            }
        }

        for (var i = 0; i < turn.EffectsAdded.Count; i++)
        {
            if (_effects.ContainsKey(batch.EffectsAdded[turn.EffectsAdded.Start + i].Id))
            {
                return true;
            }
        }

        return false;
    }

    private void CommitTurn(TurnBatch batch, ref TurnHeader turn)
    {
        ref var slot = ref Slot(turn.RecordNumber);
        if (slot is null)
        {
            slot = new Record(turn.RecordNumber);
            _order.Add(turn.RecordNumber);
            _numbers.Add(turn.CreatedKey, turn.RecordNumber);
        }

        var record = slot;
        turn.Position = AppendJournal(batch, turn, record.Position);
        record.Position = turn.Position;
        record.TurnId = turn.TurnId;
        record.SetHead(batch.Bytes.Written.Slice(turn.Head.Start, turn.Head.Length));
        SetTimer(record, turn.NextDueAt);
        CommitEffects(batch, turn);
        for (var i = 0; i < turn.Sections.Count; i++)
        {
            var (index, content) = batch.Sections[turn.Sections.Start + i];
            record.Sections ??= [];
            if (content is null)
            {
                record.Sections.Remove(index);
            }
            else
            {
                record.Sections[index] = (byte[])content.Clone();
            }
        }
    }

    private void SetTimer(Record record, Timestamp nextDueAt)
    {
        if (record.NextDueAt == nextDueAt)
        {
            return;
        }

        if (!record.NextDueAt.IsNone)
        {
            _timers.Remove(new TimerEntry(record.NextDueAt, record.Number));
        }

        if (!nextDueAt.IsNone)
        {
            _timers.Add(new TimerEntry(nextDueAt, record.Number));
        }

        record.NextDueAt = nextDueAt;
    }

    private void CommitDocumentsAndCounters(TurnBatch batch)
    {
        foreach (var document in batch.Documents)
        {
            var key = (document.Tenant, document.Kind, document.Id);
            if (document.Content is null)
            {
                _documents.Remove(key);
            }
            else
            {
                _documents[key] = (byte[])document.Content.Clone();
            }
        }

        foreach (var (key, change) in batch.Counters)
        {
            _counters[key] = _counters.GetValueOrDefault(key) + change;
        }
    }
}
