using System.Buffers.Binary;
using Roster.Core.Hashing;

namespace Roster.Core.Records;

/// <summary>
/// Remembered event ids (REC-08), 24 bytes each: hash of the id (16), of the content (4), and the turn time in whole seconds (4).
/// </summary>
internal static class EventMarks
{
    public const int Size = 24;

    public static void Write(Span<byte> mark, Hash128 id, uint content, Timestamp at)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(mark, id.High);
        BinaryPrimitives.WriteUInt64LittleEndian(mark[8..], id.Low);
        BinaryPrimitives.WriteUInt32LittleEndian(mark[16..], content);
        BinaryPrimitives.WriteUInt32LittleEndian(mark[20..], (uint)Math.Clamp(at.Ms / 1000, 0, uint.MaxValue));
    }

    /// <summary>Index of an id among marks, newest first, or -1.</summary>
    public static int Find(ReadOnlySpan<byte> marks, Hash128 id)
    {
        for (var at = marks.Length - Size; at >= 0; at -= Size)
        {
            if (BinaryPrimitives.ReadUInt64LittleEndian(marks[at..]) == id.High
                && BinaryPrimitives.ReadUInt64LittleEndian(marks[(at + 8)..]) == id.Low)
            {
                return at / Size;
            }
        }

        return -1;
    }

    public static uint Content(ReadOnlySpan<byte> marks, int index) => BinaryPrimitives.ReadUInt32LittleEndian(marks[((index * Size) + 16)..]);

    public static Timestamp At(ReadOnlySpan<byte> marks, int index) =>
        new(BinaryPrimitives.ReadUInt32LittleEndian(marks[((index * Size) + 20)..]) * 1000L);

    /// <summary>16 bits of an id, kept for moved-out marks: says for sure that an id is not among them, or that it may be.</summary>
    public static ushort Fingerprint(Hash128 id) => (ushort)id.Low;

    public static ushort Fingerprint(ReadOnlySpan<byte> marks, int index) => BinaryPrimitives.ReadUInt16LittleEndian(marks[((index * Size) + 8)..]);
}
