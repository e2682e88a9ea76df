using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Roster.Engine;
using Roster.Server.Ingest;

namespace Roster.Server.Tests.Ingest;

/// <summary>The gate by itself: a body that arrives as the test likes, and a clock in its hand.</summary>
public sealed class CallGateTests
{
    private const int Limit = 64 * 1024;

    private readonly FakeEngine _engine = new();
    private readonly ManualClock _clock = new(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ServerOptions _options = new() { CallBytesInFlightMax = Limit, CallReceiveSecondsMax = 30 };
    private readonly CallGate _gate;

    public CallGateTests() => _gate = new CallGate(_engine, _options, _clock);

    [Fact]
    public async Task A_message_waits_in_the_buffer_and_counts_until_the_call_ends()
    {
        var call = new Call(_gate);
        await call.SendAsync(Prefix(1_000));
        await call.SendAsync(new byte[999]);
        Assert.False(call.IsServed);
        Assert.Equal(CallGate.CallBytes + 5 + 1_000, _gate.Bytes);
        await call.SendAsync(new byte[1]);
        await call.Served;
        Assert.True(call.Http.Request.BodyReader.TryRead(out var whole));
        Assert.Equal(1_005, whole.Buffer.Length);
        Assert.Equal(CallGate.CallBytes + 1_005, _gate.Bytes);
        call.Finish();
        await call.Ended;
        Assert.Equal(0, _gate.Bytes);
    }

    [Fact]
    public async Task Without_room_a_call_is_refused_by_its_headers_or_by_the_length_of_its_message()
    {
        var first = new Call(_gate);
        await first.SendAsync(Prefix(Limit - (4 * CallGate.CallBytes)));
        var byLength = new Call(_gate);
        Assert.False(byLength.Ended.IsCompleted);
        await byLength.SendAsync(Prefix(Limit - (4 * CallGate.CallBytes)));
        await byLength.Ended;
        Assert.False(byLength.IsServed);
        Assert.Equal("8", byLength.Status);
        Assert.Contains($"needs about {Limit + 5 - (3 * CallGate.CallBytes)}; the limit is {Limit} (setting call_bytes_in_flight_max)", byLength.Message, StringComparison.Ordinal);
        // Messages have been long lately.
        var byHeaders = new[] { new Call(_gate), new Call(_gate), new Call(_gate) }[^1];
        await byHeaders.Ended;
        Assert.Equal("8", byHeaders.Status);
        Assert.False(first.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_short_message_passes_after_long_ones_when_there_is_room_for_a_quarter()
    {
        for (var i = 0; i < 100; i++)
        {
            var large = new Call(_gate);
            await large.SendAsync(Prefix(10 * Limit));
            large.Break();
            await large.Ended;
        }

        var first = new Call(_gate);
        await first.SendAsync([.. Prefix(Limit / 2), .. new byte[Limit / 2]]);
        await first.Served;
        var second = new Call(_gate);
        await second.SendAsync([.. Prefix(10), .. new byte[10]]);
        await second.Served;
        Assert.Equal((2 * CallGate.CallBytes) + (Limit / 2) + 5 + 15, _gate.Bytes);
    }

    [Fact]
    public async Task A_message_larger_than_all_room_passes_alone_and_shuts_the_gate()
    {
        var large = new Call(_gate);
        await large.SendAsync(Prefix(2 * Limit));
        var refused = new Call(_gate);
        await refused.Ended;
        Assert.Equal("8", refused.Status);
        await large.SendAsync(new byte[2 * Limit]);
        await large.Served;
        large.Finish();
        await large.Ended;
        Assert.Equal(0, _gate.Bytes);
    }

    [Fact]
    public async Task A_compressed_message_counts_what_it_is_when_it_is_unpacked()
    {
        var call = new Call(_gate);
        await call.SendAsync(Compressed(30_000));
        await call.Served;
        Assert.Equal(CallGate.CallBytes + 5 + 30_000, _gate.Bytes);
        var refused = new Call(_gate);
        await refused.SendAsync(Compressed(40_000));
        await refused.Ended;
        Assert.Equal("8", refused.Status);
        Assert.Equal(CallGate.CallBytes + 5 + 30_000, _gate.Bytes);
    }

    [Fact]
    public async Task Calls_of_any_size_never_take_more_than_the_limit()
    {
        var random = new Random(1);
        var calls = new List<Call>();
        for (var i = 0; i < 1_000; i++)
        {
            var call = new Call(_gate);
            calls.Add(call);
            if (!call.Ended.IsCompleted)
            {
                await call.SendAsync(Prefix(random.Next(20_000)));
            }

            Assert.InRange(_gate.Bytes, 0, Limit);
            if (i % 3 == 0)
            {
                calls[random.Next(calls.Count)].Break();
            }
        }

        Assert.Contains(calls, call => call.Ended.IsCompleted && call.Status == "8");
        calls.ForEach(call => call.Break());
        await Task.WhenAll(calls.Select(call => call.Ended));
        Assert.Equal(0, _gate.Bytes);
    }

    [Fact]
    public async Task Room_is_given_back_when_the_client_goes_away_or_the_call_fails()
    {
        var gone = new Call(_gate);
        await gone.SendAsync(Prefix(1_000));
        gone.Break();
        await gone.Ended;
        Assert.True(gone.IsServed, "The gRPC server hears of it, as it does without the gate.");
        Assert.Equal(0, _gate.Bytes);

        var failing = new Call(_gate);
        await failing.SendAsync([.. Prefix(10), .. new byte[10]]);
        await failing.Served;
        failing.Fail(new InvalidOperationException("It broke."));
        await Assert.ThrowsAsync<InvalidOperationException>(() => failing.Ended);
        Assert.Equal(0, _gate.Bytes);
    }

    [Fact]
    public async Task A_message_that_takes_too_long_is_told_so_and_gives_its_room_back()
    {
        var slow = new Call(_gate);
        await slow.SendAsync(Prefix(1_000));
        var silent = new Call(_gate);
        _clock.MoveTo(_clock.GetUtcNow().AddSeconds(30));
        await Task.WhenAll(slow.Ended, silent.Ended);
        Assert.All([slow, silent], call =>
        {
            Assert.False(call.IsServed);
            Assert.Equal("4", call.Status);
            Assert.Contains("within 30 s (setting call_receive_seconds_max)", call.Message, StringComparison.Ordinal);
        });
        Assert.Equal(0, _gate.Bytes);
    }

    [Fact]
    public async Task An_engine_that_is_full_shuts_the_gate()
    {
        _engine.IsFull = true;
        var call = new Call(_gate);
        await call.Ended;
        Assert.Equal("8", call.Status);
        Assert.Contains("100000 events are in flight already (setting events_in_flight_max)", call.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_a_message_is_left_to_the_gRPC_server()
    {
        var tooLarge = new Call(_gate);
        await tooLarge.SendAsync(Prefix((uint)_options.MessageBytesMax + 1));
        await tooLarge.Served;
        tooLarge.Finish();
        await tooLarge.Ended;
        Assert.Equal(0, _gate.Bytes);
        var cut = new Call(_gate);
        await cut.SendAsync([0, 0, 0]);
        Assert.False(cut.IsServed);
        cut.End();
        await cut.Served;
        var empty = new Call(_gate);
        await empty.SendAsync(Prefix(0));
        await empty.Served;
    }

    /// <summary>A real message of gzip, framed.</summary>
    private static byte[] Compressed(int bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(new byte[bytes]);
        }

        var prefix = Prefix((int)packed.Length);
        prefix[0] = 1;
        return [.. prefix, .. packed.ToArray()];
    }

    private static byte[] Prefix(int length) => Prefix((uint)length);

    private static byte[] Prefix(uint length)
    {
        var prefix = new byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(prefix.AsSpan(1), length);
        return prefix;
    }

    /// <summary>A call whose body the test sends and whose end it decides.</summary>
    private sealed class Call : IRequestBodyPipeFeature
    {
        private readonly Pipe _body = new(new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0, useSynchronizationContext: false));
        private readonly TaskCompletionSource _served = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _finished = new();

        public Call(CallGate gate)
        {
            Http = new DefaultHttpContext();
            Http.Features.Set<IRequestBodyPipeFeature>(this);
            Ended = gate.ServeAsync(Http, _ =>
            {
                _served.SetResult();
                return _finished.Task;
            });
        }

        public DefaultHttpContext Http { get; }

        public Task Ended { get; }

        public Task Served => _served.Task.WaitAsync(TestContext.Current.CancellationToken);

        public bool IsServed => _served.Task.IsCompleted;

        public string? Status => Http.Response.Headers["grpc-status"];

        public string Message => Http.Response.Headers["grpc-message"].ToString();

        PipeReader IRequestBodyPipeFeature.Reader => _body.Reader;

        public async Task SendAsync(byte[] bytes) => await _body.Writer.WriteAsync(bytes, TestContext.Current.CancellationToken);

        public void End() => _body.Writer.Complete();

        public void Break()
        {
            _body.Writer.Complete(new IOException("The client reset the request stream."));
            Finish();
        }

        public void Finish() => _finished.TrySetResult();

        public void Fail(Exception error) => _finished.TrySetException(error);
    }
}
