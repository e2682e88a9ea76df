using System.Buffers.Binary;
using System.Text;
using Roster.Core;
using Roster.Core.Hashing;

namespace Roster.Engine.Hosting;

/// <summary>
/// Hashes of record keys. The low byte is the record's virtual shard, and also the low byte of its number: a record is found at the
/// same shard by key and by number, whatever the number of shards.
/// </summary>
internal static class KeyHash
{
    public const int VirtualShards = 256;

    public static Hash128 Of(RecordKey key)
    {
        Span<byte> bytes = stackalloc byte[8 + RecordKey.IdBytesMax];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, key.Tenant);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], key.ObjectType);
        var length = Encoding.UTF8.GetBytes(key.Id, bytes[8..]);
        return StableHash.Hash128(bytes[..(8 + length)]);
    }

    public static int VirtualShard(Hash128 hash) => (int)(hash.Low % VirtualShards);

    public static int VirtualShard(long number) => (int)(number % VirtualShards);

    public static long Number(long sequence, Hash128 hash) => (sequence * VirtualShards) + VirtualShard(hash);
}
