namespace Grpc.Core;

/// <summary>A way to a server. Clients are made from it; many clients and calls share one.</summary>
public abstract class ChannelBase
{
    private int _shutdown;

    /// <summary>For channels.</summary>
    /// <param name="target">The address.</param>
    protected ChannelBase(string target)
    {
        ArgumentNullException.ThrowIfNull(target);
        Target = target;
    }

    /// <summary>The address.</summary>
    public string Target { get; }

    /// <summary>An invoker that makes calls over this channel.</summary>
    public abstract CallInvoker CreateCallInvoker();

    /// <summary>Ends the channel.</summary>
    /// <exception cref="InvalidOperationException">It was ended before.</exception>
    public Task ShutdownAsync()
    {
        if (Interlocked.Exchange(ref _shutdown, 1) != 0)
        {
            throw new InvalidOperationException($"The channel to '{Target}' was shut down before.");
        }

        return ShutdownAsyncCore();
    }

    /// <summary>Ends the channel.</summary>
    protected virtual Task ShutdownAsyncCore() => Task.CompletedTask;
}
