using System.Buffers.Binary;
using Roster.Core;
using Roster.Core.Hashing;
using Roster.Core.Packing;
using Roster.Core.Records;
using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// What tables must hold by the journal: keys, states, sections, open tasks, activity, counters and documents. It holds a state per record in memory. Rows may
/// be newer than the checkpoint when one was cut short, and then of any turn since; payloads that erasure took out are not asked.
/// </summary>
/// <param name="begin">Where the log begins.</param>
/// <param name="checkpointEnd">Tables have all turns below it.</param>
/// <param name="report">Hears of a fault: file, position, record, what.</param>
internal sealed class JournalFold(long begin, long checkpointEnd, Action<string, long, long, string> report)
{
    /// <summary>A version of a section that was written by a turn which was removed.</summary>
    private const long Unknown = -1;

    private readonly Dictionary<long, long> _rowPositions = [];
    private readonly Dictionary<long, byte[]> _heads = [];
    private readonly Dictionary<long, uint> _expected = [];
    private readonly Dictionary<CounterKey, long> _counters = [];
    private readonly Dictionary<(int Tenant, string Kind, string Id), byte[]?> _documents = [];
    private readonly Dictionary<(long Record, int Index), List<long?>> _sections = [];
    private readonly Dictionary<EffectId, uint> _tasks = [];
    private readonly HashSet<EffectId> _removedLater = [];
    private readonly Dictionary<(int Tenant, string Queue), long> _open = [];
    private readonly Dictionary<(int Tenant, int Workflow), (long Last, uint Sum)> _activity = [];
    private readonly Dictionary<long, RecordKey> _keys = [];
    private readonly HashSet<long> _rewritten = [];
    private readonly RecordState _state = new();
    private readonly PackedWriter _writer = new();

    /// <summary>Records whose state is compared.</summary>
    public long Replayed => _expected.Count;

    /// <summary>Notes of which turn each row is.</summary>
    public void NoteRows(Database tables)
    {
        var rows = tables.Prepare("SELECT number, position FROM heads");
        while (rows.Step())
        {
            _rowPositions[rows.Long(0)] = rows.Long(1);
        }
    }

    /// <summary>Takes what the turns counted that were removed.</summary>
    public void AddRemoved(IEnumerable<KeyValuePair<CounterKey, long>> counters)
    {
        foreach (var (key, value) in counters)
        {
            _counters[key] = value;
        }
    }

    /// <summary>Takes what a batch says beside its turns.</summary>
    public void Add(long start, BatchHeader header)
    {
        if (start >= checkpointEnd)
        {
            return;
        }

        header.Count(_counters);
        var fields = header.Fields;
        while (fields.Next(out var field))
        {
            var packed = fields.Bytes();
            if (field == LogBatch.DocumentField)
            {
                var document = BatchHeader.ReadDocument(packed);
                _documents[(document.Tenant, document.Kind, document.Id)] = document.Content;
            }
            else if (field == LogBatch.ActivityField)
            {
                var reader = new PackedReader(packed);
                while (reader.Position < packed.Length)
                {
                    AddActivity(_activity, ((int)reader.Varint(), (int)reader.Varint()), start + (long)reader.Varint());
                }
            }
        }
    }

    /// <summary>Takes a turn.</summary>
    public void Add(long position, in FrameHeader header, byte[] frame, in TurnFacts facts)
    {
        if (header.Flags.HasFlag(FrameFlags.IsRewritten))
        {
            _rewritten.Add(facts.RecordNumber);
        }

        if (header.Flags.HasFlag(FrameFlags.Creates))
        {
            _keys[facts.RecordNumber] = new RecordKey(facts.Tenant, facts.ObjectType, TurnFacts.ReadCreatedId(header.Payload(frame)));
        }

        Fold(position, header, frame, facts.RecordNumber);
        if (header.Flags.HasFlag(FrameFlags.HasSections))
        {
            AddSections(position, facts.RecordNumber, TurnFacts.ReadSections(header.Payload(frame), isWithContent: true));
        }

        if (header.Flags.HasFlag(FrameFlags.HasEffects))
        {
            AddEffects(position, header.Extra(frame));
        }
    }

    /// <summary>Compares, when all turns were taken.</summary>
    public void Compare(Database tables)
    {
        CompareKeys(tables);
        CompareHeads(tables);
        CompareActivity(tables);
        CompareSections(tables);
        CompareEffects(tables);
        CompareCounters(tables);
        CompareDocuments(tables);
    }

