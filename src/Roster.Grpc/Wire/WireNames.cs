namespace Grpc.Core.Wire;

/// <summary>Names and constants of gRPC over HTTP/2 (grpc/grpc doc/PROTOCOL-HTTP2.md and doc/compression.md).</summary>
internal static class WireNames
{
    public const string ContentType = "application/grpc";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Gzip = "gzip";
    public const string Identity = "identity";
    public const string SupportedEncodings = "identity,gzip";

    /// <summary>
    /// A key that callers put into their metadata to choose the compression of what they send. It never goes over the wire.
    /// Other implementations use the same key.
    /// </summary>
    public const string CompressionRequest = "grpc-internal-encoding-request";

    /// <summary>What both sides accept unless they say otherwise: 4 MiB.</summary>
    public const int DefaultReceiveBytesMax = 4 * 1024 * 1024;

    /// <summary>One byte of flags, four bytes of length, big-endian.</summary>
    public const int FrameHeaderBytes = 5;

    /// <summary>True for "application/grpc", alone or followed by a subtype or parameters. False for "application/grpc-web".</summary>
    public static bool IsGrpcContentType(string? contentType) =>
        contentType is not null
        && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';');

    /// <summary>
    /// True for names that the protocol itself owns. They are never taken from a caller's metadata and never shown to it.
    /// Other names with the reserved prefix "grpc-", such as grpc-status-details-bin, pass.
    /// </summary>
    public static bool IsOwnedByProtocol(string name) => name.Length == 0 || name[0] switch
    {
        ':' => true,
        'g' or 'G' => Is(name, Status) || Is(name, Message) || Is(name, Timeout) || Is(name, Encoding) || Is(name, AcceptEncoding)
            || Is(name, CompressionRequest) || Is(name, "grpc-message-type"),
        'c' or 'C' => Is(name, "content-type") || Is(name, "content-encoding") || Is(name, "content-length") || Is(name, "connection"),
        't' or 'T' => Is(name, "te") || Is(name, "trailer") || Is(name, "transfer-encoding"),
        _ => false,
    };

    /// <summary>True if a list of encodings, as in grpc-accept-encoding, names this one.</summary>
    public static bool Lists(string? encodings, string encoding)
    {
        ReadOnlySpan<char> rest = encodings;
        foreach (Range range in rest.Split(','))
        {
            if (rest[range].Trim().Equals(encoding, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Is(string name, string known) => string.Equals(name, known, StringComparison.OrdinalIgnoreCase);
}
