using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.TestKit;

/// <content>Commits and conflicts.</content>
public abstract partial class RecordStoreConformance
{
    [Fact]
    public async Task Positions_rise_in_the_order_of_the_batch_and_from_batch_to_batch()
    {
        var (a, b) = (NewRecord("a"), NewRecord("b"));
        var first = await Batch.Turn(a).Turn(b).Turn(a).CommitAsync(Store);
        var second = await Batch.Turn(b).Turn(a).CommitAsync(Store);
        long[] all = [.. first, .. second];
        Assert.All(all, position => Assert.True(position > 0));
        Assert.Equal(all.Order().Distinct(), all);
        Assert.Equal(all[^1], Store.Status.JournalPosition);
    }

    [Fact]
    public async Task A_turn_that_expects_another_turn_is_a_conflict_and_harms_no_other()
    {
        var (a, b) = (NewRecord("a"), NewRecord("b"));
        await Batch.Turn(a).Turn(b).CommitAsync(Store);
        var (stale, before) = (a.Fork(), a.Head);
        stale.TurnId = 12345;
        var positions = await Batch.Turn(stale, TurnPart.Set(1, "stale")).Turn(b, TurnPart.Set(1, "fine")).CommitAsync(Store);
        Assert.Equal(0, positions[0]);
        Assert.True(positions[1] > 0);
        Assert.Equal(before, (await LoadAsync(a.Key)).Head.ToArray());
        Assert.Equal(b.Head, (await LoadAsync(b.Key)).Head.ToArray());
    }

    [Fact]
    public async Task Turns_that_follow_a_conflict_of_the_same_record_are_conflicts_too()
    {
        var record = NewRecord("a");
        await Batch.Turn(record).CommitAsync(Store);
        var stale = record.Fork();
        stale.TurnId = 12345;
        Assert.Equal(new long[] { 0, 0 }, await Batch.Turn(stale).Turn(stale).CommitAsync(Store));
        Assert.NotEqual(new long[] { 0 }, await Batch.Turn(record).CommitAsync(Store));
    }

    [Fact]
    public async Task The_same_turn_is_committed_once()
    {
        var record = NewRecord("a");
        await Batch.Turn(record).CommitAsync(Store);
        var again = record.Fork();
        await Batch.Turn(record).CommitAsync(Store);
        Assert.Equal(new long[] { 0 }, await Batch.Turn(again).CommitAsync(Store));
        Assert.Equal(2, (await Store.ReadTimelineAsync(record.Number, 0, 10, Cancel)).Count);
    }

    [Fact]
    public async Task A_key_is_created_once_also_within_a_batch()
    {
        var (first, second, third) = (NewRecord("same"), NewRecord("same"), NewRecord("same"));
        var positions = await Batch.Turn(first).Turn(second).CommitAsync(Store);
        Assert.True(positions[0] > 0);
        Assert.Equal(0, positions[1]);
        Assert.Equal(new long[] { 0 }, await Batch.Turn(third).CommitAsync(Store));
        Assert.Equal(first.Number, (await LoadAsync(first.Key)).Number);
        Assert.False((await Store.LoadAsync(second.Number, Cancel)).Found);
        Assert.Equal(1, Store.Status.Records);
    }

    [Fact]
    public async Task A_record_number_is_created_once()
    {
        var first = NewRecord("a");
        await Batch.Turn(first).CommitAsync(Store);
        var thief = new TestRecord(new RecordKey(1, 1, "b"), first.Number);
        Assert.Equal(new long[] { 0 }, await Batch.Turn(thief).CommitAsync(Store));
        Assert.False((await LoadAsync(thief.Key)).Found);
    }

    [Fact]
    public async Task Records_of_two_tenants_or_types_may_have_the_same_id()
    {
        var (a, b) = (NewRecord("same", tenant: 1), NewRecord("same", tenant: 2));
        var c = new TestRecord(new RecordKey(1, 2, "same"), 77);
        Assert.DoesNotContain(0, await Batch.Turn(a).Turn(b).Turn(c).CommitAsync(Store));
        Assert.Equal([a.Number, b.Number, 77], new[] { (await LoadAsync(a.Key)).Number, (await LoadAsync(b.Key)).Number, (await LoadAsync(c.Key)).Number });
    }

