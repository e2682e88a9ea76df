using Roster.Core;
using Roster.V1;

namespace Roster.Engine;

/// <summary>What kind of "no" a caller gets; one interceptor of the front door maps it to a gRPC status.</summary>
public enum RosterError
{
    /// <summary>A field of the request is wrong; <see cref="RosterException.Refusal"/> names it. INVALID_ARGUMENT.</summary>
    InvalidArgument,

    /// <summary>The thing does not exist. NOT_FOUND.</summary>
    NotFound,

    /// <summary>The thing is not in a state for this; <see cref="RosterException.Problems"/> may say why. FAILED_PRECONDITION.</summary>
    FailedPrecondition,

    /// <summary>A newer revision exists: read it, and try again. ABORTED.</summary>
    RevisionConflict,

    /// <summary>A memory or disk bound is reached; nothing was done. Try again after <see cref="RosterException.RetryAfter"/>. RESOURCE_EXHAUSTED.</summary>
    Overloaded,

    /// <summary>The engine is stopping or has stopped. Try again elsewhere or later. UNAVAILABLE.</summary>
    Unavailable,

    /// <summary>The caller has no credential that is in force. UNAUTHENTICATED.</summary>
    Unauthenticated,

    /// <summary>The caller's credential does not have the right. PERMISSION_DENIED.</summary>
    PermissionDenied,
}

/// <summary>A typed "no" to a request as a whole. What is wrong with a single event is in its own result instead.</summary>
public sealed class RosterException : Exception
{
    /// <summary>Creates the exception.</summary>
    public RosterException(RosterError error, string message, Core.Refusal? refusal = null, IReadOnlyList<DefinitionProblem>? problems = null)
        : base(message)
    {
        Error = error;
        Refusal = refusal;
        Problems = problems ?? [];
    }

    /// <summary>What kind.</summary>
    public RosterError Error { get; }

    /// <summary>The field in question, where there is one.</summary>
    public Core.Refusal? Refusal { get; }

    /// <summary>What is wrong with a definition, for publish.</summary>
    public IReadOnlyList<DefinitionProblem> Problems { get; }

    /// <summary>For <see cref="RosterError.Overloaded"/>: when it may be worth another try.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A wrong field.</summary>
    public static RosterException Invalid(Core.Refusal refusal) => new(RosterError.InvalidArgument, refusal.Message, refusal);

    /// <summary>A wrong field.</summary>
    public static RosterException Invalid(string path, string value, string message) =>
        Invalid(new Core.Refusal(RefusalReason.InvalidField, path, Core.Refusal.Cut(value), message));
}
