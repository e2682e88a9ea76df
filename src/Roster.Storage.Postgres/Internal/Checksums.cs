using System.Numerics;
using System.Runtime.InteropServices;
using Roster.Engine.Stores;

namespace Roster.Storage.Postgres.Internal;

/// <summary>CRC-32C of stored bytes, seeded with where they belong, so that bytes in the wrong row are told as well.</summary>
internal static class Checksums
{
    public static int OfHead(long number, long position, ReadOnlySpan<byte> head) => (int)Of(Seed(number, position), head);

    public static int OfSection(long record, int index, ReadOnlySpan<byte> content) => (int)Of(Seed(record, index), content);

    public static int OfTurn(long position, long previous, long record, ReadOnlySpan<byte> skeleton, ReadOnlySpan<byte> payload) =>
        (int)Of(Of(BitOperations.Crc32C(Seed(position, previous), (ulong)record), skeleton), payload);

    public static void Check(int stored, int computed, FormattableString what)
    {
        if (stored != computed)
        {
            throw new StoreCorruptException(FormattableString.Invariant($"The checksum of {FormattableString.Invariant(what)} does not match."));
        }
    }

    private static uint Seed(long first, long second) => BitOperations.Crc32C(BitOperations.Crc32C(uint.MaxValue, (ulong)first), (ulong)second);

    private static uint Of(uint seed, ReadOnlySpan<byte> bytes)
    {
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            seed = BitOperations.Crc32C(seed, word);
        }

        foreach (var rest in bytes[(bytes.Length & ~7)..])
        {
            seed = BitOperations.Crc32C(seed, rest);
        }

        return seed;
    }
}
