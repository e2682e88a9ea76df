using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using Google.Protobuf;

namespace Roster.Grpc.Tests;

/// <summary>The reply to a call made byte by byte, without the client under test.</summary>
internal sealed record RawReply(
    HttpStatusCode HttpStatus, IReadOnlyDictionary<string, string> Headers, IReadOnlyDictionary<string, string> Trailers, byte[] Body)
{
    /// <summary>True if the status came in the headers.</summary>
    public bool IsTrailersOnly => Headers.ContainsKey("grpc-status");

    public string? Status => Trailers.GetValueOrDefault("grpc-status") ?? Headers.GetValueOrDefault("grpc-status");

    public string Message => Uri.UnescapeDataString(Trailers.GetValueOrDefault("grpc-message") ?? Headers.GetValueOrDefault("grpc-message") ?? "");
}

/// <summary>Makes calls byte by byte.</summary>
internal static class RawCall
{
    public const string Unary = "/roster.grpc.tests.v1.Interop/UnaryCall";
    public const string Empty = "/roster.grpc.tests.v1.Interop/EmptyCall";
    public const string StreamingInput = "/roster.grpc.tests.v1.Interop/StreamingInputCall";
    public const string StreamingOutput = "/roster.grpc.tests.v1.Interop/StreamingOutputCall";

    public static async Task<RawReply> SendAsync(
        GrpcTestServer server,
        string path,
        byte[] body,
        params (string Name, string Value)[] headers)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using HttpRequestMessage request = Request(server, path, body, headers);
        using HttpResponseMessage response = await http.SendAsync(request);
        byte[] replyBody = await response.Content.ReadAsByteArrayAsync();
        return new RawReply(
            response.StatusCode,
            response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(",", h.Value),
                StringComparer.OrdinalIgnoreCase),
            response.TrailingHeaders.ToDictionary(h => h.Key, h => string.Join(",", h.Value), StringComparer.OrdinalIgnoreCase),
            replyBody);
    }

    public static HttpRequestMessage Request(GrpcTestServer server, string path, byte[] body, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(server.Address), path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Headers.TryAddWithoutValidation("TE", "trailers");
        if (!headers.Any(header => header.Name == "content-type"))
        {
            request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        }

        foreach ((string name, string value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return request;
    }

    public static byte[] Frame(IMessage message) => Frame(0, message.ToByteArray());

    public static byte[] Frame(byte flags, byte[] payload) => Frame(flags, (uint)payload.Length, payload);

    public static byte[] Frame(byte flags, uint declaredLength, byte[] payload)
    {
        byte[] frame = new byte[5 + payload.Length];
        frame[0] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), declaredLength);
        payload.CopyTo(frame, 5);
        return frame;
    }

    public static byte[] Gzip(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(plain);
        }

        return packed.ToArray();
    }

    /// <summary>A request whose serialised size is exactly this, at least 200.</summary>
    public static byte[] RequestOf(int bytes)
    {
        for (int size = bytes - 10; size < bytes; size++)
        {
            byte[] serialized = new Protos.SimpleRequest { Body = ByteString.CopyFrom(new byte[size]) }.ToByteArray();
            if (serialized.Length == bytes)
            {
                return serialized;
            }
        }

        throw new InvalidOperationException($"No request of {bytes} bytes.");
    }
}
