using System.Buffers.Binary;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// Reads a write-ahead log as SQLite does, and beyond its end. SQLite takes the first frame that is not as it was written for the end, so damage
/// in the middle would silently lose what was acknowledged after it.
/// </summary>
/// <remarks>
/// A crash may leave the last transaction in pieces, because it was never acknowledged. More than one transaction from the first bad frame on
/// cannot come from a crash: each is flushed before the next begins.
/// </remarks>
internal static class WalCheck
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private const uint Magic = 0x377F_0682;

    /// <summary>What is wrong with a file; null for nothing, or when there is none.</summary>
    public static string? Check(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path) || new FileInfo(path).Length == 0)
        {
            return null;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1 << 20);
        var header = new byte[HeaderBytes];
        if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes)
        {
            return null;
        }

        var magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        var isBig = magic == (Magic | 1);
        var sum = Sum((0, 0), header.AsSpan(0, 24), isBig);
        if ((magic | 1) != (Magic | 1) || sum != Stored(header.AsSpan(24)))
        {
            return "the header of the write-ahead log does not match its checksum: SQLite would ignore all that is in it";
        }

        var pageBytes = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8));
        return CheckFrames(file, header.AsSpan(16, 8), (int)pageBytes, isBig, sum, cancellationToken);
    }

    private static string? CheckFrames(
        FileStream file, ReadOnlySpan<byte> salt, int pageBytes, bool isBig, (uint First, uint Second) sum, CancellationToken cancellationToken)
    {
        var frame = new byte[FrameHeaderBytes + pageBytes];
        var bad = 0L;
        var commits = 0;
        for (var n = 1L; file.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) == frame.Length; n++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isOfThisRound = frame.AsSpan(8, 8).SequenceEqual(salt);
            if (bad == 0)
            {
                sum = Sum(Sum(sum, frame.AsSpan(0, 8), isBig), frame.AsSpan(FrameHeaderBytes), isBig);
                bad = isOfThisRound && sum == Stored(frame.AsSpan(16)) ? 0 : n;
            }

            commits += bad != 0 && isOfThisRound && BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4)) != 0 ? 1 : 0;
        }

        return commits < 2
            ? null
            : $"frame {bad} of the write-ahead log is not as it was written, and there are {commits} transactions from it on, which SQLite would ignore";
    }

    private static (uint First, uint Second) Stored(ReadOnlySpan<byte> bytes) =>
        (BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));

    /// <summary>The checksum of the file format: https://sqlite.org/fileformat2.html, section 4.2.</summary>
    private static (uint First, uint Second) Sum((uint First, uint Second) sum, ReadOnlySpan<byte> bytes, bool isBig)
    {
        var (first, second) = sum;
        for (var at = 0; at < bytes.Length; at += 8)
        {
            var (left, right) = isBig
                ? (BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]), BinaryPrimitives.ReadUInt32BigEndian(bytes[(at + 4)..]))
                : (BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]));
            first = unchecked(first + left + second);
            second = unchecked(second + right + first);
        }

        return (first, second);
    }
}
