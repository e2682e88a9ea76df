using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.TestKit;

/// <summary>What every store must do that removes old turns from its journal.</summary>
public abstract class RetentionConformance
{
    private static readonly CounterKey Applied = new(1, 0, 0, CounterKind.Applied, 0, 0);
    private readonly TestBatch _batch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HIS_08_Old_turns_go_and_all_else_stays()
    {
        var (quiet, busy) = (new TestRecord(new RecordKey(1, 1, "quiet"), 1), new TestRecord(new RecordKey(1, 1, "busy"), 2));
        await FillAsync(quiet, busy);
        await using (var store = await ReopenAndRemoveAsync(s => _batch.Turn(busy, TurnPart.Concerns(1)).Count(Applied, 1).CommitAsync(s)))
        {
            await CheckRemovedAsync(store, quiet, busy);
            Assert.True((await _batch.Turn(quiet).Count(Applied, 1).CommitAsync(store))[0] > 0);
            Assert.Equal(-1, Assert.Single(await store.ReadTimelineAsync(1, 0, 10, Cancel)).Previous);
        }

        await using var again = await OpenAsync();
        Assert.True(again.Status.JournalBegin > 0);
        Assert.Equal(-1, Assert.Single(await again.ReadTimelineAsync(1, 0, 10, Cancel)).Previous);
        Assert.Equal(quiet.Head, (await again.LoadAsync(1, Cancel)).Head.ToArray());
    }

    [Fact]
    public async Task Without_a_retention_nothing_goes()
    {
        var busy = new TestRecord(new RecordKey(1, 1, "busy"), 2);
        var positions = await FillAsync(new TestRecord(new RecordKey(1, 1, "quiet"), 1), busy);
        await using var store = await OpenAsync();
        positions.AddRange(await _batch.Turn(busy).CommitAsync(store));
        await store.CheckpointAsync(Cancel);
        Assert.Equal(positions, (await store.ReadJournalAsync(0, 1000, Cancel)).Select(turn => turn.Position));
        Assert.Equal(0, store.Status.JournalBegin);
        Assert.Empty((await store.ReadRemovedCountersAsync(1, Cancel))!);
    }

    /// <summary>Opens the one store of the test without a retention.</summary>
    protected abstract Task<IRecordStore> OpenAsync();

    /// <summary>Opens it with a retention that lets most turns go, commits, and returns when they are gone.</summary>
    protected abstract Task<IRecordStore> ReopenAndRemoveAsync(Func<IRecordStore, Task> commit);

    private static async Task CheckRemovedAsync(IRecordStore store, TestRecord quiet, TestRecord busy)
    {
        var begin = store.Status.JournalBegin;
        var journal = await store.ReadJournalAsync(0, 1000, Cancel);
        var timeline = await store.ReadTimelineAsync(busy.Number, 0, 1000, Cancel);
        Assert.InRange(journal.Count, 1, 40);
        Assert.True(begin > 0 && journal[0].Position >= begin);
        Assert.Equal(journal.Reverse().Select(turn => turn.Position), timeline.Select(turn => turn.Position));
        Assert.Equal(-1, timeline[^1].Previous);
        Assert.Equal(timeline.Skip(1).Select(turn => turn.Position), timeline.SkipLast(1).Select(turn => turn.Previous));
        Assert.Equal(timeline.Select(turn => turn.Position), (await store.ReadActivityAsync(1, 1, 0, 1000, Cancel)).Select(turn => turn.Position));
        Assert.Empty(await store.ReadTimelineAsync(quiet.Number, 0, 10, Cancel));
        Assert.Equal(journal.Select(turn => turn.Position), (await store.ReadJournalAsync(begin - 1, 1000, Cancel)).Select(turn => turn.Position));

        // What rules need stays.
        Assert.Equal(quiet.Head, (await store.LoadAsync(quiet.Number, Cancel)).Head.ToArray());
        Assert.Equal(busy.Head, (await store.LoadAsync(busy.Number, Cancel)).Head.ToArray());
        Assert.Equal([7], Assert.Single(await store.ReadEffectsAsync(1, "mail", 0, 10, Cancel)).Task);
        Assert.Equal(new TimerEntry(new Timestamp(5), quiet.Number), Assert.Single(await store.ReadTimersAsync(default, 10, Cancel)));
        Assert.Equal(82, (await store.ReadCountersAsync(1, Cancel)).Single(c => c.Key == Applied).Value);
        if (await store.ReadRemovedCountersAsync(1, Cancel) is { } removed)
        {
            Assert.Equal(82 - journal.Count, removed.Single(c => c.Key == Applied).Value);
        }
    }

    /// <summary>One turn of a record, then 80 of another, a batch each.</summary>
    private async Task<List<long>> FillAsync(TestRecord quiet, TestRecord busy)
    {
        await using var store = await OpenAsync();
        var positions = new List<long>(await _batch.Turn(quiet, TurnPart.Add(new EffectId(1, 1, 1, 1), "mail", 7), TurnPart.Due(5), TurnPart.Concerns(1))
            .Count(Applied, 1).CommitAsync(store));
        for (var i = 0; i < 80; i++)
        {
            positions.AddRange(await _batch.Turn(busy, TurnPart.Concerns(1)).Count(Applied, 1).CommitAsync(store));
        }

        return positions;
    }
}
