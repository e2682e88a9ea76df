namespace Grpc.Core;

/// <summary>The parts that all call objects share. Functions without state allocate a closure; functions with state do not.</summary>
internal readonly struct AsyncCallState
{
    private readonly object? _responseHeaders; // Task<Metadata> or Func<object, Task<Metadata>>
    private readonly object _getStatus; // Func<Status> or Func<object, Status>
    private readonly object _getTrailers; // Func<Metadata> or Func<object, Metadata>
    private readonly object _dispose; // Action or Action<object>
    private readonly object? _state;

    public AsyncCallState(Task<Metadata> responseHeadersAsync, Func<Status> getStatus, Func<Metadata> getTrailers, Action dispose)
    {
        _responseHeaders = responseHeadersAsync;
        _getStatus = getStatus;
        _getTrailers = getTrailers;
        _dispose = dispose;
    }

    public AsyncCallState(
        Func<object, Task<Metadata>> responseHeadersAsync,
        Func<object, Status> getStatus,
        Func<object, Metadata> getTrailers,
        Action<object> dispose,
        object state)
    {
        _responseHeaders = responseHeadersAsync;
        _getStatus = getStatus;
        _getTrailers = getTrailers;
        _dispose = dispose;
        _state = state;
    }

    public Task<Metadata> ResponseHeadersAsync => _responseHeaders is Func<object, Task<Metadata>> function
        ? function(_state!)
        : (Task<Metadata>)_responseHeaders!;

    public Status GetStatus() => _getStatus is Func<object, Status> function ? function(_state!) : ((Func<Status>)_getStatus)();

    public Metadata GetTrailers() => _getTrailers is Func<object, Metadata> function ? function(_state!) : ((Func<Metadata>)_getTrailers)();

    public void Dispose()
    {
        if (_dispose is Action<object> function)
        {
            function(_state!);
        }
        else
        {
            ((Action)_dispose)();
        }
    }
}
