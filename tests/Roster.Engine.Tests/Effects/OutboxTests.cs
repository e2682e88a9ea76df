using Roster.Core;
using Roster.Engine.Effects;
using Roster.Engine.Stores;
using Roster.Engine.Tests.Reading;

namespace Roster.Engine.Tests.Effects;

public sealed class OutboxTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly ManualClock _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly VolatileRecordStore _store = new();
    private readonly Outbox _outbox;
    private int _records;

    public OutboxTests() => _outbox = new Outbox(_store, _clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tasks_are_leased_oldest_first_and_each_to_one_owner()
    {
        await AddAsync(5);
        Assert.Equal([1, 2, 3], await LeaseAsync(3));
        Assert.Equal([4, 5], await LeaseAsync(3, "other"));
        Assert.Empty(await LeaseAsync(3));
        Assert.Equal(5, _outbox.CountLeased(1, "mail"));
    }

    [Fact]
    public async Task ERR_08_A_lease_that_ends_is_offered_again_with_the_same_id_and_a_higher_attempt()
    {
        await AddAsync(1);
        Assert.Equal(1, (await _outbox.LeaseAsync(1, "mail", 1, Minute, "w", Token))[0].Attempt);
        Move(Minute - TimeSpan.FromMilliseconds(1));
        Assert.Empty(await LeaseAsync(1));
        Move(TimeSpan.FromMilliseconds(1));
        var again = Assert.Single(await _outbox.LeaseAsync(1, "mail", 1, Minute, "w", Token));
        Assert.Equal((1L, 2), (again.Effect.Id.RecordNumber, again.Attempt));
    }

    [Fact]
    public async Task A_kept_lease_does_not_end()
    {
        await AddAsync(2);
        await LeaseAsync(2);
        Move(TimeSpan.FromSeconds(50));
        _outbox.Keep(1, "mail", "w", [new EffectId(1, 1, 1, 1)]);
        Move(TimeSpan.FromSeconds(30));
        Assert.Equal([2], await LeaseAsync(2));
    }

    [Fact]
    public async Task ERR_08_A_lease_of_another_length_ends_sooner_or_later_and_is_kept_alive_for_as_long()
    {
        await AddAsync(3);
        await LeaseAsync(3);
        Assert.Equal(Now.PlusMs(5_000), _outbox.LeaseFor(new EffectId(1, 1, 1, 1), TimeSpan.FromSeconds(5), "w"));
        Assert.Equal(Now.PlusMs(3_600_000), _outbox.LeaseFor(new EffectId(2, 1, 1, 1), TimeSpan.FromHours(1), "w"));
        _outbox.LeaseFor(new EffectId(3, 1, 1, 1), TimeSpan.FromSeconds(5), "other");
        Move(TimeSpan.FromSeconds(4));
        _outbox.Keep(1, "mail", "w", [new EffectId(1, 1, 1, 1)]);
        Move(TimeSpan.FromMilliseconds(4_999));
        Assert.Empty(await LeaseAsync(3));
        Move(TimeSpan.FromMilliseconds(1));
        Assert.Equal([1], await LeaseAsync(3));
        Move(Minute);
        Assert.Equal([1, 3], await LeaseAsync(3));
        Move(TimeSpan.FromHours(1));
        Assert.Equal([1, 2, 3], await LeaseAsync(3));
    }

    [Fact]
    public async Task ERR_08_One_who_waits_is_woken_by_the_end_of_a_lease_that_was_made_shorter()
    {
        await AddAsync(1);
        await LeaseAsync(1);
        var waiting = _outbox.WaitAsync(1, "mail", Token);
        _outbox.LeaseFor(new EffectId(1, 1, 1, 1), TimeSpan.FromSeconds(5), "w");
        await waiting;
        waiting = _outbox.WaitAsync(1, "mail", Token);
        Move(TimeSpan.FromSeconds(5));
        await waiting;
        Assert.Equal([1], await LeaseAsync(1));
    }

    [Fact]
    public async Task Released_leases_are_ready_at_once()
    {
        await AddAsync(2);
        await LeaseAsync(1);
        await LeaseAsync(1, "other");
        _outbox.Release(1, "mail", "w");
        Assert.Equal([1], await LeaseAsync(5));
    }

    [Fact]
    public async Task A_retry_waits_for_its_instant()
    {
        await AddAsync(1);
        await LeaseAsync(1);
        Assert.True(_outbox.Retry(new EffectId(1, 1, 1, 1), Now.PlusMs(600_000)));
        Move(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        Assert.Empty(await LeaseAsync(1));
        Move(TimeSpan.FromMilliseconds(1));
        Assert.Equal([1], await LeaseAsync(1));
        Assert.Equal(2, _outbox.Attempts(new EffectId(1, 1, 1, 1))!.Value.Attempts);
    }

    [Fact]
    public async Task A_dropped_task_is_not_offered_any_more()
    {
        await AddAsync(2);
        await LeaseAsync(1);
        _outbox.Drop(new EffectId(1, 1, 1, 1));
        Move(Minute);
        Assert.Equal([2], await LeaseAsync(5));
        Assert.Null(_outbox.Attempts(new EffectId(1, 1, 1, 1)));
    }

    [Fact]
    public async Task ERR_10_No_more_than_its_limit_of_a_queue_is_out_at_once_and_nothing_is_lost()
    {
        _outbox.Limit(1, "mail", new QueueLimits(2, 0));
        await AddAsync(4);
        Assert.Equal([1, 2], await LeaseAsync(10));
        Assert.Empty(await LeaseAsync(10));
        var wait = _outbox.WaitAsync(1, "mail", Token);
        Assert.False(wait.IsCompleted);
        _outbox.Drop(new EffectId(1, 1, 1, 1));
        await wait.WaitAsync(Token);
        Assert.Equal([3], await LeaseAsync(10));

        // One that waits for its next attempt is not out.
        Assert.True(_outbox.Retry(new EffectId(2, 1, 1, 1), Now.PlusMs(600_000)));
        Assert.Equal([4], await LeaseAsync(10));
        Move(Minute);
        Assert.Equal([3, 4], await LeaseAsync(10));
        _outbox.Release(1, "mail", "w");
        _outbox.Limit(1, "mail", default);
        Move(TimeSpan.FromMinutes(10));
        Assert.Equal([2, 3, 4], await LeaseAsync(10));
    }

    [Fact]
    public async Task ERR_10_No_more_than_its_rate_of_a_queue_is_handed_out_and_the_rest_later()
    {
        _outbox.Limit(1, "mail", new QueueLimits(0, 2));
        await AddAsync(5);
        Assert.Equal([1, 2], await LeaseAsync(10));
        var wait = _outbox.WaitAsync(1, "mail", Token);
        Assert.False(wait.IsCompleted);
        Move(TimeSpan.FromMilliseconds(501));
        await wait.WaitAsync(Token);
        Assert.Equal([3], await LeaseAsync(10));
        Move(TimeSpan.FromSeconds(1));
        Assert.Equal([4, 5], await LeaseAsync(10));
    }

    [Fact]
    public async Task ERR_11_A_dead_letter_is_offered_once_more_with_attempts_of_its_own()
    {
        var effect = new StoredEffect(7, new EffectId(9, 1, 1, 1), 1, "mail", []);
        Assert.True(_outbox.Resend(effect));
        Assert.True(_outbox.Resend(effect));
        Assert.True(_outbox.IsResent(effect.Id));
        Assert.Equal([9], await LeaseAsync(10));
        var log = _outbox.NoteAttempt(effect.Id, "no")!;
        Assert.Equal((1, true, "no"), (log.Count, log.IsResent, Assert.Single(log.Latest).Error));
        _outbox.Drop(effect.Id);
        Assert.False(_outbox.IsResent(effect.Id));
        Assert.Null(_outbox.NoteAttempt(effect.Id, "no"));
    }

    [Fact]
    public async Task Tasks_beyond_the_window_are_left_in_the_store_and_come_in_their_order()
    {
        await AddAsync(EffectQueue.WindowMax + 100);
        var leased = new List<long>();
        for (var i = 0; i < 300; i++)
        {
            leased.AddRange(await LeaseAsync(500));
        }

        Assert.Equal(Enumerable.Range(1, EffectQueue.WindowMax + 100).Select(i => (long)i), leased);
        await AddAsync(1);
        Assert.Single(await LeaseAsync(10));
    }

    [Fact]
    public async Task One_who_waits_is_woken_by_a_task_and_by_the_end_of_a_lease()
    {
        Assert.Empty(await LeaseAsync(1));
        var wait = _outbox.WaitAsync(1, "mail", Token);
        Assert.False(wait.IsCompleted);
        await AddAsync(1);
        await wait.WaitAsync(Token);
        Assert.Equal([1], await LeaseAsync(1));
        wait = _outbox.WaitAsync(1, "mail", Token);
        Assert.False(wait.IsCompleted);
        Move(Minute);
        await wait.WaitAsync(Token);
        Assert.Equal([1], await LeaseAsync(1));
    }

    [Fact]
    public async Task Leases_of_many_completed_tasks_are_forgotten_and_those_of_open_ones_are_not()
    {
        await AddAsync(1);
        Assert.Equal([1], await LeaseAsync(1));
        for (var round = 0; round < 50; round++)
        {
            await AddAsync(100);
            foreach (var record in await LeaseAsync(100))
            {
                _outbox.Drop(new EffectId(record, 1, 1, 1));
            }
        }

        Move(Minute - TimeSpan.FromMilliseconds(1));
        Assert.Empty(await LeaseAsync(10));
        Move(TimeSpan.FromMilliseconds(1));
        Assert.Equal([1], await LeaseAsync(10));
    }

    [Fact]
    public async Task Tenants_and_queues_are_apart()
    {
        await AddAsync(1);
        Assert.Empty(await _outbox.LeaseAsync(2, "mail", 10, Minute, "w", Token));
        Assert.Empty(await _outbox.LeaseAsync(1, "other", 10, Minute, "w", Token));
    }

    private Timestamp Now => new(_clock.GetUtcNow().ToUnixTimeMilliseconds());

    private void Move(TimeSpan time) => _clock.MoveTo(_clock.GetUtcNow() + time);

    private async Task<List<long>> LeaseAsync(int count, string owner = "w") =>
        [.. (await _outbox.LeaseAsync(1, "mail", count, Minute, owner, Token)).Select(l => l.Effect.Id.RecordNumber)];

    private async Task AddAsync(int count)
    {
        var batch = new TurnBatch();
        for (var i = 0; i < count; i++)
        {
            var record = ++_records;
            ref var turn = ref batch.AddTurn();
            turn.RecordNumber = record;
            turn.Tenant = 1;
            turn.TurnId = (ulong)record;
            turn.CreatedKey = new RecordKey(1, 1, $"r{record}");
            turn.Skeleton = new ByteRange(batch.Bytes.Length, 1);
            turn.Head = turn.Skeleton;
            batch.Bytes.Raw([1]);
            turn.EffectsAdded = (batch.EffectsAdded.Count, 1);
            batch.EffectsAdded.Add(new EffectAdd(new EffectId(record, 1, 1, 1), 1, "mail", [1]));
        }

        await _store.CommitAsync(batch, Token);
        _outbox.OnDurable(batch);
    }
}
