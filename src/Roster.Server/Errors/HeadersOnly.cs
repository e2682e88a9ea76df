using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Roster.Server.Errors;

/// <summary>Answers a gRPC call before the gRPC server has seen it.</summary>
internal static class HeadersOnly
{
    /// <summary>Refuses the call with headers only. The text must be printable ASCII, which needs no escapes.</summary>
    public static void Reply(HttpContext http, RpcException refusal)
    {
        http.Response.ContentType = "application/grpc";
        var headers = http.Response.Headers;
        headers["grpc-status"] = ((int)refusal.StatusCode).ToString(CultureInfo.InvariantCulture);
        headers["grpc-message"] = refusal.Status.Detail;
        foreach (var detail in refusal.Trailers)
        {
            headers[detail.Key] = Convert.ToBase64String(detail.ValueBytes);
        }
    }
}
