using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Roster.Engine;
using Roster.V1;
using Refusal = Roster.Core.Refusal;

namespace Roster.Server.Errors;

/// <summary>
/// Turns a typed "no" into a gRPC status with <c>google.rpc</c> details (https://google.aip.dev/193) in the trailer
/// <c>grpc-status-details-bin</c>.
/// </summary>
internal static class RichStatus
{
    /// <summary>The trailer that carries the details.</summary>
    public const string Trailer = "grpc-status-details-bin";

    /// <summary>Domain of every <see cref="ErrorInfo"/>.</summary>
    public const string Domain = "roster";

    // Clients take about 8 KiB of headers by default (grpc-core), and base64 adds a third.
    private const int DetailBytesMax = 4_500;
    private const int MessageCharsMax = 800;

    /// <summary>The exception that ends a call with the status of <paramref name="error"/>.</summary>
    public static RpcException From(RosterException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.Error switch
        {
            RosterError.InvalidArgument => Create(StatusCode.InvalidArgument, error.Message, RefusalDetails(error)),
            RosterError.NotFound => Create(StatusCode.NotFound, error.Message, [Info("NOT_FOUND", error.Refusal)]),
            RosterError.FailedPrecondition => Create(StatusCode.FailedPrecondition, error.Message, PreconditionDetails(error)),
            RosterError.RevisionConflict => Create(StatusCode.Aborted, error.Message, [Info("REVISION_CONFLICT", error.Refusal)]),
            RosterError.Overloaded => Create(StatusCode.ResourceExhausted, error.Message, [Retry(error.RetryAfter), Info("OVERLOADED", error.Refusal)]),
            RosterError.Unauthenticated => Create(StatusCode.Unauthenticated, error.Message, [Info("UNAUTHENTICATED", error.Refusal)]),
            RosterError.PermissionDenied => Create(StatusCode.PermissionDenied, error.Message, [Info("PERMISSION_DENIED", error.Refusal)]),
            RosterError.Unavailable => Create(StatusCode.Unavailable, error.Message, [Retry(error.RetryAfter), Info("STOPPING", error.Refusal)]),
            _ => throw new InvalidOperationException($"Unknown kind of error {error.Error}: a new one needs a status here."),
        };
    }

    /// <summary>The exception that ends a call with a status and details.</summary>
    public static RpcException Create(StatusCode code, string message, IEnumerable<IMessage> details)
    {
        var text = message.Length <= MessageCharsMax ? message : string.Concat(message.AsSpan(0, MessageCharsMax - 1), "…");
        var rich = new Google.Rpc.Status { Code = (int)code, Message = text };
        var room = DetailBytesMax - rich.CalculateSize();
        foreach (var detail in details)
        {
            var packed = Any.Pack(detail);
            room -= packed.CalculateSize() + 4;
            if (room < 0)
            {
                break;
            }

            rich.Details.Add(packed);
        }

        return new RpcException(new Grpc.Core.Status(code, text), new Metadata { { Trailer, rich.ToByteArray() } });
    }

    private static IEnumerable<IMessage> RefusalDetails(RosterException error)
    {
        if (error.Problems.Count > 0)
        {
            foreach (var detail in ProblemDetails(error.Problems))
            {
                yield return detail;
            }
        }

        if (error.Refusal is { } refusal)
        {
            yield return new BadRequest { FieldViolations = { new BadRequest.Types.FieldViolation { Field = refusal.Path, Description = refusal.Message } } };
            yield return Info(((V1.Refusal.Types.Reason)refusal.Reason).ToWireName(), refusal);
        }
    }

    private static IEnumerable<IMessage> PreconditionDetails(RosterException error)
    {
        if (error.Problems.Count > 0)
        {
            return ProblemDetails(error.Problems);
        }

        var violation = new PreconditionFailure.Types.Violation
        {
            Type = "STATE",
            Subject = error.Refusal?.Path ?? "",
            Description = error.Message,
        };
        return [new PreconditionFailure { Violations = { violation } }, Info("FAILED_PRECONDITION", error.Refusal)];
    }

    // One ErrorInfo for the whole status, then the violations, then the problems themselves: a client of ours reads those; any other
    // reads the violations. What does not fit into the trailer is left out, and VALIDATE returns all of it.
    private static IEnumerable<IMessage> ProblemDetails(IReadOnlyList<DefinitionProblem> problems)
    {
        var info = NewInfo(problems[0].Code);
        info.Metadata.Add("path", problems[0].Path);
        info.Metadata.Add("value", problems[0].Value);
        info.Metadata.Add("problems", problems.Count.ToString(System.Globalization.CultureInfo.InvariantCulture));
        yield return info;
        var violations = new BadRequest();
        foreach (var problem in problems.Take(10))
        {
            violations.FieldViolations.Add(new BadRequest.Types.FieldViolation { Field = problem.Path, Description = problem.Message });
        }

        yield return violations;
        foreach (var problem in problems)
        {
            yield return problem;
        }
    }

    private static RetryInfo Retry(TimeSpan after) => new() { RetryDelay = Duration.FromTimeSpan(after) };

    private static ErrorInfo Info(string reason, Refusal? refusal)
    {
        var info = NewInfo(reason);
        if (refusal is not null)
        {
            info.Metadata.Add("path", refusal.Path);
            info.Metadata.Add("value", refusal.Value);
            if (refusal.Setting.Length > 0)
            {
                info.Metadata.Add("setting", refusal.Setting);
            }
        }

        return info;
    }

    private static ErrorInfo NewInfo(string reason)
    {
        // Field 1 is called `type` in the version of the package on a partial feed, and `reason` since. Same number, same meaning.
        var info = new ErrorInfo { Domain = Domain };
        ErrorInfo.Descriptor.FindFieldByNumber(1).Accessor.SetValue(info, reason);
        return info;
    }
}
