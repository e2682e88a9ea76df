using System.Buffers.Binary;
using System.IO.Compression;
using Google.Protobuf;
using Grpc.Core;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Tests.Robustness;

/// <summary>Not beside other tests: these look at the memory of the process.</summary>
[CollectionDefinition("hostile", DisableParallelization = true)]
public sealed class HostileCollection;

/// <summary>
/// What no client would send, in bounded numbers: the server neither falls nor grows, answers with a status or closes the connection, and a good client beside it is
/// served (LIM-03).
/// </summary>
[Collection("hostile")]
public sealed class HostileTests
{
    private const string Ingest = "/roster.v1.IngestService/Ingest";
    private const string Stream = "/roster.v1.IngestService/Stream";
    private const string Save = "/roster.v1.WorkflowService/SaveWorkflow";
    private const long GrowthMax = 64L * 1024 * 1024;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LIM_03_Streams_that_are_opened_and_reset_at_once_take_nothing_with_them()
    {
        await using var server = await TestServer.StartAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var round = 0; round < 5; round++)
        {
            using var raw = await RawConnection.OpenAsync(server.Server.GrpcAddress, Cancel);
            for (var stream = 1; stream < 4_000; stream += 2)
            {
                raw.AddCall(stream, stream % 4 == 1 ? Ingest : Stream);
                raw.AddReset(stream);
            }

            // The server may close the connection in the middle: ENHANCE_YOUR_CALM.
            await raw.FlushAsync(Cancel);
            await GoodClientAsync(server, 20);
        }

