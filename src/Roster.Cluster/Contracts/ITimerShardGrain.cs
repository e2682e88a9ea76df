namespace Roster.Cluster.Contracts;

/// <summary>
/// A part of the cluster's timers. Key: <c>t</c> and the number of the part (<see cref="Engine.Hosting.EngineHost.TimerParts"/>). A reminder and the silos keep it alive; a
/// record that is due in two parts at once has an empty turn in one.
/// </summary>
[Alias("roster.timers")]
public interface ITimerShardGrain : IGrainWithStringKey
{
    /// <summary>A silo tells which records of this part go on at other instants. It may come late, twice or never.</summary>
    /// <param name="timers">Record numbers and due instants in milliseconds since 1970, by turns; 0 for a record that waits for nothing any more.</param>
    [Alias("hear")]
    Task HearAsync(long[] timers);

    /// <summary>Ends a task of a record of this part: the record is at hand where its timers are.</summary>
    [Alias("complete")]
    Task<GrainReply> CompleteAsync(string tenant, byte[] completion);

    /// <summary>Comes to life if it was not.</summary>
    [Alias("ping")]
    Task PingAsync();
}
