using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Roster.LoadTests.Measuring;
using Roster.V1;

namespace Roster.LoadTests.Generating;

/// <summary>
/// Batches in calls of their own at a fixed rate, as many small callers send them: nothing holds them back but a refusal, and what was refused
/// is not sent again.
/// </summary>
internal sealed class CallDriver(GrpcChannel channel, EventGenerator generator, Meter meter)
{
    /// <summary>Calls that may be open: beyond it the generator gives up keeping the rate, and says so.</summary>
    public const int OpenMax = 250;

    private int _open;

    /// <summary>Time from the call to its refusal with RESOURCE_EXHAUSTED, one per refused call.</summary>
    public LatencyHistogram Refusals { get; } = new();

    /// <summary>Batches that were due and not sent because <see cref="OpenMax"/> calls were open.</summary>
    public long Withheld { get; private set; }

    /// <summary>Drops what was counted.</summary>
    public void Begin()
    {
        Refusals.Clear();
        Withheld = 0;
    }

    public async Task RunAsync(OpenLoopSchedule schedule, int batchEvents, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        for (var sent = 0L; !stop.IsCancellationRequested; sent += batchEvents)
        {
            await StreamDriver.WaitUntilAsync(start + (long)(schedule.DueAfter(sent).TotalSeconds * Stopwatch.Frequency));
            if (Volatile.Read(ref _open) >= OpenMax)
            {
                Withheld++;
                continue;
            }

            Interlocked.Increment(ref _open);
            _ = CallAsync();
        }

        // What is open counts for nobody any more, but the next phase begins without it.
        while (Volatile.Read(ref _open) > 0)
        {
            await Task.Delay(10, CancellationToken.None);
        }
    }

    private async Task CallAsync()
    {
        var request = new IngestRequest();
        request.Events.AddRange(generator.NewEvents());
        var at = Stopwatch.GetTimestamp();
        try
        {
            var response = await new IngestService.IngestServiceClient(channel).IngestAsync(request);
            var refused = response.Results.Count(r => r.Code == EventResult.Types.Code.Refused);
            meter.Acked(response.Results.Count, refused, Stopwatch.GetElapsedTime(at));
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.ResourceExhausted)
        {
            Refusals.Add(Stopwatch.GetElapsedTime(at));
        }
        catch (Exception)
        {
            meter.Failed();
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
