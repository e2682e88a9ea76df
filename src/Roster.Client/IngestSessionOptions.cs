using Grpc.Core;
using Roster.V1;

namespace Roster.Client;

/// <summary>How an ingest session works. Read once, when the session is opened.</summary>
public sealed class IngestSessionOptions
{
    /// <summary>Names the client in the server's logs. At most 100 bytes.</summary>
    public string ClientName { get; set; } = "";

    /// <summary>Most events in one batch; the server's limit counts too. 1 to 10,000. Default: 500.</summary>
    public int BatchEventsMax { get; set; } = 500;

    /// <summary>Most bytes in one batch; a larger event goes alone. Default: 1 MiB.</summary>
    public int BatchBytesMax { get; set; } = 1024 * 1024;

    /// <summary>
    /// Events that are sent or waiting to be sent and not acknowledged; beyond it <see cref="IngestSession.SendAsync"/> waits. More
    /// covers longer commits and costs memory. Default: 20,000.
    /// </summary>
    public int OutstandingMax { get; set; } = 20_000;

    /// <summary>Goes on trying to reach the server for so long without an acknowledgement. Default: 60 seconds.</summary>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// A connection on which events wait for their results, and none comes for so long, is given up and made again. Up to twice this time passes
    /// until that is noticed. Less finds a server that hangs sooner, and sends more again after a long commit. From 1 second on, or infinite. Default:
    /// 30 seconds.
    /// </summary>
    public TimeSpan AckTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Called once per event with its result, one at a time, in the order of the acknowledgements. Must be short.</summary>
    public Action<IngestOutcome>? OnResult { get; set; }

    /// <summary>Called when a connection is lost and will be made again.</summary>
    public Action<RpcException>? OnReconnect { get; set; }
}

/// <summary>What became of one event.</summary>
/// <param name="Event">The event.</param>
/// <param name="Code">The outcome.</param>
/// <param name="Refusal">Why it was refused; null otherwise.</param>
public readonly record struct IngestOutcome(Event Event, EventResult.Types.Code Code, Refusal? Refusal);

/// <summary>How far a session is. All counts are of events.</summary>
/// <param name="Accepted">Taken by <see cref="IngestSession.SendAsync"/>.</param>
/// <param name="Applied">Acknowledged as applied.</param>
/// <param name="Duplicates">Acknowledged as known before.</param>
/// <param name="Mismatches">Known before with another content.</param>
/// <param name="Refused">Refused.</param>
/// <param name="Resent">Sent again after a lost connection.</param>
public readonly record struct IngestProgress(long Accepted, long Applied, long Duplicates, long Mismatches, long Refused, long Resent)
{
    /// <summary>Events that have a result.</summary>
    public long Acknowledged => Applied + Duplicates + Mismatches + Refused;
}
