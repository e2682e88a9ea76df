using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Roster.V1;

namespace Roster.LoadTests;

/// <summary>One ingest stream: sends batches with a window of unacknowledged ones, and times each from when it was due to be sent.</summary>
internal sealed class StreamDriver(GrpcChannel channel, int window)
{
    private readonly SemaphoreSlim _window = new(window);
    private readonly ConcurrentDictionary<ulong, long> _sentAt = new();

    /// <summary>Open loop at a fixed rate; null is a closed loop.</summary>
    public double? EventsPerSecond { get; init; }

    public async Task RunAsync(IEnumerable<Batch> batches, Action<BatchAck, TimeSpan> onAck)
    {
        using var call = new IngestService.IngestServiceClient(channel).Stream();
        await call.RequestStream.WriteAsync(new StreamRequest { Hello = new Hello { Client = "load-test" } });
        var reading = ReadAsync(call, onAck);
        var sequence = 0UL;
        var start = Stopwatch.GetTimestamp();
        var sent = 0L;
        foreach (var batch in batches)
        {
            // In an open loop a batch is due at its instant, whatever happens: waiting for the window counts.
            var dueAt = EventsPerSecond is { } rate ? start + (long)(sent / rate * Stopwatch.Frequency) : Stopwatch.GetTimestamp();
            await WaitUntilAsync(dueAt);
            await _window.WaitAsync();
            batch.Sequence = ++sequence;
            _sentAt[sequence] = EventsPerSecond is null ? Stopwatch.GetTimestamp() : dueAt;
            await call.RequestStream.WriteAsync(new StreamRequest { Batch = batch });
            sent += batch.Events.Count;
        }

        await call.RequestStream.CompleteAsync();
        await reading;
    }

    private static async Task WaitUntilAsync(long timestamp)
    {
        var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), timestamp);
        if (wait > TimeSpan.FromMilliseconds(1))
        {
            await Task.Delay(wait);
        }
    }

    private async Task ReadAsync(AsyncDuplexStreamingCall<StreamRequest, StreamResponse> call, Action<BatchAck, TimeSpan> onAck)
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
