using System.Buffers.Binary;
using System.Numerics;
using Roster.Core.Hashing;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// The bytes of the log. A turn is a frame: header, skeleton, payload, extra. The position of a turn is the offset of its frame in
/// the log, counted from 1; it is mixed into the checksums, so that a frame in the wrong place is told as well.
/// </summary>
/// <remarks>
/// Header of a frame, little-endian: length of the frame (4), of the skeleton (4), of the payload (4), flags (4), position of the
/// record's turn before (8), checksum of header and skeleton (4), checksum of payload and extra (4). Erasure empties what is
/// under the second checksum. The extra holds effects, which the store must know at recovery and which have personal data.
/// </remarks>
internal static class LogFormat
{
    public const int FrameHeaderBytes = 32;
    public const int BatchHeaderBytes = 16;

    /// <summary>Offset of the first frame.</summary>
    public const long FirstPosition = 1;

    /// <summary>A batch must fit into the length fields and into memory twice.</summary>
    public const int BatchBytesMax = 512 * 1024 * 1024;

    public static uint Seed(long position) => BitOperations.Crc32C(uint.MaxValue, (ulong)position);

    /// <summary>Fills the header of a frame whose other parts are in place.</summary>
    public static void SealFrame(Span<byte> frame, int skeletonLength, int payloadLength, FrameFlags flags, long previous, long position)
    {
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length);
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], skeletonLength);
        BinaryPrimitives.WriteInt32LittleEndian(frame[8..], payloadLength);
        BinaryPrimitives.WriteInt32LittleEndian(frame[12..], (int)flags);
        BinaryPrimitives.WriteInt64LittleEndian(frame[16..], previous);
        var seed = Seed(position);
        var kept = frame.Slice(FrameHeaderBytes, skeletonLength);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[24..], Crc32C.Of(Crc32C.Of(seed, frame[..24]), kept));
        BinaryPrimitives.WriteUInt32LittleEndian(frame[28..], Crc32C.Of(seed, frame[(FrameHeaderBytes + skeletonLength)..]));
    }

    /// <summary>
    /// Gives a frame another payload, not longer than its own, and empties what follows it. The frame keeps its length, because positions
    /// are offsets.
    /// </summary>
    public static void RewriteFrame(Span<byte> frame, in FrameHeader header, ReadOnlySpan<byte> payload, long position)
    {
        var rest = frame[(FrameHeaderBytes + header.SkeletonLength)..header.Length];
        payload.CopyTo(rest);
        rest[payload.Length..].Clear();
        var flags = (header.Flags & ~(FrameFlags.HasSections | FrameFlags.HasEffects)) | FrameFlags.IsRewritten;
        SealFrame(frame[..header.Length], header.SkeletonLength, payload.Length, flags, header.Previous, position);
    }

    /// <summary>Reads the frame that begins the bytes; false when it is not a whole, unharmed frame of this position.</summary>
    public static bool TryReadFrame(ReadOnlySpan<byte> bytes, long position, out FrameHeader header)
    {
        header = default;
        if (bytes.Length < FrameHeaderBytes)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        var skeleton = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        var payload = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        if (length > bytes.Length || skeleton < 0 || payload < 0 || (long)FrameHeaderBytes + skeleton + payload > length)
        {
            return false;
        }

        header = new FrameHeader(
            length,
            skeleton,
            payload,
            (FrameFlags)BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]));
        var seed = Seed(position);
        var kept = Crc32C.Of(Crc32C.Of(seed, bytes[..24]), bytes.Slice(FrameHeaderBytes, skeleton));
        return kept == BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..])
            && Crc32C.Of(seed, bytes[(FrameHeaderBytes + skeleton)..length]) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]);
    }

    public static FrameHeader ReadFrame(ReadOnlySpan<byte> bytes, long position, string path) =>
        TryReadFrame(bytes, position, out var header) ? header : throw Corrupt(path, position, "the checksum of a turn does not match");

    public static StoreCorruptException Corrupt(string path, long position, string what) =>
        new($"{path} is damaged at position {position}: {what}. Restore the data folder from a backup.");
}

/// <summary>What a frame says about itself. Stored.</summary>
[Flags]
internal enum FrameFlags
{
    None = 0,

    /// <summary>The turn created its record.</summary>
    Creates = 1,

    /// <summary>The record had a timer before the turn: lets recovery count timers without reading a table.</summary>
    HadTimer = 2,

    /// <summary>The payload has sections.</summary>
    HasSections = 4,

    /// <summary>The extra is not empty.</summary>
    HasEffects = 8,

    /// <summary>Erasure gave it another payload and emptied its extra: tables have what the turn did, recovery must not need it.</summary>
    IsRewritten = 16,
}

/// <summary>Header of a frame.</summary>
internal readonly record struct FrameHeader(int Length, int SkeletonLength, int PayloadLength, FrameFlags Flags, long Previous)
{
    public ReadOnlySpan<byte> Skeleton(ReadOnlySpan<byte> frame) => frame.Slice(LogFormat.FrameHeaderBytes, SkeletonLength);

    public ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> frame) => frame.Slice(LogFormat.FrameHeaderBytes + SkeletonLength, PayloadLength);

    public ReadOnlySpan<byte> Extra(ReadOnlySpan<byte> frame) => frame[(LogFormat.FrameHeaderBytes + SkeletonLength + PayloadLength)..Length];

    /// <summary>The turn as readers of the store get it; <paramref name="frame"/> must begin with the frame and is kept.</summary>
    public StoredTurn ToTurn(long position, ReadOnlyMemory<byte> frame) => new(
        position,
        Previous,
        frame.Slice(LogFormat.FrameHeaderBytes, SkeletonLength),
        frame.Slice(LogFormat.FrameHeaderBytes + SkeletonLength, PayloadLength));
}
