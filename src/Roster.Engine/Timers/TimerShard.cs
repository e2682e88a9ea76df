using System.Runtime.InteropServices;
using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Engine.Timers;

/// <summary>Sends due records to their actors. <paramref name="asOf"/> is the instant up to which their timers run.</summary>
/// <param name="recordNumbers">The records, in the order of their due instants.</param>
/// <param name="asOf">Timers due at or before this run.</param>
/// <param name="isManual">Whether each timer runs at its own due instant (manual clock) instead of now.</param>
public delegate Task FireTimers(IReadOnlyList<long> recordNumbers, Timestamp asOf, bool isManual);

/// <summary>
/// Takes due records in the order of their due instants and sends them to their actors: never early, once, not lost. A timer is a
/// record's earliest due instant, which the store has durably with its state; what is here is a window of the soonest ones.
/// </summary>
/// <remarks>
/// <para>Bounded: at most twice <see cref="WindowMax"/> timers are in memory; later ones stay in the store until the window
/// reaches them. What is read and what is sent comes in portions: whoever commits waits for the shard's lock no longer than a portion takes,
/// and no more than one chunk of due records is on its way to their actors, however many are due. A record that is sent although it is not due any more has an empty turn, so the window may be wrong on that side
/// but never on the other.</para>
/// <para>With a manual clock nothing fires by itself: <see cref="FireUntilAsync"/> does, each timer at its own instant.</para>
/// </remarks>
public sealed class TimerShard : IAsyncDisposable
{
    /// <summary>Timers to which the window shrinks when it holds twice as many.</summary>
    public const int WindowMax = 200_000;

    /// <summary>Timers read from the store at a time.</summary>
    internal const int PageMax = 16_384;

    /// <summary>Entries that are out of date, beside as many as there are timers, before they are cleared away.</summary>
    internal const int StaleMax = 1_024;

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private const int ChunkMax = 2_048;
    private static readonly TimerEntry End = new(Timestamp.Max, long.MaxValue);

    private readonly Lock _gate = new();
    private readonly IRecordStore _store;
    private readonly FireTimers _fire;
    private readonly TimeProvider _clock;
    private readonly int _windowMax;
    private readonly Func<long, bool>? _isMine;
    private readonly PriorityQueue<long, TimerEntry> _queue = new();
    private readonly Dictionary<long, Timestamp> _due = [];
    private readonly HashSet<long> _changedWhileLoading = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private TimerEntry _windowEnd;
    private bool _isLoading;
    private int _reloads;
    private Task _loop = Task.CompletedTask;

    /// <summary>Creates a shard over a store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="fire">Sends due records to their actors.</param>
    /// <param name="clock">The engine's clock.</param>
    /// <param name="isMine">Whose timers it takes, by record number; null for all.</param>
    public TimerShard(IRecordStore store, FireTimers fire, TimeProvider clock, Func<long, bool>? isMine = null)
        : this(store, fire, clock, WindowMax) => _isMine = isMine;

    internal TimerShard(IRecordStore store, FireTimers fire, TimeProvider clock, int windowMax)
    {
        _store = store;
        _fire = fire;
        _clock = clock;
        _windowMax = windowMax;
    }

