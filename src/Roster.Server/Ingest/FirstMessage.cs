using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Roster.Server.Access;

namespace Roster.Server.Ingest;

/// <summary>
/// A stream whose first message does not arrive in time is reset, so that streams that say nothing do not stay for ever (<c>call_receive_seconds_max</c>). What comes
/// after it may take as long as it likes: streams of workers and followers are idle for days. Calls with one message have <see cref="CallGate"/>.
/// </summary>
internal sealed class FirstMessage(ServerOptions options, TimeProvider clock) : Interceptor
{
    /// <summary>Puts the watch before the endpoints.</summary>
    public void Guard(IApplicationBuilder app) =>
        app.Use(next => http => AccessGuard.MethodOf(http) is { Type: not MethodType.Unary } ? ServeAsync(http, next) : next(http));

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        context.GetHttpContext().Features.Get<Watch>()?.Dispose();
        return continuation(request, responseStream, context);
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        continuation(context.GetHttpContext().Features.Get<Watch>() is { } watch ? new Watched<TRequest>(requestStream, watch) : requestStream, responseStream, context);

    private async Task ServeAsync(HttpContext http, RequestDelegate next)
    {
        using var watch = new Watch(http);
        http.Features.Set(watch);
        watch.Start(clock, TimeSpan.FromSeconds(options.CallReceiveSecondsMax));
        await next(http);
    }

    /// <summary>Resets one stream, unless it is disposed before.</summary>
    private sealed class Watch(HttpContext http) : IDisposable
    {
        private readonly Lock _lock = new();
        private ITimer? _timer;
        private bool _isOver;

        public void Start(TimeProvider clock, TimeSpan after) =>
            _timer = clock.CreateTimer(static state => ((Watch)state!).Reset(), this, after, Timeout.InfiniteTimeSpan);

        public void Dispose()
        {
            lock (_lock)
            {
                _isOver = true;
            }

            _timer?.Dispose();
        }

        private void Reset()
        {
            lock (_lock)
            {
                // Under the lock: once Dispose has returned, the context may be another call's.
                if (!_isOver)
                {
                    http.Abort();
                }
            }
        }
    }

    private sealed class Watched<T>(IAsyncStreamReader<T> inner, Watch watch) : IAsyncStreamReader<T>
    {
        private bool _hasFirst;

        public T Current => inner.Current;

        public Task<bool> MoveNext(CancellationToken cancellationToken) => _hasFirst ? inner.MoveNext(cancellationToken) : MoveFirstAsync(cancellationToken);

        private async Task<bool> MoveFirstAsync(CancellationToken cancellationToken)
        {
            var hasNext = await inner.MoveNext(cancellationToken);
            _hasFirst = true;
            watch.Dispose();
            return hasNext;
        }
    }
}
