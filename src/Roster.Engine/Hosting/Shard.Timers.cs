using System.Collections.Concurrent;
using Roster.Core;
using Roster.Engine.Commits;

namespace Roster.Engine.Hosting;

/// <content>
/// Due timers. They stand in a queue of their own, and the loop takes from both in turn: after an item of the other queue as many timers as that item had
/// turns, and between two looks at an empty one at most <see cref="TimersAtOnce"/>. So a storm of timers does not hold up ingest, nor a flood of events the
/// timers. With a manual clock time is in order with what was posted before it moved, and timers stand in the one queue.
/// </content>
internal sealed partial class Shard
{
    /// <summary>Due records that have their turns before the loop looks for other work.</summary>
    internal const int TimersAtOnce = 256;

    private readonly ConcurrentQueue<TimerItem> _due = new();

    /// <summary>Runs the timers of so many records, oldest first.</summary>
    private async Task RunDueAsync(int recordsMax)
    {
        var left = recordsMax;
        while (left > 0 && _due.TryPeek(out var item))
        {
            var done = item.Done;
            try
            {
                if (await RunTimersAsync(item, left).ConfigureAwait(false))
                {
                    _due.TryDequeue(out _);
                }
            }
            catch (Exception failure)
            {
                // The edge of the loop, as for other items: what is due is in the store and is sent again.
                _due.TryDequeue(out _);
                item.OnCommitted(failure);
            }

            left -= Math.Max(1, item.Done - done);
        }
    }

    /// <summary>Runs the timers of at most so many records; true when the item is done with.</summary>
    private async Task<bool> RunTimersAsync(TimerItem item, int recordsMax)
    {
        item.FailuresAtStart ??= _failures;
        var end = (int)Math.Min(item.Numbers.Length, (long)item.Done + recordsMax);
        var loadMax = LoadMax;
        while (true)
        {
            await LoadMissingAsync(item, end, loadMax).ConfigureAwait(false);
            var done = item.Done;
            var isDone = false;
            var step = Step.Done;
            lock (_gate)
            {
                if (_isShared && item.FailuresAtStart is { } failures && failures != _failures)
                {
                    // What it did is not written: all of it runs again, or fails.
                    Finish(item, failures);
                    return true;
                }

                _measures.Begin();
                while (item.Done < end && HasRoom && step == Step.Done)
                {
                    var slot = _cache.Find(item.Numbers[item.Done]);
                    if (slot < 0)
                    {
                        step = Step.NotLoaded;
                        break;
                    }

                    step = RunDueTimers(slot, item);
                }

                isDone = item.Done == end;
                if (item.Done == item.Numbers.Length)
                {
                    Finish(item, item.FailuresAtStart.Value);
                }
            }

            _signalCommitter();
            if (isDone)
            {
                return end == item.Numbers.Length;
            }

            // Without progress the cache is too small for all that was loaded at once.
            loadMax = item.Done > done ? LoadMax : Math.Max(1, loadMax / 8);
            await PrepareAsync(step).ConfigureAwait(false);
        }
    }

    private Step RunDueTimers(int slot, TimerItem item)
    {
        LoadState(slot, default);
        var tenant = _state.Tenant;
        var step = Step.Done;
        try
        {
            // It was due when it was sent: a clock that has gone back since does not make it early, and it would not be sent again.
            var now = Now;
            var turns = _runner.Decided;
            step = FireDue(slot, CatalogOf(tenant), item.AsOf, item.IsManual ? Timestamp.None : now < item.AsOf ? item.AsOf : now);
            if (turns == _runner.Decided)
            {
                // It is not due, if this is what it is: the store said otherwise.
                Check(slot, _state.TurnId);
            }
        }
        catch (Exception bug) when (bug is not OutOfMemoryException)
        {
            // A bug in a turn stops this record, not the others that are due. Its timer stays in the store, and its inputs are refused.
            CountInternal(tenant);
        }

        item.Done += step == Step.Done ? 1 : 0;
        return step;
    }

    private async Task LoadMissingAsync(TimerItem item, int end, int max)
    {
        List<long>? missing = null;
        lock (_gate)
        {
            for (var i = item.Done; i < end && (missing?.Count ?? 0) < max; i++)
            {
                if (_cache.Find(item.Numbers[i]) < 0)
                {
                    (missing ??= []).Add(item.Numbers[i]);
                }
            }
        }

        if (missing is null)
        {
            return;
        }

        var loaded = await _store.LoadAsync(missing, CancellationToken.None).ConfigureAwait(false);
        lock (_gate)
        {
            foreach (var record in loaded)
            {
                if (record.Found)
                {
                    AddToCache(record);
                }
            }
        }
    }
}
