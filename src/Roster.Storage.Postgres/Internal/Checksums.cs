using System.Numerics;
using Roster.Core.Hashing;
using Roster.Engine.Stores;

namespace Roster.Storage.Postgres.Internal;

/// <summary>CRC-32C of stored bytes, seeded with where they belong, so that bytes in the wrong row are told as well.</summary>
internal static class Checksums
{
    public static int OfHead(long number, long position, ReadOnlySpan<byte> head) => (int)Crc32C.Of(Seed(number, position), head);

    public static int OfSection(long record, int index, ReadOnlySpan<byte> content) => (int)Crc32C.Of(Seed(record, index), content);

    public static int OfTurn(long position, long previous, long record, ReadOnlySpan<byte> skeleton, ReadOnlySpan<byte> payload) =>
        (int)Crc32C.Of(Crc32C.Of(BitOperations.Crc32C(Seed(position, previous), (ulong)record), skeleton), payload);

    public static void Check(int stored, int computed, FormattableString what)
    {
        if (stored != computed)
        {
            throw new StoreCorruptException(FormattableString.Invariant($"The checksum of {FormattableString.Invariant(what)} does not match."));
        }
    }

    private static uint Seed(long first, long second) => BitOperations.Crc32C(BitOperations.Crc32C(uint.MaxValue, (ulong)first), (ulong)second);
}
