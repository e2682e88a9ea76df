using System.Runtime.InteropServices;
using Roster.Core;

namespace Roster.Engine.Stores;

/// <summary>
/// The store of a process that need not remember: everything in memory, nothing durable, the contract kept to the letter. It is
/// also the model that the tests compare the durable stores with.
/// </summary>
/// <remarks>One lock guards everything; no call waits for anything else, so all of them complete at once.</remarks>
public sealed partial class VolatileRecordStore : IRecordStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<RecordKey, long> _numbers = [];
    private readonly Dictionary<long, Record> _records = [];
    private readonly SortedSet<long> _order = [];
    private readonly SortedSet<TimerEntry> _timers = [];
    private readonly Dictionary<CounterKey, long> _counters = [];
    private readonly Dictionary<(int Tenant, string Kind, string Id), byte[]> _documents = [];
    private long _nextSequence = 1;
    private long _nextPosition = 1;
    private long _position;

    /// <inheritdoc/>
    public string Name => "volatile";

    /// <inheritdoc/>
    public bool NeedsHeads => true;

    /// <inheritdoc/>
    public StoreStatus Status
    {
        get
        {
            lock (_gate)
            {
                return new StoreStatus(_position, _position, _records.Count, _timers.Count, _effects.Count) { JournalBegin = _journalBegin };
            }
        }
    }

    /// <inheritdoc/>
    public void UseCheckpointSource(ICheckpointSource source) => ArgumentNullException.ThrowIfNull(source);

    /// <inheritdoc/>
    public ValueTask<long> ReserveRecordSequencesAsync(int count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var first = _nextSequence;
            _nextSequence += count;
            return new ValueTask<long>(first);
        }
    }

    /// <inheritdoc/>
    public ValueTask LoadAsync(IReadOnlyList<RecordKey> keys, IList<LoadedRecord> results, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(results);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            for (var i = 0; i < keys.Count; i++)
            {
                var loaded = _numbers.TryGetValue(keys[i], out var number) ? Copy(_records[number]) : default;
                if (i < results.Count)
                {
                    results[i] = loaded;
                }
                else
                {
                    results.Add(loaded);
                }
            }
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask<LoadedRecord> LoadAsync(long recordNumber, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_records.TryGetValue(recordNumber, out var record) ? Copy(record) : default);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LoadedRecord>> LoadAsync(IReadOnlyList<long> recordNumbers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(recordNumbers);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(recordNumbers.Select(number => _records.TryGetValue(number, out var record) ? Copy(record) : default).ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<byte[]?> LoadSectionAsync(long recordNumber, int sectionIndex, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var found = _records.TryGetValue(recordNumber, out var record) ? record.Sections?.GetValueOrDefault(sectionIndex) : null;
            return new((byte[]?)found?.Clone());
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TimerEntry>> ReadTimersAsync(TimerEntry after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (_timers.Count == 0 || after.CompareTo(_timers.Max) >= 0)
            {
                return new([]);
            }

            var later = _timers.GetViewBetween(after, _timers.Max);
            return new(later.Where(timer => timer != after).Take(limit).ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LoadedRecord>> ScanRecordsAsync(long afterNumber, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (_order.Count == 0 || afterNumber >= _order.Max)
            {
                return new([]);
            }

            var later = _order.GetViewBetween(afterNumber + 1, _order.Max);
            return new(later.Take(limit).Select(number => Copy(_records[number])).ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredDocument>> ReadDocumentsAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_documents
                .Select(d => new StoredDocument(d.Key.Tenant, d.Key.Kind, d.Key.Id, (byte[])d.Value.Clone()))
                .OrderBy(d => d.Tenant).ThenBy(d => d.Kind, StringComparer.Ordinal).ThenBy(d => d.Id, StringComparer.Ordinal)
                .ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<KeyValuePair<CounterKey, long>>> ReadCountersAsync(int tenant, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_counters.Where(c => c.Key.Tenant == tenant).ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<CheckpointResult> CheckpointAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(new CheckpointResult(_position, 0));
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => default;

    private static LoadedRecord Copy(Record record) =>
        new(Found: true, record.Number, record.Position, record.Head.AsSpan(0, record.HeadLength).ToArray());

    private ref Record? Slot(long number) => ref CollectionsMarshal.GetValueRefOrAddDefault(_records, number, out _);

    /// <summary>A record. The buffer of the head is used again and again, so readers get copies.</summary>
    private sealed class Record(long number)
    {
        public long Number { get; } = number;

        public long Position { get; set; }

        public ulong TurnId { get; set; }

        public Timestamp NextDueAt { get; set; }

        public byte[] Head { get; private set; } = [];

        public int HeadLength { get; private set; }

        public Dictionary<int, byte[]>? Sections { get; set; }

        public void SetHead(ReadOnlySpan<byte> head)
        {
            if (Head.Length < head.Length)
            {
                Head = new byte[head.Length + (head.Length / 4)];
            }

            head.CopyTo(Head);
            HeadLength = head.Length;
        }
    }
}
