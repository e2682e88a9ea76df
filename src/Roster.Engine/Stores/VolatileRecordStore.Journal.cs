using System.Runtime.InteropServices;

namespace Roster.Engine.Stores;

/// <content>The journal and its index.</content>
public sealed partial class VolatileRecordStore
{
    /// <summary>A read of the journal stops after the turn that reaches this many bytes.</summary>
    private const int JournalReadBytesMax = 4 * 1024 * 1024;

    private readonly List<Turn> _journal = [];
    private readonly Dictionary<(int Tenant, int Workflow), List<long>> _activity = [];

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<KeyValuePair<CounterKey, long>>?> ReadRemovedCountersAsync(int tenant, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_removedCounters.Where(c => c.Key.Tenant == tenant).ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredTurn>> ReadTimelineAsync(
        long recordNumber, long beforePosition, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        var turns = new List<StoredTurn>();
        lock (_gate)
        {
            var position = _records.TryGetValue(recordNumber, out var record) ? record.Position : 0;
            while (position > 0 && turns.Count < limit)
            {
                var index = IndexOfFirstAbove(position - 1);
                if (index == _journal.Count || _journal[index].Position != position)
                {
                    // Removed before the tenant was moved here.
                    break;
                }

                var turn = _journal[index];
                if (beforePosition <= 0 || position < beforePosition)
                {
                    turns.Add(turn.Copy());
                }

                position = turn.Previous;
            }
        }

        return new(turns);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredTurn>> ReadJournalAsync(long afterPosition, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        var turns = new List<StoredTurn>();
        lock (_gate)
        {
            var bytes = 0;
            for (var i = IndexOfFirstAbove(afterPosition); i < _journal.Count && turns.Count < limit && bytes < JournalReadBytesMax; i++)
            {
                turns.Add(_journal[i].Copy());
                bytes += _journal[i].Bytes.Length;
            }
        }

        return new(turns);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredTurn>> ReadActivityAsync(
        int tenant, int workflow, long beforePosition, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        var turns = new List<StoredTurn>();
        lock (_gate)
        {
            var positions = _activity.GetValueOrDefault((tenant, workflow)) ?? [];
            var end = beforePosition <= 0 ? positions.Count : positions.BinarySearch(beforePosition);
            for (var i = (end < 0 ? ~end : end) - 1; i >= 0 && turns.Count < limit; i--)
            {
                turns.Add(_journal[IndexOfFirstAbove(positions[i] - 1)].Copy());
            }
        }

        return new(turns);
    }

    /// <summary>Positions leave room for the sequences of the turn's effects.</summary>
    private long AppendJournal(TurnBatch batch, in TurnHeader turn, long previous)
    {
        var written = batch.Bytes.Written;
        var bytes = new byte[turn.Skeleton.Length + turn.Payload.Length];
        written.Slice(turn.Skeleton.Start, turn.Skeleton.Length).CopyTo(bytes);
        written.Slice(turn.Payload.Start, turn.Payload.Length).CopyTo(bytes.AsSpan(turn.Skeleton.Length));
        _position = _nextPosition;
        _nextPosition += 1 + turn.EffectsAdded.Count;
        _journal.Add(new Turn(_position, previous, bytes, turn.Skeleton.Length));
        return _position;
    }

    private void AddActivity(int tenant, int workflow, long position)
    {
        if (position == 0)
        {
            return;
        }

        ref var positions = ref CollectionsMarshal.GetValueRefOrAddDefault(_activity, (tenant, workflow), out _);
        positions ??= [];
        var index = positions.BinarySearch(position);
        if (index < 0)
        {
            positions.Insert(~index, position);
        }
    }

    private int IndexOfFirstAbove(long position)
    {
        var (low, high) = (0, _journal.Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_journal[middle].Position > position)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    private readonly record struct Turn(long Position, long Previous, byte[] Bytes, int SkeletonLength)
    {
        public StoredTurn Copy()
        {
            var copy = Bytes.AsMemory().ToArray();
            return new StoredTurn(Position, Previous, copy.AsMemory(0, SkeletonLength), copy.AsMemory(SkeletonLength));
        }
    }
}
