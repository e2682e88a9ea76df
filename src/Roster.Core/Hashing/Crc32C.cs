using System.Numerics;
using System.Runtime.InteropServices;

namespace Roster.Core.Hashing;

/// <summary>CRC-32C of stored bytes, by the instruction of the processor.</summary>
public static class Crc32C
{
    /// <summary>Goes on from <paramref name="seed"/>, which may be the checksum of what comes before.</summary>
    public static uint Of(uint seed, ReadOnlySpan<byte> bytes)
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
