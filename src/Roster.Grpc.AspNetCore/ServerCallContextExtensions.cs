using Grpc.AspNetCore.Server.Internal;
using Microsoft.AspNetCore.Http;

namespace Grpc.Core;

/// <summary>What a call has besides gRPC.</summary>
public static class ServerCallContextExtensions
{
    /// <summary>The key in <see cref="ServerCallContext.UserState"/> under which a test double may offer an HTTP context.</summary>
    internal const string HttpContextKey = "__HttpContext";

    /// <summary>The HTTP context of the call. Valid until the method returns.</summary>
    /// <param name="serverCallContext">The call.</param>
    /// <exception cref="InvalidOperationException">The call did not come over HTTP.</exception>
    public static HttpContext GetHttpContext(this ServerCallContext serverCallContext)
    {
        ArgumentNullException.ThrowIfNull(serverCallContext);
        if (serverCallContext is HttpServerCallContext { HttpContext: { } own })
        {
            return own;
        }

        return serverCallContext.UserState.TryGetValue(HttpContextKey, out object? value) && value is HttpContext given
            ? given
            : throw new InvalidOperationException("The call has no HTTP context.");
    }
}