    private void Fold(long position, in FrameHeader header, byte[] frame, long number)
    {
        if (header.Previous != 0 && !_heads.ContainsKey(number))
        {
            // Its first turns were removed, or cannot be read, which was told.
            return;
        }

        try
        {
            if (header.Previous != 0)
            {
                _state.Load(_heads[number]);
            }

            TurnFolder.Fold(_state, header.ToTurn(position, frame));
            _writer.Clear();
            _state.Pack(_writer);
            _heads[number] = _writer.Written.ToArray();
            if (_rowPositions.GetValueOrDefault(number) == position)
            {
                _expected[number] = Sum(_writer.Written);
            }
        }
        catch (StoreCorruptException e)
        {
            _heads.Remove(number);
            report(LogFile.FileName, position, number, e.Message);
        }
    }

    private void AddSections(long position, long number, List<SectionWrite> sections)
    {
        foreach (var section in sections)
        {
            var versions = _sections.TryGetValue((number, section.Index), out var known) ? known : _sections[(number, section.Index)] = _heads.ContainsKey(number) ? [null] : [null, Unknown];
            if (position < checkpointEnd)
            {
                versions.Clear();
            }

            versions.Add(section.Content is { } content ? Sum(content) : null);
        }
    }

    private void AddEffects(long position, ReadOnlySpan<byte> extra)
    {
        var reader = new PackedReader(extra);
        while (TurnExtra.Read(ref reader, out var effect))
        {
            if (position >= checkpointEnd)
            {
                _ = effect.IsRemoved && _removedLater.Add(effect.Id);
            }
            else
            {
                var queue = (effect.Tenant, effect.QueueName);
                _open[queue] = _open.GetValueOrDefault(queue) + (effect.IsRemoved ? -1 : 1);
                if (effect.IsRemoved)
                {
                    _tasks.Remove(effect.Id);
                }
                else
                {
                    _tasks[effect.Id] = Sum(effect.Task);
                }
            }
        }
    }

    private void CompareKeys(Database tables)
    {
        var rows = tables.Prepare("SELECT tenant, object_type, id, number FROM keys");
        while (rows.Step())
        {
            var number = rows.Long(3);
            if (_keys.TryGetValue(number, out var key) && !_rewritten.Contains(number) && key != new RecordKey(rows.Int(0), rows.Int(1), rows.Text(2)))
            {
                report(TableFile.FileName, 0, number, "the key is not the one that the journal gives");
            }
        }
    }

    private void CompareActivity(Database tables)
    {
        var found = new Dictionary<(int Tenant, int Workflow), (long Last, uint Sum)>();
        var rows = tables.Prepare("SELECT tenant, workflow, first, positions FROM activity WHERE first < ?1 ORDER BY tenant, workflow, first").Bind(1, checkpointEnd);
        while (rows.Step())
        {
            foreach (var position in SqliteRecordStore.UnpackPositions(rows.Long(2), rows.Blob(3)))
            {
                if (position >= begin)
                {
                    AddActivity(found, (rows.Int(0), rows.Int(1)), position);
                }
            }
        }

        foreach (var workflow in _activity.Keys.Union(found.Keys))
        {
            if (_activity.GetValueOrDefault(workflow) != found.GetValueOrDefault(workflow))
            {
                report(TableFile.FileName, 0, 0, $"the activity of workflow {workflow.Workflow} of tenant {workflow.Tenant} is not what the journal gives");
            }
        }
    }

    private void CompareHeads(Database tables)
    {
        var rows = tables.Prepare("SELECT number, position, head FROM heads");
        while (rows.Step())
        {
            if (_expected.TryGetValue(rows.Long(0), out var expected) && expected != Sum(rows.Blob(2)))
            {
                report(TableFile.FileName, rows.Long(1), rows.Long(0), "the state is not what the journal gives");
            }
        }
    }

