using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Roster.LoadTests.Measuring;
using Roster.V1;

namespace Roster.LoadTests.Generating;

/// <summary>
/// Batches in calls of their own at a fixed rate, as many small callers send them: nothing holds them back but a refusal. All times count from the
/// instant at which a batch was due.
/// </summary>
/// <remarks>
/// A batch that was refused is sent again in place of a new one when the next is due. Nothing of it was taken, so it is as good as a new one, and encoding
/// events only to have them refused would take cores from the server.
/// </remarks>
internal sealed class CallDriver(GrpcChannel channel, EventGenerator generator, Meter meter)
{
    /// <summary>Calls that may be open: beyond it the generator gives up keeping the rate, and says so.</summary>
    public const int OpenMax = 250;

    /// <summary>Headers of each call, such as the tenant. Default: none.</summary>
    public Metadata? Headers { get; init; }

    private readonly CallInvoker _invoker = channel.CreateCallInvoker();
    private readonly ConcurrentStack<EncodedRequest> _refused = new();
    private readonly ConcurrentStack<EncodedRequest> _free = new();
    private int _open;

    /// <summary>Time from when a call was due to its refusal with RESOURCE_EXHAUSTED, one per refused call.</summary>
    public LatencyHistogram Refusals { get; } = new();

    /// <summary>The part of it that is the generator's: from when a call was due until it was handed to the client. One per call, refused or not.</summary>
    public LatencyHistogram Starts { get; } = new();

    /// <summary>Batches that were due and not sent because <see cref="OpenMax"/> calls were open.</summary>
    public long Withheld { get; private set; }

    /// <summary>Drops what was counted.</summary>
    public void Begin()
    {
        Refusals.Clear();
        Starts.Clear();
        Withheld = 0;
    }

    public async Task RunAsync(OpenLoopSchedule schedule, int batchEvents, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        for (var sent = 0L; !stop.IsCancellationRequested; sent += batchEvents)
        {
            var dueAt = start + (long)(schedule.DueAfter(sent).TotalSeconds * Stopwatch.Frequency);
            await StreamDriver.WaitUntilAsync(dueAt);
            if (Volatile.Read(ref _open) >= OpenMax)
            {
                Withheld++;
                continue;
            }

            Interlocked.Increment(ref _open);
            _ = CallAsync(NextBatch(), dueAt);
        }

        // What is open counts for nobody any more, but the next phase begins without it.
        while (Volatile.Read(ref _open) > 0)
        {
            await Task.Delay(10, CancellationToken.None);
        }
    }

    private EncodedRequest NextBatch()
    {
        if (_refused.TryPop(out var batch))
        {
            return batch;
        }

        if (!_free.TryPop(out batch))
        {
            batch = EncodedRequest.ForCall();
        }

        generator.Fill(batch);
        return batch;
    }

    private async Task CallAsync(EncodedRequest batch, long dueAt)
    {
        Starts.Add(Stopwatch.GetElapsedTime(dueAt));
        using var call = _invoker.AsyncUnaryCall(EncodedRequest.Call, null, new CallOptions(Headers), batch);
        // Not thrown: exceptions cost more than the refusals that they tell of.
        await ((Task)call.ResponseAsync).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var latency = Stopwatch.GetElapsedTime(dueAt);
        switch (call.GetStatus().StatusCode)
        {
            case StatusCode.OK:
                var results = (await call.ResponseAsync).Results;
                meter.Acked(results.Count, results.Count(r => r.Code == EventResult.Types.Code.Refused), latency);
                _free.Push(batch);
                break;
            case StatusCode.ResourceExhausted:
                Refusals.Add(latency);
                _refused.Push(batch);
                break;
            default:
                meter.Failed();
                break;
        }

        Interlocked.Decrement(ref _open);
    }
}
