using Roster.Core;
using Roster.Embedded.Tests;
using Roster.Engine.Stores;
using Roster.Engine.Timers;

namespace Roster.Engine.Tests.Timers;

public sealed class TimerShardTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ManualClock _clock = new(Start);
    private readonly List<long> _fired = [];
    private readonly TimerList _store = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DLY_16_Records_fire_in_the_order_of_their_instants_once_and_never_early()
    {
        _store.Set((3, 30), (1, 10), (2, 20), (4, 20));
        await using var shard = New();
        Assert.Equal(0, await shard.FireUntilAsync(At(9), isOneInstant: false, Token));
        Assert.Equal(1, await shard.FireUntilAsync(At(19), isOneInstant: false, Token));
        Assert.Equal(2, await shard.FireUntilAsync(At(20), isOneInstant: false, Token));
        Assert.Equal([1, 2, 4], _fired);
        Assert.Equal(1, await shard.FireUntilAsync(At(1_000), isOneInstant: false, Token));
        Assert.Equal(0, await shard.FireUntilAsync(At(2_000), isOneInstant: false, Token));
        Assert.Equal([1, 2, 4, 3], _fired);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1_000)]
    public async Task A_window_of_any_size_fires_the_same(int window)
    {
        _store.Set([.. Enumerable.Range(1, 100).Select(i => ((long)i, (long)(i * 7 % 50)))]);
        await using var shard = New(window);
        Assert.Equal(100, await shard.FireUntilAsync(At(1_000), isOneInstant: false, Token));
        Assert.Equal(Enumerable.Range(1, 100).OrderBy(i => i * 7 % 50).ThenBy(i => i).Select(i => (long)i), _fired);
    }

    [Fact]
    public async Task A_part_takes_its_own_timers_and_leaves_the_others()
    {
        _store.Set((3, 30), (1, 10), (2, 20), (4, 20));
        await using var even = new TimerShard(_store.Store, (records, _, _) => Fire(records), _clock, record => record % 2 == 0);
        await using var odd = new TimerShard(_store.Store, (records, _, _) => Fire(records), _clock, record => record % 2 == 1);
        Assert.Equal(2, await even.FireUntilAsync(At(1_000), isOneInstant: false, Token));
        Assert.Equal([2, 4], _fired);
        Assert.Equal(2, await odd.FireUntilAsync(At(1_000), isOneInstant: false, Token));
        Assert.Equal([2, 4, 1, 3], _fired);
    }

    [Fact]
    public async Task A_timer_that_moved_or_went_does_not_fire_at_its_old_instant()
    {
        _store.Set((1, 10), (2, 10));
        await using var shard = New();
        Assert.Equal(0, await shard.FireUntilAsync(At(5), isOneInstant: false, Token));
        Change(shard, (1, 50), (2, 0));
        Assert.Equal(0, await shard.FireUntilAsync(At(20), isOneInstant: false, Token));
        Assert.Equal(1, await shard.FireUntilAsync(At(50), isOneInstant: false, Token));
    }

    [Fact]
    public async Task A_full_window_shrinks_and_what_it_lets_go_still_fires()
    {
        await using var shard = New(window: 4);
        Assert.Equal(0, await shard.FireUntilAsync(At(1), isOneInstant: false, Token));
        for (var i = 1; i <= 50; i++)
        {
            Change(shard, (i, 100 - i));
            Assert.True(shard.Count <= 9);
        }

        Assert.Equal(50, await shard.FireUntilAsync(At(1_000), isOneInstant: false, Token));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)(51 - i)), _fired);
    }

    [Fact]
    public async Task DLY_17_A_timer_that_moves_with_every_event_leaves_nothing_behind()
    {
        await using var shard = New();
        Assert.Equal(0, await shard.FireUntilAsync(At(1), isOneInstant: false, Token));
        for (var i = 1; i <= 20_000; i++)
        {
            Change(shard, (1 + (i % 3), 1_000 + i));
            Assert.True(shard.Entries <= 2 * 3 + TimerShard.StaleMax + 1, $"{shard.Entries} entries for 3 timers");
        }

        Assert.Equal(3, await shard.FireUntilAsync(At(100_000), isOneInstant: false, Token));
        Assert.Equal([1, 2, 3], _fired);
    }

    [Fact]
    public async Task DLY_17_A_storm_of_one_instant_is_read_in_pages_each_timer_once_with_a_bounded_window()
    {
        const int Many = 3 * TimerShard.PageMax + 5;
        _store.Set([.. Enumerable.Range(1, Many).Select(i => ((long)i, 10L))]);
        var most = 0;
        TimerShard? shard = null;
        await using var owned = shard = new TimerShard(
            _store.Store,
            (records, _, _) =>
            {
                most = Math.Max(most, shard!.Count + records.Count);
                _fired.AddRange(records);
                return Task.CompletedTask;
            },
            _clock);
        Assert.Equal(Many, await shard.FireUntilAsync(At(10), isOneInstant: false, Token));
        Assert.Equal(Enumerable.Range(1, Many).Select(i => (long)i), _fired);
        Assert.True(most <= TimerShard.PageMax, $"{most} timers in memory");
        Assert.Equal(4, _store.Reads);
        Assert.Equal(Many, _store.Read);
    }

    [Fact]
    public async Task A_timer_set_while_the_window_loads_does_not_hide_those_that_are_still_in_the_store()
    {
        _store.Set([.. Enumerable.Range(1, 10).Select(i => ((long)i, (long)(i * 10)))]);
        await using var shard = New(window: 2);
        _store.WhileReading = () =>
        {
            _store.WhileReading = null;
            Change(shard, (99, 1_000));
        };
        Assert.Equal(10, await shard.FireUntilAsync(At(500), isOneInstant: false, Token));
        Assert.Equal(1, await shard.FireUntilAsync(At(1_000), isOneInstant: false, Token));
        Assert.Equal(99, _fired[^1]);
    }

    [Fact]
    public async Task A_reload_while_the_window_loads_loses_nothing()
    {
        _store.Set([.. Enumerable.Range(1, 6).Select(i => ((long)i, (long)(i * 10)))]);
        await using var shard = New(window: 2);
        Assert.Equal(2, await shard.FireUntilAsync(At(25), isOneInstant: false, Token));
        _store.WhileReading = () =>
        {
            _store.WhileReading = null;
            shard.Reload();
        };
        await shard.FireUntilAsync(At(60), isOneInstant: false, Token);
        Assert.Equal([1, 2, 3, 4, 5, 6], _fired.Distinct().Order());
    }

    [Fact]
    public async Task What_was_not_committed_fires_again()
    {
        _store.Set((1, 10));
        var isFull = true;
        await using var shard = new TimerShard(
            _store.Store, (records, _, _) => isFull ? throw new StoreFullException("full") : Fire(records), _clock);
        await Assert.ThrowsAsync<StoreFullException>(() => shard.FireUntilAsync(At(10), isOneInstant: false, Token));
        isFull = false;
        Assert.Equal(1, await shard.FireUntilAsync(At(10), isOneInstant: false, Token));
    }

    [Fact]
    public async Task By_the_clock_it_fires_what_is_due_and_goes_on_after_a_failure()
    {
        _store.Set((1, 10), (2, 20));
        var fired = new TaskCompletionSource();
        var failures = 0;
        var failed = new TaskCompletionSource();
        var shard = new TimerShard(
            _store.Store,
            async (records, asOf, isManual) =>
            {
                Assert.False(isManual);
                Assert.True(asOf <= new Timestamp(_clock.GetUtcNow().ToUnixTimeMilliseconds()));
                if (failures++ == 0)
                {
                    failed.SetResult();
                    throw new StoreFullException("full");
                }

                await Fire(records);
                if (_fired.Count >= 2)
                {
                    fired.TrySetResult();
                }
            },
            _clock);
        shard.Start();
        _clock.MoveTo(Start.AddSeconds(30));
        Change(shard, (3, 5_000));
        await failed.Task.WaitAsync(Token);
        for (var i = 0; i < 100_000 && !fired.Task.IsCompleted; i++)
        {
            // Its pause after the failure ends by the clock.
            _clock.MoveTo(_clock.GetUtcNow().AddMilliseconds(10));
            await Task.Yield();
        }

        await fired.Task.WaitAsync(Token);
        Assert.Equal([1, 2], _fired);
        await shard.DisposeAsync();
    }

    private static Timestamp At(long seconds) => new(Start.AddSeconds(seconds).ToUnixTimeMilliseconds());

    private TimerShard New(int window = TimerShard.WindowMax) => new(_store.Store, (records, _, _) => Fire(records), _clock, window);

    private Task Fire(IReadOnlyList<long> records)
    {
        _fired.AddRange(records);
        _store.Remove(records);
        return Task.CompletedTask;
    }

    /// <summary>A commit changed timers: first the store has them, then the shard is told.</summary>
    private void Change(TimerShard shard, params (long Record, long Seconds)[] changes)
    {
        _store.Remove([.. changes.Select(c => c.Record)]);
        _store.Set([.. changes.Where(c => c.Seconds > 0)]);
        shard.OnDurable([.. changes.Select(c => new TimerEntry(c.Seconds == 0 ? Timestamp.None : At(c.Seconds), c.Record))]);
    }

    /// <summary>A store that has timers and nothing else.</summary>
    private sealed class TimerList
    {
        private readonly SortedSet<TimerEntry> _timers = [];

        public TimerList() => Store = new FaultStore(new VolatileRecordStore())
        {
            OnReadTimers = (after, limit) =>
            {
                var read = _timers.GetViewBetween(after, new TimerEntry(Timestamp.Max, long.MaxValue)).Where(t => t != after).Take(limit).ToArray();
                (Reads, Read) = (Reads + 1, Read + read.Length);
                WhileReading?.Invoke();
                return read;
            },
        };

        public FaultStore Store { get; }

        public Action? WhileReading { get; set; }

        /// <summary>Times that timers were read.</summary>
        public int Reads { get; private set; }

        /// <summary>Timers that were read.</summary>
        public int Read { get; private set; }

        public void Set(params (long Record, long Seconds)[] timers)
        {
            foreach (var (record, seconds) in timers)
            {
                _timers.Add(new TimerEntry(At(seconds), record));
            }
        }

        public void Remove(IReadOnlyList<long> records) => _timers.RemoveWhere(t => records.Contains(t.RecordNumber));
    }
}