        AssertSmall(before);
    }

    [Fact]
    public async Task LIM_03_Headers_without_end_close_the_connection()
    {
        await using var server = await TestServer.StartAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var raw = await RawConnection.OpenAsync(server.Server.GrpcAddress, Cancel);
        raw.Add(RawConnection.Headers, 0, 1, RawConnection.CallHeaders(Ingest));
        var field = RawConnection.CallHeaders(Ingest, ("x-filler", new string('x', 15_000)))[^15_013..];
        var isOpen = await raw.FlushAsync(Cancel);
        for (var i = 0; i < 1_000 && isOpen; i++)
        {
            raw.Add(RawConnection.Continuation, 0, 1, field);
            isOpen = await raw.FlushAsync(Cancel);
        }

        await UntilClosedAsync(raw);
        await GoodClientAsync(server, 20);
        AssertSmall(before);
    }

    [Theory]
    [InlineData(32 * 1024)]
    [InlineData(200_000)]
    public async Task LIM_03_Headers_beyond_32_KiB_are_refused_and_those_within_are_taken(int bytes)
    {
        await using var server = await TestServer.StartAsync();
        using var raw = await RawConnection.OpenAsync(server.Server.GrpcAddress, Cancel);
        var block = RawConnection.CallHeaders(Save, ("x-filler", new string('x', bytes)));
        raw.Add(RawConnection.Headers, 0, 1, block.AsSpan(0, 16_000));
        for (var at = 16_000; at < block.Length; at += 16_000)
        {
            var length = Math.Min(16_000, block.Length - at);
            raw.Add(RawConnection.Continuation, at + length == block.Length ? RawConnection.EndHeaders : (byte)0, 1, block.AsSpan(at, length));
        }

        await raw.FlushAsync(Cancel);
        var answer = await AnswerAsync(raw, 1);
        Assert.True(answer is null or RawConnection.Reset or RawConnection.Headers or RawConnection.GoAway);
        Assert.Empty(server.Engine.Calls);
        using var small = await RawConnection.OpenAsync(server.Server.GrpcAddress, Cancel);
        small.Add(RawConnection.Headers, RawConnection.EndHeaders, 1, RawConnection.CallHeaders(Save, ("x-filler", new string('x', 8_000))));
        small.Add(RawConnection.Data, RawConnection.EndStream, 1, new byte[5]);
        await small.FlushAsync(Cancel);
        Assert.Equal(RawConnection.Headers, await AnswerAsync(small, 1));
        await GoodClientAsync(server, 5);
    }

    [Theory]
    [InlineData(RawConnection.Ping, 8)]
    [InlineData(RawConnection.Settings, 6)]
    public async Task LIM_03_Frames_that_want_an_answer_nobody_reads_do_not_pile_up(byte type, int length)
    {
        await using var server = await TestServer.StartAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var raw = await RawConnection.OpenAsync(server.Server.GrpcAddress, Cancel);
        var payload = new byte[length];
        payload[^1] = 1;
        payload[1] = type == RawConnection.Settings ? (byte)3 : (byte)0;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        enough.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            for (var i = 0; i < 100; i++)
            {
                for (var j = 0; j < 1_000; j++)
                {
                    raw.Add(type, 0, 0, payload);
                }

                if (!await raw.FlushAsync(enough.Token))
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
        {
            // The server reads no further as long as nobody reads its answers.
        }

        await GoodClientAsync(server, 20);
        AssertSmall(before);
    }

    [Fact]
    public async Task LIM_03_Bytes_that_are_no_HTTP_2_close_their_connection_only()
    {
        await using var server = await TestServer.StartAsync();
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            using var raw = await RawConnection.OpenAsync(server.Server.GrpcAddress, Cancel);
            var junk = new byte[random.Next(1, 400)];
            random.NextBytes(junk);
            switch (seed % 4)
            {
                case 0:
                    raw.AddRaw(junk);
                    break;
                case 1:
                    raw.Add((byte)random.Next(0, 12), (byte)random.Next(0, 256), random.Next(0, 8), junk);
                    break;
                case 2:
                    raw.Add(RawConnection.Headers, RawConnection.EndHeaders, 1, junk);
                    break;
                default:
                    raw.AddCall(1, Ingest);
                    raw.Add(RawConnection.Data, RawConnection.EndStream, 1, junk);
                    break;
            }

            await raw.FlushAsync(Cancel);
        }

        await GoodClientAsync(server, 20);
    }

    [Fact]
    public async Task LIM_03_A_call_that_says_nothing_after_its_headers_ends_with_DEADLINE_EXCEEDED_and_a_stream_is_reset()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var server = await TestServer.StartAsync(options => options.RealTime = clock, new FakeEngine(clock));
        using var raw = await RawConnection.OpenAsync(server.Server.GrpcAddress, Cancel);
        string[] paths = [Ingest, Save, Stream, "/roster.v1.WorkService/Work", "/roster.v1.JournalService/ReadJournal", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"];
        for (var i = 0; i < 120; i++)
        {
            raw.AddCall((2 * i) + 1, paths[i % paths.Length]);
            raw.Add(RawConnection.Data, 0, (2 * i) + 1, [0]);
        }

        await raw.FlushAsync(Cancel);
        await GoodClientAsync(server, 20);
        var ended = new HashSet<int>();
        while (ended.Count < 120)
        {
            clock.MoveTo(clock.GetUtcNow().AddSeconds(61));
            raw.Add(RawConnection.Ping, 0, 0, new byte[8]);
            await raw.FlushAsync(Cancel);
            while (await raw.ReadAsync(Cancel) is { } frame && !(frame.Type == RawConnection.Ping && frame.Flags == 1))
            {
                if (frame.Type == RawConnection.Reset || (frame.Type is RawConnection.Headers or RawConnection.Data && (frame.Flags & RawConnection.EndStream) != 0))
                {
                    ended.Add(frame.Stream);
                }
            }
        }

        await GoodClientAsync(server, 20);
    }

    [Fact]
    public async Task LIM_03_A_client_that_reads_no_acknowledgements_is_held_by_its_credit()
    {
        const int Batches = 2_000;
        const int CreditEvents = 200;
        // What fits into the buffer of a response before writing has to wait, with room to spare.
        const int Buffered = 400;
        await using var server = await TestServer.StartAsync(options => options.CreditEvents = CreditEvents);
        server.Engine.Judge = item => item.EventId.StartsWith("slow", StringComparison.Ordinal)
            ? new EventResult { Code = EventResult.Types.Code.Refused, Refusal = new Refusal { Message = new string('m', 1_000) } }
            : null;
        using var raw = await RawConnection.OpenAsync(server.Server.GrpcAddress, Cancel, (4, 0));
        raw.AddCall(1, Stream);
        raw.Add(RawConnection.Data, 0, 1, Frame(new StreamRequest { Hello = new Hello() }));
        for (var i = 1; i <= Batches; i++)
        {
            raw.Add(RawConnection.Data, 0, 1, Frame(new StreamRequest { Batch = new Batch { Sequence = (ulong)i, Events = { TestEvents.New($"slow{i}") } } }));
        }

        await raw.FlushAsync(Cancel);
        await GoodClientAsync(server, 200);
        Assert.InRange(server.Engine.Ingested.Count(item => item.Event.EventId.StartsWith("slow", StringComparison.Ordinal)), 0, CreditEvents + Buffered);
    }

    [Fact]
    public async Task LIM_03_A_message_that_unpacks_to_more_than_allowed_is_RESOURCE_EXHAUSTED()
    {
        await using var server = await TestServer.StartAsync(options => options.MessageBytesMax = 1024 * 1024);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (var i = 0; i < 256; i++)
            {
                await gzip.WriteAsync(new byte[1024 * 1024], Cancel);
            }
        }

        var bomb = packed.ToArray();
        foreach (var path in new[] { Ingest, Save, Stream })
        {
            using var http = new HttpClient(new SocketsHttpHandler());
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Server.GrpcAddress, path)) { Version = new Version(2, 0), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            var body = new byte[5 + bomb.Length];
            body[0] = 1;
            BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(1), bomb.Length);
            bomb.CopyTo(body, 5);
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
            request.Headers.TryAddWithoutValidation("grpc-encoding", "gzip");
            request.Headers.TryAddWithoutValidation("te", "trailers");
            using var response = await http.SendAsync(request, Cancel);
            await response.Content.ReadAsByteArrayAsync(Cancel);
            var status = response.Headers.TryGetValues("grpc-status", out var early) ? early.Single() : response.TrailingHeaders.GetValues("grpc-status").Single();
            Assert.Equal(((int)StatusCode.ResourceExhausted).ToString(System.Globalization.CultureInfo.InvariantCulture), status);
        }

        await GoodClientAsync(server, 5);
        AssertSmall(before);
    }

    [Fact]
    public async Task LIM_03_Large_messages_of_calls_that_are_no_events_share_a_room_and_the_rest_is_refused()
    {
        await using var server = await TestServer.StartAsync(options => options.CallBytesInFlightMax = 256 * 1024);
        using var raw = await RawConnection.OpenAsync(server.Server.GrpcAddress, Cancel);
        var head = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), 200 * 1024);
        for (var i = 0; i < 10; i++)
        {
            raw.AddCall((2 * i) + 1, Save);
            raw.Add(RawConnection.Data, 0, (2 * i) + 1, head);
        }

        await raw.FlushAsync(Cancel);
        var refused = new HashSet<int>();
        while (refused.Count < 9 && await raw.ReadAsync(Cancel) is { } frame)
        {
            if (frame.Type == RawConnection.Headers)
            {
                refused.Add(frame.Stream);
            }
        }

        Assert.Equal(9, refused.Count);
        await GoodClientAsync(server, 5);
    }

    private static async Task GoodClientAsync(TestServer server, int calls)
    {
        using var client = server.NewClient("good");
        for (var i = 0; i < calls; i++)
        {
            var answer = await client.Ingest.IngestAsync(new IngestRequest { Events = { TestEvents.New($"good{i}") } }, cancellationToken: Cancel);
            Assert.Single(answer.Results);
        }
    }

    /// <summary>The first frame of a stream, or that the connection was closed.</summary>
    private static async Task<byte?> AnswerAsync(RawConnection raw, int stream)
    {
        while (await raw.ReadAsync(Cancel) is { } frame)
        {
            if (frame.Stream == stream || frame.Type == RawConnection.GoAway)
            {
                return frame.Type;
            }
        }

        return null;
    }

    private static async Task UntilClosedAsync(RawConnection raw)
    {
        while (await raw.ReadAsync(Cancel) is not null)
        {
            // What the server says before it closes does not matter.
        }
    }

    private static byte[] Frame(IMessage message)
    {
        var payload = message.ToByteArray();
        var frame = new byte[5 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    private static void AssertSmall(long before) => Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, GrowthMax);
}
