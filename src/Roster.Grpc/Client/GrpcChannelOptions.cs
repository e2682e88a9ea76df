using Grpc.Core;
using Grpc.Core.Wire;

namespace Grpc.Net.Client;

/// <summary>Options of a <see cref="GrpcChannel"/>. They are read once, when the channel is made.</summary>
public sealed class GrpcChannelOptions
{
    /// <summary>Creates the options with their defaults.</summary>
    public GrpcChannelOptions()
    {
    }

    /// <summary>The largest request message, in bytes before compression; null, the default, for no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>
    /// The largest response message, in bytes before and after decompression; null for no limit. Default 4 MiB.
    /// A larger message ends the call with RESOURCE_EXHAUSTED.
    /// </summary>
    public int? MaxReceiveMessageSize { get; set; } = WireNames.DefaultReceiveBytesMax;

    /// <summary>
    /// The client to send with; null, the default, to make one. Its timeout should be infinite: it ends a stream that has no response yet.
    /// Not together with <see cref="HttpHandler"/>.
    /// </summary>
    public HttpClient? HttpClient { get; set; }

    /// <summary>
    /// The handler to send with, which must speak HTTP/2; null, the default, to make one. Not together with <see cref="HttpClient"/>.
    /// </summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>
    /// True to dispose the given client or handler together with the channel. Default false. One that the channel made is always
    /// disposed.
    /// </summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>The clock for deadlines.</summary>
    internal TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
