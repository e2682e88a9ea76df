using System.Buffers.Binary;
using System.Text;

namespace Roster.Core.Packing;

/// <summary>Reads the protobuf wire format from a span. Unknown fields are skipped by <see cref="Skip"/>.</summary>
/// <remarks>Throws <see cref="FormatException"/> for bytes that are not in the format: stored bytes are checksummed, so that is a bug.</remarks>
public ref struct PackedReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private int _at;
    private int _wireType;

    /// <summary>Reads from the start of <paramref name="bytes"/>.</summary>
    public PackedReader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _at;

    /// <summary>Reads the next field number; false at the end.</summary>
    public bool Next(out int field)
    {
        if (_at >= _bytes.Length)
        {
            field = 0;
            return false;
        }

        var tag = Varint();
        field = (int)(tag >> 3);
        _wireType = (int)(tag & 7);
        return true;
    }

    /// <summary>Reads a varint.</summary>
    public ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if ((uint)_at >= (uint)_bytes.Length)
            {
                throw Broken();
            }

            var b = _bytes[_at++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw Broken();
    }

    /// <summary>Value of an unsigned field.</summary>
    public ulong UInt() => Varint();

    /// <summary>Value of a non-negative <c>int32</c> field.</summary>
    public int Int() => (int)Varint();

    /// <summary>Value of an <c>int64</c> field.</summary>
    public long Long() => (long)Varint();

    /// <summary>Value of a <c>sint64</c> field.</summary>
    public long SInt()
    {
        var value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>Value of a timestamp field.</summary>
    public Timestamp Time() => new(SInt());

    /// <summary>Value of a bool field.</summary>
    public bool Bool() => Varint() != 0;

    /// <summary>Value of a <c>fixed64</c> field.</summary>
    public ulong Fixed64()
    {
        var value = BinaryPrimitives.ReadUInt64LittleEndian(Span(8));
        return value;
    }

    /// <summary>Content of a bytes or message field, without copying.</summary>
    public ReadOnlySpan<byte> Bytes() => Span(checked((int)Varint()));

    /// <summary>Value of a text field.</summary>
    public string Text() => Encoding.UTF8.GetString(Bytes());

    /// <summary>Skips the value of a field that is not known here.</summary>
    public void Skip()
    {
        switch (_wireType)
        {
            case 0:
                Varint();
                break;
            case 1:
                Span(8);
                break;
            case 2:
                Bytes();
                break;
            case 5:
                Span(4);
                break;
            default:
                throw Broken();
        }
    }

    private ReadOnlySpan<byte> Span(int count)
    {
        if ((uint)count > (uint)(_bytes.Length - _at))
        {
            throw Broken();
        }

        var span = _bytes.Slice(_at, count);
        _at += count;
        return span;
    }

    private readonly FormatException Broken() =>
        new($"Packed bytes end early or are malformed at offset {_at} of {_bytes.Length}.");
}
