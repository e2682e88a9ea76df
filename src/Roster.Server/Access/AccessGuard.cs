using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Roster.Engine;
using Roster.Engine.Access;
using Roster.Server.Errors;
using Roster.Server.Measures;

namespace Roster.Server.Access;

/// <summary>
/// Stands before everything else: a call of the contract gets on when its caller is known and has the right, and is answered with headers only when not; nothing of it is
/// read before. For either gRPC server.
/// </summary>
/// <remarks>It goes by the method that routing has found, not by the path: there is more than one spelling of a path.</remarks>
internal sealed partial class AccessGuard(
    Authenticator authenticator, CredentialDirectory credentials, ServerOptions options, ServerInstruments instruments, TimeProvider clock, ILogger<AccessGuard> logger)
{
    private readonly ILogger _logger = logger;
    private readonly LogBudget _budget = new(clock);

    /// <summary>Puts the guard between routing and what comes next.</summary>
    public void Guard(IApplicationBuilder app) => app.Use(next => http => Serve(http, next));

    /// <summary>The caller of a call that got on.</summary>
    public static CallIdentity CallerOf(HttpContext http) =>
        http.Features.Get<CallIdentity>() ?? throw new InvalidOperationException($"{http.Request.Path} is served without having been looked at.");

    /// <summary>The gRPC method that a call is for; null when it is for none.</summary>
    public static IMethod? MethodOf(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method;

    private Task Serve(HttpContext http, RequestDelegate next)
    {
        if (MethodOf(http) is not { } method || MethodRights.IsOpen(method.ServiceName) || method.ServiceName == options.FurtherService?.Name)
        {
            return next(http);
        }

        try
        {
            http.Features.Set(Identify(http, method));
        }
        catch (RosterException refusal) when (refusal.Error == RosterError.Unauthenticated && credentials.Refresh is not null)
        {
            return ServeLateAsync(http, next, method, refusal);
        }
        catch (RosterException refusal)
        {
            Refuse(http, method, refusal);
            return Task.CompletedTask;
        }

        return next(http);
    }

    /// <summary>Another process may have made the credential a moment ago.</summary>
    private async Task ServeLateAsync(HttpContext http, RequestDelegate next, IMethod method, RosterException refusal)
    {
        try
        {
            if (!await credentials.LookAgainAsync(http.RequestAborted))
            {
                Refuse(http, method, refusal);
                return;
            }

            http.Features.Set(Identify(http, method));
        }
        catch (RosterException again)
        {
            Refuse(http, method, again);
            return;
        }
        catch (Exception failure) when (failure is not (OutOfMemoryException or OperationCanceledException))
        {
            Refuse(http, method, new RosterException(RosterError.Unavailable, "Whether the credential is known cannot be found out: the store does not answer. Try again."));
            return;
        }

        await next(http);
    }

    private void Refuse(HttpContext http, IMethod method, RosterException refusal)
    {
        if (_budget.TryTake(out var heldBack))
        {
            LogRefused(method.FullName, refusal.Error, http.Connection.RemoteIpAddress?.ToString(), heldBack);
        }

        instruments.CountRefusal(refusal.Error switch
        {
            RosterError.Unauthenticated => "unauthenticated",
            RosterError.PermissionDenied => "permission_denied",
            _ => "invalid",
        });
        HeadersOnly.Reply(http, RichStatus.From(refusal));
    }

    private CallIdentity Identify(HttpContext http, IMethod method)
    {
        var caller = authenticator.Identify(http);
        if (!MethodRights.TryFind(method.FullName, out var right))
        {
            throw CallIdentity.Denied("method", method.FullName, "Nobody has a right to this method.");
        }

        if (right != V1.Credential.Types.Right.Unspecified)
        {
            caller.Require(right, method.Name);
        }

        return caller;
    }

    /// <summary>Never with what was sent: a mistyped key is nearly a key.</summary>
    [LoggerMessage(EventId = 1200, Level = LogLevel.Warning, Message = "{Method} was refused: {Error}, from {Address}; {HeldBack} before it were not logged")]
    private partial void LogRefused(string method, RosterError error, string? address, int heldBack);
}
