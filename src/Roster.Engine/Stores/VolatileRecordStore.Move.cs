using System.Text;
using Roster.Core;
using Roster.Engine.Moving;

namespace Roster.Engine.Stores;

/// <content>A tenant that moves out or in.</content>
public sealed partial class VolatileRecordStore : IMovableStore
{
    private readonly Dictionary<CounterKey, long> _removedCounters = [];
    private long _journalBegin;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<KeyValuePair<RecordKey, long>>> ReadKeysAsync(int tenant, RecordKey? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_numbers
                .Where(pair => pair.Key.Tenant == tenant && (after is not { } key || Compare(pair.Key, key) > 0))
                .OrderBy(pair => pair.Key, Comparer<RecordKey>.Create(Compare))
                .Take(limit)
                .ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredSection>> ReadSectionsAsync(IReadOnlyList<long> recordNumbers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(recordNumbers);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(recordNumbers
                .SelectMany(number => (_records.GetValueOrDefault(number)?.Sections ?? []).Select(s => new StoredSection(number, s.Key, (byte[])s.Value.Clone())))
                .ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> ReadNextSequenceAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(_nextSequence);
        }
    }

    /// <summary>Begins to take a tenant in. Until it is complete nothing of it is in the store.</summary>
    public ITenantImport BeginImport() => new Import(this);

    /// <summary>By object type, then by the bytes of the id, as other stores order them.</summary>
    private static int Compare(RecordKey left, RecordKey right) => left.ObjectType != right.ObjectType
        ? left.ObjectType.CompareTo(right.ObjectType)
        : Encoding.UTF8.GetBytes(left.Id).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right.Id));

    private sealed class Import(VolatileRecordStore store) : ITenantImport
    {
        private readonly List<StoredDocument> _documents = [];
        private readonly List<StoredEffect> _effects = [];
        private readonly List<MovedTurn> _turns = [];
        private readonly List<KeyValuePair<CounterKey, long>> _counters = [];
        private readonly List<KeyValuePair<CounterKey, long>> _removed = [];
        private readonly List<KeyValuePair<RecordKey, long>> _keys = [];
        private readonly List<MovedRecord> _records = [];
        private readonly List<StoredSection> _sections = [];
        private readonly RecordPositions _latest = new();
        private TenantPlan _plan;

        public IReadOnlyList<StoredDocument> Present
        {
            get
            {
                lock (store._gate)
                {
                    return [.. store._documents.Select(d => new StoredDocument(d.Key.Tenant, d.Key.Kind, d.Key.Id, d.Value))];
                }
            }
        }

        public ValueTask BeginAsync(TenantPlan plan, CancellationToken cancellationToken)
        {
            _plan = plan;
            return default;
        }

        public ValueTask AddDocumentsAsync(IReadOnlyList<StoredDocument> documents, CancellationToken cancellationToken) => Keep(_documents, documents);

        public ValueTask AddEffectsAsync(IReadOnlyList<StoredEffect> effects, CancellationToken cancellationToken) => Keep(_effects, effects);

        public ValueTask AddTurnsAsync(IReadOnlyList<MovedTurn> turns, CancellationToken cancellationToken) => Keep(_turns, turns);

        public ValueTask AddCountersAsync(
            IReadOnlyList<KeyValuePair<CounterKey, long>> counters, IReadOnlyList<KeyValuePair<CounterKey, long>> removed, CancellationToken cancellationToken)
        {
            _counters.AddRange(counters);
            return Keep(_removed, removed);
        }

        public ValueTask AddKeysAsync(IReadOnlyList<KeyValuePair<RecordKey, long>> keys, CancellationToken cancellationToken) => Keep(_keys, keys);

        public ValueTask AddRecordsAsync(IReadOnlyList<MovedRecord> records, CancellationToken cancellationToken) => Keep(_records, records);

        public ValueTask AddSectionsAsync(IReadOnlyList<StoredSection> sections, CancellationToken cancellationToken) => Keep(_sections, sections);

        public ValueTask CompleteAsync(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            lock (store._gate)
            {
                if (_records.Find(record => store._records.ContainsKey(record.Number)) is { } taken)
                {
                    throw new StoreRefusedException($"The number {taken.Number} of a record is taken. A record keeps its number when it moves: take a store of its own for the tenant.");
                }

                var before = store._nextPosition++;
                AddEffects();
                AddTurns();
                AddRecords(before);
                store.CommitDocumentsAndCounters(ToBatch());
                foreach (var (key, value) in _removed)
                {
                    store._removedCounters[key] = value;
                }

                store._nextSequence = Math.Max(store._nextSequence, _plan.NextSequence);
            }

            return default;
        }

        public ValueTask DisposeAsync() => default;

        private static ValueTask Keep<T>(List<T> kept, IReadOnlyList<T> items)
        {
            kept.AddRange(items);
            return default;
        }

        private void AddEffects()
        {
            foreach (var effect in _effects)
            {
                store.AddEffect(effect with { Sequence = store._nextPosition++ });
            }
        }

        private void AddTurns()
        {
            store._journalBegin = _plan.IsCut ? store._nextPosition : store._journalBegin;
            foreach (var turn in _turns)
            {
                var number = turn.Info.RecordNumber;
                var previous = turn.Link switch { TurnLink.First => 0, TurnLink.Removed => -1, _ => _latest.Find(number) };
                store._position = store._nextPosition++;
                store._journal.Add(new Turn(store._position, previous, [.. turn.Skeleton.Span, .. turn.Payload.Span], turn.Skeleton.Length));
                _latest.Set(number, store._position);
                foreach (var workflow in turn.Workflows)
                {
                    store.AddActivity(_plan.Tenant, workflow, store._position);
                }
            }
        }

        private void AddRecords(long before)
        {
            foreach (var (key, number) in _keys)
            {
                store._numbers.Add(key, number);
            }

            foreach (var record in _records)
            {
                var own = store.Slot(record.Number) = new Record(record.Number);
                store._order.Add(record.Number);
                own.Position = _latest.Find(record.Number) is var position and not 0 ? position : before;
                own.TurnId = record.TurnId;
                own.SetHead(record.Head.Span);
                store.SetTimer(own, record.DueAt);
            }

            foreach (var section in _sections)
            {
                (store._records[section.RecordNumber].Sections ??= [])[section.Index] = section.Content.ToArray();
            }
        }

        private TurnBatch ToBatch()
        {
            var batch = new TurnBatch();
            batch.Documents.AddRange(_documents);
            foreach (var (key, value) in _counters)
            {
                batch.Count(key, value);
            }

            return batch;
        }
    }
}
