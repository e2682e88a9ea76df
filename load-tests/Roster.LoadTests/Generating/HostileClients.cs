using Roster.Server.Tests.Robustness;

namespace Roster.LoadTests.Generating;

/// <summary>
/// Clients that do not mean well, each on connections of its own, over and over until told to stop: streams that are opened and reset at once, headers without end,
/// frames that are none, messages that never end, and readers that do not read. Each round is bounded, and there is a short pause between rounds.
/// </summary>
internal sealed class HostileClients(Uri address)
{
    private const string Stream = "/roster.v1.IngestService/Stream";
    private const string Call = "/roster.v1.WorkflowService/ListWorkflows";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private long _rounds;

    /// <summary>Connections that were used up.</summary>
    public long Rounds => Volatile.Read(ref _rounds);

    /// <summary>Goes on until told to stop.</summary>
    public Task DriveAsync(CancellationToken stop) => Task.WhenAll(
        RepeatAsync(ResetAsync, stop), RepeatAsync(FloodHeadersAsync, stop), RepeatAsync(SendGarbageAsync, stop), RepeatAsync(SendSlowlyAsync, stop), RepeatAsync(ReadNothingAsync, stop));

    private async Task RepeatAsync(Func<RawConnection, CancellationToken, Task> round, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // No window at all for answers: whoever wants to be read by this client waits.
                using var raw = await RawConnection.OpenAsync(address, stop, (4, 0));
                await round(raw, stop);
                Interlocked.Increment(ref _rounds);
            }
            catch (Exception over) when (over is OperationCanceledException or IOException or System.Net.Sockets.SocketException)
            {
                // Told to stop, or refused: that is what the server may do.
            }

            await Task.Delay(Pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task ResetAsync(RawConnection raw, CancellationToken stop)
    {
        var isOpen = true;
        for (var stream = 1; stream < 2_000 && isOpen; stream += 2)
        {
            raw.AddCall(stream, Stream);
            raw.AddReset(stream);
            isOpen = stream % 200 != 199 || await raw.FlushAsync(stop);
        }

        await raw.FlushAsync(stop);
    }

    private static async Task FloodHeadersAsync(RawConnection raw, CancellationToken stop)
    {
        raw.Add(RawConnection.Headers, 0, 1, RawConnection.CallHeaders(Stream));
        var field = RawConnection.CallHeaders(Stream, ("x-filler", new string('x', 15_000)))[^15_013..];
        var isOpen = await raw.FlushAsync(stop);
        for (var i = 0; i < 100 && isOpen; i++)
        {
            raw.Add(RawConnection.Continuation, 0, 1, field);
            isOpen = await raw.FlushAsync(stop);
        }
    }

    private static async Task SendGarbageAsync(RawConnection raw, CancellationToken stop)
    {
        // A message of 4 GiB by its length, of an unknown compression, and a frame of a type that there is not.
        raw.AddCall(1, Call, ("grpc-encoding", "none-such"));
        raw.Add(RawConnection.Data, 0, 1, [1, 255, 255, 255, 255, 1, 2, 3]);
        raw.Add(200, 255, 3, new byte[16_000]);
        await raw.FlushAsync(stop);
        raw.AddRaw(new byte[4_096]);
        await raw.FlushAsync(stop);
    }

    private static async Task SendSlowlyAsync(RawConnection raw, CancellationToken stop)
    {
        // Streams that say of a message that it comes, and send a byte of it now and then.
        for (var stream = 1; stream < 100; stream += 2)
        {
            raw.AddCall(stream, Stream);
            raw.Add(RawConnection.Data, 0, stream, [0, 0, 0, 4, 0]);
        }

        for (var i = 0; i < 20 && await raw.FlushAsync(stop); i++)
        {
            await Task.Delay(Pause, stop);
            raw.Add(RawConnection.Data, 0, (2 * i) + 1, [0]);
        }
    }

    private static async Task ReadNothingAsync(RawConnection raw, CancellationToken stop)
    {
        for (var stream = 1; stream < 200; stream += 2)
        {
            raw.AddCall(stream, Call);
            raw.Add(RawConnection.Data, RawConnection.EndStream, stream, [0, 0, 0, 0, 0]);
        }

        await raw.FlushAsync(stop);
        await Task.Delay(Pause * 10, stop);
    }
}
