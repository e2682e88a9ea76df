using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Roster.V1;

namespace Roster.Client;

/// <summary>
/// Takes tasks of one queue and carries them out, several at once, until told to stop. At least once: a task may come again, always with
/// the same <see cref="WorkTask.Key"/>.
/// </summary>
public sealed class RosterWorker
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly RosterClient _client;
    private readonly RosterWorkerOptions _options;
    private readonly TaskHandler _handler;
    private long _completed;
    private long _stale;

    /// <summary>Makes a worker. Nothing happens before <see cref="RunAsync"/>.</summary>
    public RosterWorker(RosterClient client, RosterWorkerOptions options, TaskHandler handler)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentException.ThrowIfNullOrEmpty(options.Queue);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Concurrency, 1);
        _client = client;
        _options = options;
        _handler = handler;
    }

    /// <summary>Completions that are durable.</summary>
    public long Completed => Interlocked.Read(ref _completed);

    /// <summary>Completions that concerned nothing open: done before, or withdrawn.</summary>
    public long Stale => Interlocked.Read(ref _stale);

    /// <summary>
    /// Works until <paramref name="stop"/> is cancelled; then no new task is begun, and those begun are finished and reported. Connects
    /// again when the server goes away.
    /// </summary>
    /// <exception cref="RpcException">The server refuses this worker for good.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        var wait = FirstWait;
        while (!stop.IsCancellationRequested)
        {
            var before = Completed;
            try
            {
                await new Connection(this, stop).RunAsync().ConfigureAwait(false);
            }
            catch (RpcException error) when (RosterErrors.IsTransient(error) && !stop.IsCancellationRequested)
            {
                _options.OnReconnect?.Invoke(error);
                wait = Completed != before ? FirstWait : wait;
                await Task.Delay(wait, _client.Clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
            }
            catch (RpcException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>One connection: a reader, a writer, a heart, and the tasks at work.</summary>
    private sealed class Connection(RosterWorker worker, CancellationToken stop)
    {
        private readonly Channel<WorkRequest> _outgoing = Channel.CreateUnbounded<WorkRequest>(new UnboundedChannelOptions { SingleReader = true });
        private readonly CancellationTokenSource _ended = new();
        private readonly PeriodicTimer _beat = new(worker._options.LeaseFor / 3, worker._client.Clock);
        private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);

        // Tasks at work, plus one as long as new ones may begin.
        private int _busy = 1;

        public async Task RunAsync()
        {
            using var call = worker._client.Work.Work();
            var hello = new WorkHello
            {
                Queue = worker._options.Queue,
                Worker = worker._options.Name,
                Credit = worker._options.Concurrency,
                LeaseFor = Duration.FromTimeSpan(worker._options.LeaseFor),
            };
            _outgoing.Writer.TryWrite(new WorkRequest { Hello = hello });
            var writing = WriteAsync(call.RequestStream);
            var beating = BeatAsync();
            using var stopping = stop.Register(Leave);
            _ = CloseWhenIdleAsync();
            try
            {
                await ReadAsync(call.ResponseStream).ConfigureAwait(false);
            }
            finally
            {
                await _ended.CancelAsync().ConfigureAwait(false);
                _outgoing.Writer.TryComplete();
                await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        private async Task ReadAsync(IAsyncStreamReader<WorkResponse> responses)
        {
            while (await responses.MoveNext(CancellationToken.None).ConfigureAwait(false))
            {
                var response = responses.Current;
                Interlocked.Add(ref worker._completed, response.Completed.Count);
                Interlocked.Add(ref worker._stale, response.Stale.Count);
                foreach (var task in response.Tasks)
                {
                    if (!stop.IsCancellationRequested)
                    {
                        BeatFor(task);
                        Interlocked.Increment(ref _busy);
                        _ = HandleAsync(task);
                    }
                }
            }
        }

        private async Task HandleAsync(WorkTask task)
        {
            // A handler that never waits would otherwise keep the reader from reading.
            await Task.Yield();
            TaskResult result;
            try
            {
                result = await worker._handler(task, _ended.Token).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                result = TaskResult.Retry(error.Message);
            }

            _outgoing.Writer.TryWrite(new WorkRequest { Completion = result.Complete(task) });
            Leave();
        }

        private void Leave()
        {
            if (Interlocked.Decrement(ref _busy) == 0)
            {
                _idle.TrySetResult();
            }
        }

        private async Task CloseWhenIdleAsync()
        {
            await _idle.Task.ConfigureAwait(false);
            _outgoing.Writer.TryComplete();
        }

        private async Task WriteAsync(IClientStreamWriter<WorkRequest> requests)
        {
            await foreach (var request in _outgoing.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                await requests.WriteAsync(request).ConfigureAwait(false);
            }

            await requests.CompleteAsync().ConfigureAwait(false);
        }

        /// <summary>A task whose action has a shorter lease than was asked for needs the heart to beat faster.</summary>
        private void BeatFor(WorkTask task)
        {
            if (task.LeaseFor?.ToTimeSpan() / 3 is { Ticks: > 0 } period && period < _beat.Period)
            {
                _beat.Period = period;
            }
        }

        private async Task BeatAsync()
        {
            using var beat = _beat;
            while (await beat.WaitForNextTickAsync(_ended.Token).ConfigureAwait(false))
            {
                _outgoing.Writer.TryWrite(new WorkRequest { Heartbeat = new Heartbeat() });
            }
        }
    }
}
