using System.Runtime.InteropServices;
using Roster.Core.Packing;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;

namespace Roster.Storage.Sqlite;

/// <content>Reading turns: of a record, of all, of a workflow.</content>
public sealed partial class SqliteRecordStore
{
    /// <summary>A read of the journal stops after the turn that reaches this many bytes.</summary>
    private const int JournalReadBytesMax = 4 * 1024 * 1024;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredTurn>> ReadTimelineAsync(
        long recordNumber, long beforePosition, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        using var hold = _holds.Enter();
        using var log = _logReaders.Rent();
        var turns = new List<StoredTurn>();
        var frames = log.Item.Frames;
        frames.Clear();
        var position = FindTimelineStart(log.Item, recordNumber, beforePosition);
        while (position > 0 && turns.Count < limit && TryReadKept(log.Item, position, frames, out var header))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (beforePosition <= 0 || position < beforePosition)
            {
                turns.Add(ToTurn(header, position, frames.Bytes.ToArray()));
            }

            position = header.Previous;
        }

        return new(turns);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredTurn>> ReadJournalAsync(long afterPosition, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        using var hold = _holds.Enter();
        using var log = _logReaders.Rent();
        var turns = new List<StoredTurn>();
        var bytes = 0;
        var begin = JournalBegin;
        var next = log.Item.RowStart(Math.Max(afterPosition, begin));
        var rows = log.Item.RowsFrom(next);
        while (turns.Count < limit && bytes < JournalReadBytesMax && rows.Step())
        {
            var start = rows.Long(0);
            var frames = rows.Blob(2);
            CheckFollows(log.Item.Path, next, start);
            next = start + Math.Max(1, frames.Length);
            for (var at = 0; at < frames.Length && turns.Count < limit && bytes < JournalReadBytesMax;)
            {
                var header = LogFormat.ReadFrame(frames[at..], start + at, log.Item.Path);
                if (start + at > afterPosition && start + at >= begin)
                {
                    turns.Add(ToTurn(header, start + at, frames.Slice(at, header.Length).ToArray()));
                    bytes += header.Length;
                }

                at += header.Length;
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
        using var hold = _holds.Enter();
        var before = beforePosition <= 0 ? long.MaxValue : beforePosition;
        var positions = new List<long>();
        lock (_gate)
        {
            AddNewest(positions, _live.Activity.GetValueOrDefault((tenant, workflow)), before, limit);
            AddNewest(positions, _frozen?.Activity.GetValueOrDefault((tenant, workflow)), before, limit);

            // Rows beyond it are of a checkpoint that is not complete; the deltas have their turns.
            before = Math.Min(before, _checkpointEnd);
        }

        ReadActivityRows(positions, tenant, workflow, before, limit);
        using var log = _logReaders.Rent();
        var frames = log.Item.Frames;
        frames.Clear();
        var turns = new List<StoredTurn>(positions.Count);
        foreach (var position in positions)
        {
            if (!TryReadKept(log.Item, position, frames, out var header))
            {
                break;
            }

            turns.Add(ToTurn(header, position, frames.Bytes.ToArray()));
        }

        return new(turns);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<KeyValuePair<CounterKey, long>>?> ReadRemovedCountersAsync(int tenant, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var log = _logReaders.Rent();
        return new(log.Item.RemovedCounters(tenant));
    }

    private long JournalBegin => Volatile.Read(ref _journalBegin);

    /// <summary>Reads a turn; false when it was removed by retention.</summary>
    private bool TryReadKept(LogReader log, long position, FrameBuffer frames, out FrameHeader header)
    {
        // It may be removed meanwhile, but its row stays until this read has ended.
        var isKept = position >= JournalBegin;
        header = isKept ? log.Read(position, frames) : default;
        return isKept;
    }

    private StoredTurn ToTurn(in FrameHeader header, long position, byte[] frame)
    {
        var turn = header.ToTurn(position, frame);
        return turn.Previous > 0 && turn.Previous < JournalBegin ? turn with { Previous = -1 } : turn;
    }

    private static void CheckFollows(string path, long expected, long start)
    {
        if (start != expected)
        {
            throw LogFormat.Corrupt(path, expected, $"the log goes on at position {start}");
        }
    }

    /// <summary>
    /// The newest turn to look at. When <paramref name="beforePosition"/> is a turn of the record, as it is for every page but the
    /// first, the walk goes on from there.
    /// </summary>
    private long FindTimelineStart(LogReader log, long recordNumber, long beforePosition)
    {
        if (beforePosition > 0
            && log.TryRead(beforePosition, log.Frames, out var header)
            && TurnFacts.Read(header.Skeleton(log.Frames.Bytes.Span)).RecordNumber == recordNumber)
        {
            return header.Previous;
        }

        lock (_gate)
        {
            ref var entry = ref _map.Find(recordNumber);
            if (!RecordMap.IsMissing(ref entry))
            {
                return entry.Position;
            }
        }

        using var reader = _tableReaders.Rent();
        return reader.Item.FindKnown(recordNumber).Position;
    }

    private static void AddNewest(List<long> positions, List<long>? source, long before, int limit)
    {
        if (source is null)
        {
            return;
        }

        var end = CollectionsMarshal.AsSpan(source).BinarySearch(before);
        for (var i = (end < 0 ? ~end : end) - 1; i >= 0 && positions.Count < limit; i--)
        {
            positions.Add(source[i]);
        }
    }

    private void ReadActivityRows(List<long> positions, int tenant, int workflow, long before, int limit)
    {
        if (positions.Count >= limit)
        {
            return;
        }

        const string Sql =
            "SELECT first, positions FROM activity WHERE tenant = ?1 AND workflow = ?2 AND first < ?3 ORDER BY first DESC";
        using var reader = _tableReaders.Rent();
        var rows = reader.Item.Prepared(ref reader.Item.Activity, Sql).Bind(1, tenant).Bind(2, workflow).Bind(3, before);
        while (positions.Count < limit && rows.Step())
        {
            AddNewest(positions, UnpackPositions(rows.Long(0), rows.Blob(1)), before, limit);
        }
    }

    internal static List<long> UnpackPositions(long first, ReadOnlySpan<byte> packed)
    {
        var positions = new List<long> { first };
        var reader = new PackedReader(packed);
        while (reader.Position < packed.Length)
        {
            positions.Add(positions[^1] + (long)reader.Varint());
        }

        return positions;
    }
}
