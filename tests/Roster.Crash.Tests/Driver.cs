using Grpc.Core;
using Roster.V1;

namespace Roster.Crash.Tests;

/// <summary>Sends batches until each is acknowledged, whatever happens to the server in between; the ledger of what was.</summary>
internal sealed class Driver
{
    private const int Window = 16;
    private readonly SortedDictionary<ulong, Batch> _left = [];

    public Driver(IEnumerable<Event[]> batches)
    {
        foreach (var events in batches)
        {
            var batch = new Batch { Sequence = (ulong)_left.Count + 1 };
            batch.Events.AddRange(events);
            _left.Add(batch.Sequence, batch);
        }
    }

    /// <summary>Batches that are not acknowledged.</summary>
    public int Left => _left.Count;

    /// <summary>Events that were applied before a kill and not acknowledged.</summary>
    public int Duplicates { get; private set; }

    /// <summary>
    /// Sends what is left but the last <paramref name="keep"/> batches, in order; returns after so many acknowledgements, with others
    /// still in flight. One answer may acknowledge many batches, so what must be left over is kept back.
    /// </summary>
    public async Task SendAsync(ServerUnderTest server, int stopAfterAcks, int keep = 0)
    {
        using var call = new IngestService.IngestServiceClient(server.Channel).Stream();
        await call.RequestStream.WriteAsync(new StreamRequest { Hello = new Hello { Client = "crash" } });
        var sent = 0;
        var acked = 0;
        var batches = _left.Values.SkipLast(keep).ToArray();
        while (acked < batches.Length)
        {
            while (sent < batches.Length && sent - acked < Window)
            {
                await call.RequestStream.WriteAsync(new StreamRequest { Batch = batches[sent++] });
            }

            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None), "the stream ended before everything was acknowledged");
            acked += Take(call.ResponseStream.Current);
            if (acked >= stopAfterAcks)
            {
                return;
            }
        }

        await call.RequestStream.CompleteAsync();
    }

    private int Take(StreamResponse response)
    {
        foreach (var ack in response.Acks?.Batches ?? [])
        {
            Assert.All(ack.Results, r => Assert.Equal(EventResult.Types.Code.Duplicate, r.Result.Code));
            Duplicates += ack.Results.Count;
            Assert.True(_left.Remove(ack.Sequence), "acknowledged twice");
        }

        return response.Acks?.Batches.Count ?? 0;
    }
}
