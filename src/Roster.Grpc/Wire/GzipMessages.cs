using System.Buffers;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Grpc.Core.Wire;

/// <summary>Gzip, one message at a time.</summary>
internal static class GzipMessages
{
    private const int ChunkBytes = 16 * 1024;

    public static void Compress(ReadOnlySpan<byte> plain, CompressionLevel level, PooledBuffer target)
    {
        using var stream = new PooledBuffer.WriteStream(target);
        using var gzip = new GZipStream(stream, level, leaveOpen: true);
        gzip.Write(plain);
    }

    /// <summary>Decompresses into the target. The target never grows past the limit, whatever the message claims or holds.</summary>
    /// <returns>False if the message is longer than the limit.</returns>
    /// <exception cref="InvalidDataException">The bytes are not gzip, or end early.</exception>
    public static bool TryDecompress(in ReadOnlySequence<byte> packed, int bytesMax, PooledBuffer target)
    {
        int packedBytes = (int)packed.Length;
        if (packed.IsSingleSegment && MemoryMarshal.TryGetArray(packed.First, out ArraySegment<byte> segment))
        {
            return TryDecompress(segment, bytesMax, target);
        }

        byte[] copy = ArrayPool<byte>.Shared.Rent(packedBytes);
        try
        {
            packed.CopyTo(copy);
            return TryDecompress(new ArraySegment<byte>(copy, 0, packedBytes), bytesMax, target);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private static bool TryDecompress(ArraySegment<byte> packed, int bytesMax, PooledBuffer target)
    {
        using var stream = new MemoryStream(packed.Array!, packed.Offset, packed.Count, writable: false);
        using var gzip = new GZipStream(stream, CompressionMode.Decompress);
        while (true)
        {
            // One byte past the limit tells a message of exactly the limit from one that is too long.
            int wanted = (int)Math.Min(ChunkBytes, (long)bytesMax - target.Length + 1);
            int count = gzip.Read(target.GetSpan(wanted)[..wanted]);
            if (count == 0)
            {
                return true;
            }

            target.Advance(count);
            if (target.Length > bytesMax)
            {
                return false;
            }
        }
    }
}
