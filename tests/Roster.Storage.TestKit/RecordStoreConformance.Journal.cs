using Roster.Engine.Stores;
using Roster.Engine.Turns;

namespace Roster.Storage.TestKit;

/// <content>Timelines, journal and activity.</content>
public abstract partial class RecordStoreConformance
{
    [Fact]
    public async Task A_timeline_is_the_turns_of_one_record_newest_first()
    {
        var (record, other) = (NewRecord("a"), NewRecord("b"));
        var positions = new List<long>();
        for (var i = 0; i < 10; i++)
        {
            positions.Add((await Batch.Turn(record, TurnPart.Set(1, $"v{i}")).Turn(other).CommitAsync(Store))[0]);
        }

        positions.Reverse();
        var turns = await Store.ReadTimelineAsync(record.Number, 0, 100, Cancel);
        Assert.Equal(positions, turns.Select(t => t.Position));
        Assert.Equal([.. positions[1..], 0], turns.Select(t => t.Previous));
        Assert.All(turns, turn => Assert.Equal(record.Number, TurnDecoder.Decode(turn).Info.RecordNumber));
        Assert.Equal(positions[3..6], (await Store.ReadTimelineAsync(record.Number, positions[2], 3, Cancel)).Select(t => t.Position));
        Assert.Equal(positions[3..], (await Store.ReadTimelineAsync(record.Number, positions[3] + 1, 100, Cancel)).Select(t => t.Position));
        Assert.Empty(await Store.ReadTimelineAsync(record.Number, positions[^1], 3, Cancel));
        Assert.Empty(await Store.ReadTimelineAsync(4711, 0, 3, Cancel));
    }

    [Fact]
    public async Task The_journal_is_all_turns_in_commit_order()
    {
        var (a, b) = (NewRecord("a"), NewRecord("b", tenant: 2));
        var positions = new List<long>();
        for (var i = 0; i < 10; i++)
        {
            positions.AddRange(await Batch.Turn(a, TurnPart.Set(1, $"v{i}")).Turn(b).Turn(a).CommitAsync(Store));
        }

        var turns = await Store.ReadJournalAsync(0, 100, Cancel);
        Assert.Equal(positions, turns.Select(t => t.Position));
        Assert.Equal(positions[4..9], (await Store.ReadJournalAsync(positions[3], 5, Cancel)).Select(t => t.Position));
        Assert.Equal(positions[4..], (await Store.ReadJournalAsync(positions[4] - 1, 100, Cancel)).Select(t => t.Position));
        Assert.Empty(await Store.ReadJournalAsync(positions[^1], 5, Cancel));
        Assert.Equal("v9", TurnDecoder.Decode(turns[27]).Entries[0].Value.Text);
    }

    [Fact]
    public async Task A_long_journal_is_read_to_its_end_although_each_read_is_bounded()
    {
        var record = NewRecord("a");
        var large = new string('x', 100_000);
        for (var i = 0; i < 10; i++)
        {
            Batch.Turn(record, [.. Enumerable.Range(1, 12).Select(property => TurnPart.Set(property, large))]);
        }

        var positions = await Batch.CommitAsync(Store);
        var read = new List<long>();
        while (await Store.ReadJournalAsync(read.LastOrDefault(), 1000, Cancel) is { Count: > 0 } turns)
        {
            Assert.True(turns.Count < 10);
            read.AddRange(turns.Select(t => t.Position));
        }

        Assert.Equal(positions, read);
    }

    [Fact]
    public async Task Activity_is_the_turns_that_concern_a_workflow_newest_first()
    {
        var (a, b) = (NewRecord("a"), NewRecord("b", tenant: 2));
        var positions = new List<long>();
        for (var i = 0; i < 10; i++)
        {
            positions.Add((await Batch.Turn(a, TurnPart.Concerns(1), TurnPart.Concerns(3)).Turn(b, TurnPart.Concerns(1)).Turn(a, TurnPart.Concerns(2)).CommitAsync(Store))[0]);
        }

        positions.Reverse();
        Assert.Equal(positions, (await Store.ReadActivityAsync(1, 1, 0, 100, Cancel)).Select(t => t.Position));
        Assert.Equal(positions[3..6], (await Store.ReadActivityAsync(1, 3, positions[2], 3, Cancel)).Select(t => t.Position));
        Assert.Equal(10, (await Store.ReadActivityAsync(2, 1, 0, 100, Cancel)).Count);
        Assert.Empty(await Store.ReadActivityAsync(1, 4, 0, 100, Cancel));
    }

    [Fact]
    public async Task A_turn_that_concerns_a_workflow_twice_is_listed_once()
    {
        var record = NewRecord("a");
        await Batch.Turn(record, TurnPart.Concerns(1), TurnPart.Concerns(1)).CommitAsync(Store);
        Assert.Single(await Store.ReadActivityAsync(1, 1, 0, 10, Cancel));
    }

    [Fact]
    public async Task Skeleton_and_payload_come_back_as_they_were_given()
    {
        var record = NewRecord("a");
        Batch.Turn(record, TurnPart.Set(1, "text"), TurnPart.Events(1, 3));
        var turn = Batch.Batch.Turns[0];
        var skeleton = Batch.Batch.Bytes.Written.Slice(turn.Skeleton.Start, turn.Skeleton.Length).ToArray();
        var payload = Batch.Batch.Bytes.Written.Slice(turn.Payload.Start, turn.Payload.Length).ToArray();
        await Batch.CommitAsync(Store);
        var read = Assert.Single(await Store.ReadJournalAsync(0, 10, Cancel));
        Assert.Equal(skeleton, read.Skeleton.ToArray());
        Assert.Equal(payload, read.Payload.ToArray());
    }
}
