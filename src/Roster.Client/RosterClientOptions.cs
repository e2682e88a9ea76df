namespace Roster.Client;

/// <summary>How to reach a server. Read once, when the client is made.</summary>
public sealed class RosterClientOptions
{
    /// <summary>Where the server's gRPC listens. Default: <c>http://127.0.0.1:7400</c>.</summary>
    public Uri Address { get; set; } = new("http://127.0.0.1:7400");

    /// <summary>The tenant that calls are for, as long as the server has no credentials. Default: <c>default</c>.</summary>
    public string Tenant { get; set; } = "default";

    /// <summary>Deadline of unary calls that set none: from 1 ms on, or infinite. Default: 30 seconds.</summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The largest message that is accepted, in bytes. Default: 16 MiB.</summary>
    public int MessageBytesMax { get; set; } = 16 * 1024 * 1024;

    /// <summary>The clock for deadlines, heartbeats and waits. Default: the machine's.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;
}
