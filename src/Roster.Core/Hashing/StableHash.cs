using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Roster.Core.Hashing;

/// <summary>A 128-bit hash value.</summary>
/// <param name="High">First half.</param>
/// <param name="Low">Second half.</param>
public readonly record struct Hash128(ulong High, ulong Low);

/// <summary>
/// The one hash of the project (ENG-14): MurmurHash3 x64 128 with seed 0, and its first half where 64 bits do. The same on
/// every machine, process and version, for good.
/// </summary>
/// <remarks>Source: Austin Appleby, MurmurHash3.cpp, <c>MurmurHash3_x64_128</c>, public domain. Not cryptographic.</remarks>
public static class StableHash
{
    private const ulong C1 = 0x87c37b91114253d5;
    private const ulong C2 = 0x4cf5ad432745937f;

    /// <summary>Hash of bytes, 128 bits.</summary>
    public static Hash128 Hash128(ReadOnlySpan<byte> data)
    {
        ulong h1 = 0;
        ulong h2 = 0;
        var rest = data;
        while (rest.Length >= 16)
        {
            h1 ^= MixFirst(BinaryPrimitives.ReadUInt64LittleEndian(rest));
            h1 = BitOperations.RotateLeft(h1, 27) + h2;
            h1 = (h1 * 5) + 0x52dce729;
            h2 ^= MixSecond(BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
            h2 = BitOperations.RotateLeft(h2, 31) + h1;
            h2 = (h2 * 5) + 0x38495ab5;
            rest = rest[16..];
        }

        if (!rest.IsEmpty)
        {
            Span<byte> tail = stackalloc byte[16];
            tail.Clear();
            rest.CopyTo(tail);
            h2 ^= MixSecond(BinaryPrimitives.ReadUInt64LittleEndian(tail[8..]));
            h1 ^= MixFirst(BinaryPrimitives.ReadUInt64LittleEndian(tail));
        }

        h1 ^= (ulong)data.Length;
        h2 ^= (ulong)data.Length;
        h1 += h2;
        h2 += h1;
        h1 = FinalMix(h1);
        h2 = FinalMix(h2);
        h1 += h2;
        h2 += h1;
        return new Hash128(h1, h2);
    }

    /// <summary>Hash of bytes, 64 bits.</summary>
    public static ulong Hash64(ReadOnlySpan<byte> data) => Hash128(data).High;

    /// <summary>Hash of the UTF-8 form of a text, 128 bits.</summary>
    public static Hash128 Hash128(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var bytesMax = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> utf8 = bytesMax <= 512 ? stackalloc byte[512] : new byte[bytesMax];
        return Hash128(utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
    }

    /// <summary>Hash of two numbers, 64 bits: for ids that are made of an owner and a counter.</summary>
    public static ulong Hash64(ulong first, ulong second)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, first);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], second);
        return Hash64(bytes);
    }

    private static ulong MixFirst(ulong k) => BitOperations.RotateLeft(k * C1, 31) * C2;

    private static ulong MixSecond(ulong k) => BitOperations.RotateLeft(k * C2, 33) * C1;

    private static ulong FinalMix(ulong k)
    {
        k ^= k >> 33;
        k *= 0xff51afd7ed558ccd;
        k ^= k >> 33;
        k *= 0xc4ceb9fe1a85ec53;
        k ^= k >> 33;
        return k;
    }
}
