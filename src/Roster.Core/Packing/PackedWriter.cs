using System.Buffers.Binary;
using System.Text;

namespace Roster.Core.Packing;

/// <summary>
/// Writes the protobuf wire format into a buffer that grows: the packed form of states and journal entries. What it writes can
/// be read by the generated classes of <c>roster.storage.v1</c>; a test holds the two together.
/// </summary>
/// <remarks>
/// Not thread-safe. One writer is used over and over: <see cref="Clear"/> keeps the buffer, unless it is large and less than a quarter of it was
/// used for long.
/// </remarks>
public sealed class PackedWriter
{
    /// <summary>Buffers up to this length stay as they are.</summary>
    private const int TrimFrom = 1024 * 1024;

    /// <summary>What was used counts for the size of a large buffer for some so many uses.</summary>
    private const int TrimUses = 128;

    private byte[] _buffer;
    private int _length;
    private int _longest;

    /// <summary>Creates a writer with room for <paramref name="capacity"/> bytes; it grows as needed.</summary>
    public PackedWriter(int capacity = 1024) => _buffer = new byte[Math.Max(16, capacity)];

    /// <summary>Bytes written.</summary>
    public int Length => _length;

    /// <summary>Bytes of the buffer.</summary>
    internal int Capacity => _buffer.Length;

    /// <summary>What was written; valid until the next write or <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>The same, for those who keep slices of it; valid as long.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, _length);

    /// <summary>Forgets what was written.</summary>
    public void Clear()
    {
        if (_buffer.Length > TrimFrom)
        {
            Trim();
        }

        _length = 0;
    }

    /// <summary>Cuts back to a former <see cref="Length"/>.</summary>
    public void Truncate(int length) => _length = length;

    /// <summary>Written bytes that may be changed in place, from <paramref name="start"/>.</summary>
    public Span<byte> Patch(int start, int count) => _buffer.AsSpan(start, count);

    /// <summary>Reserves bytes to be filled by the caller.</summary>
    public Span<byte> Take(int count)
    {
        Ensure(count);
        var span = _buffer.AsSpan(_length, count);
        _length += count;
        return span;
    }

    /// <summary>Writes a base-128 varint.</summary>
    public void Varint(ulong value)
    {
        Ensure(10);
        var buffer = _buffer;
        var at = _length;
        while (value >= 0x80)
        {
            buffer[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        buffer[at++] = (byte)value;
        _length = at;
    }

    /// <summary>Writes bytes as they are.</summary>
    public void Raw(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    /// <summary>An unsigned number field; zero, the proto3 default, is left out.</summary>
    public void UInt(int field, ulong value)
    {
        if (value != 0)
        {
            Varint((ulong)field << 3);
            Varint(value);
        }
    }

    /// <summary>A non-negative <c>int32</c>/<c>int64</c>/enum field; zero is left out.</summary>
    public void Int(int field, long value) => UInt(field, (ulong)value);

    /// <summary>A <c>sint64</c> field (zigzag); zero is left out.</summary>
    public void SInt(int field, long value) => UInt(field, (ulong)((value << 1) ^ (value >> 63)));

    /// <summary>A <c>sint64</c> field, written also when zero: for members of a oneof.</summary>
    public void SIntAlways(int field, long value)
    {
        Varint((ulong)field << 3);
        Varint((ulong)((value << 1) ^ (value >> 63)));
    }

    /// <summary>A timestamp field as <c>sint64</c> milliseconds; none is left out.</summary>
    public void Time(int field, Timestamp value) => SInt(field, value.Ms);

    /// <summary>A bool field; false is left out.</summary>
    public void Bool(int field, bool value) => UInt(field, value ? 1UL : 0UL);

    /// <summary>A <c>fixed64</c> field; zero is left out.</summary>
    public void Fixed64(int field, ulong value)
    {
        if (value != 0)
        {
            Varint(((ulong)field << 3) | 1);
            BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);
        }
    }

    /// <summary>A text field; the empty text is left out.</summary>
    public void Text(int field, string value)
    {
        if (value.Length != 0)
        {
            TextAlways(field, value);
        }
    }

    /// <summary>A text field, written also when empty: for members of a oneof and repeated fields.</summary>
    public void TextAlways(int field, string value)
    {
        Varint(((ulong)field << 3) | 2);
        var bytesMax = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (bytesMax < 0x80)
        {
            Ensure(bytesMax + 1);
            var written = Encoding.UTF8.GetBytes(value, _buffer.AsSpan(_length + 1));
            _buffer[_length] = (byte)written;
            _length += written + 1;
            return;
        }

        var count = Encoding.UTF8.GetByteCount(value);
        Varint((ulong)count);
        Encoding.UTF8.GetBytes(value, Take(count));
    }

    /// <summary>A bytes field; empty is left out.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            BytesAlways(field, value);
        }
    }

    /// <summary>A bytes or message field, written also when empty.</summary>
    public void BytesAlways(int field, ReadOnlySpan<byte> value)
    {
        Varint(((ulong)field << 3) | 2);
        Varint((ulong)value.Length);
        Raw(value);
    }

    /// <summary>Opens a message field; close it with <see cref="EndMessage"/> and the value returned.</summary>
    public int BeginMessage(int field)
    {
        Varint(((ulong)field << 3) | 2);
        Ensure(1);
        return _length++;
    }

    /// <summary>Closes a message field. The length is written in the shortest form, so equal content gives equal bytes.</summary>
    public void EndMessage(int start)
    {
        var count = _length - start - 1;
        if (count < 0x80)
        {
            _buffer[start] = (byte)count;
            return;
        }

        var prefix = 1;
        for (var rest = (uint)count >> 7; rest != 0; rest >>= 7)
        {
            prefix++;
        }

        Ensure(prefix - 1);
        _buffer.AsSpan(start + 1, count).CopyTo(_buffer.AsSpan(start + prefix));
        var value = (uint)count;
        for (var at = start; at < start + prefix; at++)
        {
            _buffer[at] = (byte)(at == start + prefix - 1 ? value : value | 0x80);
            value >>= 7;
        }

        _length += prefix - 1;
    }

    private void Trim()
    {
        _longest = Math.Max(_length, _longest - (_longest / TrimUses));
        if (_longest < _buffer.Length / 4)
        {
            _buffer = new byte[Math.Max(TrimFrom, _longest * 2)];
        }
    }

    private void Ensure(int count)
    {
        if (_buffer.Length - _length < count)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        }
    }
}
