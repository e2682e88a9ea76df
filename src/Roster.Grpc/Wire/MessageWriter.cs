using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Grpc.Core.Wire;

/// <summary>
/// Puts messages, with their frame header, into a buffer writer, for either side of a call. One message at a time.
/// A message of known length that is not compressed goes straight into the target.
/// </summary>
/// <param name="bytesMax">The largest message to send, before compression; null for no limit.</param>
/// <param name="level">The level of compression.</param>
internal sealed class MessageWriter(int? bytesMax, CompressionLevel level) : SerializationContext
{
    private IBufferWriter<byte>? _target;
    private PooledBuffer? _payload;
    private int _payloadLength;
    private bool _compress;
    private bool _isDirect;
    private bool _isComplete;

    /// <summary>True if a message failed after its header was in the target: what follows can not be understood.</summary>
    public bool LeftPartialMessage { get; private set; }

    /// <summary>Writes one message.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: the message is larger than the limit; nothing was written.</exception>
    public void Write<T>(T message, Action<T, SerializationContext> serializer, IBufferWriter<byte> target, bool compress)
    {
        _target = target;
        _compress = compress;
        _payloadLength = -1;
        _isDirect = false;
        _isComplete = false;
        try
        {
            serializer(message, this);
            if (!_isComplete)
            {
                throw new InvalidOperationException("The serialiser did not complete the message.");
            }
        }
        finally
        {
            LeftPartialMessage |= _isDirect && !_isComplete;
            _target = null;
            _payload?.Dispose();
            _payload = null;
        }
    }

    public override void SetPayloadLength(int payloadLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadLength);
        CheckSize(payloadLength);
        _payloadLength = payloadLength;
    }

    public override IBufferWriter<byte> GetBufferWriter()
    {
        if (_isDirect)
        {
            return _target!;
        }

        if (_payloadLength < 0 || _compress || _payload is not null)
        {
            return _payload ??= new PooledBuffer();
        }

        _isDirect = true;
        if (_target is ArrayBufferWriter<byte> array)
        {
            // One array of the right size; else it would double its way there.
            array.GetSpan(WireNames.FrameHeaderBytes + _payloadLength);
        }

        WriteHeader(_payloadLength, compressed: false);
        return _target!;
    }

    public override void Complete()
    {
        if (!_isDirect)
        {
            WritePayload(_payload is null ? default : _payload.WrittenSpan);
        }

        _isComplete = true;
    }

    public override void Complete(byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        if (_isDirect || _payload is not null)
        {
            throw new InvalidOperationException("Complete with a payload cannot follow GetBufferWriter.");
        }

        WritePayload(payload);
        _isComplete = true;
    }

    private void WritePayload(ReadOnlySpan<byte> payload)
    {
        CheckSize(payload.Length);
        // Gzip of nothing is nothing in .NET, which other implementations do not take for gzip.
        if (!_compress || payload.IsEmpty)
        {
            WriteHeader(payload.Length, compressed: false);
            _target!.Write(payload);
            return;
        }

        using var packed = new PooledBuffer();
        GzipMessages.Compress(payload, level, packed);
        WriteHeader(packed.Length, compressed: true);
        _target!.Write(packed.WrittenSpan);
    }

    private void WriteHeader(int length, bool compressed)
    {
        Span<byte> header = _target!.GetSpan(WireNames.FrameHeaderBytes);
        header[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(header[1..], (uint)length);
        _target.Advance(WireNames.FrameHeaderBytes);
    }

    private void CheckSize(int length)
    {
        if (length > bytesMax)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"A message to send has {length} bytes; the limit is {bytesMax} (setting MaxSendMessageSize)."));
        }
    }
}
