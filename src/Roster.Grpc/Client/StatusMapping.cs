using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Core.Wire;

namespace Grpc.Net.Client;

/// <summary>
/// What a response or a failure of the transport means as a status (grpc/grpc doc/PROTOCOL-HTTP2.md, doc/http-grpc-status-mapping.md).
/// </summary>
internal static class StatusMapping
{
    /// <summary>The status in headers or trailers, or null if there is none.</summary>
    public static Status? FromHeaders(HttpHeaders headers)
    {
        if (Value(headers, WireNames.Status) is not { } text)
        {
            return null;
        }

        string detail = PercentEncoding.Decode(Value(headers, WireNames.Message) ?? "");
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int code))
        {
            return new Status(StatusCode.Unknown, $"The response has the grpc-status '{text}', which is not a number. {detail}");
        }

        return new Status(code <= (int)StatusCode.Unauthenticated ? (StatusCode)code : StatusCode.Unknown, detail);
    }

    /// <summary>The status of a response that is not gRPC, or null if it is.</summary>
    public static Status? FromResponse(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return new Status(FromHttpStatus(response.StatusCode),
                $"The server replied with HTTP status {(int)response.StatusCode} and no grpc-status.");
        }

        string? contentType = response.Content.Headers.NonValidated.TryGetValues("Content-Type", out HeaderStringValues values)
            ? values.ToString()
            : null;
        return WireNames.IsGrpcContentType(contentType)
            ? null
            : new Status(StatusCode.Unknown, $"The server replied with the content type '{contentType}' instead of '{WireNames.ContentType}'.");
    }

    /// <summary>All metadata in headers or trailers.</summary>
    public static Metadata MetadataOf(HttpHeaders headers)
    {
        var metadata = new Metadata();
        foreach ((string name, HeaderStringValues values) in headers.NonValidated)
        {
            foreach (string value in values)
            {
                MetadataText.AddLine(metadata, name, value);
            }
        }

        return metadata;
    }

    public static string? Value(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out HeaderStringValues values) ? values.ToString() : null;

    /// <summary>The status of a call whose transport failed.</summary>
    public static Status FromException(Exception exception)
    {
        if (exception is RpcException rpc)
        {
            return rpc.Status;
        }

        StatusCode? code = null;
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            code = e switch
            {
                HttpProtocolException protocol => FromHttp2Error(protocol),
                RpcException inner => inner.StatusCode,
                SocketException => StatusCode.Unavailable,
                HttpRequestException
                {
                    HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError or HttpRequestError.ResponseEnded or HttpRequestError.ProxyTunnelError
                } =>
                    StatusCode.Unavailable,
                HttpRequestException
                {
                    HttpRequestError: HttpRequestError.HttpProtocolError or HttpRequestError.VersionNegotiationError
                    or HttpRequestError.InvalidResponse
                } => code ?? StatusCode.Internal,
                // A connection that breaks in the middle: the call may or may not have happened.
                IOException => code ?? StatusCode.Unavailable,
                OperationCanceledException => code ?? StatusCode.Cancelled,
                _ => code,
            };
        }

        Exception root = exception.GetBaseException();
        return new Status(code ?? StatusCode.Internal, $"The call failed: {exception.GetType().Name}: {root.Message}", exception);
    }

    private static StatusCode FromHttpStatus(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest or HttpStatusCode.RequestHeaderFieldsTooLarge => StatusCode.Internal,
        HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
        HttpStatusCode.NotFound => StatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout =>
            StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    private static StatusCode FromHttp2Error(HttpProtocolException exception) => exception.ErrorCode switch
    {
        // NO_ERROR is a connection that shuts down in peace (GOAWAY). A stream reset with it, after a whole response, never comes here.
        0x0 => StatusCode.Unavailable,
        // REFUSED_STREAM: nothing was processed, a retry is safe.
        0x7 => StatusCode.Unavailable,
        // CANCEL
        0x8 => StatusCode.Cancelled,
        // ENHANCE_YOUR_CALM
        0xb => StatusCode.ResourceExhausted,
        // INADEQUATE_SECURITY
        0xc => StatusCode.PermissionDenied,
        _ => StatusCode.Internal,
    };
}
