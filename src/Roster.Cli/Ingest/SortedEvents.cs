using Google.Protobuf;
using Roster.V1;

namespace Roster.Cli.Ingest;

/// <summary>
/// The events of one source by time; among equal times in their old order. A source of up to <c>runLength</c> events is sorted in
/// memory; a larger one in sorted runs on disk, which are merged while reading.
/// </summary>
internal sealed class SortedEvents : IDisposable
{
    private const int DefaultRunLength = 250_000;

    private readonly int _runLength;
    private readonly List<string> _runs = [];
    private List<SourceEvent> _inMemory = [];

    private SortedEvents(int runLength)
    {
        _runLength = runLength;
    }

    /// <summary>Number of events.</summary>
    public long Count { get; private set; }

    /// <summary>Reads all of a source.</summary>
    public static SortedEvents Load(IEnumerable<SourceEvent> events, CancellationToken cancellationToken, int runLength = DefaultRunLength)
    {
        var sorted = new SortedEvents(runLength);
        try
        {
            foreach (var item in events)
            {
                cancellationToken.ThrowIfCancellationRequested();
                sorted.Add(item);
            }

            sorted._inMemory.Sort(Compare);
            return sorted;
        }
        catch
        {
            sorted.Dispose();
            throw;
        }
    }

    /// <summary>Merges several sources by time; among equal times the earlier source first.</summary>
    public static IEnumerable<SourceEvent> Merge(IEnumerable<IEnumerable<SourceEvent>> sources)
    {
        var queue = new PriorityQueue<IEnumerator<SourceEvent>, SourceEvent>(Comparer<SourceEvent>.Create(Compare));
        try
        {
            foreach (var source in sources)
            {
                Enqueue(source.GetEnumerator());
            }

            while (queue.TryDequeue(out var next, out var item))
            {
                yield return item;
                Enqueue(next);
            }
        }
        finally
        {
            foreach (var (open, _) in queue.UnorderedItems)
            {
                open.Dispose();
            }
        }

        void Enqueue(IEnumerator<SourceEvent> source)
        {
            if (source.MoveNext())
            {
                queue.Enqueue(source, source.Current);
            }
            else
            {
                source.Dispose();
            }
        }
    }

    /// <summary>The events in order.</summary>
    public IEnumerable<SourceEvent> Read() => _runs.Count == 0 ? _inMemory : Merge(_runs.Select(ReadRun).Append(_inMemory));

    public void Dispose()
    {
        foreach (var run in _runs)
        {
            File.Delete(run);
        }

        _runs.Clear();
        _inMemory = [];
    }

    private static int Compare(SourceEvent? left, SourceEvent? right)
    {
        var byTime = left!.AtMs.CompareTo(right!.AtMs);
        if (byTime != 0)
        {
            return byTime;
        }

        var byFile = left.File.CompareTo(right.File);
        return byFile != 0 ? byFile : left.Sequence.CompareTo(right.Sequence);
    }

    private void Add(SourceEvent item)
    {
        Count++;
        _inMemory.Add(item);
        if (_inMemory.Count < _runLength)
        {
            return;
        }

        _inMemory.Sort(Compare);
        var path = Path.GetTempFileName();
        _runs.Add(path);
        using var output = new CodedOutputStream(File.Create(path));
        foreach (var one in _inMemory)
        {
            output.WriteSInt64(one.AtMs);
            output.WriteInt32(one.File);
            output.WriteInt64(one.Line);
            output.WriteInt64(one.Sequence);
            output.WriteMessage(one.Event);
        }

        _inMemory = [];
    }

    private static IEnumerable<SourceEvent> ReadRun(string path)
    {
        using var stream = File.OpenRead(path);
        using var input = CodedInputStream.CreateWithLimits(stream, int.MaxValue, 100);
        while (!input.IsAtEnd)
        {
            var at = input.ReadSInt64();
            var file = input.ReadInt32();
            var line = input.ReadInt64();
            var sequence = input.ReadInt64();
            var item = new Event();
            input.ReadMessage(item);
            yield return new SourceEvent(item, at, file, line, sequence);
        }
    }
}
