using Grpc.Core;
using Roster.Server.Access;

namespace Roster.Server;

/// <summary>Which tenant a call is for: that of its caller, whom <see cref="AccessGuard"/> has looked at.</summary>
internal sealed class CallerTenant
{
    /// <summary>The tenant of a call.</summary>
    public string Of(ServerCallContext context) => CallerOf(context).Tenant;

    /// <summary>Who a call is from.</summary>
    public CallIdentity CallerOf(ServerCallContext context) => AccessGuard.CallerOf(context.GetHttpContext());
}
