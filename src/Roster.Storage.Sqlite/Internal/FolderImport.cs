using Roster.Core;
using Roster.Core.Packing;
using Roster.Engine.Moving;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// Makes a data folder of a tenant that was elsewhere: its turns are the log, and what they led to is in tables, as after a checkpoint. The folder is made under
/// another name, and gets its own when it is complete, checked and durable.
/// </summary>
/// <remarks>
/// Turns come without the tasks that they added, which the log has beside payloads. So they are marked as those are which an erasure rewrote
/// (<see cref="FrameFlags.IsRewritten"/>): tables have what they did. Sequences of effects must lie before the end of the log and differ in a queue, no more;
/// they are counted from the front of the log.
/// </remarks>
internal sealed class FolderImport : ITenantImport
{
    private const int ActivityRowPositions = 256;
    private const int BatchBytes = 4 * 1024 * 1024;

    /// <summary>Stands for all turns that retention removed.</summary>
    private const long Removed = LogFormat.FirstPosition;

    private readonly string _target;
    private readonly string _partial;
    private readonly TableFile _tables;
    private readonly LogFile _log;
    private readonly LogBatch _frames = new();
    private readonly TurnBatch _batch = new();
    private readonly RecordPositions _latest = new();
    private readonly PackedWriter _packed = new();
    private readonly Dictionary<int, List<long>> _activity = [];
    private readonly Dictionary<string, EffectQueue> _queues = new(StringComparer.Ordinal);
    private readonly Dictionary<CounterKey, long> _folded = [];
    private readonly Dictionary<CounterKey, long> _removed = [];
    private readonly List<KeyValuePair<CounterKey, long>> _counters = [];
    private readonly List<StoredDocument> _documents = [];
    private TenantPlan _plan;
    private long _begin = LogFormat.FirstPosition;
    private long _end;
    private long _position;
    private long _sequence;
    private long _records;
    private long _timers;
    private bool _isPublished;
    private bool _areFilesClosed;

    public FolderImport(string folder)
    {
        BackupFolder.CheckTarget(folder);
        Database.CheckLibrary();
        _target = Path.TrimEndingDirectorySeparator(folder);
        _partial = BackupFolder.CreatePartial(_target);
        var options = new SqliteStoreOptions { Folder = _partial };
        try
        {
            _tables = new TableFile(_partial, options);
            _log = new LogFile(_partial, options);
            _tables.StoreId = Guid.NewGuid().ToString("N");
            _log.StoreId = _tables.StoreId;
            _tables.WriteMeta(MetaNames.HasLog, 1);
        }
        catch
        {
            _log?.Dispose();
            _tables?.Dispose();
            Directory.Delete(_partial, recursive: true);
            throw;
        }
    }

    public IReadOnlyList<StoredDocument> Present => [];

    public ValueTask BeginAsync(TenantPlan plan, CancellationToken cancellationToken)
    {
        _plan = plan;
        if (plan.IsCut)
        {
            // Before the log there is room for the sequences of all effects.
            _begin = Removed + 1 + plan.Effects;
        }

        _sequence = plan.IsCut ? Removed : 0;
        _end = _begin;
        _frames.Begin(_end);
        return default;
    }

    public ValueTask AddDocumentsAsync(IReadOnlyList<StoredDocument> documents, CancellationToken cancellationToken)
    {
        _documents.AddRange(documents);
        return Write(documents, document => _tables.WriteDocument(document.Tenant, document.Kind, document.Id, document.Content), cancellationToken);
    }

    public ValueTask AddEffectsAsync(IReadOnlyList<StoredEffect> effects, CancellationToken cancellationToken) => Write(
        effects,
        effect =>
        {
            if (!_queues.TryGetValue(effect.Queue, out var queue))
            {
                _queues.Add(effect.Queue, queue = new EffectQueue(effect.Tenant, effect.Queue));
            }

            queue.Open++;
            _tables.WriteEffect(new EffectAt(effect.Id, queue, ++_sequence, Position: 0), effect.Task);
        },
        cancellationToken);

    public ValueTask AddTurnsAsync(IReadOnlyList<MovedTurn> turns, CancellationToken cancellationToken)
    {
        var rows = new List<(int Workflow, List<long> Positions)>();
        foreach (var turn in turns)
        {
            cancellationToken.ThrowIfCancellationRequested();
            AddTurn(turn, rows);
            if (_frames.Frames.Length >= BatchBytes)
            {
                Append();
            }
        }

        return Write(rows, row => WriteActivity(row.Workflow, row.Positions), cancellationToken);
    }

    public ValueTask AddCountersAsync(
        IReadOnlyList<KeyValuePair<CounterKey, long>> counters, IReadOnlyList<KeyValuePair<CounterKey, long>> removed, CancellationToken cancellationToken)
    {
        _counters.AddRange(counters);
        foreach (var (key, value) in removed)
        {
            _removed.Add(key, value);
        }

        return Write(counters, counter => _tables.WriteCounter(counter.Key, counter.Value), cancellationToken);
    }

    public ValueTask AddKeysAsync(IReadOnlyList<KeyValuePair<RecordKey, long>> keys, CancellationToken cancellationToken) =>
        Write(keys, key => _tables.WriteKey(key.Key, key.Value), cancellationToken);

