namespace Roster.Cli.Ingest;

/// <summary>The events of all files in the order in which they are sent: as they stand in a single file, else by time.</summary>
internal sealed class EventFeed : IDisposable
{
    private readonly IReadOnlyList<IEventSource> _sources;
    private readonly IReadOnlyList<SortedEvents> _sorted;
    private readonly Action<BadLine> _onBad;

    private EventFeed(IReadOnlyList<IEventSource> sources, IReadOnlyList<SortedEvents> sorted, Action<BadLine> onBad)
    {
        _sources = sources;
        _sorted = sorted;
        _onBad = onBad;
    }

    /// <summary>Number of events; null as long as the file has not been read to its end.</summary>
    public long? Count => _sorted.Count > 0 ? _sorted.Sum(source => source.Count) : null;

    /// <summary>How much of the only file has been read, 0 to 1; 0 when that is not known.</summary>
    public double ReadFraction => _sources[0].Length > 0 ? Math.Min(1, (double)_sources[0].Position / _sources[0].Length) : 0;

    /// <summary>Opens the files; sorting reads them to the end.</summary>
    public static EventFeed Open(IReadOnlyList<IEventSource> sources, bool isSorted, Action<BadLine> onBad, CancellationToken cancellationToken)
    {
        var sorted = isSorted ? sources.Select((source, index) => SortedEvents.Load(source.Read(index, onBad), cancellationToken)).ToArray() : [];
        return new EventFeed(sources, sorted, onBad);
    }

    /// <summary>The events.</summary>
    public IEnumerable<SourceEvent> Read() => _sorted.Count > 0 ? SortedEvents.Merge(_sorted.Select(source => source.Read())) : _sources[0].Read(0, _onBad);

    public void Dispose()
    {
        foreach (var source in _sorted)
        {
            source.Dispose();
        }
    }
}
