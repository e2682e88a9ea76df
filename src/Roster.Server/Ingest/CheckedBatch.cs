using System.Globalization;
using Roster.Core;
using Roster.Engine;
using Roster.V1;

namespace Roster.Server.Ingest;

/// <summary>A batch of which the events that are too large have been taken out, with what is needed to put the results together again.</summary>
internal readonly struct CheckedBatch
{
    private readonly int[]? _indexes;
    private readonly List<IndexedResult>? _refused;

    private CheckedBatch(IReadOnlyList<Event> events, long bytes, int[]? indexes, List<IndexedResult>? refused)
    {
        Events = events;
        Bytes = bytes;
        _indexes = indexes;
        _refused = refused;
    }

    /// <summary>The events for the engine.</summary>
    public IReadOnlyList<Event> Events { get; }

    /// <summary>Roughly their size.</summary>
    public long Bytes { get; }

    /// <summary>Checks a batch.</summary>
    /// <exception cref="RosterException">The batch has more events than <c>events_per_request_max</c>.</exception>
    public static CheckedBatch Check(IReadOnlyList<Event> events, ServerOptions options, string path)
    {
        if (events.Count > options.EventsPerRequestMax)
        {
            throw RosterException.Invalid(new Core.Refusal(
                RefusalReason.LimitReached,
                path,
                events.Count.ToString(CultureInfo.InvariantCulture),
                $"The batch has {events.Count} events; `events_per_request_max` is {options.EventsPerRequestMax}. Send smaller batches.",
                "events_per_request_max"));
        }

        long bytes = 0;
        List<IndexedResult>? refused = null;
        for (var i = 0; i < events.Count; i++)
        {
            var bound = EventSize.Bound(events[i]);
            bytes += EventSize.Rough(bound);
            if (bound > options.EventBytesMax && events[i].CalculateSize() is var size && size > options.EventBytesMax)
            {
                (refused ??= []).Add(TooLarge(i, size, options.EventBytesMax));
            }
        }

        return refused is null ? new CheckedBatch(events, bytes, null, null) : WithoutRefused(events, bytes, refused);
    }

    /// <summary>The outcomes other than APPLIED by index of the whole batch.</summary>
    public IReadOnlyList<IndexedResult> Merge(IReadOnlyList<IndexedResult> results)
    {
        if (_refused is null)
        {
            return results;
        }

        var merged = new List<IndexedResult>(_refused);
        foreach (var result in results)
        {
            merged.Add(new IndexedResult { Index = _indexes![result.Index], Result = result.Result });
        }

        merged.Sort(static (left, right) => left.Index.CompareTo(right.Index));
        return merged;
    }

    private static CheckedBatch WithoutRefused(IReadOnlyList<Event> events, long bytes, List<IndexedResult> refused)
    {
        var indexes = Enumerable.Range(0, events.Count).Except(refused.Select(result => result.Index)).ToArray();
        return new CheckedBatch([.. indexes.Select(index => events[index])], bytes, indexes, refused);
    }

    private static IndexedResult TooLarge(int index, int size, int limit) => new()
    {
        Index = index,
        Result = new EventResult
        {
            Code = EventResult.Types.Code.Refused,
            Refusal = new V1.Refusal
            {
                Reason = V1.Refusal.Types.Reason.TooLarge,
                Value = size.ToString(CultureInfo.InvariantCulture),
                Message = $"The event has {size} bytes; `event_bytes_max` is {limit}.",
                Setting = "event_bytes_max",
            },
        },
    };
}
