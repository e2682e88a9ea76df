using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server.Internal;

internal static partial class GrpcServerLog
{
    [LoggerMessage(9001, LogLevel.Error, "The gRPC method '{Method}' failed with an exception that is no status.")]
    public static partial void MethodFailed(ILogger logger, Exception exception, string method);

    [LoggerMessage(9002, LogLevel.Debug, "The gRPC call '{Method}' ended with {StatusCode}: {Detail}")]
    public static partial void CallFailed(ILogger logger, string method, StatusCode statusCode, string detail);

    [LoggerMessage(9003, LogLevel.Warning, "The gRPC call '{Method}' has a trailer '{Key}' with characters outside of printable ASCII. It is not sent.")]
    public static partial void TrailerNotSendable(ILogger logger, string method, string key);
}
