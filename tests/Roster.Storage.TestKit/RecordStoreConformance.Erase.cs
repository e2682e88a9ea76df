using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.TestKit;

/// <content>Erasure (REC-17).</content>
public abstract partial class RecordStoreConformance
{
    [Fact]
    public async Task REC_17_Erased_turns_have_the_payloads_that_were_given_and_nothing_else_changes()
    {
        var records = await FillAsync();
        var before = await Store.ReadJournalAsync(0, 1_000, Cancel);
        var chain = await Store.ReadTimelineAsync(records[4].Number, 0, 100, Cancel);
        byte[] shorter = [1, 2, 3];
        RewrittenTurn[] turns = [new(chain[0].Position, default), new(chain[1].Position, shorter)];
        var heads = await HeadsAsync(records);
        Assert.True(chain.Count > 1);
        await Store.EraseAsync(new Erasure(turns), Cancel);
        for (var repeat = 0; repeat < 2; repeat++)
        {
            var after = await Store.ReadJournalAsync(0, 1_000, Cancel);
            Assert.Equal(before.Select(t => (t.Position, t.Previous, Convert.ToHexString(t.Skeleton.Span))), after.Select(t => (t.Position, t.Previous, Convert.ToHexString(t.Skeleton.Span))));
            foreach (var (was, now) in before.Zip(after))
            {
                var expected = was.Position == turns[0].Position ? default : was.Position == turns[1].Position ? shorter : was.Payload;
                Assert.Equal(expected.ToArray(), now.Payload.ToArray());
            }

            Assert.Equal([[], shorter], (await Store.ReadTimelineAsync(records[4].Number, 0, 2, Cancel)).Select(t => t.Payload.ToArray()));
            Assert.Contains(await Store.ReadActivityAsync(records[4].Key.Tenant, 2, 0, 100, Cancel), t => t.Position == turns[0].Position && t.Payload.IsEmpty);
            Assert.Equal(heads, await HeadsAsync(records));
            await Store.EraseAsync(new Erasure(turns), Cancel);
        }
    }

    [Fact]
    public async Task REC_17_Effects_sections_timers_and_counters_outlive_the_erasure_of_the_turns_that_made_them()
    {
        var records = await FillAsync();
        var sections = await SectionsAsync(records);
        var (effects, timers) = (await Store.ReadEffectsAsync(1, "mail", 0, 100, Cancel), await Store.ReadTimersAsync(default, 100, Cancel));
        var (counters, status) = (await Store.ReadCountersAsync(1, Cancel), Store.Status);
        var turns = (await Store.ReadJournalAsync(0, 1_000, Cancel)).Select(t => new RewrittenTurn(t.Position, default)).ToArray();
        await Store.EraseAsync(new Erasure(turns), Cancel);
        Assert.Equal(sections, await SectionsAsync(records));
        Assert.Equal(effects.Select(Text), (await Store.ReadEffectsAsync(1, "mail", 0, 100, Cancel)).Select(Text));
        Assert.Equal(timers, await Store.ReadTimersAsync(default, 100, Cancel));
        Assert.Equal(counters.ToHashSet(), (await Store.ReadCountersAsync(1, Cancel)).ToHashSet());
        Assert.Equal(status with { CheckpointPosition = 0 }, Store.Status with { CheckpointPosition = 0 });

        // Life goes on, also for the records whose turns were emptied.
        Batch.Turn(records[0], TurnPart.Set(1, "b"), TurnPart.Remove(new EffectId(records[0].Number, 1, 1, 1)));
        Assert.All(await Batch.CommitAsync(Store), position => Assert.NotEqual(0, position));
        Assert.Equal(records[0].Head, (await LoadAsync(records[0].Key)).Head.ToArray());
    }

    [Fact]
    public async Task REC_17_Scrubbing_changes_nothing_that_can_be_read()
    {
        var records = await FillAsync();
        var before = await DumpAsync();
        await Store.ScrubAsync(Cancel);
        await Store.ScrubAsync(Cancel);
        Assert.Equal(before, await DumpAsync());
        Assert.All(await Batch.Turn(records[0], TurnPart.Set(1, "b")).Turn(NewRecord("new")).CommitAsync(Store), position => Assert.NotEqual(0, position));
    }

    [Fact]
    public async Task REC_17_A_renamed_key_names_the_same_record_and_the_former_one_names_none()
    {
        var record = NewRecord("ada@example.com");
        await Batch.Turn(record, TurnPart.Set(1, "a")).Turn(NewRecord("other")).CommitAsync(Store);
        var to = record.Key with { Id = "erased" };
        for (var repeat = 0; repeat < 2; repeat++)
        {
            await Store.EraseAsync(new Erasure([], new RenamedKey(record.Key, to)), Cancel);
            Assert.False((await LoadAsync(record.Key)).Found);
            Assert.Equal((true, record.Number), ((await LoadAsync(to)).Found, (await LoadAsync(to)).Number));
            Assert.True((await Store.LoadAsync(record.Number, Cancel)).Found);
        }

        var taken = await Batch.Turn(new TestRecord(to, 4711), TurnPart.Set(1, "b")).CommitAsync(Store);
        Assert.Equal([0L], taken);
    }

    [Fact]
    public async Task REC_17_A_payload_that_is_too_long_or_for_no_turn_changes_nothing()
    {
        var record = NewRecord("a");
        var positions = await Batch.Turn(record, TurnPart.Set(1, "v1")).Turn(record, TurnPart.Set(1, "v2")).CommitAsync(Store);
        var before = await DumpAsync();
        var tooLong = new RewrittenTurn(positions[1], new byte[1_000]);
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.EraseAsync(new Erasure([new RewrittenTurn(positions[0], default), tooLong]), Cancel));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.EraseAsync(new Erasure([new RewrittenTurn(positions[0], default), new RewrittenTurn(positions[1] + 1, default)]), Cancel));
        Assert.Equal(before, await DumpAsync());
    }

    private static string Text(StoredEffect effect) => $"{effect.Sequence} {effect.Id} {Convert.ToHexString(effect.Task)}";

    private async Task<List<string>> HeadsAsync(IEnumerable<TestRecord> records)
    {
        var heads = new List<string>();
        foreach (var record in records)
        {
            heads.Add(Convert.ToHexString((await LoadAsync(record.Key)).Head.Span));
        }

        return heads;
    }

    private async Task<List<string>> SectionsAsync(IEnumerable<TestRecord> records)
    {
        var sections = new List<string>();
        foreach (var record in records)
        {
            sections.Add(Convert.ToHexString(await Store.LoadSectionAsync(record.Number, 1, Cancel) ?? []));
        }

        return sections;
    }
}
