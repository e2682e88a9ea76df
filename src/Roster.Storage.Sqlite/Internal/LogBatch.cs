using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Roster.Core.Hashing;
using Roster.Core.Packing;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// Builds the bytes of one batch: frames, cut into rows at the ends of frames, and a header with what belongs to no single turn
/// (documents, changes of counters, index of workflows). Used again and again.
/// </summary>
/// <remarks>
/// Header, little-endian: checksum of the rest (4), magic (4), length of all frames (4), number of turns (4), packed fields:
/// 1 document, 2 counters, 3 activity. Positions count bytes of frames only; a batch without turns takes one position.
/// </remarks>
internal sealed class LogBatch
{
    /// <summary>
    /// A row is full when it has so many bytes. Short, so that reading one turn does not walk through a long chain of pages; with the
    /// default page of 8192 bytes it is one page and the thousand bytes that SQLite keeps in the tree.
    /// </summary>
    public const int RowBytes = 8900;

    public const uint Magic = 0x3142_5352;
    public const int DocumentField = 1;
    public const int CountersField = 2;
    public const int ActivityField = 3;
    private readonly PackedWriter _header = new(4096);
    private readonly PackedWriter _extra = new();
    private readonly List<int> _rowEnds = [];
    private readonly PackedWriter _frames = new(256 * 1024);
    private int _rowStart;

    public long Start { get; private set; }

    public int TurnCount { get; private set; }

    public long End => Start + Math.Max(1, _frames.Length);

    public ReadOnlySpan<byte> Frames => _frames.Written;

    public ReadOnlySpan<byte> Header => _header.Written;

    public ReadOnlySpan<int> RowEnds => CollectionsMarshal.AsSpan(_rowEnds);

    /// <summary>Effects of the turn that is added next: <see cref="AddTurn"/> takes and empties it.</summary>
    public PackedWriter Extra => _extra;

    public void Begin(long start)
    {
        Start = start;
        TurnCount = 0;
        _frames.Clear();
        _rowStart = 0;
        _rowEnds.Clear();
        _header.Clear();
        _extra.Clear();
    }

    /// <summary>Appends a frame and returns its position.</summary>
    public long AddTurn(ReadOnlySpan<byte> skeleton, ReadOnlySpan<byte> payload, FrameFlags flags, long previous)
    {
        var length = LogFormat.FrameHeaderBytes + skeleton.Length + payload.Length + _extra.Length;
        var position = PositionOf(length);
        var frame = _frames.Take(length);
        skeleton.CopyTo(frame[LogFormat.FrameHeaderBytes..]);
        payload.CopyTo(frame[(LogFormat.FrameHeaderBytes + skeleton.Length)..]);
        _extra.Written.CopyTo(frame[(LogFormat.FrameHeaderBytes + skeleton.Length + payload.Length)..]);
        _extra.Clear();
        LogFormat.SealFrame(frame, skeleton.Length, payload.Length, flags, previous, position);
        TurnCount++;
        if (_frames.Length - _rowStart >= RowBytes)
        {
            _rowEnds.Add(_frames.Length);
            _rowStart = _frames.Length;
        }

        return position;
    }

