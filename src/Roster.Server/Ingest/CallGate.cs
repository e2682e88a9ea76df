using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Roster.Core;
using Roster.Engine;
using Roster.Server.Access;
using Roster.Server.Errors;
using Roster.V1;

namespace Roster.Server.Ingest;

/// <summary>
/// Stands before calls with one message, for either gRPC server: a call gets in when there is room for its message, and is refused before the message is read
/// when there is none. <c>Ingest</c> has a gate of its own, so that a flood of events leaves room for all other calls.
/// </summary>
/// <remarks>
/// <para>A call takes room when its headers are there, for a message of the length that messages had lately, and corrects that when the first five bytes say
/// how long it is. Refused by its headers it costs nearly nothing, so that many calls too many take little from those that got in. Room is given
/// back when the call ends, however it does.</para>
/// <para>The message is waited for here and left in the buffer for the gRPC server. A refused call is answered with headers only; what its client had still
/// to send is cut off with RST_STREAM(NO_ERROR) (RFC 9113, section 8.1) by Kestrel.</para>
/// </remarks>
internal sealed class CallGate(IRosterEngine engine, ServerOptions options, TimeProvider clock, bool isForIngest = true)
{
    /// <summary>What a call counts beside its message, so that very many very small ones have a bound too.</summary>
    public const int CallBytes = 4 * 1024;

    private const string ContentType = "application/grpc";
    private const int PrefixBytes = 5;

    /// <summary>Share of the room that one call may be expected to take.</summary>
    private const int ExpectedPart = 4;

    /// <summary>One part in so many of what is expected comes from the latest message.</summary>
    private const int Smoothing = 8;

    private static readonly string Method = $"/{IngestService.Descriptor.FullName}/{nameof(IngestService.IngestServiceClient.Ingest)}";

    private readonly ServerOptions _options = options;
    private long _bytes;
    private long _expected = PrefixBytes;

    /// <summary>Bytes of the calls that have room.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Called when a call is refused, with the setting that did it.</summary>
    public Action<string>? Refused { get; set; }

    private long Expected => Volatile.Read(ref _expected);

    /// <summary>Puts the gate before the endpoints.</summary>
    public void Guard(IApplicationBuilder app) =>
        app.Use(next => http => IsCall(http) ? ServeAsync(http, next) : next(http));

    /// <summary>Serves a call, or refuses it.</summary>
    /// <param name="http">The call.</param>
    /// <param name="next">Serves it.</param>
    public async Task ServeAsync(HttpContext http, RequestDelegate next)
    {
        using var room = new Room(this);
        var refusal = isForIngest && engine.IsFull ? EngineFull() : room.Take(Expected);
        if ((refusal is null ? await ReceiveAsync(http.Request.BodyReader, room) : RichStatus.From(refusal)) is { } status)
        {
            Refused?.Invoke(refusal?.Refusal?.Setting ?? (status.StatusCode == StatusCode.DeadlineExceeded ? "call_receive_seconds_max" : "call_bytes_in_flight_max"));
            HeadersOnly.Reply(http, status);
            return;
        }

        await next(http);
    }

