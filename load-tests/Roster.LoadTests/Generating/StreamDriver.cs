using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Roster.LoadTests.Measuring;
using Roster.V1;

namespace Roster.LoadTests.Generating;

/// <summary>One ingest stream: sends batches with a window of unacknowledged ones, and times each from when it was due to be sent.</summary>
internal sealed class StreamDriver(GrpcChannel channel, int window)
{
    private readonly SemaphoreSlim _window = new(window);
    private readonly ConcurrentDictionary<ulong, long> _sentAt = new();

    /// <summary>When batches are due in an open loop; null is a closed loop.</summary>
    public OpenLoopSchedule? Schedule { get; init; }

    /// <summary>Hears how long each write was held by flow control; null for nobody.</summary>
    public Action<TimeSpan>? OnWritten { get; init; }

    /// <summary>Headers of the stream, such as the tenant. Default: none.</summary>
    public Metadata? Headers { get; init; }

    public async Task RunAsync(IEnumerable<EncodedRequest> batches, Action<BatchAck, TimeSpan> onAck)
    {
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(EncodedRequest.Stream, null, new CallOptions(Headers));
        await call.RequestStream.WriteAsync(EncodedRequest.Hello("load-test"));
        var reading = ReadAsync(call, onAck);
        var sequence = 0UL;
        var start = Stopwatch.GetTimestamp();
        var sent = 0L;
        foreach (var batch in batches)
        {
            // In an open loop a batch is due at its instant, whatever happens: waiting for the window counts.
            var dueAt = Schedule is null ? 0 : start + (long)(Schedule.DueAfter(sent).TotalSeconds * Stopwatch.Frequency);
            await WaitUntilAsync(dueAt);
            await TakeWindowAsync(reading);
            batch.SetSequence(++sequence);
            var writing = Stopwatch.GetTimestamp();
            _sentAt[sequence] = Schedule is null ? writing : dueAt;
            await call.RequestStream.WriteAsync(batch);
            OnWritten?.Invoke(Stopwatch.GetElapsedTime(writing));
            sent += batch.Events;
        }

        await call.RequestStream.CompleteAsync();
        await reading;
    }

    public static async Task WaitUntilAsync(long timestamp)
    {
        var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), timestamp);
        if (wait > TimeSpan.FromMilliseconds(1))
        {
            await Task.Delay(wait);
        }
    }

    /// <summary>Waits for room; a stream that has ended gives none any more, and says why.</summary>
    private async Task TakeWindowAsync(Task reading)
    {
        var room = _window.WaitAsync();
        if (!room.IsCompleted && await Task.WhenAny(room, reading) == reading)
        {
            await reading;
            throw new InvalidOperationException("The server ended the stream.");
        }

        await room;
    }

    private async Task ReadAsync(AsyncDuplexStreamingCall<EncodedRequest, StreamResponse> call, Action<BatchAck, TimeSpan> onAck)
    {
        await foreach (var response in call.ResponseStream.ReadAllAsync())
        {
            foreach (var ack in response.Acks?.Batches ?? [])
            {
                _sentAt.TryRemove(ack.Sequence, out var sentAt);
                onAck(ack, Stopwatch.GetElapsedTime(sentAt));
                _window.Release();
            }
        }
    }
}
