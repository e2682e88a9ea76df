using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Roster.Engine;
using Roster.Server.Access;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Measures;

/// <summary><c>/metrics</c>, for Prometheus. It names tenants, so with credentials it needs one that has the right SERVER.</summary>
internal static class MetricsEndpoint
{
    public static void MapMetrics(this IEndpointRouteBuilder endpoints, PrometheusText metrics, Authenticator authenticator) =>
        endpoints.MapGet("/metrics", (HttpContext http) => AnswerAsync(http, metrics, authenticator));

    private static async Task AnswerAsync(HttpContext http, PrometheusText metrics, Authenticator authenticator)
    {
        try
        {
            authenticator.Identify(http).Require(Right.Server, "/metrics");
        }
        catch (RosterException refusal)
        {
            http.Response.StatusCode = refusal.Error == RosterError.Unauthenticated ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden;
            http.Response.Headers.WWWAuthenticate = "Bearer";
            await http.Response.WriteAsync(refusal.Message, http.RequestAborted);
            return;
        }

        var text = await metrics.ReadAsync(http.RequestAborted);
        http.Response.ContentType = PrometheusText.ContentType;
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.WriteAsync(text, http.RequestAborted);
    }
}
