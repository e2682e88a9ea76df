using System.Buffers.Binary;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>Reads frames: from memory when they are recent, otherwise from the file. Used by one thread at a time.</summary>
internal sealed class LogReader : IPooled
{
    public const int AllTenants = -1;

    private readonly Database _database;
    private readonly RecentLog _recent;
    private readonly Statement _begin;
    private readonly Statement _end;
    private readonly Statement _row;
    private readonly Statement _rows;

    public LogReader(string path, RecentLog recent, int cacheBytes)
    {
        _database = Database.OpenReader(path, cacheBytes);
        _begin = _database.Prepare("BEGIN");
        _end = _database.Prepare("COMMIT");
        _recent = recent;
        _row = _database.Prepare("SELECT start, frames FROM log WHERE start <= ?1 ORDER BY start DESC LIMIT 1");
        _rows = _database.Prepare("SELECT start, batch, frames FROM log WHERE start >= ?1 ORDER BY start");
    }

    /// <summary>For reading one frame at a time.</summary>
    public FrameBuffer Frames { get; } = new();

    public string Path => _database.Path;

    /// <summary>Reads up to <see cref="End"/> see one moment, and cost less: pages that many of them need are read once.</summary>
    public void Begin() => _begin.Run();

    public void End() => _end.Run();

    /// <summary>Reads the frame at a position that is known to be one.</summary>
    public FrameHeader Read(long position, FrameBuffer into)
    {
        if (!TryRead(position, into, out var header))
        {
            throw LogFormat.Corrupt(_database.Path, position, "there is no turn, or its checksum does not match");
        }

        return header;
    }

    /// <summary>Reads the frame at a position that may be none.</summary>
    public bool TryRead(long position, FrameBuffer into, out FrameHeader header) =>
        TryReadRecent(position, into, out header) || TryReadFile(position, into, out header);

    /// <summary>Rows from one that starts at or, when there is none, after a position: the caller steps and resets.</summary>
    public Statement RowsFrom(long position) => _rows.Bind(1, position);

    /// <summary>Start of the row that has a position; the position itself when there is none.</summary>
    public long RowStart(long position)
    {
        _row.Bind(1, position);
        try
        {
            return _row.Step() ? _row.Long(0) : position;
        }
        finally
        {
            _row.Reset();
        }
    }

    /// <summary>Start of the newest batch that begins at or before a position; the position itself when there is none.</summary>
    public long BatchAt(long position) => FindBatch("SELECT start FROM log WHERE start <= ?1 AND batch IS NOT NULL ORDER BY start DESC LIMIT 1", position);

    /// <summary>Start of the first batch that begins after a position; the position itself when there is none.</summary>
    public long BatchAfter(long position) => FindBatch("SELECT start FROM log WHERE start > ?1 AND batch IS NOT NULL ORDER BY start LIMIT 1", position);

    /// <summary>What batches counted that begin in a range of positions.</summary>
    public Dictionary<CounterKey, long> Count(long from, long to, CancellationToken cancellationToken)
    {
        var counters = new Dictionary<CounterKey, long>();
        using var rows = _database.PrepareOnce("SELECT start, batch FROM log WHERE start >= ?1 AND start < ?2 AND batch IS NOT NULL").Bind(1, from).Bind(2, to);
        while (rows.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            BatchHeader.Read(rows.Blob(1), rows.Long(0), Path).Count(counters);
        }

        return counters;
    }

    /// <summary>What the batches counted that were removed, in one tenant or <see cref="AllTenants"/>.</summary>
    public List<KeyValuePair<CounterKey, long>> RemovedCounters(int tenant)
    {
        var counters = new List<KeyValuePair<CounterKey, long>>();
        using var rows = _database.PrepareOnce(
            "SELECT tenant, workflow, version, kind, step, code, value FROM removed_counters WHERE tenant = ?1 OR ?1 < 0").Bind(1, tenant);
        while (rows.Step())
        {
            var key = new CounterKey(rows.Int(0), rows.Int(1), rows.Int(2), (CounterKind)rows.Int(3), rows.Int(4), rows.Int(5));
            counters.Add(KeyValuePair.Create(key, rows.Long(6)));
        }

        return counters;
    }

    /// <summary>Where the log ends: the position of the turn that is committed next.</summary>
    public long LogEnd()
    {
        _row.Bind(1, long.MaxValue);
        try
        {
            return _row.Step() ? _row.Long(0) + Math.Max(1, _row.Blob(1).Length) : LogFormat.FirstPosition;
        }
        finally
        {
            _row.Reset();
        }
    }

    public void Clean() => _database.Clean();

    public void Dispose() => _database.Dispose();

    private long FindBatch(string sql, long position)
    {
        using var row = _database.PrepareOnce(sql).Bind(1, position);
        return row.Step() ? row.Long(0) : position;
    }

    private bool TryReadRecent(long position, FrameBuffer into, out FrameHeader header)
    {
        header = default;
        Span<byte> length = stackalloc byte[4];
        if (!_recent.TryRead(position, length))
        {
            return false;
        }

        var bytes = BinaryPrimitives.ReadInt32LittleEndian(length);
        return bytes is >= LogFormat.FrameHeaderBytes and < LogFormat.BatchBytesMax
            && _recent.TryRead(position, into.Take(bytes))
            && LogFormat.TryReadFrame(into.Bytes.Span, position, out header);
    }

    private bool TryReadFile(long position, FrameBuffer into, out FrameHeader header)
    {
        header = default;
        _row.Bind(1, position);
        try
        {
            if (!_row.Step())
            {
                return false;
            }

            var offset = position - _row.Long(0);
            var frames = _row.Blob(1);
            if (offset >= frames.Length || !LogFormat.TryReadFrame(frames[(int)offset..], position, out header))
            {
                return false;
            }

            frames.Slice((int)offset, header.Length).CopyTo(into.Take(header.Length));
            return true;
        }
        finally
        {
            _row.Reset();
        }
    }
}

/// <summary>Bytes of one frame after another; used again and again.</summary>
internal sealed class FrameBuffer
{
    private byte[] _bytes = new byte[1024];
    private int _start;
    private int _length;

    /// <summary>The latest frame.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(_start, _length);

    /// <summary>Offset of the latest frame.</summary>
    public int Start => _start;

    /// <summary>A frame that was kept.</summary>
    public ReadOnlyMemory<byte> Kept(int start, int length) => _bytes.AsMemory(start, length);

    /// <summary>Room for a frame; overwrites the latest one unless it was kept.</summary>
    public Span<byte> Take(int length)
    {
        if (_bytes.Length - _start < length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _start + length));
        }

        _length = length;
        return _bytes.AsSpan(_start, length);
    }

    /// <summary>Keeps the latest frame: the next one goes behind it.</summary>
    public void Keep()
    {
        _start += _length;
        _length = 0;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        // One giant history must not hold its memory for good.
        if (_bytes.Length > 1 << 20)
        {
            _bytes = new byte[1024];
        }

        _start = 0;
        _length = 0;
    }
}
