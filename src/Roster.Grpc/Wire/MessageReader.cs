using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Grpc.Core.Wire;

/// <summary>
/// Takes messages off a pipe, for either side of a call. One read at a time. Messages are deserialised in place, from the buffers of the
/// pipe.
/// </summary>
/// <param name="pipe">The bytes.</param>
/// <param name="bytesMax">The largest message accepted, before and after decompression; null for no limit.</param>
/// <param name="encoding">The value of grpc-encoding, or null if there was none.</param>
internal sealed class MessageReader(PipeReader pipe, int? bytesMax, string? encoding) : DeserializationContext
{
    private readonly int _bytesMax = bytesMax ?? Array.MaxLength;
    private ReadOnlySequence<byte> _payload;
    private int _bytesNeeded;

    public override int PayloadLength => (int)_payload.Length;

    public override byte[] PayloadAsNewBuffer() => _payload.ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => _payload;

    /// <summary>Reads the next message, or null at the end of the stream.</summary>
    /// <exception cref="RpcException">The peer broke the protocol or a limit.</exception>
    public ValueTask<T?> ReadAsync<T>(Func<DeserializationContext, T> deserializer, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        // In a busy stream the next message is there already; then no state machine is needed.
        return pipe.TryRead(out ReadResult result) && TryTake(result, deserializer, out T? message)
            ? new ValueTask<T?>(message)
            : ReadMoreAsync(deserializer, cancellationToken);
    }

    private async ValueTask<T?> ReadMoreAsync<T>(Func<DeserializationContext, T> deserializer, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            ReadResult result = await pipe.ReadAtLeastAsync(Math.Max(_bytesNeeded, WireNames.FrameHeaderBytes), cancellationToken)
                .ConfigureAwait(false);
            if (TryTake(result, deserializer, out T? message))
            {
                return message;
            }
        }
    }

    /// <returns>False if more bytes are needed.</returns>
    private bool TryTake<T>(in ReadResult result, Func<DeserializationContext, T> deserializer, out T? message)
        where T : class
    {
        ReadOnlySequence<byte> buffer = result.Buffer;
        SequencePosition consumed = buffer.Start;
        SequencePosition examined = buffer.End;
        try
        {
            if (result.IsCanceled)
            {
                throw new OperationCanceledException("Reading was cancelled.");
            }

            message = null;
            if (result.IsCompleted && buffer.IsEmpty)
            {
                return true;
            }

            if (!TryParseHeader(buffer, out bool compressed, out int length)
                || buffer.Length < WireNames.FrameHeaderBytes + (long)length)
            {
                _bytesNeeded = WireNames.FrameHeaderBytes + length;
                return result.IsCompleted
                    ? throw Failure(StatusCode.Internal, $"The stream ended within a message: {buffer.Length} of {_bytesNeeded} bytes arrived.")
                    : false;
            }

            ReadOnlySequence<byte> payload = buffer.Slice(WireNames.FrameHeaderBytes, length);
            consumed = examined = payload.End;
            _bytesNeeded = WireNames.FrameHeaderBytes;
            message = compressed ? Decompress(payload, deserializer) : Deserialize(payload, deserializer);
            return true;
        }
        finally
        {
            pipe.AdvanceTo(consumed, examined);
        }
    }

    private bool TryParseHeader(in ReadOnlySequence<byte> buffer, out bool compressed, out int length)
    {
        compressed = false;
        length = 0;
        if (buffer.Length < WireNames.FrameHeaderBytes)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[WireNames.FrameHeaderBytes];
        buffer.Slice(0, WireNames.FrameHeaderBytes).CopyTo(header);
        uint declared = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (header[0] > 1)
        {
            throw Failure(StatusCode.Internal, $"A message starts with the flags {header[0]}; only 0 and 1 have a meaning.");
        }

        compressed = header[0] == 1;
        if (compressed && (encoding is null || encoding == WireNames.Identity))
        {
            throw Failure(StatusCode.Internal, "A message has the compressed flag, but the call has no grpc-encoding.");
        }

        if (compressed && encoding != WireNames.Gzip)
        {
            throw Failure(StatusCode.Internal, $"A message is compressed with '{encoding}'; '{WireNames.SupportedEncodings}' are supported.");
        }

        // Refused by its header, before any of it is buffered.
        if (declared > _bytesMax)
        {
            throw TooLarge($"{declared} bytes");
        }

        length = (int)declared;
        return true;
    }

    private T Decompress<T>(in ReadOnlySequence<byte> packed, Func<DeserializationContext, T> deserializer)
        where T : class
    {
        using var plain = new PooledBuffer();
        bool fits;
        try
        {
            fits = GzipMessages.TryDecompress(packed, _bytesMax, plain);
        }
        catch (InvalidDataException e)
        {
            throw new RpcException(new Status(StatusCode.Internal, "A compressed message is not valid gzip.", e));
        }

        return fits
            ? Deserialize(new ReadOnlySequence<byte>(plain.WrittenMemory), deserializer)
            : throw TooLarge($"more than {_bytesMax} bytes after decompression");
    }

    private T Deserialize<T>(in ReadOnlySequence<byte> payload, Func<DeserializationContext, T> deserializer)
        where T : class
    {
        _payload = payload;
        try
        {
            return deserializer(this);
        }
        catch (Exception e) when (e is not RpcException)
        {
            // doc/statuscodes.md: an unparsable message is INTERNAL on either side.
            throw new RpcException(new Status(StatusCode.Internal, "A message could not be deserialised.", e));
        }
        finally
        {
            _payload = default;
        }
    }

    private RpcException TooLarge(string size) => Failure(
        StatusCode.ResourceExhausted,
        $"A message to receive has {size}; the limit is {_bytesMax} (setting MaxReceiveMessageSize).");

    private static RpcException Failure(StatusCode code, string detail) => new(new Status(code, detail));
}
