using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Roster.Storage.V1;

namespace Roster.Engine.Moving;

/// <summary>What a tenant has: counts, and a hash of all of it that is the same in every store.</summary>
/// <param name="Tenant">Its number.</param>
/// <param name="Id">Its name.</param>
/// <param name="Records">Records.</param>
/// <param name="Turns">Turns in the journal.</param>
/// <param name="Timers">Records that go on by themselves at some instant.</param>
/// <param name="Effects">Open tasks, messages between records and dead letters.</param>
/// <param name="Documents">Definitions, jobs, endpoints, credentials.</param>
/// <param name="Hash">SHA-256, 64 hexadecimal digits.</param>
public sealed record TenantSummary(int Tenant, string Id, long Records, long Turns, long Timers, long Effects, long Documents, string Hash);

/// <summary>
/// The hash of the state of a tenant. Each item has a SHA-256 of its canonical bytes; those of a kind are added up, so that the order in which a store reads
/// records or counters does not matter. Turns and effects have an order that matters, so their number is hashed with them. Not thread-safe.
/// </summary>
internal sealed class TenantHash(int tenant, string tenantId)
{
    private const int Kinds = 8;
    private const int Lanes = SHA256.HashSizeInBytes / sizeof(ulong);

    private readonly long[] _counts = new long[Kinds];
    private readonly ulong[] _sums = new ulong[Kinds * Lanes];
    private byte[] _buffer = new byte[4_096];

    /// <summary>Takes the items of a page.</summary>
    public void Add(TenantPage page)
    {
        Add(0, page.Documents);
        Add(1, page.Effects, isOrdered: true);
        Add(2, page.Turns, isOrdered: true);
        Add(3, page.Counters);
        Add(4, page.RemovedCounters);
        Add(5, page.Keys);
        Add(6, page.Records);
        Add(7, page.Sections);
    }

    /// <summary>Counts and hash of all items that were taken.</summary>
    public TenantFileEnd End() => new()
    {
        Documents = _counts[0],
        Effects = _counts[1],
        Turns = _counts[2],
        Counters = _counts[3],
        RemovedCounters = _counts[4],
        Keys = _counts[5],
        Records = _counts[6],
        Sections = _counts[7],
        Hash = ByteString.CopyFrom(Sum()),
    };

    private byte[] Sum()
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        all.AppendData(new TenantDocument { Number = tenant, Id = tenantId }.ToByteArray());
        Span<byte> number = stackalloc byte[sizeof(long)];
        for (var kind = 0; kind < Kinds; kind++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, _counts[kind]);
            all.AppendData(number);
            for (var lane = 0; lane < Lanes; lane++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(number, _sums[(kind * Lanes) + lane]);
                all.AppendData(number);
            }
        }

        return all.GetHashAndReset();
    }

    private void Add<T>(int kind, IReadOnlyList<T> items, bool isOrdered = false)
        where T : IMessage<T>
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        foreach (var item in items)
        {
            var length = sizeof(long) + item.CalculateSize();
            if (_buffer.Length < length)
            {
                _buffer = new byte[length * 2];
            }

            BinaryPrimitives.WriteInt64LittleEndian(_buffer, isOrdered ? _counts[kind] : -1);
            item.WriteTo(_buffer.AsSpan(sizeof(long), length - sizeof(long)));
            SHA256.HashData(_buffer.AsSpan(0, length), hash);
            _counts[kind]++;
            var lanes = MemoryMarshal.Cast<byte, ulong>(hash);
            for (var lane = 0; lane < Lanes; lane++)
            {
                _sums[(kind * Lanes) + lane] += BitConverter.IsLittleEndian ? lanes[lane] : BinaryPrimitives.ReverseEndianness(lanes[lane]);
            }
        }
    }
}
