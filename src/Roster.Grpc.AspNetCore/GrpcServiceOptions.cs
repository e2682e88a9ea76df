using System.IO.Compression;
using Grpc.Core.Wire;

namespace Grpc.AspNetCore.Server;

/// <summary>Options of all gRPC services of a server. They are read once, when the first service is mapped.</summary>
public class GrpcServiceOptions
{
    /// <summary>
    /// The largest request message, in bytes before and after decompression; null for no limit. Default 4 MiB.
    /// A larger message ends the call with RESOURCE_EXHAUSTED. Raising it raises the memory that one call can hold.
    /// </summary>
    public int? MaxReceiveMessageSize { get; set; } = WireNames.DefaultReceiveBytesMax;

    /// <summary>The largest response message, in bytes before compression; null, the default, for no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>True to send the text of unexpected exceptions to clients. Default false; not for production.</summary>
    public bool? EnableDetailedErrors { get; set; }

    /// <summary>
    /// The compression of response messages for clients that accept it: <c>gzip</c>, or null, the default, for none.
    /// </summary>
    public string? ResponseCompressionAlgorithm { get; set; }

    /// <summary>The level of compression of response messages; null, the default, for the fastest.</summary>
    public CompressionLevel? ResponseCompressionLevel { get; set; }

    /// <summary>True to leave calls of unknown services and methods to other endpoints. Default false: they get UNIMPLEMENTED.</summary>
    public bool? IgnoreUnknownServices { get; set; }

    /// <summary>Code around every call; the first one added sees each call first.</summary>
    public InterceptorCollection Interceptors { get; } = [];
}
