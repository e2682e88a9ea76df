using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Roster.Server.Health;

/// <summary>Health over plain HTTP, for orchestrators.</summary>
internal static class HealthEndpoints
{
    /// <summary>
    /// <c>/health/live</c>: restart me when this is not 200. <c>/health/ready</c>: send me no calls while this is not 200.
    /// </summary>
    public static void MapHealth(this IEndpointRouteBuilder endpoints, ServerState state)
    {
        endpoints.MapGet("/health/live", (HttpContext context) => AnswerAsync(context, state.IsAlive, "live", "failed"));
        endpoints.MapGet("/health/ready", (HttpContext context) => AnswerAsync(context, state.IsReady, "ready", "not ready"));
    }

    private static Task AnswerAsync(HttpContext context, bool isWell, string well, string unwell)
    {
        context.Response.StatusCode = isWell ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(isWell ? well : unwell, context.RequestAborted);
    }
}
