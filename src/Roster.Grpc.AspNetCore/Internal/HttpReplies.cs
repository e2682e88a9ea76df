using System.Globalization;
using Grpc.Core;
using Grpc.Core.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>Puts a status into a response.</summary>
internal static class HttpReplies
{
    /// <summary>Header blocks of 8 KiB are what every client takes; the text of a status may use half of one.</summary>
    private const int DetailCharsMax = 4096;

    /// <summary>Replies with headers only ("Trailers-Only"), before there is a call.</summary>
    public static Task RefuseAsync(HttpContext http, int httpStatus, Status status)
    {
        http.Response.StatusCode = httpStatus;
        http.Response.ContentType = WireNames.ContentType;
        SetStatus(http.Response.Headers, status);
        return Task.CompletedTask;
    }

    /// <summary>The request can be a gRPC call, or else was answered here.</summary>
    public static bool IsGrpc(HttpContext http)
    {
        if (!HttpProtocol.IsHttp2(http.Request.Protocol) && !HttpProtocol.IsHttp3(http.Request.Protocol))
        {
            _ = RefuseAsync(http, StatusCodes.Status426UpgradeRequired, new Status(
                StatusCode.Internal, $"gRPC needs HTTP/2; the request came over {http.Request.Protocol}."));
            http.Response.Headers.Upgrade = "HTTP/2";
            return false;
        }

        if (!WireNames.IsGrpcContentType(http.Request.ContentType))
        {
            _ = RefuseAsync(http, StatusCodes.Status415UnsupportedMediaType, new Status(
                StatusCode.Internal, $"The content type '{http.Request.ContentType}' is not '{WireNames.ContentType}'."));
            return false;
        }

        return true;
    }

    /// <summary>Where the status goes: the trailers, or the headers if they are all there will be.</summary>
    public static IHeaderDictionary TrailersOf(HttpContext http, bool isTrailersOnly) => isTrailersOnly
        ? http.Response.Headers
        : http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers
            ?? throw new InvalidOperationException("The server does not support response trailers.");

    public static void SetStatus(IHeaderDictionary trailers, Status status)
    {
        trailers[WireNames.Status] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (!string.IsNullOrEmpty(status.Detail))
        {
            trailers[WireNames.Message] = EncodeDetail(status.Detail);
        }
    }

    public static void AddMetadata(IHeaderDictionary trailers, Metadata metadata, ILogger logger, string method)
    {
        foreach (Metadata.Entry entry in metadata)
        {
            if (WireNames.IsOwnedByProtocol(entry.Key))
            {
                continue;
            }

            if (!MetadataText.IsSendable(entry))
            {
                // The status must reach the client all the same.
                GrpcServerLog.TrailerNotSendable(logger, method, entry.Key);
                continue;
            }

            Append(trailers, entry.Key, MetadataText.Encode(entry));
        }
    }

    /// <summary>Adds a value, also an empty one, which the Append of the framework leaves out.</summary>
    public static void Append(IHeaderDictionary headers, string name, string value) =>
        headers[name] = StringValues.Concat(headers[name], value);

    private static string EncodeDetail(string detail)
    {
        string encoded = PercentEncoding.Encode(detail.Length <= DetailCharsMax ? detail : detail[..DetailCharsMax]);
        if (encoded.Length <= DetailCharsMax)
        {
            return encoded;
        }

        // Not within an escape.
        int end = DetailCharsMax;
        int escape = encoded.LastIndexOf('%', end - 1, 2);
        return encoded[..(escape < 0 ? end : escape)];
    }
}