    private void CompareSections(Database tables)
    {
        var seen = new HashSet<(long, int)>();
        var rows = tables.Prepare("SELECT record, idx, content FROM sections");
        while (rows.Step())
        {
            var id = (Record: rows.Long(0), Index: rows.Int(1));
            seen.Add(id);
            if (_sections.TryGetValue(id, out var versions) && !_rewritten.Contains(id.Record) && !versions.Contains(Sum(rows.Blob(2))) && !versions.Contains(Unknown))
            {
                report(TableFile.FileName, 0, id.Record, $"section {id.Index} is not what the journal gives");
            }
        }

        foreach (var ((record, index), versions) in _sections)
        {
            if (!seen.Contains((record, index)) && !_rewritten.Contains(record) && !versions.Contains(null))
            {
                report(TableFile.FileName, 0, record, $"section {index} is missing");
            }
        }
    }

    private void CompareEffects(Database tables)
    {
        var seen = new HashSet<EffectId>();
        var rows = tables.Prepare("SELECT sequence, record, enrollment, step, execution, task FROM effects");
        while (rows.Step())
        {
            var id = new EffectId(rows.Long(1), rows.Int(2), rows.Int(3), rows.Int(4));
            seen.Add(id);
            if (rows.Long(0) < checkpointEnd && _heads.ContainsKey(id.RecordNumber) && !_rewritten.Contains(id.RecordNumber)
                && (!_tasks.TryGetValue(id, out var task) || task != Sum(rows.Blob(5))))
            {
                report(TableFile.FileName, rows.Long(0), id.RecordNumber, $"the open task of {id} is not what the journal gives");
            }
        }

        foreach (var id in _tasks.Keys)
        {
            if (!seen.Contains(id) && !_removedLater.Contains(id) && !_rewritten.Contains(id.RecordNumber))
            {
                report(TableFile.FileName, 0, id.RecordNumber, $"the open task of {id} is missing");
            }
        }

        if (_rewritten.Count == 0 && begin == LogFormat.FirstPosition)
        {
            CompareQueues(tables);
        }
    }

    private void CompareCounters(Database tables)
    {
        var rows = tables.Prepare("SELECT tenant, workflow, version, kind, step, code, value FROM counters");
        while (rows.Step())
        {
            var key = new CounterKey(rows.Int(0), rows.Int(1), rows.Int(2), (CounterKind)rows.Int(3), rows.Int(4), rows.Int(5));
            _counters.Remove(key, out var counted);
            if (counted != rows.Long(6))
            {
                report(TableFile.FileName, 0, 0, $"counter {key} is {rows.Long(6)}, the journal gives {counted}");
            }
        }

        foreach (var (key, counted) in _counters)
        {
            if (counted != 0)
            {
                report(TableFile.FileName, 0, 0, $"counter {key} is missing, the journal gives {counted}");
            }
        }
    }

    private void CompareDocuments(Database tables)
    {
        var rows = tables.Prepare("SELECT tenant, kind, id, content FROM documents");
        while (rows.Step())
        {
            var id = (rows.Int(0), rows.Text(1), rows.Text(2));
            if (_documents.Remove(id, out var content) && (content is null || !rows.Blob(3).SequenceEqual(content)))
            {
                report(TableFile.FileName, 0, 0, $"document {id} is not what the journal gives");
            }
        }

        foreach (var (id, content) in _documents)
        {
            if (content is not null)
            {
                report(TableFile.FileName, 0, 0, $"document {id} is missing");
            }
        }
    }

    private void CompareQueues(Database tables)
    {
        var rows = tables.Prepare("SELECT tenant, queue, open FROM queues");
        while (rows.Step())
        {
            _open.Remove((rows.Int(0), rows.Text(1)), out var open);
            if (open != rows.Long(2))
            {
                report(TableFile.FileName, 0, 0, $"queue {rows.Text(1)} of tenant {rows.Int(0)} has {rows.Long(2)} open tasks, the journal gives {open}");
            }
        }

        foreach (var (queue, open) in _open)
        {
            if (open != 0)
            {
                report(TableFile.FileName, 0, 0, $"queue {queue.Queue} of tenant {queue.Tenant} is missing, the journal gives {open} open tasks");
            }
        }
    }

    private static void AddActivity(
        Dictionary<(int Tenant, int Workflow), (long Last, uint Sum)> activity, (int Tenant, int Workflow) workflow, long position)
    {
        var (last, sum) = activity.GetValueOrDefault(workflow);
        if (position > last)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, position);
            activity[workflow] = (position, Crc32C.Of(sum, bytes));
        }
    }

    private static uint Sum(ReadOnlySpan<byte> bytes) => Crc32C.Of(uint.MaxValue, bytes);
}
