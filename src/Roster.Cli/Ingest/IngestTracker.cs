using Roster.Cli.Output;
using Roster.Client;
using Roster.V1;

namespace Roster.Cli.Ingest;

/// <summary>Knows where each event that has no result yet came from, tells refusals with file and line, and how far all is done.</summary>
internal sealed class IngestTracker(IReadOnlyList<string> files, CliConsole console, long skipped)
{
    private const int SentencesMax = 100;

    private readonly Lock _lock = new();
    private readonly Dictionary<Event, (SourceEvent Source, long Index)> _open = new(ReferenceEqualityComparer.Instance);
    private readonly SortedSet<long> _ahead = [];
    private long _next = skipped;
    private long _through = skipped;
    private int _told;

    /// <summary>Lines that could not become events.</summary>
    public long BadLines { get; private set; }

    /// <summary>Events from the start that all have a result.</summary>
    public long Through
    {
        get
        {
            lock (_lock)
            {
                return _through;
            }
        }
    }

    /// <summary>An event is about to be sent.</summary>
    public void Add(SourceEvent source)
    {
        lock (_lock)
        {
            _open.Add(source.Event, (source, _next++));
        }
    }

    /// <summary>A line could not become an event.</summary>
    public void OnBadLine(BadLine line)
    {
        BadLines++;
        Tell(line.ToString());
    }

    /// <summary>An event has its result.</summary>
    public void OnResult(IngestOutcome outcome)
    {
        SourceEvent source;
        lock (_lock)
        {
            if (!_open.Remove(outcome.Event, out var found))
            {
                return;
            }

            source = found.Source;
            Advance_NeedsLock(found.Index);
        }

        if (outcome.Code is EventResult.Types.Code.Refused && outcome.Refusal is { } refusal)
        {
            Tell($"{files[source.File]}:{source.Line}: {RpcSentences.Of(refusal)}");
        }
        else if (outcome.Code is EventResult.Types.Code.DuplicateMismatch)
        {
            Tell($"{files[source.File]}:{source.Line}: the id `{outcome.Event.EventId}` was used before for another event of this record. [DUPLICATE_MISMATCH]");
        }
    }

    private void Advance_NeedsLock(long index)
    {
        if (index != _through)
        {
            _ahead.Add(index);
            return;
        }

        _through++;
        while (_ahead.Remove(_through))
        {
            _through++;
        }
    }

    private void Tell(string sentence)
    {
        var told = Interlocked.Increment(ref _told);
        if (told <= SentencesMax)
        {
            console.Fail(sentence);
        }
        else if (told == SentencesMax + 1)
        {
            console.Fail($"More than {SentencesMax} lines failed; the rest is only counted.");
        }
    }
}
