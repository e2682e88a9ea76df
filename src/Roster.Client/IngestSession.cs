using Grpc.Core;
using Roster.Client.Internal;
using Roster.V1;

namespace Roster.Client;

/// <summary>
/// Sends many events: in batches, many in flight, each with a result when it is durable. A lost connection is made again and what has no
/// result is sent again in the old order; since event ids are applied once, nothing is applied twice.
/// </summary>
/// <remarks>Thread-safe; the order of events is the order of the calls of <see cref="SendAsync"/>.</remarks>
public sealed class IngestSession : IAsyncDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly RosterClient _client;
    private readonly IngestSessionOptions _options;
    private readonly SendBuffer _buffer;
    private readonly CancellationTokenSource _abort = new();
    private readonly Task _running;
    private long _aliveAt;
    private volatile bool _draining;

    internal IngestSession(RosterClient client, IngestSessionOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchEventsMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.OutstandingMax, 1);
        if (options.AckTimeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(options.AckTimeout, TimeSpan.FromSeconds(1));
        }

        _client = client;
        _options = options;
        _buffer = new SendBuffer(options);
        _running = Task.Run(RunAsync);
    }

    /// <summary>How far the session is.</summary>
    public IngestProgress Progress => _buffer.Progress;

    /// <summary>
    /// Takes an event; waits while <see cref="IngestSessionOptions.OutstandingMax"/> events have no result. The event must not be changed
    /// until it has one.
    /// </summary>
    /// <exception cref="InvalidOperationException">The session is completed, or has given up; the inner exception says why.</exception>
    public ValueTask SendAsync(Event item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        return _buffer.TryAdd(item) is { } wait ? WaitAndSendAsync(item, wait, cancellationToken) : default;
    }

    /// <summary>Waits until every event so far has its result.</summary>
    /// <exception cref="RpcException">The session has given up.</exception>
    public Task FlushAsync(CancellationToken cancellationToken = default) => _buffer.FlushAsync().WaitAsync(cancellationToken);

    /// <summary>Sends what waits, waits for all results, and ends the session.</summary>
    /// <exception cref="RpcException">The session has given up.</exception>
    public Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        _buffer.Complete();
        return _running.WaitAsync(cancellationToken);
    }

    /// <summary>Ends the session. Without a <see cref="CompleteAsync"/> before, events without a result may or may not be applied.</summary>
    public async ValueTask DisposeAsync()
    {
        _buffer.Complete();
        await _abort.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _abort.Dispose();
    }

    private async ValueTask WaitAndSendAsync(Event item, Task wait, CancellationToken cancellationToken)
    {
        Task? next = wait;
        while (next is not null)
        {
            await next.WaitAsync(cancellationToken).ConfigureAwait(false);
            next = _buffer.TryAdd(item);
        }
    }

    private async Task RunAsync()
    {
        var wait = FirstWait;
        _aliveAt = _client.Clock.GetTimestamp();
        while (!_buffer.IsOver)
        {
            var before = Interlocked.Read(ref _aliveAt);
            try
            {
                await ConnectAsync().ConfigureAwait(false);
                if (_buffer.IsOver)
                {
                    return;
                }

                throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "The server has ended the stream."));
            }
            catch (RpcException error) when (RosterErrors.IsTransient(error) && !_abort.IsCancellationRequested
                && _client.Clock.GetElapsedTime(Interlocked.Read(ref _aliveAt)) < _options.GiveUpAfter)
            {
                _buffer.Disconnected();
                _options.OnReconnect?.Invoke(error);
                wait = Interlocked.Read(ref _aliveAt) != before ? FirstWait : wait;
            }
            catch (Exception error)
            {
                _buffer.Fail(error);
                throw;
            }

            await Task.Delay(wait, _client.Clock, _abort.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    /// <summary>One connection, until it ends or nothing is acknowledged on it any more.</summary>
    private async Task ConnectAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
        var watching = WatchAsync(deadline, ended.Token);
        try
        {
            await RunConnectionAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException && deadline.IsCancellationRequested && !_abort.IsCancellationRequested)
        {
            throw new RpcException(new Grpc.Core.Status(StatusCode.DeadlineExceeded, $"Nothing was acknowledged for {_options.AckTimeout.TotalSeconds:0} seconds."));
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WatchAsync(CancellationTokenSource deadline, CancellationToken ended)
    {
        if (_options.AckTimeout == Timeout.InfiniteTimeSpan)
        {
            return;
        }

        // Nothing has moved between two ticks: what was there at the first has waited at least that long.
        using var timer = new PeriodicTimer(_options.AckTimeout, _client.Clock);
        (bool IsWaiting, long Acknowledged) before = default;
        while (await timer.WaitForNextTickAsync(ended).ConfigureAwait(false))
        {
            var now = (_buffer.IsWaiting, _buffer.Progress.Acknowledged);
            if (before.IsWaiting && now == before)
            {
                await deadline.CancelAsync().ConfigureAwait(false);
                return;
            }

            before = now;
        }
    }

    private async Task RunConnectionAsync(CancellationToken cancellationToken)
    {
        _draining = false;
        using var call = _client.Ingest.Stream(cancellationToken: cancellationToken);
        await call.RequestStream.WriteAsync(new StreamRequest { Hello = new Hello { Client = _options.ClientName } }, cancellationToken).ConfigureAwait(false);
        if (!await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false) || call.ResponseStream.Current.Welcome is not { } welcome)
        {
            throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "The server did not answer `hello` with `welcome`."));
        }

        _buffer.Connected(welcome);
        var sending = SendBatchesAsync(call.RequestStream);
        try
        {
            // The status of the call comes out of the reader, whoever noticed first that it is over.
            await ReadAcksAsync(call.ResponseStream, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _draining = true;
            _buffer.WakeSender();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendBatchesAsync(IClientStreamWriter<StreamRequest> requests)
    {
        while (!_draining)
        {
            var (batch, wait) = _buffer.TryTake();
            if (batch is not null)
            {
                await requests.WriteAsync(new StreamRequest { Batch = batch }).ConfigureAwait(false);
            }
            else if (wait is not null)
            {
                await wait.ConfigureAwait(false);
            }
            else
            {
                break;
            }
        }

        await requests.CompleteAsync().ConfigureAwait(false);
    }

    private async Task ReadAcksAsync(IAsyncStreamReader<StreamResponse> responses, CancellationToken cancellationToken)
    {
        while (await responses.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            var response = responses.Current;
            if (response.Drain is not null)
            {
                _draining = true;
                _buffer.WakeSender();
            }
            else if (response.Acks is { } acks)
            {
                Interlocked.Exchange(ref _aliveAt, _client.Clock.GetTimestamp());
                foreach (var ack in acks.Batches)
                {
                    Tell(ack);
                    _buffer.Done(ack);
                }
            }
        }
    }

    private void Tell(BatchAck ack)
    {
        if (_options.OnResult is not { } onResult || _buffer.Acknowledged(ack) is not { } events)
        {
            return;
        }

        var next = 0;
        for (var i = 0; i < events.Count; i++)
        {
            var result = next < ack.Results.Count && ack.Results[next].Index == i ? ack.Results[next++].Result : null;
            onResult(new IngestOutcome(events[i], result?.Code ?? EventResult.Types.Code.Applied, result?.Refusal));
        }
    }
}
