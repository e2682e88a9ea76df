using Roster.Core;
using Roster.Engine.Stores;

namespace Roster.Storage.TestKit;

/// <content>Loads and reads of records, sections, timers, effects, documents and counters.</content>
public abstract partial class RecordStoreConformance
{
    [Fact]
    public async Task A_record_that_never_was_is_not_found()
    {
        Assert.False((await LoadAsync(new RecordKey(1, 1, "nobody"))).Found);
        Assert.False((await Store.LoadAsync(4711, Cancel)).Found);
    }

    [Fact]
    public async Task Loads_show_the_newest_turn_by_key_and_by_number()
    {
        var record = NewRecord("a");
        await Batch.Turn(record, TurnPart.Set(1, "old")).CommitAsync(Store);
        var position = (await Batch.Turn(record, TurnPart.Set(1, "new")).CommitAsync(Store))[0];
        foreach (var loaded in new[] { await LoadAsync(record.Key), await Store.LoadAsync(record.Number, Cancel) })
        {
            Assert.Equal((true, record.Number, position), (loaded.Found, loaded.Number, loaded.Position));
            Assert.Equal(record.Head, loaded.Head.ToArray());
        }
    }

    [Fact]
    public async Task Results_are_in_the_order_of_the_keys()
    {
        var records = await FillAsync();
        var keys = records.Reverse().Select(r => r.Key).Append(new RecordKey(1, 1, "nobody")).Prepend(new RecordKey(2, 9, "record-01")).ToArray();
        var results = new LoadedRecord[keys.Length];
        await Store.LoadAsync(keys, results, Cancel);
        Assert.Equal([0, .. records.Reverse().Select(r => r.Number), 0], results.Select(r => r.Number));
        var list = new List<LoadedRecord>();
        await Store.LoadAsync(keys, list, Cancel);
        Assert.Equal(results.Select(r => r.Position), list.Select(r => r.Position));
    }

    [Fact]
    public async Task Loads_by_numbers_are_in_the_order_of_the_numbers()
    {
        var records = await FillAsync();
        var numbers = records.Reverse().Select(r => r.Number).Append(4711).ToArray();
        foreach (var checkpoint in new[] { false, true })
        {
            if (checkpoint)
            {
                await Store.CheckpointAsync(Cancel);
            }

            var loaded = await Store.LoadAsync(numbers, Cancel);
            Assert.Equal([.. records.Reverse().Select(r => r.Number), 0], loaded.Select(r => r.Number));
            Assert.Equal(records.Reverse().Select(r => r.Head), loaded.Take(records.Length).Select(r => r.Head.ToArray()));
            Assert.False(loaded[^1].Found);
        }

        Assert.Empty(await Store.LoadAsync(Array.Empty<long>(), Cancel));
    }

