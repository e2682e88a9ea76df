using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Roster.Server.Tests.Robustness;

/// <summary>An HTTP/2 connection frame by frame, for what no client would send. It reads only when told to.</summary>
internal sealed class RawConnection : IDisposable
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte WindowUpdate = 8;
    public const byte Continuation = 9;
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;

    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly TcpClient _tcp = new() { NoDelay = true };
    private readonly MemoryStream _pending = new();
    private NetworkStream _stream = null!;

    public static async Task<RawConnection> OpenAsync(Uri address, CancellationToken cancel, params (ushort Id, uint Value)[] settings)
    {
        var connection = new RawConnection();
        await connection._tcp.ConnectAsync(address.Host, address.Port, cancel);
        connection._stream = connection._tcp.GetStream();
        connection._pending.Write(Preface);
        var payload = new byte[settings.Length * 6];
        for (var i = 0; i < settings.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(i * 6), settings[i].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan((i * 6) + 2), settings[i].Value);
        }

        connection.Add(Settings, 0, 0, payload);
        await connection.FlushAsync(cancel);
        return connection;
    }

    /// <summary>Adds a frame to what is sent next.</summary>
    public void Add(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        Span<byte> head = stackalloc byte[9];
        head[0] = (byte)(payload.Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(head[1..], (ushort)payload.Length);
        head[3] = type;
        head[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(head[5..], stream);
        _pending.Write(head);
        _pending.Write(payload);
    }

    public void AddRaw(ReadOnlySpan<byte> bytes) => _pending.Write(bytes);

    /// <summary>Adds the headers of a gRPC call.</summary>
    public void AddCall(int stream, string path, params (string Name, string Value)[] more) => Add(Headers, EndHeaders, stream, CallHeaders(path, more));

    public void AddReset(int stream) => Add(Reset, 0, stream, [0, 0, 0, 8]);

    /// <summary>Sends what was added; false when the server has closed the connection.</summary>
    public async Task<bool> FlushAsync(CancellationToken cancel)
    {
        try
        {
            await _stream.WriteAsync(_pending.GetBuffer().AsMemory(0, (int)_pending.Length), cancel);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
        finally
        {
            _pending.SetLength(0);
        }
    }

    /// <summary>The next frame; null when the server has closed the connection.</summary>
    public async Task<(byte Type, byte Flags, int Stream, byte[] Payload)?> ReadAsync(CancellationToken cancel)
    {
        var head = new byte[9];
        try
        {
            await _stream.ReadExactlyAsync(head, cancel);
            var payload = new byte[(head[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(1))];
            await _stream.ReadExactlyAsync(payload, cancel);
            return (head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload);
        }
        catch (Exception error) when (error is IOException or EndOfStreamException)
        {
            return null;
        }
    }

    public void Dispose() => _tcp.Dispose();

    /// <summary>Headers as HPACK literals that are neither indexed nor packed.</summary>
    public static byte[] CallHeaders(string path, params (string Name, string Value)[] more)
    {
        using var block = new MemoryStream();
        foreach (var (name, value) in new[] { (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"), ("content-type", "application/grpc"), ("te", "trailers") }.Concat(more))
        {
            block.WriteByte(0);
            Write(block, name);
            Write(block, value);
        }

        return block.ToArray();
    }

    private static void Write(MemoryStream block, string text)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        var length = bytes.Length;
        if (length < 127)
        {
            block.WriteByte((byte)length);
        }
        else
        {
            block.WriteByte(127);
            for (length -= 127; length >= 128; length >>= 7)
            {
                block.WriteByte((byte)(length | 128));
            }

            block.WriteByte((byte)length);
        }

        block.Write(bytes);
    }
}
