using System.Collections.Concurrent;
using Google.Protobuf;
using Roster.Cluster.Calls;
using Roster.Cluster.Contracts;
using Roster.V1;

namespace Roster.Cluster;

/// <summary>
/// Events on their way from a front door to records. Orleans does not order calls, so a record has one call under way; what comes for it meanwhile waits and
/// goes together in the next. Each batch goes from here to the silos of its records, through no other node.
/// </summary>
/// <remarks>Thread-safe. Bounded by what the caller counts as in flight.</remarks>
internal sealed class RecordLanes(IGrainFactory grains, int eventsPerCallMax)
{
    private readonly ConcurrentDictionary<string, Lane> _lanes = new(StringComparer.Ordinal);

    /// <summary>Records that have a call under way.</summary>
    public int Count => _lanes.Count;

    /// <summary>Sends a batch. Two of one record that are sent one after the other are applied in that order.</summary>
    public Task<IReadOnlyList<IndexedResult>> SendAsync(string tenant, IReadOnlyList<Event> events)
    {
        var byRecord = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        for (var i = 0; i < events.Count; i++)
        {
            var key = Keys.Record(tenant, events[i].ObjectType, events[i].RecordId);
            if (!byRecord.TryGetValue(key, out var indexes))
            {
                byRecord[key] = indexes = [];
            }

            indexes.Add(i);
        }

        var batch = new Batch(events, byRecord.Count);
        foreach (var (key, indexes) in byRecord)
        {
            Add(key, new Part(batch, indexes));
        }

        return batch.Task;
    }

    private void Add(string key, Part part)
    {
        while (true)
        {
            var lane = _lanes.GetOrAdd(key, static _ => new Lane());
            lock (lane)
            {
                if (lane.IsClosed)
                {
                    continue;
                }

                lane.Waiting.Enqueue(part);
                if (!lane.IsBusy)
                {
                    lane.IsBusy = true;
                    _ = DrainAsync(key, lane);
                }

                return;
            }
        }
    }

    private async Task DrainAsync(string key, Lane lane)
    {
        // Whoever adds has the lane's lock: nothing is sent under it.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var parts = new List<Part>();
        while (true)
        {
            parts.Clear();
            lock (lane)
            {
                var count = 0;
                while (lane.Waiting.TryPeek(out var next) && (count == 0 || count + next.Indexes.Count <= eventsPerCallMax))
                {
                    lane.Waiting.Dequeue();
                    parts.Add(next);
                    count += next.Indexes.Count;
                }

                if (count == 0)
                {
                    lane.IsClosed = true;
                    _lanes.TryRemove(key, out _);
                    return;
                }
            }

            await SendAsync(key, parts).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(string key, List<Part> parts)
    {
        try
        {
            var request = new IngestRequest();
            foreach (var part in parts)
            {
                request.Events.AddRange(part.Indexes.Select(i => part.Batch.Events[i]));
            }

            var reply = await Replies.FromAsync(grains.GetGrain<IRecordGrain>(key).IngestAsync(request.ToByteArray())).ConfigureAwait(false);
            var results = IngestResponse.Parser.ParseFrom(reply.Content).Results;
            var at = 0;
            foreach (var part in parts)
            {
                part.Batch.Done(part.Indexes, results, at);
                at += part.Indexes.Count;
            }
        }
        catch (Exception failure)
        {
            // The edge of the loop: whoever waits for these events hears why; the next ones are tried.
            parts.ForEach(part => part.Batch.Failed(failure));
        }
    }

    private sealed class Lane
    {
        public Queue<Part> Waiting { get; } = new();

        public bool IsBusy { get; set; }

        public bool IsClosed { get; set; }
    }

    private sealed record Part(Batch Batch, List<int> Indexes);

    private sealed class Batch(IReadOnlyList<Event> events, int parts)
    {
        private readonly TaskCompletionSource<IReadOnlyList<IndexedResult>> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<IndexedResult> _unlike = [];
        private Exception? _failure;
        private int _open = parts;

        public IReadOnlyList<Event> Events { get; } = events;

        public Task<IReadOnlyList<IndexedResult>> Task => _done.Task;

        public void Done(List<int> indexes, IReadOnlyList<EventResult> results, int from)
        {
            lock (_unlike)
            {
                for (var i = 0; i < indexes.Count; i++)
                {
                    if (results[from + i].Code != EventResult.Types.Code.Applied)
                    {
                        _unlike.Add(new IndexedResult { Index = indexes[i], Result = results[from + i] });
                    }
                }
            }

            Close();
        }

        public void Failed(Exception failure)
        {
            _failure ??= failure;
            Close();
        }

        private void Close()
        {
            if (Interlocked.Decrement(ref _open) > 0)
            {
                return;
            }

            if (_failure is { } failure)
            {
                _done.TrySetException(failure);
                return;
            }

            _unlike.Sort(static (left, right) => left.Index.CompareTo(right.Index));
            _done.TrySetResult(_unlike);
        }
    }
}
