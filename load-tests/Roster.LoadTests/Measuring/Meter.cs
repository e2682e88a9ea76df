namespace Roster.LoadTests.Measuring;

/// <summary>What is counted while load goes on: of the phase, and of the interval since the last sample. Thread-safe.</summary>
internal sealed class Meter
{
    private long _events;
    private long _refused;
    private long _tasks;
    private long _errors;

    /// <summary>Latencies of the phase.</summary>
    public LatencyHistogram Latencies { get; } = new();

    /// <summary>Latencies since the last sample.</summary>
    public LatencyHistogram Interval { get; } = new();

    /// <summary>Events acknowledged in the phase, the refused ones not counted.</summary>
    public long Events => Volatile.Read(ref _events);

    /// <summary>Events refused in the phase.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Tasks completed in the phase.</summary>
    public long Tasks => Volatile.Read(ref _tasks);

    /// <summary>Calls that failed in the phase.</summary>
    public long Errors => Volatile.Read(ref _errors);

    /// <summary>A batch was acknowledged.</summary>
    public void Acked(long events, long refused, TimeSpan latency)
    {
        Latencies.Add(latency);
        Interval.Add(latency);
        Interlocked.Add(ref _events, events - refused);
        Interlocked.Add(ref _refused, refused);
    }

    /// <summary>Something was done that is counted as events and has no latency of its own.</summary>
    public void Done(long events) => Interlocked.Add(ref _events, events);

    /// <summary>A worker's completions are durable.</summary>
    public void Completed(long tasks) => Interlocked.Add(ref _tasks, tasks);

    /// <summary>A call failed.</summary>
    public void Failed() => Interlocked.Increment(ref _errors);

    /// <summary>A phase begins: what was counted before is dropped.</summary>
    public void Begin()
    {
        Latencies.Clear();
        Interval.Clear();
        Volatile.Write(ref _events, 0);
        Volatile.Write(ref _refused, 0);
        Volatile.Write(ref _tasks, 0);
        Volatile.Write(ref _errors, 0);
    }
}