    /// <summary>Completes the batch.</summary>
    public void Seal(TurnBatch batch)
    {
        if (_rowStart < _frames.Length || _frames.Length == 0)
        {
            _rowEnds.Add(_frames.Length);
        }

        _header.Take(LogFormat.BatchHeaderBytes);
        foreach (var document in batch.Documents)
        {
            WriteDocument(document);
        }

        WriteCounters(batch);
        WriteActivity(batch);
        var header = _header.Patch(0, _header.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], _frames.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], TurnCount);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Crc32C.Of(LogFormat.Seed(Start), header[4..]));
    }

    private void WriteDocument(StoredDocument document)
    {
        var start = _header.BeginMessage(DocumentField);
        _header.Int(1, document.Tenant);
        _header.Text(2, document.Kind);
        _header.Text(3, document.Id);
        if (document.Content is not null)
        {
            _header.BytesAlways(4, document.Content);
        }

        _header.EndMessage(start);
    }

    private void WriteCounters(TurnBatch batch)
    {
        if (batch.Counters.Count == 0)
        {
            return;
        }

        var start = _header.BeginMessage(CountersField);
        foreach (var (key, change) in batch.Counters)
        {
            _header.Varint((uint)key.Tenant);
            _header.Varint((uint)key.Workflow);
            _header.Varint((uint)key.Version);
            _header.Varint((uint)key.Kind);
            _header.Varint((uint)key.Step);
            _header.Varint((uint)key.Code);
            _header.Varint((ulong)((change << 1) ^ (change >> 63)));
        }

        _header.EndMessage(start);
    }

    private void WriteActivity(TurnBatch batch)
    {
        if (batch.Activity.Count == 0)
        {
            return;
        }

        var start = _header.BeginMessage(ActivityField);
        foreach (var (tenant, workflow, index) in batch.Activity)
        {
            var position = batch.Turns[index].Position;
            if (position > 0)
            {
                _header.Varint((uint)tenant);
                _header.Varint((uint)workflow);
                _header.Varint((ulong)(position - Start));
            }
        }

        _header.EndMessage(start);
    }

    /// <summary>Position of a frame of so many bytes that is added next.</summary>
    private long PositionOf(int length) => (long)_frames.Length + length <= LogFormat.BatchBytesMax
        ? Start + _frames.Length
        : throw new ArgumentException($"A batch may have {LogFormat.BatchBytesMax} bytes; commit smaller batches.");
}

/// <summary>Header of a batch as read back.</summary>
internal readonly ref struct BatchHeader
{
    private readonly ReadOnlySpan<byte> _fields;

    private BatchHeader(int framesLength, int turnCount, ReadOnlySpan<byte> fields)
    {
        FramesLength = framesLength;
        TurnCount = turnCount;
        _fields = fields;
    }

    public int FramesLength { get; }

    public int TurnCount { get; }

    public PackedReader Fields => new(_fields);

    public static BatchHeader Read(ReadOnlySpan<byte> bytes, long start, string path)
    {
        if (bytes.Length < LogFormat.BatchHeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Crc32C.Of(LogFormat.Seed(start), bytes[4..])
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != LogBatch.Magic)
        {
            throw LogFormat.Corrupt(path, start, "the checksum of a batch does not match");
        }

        return new BatchHeader(
            BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            bytes[LogFormat.BatchHeaderBytes..]);
    }

    /// <summary>Adds what the batch counted.</summary>
    public void Count(Dictionary<CounterKey, long> counters)
    {
        var fields = Fields;
        while (fields.Next(out var field))
        {
            var packed = fields.Bytes();
            var reader = new PackedReader(packed);
            while (field == LogBatch.CountersField && reader.Position < packed.Length)
            {
                var (key, change) = ReadCounter(ref reader);
                counters[key] = counters.GetValueOrDefault(key) + change;
            }
        }
    }

    public static StoredDocument ReadDocument(ReadOnlySpan<byte> packed)
    {
        var document = new StoredDocument(0, string.Empty, string.Empty, null);
        var reader = new PackedReader(packed);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: document = document with { Tenant = reader.Int() }; break;
                case 2: document = document with { Kind = reader.Text() }; break;
                case 3: document = document with { Id = reader.Text() }; break;
                case 4: document = document with { Content = reader.Bytes().ToArray() }; break;
                default: reader.Skip(); break;
            }
        }

        return document;
    }

    public static (CounterKey Key, long Change) ReadCounter(ref PackedReader reader)
    {
        var key = new CounterKey(
            (int)reader.Varint(), (int)reader.Varint(), (int)reader.Varint(), (CounterKind)reader.Varint(), (int)reader.Varint(), (int)reader.Varint());
        return (key, reader.SInt());
    }
}