    [Fact]
    public async Task A_turn_that_removes_an_effect_that_is_not_there_is_a_conflict()
    {
        var record = NewRecord("a");
        var id = new EffectId(record.Number, 1, 1, 1);
        await Batch.Turn(record, TurnPart.Add(id, "mail")).CommitAsync(Store);
        var late = record.Fork();
        await Batch.Turn(record, TurnPart.Remove(id)).CommitAsync(Store);
        late.TurnId = record.TurnId;
        late.Head = record.Head;
        Assert.Equal(new long[] { 0 }, await Batch.Turn(late, TurnPart.Remove(id)).CommitAsync(Store));
        Assert.Equal(new long[] { 0 }, await Batch.Turn(record.Fork(), TurnPart.Remove(new EffectId(9, 9, 9, 9))).CommitAsync(Store));
    }

    [Fact]
    public async Task A_conflict_leaves_nothing_of_its_turn()
    {
        var record = NewRecord("a");
        await Batch.Turn(record, TurnPart.Due(100)).CommitAsync(Store);
        var before = await DumpAsync();
        var stale = record.Fork();
        stale.TurnId = 12345;
        var id = new EffectId(record.Number, 1, 1, 1);
        TurnPart[] parts = [TurnPart.Add(id, "mail"), TurnPart.Due(50), TurnPart.Events(1, 45), TurnPart.Concerns(1)];
        Assert.Equal(new long[] { 0 }, await Batch.Turn(stale, parts).CommitAsync(Store));
        Assert.Equal(before, await DumpAsync());
        Assert.Null(await Store.LoadSectionAsync(record.Number, 1, Cancel));
    }

    [Fact]
    public async Task An_effect_may_be_removed_in_the_batch_that_adds_it_and_only_once()
    {
        var (a, b) = (NewRecord("a"), NewRecord("b"));
        var id = new EffectId(a.Number, 1, 1, 1);
        var positions = await Batch.Turn(a, TurnPart.Add(id, "mail")).Turn(b, TurnPart.Remove(id)).Turn(a, TurnPart.Remove(id)).CommitAsync(Store);
        Assert.True(positions[0] > 0 && positions[1] > 0);
        Assert.Equal(0, positions[2]);
        Assert.Empty(await Store.ReadEffectQueuesAsync(Cancel));
        Assert.Equal(0, Store.Status.Effects);
    }

    [Fact]
    public async Task The_batch_belongs_to_the_caller_again_after_the_commit()
    {
        var record = NewRecord("a");
        var id = new EffectId(record.Number, 1, 1, 1);
        await Batch.Turn(record, TurnPart.Set(1, "kept"), TurnPart.Add(id, "mail", 1, 2, 3)).CommitAsync(Store);
        Assert.Equal(record.Head, (await LoadAsync(record.Key)).Head.ToArray());
        Assert.Equal([1, 2, 3], Assert.Single(await Store.ReadEffectsAsync(1, "mail", 0, 10, Cancel)).Task);
    }

    [Fact]
    public async Task A_batch_that_breaks_a_rule_is_refused_and_nothing_of_it_is_written()
    {
        var record = NewRecord("a");
        Batch.Turn(record).Document(1, "workflow", "w", [1]);
        Batch.Batch.Turns[0].TurnId = 0;
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitAsync(Batch.Batch, Cancel).AsTask());
        Batch.Clear();
        Assert.Empty(await Store.ReadJournalAsync(0, 10, Cancel));
        Assert.Empty(await Store.ReadDocumentsAsync(Cancel));
    }

    [Fact]
    public async Task A_commit_that_is_cancelled_before_it_begins_writes_nothing()
    {
        Batch.Turn(NewRecord("a"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.CommitAsync(Batch.Batch, new CancellationToken(canceled: true)).AsTask());
        Assert.Equal(0, Store.Status.JournalPosition);
    }

    [Fact]
    public async Task An_empty_batch_changes_nothing()
    {
        var before = await DumpAsync();
        await Batch.CommitAsync(Store);
        Assert.Equal(before, await DumpAsync());
    }

    [Fact]
    public async Task Reserved_numbers_are_given_once()
    {
        var taken = new HashSet<long>();
        foreach (var count in new[] { 1, 10, 1, 100_000, 3 })
        {
            var first = await Store.ReserveRecordSequencesAsync(count, Cancel);
            Assert.True(first > 0);
            for (var number = first; number < first + count; number++)
            {
                Assert.True(taken.Add(number));
            }
        }
    }
}
