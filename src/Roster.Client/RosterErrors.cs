using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Roster.V1;

namespace Roster.Client;

/// <summary>What a failed call says beyond its status.</summary>
/// <param name="Code">The status.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Reason">Stable name of the reason, such as <c>TOO_LARGE</c>; empty when there is none.</param>
/// <param name="Path">The field in question; empty when there is none.</param>
/// <param name="Value">The value in question; empty when there is none.</param>
/// <param name="Setting">The setting that changes the outcome; empty when there is none.</param>
/// <param name="RetryAfter">When it may be worth another try; null when that is not said.</param>
/// <param name="Problems">What is wrong with a definition; empty when the call was not about one.</param>
public sealed record RosterErrorDetails(
    StatusCode Code,
    string Message,
    string Reason,
    string Path,
    string Value,
    string Setting,
    TimeSpan? RetryAfter,
    IReadOnlyList<DefinitionProblem> Problems);

/// <summary>Reads the <c>google.rpc</c> details of failed calls.</summary>
public static class RosterErrors
{
    private const string Trailer = "grpc-status-details-bin";

    /// <summary>The details of a failed call; fields that the server did not send are empty.</summary>
    public static RosterErrorDetails Read(RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var result = new RosterErrorDetails(error.StatusCode, error.Status.Detail, "", "", "", "", null, []);
        var bytes = error.Trailers.GetValueBytes(Trailer);
        if (bytes is null)
        {
            return result;
        }

        try
        {
            return Fold(result, Google.Rpc.Status.Parser.ParseFrom(bytes));
        }
        catch (InvalidProtocolBufferException)
        {
            // Not what it says it is. The status itself is still good.
            return result;
        }
    }

    /// <summary>Whether the same call may succeed later, on this or another connection.</summary>
    public static bool IsTransient(RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.StatusCode is StatusCode.Unavailable or StatusCode.ResourceExhausted or StatusCode.DeadlineExceeded
            or StatusCode.Aborted or StatusCode.Internal or StatusCode.Unknown or StatusCode.Cancelled;
    }

    private static RosterErrorDetails Fold(RosterErrorDetails result, Google.Rpc.Status status)
    {
        var problems = new List<DefinitionProblem>();
        foreach (var detail in status.Details)
        {
            if (detail.TryUnpack<ErrorInfo>(out var info))
            {
                var reason = (string)ErrorInfo.Descriptor.FindFieldByNumber(1).Accessor.GetValue(info);
                info.Metadata.TryGetValue("path", out var path);
                info.Metadata.TryGetValue("value", out var value);
                info.Metadata.TryGetValue("setting", out var setting);
                result = result with { Reason = reason, Path = path ?? "", Value = value ?? "", Setting = setting ?? "" };
            }
            else if (detail.TryUnpack<RetryInfo>(out var retry))
            {
                result = result with { RetryAfter = retry.RetryDelay?.ToTimeSpan() };
            }
            else if (detail.TryUnpack<DefinitionProblem>(out var problem))
            {
                problems.Add(problem);
            }
        }

        return result with { Problems = problems };
    }
}
