using System.Globalization;
using Grpc.Core;
using Roster.Engine;
using Roster.Server.Access;
using Roster.Server.Errors;
using Roster.Server.Measures;
using Roster.V1;

namespace Roster.Server.Ingest;

/// <summary>
/// One ingest stream. A reader hands batches to the engine in order, without waiting for the former ones; a writer sends what has
/// become durable. Between them are the credit, which stops the reader, and the queue of acknowledgements.
/// </summary>
/// <remarks>
/// Ends: the client half-closes (all its batches are acknowledged first); the client breaks a rule or the engine fails (what was
/// handed in before is acknowledged first, then the status tells why); the client goes away (what was handed in is applied, nobody is
/// told); the server stops (a drain message, then as for a half-close, at the latest after <c>drain_seconds_max</c>).
/// </remarks>
internal sealed class IngestStream(
    IRosterEngine engine,
    FairTurns turns,
    ServerOptions options,
    ServerState state,
    TimeProvider clock,
    CallIdentity caller,
    IAsyncStreamReader<StreamRequest> requests,
    IServerStreamWriter<StreamResponse> responses,
    CancellationToken cancelled)
{
    private const int RetriesMax = 100;

    private readonly Credit _credit = new(options.CreditEvents, options.CreditBytes);
    private readonly AckQueue _acks = new();
    private volatile bool _stopped;

    /// <summary>Runs the stream to its end.</summary>
    public async Task RunAsync()
    {
        await OpenAsync();
        turns.Open(caller.Tenant);
        try
        {
            await ServeAsync();
        }
        finally
        {
            turns.Close(caller.Tenant);
        }
    }

    private async Task ServeAsync()
    {
        using var drain = state.Draining.Register(static queue => ((AckQueue)queue!).RequestDrain(), _acks);
        using var reads = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        var writing = WriteAsync();
        var reading = ReadAsync(reads.Token);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var timeUp = state.Over.Register(static source => ((TaskCompletionSource)source!).TrySetResult(), over);
        try
        {
            var first = await Task.WhenAny(reading, writing, over.Task);
            _stopped = true;
            if (first == writing)
            {
                await writing;
            }
            else
            {
                _acks.Close();
                await FinishAsync(first, reading, writing);
            }
        }
        finally
        {
            // A read that outlives the call would take what the next call on this stream of the connection gets.
            await reads.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FinishAsync(Task first, Task reading, Task writing)
    {
        if (cancelled.IsCancellationRequested)
        {
            Forget(writing);
            await reading;
            return;
        }

        // Whatever ended the reading, what was handed in is acknowledged before the status goes out.
        await writing;
        if (first == reading)
        {
            await reading;
            return;
        }

        throw new RosterException(RosterError.Unavailable, "The server is stopping; send what is not acknowledged again.");
    }

    private async Task OpenAsync()
    {
        if (!await requests.MoveNext(cancelled) || requests.Current.MessageCase != StreamRequest.MessageOneofCase.Hello)
        {
            throw RosterException.Invalid("hello", "", "The first message of an ingest stream is `hello`.");
        }

        await responses.WriteAsync(new StreamResponse
        {
            Welcome = new Welcome
            {
                CreditEvents = options.CreditEvents,
                CreditBytes = options.CreditBytes,
                BatchEventsMax = options.EventsPerRequestMax,
            },
        });
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        ulong last = 0;
        var isFirst = true;
        while (await requests.MoveNext(stop) && !_stopped)
        {
            var request = requests.Current;
            if (request.MessageCase != StreamRequest.MessageOneofCase.Batch)
            {
                throw RosterException.Invalid("message", request.MessageCase.ToString(), "After `hello` an ingest stream takes `batch` messages only.");
            }

            var sequence = request.Batch.Sequence;
            if (sequence <= last && !isFirst)
            {
                throw RosterException.Invalid(
                    "batch.sequence", sequence.ToString(CultureInfo.InvariantCulture), $"The sequence {sequence} does not rise: the batch before had {last}.");
            }

            isFirst = false;
            last = sequence;
            await HandInAsync(request.Batch, stop);
            await engine.WhenTakingAsync(stop);
        }
    }

    private async ValueTask HandInAsync(Batch batch, CancellationToken stop)
    {
        caller.RequireInForce(clock);
        Confinement.Check(caller, batch.Events);
        var count = batch.Events.Count;
        var checkedBatch = CheckedBatch.Check(batch.Events, options, "batch.events");
        await engine.Rates.WaitForTurnsAsync(caller.Tenant, count, stop);
        await _credit.TakeAsync(count, checkedBatch.Bytes, stop);
        // Last of all that may have to wait: whoever has the turn keeps others waiting.
        var turn = await turns.EnterAsync(caller.Tenant, count, stop);
        var pending = _acks.Add(batch.Sequence, count, checkedBatch.Bytes);
        // Not the token of the call: what was handed in is applied, whether or not the client stays to hear it.
        var applying = Apply(checkedBatch.Events);
        FairTurns.Leave(turn);
        for (var attempt = 1; applying.IsFaulted && attempt < RetriesMax; attempt++)
        {
            // Refused at once for lack of room: nothing later has been handed in, so waiting here keeps the order and is flow control.
            if (await RetryAfterAsync(applying) is not { } after)
            {
                return;
            }

            await Task.Delay(after, clock, stop);
            applying = Apply(checkedBatch.Events);
        }

        _ = AcknowledgeAsync(applying, checkedBatch, pending);
    }

    /// <summary>An engine that says no may throw at once or later; here it is the same.</summary>
    private ValueTask<IReadOnlyList<IndexedResult>> Apply(IReadOnlyList<Event> events)
    {
        try
        {
            return engine.IngestAsync(caller.Tenant, events, CancellationToken.None);
        }
        catch (Exception error)
        {
            return ValueTask.FromException<IReadOnlyList<IndexedResult>>(error);
        }
    }

    private async ValueTask<TimeSpan?> RetryAfterAsync(ValueTask<IReadOnlyList<IndexedResult>> refused)
    {
        try
        {
            await refused;
        }
        catch (RosterException error) when (error.Error == RosterError.Overloaded)
        {
            return error.RetryAfter;
        }
        catch (Exception error)
        {
            _acks.Fail(error);
        }

        return null;
    }

    private async Task AcknowledgeAsync(ValueTask<IReadOnlyList<IndexedResult>> applying, CheckedBatch batch, AckQueue.Pending pending)
    {
        using var activity = Telemetry.StartBatch(caller.Tenant, batch.Events.Count);
        try
        {
            var results = await applying;
            _acks.Complete(pending, batch.Merge(results));
        }
        catch (Exception error)
        {
            // The stream ends with this; the credit stays taken, so that the reader hands in nothing more.
            _acks.Fail(error);
        }
    }

    private async Task WriteAsync()
    {
        while (await _acks.TakeAsync() is { } next)
        {
            if (next.Acks is not null)
            {
                // Only now is the credit given back: a client that reads no acknowledgements gets no room for more events.
                await responses.WriteAsync(new StreamResponse { Acks = next.Acks });
                _credit.Give(next.Events, next.Bytes);
            }

            if (next.Drain)
            {
                await responses.WriteAsync(new StreamResponse { Drain = new Drain() });
            }
        }
    }

    /// <summary>The task ends by itself with the call; how it ends concerns nobody.</summary>
    private static void Forget(Task task) =>
        _ = task.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
}
