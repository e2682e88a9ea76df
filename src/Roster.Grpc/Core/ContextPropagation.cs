namespace Grpc.Core;

/// <summary>Which parts of a served call a child call takes over.</summary>
public class ContextPropagationOptions
{
    /// <summary>Deadline and cancellation.</summary>
    public static readonly ContextPropagationOptions Default = new();

    /// <summary>Creates the options.</summary>
    /// <param name="propagateDeadline">True to take over the deadline.</param>
    /// <param name="propagateCancellation">True to take over the cancellation.</param>
    public ContextPropagationOptions(bool propagateDeadline = true, bool propagateCancellation = true)
    {
        IsPropagateDeadline = propagateDeadline;
        IsPropagateCancellation = propagateCancellation;
    }

    /// <summary>True to take over the deadline.</summary>
    public bool IsPropagateDeadline { get; }

    /// <summary>True to take over the cancellation.</summary>
    public bool IsPropagateCancellation { get; }
}

/// <summary>What a child call takes over from the served call. Made by <see cref="ServerCallContext.CreatePropagationToken"/>.</summary>
public abstract class ContextPropagationToken
{
    internal ContextPropagationToken()
    {
    }
}

/// <summary>The only token there is: values taken at its creation.</summary>
internal sealed class CallContextPropagationToken(DateTime? deadline, CancellationToken cancellationToken) : ContextPropagationToken
{
    public DateTime? Deadline { get; } = deadline;

    public CancellationToken CancellationToken { get; } = cancellationToken;
}
