using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <content>Recovery: the log after the checkpoint, verified and applied as live commits are.</content>
public sealed partial class SqliteRecordStore
{
    private void Recover(CancellationToken cancellationToken)
    {
        using (var reader = new TableReader(_tables.Path, _options.ReaderCacheBytes))
        {
            ReadTables(reader);
        }

        _recent = new RecentLog(_options.RecentLogBytes, _checkpointEnd);
        using (var log = new LogReader(_log.Path, _recent, _options.ReaderCacheBytes))
        {
            CheckLogReaches(log);
            Replay(log, cancellationToken);
        }

        foreach (var queue in _live.EffectsByQueue.Keys)
        {
            RunOnTables(() => _tables.RemoveEffectsAbove(queue, _checkpointEnd - 1));
        }

        // Reservations are durable before they are given. A record number is not a sequence: hosts put a shard into it.
        _nextSequence = Math.Max(1, _tables.ReadMeta(MetaNames.Sequence));
        _reservedSequence = _nextSequence;
    }

    private void ReadTables(TableReader reader)
    {
        _position = _checkpointPosition = _tables.ReadMeta(MetaNames.Position);
        _checkpointEnd = Math.Max(LogFormat.FirstPosition, _tables.ReadMeta(MetaNames.End));
        _records = _tables.ReadMeta(MetaNames.Records);
        _timers = _tables.ReadMeta(MetaNames.Timers);
        _numberMax = reader.LargestNumber();
        var counters = reader.Prepared(ref reader.Counters, "SELECT tenant, workflow, version, kind, step, code, value FROM counters");
        while (counters.Step())
        {
            var key = new CounterKey(
                counters.Int(0), counters.Int(1), counters.Int(2), (CounterKind)counters.Int(3), counters.Int(4), counters.Int(5));
            _counters.TryAdd(key.Tenant, []);
            _counters[key.Tenant].Add(key, counters.Long(6));
        }

        var queues = reader.Prepared(ref reader.Queues, "SELECT tenant, queue, open FROM queues");
        while (queues.Step())
        {
            var queue = QueueOf(queues.Int(0), queues.Text(1));
            queue.Open = queues.Long(2);
            _effects += queue.Open;
        }
    }

    /// <summary>The tables may lag behind the log, never the other way round.</summary>
    private void CheckLogReaches(LogReader log)
    {
        var end = log.LogEnd();
        if (end < _checkpointEnd)
        {
            throw LogFormat.Corrupt(_log.Path, end, $"the log ends here, but {_tables.Path} has turns up to position {_checkpointEnd}");
        }
    }

    private void Replay(LogReader log, CancellationToken cancellationToken)
    {
        var next = _checkpointEnd;
        var batchEnd = next;
        var turns = 0;
        var rows = log.RowsFrom(next);
        while (rows.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var start = rows.Long(0);
            CheckFollows(_log.Path, next, start);
            var frames = rows.Blob(2);
            next = start + Math.Max(1, frames.Length);
            if (!rows.IsNull(1))
            {
                CheckComplete(start, batchEnd, turns);
                var header = BatchHeader.Read(rows.Blob(1), start, _log.Path);
                batchEnd = start + Math.Max(1, header.FramesLength);
                turns = header.TurnCount;
                ReplayHeader(header, start);
            }

            turns -= ReplayFrames(start, frames);
            _recent.Append(start, frames);
        }

        CheckComplete(next, batchEnd, turns);
        _logEnd = next;
    }

    private void CheckComplete(long at, long batchEnd, int turns)
    {
        if (at != batchEnd || turns != 0)
        {
            throw LogFormat.Corrupt(_log.Path, at, "the batch before it is not whole");
        }
    }

    private void ReplayHeader(BatchHeader header, long start)
    {
        var fields = header.Fields;
        while (fields.Next(out var field))
        {
            var packed = fields.Bytes();
            var reader = new Core.Packing.PackedReader(packed);
            switch (field)
            {
                case LogBatch.DocumentField:
                    var document = BatchHeader.ReadDocument(packed);
                    _live.Documents[(document.Tenant, document.Kind, document.Id)] = document.Content;
                    break;
                case LogBatch.CountersField:
                    while (reader.Position < packed.Length)
                    {
                        var (key, change) = BatchHeader.ReadCounter(ref reader);
                        ApplyCounter(key, change);
                    }

                    break;
                case LogBatch.ActivityField:
                    while (reader.Position < packed.Length)
                    {
                        _live.AddActivity((int)reader.Varint(), (int)reader.Varint(), start + (long)reader.Varint());
                    }

                    break;
                default:
                    throw new StoreRefusedException($"{_log.Path} has field {field} in a batch at position {start}: a later version wrote it.");
            }
        }
    }

    private int ReplayFrames(long start, ReadOnlySpan<byte> frames)
    {
        var turns = 0;
        for (var at = 0; at < frames.Length; turns++)
        {
            var frame = frames[at..];
            var header = LogFormat.ReadFrame(frame, start + at, _log.Path);
            ReplayTurn(start + at, header, frame);
            at += header.Length;
        }

        return turns;
    }

    private void ReplayTurn(long position, in FrameHeader header, ReadOnlySpan<byte> frame)
    {
        if (header.Flags.HasFlag(FrameFlags.IsRewritten))
        {
            throw new StoreRefusedException(
                $"{_tables.Path} is older than an erasure that {_log.Path} has at position {position}. Restore both from one backup, and erase again.");
        }

        var facts = TurnFacts.Read(header.Skeleton(frame));
        ApplyTurn(facts.RecordNumber, position, facts.TurnId, facts.NextDueMs, header.Flags.HasFlag(FrameFlags.HadTimer));
        if (header.Flags.HasFlag(FrameFlags.Creates))
        {
            ApplyCreated(new RecordKey(facts.Tenant, facts.ObjectType, TurnFacts.ReadCreatedId(header.Payload(frame))), facts.RecordNumber);
        }

        if (header.Flags.HasFlag(FrameFlags.HasSections))
        {
            foreach (var section in TurnFacts.ReadSections(header.Payload(frame), isWithContent: false))
            {
                _live.AddSection(facts.RecordNumber, new SectionAt(section.Index, position, section.Content is null));
            }
        }

        if (header.Flags.HasFlag(FrameFlags.HasEffects))
        {
            ReplayEffects(position, header.Extra(frame));
        }
    }

    private void ReplayEffects(long position, ReadOnlySpan<byte> extra)
    {
        var reader = new Core.Packing.PackedReader(extra);
        var added = 0;
        while (TurnExtra.Read(ref reader, out var effect))
        {
            var queue = QueueOf(effect.Tenant, effect.QueueName);
            if (effect.IsRemoved)
            {
                ApplyEffectRemoved(new EffectAt(effect.Id, queue, effect.Sequence, Position: 0));
            }
            else
            {
                ApplyEffectAdded(new EffectAt(effect.Id, queue, position + added, position));
                added++;
            }
        }
    }
}