    public ValueTask AddRecordsAsync(IReadOnlyList<MovedRecord> records, CancellationToken cancellationToken)
    {
        _records += records.Count;
        _timers += records.Count(record => !record.DueAt.IsNone);
        return Write(
            records,
            record => _tables.WriteHead(record.Number, _latest.Find(record.Number) is var position and not 0 ? position : Removed, record.TurnId, record.DueAt.Ms, record.Head.Span),
            cancellationToken);
    }

    public ValueTask AddSectionsAsync(IReadOnlyList<StoredSection> sections, CancellationToken cancellationToken) =>
        Write(sections, section => _tables.WriteSection(section.RecordNumber, section.Index, section.Content.ToArray()), cancellationToken);

    public ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        Append();
        AppendRest();
        if (_plan.IsCut)
        {
            _log.MoveBegin(_begin, _removed);
        }

        _tables.Begin();
        foreach (var (workflow, positions) in _activity.Where(row => row.Value.Count > 0))
        {
            WriteActivity(workflow, positions);
        }

        foreach (var queue in _queues.Values)
        {
            _tables.WriteQueue(queue, queue.Open);
        }

        _tables.WriteMeta(MetaNames.Position, _position);
        _tables.WriteMeta(MetaNames.End, _end);
        _tables.WriteMeta(MetaNames.Records, _records);
        _tables.WriteMeta(MetaNames.Timers, _timers);
        _tables.WriteMeta(MetaNames.Sequence, _plan.NextSequence);
        _tables.Commit();
        CloseFiles();
        Publish(cancellationToken);
        return default;
    }

    public ValueTask DisposeAsync()
    {
        CloseFiles();
        if (!_isPublished)
        {
            Directory.Delete(_partial, recursive: true);
        }

        return default;
    }

    private void CloseFiles()
    {
        if (!_areFilesClosed)
        {
            _areFilesClosed = true;
            _tables.Dispose();
            _log.Dispose();
        }
    }

    private void Publish(CancellationToken cancellationToken)
    {
        var report = new FolderCheck(_partial, isDeep: false, cancellationToken).Run();
        if (report.FaultCount > 0)
        {
            var first = report.Faults[0];
            throw new StoreCorruptException($"The file is not that of a sound tenant: {report.FaultCount} faults; the first: {first.File}, position {first.Position}: {first.What}.");
        }

        BackupFolder.Flush(_partial, cancellationToken);
        BackupFolder.CheckTarget(_target);
        DurableFiles.Publish(_partial, _target);
        _isPublished = true;
    }

    private void AddTurn(MovedTurn turn, List<(int Workflow, List<long> Positions)> rows)
    {
        var number = turn.Info.RecordNumber;
        var previous = turn.Link switch { TurnLink.First => 0, TurnLink.Removed => Removed, _ => _latest.Find(number) };
        if (_position == 0 && !_plan.IsCut)
        {
            // The log must be longer than there are effects; nobody reads this part of a frame that says that it has none.
            _frames.Extra.Take(checked((int)_plan.Effects)).Clear();
        }

        var flags = FrameFlags.IsRewritten | (turn.Link == TurnLink.First ? FrameFlags.Creates : FrameFlags.None);
        _position = _frames.AddTurn(turn.Skeleton.Span, turn.Payload.Span, flags, previous);
        _latest.Set(number, _position);
        ref var header = ref _batch.AddTurn();
        header.Position = _position;
        foreach (var workflow in turn.Workflows)
        {
            _batch.Activity.Add((_plan.Tenant, workflow, _batch.TurnCount - 1));
            if (!_activity.TryGetValue(workflow, out var positions))
            {
                _activity.Add(workflow, positions = []);
            }

            positions.Add(_position);
            if (positions.Count == ActivityRowPositions)
            {
                rows.Add((workflow, positions));
                _activity[workflow] = [];
            }
        }

        CounterFold.Fold(turn.Info, turn.Entries, (key, change) =>
        {
            _batch.Count(key, change);
            _folded[key] = _folded.GetValueOrDefault(key) + change;
        });
    }

    private void Append()
    {
        if (_frames.TurnCount == 0)
        {
            return;
        }

        _frames.Seal(_batch);
        _log.Append(_frames);
        if (_log.IsWalLarge)
        {
            _log.CheckpointWal();
        }

        _end = _frames.End;
        _batch.Clear();
        _frames.Begin(_end);
    }

    /// <summary>What belongs to no turn is a batch of its own: documents, and what was counted without a turn (MET-17).</summary>
    private void AppendRest()
    {
        _batch.Documents.AddRange(_documents);
        foreach (var (key, value) in _counters)
        {
            if (value - _removed.GetValueOrDefault(key) - _folded.GetValueOrDefault(key) is var rest and not 0)
            {
                _batch.Count(key, rest);
            }
        }

        _frames.Seal(_batch);
        _log.Append(_frames);
        _end = _frames.End;
    }

    private void WriteActivity(int workflow, List<long> positions)
    {
        _packed.Clear();
        for (var i = 1; i < positions.Count; i++)
        {
            _packed.Varint((ulong)(positions[i] - positions[i - 1]));
        }

        _tables.WriteActivity(_plan.Tenant, workflow, positions[0], _packed.Written);
    }

    private ValueTask Write<T>(IReadOnlyList<T> items, Action<T> write, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (items.Count > 0)
        {
            _tables.Begin();
            foreach (var item in items)
            {
                write(item);
            }

            _tables.Commit();
            _tables.CheckpointWalIfLarge();
        }

        return default;
    }
}
