using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Roster.Core;
using Roster.Engine;
using Roster.Engine.Rates;
using Roster.Server.Errors;
using Roster.Server.Measures;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Access;

/// <summary>
/// Stands behind <see cref="AccessGuard"/>: a call of a tenant that goes faster than its settings allow is refused by its headers, so that it costs the others next to nothing
/// (LIM-02). Streams are one call; their events are delayed instead.
/// </summary>
internal sealed partial class QuotaGuard(TenantRates rates, ServerInstruments instruments, ILogger<QuotaGuard> logger)
{
    private static readonly string IngestCall = $"/{V1.IngestService.Descriptor.FullName}/{nameof(V1.IngestService.IngestServiceClient.Ingest)}";

    private readonly ILogger _logger = logger;

    /// <summary>Puts the guard before what comes next.</summary>
    public void Guard(IApplicationBuilder app) => app.Use(next => http => Serve(http, next));

    private Task Serve(HttpContext http, RequestDelegate next)
    {
        if (http.Features.Get<CallIdentity>() is not { } caller)
        {
            return next(http);
        }

        var method = AccessGuard.MethodOf(http)!;
        var refusal = Refuse(caller.Tenant, "calls_per_s", rates.TakeCall(caller.Tenant));
        if (refusal is null && method.Type == Grpc.Core.MethodType.Unary && MethodRights.TryFind(method.FullName, out var right) && right is Right.Ingest or Right.Operate)
        {
            // How many events a batch has is known when it is read; until then it is enough that the tenant has a turn left.
            refusal = Refuse(caller.Tenant, "turns_per_s", rates.TakeTurns(caller.Tenant, method.FullName == IngestCall ? 0 : 1));
        }

        if (refusal is null)
        {
            return next(http);
        }

        LogRefused(method.FullName, caller.Tenant, refusal.Refusal!.Setting);
        instruments.CountRefusal(refusal.Refusal.Setting);
        HeadersOnly.Reply(http, RichStatus.From(refusal));
        return Task.CompletedTask;
    }

    private static RosterException? Refuse(string tenant, string setting, TimeSpan wait)
    {
        if (wait == TimeSpan.Zero)
        {
            return null;
        }

        var message = string.Create(
            CultureInfo.InvariantCulture, $"The tenant `{tenant}` goes faster than its setting {setting} allows. Nothing of this call was taken: send it again in {Math.Ceiling(wait.TotalMilliseconds)} ms.");
        return new RosterException(RosterError.Overloaded, message, new Refusal(RefusalReason.LimitReached, setting, tenant, message, setting)) { RetryAfter = wait };
    }

    [LoggerMessage(EventId = 1201, Level = LogLevel.Debug, Message = "{Method} of tenant {Tenant} was refused by {Setting}")]
    private partial void LogRefused(string method, string tenant, string setting);
}
