namespace Roster.LoadTests.Measuring;

/// <summary>
/// When the batches of one stream are due at a fixed rate. Each instant follows from the number of events alone, so that a late batch moves
/// no later one, and the streams take turns within the time of one batch.
/// </summary>
/// <param name="eventsPerSecond">Events per second of all streams together, above 0.</param>
/// <param name="streams">Streams that share the rate.</param>
/// <param name="stream">Number of this one, from 0.</param>
/// <param name="batchEvents">Events per batch.</param>
internal sealed class OpenLoopSchedule(double eventsPerSecond, int streams, int stream, int batchEvents)
{
    /// <summary>Time from the start until the batch is due of which so many events of this stream went before.</summary>
    public TimeSpan DueAfter(long eventsBefore) =>
        TimeSpan.FromSeconds(((eventsBefore * (double)streams) + ((double)stream * batchEvents)) / eventsPerSecond);
}
