using System.Globalization;
using System.Threading.Channels;
using Grpc.Core;
using Roster.Engine;
using Roster.Server.Access;
using Roster.Server.Services;
using Roster.V1;

namespace Roster.Server.Work;

/// <summary>
/// One worker's stream: a reader takes credit, completions and heartbeats; a dispatcher leases tasks while there is room; a writer
/// sends tasks and answers. Whatever ends the stream, its leases are given back at once.
/// </summary>
/// <remarks>
/// Ends: the worker half-closes (its completions are answered first); it breaks a rule; it goes away; the server stops (no new tasks,
/// UNAVAILABLE as soon as nothing is out, at the latest after <c>drain_seconds_max</c>).
/// </remarks>
internal sealed class WorkStream(
    IRosterEngine engine,
    ServerState state,
    TimeProvider clock,
    CallIdentity caller,
    string owner,
    IAsyncStreamReader<WorkRequest> requests,
    IServerStreamWriter<WorkResponse> responses,
    CancellationToken cancelled)
{
    private const int LeaseAtOnceMax = 500;
    private const int RetriesMax = 100;

    private readonly Channel<WorkResponse> _outgoing = Channel.CreateUnbounded<WorkResponse>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _completing = new(TaskRoom.TasksMax);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskRoom _room = new(0);
    private string _queue = "";
    private TimeSpan _leaseFor;

    /// <summary>Runs the stream to its end.</summary>
    public async Task RunAsync()
    {
        await OpenAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancelled, state.Draining);
        using var draining = state.Draining.Register(EndIfDrained);
        using var over = state.Over.Register(EndDraining);
        using var reads = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        var dispatching = DispatchAsync(stop.Token);
        var writing = WriteAsync();
        var reading = ReadAsync(reads.Token);
        try
        {
            var first = await Task.WhenAny(reading, writing, _ended.Task);
            await first;
            await WaitForCompletionsAsync();
        }
        finally
        {
            // A read that outlives the call would take what the next call on this stream of the connection gets.
            await reads.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await stop.CancelAsync();
            _outgoing.Writer.TryComplete();
            engine.ReleaseLeases(caller.Tenant, _queue, owner);
        }

        await dispatching;
        await writing;
    }

    private async Task OpenAsync()
    {
        if (!await requests.MoveNext(cancelled) || requests.Current.MessageCase != WorkRequest.MessageOneofCase.Hello)
        {
            throw RosterException.Invalid("hello", "", "The first message of a worker's stream is `hello`.");
        }

        var hello = requests.Current.Hello;
        _queue = Check.Queue("hello.queue", hello.Queue);
        _leaseFor = LeaseTime.Read("hello.lease_for", hello.LeaseFor);
        Check.Range("hello.credit", hello.Credit, 0, TaskRoom.TasksMax);
        _room = new TaskRoom(hello.Credit);
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        while (await requests.MoveNext(stop))
        {
            var request = requests.Current;
            caller.RequireInForce(clock);
            switch (request.MessageCase)
            {
                case WorkRequest.MessageOneofCase.Credit:
                    AddRoom(request.Credit.Tasks);
                    break;
                case WorkRequest.MessageOneofCase.Completion:
                    await _completing.WaitAsync(stop);
                    _ = CompleteAsync(request.Completion);
                    break;
                case WorkRequest.MessageOneofCase.Heartbeat:
                    await engine.KeepLeasesAsync(caller.Tenant, _queue, owner, request.Heartbeat.Keys, stop);
                    break;
                default:
                    throw RosterException.Invalid(
                        "message", request.MessageCase.ToString(), "After `hello` a worker's stream takes `credit`, `completion` and `heartbeat` messages.");
            }
        }
    }

    private void AddRoom(int tasks)
    {
        Check.Range("credit.tasks", tasks, 1, TaskRoom.TasksMax);
        if (!_room.TryAdd(tasks))
        {
            throw RosterException.Invalid(
                "credit.tasks", tasks.ToString(CultureInfo.InvariantCulture), $"With {tasks} more tasks, over {TaskRoom.TasksMax} would be out on this stream.");
        }
    }

    private async Task DispatchAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                var room = await _room.WaitAsync(stop);
                caller.RequireInForce(clock);
                var tasks = await engine.LeaseTasksAsync(caller.Tenant, _queue, Math.Min(room, LeaseAtOnceMax), _leaseFor, owner, stop);
                if (tasks.Count == 0)
                {
                    await engine.WaitForTasksAsync(caller.Tenant, _queue, stop);
                    continue;
                }

                _room.GoOut(tasks.Select(task => task.Key));
                _outgoing.Writer.TryWrite(new WorkResponse { Tasks = { tasks } });
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // No more tasks. The stream itself goes on until its worker ends it, or the drain is over.
        }
        catch (Exception error)
        {
            _ended.TrySetException(error);
        }
    }

    private async Task CompleteAsync(TaskCompletion completion)
    {
        try
        {
            // Not the token of the call: what the worker has done is noted, whether or not it stays to hear so.
            var applied = await NoteAsync(completion);
            _room.ComeBack(completion.Key);
            var answer = new WorkResponse();
            (applied ? answer.Completed : answer.Stale).Add(completion.Key);
            _outgoing.Writer.TryWrite(answer);
            EndIfDrained();
        }
        catch (Exception error)
        {
            _completing.Release();
            _ended.TrySetException(error);
        }
    }

    /// <summary>An engine that has no room is asked again: what is not noted yet stands in the room for completions, which holds the worker back.</summary>
    private async ValueTask<bool> NoteAsync(TaskCompletion completion)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await engine.CompleteTaskAsync(caller.Tenant, completion, CancellationToken.None);
            }
            catch (RosterException full) when (full.Error == RosterError.Overloaded && attempt < RetriesMax)
            {
                await Task.Delay(full.RetryAfter, clock, CancellationToken.None);
            }
        }
    }

    private async Task WaitForCompletionsAsync()
    {
        for (var i = 0; i < TaskRoom.TasksMax; i++)
        {
            await _completing.WaitAsync(cancelled);
        }
    }

    private async Task WriteAsync()
    {
        while (await _outgoing.Reader.WaitToReadAsync(CancellationToken.None))
        {
            WorkResponse? together = null;
            while (_outgoing.Reader.TryRead(out var next))
            {
                if (together is null)
                {
                    together = next;
                }
                else
                {
                    together.MergeFrom(next);
                }
            }

            await responses.WriteAsync(together!);
            if (together!.Completed.Count + together.Stale.Count is > 0 and var answered)
            {
                // Only now: a worker that reads no answers gets no room for more completions.
                _completing.Release(answered);
            }
        }
    }

    private void EndIfDrained()
    {
        if (state.Draining.IsCancellationRequested && _room.OutCount == 0)
        {
            EndDraining();
        }
    }

    private void EndDraining() => _ended.TrySetException(new RosterException(RosterError.Unavailable, "The server is stopping; connect again."));
}
