namespace Roster.Cluster.Contracts;

/// <summary>
/// A record of any object type. Key: <c>r</c>, tenant, slash, object type, slash, record id; the letter keeps keys that look like numbers apart from those
/// of other kinds of key. Its state is in the store and in the cache of its silo; the grain says which silo that is.
/// </summary>
[Alias("roster.record")]
public interface IRecordGrain : IGrainWithStringKey
{
    /// <summary>Applies events of this record, in their order. Whoever sends more of them before this has returned cannot count on an order.</summary>
    /// <param name="events">Message <c>roster.v1.IngestRequest</c>.</param>
    /// <returns>Message <c>roster.v1.IngestResponse</c>, durable.</returns>
    [Alias("ingest")]
    Task<GrainReply> IngestAsync(byte[] events);

    /// <summary>Runs a command for this record.</summary>
    /// <param name="method">Name of the command (<see cref="Calls.EngineCalls"/>).</param>
    /// <param name="request">Its request message.</param>
    /// <returns>Its response message, durable.</returns>
    [Alias("call")]
    Task<GrainReply> CallAsync(string method, byte[] request);
}