    [Fact]
    public async Task What_a_read_returns_belongs_to_the_caller()
    {
        var record = NewRecord("a");
        await Batch.Turn(record, TurnPart.Events(0, 45)).Document(1, "workflow", "w", [1, 2]).CommitAsync(Store);
        var before = await DumpAsync();
        var loaded = await LoadAsync(record.Key);
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(loaded.Head, out var head));
        head.AsSpan().Clear();
        (await Store.LoadSectionAsync(record.Number, 1, Cancel))!.AsSpan().Clear();
        (await Store.ReadDocumentsAsync(Cancel))[0].Content!.AsSpan().Clear();
        Assert.Equal(before, await DumpAsync());
    }

    [Fact]
    public async Task Sections_are_written_with_their_turn_and_removed()
    {
        var record = NewRecord("a");
        await Batch.Turn(record, TurnPart.Events(0, 41)).CommitAsync(Store);
        var first = await Store.LoadSectionAsync(record.Number, 1, Cancel);
        Assert.Equal(32 * 24, first!.Length);
        await Batch.Turn(record, TurnPart.Events(41, 32)).CommitAsync(Store);
        Assert.Equal(first, await Store.LoadSectionAsync(record.Number, 1, Cancel));
        Assert.NotNull(await Store.LoadSectionAsync(record.Number, 2, Cancel));
        await Batch.Turn(record, TurnPart.Forget(1)).CommitAsync(Store);
        Assert.Null(await Store.LoadSectionAsync(record.Number, 1, Cancel));
        Assert.NotNull(await Store.LoadSectionAsync(record.Number, 2, Cancel));
        Assert.Null(await Store.LoadSectionAsync(4711, 1, Cancel));
    }

    [Fact]
    public async Task Timers_are_one_per_record_in_the_order_of_instant_and_number()
    {
        var records = Enumerable.Range(0, 30).Select(i => NewRecord($"r{i}")).ToArray();
        Array.ForEach(records, record => Batch.Turn(record, TurnPart.Due(900)));
        await Batch.CommitAsync(Store);
        Array.ForEach(records, record => Batch.Turn(record, TurnPart.Due(1000 + (record.Number % 3))));
        await Batch.CommitAsync(Store);
        var expected = records.Select(r => new TimerEntry(new Timestamp(1000 + (r.Number % 3)), r.Number)).Order().ToArray();
        Assert.Equal(expected, await Store.ReadTimersAsync(default, 100, Cancel));
        Assert.Equal(expected[5..12], await Store.ReadTimersAsync(expected[4], 7, Cancel));
        Assert.Empty(await Store.ReadTimersAsync(expected[^1], 7, Cancel));
        Assert.Equal(30, Store.Status.Timers);
    }

    [Fact]
    public async Task DLY_17_Many_timers_of_one_instant_are_read_in_pages_each_once_while_some_fire_and_tables_are_written()
    {
        var records = Enumerable.Range(0, 300).Select(i => NewRecord($"r{i}")).ToArray();
        Array.ForEach(records, record => Batch.Turn(record, TurnPart.Due(record.Number % 10 == 0 ? 2_000 : 1_000)));
        await Batch.CommitAsync(Store);
        await Store.CheckpointAsync(Cancel);
        var expected = records.Select(r => new TimerEntry(new Timestamp(r.Number % 10 == 0 ? 2_000 : 1_000), r.Number)).Order().ToList();
        var read = new List<TimerEntry>();
        while (await Store.ReadTimersAsync(read.LastOrDefault(), 64, Cancel) is { Count: > 0 } page)
        {
            read.AddRange(page);

            // Those that were read fire, and are in no page any more.
            Array.ForEach(records.Where(r => page.Any(t => t.RecordNumber == r.Number)).ToArray(), record => Batch.Turn(record));
            await Batch.CommitAsync(Store);
            if (read.Count == 128)
            {
                await Store.CheckpointAsync(Cancel);
            }
        }

        Assert.Equal(expected, read);
        Assert.Equal(0, Store.Status.Timers);
    }

    [Fact]
    public async Task A_turn_without_a_due_instant_ends_the_timer()
    {
        var record = NewRecord("a");
        await Batch.Turn(record, TurnPart.Due(1000)).CommitAsync(Store);
        await Batch.Turn(record).CommitAsync(Store);
        Assert.Empty(await Store.ReadTimersAsync(default, 10, Cancel));
        Assert.Equal(0, Store.Status.Timers);
    }

    [Fact]
    public async Task Effects_are_read_by_queue_oldest_first()
    {
        var (a, b) = (NewRecord("a"), NewRecord("b", tenant: 2));
        var ids = Enumerable.Range(1, 9).Select(i => new EffectId(a.Number, 1, 1, i)).ToArray();
        await Batch.Turn(a, [.. ids.Select(id => TurnPart.Add(id, id.Execution % 3 == 0 ? "web" : "mail", (byte)id.Execution))]).CommitAsync(Store);
        await Batch.Turn(b, TurnPart.Add(new EffectId(b.Number, 1, 1, 1), "mail", 77)).CommitAsync(Store);
        var mail = await Store.ReadEffectsAsync(1, "mail", 0, 100, Cancel);
        Assert.Equal([1, 2, 4, 5, 7, 8], mail.Select(e => e.Id.Execution));
        Assert.Equal([1, 2, 4, 5, 7, 8], mail.Select(e => (int)e.Task[0]));
        Assert.Equal(mail.Select(e => e.Sequence).Order(), mail.Select(e => e.Sequence));
        Assert.Equal([4, 5], (await Store.ReadEffectsAsync(1, "mail", mail[1].Sequence, 2, Cancel)).Select(e => e.Id.Execution));
        Assert.Equal(77, Assert.Single(await Store.ReadEffectsAsync(2, "mail", 0, 100, Cancel)).Task[0]);
        Assert.Equal(
            [(1, "mail", 6L), (1, "web", 3L), (2, "mail", 1L)],
            (await Store.ReadEffectQueuesAsync(Cancel)).Select(q => (q.Tenant, q.Queue, q.Count)).Order());
    }

    [Fact]
    public async Task The_sequence_of_an_effect_is_the_position_of_its_turn_plus_its_index()
    {
        var record = NewRecord("a");
        TurnPart[] parts = [.. Enumerable.Range(1, 3).Select(i => TurnPart.Add(new EffectId(record.Number, 1, 1, i), "mail"))];
        var position = (await Batch.Turn(record, parts).CommitAsync(Store))[0];
        var next = (await Batch.Turn(record).CommitAsync(Store))[0];
        Assert.Equal([position, position + 1, position + 2], (await Store.ReadEffectsAsync(1, "mail", 0, 9, Cancel)).Select(e => e.Sequence));
        Assert.True(next > position + 2);
    }

    [Fact]
    public async Task Removed_effects_are_not_read()
    {
        var record = NewRecord("a");
        var ids = Enumerable.Range(1, 5).Select(i => new EffectId(record.Number, 1, 1, i)).ToArray();
        await Batch.Turn(record, [.. ids.Select(id => TurnPart.Add(id, "mail"))]).CommitAsync(Store);
        await Batch.Turn(record, TurnPart.Remove(ids[1]), TurnPart.Remove(ids[3])).CommitAsync(Store);
        Assert.Equal([1, 3, 5], (await Store.ReadEffectsAsync(1, "mail", 0, 9, Cancel)).Select(e => e.Id.Execution));
        Assert.Equal(3, Assert.Single(await Store.ReadEffectQueuesAsync(Cancel)).Count);
        Assert.Equal(3, Store.Status.Effects);
        Assert.Empty(await Store.ReadEffectsAsync(1, "other", 0, 9, Cancel));
    }

    [Fact]
    public async Task A_scan_reads_heads_in_the_order_of_numbers()
    {
        var records = await FillAsync();
        var scanned = await Store.ScanRecordsAsync(0, 100, Cancel);
        Assert.Equal(records.Select(r => r.Number), scanned.Select(r => r.Number));
        Assert.Equal(records.Select(r => Convert.ToHexString(r.Head)), scanned.Select(r => Convert.ToHexString(r.Head.Span)));
        Assert.Equal(records.Select(r => r.Number).Skip(4).Take(6), (await Store.ScanRecordsAsync(records[3].Number, 6, Cancel)).Select(r => r.Number));
        Assert.Empty(await Store.ScanRecordsAsync(records[^1].Number, 6, Cancel));
    }

    [Fact]
    public async Task Documents_are_replaced_and_removed_and_need_no_turn()
    {
        await Batch.Document(1, "workflow", "b", [1]).Document(1, "workflow", "a", [2]).Document(0, "tenant", "t", []).CommitAsync(Store);
        await Batch.Document(1, "workflow", "b", [3, 4]).Document(1, "schema", "a", [5]).CommitAsync(Store);
        await Batch.Document(1, "workflow", "a", null).Document(1, "workflow", "never", null).CommitAsync(Store);
        var documents = await Store.ReadDocumentsAsync(Cancel);
        Assert.Equal(["0 tenant t ", "1 schema a 05", "1 workflow b 0304"], documents.Select(d => $"{d.Tenant} {d.Kind} {d.Id} {Convert.ToHexString(d.Content!)}"));
        Assert.Empty(await Store.ReadJournalAsync(0, 10, Cancel));
    }

    [Fact]
    public async Task Counters_add_up_by_tenant_and_need_no_turn()
    {
        var (mine, other) = (new CounterKey(1, 2, 3, CounterKind.StepFinished, 4, 5), new CounterKey(2, 0, 0, CounterKind.Duplicate, 0, 0));
        await Batch.Count(mine, 2).Count(other, 1).CommitAsync(Store);
        await Batch.Count(mine, 40).Count(mine with { Code = 6 }, -1).CommitAsync(Store);
        Assert.Equal(
            [KeyValuePair.Create(mine, 42L), KeyValuePair.Create(mine with { Code = 6 }, -1L)],
            (await Store.ReadCountersAsync(1, Cancel)).OrderBy(c => c.Key.Code));
        Assert.Equal([KeyValuePair.Create(other, 1L)], await Store.ReadCountersAsync(2, Cancel));
        Assert.Empty(await Store.ReadCountersAsync(3, Cancel));
    }

    [Fact]
    public async Task Counters_of_some_kinds_are_summed_over_workflows()
    {
        var enrolled = new CounterKey(1, 2, 3, CounterKind.Enrolled, 4, 5);
        await Batch.Count(enrolled, 2).Count(enrolled with { Workflow = 7 }, 40).Count(enrolled with { Tenant = 2 }, 9).Count(enrolled with { Kind = CounterKind.Duplicate }, 1).CommitAsync(Store);
        await Batch.Count(enrolled, 100).Count(enrolled with { Workflow = 0, Kind = CounterKind.RecordCreated }, 5).CommitAsync(Store);
        var sums = await Store.SumCountersAsync(1, [CounterKind.RecordCreated, CounterKind.Enrolled, CounterKind.Ended], Cancel);
        Assert.Equal([(CounterKind.Enrolled, 142L), (CounterKind.RecordCreated, 5L)], sums.Select(sum => (sum.Key, sum.Value)).Order());
    }

    [Fact]
    public async Task A_checkpoint_changes_nothing_that_can_be_read()
    {
        await FillAsync();
        var before = await DumpAsync();
        var result = await Store.CheckpointAsync(Cancel);
        Assert.Equal(Store.Status.JournalPosition, result.Position);
        Assert.Equal(before, await DumpAsync());
        await Store.CheckpointAsync(Cancel);
        Assert.Equal(before, await DumpAsync());
    }

    [Fact]
    public async Task What_a_commit_wrote_is_seen_by_reads_from_other_threads_while_commits_go_on()
    {
        var records = await FillAsync();
        var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            var last = new long[records.Length];
            while (!done.IsCancellationRequested)
            {
                var results = new LoadedRecord[records.Length];
                await Store.LoadAsync(records.Select(r => r.Key).ToArray(), results, Cancel);
                for (var i = 0; i < results.Length; i++)
                {
                    Assert.True(results[i].Position >= last[i]);
                    last[i] = results[i].Position;
                }
            }
        }, Cancel)).ToArray();
        for (var i = 0; i < 300; i++)
        {
            var record = records[i % records.Length];
            var position = (await Batch.Turn(record, TurnPart.Set(2, $"v{i}")).CommitAsync(Store))[0];
            Assert.Equal(position, (await LoadAsync(record.Key)).Position);
            if (i % 100 == 50)
            {
                await Store.CheckpointAsync(Cancel);
            }
        }

        await done.CancelAsync();
        await Task.WhenAll(readers);
        done.Dispose();
    }
}