    /// <summary>Timers in memory.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _due.Count;
            }
        }
    }

    /// <summary>Entries in memory, those that are out of date included.</summary>
    internal int Entries
    {
        get
        {
            lock (_gate)
            {
                return _queue.Count;
            }
        }
    }

    /// <summary>Starts the loop that fires by the clock.</summary>
    public void Start() => _loop = Task.Run(RunAsync);

    /// <summary>A batch is durable: its records go on at other instants than before.</summary>
    public void OnDurable(List<TimerEntry> changes)
    {
        if (changes.Count == 0)
        {
            return;
        }

        lock (_gate)
        {
            foreach (ref readonly var change in CollectionsMarshal.AsSpan(changes))
            {
                if (_isLoading)
                {
                    _changedWhileLoading.Add(change.RecordNumber);
                }

                if (change.DueAt.IsNone || (!_isLoading && change.CompareTo(_windowEnd) > 0))
                {
                    _due.Remove(change.RecordNumber);
                }
                else
                {
                    Add(change);
                }
            }

            if (!_isLoading && _due.Count > 2 * _windowMax)
            {
                Shrink();
            }
            else if (_queue.Count > 2 * _due.Count + StaleMax)
            {
                Fill([.. _due.Select(d => (d.Key, new TimerEntry(d.Value, d.Key)))]);
            }
        }

        Wake();
    }

    /// <summary>Forgets the window and reads it again: after a commit failed, timers that were sent may still be due.</summary>
    public void Reload()
    {
        Reset();
        Wake();
    }

    /// <summary>Fires everything due up to an instant, each timer at its own instant, until nothing is left; returns how many records were sent.</summary>
    /// <param name="to">The instant.</param>
    /// <param name="isOneInstant">Whether all that is due at one instant is done before the next: what records tell each other needs it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<long> FireUntilAsync(Timestamp to, bool isOneInstant, CancellationToken cancellationToken)
    {
        var fired = 0L;
        while (true)
        {
            var (due, asOf) = await TakeDueAsync(to, isOneInstant, cancellationToken).ConfigureAwait(false);
            if (due.Count == 0)
            {
                return fired;
            }

            try
            {
                await _fire(due, asOf, isManual: true).ConfigureAwait(false);
            }
            catch
            {
                // What was sent and not committed is still due in the store.
                Reset();
                throw;
            }

            fired += due.Count;
        }
    }

    /// <summary>Stops the loop.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
        _wake.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                await FireOrWaitAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
        catch (RosterException)
        {
            // The engine has stopped taking turns; what was due is due again at the next start.
        }
    }

    private async Task FireOrWaitAsync()
    {
        try
        {
            var now = Now();
            var (due, _) = await TakeDueAsync(now, isOneInstant: false, _stop.Token).ConfigureAwait(false);
            if (due.Count > 0)
            {
                await _fire(due, now, isManual: false).ConfigureAwait(false);
            }
            else
            {
                await WaitAsync(NextDue()).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is not (RosterException or OperationCanceledException))
        {
            // A full disk, or a read that failed: what was sent and not committed is still due in the store. It is tried again.
            Reset();
            await Task.Delay(PauseAfterFailure, _clock, _stop.Token).ConfigureAwait(false);
        }
    }

    private void Reset()
    {
        lock (_gate)
        {
            _queue.Clear();
            _due.Clear();
            _windowEnd = default;
            _isLoading = false;
            _reloads++;
        }
    }

    private async Task<(List<long> Due, Timestamp AsOf)> TakeDueAsync(Timestamp now, bool isOneInstant, CancellationToken cancellationToken)
    {
        while (true)
        {
            var due = new List<long>();
            bool needsWindow;
            var asOf = now;
            lock (_gate)
            {
                do
                {
                    // What stands first may be out of date.
                    asOf = isOneInstant && _queue.TryPeek(out _, out var next) && next.DueAt < now ? next.DueAt : now;
                    Take(asOf, due);
                }
                while (due.Count == 0 && asOf < now);

                var isPastWindow = !_queue.TryPeek(out _, out var first) || first.CompareTo(_windowEnd) > 0;
                needsWindow = due.Count == 0 && isPastWindow && _windowEnd.CompareTo(End) < 0 && !(_windowEnd.DueAt > now);
            }

            if (!needsWindow)
            {
                return (due, asOf);
            }

            await LoadWindowAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Take(Timestamp now, List<long> due)
    {
        while (due.Count < ChunkMax && _queue.TryPeek(out var record, out var entry) && entry.DueAt <= now)
        {
            _queue.Dequeue();
            if (_due.TryGetValue(record, out var latest) && latest == entry.DueAt)
            {
                _due.Remove(record);
                due.Add(record);
            }
        }
    }

    private async Task LoadWindowAsync(CancellationToken cancellationToken)
    {
        TimerEntry after;
        int reloads;
        lock (_gate)
        {
            reloads = _reloads;
            after = _windowEnd;
            _isLoading = true;
            _changedWhileLoading.Clear();
        }

        var limit = Math.Min(_windowMax, PageMax);
        var loaded = await _store.ReadTimersAsync(after, limit, cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            if (reloads != _reloads)
            {
                // What was read goes on from a window that is forgotten.
                return;
            }

            _isLoading = false;
            foreach (var entry in loaded)
            {
                if (!_changedWhileLoading.Contains(entry.RecordNumber) && (_isMine is null || _isMine(entry.RecordNumber)))
                {
                    Add(entry);
                }
            }

            _windowEnd = loaded.Count < limit ? End : loaded[^1];
        }
    }

    private void Add(TimerEntry entry)
    {
        _due[entry.RecordNumber] = entry.DueAt;
        _queue.Enqueue(entry.RecordNumber, entry);
    }

    /// <summary>Keeps the soonest timers; the later ones are in the store.</summary>
    private void Shrink()
    {
        var soonest = _due.Select(d => (Record: d.Key, Entry: new TimerEntry(d.Value, d.Key))).OrderBy(t => t.Entry).Take(_windowMax).ToList();
        _due.Clear();
        soonest.ForEach(t => _due[t.Record] = t.Entry.DueAt);
        Fill(soonest);
        _windowEnd = soonest[^1].Entry;
    }

    /// <summary>
    /// Makes the queue anew without entries that are out of date. A timer that moves leaves its former entry behind: one that moves with each event of
    /// its record would leave any number of them before they are due.
    /// </summary>
    private void Fill(List<(long Record, TimerEntry Entry)> timers)
    {
        _queue.Clear();
        _queue.EnqueueRange(timers);
    }

    private Timestamp Now() => _clock.Now();

    private Timestamp NextDue()
    {
        lock (_gate)
        {
            return _queue.TryPeek(out _, out var entry) && entry.CompareTo(_windowEnd) < 0 ? entry.DueAt : _windowEnd.DueAt;
        }
    }

    private async Task WaitAsync(Timestamp until)
    {
        var now = Now();
        using var timer = _clock.CreateTimer(static shard => ((TimerShard)shard!).Wake(), this, now.WaitUntil(until), Timeout.InfiniteTimeSpan);
        if (Now() != now)
        {
            // The clock was moved between the look at it and the timer, which counts from where it is now: it would come too late.
            Wake();
        }

        await _wake.WaitAsync(_stop.Token).ConfigureAwait(false);
    }

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
        catch (ObjectDisposedException)
        {
            // It has stopped.
        }
    }
}