    private bool IsCall(HttpContext http) =>
        AccessGuard.MethodOf(http) is { Type: MethodType.Unary } method
        && (method.FullName == Method) == isForIngest
        && HttpProtocol.IsHttp2(http.Request.Protocol)
        && http.Request.ContentType?.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Waits until the message is in the buffer, once it has room. Whatever is wrong with it is told by the gRPC server, which reads it next.</summary>
    /// <returns>Why the call is refused; null when it is not.</returns>
    private async ValueTask<RpcException?> ReceiveAsync(PipeReader body, Room room)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(_options.CallReceiveSecondsMax), clock);
        RosterException? refusal = null;
        var (needed, examined, isTooLarge, isPacked) = ((long)PrefixBytes, 0L, false, false);
        try
        {
            while (true)
            {
                var result = await body.ReadAsync(late.Token);
                var buffer = result.Buffer;
                if (needed == PrefixBytes && buffer.Length >= PrefixBytes)
                {
                    (isPacked, var length) = ReadPrefix(buffer);
                    needed += length;
                    // A message that is larger than any may be is refused for that, by the gRPC server.
                    isTooLarge = length > _options.MessageBytesMax;
                    refusal = isTooLarge ? null : TakeKnown(room, needed);
                }

                if (isPacked && !isTooLarge && refusal is null && buffer.Length >= needed)
                {
                    refusal = room.Take(Math.Max(needed, PrefixBytes + UnpackedBytes(buffer.Slice(0, needed))));
                }

                if (isTooLarge || refusal is not null || buffer.Length >= needed || result.IsCompleted)
                {
                    // Not a byte more is examined than before, so that the next one who reads gets it at once.
                    body.AdvanceTo(buffer.Start, buffer.GetPosition(examined));
                    return refusal is null ? null : RichStatus.From(refusal);
                }

                examined = buffer.Length;
                body.AdvanceTo(buffer.Start, buffer.End);
            }
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return TooSlow();
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ConnectionAbortedException)
        {
            // The client went away. The next one who reads hears the same.
            return null;
        }
    }

    /// <summary>
    /// Takes room for a message whose length is known. The next one is expected to be as long as those before it; very long ones would shut the gate for
    /// short ones too early, so there is a bound.
    /// </summary>
    private RosterException? TakeKnown(Room room, long bytes)
    {
        var before = Expected;
        Volatile.Write(ref _expected, before + ((Math.Min(bytes, _options.CallBytesInFlightMax / ExpectedPart) - before) / Smoothing));
        return room.Take(bytes);
    }

    private static (bool IsPacked, long Length) ReadPrefix(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        buffer.Slice(0, PrefixBytes).CopyTo(prefix);
        return (prefix[0] != 0, BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]));
    }

    /// <summary>Gzip ends with the length of what it packs (RFC 1952). Whoever lies about it is stopped at the largest message, which is counted at most.</summary>
    private long UnpackedBytes(in ReadOnlySequence<byte> message)
    {
        if (message.Length < PrefixBytes + sizeof(uint))
        {
            return 0;
        }

        Span<byte> end = stackalloc byte[sizeof(uint)];
        message.Slice(message.Length - end.Length).CopyTo(end);
        return Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(end), (uint)_options.MessageBytesMax);
    }

    private RosterException NoRoom(long wanted) => Overloaded(
        string.Create(CultureInfo.InvariantCulture, $"{Bytes}"),
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(isForIngest ? "Calls of Ingest" : "Calls")} with {Bytes} bytes are on their way and this one needs about {wanted}; the limit is {_options.CallBytesInFlightMax} (setting call_bytes_in_flight_max). Nothing of it was taken: send it again later{(isForIngest ? ", or use a stream" : string.Empty)}."),
        "call_bytes_in_flight_max");

    private RosterException EngineFull() => Overloaded(
        string.Create(CultureInfo.InvariantCulture, $"{_options.EventsInFlightMax}"),
        string.Create(
            CultureInfo.InvariantCulture,
            $"{_options.EventsInFlightMax} events are in flight already (setting events_in_flight_max). Nothing of this call was taken: send it again later, or use a stream."),
        "events_in_flight_max");

    private static RosterException Overloaded(string value, string message, string setting) =>
        new(RosterError.Overloaded, message, new Core.Refusal(RefusalReason.LimitReached, "events", value, message, setting));

    private RpcException TooSlow() => RichStatus.Create(
        StatusCode.DeadlineExceeded,
        $"The message of the call did not arrive within {_options.CallReceiveSecondsMax} s (setting call_receive_seconds_max). Nothing of it was taken.",
        []);

    /// <summary>The room of one call.</summary>
    private sealed class Room(CallGate gate) : IDisposable
    {
        private long _bytes;

        /// <summary>
        /// Takes room for a message, in place of what was taken before, if there is some, or no other call has any: a message larger than all room passes alone.
        /// </summary>
        /// <returns>Why not, and then nothing changes; null when it is taken.</returns>
        public RosterException? Take(long bytes)
        {
            var more = bytes + CallBytes - _bytes;
            var all = Interlocked.Add(ref gate._bytes, more);
            if (more > 0 && all > gate._options.CallBytesInFlightMax && all != _bytes + more)
            {
                Interlocked.Add(ref gate._bytes, -more);
                return gate.NoRoom(_bytes + more);
            }

            _bytes += more;
            return null;
        }

        /// <summary>Gives it back.</summary>
        public void Dispose() => Interlocked.Add(ref gate._bytes, -_bytes);
    }
}
