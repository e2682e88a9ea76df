using System.Collections.Concurrent;
using Roster.Core;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Storage.Sqlite.Internal;
using Roster.Storage.TestKit;
using Roster.V1;
using Timestamp = Roster.Core.Timestamp;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>Old turns go out of the log: by size, by age, whatever comes in between.</summary>
public sealed class RetentionTests : RetentionConformance, IDisposable
{
    private readonly DataFolder _folder = new();
    private readonly TestBatch _batch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    protected override async Task<IRecordStore> OpenAsync() => await _folder.OpenAsync();

    protected override async Task<IRecordStore> ReopenAndRemoveAsync(Func<IRecordStore, Task> commit)
    {
        var (store, removals) = await OpenAsync(keepBytes: 1_500);
        await commit(store);
        await CheckpointAsync(store, removals);
        return store;
    }

    [Fact]
    public async Task Turns_that_are_younger_than_the_limit_stay()
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        var clock = new ManualClock(DateTimeOffset.UnixEpoch);
        var (store, removals) = await OpenAsync(keepAge: TimeSpan.FromHours(1), clock: clock);
        await using var disposed = store;
        for (var i = 0; i < 40; i++)
        {
            await _batch.Turn(record).CommitAsync(store);
        }

        await CheckpointAsync(store, removals);
        var turns = await store.ReadJournalAsync(0, 100, Cancel);
        Assert.Equal(40, turns.Count);
        clock.MoveTo(DateTimeOffset.FromUnixTimeMilliseconds(TurnDecoder.ReadSkeleton(turns[25].Skeleton.Span, []).At.Ms).AddHours(1));
        await _batch.Turn(record).CommitAsync(store);
        await CheckpointAsync(store, removals);
        Assert.Equal(turns[25].Position, store.Status.JournalBegin);
        Assert.Equal(turns.Skip(25).Select(turn => turn.Position), (await store.ReadJournalAsync(0, 15, Cancel)).Select(turn => turn.Position));

        // All are too old now. The newest batch stays: it says where the log ends.
        clock.MoveTo(clock.GetUtcNow().AddDays(1));
        await _batch.Turn(record).CommitAsync(store);
        await CheckpointAsync(store, removals);
        Assert.Single(await store.ReadJournalAsync(0, 100, Cancel));
    }

    [Fact]
    public async Task What_no_checkpoint_has_stays()
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        var (store, removals) = await OpenAsync(keepBytes: 1);
        await using var disposed = store;
        await _batch.Turn(record).CommitAsync(store);
        await CheckpointAsync(store, removals);
        var positions = new List<long>();
        for (var i = 0; i < 20; i++)
        {
            positions.AddRange(await _batch.Turn(record).CommitAsync(store));
        }

        Assert.Equal(20, (await store.ReadJournalAsync(positions[0] - 1, 100, Cancel)).Count);
        using var image = _folder.CrashImage();
        await using var again = await image.OpenAsync();
        Assert.Equal(record.Head, (await again.LoadAsync(1, Cancel)).Head.ToArray());
    }

    [Theory]
    [InlineData(121)]
    [InlineData(122)]
    public async Task Random_commits_with_old_turns_going_all_the_time_are_as_in_memory(int seed)
    {
        var random = new Random(seed);
        var workload = new RandomWorkload(seed);
        await using var model = new VolatileRecordStore();
        var (store, removals) = await OpenAsync(keepBytes: 3_000);
        for (var i = 0; i < 400; i++)
        {
            await workload.CommitAsync(model, store);
            switch (random.Next(40))
            {
                case 0:
                    await CheckpointAsync(store, removals);
                    break;
                case 1:
                    await store.DisposeAsync();
                    var report = await SqliteFolder.CheckAsync(_folder.Path, isDeep: true, Cancel);
                    Assert.Empty(report.Faults);
                    (store, removals) = await OpenAsync(keepBytes: 3_000);
                    break;
                case 2:
                    Assert.Equal(await StateAsync(model), await StateAsync(store));
                    break;
            }
        }

        await CheckpointAsync(store, removals);
        Assert.True(store.Status.JournalBegin > 0);
        Assert.Equal(await StateAsync(model), await StateAsync(store));
        await store.DisposeAsync();
    }

    [Fact]
    public async Task A_crash_between_the_new_begin_and_the_removal_of_rows_harms_nothing()
    {
        var images = new List<DataFolder>();
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        var hooks = new StoreHooks();
        var (store, removals) = await OpenAsync(keepBytes: 1, hooks: hooks);
        hooks.CheckpointStage = stage =>
        {
            if (stage == "slice" && store.Status.JournalBegin > 0)
            {
                images.Add(_folder.CrashImage());
            }
        };
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 300; i++)
            {
                await _batch.Turn(record, TurnPart.Concerns(1)).CommitAsync(store);
            }

            await CheckpointAsync(store, removals);
        }

        await store.DisposeAsync();
        Assert.NotEmpty(images);
        foreach (var image in images)
        {
            using (image)
            {
                Assert.Empty((await SqliteFolder.CheckAsync(image.Path, isDeep: true, Cancel)).Faults);
                await using (var again = await image.OpenAsync())
                {
                    var begin = again.Status.JournalBegin;
                    Assert.All(await again.ReadJournalAsync(0, 1000, Cancel), turn => Assert.True(turn.Position >= begin));
                    Assert.Equal(-1, (await again.ReadTimelineAsync(1, 0, 1000, Cancel))[^1].Previous);
                }

                // Rows that were on their way out go at the next opening with a retention.
                var (third, removed) = await OpenAsync(image, keepBytes: 1);
                await removed.Reader.ReadAsync(Cancel);
                await third.DisposeAsync();
                using var log = Database.OpenReader(Path.Combine(image.Path, LogFile.FileName), 4096);
                Assert.Equal("0", log.Query("SELECT count(*) FROM log WHERE start < (SELECT value FROM meta WHERE name = 'begin')"));
            }
        }
    }

    [Fact]
    public async Task Reads_of_all_kinds_go_on_while_old_turns_go()
    {
        var records = Enumerable.Range(1, 20).Select(i => new TestRecord(new RecordKey(1, 1, $"r{i}"), i)).ToArray();
        var (store, removals) = await OpenAsync(keepBytes: 1);
        await using var disposed = store;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        foreach (var record in records)
        {
            await _batch.Turn(record, TurnPart.Add(new EffectId(record.Number, 1, 1, 1), "mail", 1), TurnPart.Concerns(1)).CommitAsync(store);
        }

        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() => ReadAsync(store, records.Length, stop.Token), Cancel)).ToArray();
        for (var round = 0; round < 60; round++)
        {
            foreach (var record in records)
            {
                _batch.Turn(record, TurnPart.Events(1 + (round * 40), 40), TurnPart.Concerns(1));
            }

            await _batch.CommitAsync(store);
            await store.CheckpointAsync(Cancel);
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers);
        await CheckpointAsync(store, removals, isWithCommit: true);
        Assert.True(store.Status.JournalBegin > 0);
        Assert.Equal(records.Select(r => Convert.ToHexString(r.Head)), (await store.ScanRecordsAsync(0, 100, Cancel)).Take(20).Select(h => Convert.ToHexString(h.Head.Span)));
    }

    [Fact]
    public async Task A_backup_begins_where_its_journal_does()
    {
        using var other = new DataFolder();
        var (backup, restored) = (Path.Combine(other.Path, "backup"), Path.Combine(other.Path, "restored"));
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        var applied = new CounterKey(1, 0, 0, CounterKind.Applied, 0, 0);
        long begin;
        var (store, removals) = await OpenAsync(keepBytes: 400);
        for (var i = 0; i < 30; i++)
        {
            await _batch.Turn(record, TurnPart.Concerns(1)).Count(applied, 1).CommitAsync(store);
        }

        await CheckpointAsync(store, removals);
        begin = store.Status.JournalBegin;
        var removed = await store.ReadRemovedCountersAsync(1, Cancel);
        await store.BackupAsync(backup, Cancel);
        await store.DisposeAsync();
        await SqliteFolder.RestoreAsync(backup, restored, Cancel);
        var report = await SqliteFolder.CheckAsync(restored, isDeep: true, Cancel);
        Assert.Empty(report.Faults);
        Assert.Equal((begin, 0L), (report.JournalBegin, report.Replayed));
        await using var again = await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = restored }, Cancel);
        Assert.Equal(begin, again.Status.JournalBegin);
        Assert.Equal(removed, await again.ReadRemovedCountersAsync(1, Cancel));
        Assert.True(removed!.Single().Value is > 0 and < 30);
    }

    [Fact]
    public async Task Tables_that_are_older_than_the_begin_of_the_log_are_refused_and_found()
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        var tables = Path.Combine(_folder.Path, TableFile.FileName);
        await (await _folder.OpenAsync()).DisposeAsync();
        File.Copy(tables, tables + ".old");
        var (store, removals) = await OpenAsync(keepBytes: 1);
        for (var i = 0; i < 5; i++)
        {
            await _batch.Turn(record).CommitAsync(store);
        }

        await CheckpointAsync(store, removals);
        await store.DisposeAsync();
        File.Move(tables + ".old", tables, overwrite: true);
        await Assert.ThrowsAsync<StoreCorruptException>(() => _folder.OpenAsync());
        Assert.Contains(
            (await SqliteFolder.CheckAsync(_folder.Path, isDeep: false, Cancel)).Faults,
            fault => fault.What.Contains("the log begins here", StringComparison.Ordinal));
    }

    [Fact]
    public async Task To_erase_a_turn_that_is_gone_changes_nothing()
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        var (store, removals) = await OpenAsync(keepBytes: 1);
        await using var disposed = store;
        var first = (await _batch.Turn(record).CommitAsync(store))[0];
        for (var i = 0; i < 5; i++)
        {
            await _batch.Turn(record).CommitAsync(store);
        }

        await CheckpointAsync(store, removals);
        await store.EraseAsync(new Erasure([new RewrittenTurn(first, ReadOnlyMemory<byte>.Empty)]), Cancel);
        await store.ScrubAsync(Cancel);
        Assert.Equal(record.Head, (await store.LoadAsync(1, Cancel)).Head.ToArray());
    }

    [Fact]
    public async Task HIS_08_MET_01_Past_retention_what_rules_need_stays_and_the_recount_starts_at_the_base()
    {
        var (store, removals) = await OpenAsync(keepBytes: 5_000);
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Text("stage", "x")));
        await harness.PublishAsync("""
            { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
              "goals": [ { "id": "won", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["won"] } ] } ] } } ],
              "steps": [ { "id": "d", "delay": { "amount": 9, "unit": "DAYS" } } ] }
            """);
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "won")));
        await harness.SendAsync(harness.Event("waits", "go"));
        for (var i = 0; i < 100; i++)
        {
            await harness.SendAsync(harness.Event("busy", "", EngineHarness.Text("stage", $"{i}")));
        }

        await CheckpointAsync(store, removals);
        await harness.SendAsync(harness.Event("ada", "go"), harness.Event("new", "go"));
        var timeline = await TimelineAsync(harness, "ada");
        Assert.True(timeline.OlderRemoved);
        Assert.Equal(Decision.Types.Code.ReenrollmentOff, timeline.Entries.Single(e => e.Kind == JournalEntry.Types.Kind.EnrollmentRefused).Decision);
        Assert.True((await TimelineAsync(harness, "seed")).OlderRemoved);
        Assert.False((await TimelineAsync(harness, "new")).OlderRemoved);
        Assert.Equal(1, Assert.Single((await harness.RecordAsync("ada")).Summaries).TimesEnrolled);
        Assert.Equal(3, (await harness.StatsAsync("w")).Enrolled);
        var history = await harness.Engine.GetEnrollmentHistoryAsync(EngineHarness.Tenant, new GetEnrollmentHistoryRequest { WorkflowId = "w" }, Cancel);
        Assert.True(history.OlderRemoved);

        var status = await harness.Engine.GetStatusAsync(Cancel);
        Assert.Equal(store.Status.JournalBegin, status.JournalBegin);
        Assert.Equal(EngineHarness.Start, status.JournalBeginAt.ToDateTimeOffset());
        var pages = new List<ReadJournalResponse>();
        await foreach (var page in harness.Engine.ReadJournalAsync(EngineHarness.Tenant, new ReadJournalRequest(), Cancel))
        {
            pages.Add(page);
        }

        Assert.True(pages[0].OlderRemoved);

        var verified = await harness.Engine.VerifyAsync(Cancel);
        Assert.Empty(verified.Differences);
        Assert.Equal(verified.StateHash, verified.ReplayHash);
        Assert.Equal((status.JournalBegin, 4L, false), (verified.JournalBegin, verified.PartlyReplayed, verified.CountersSkipped));
        Assert.True(verified.Counters > 5);
    }

    private static Task<GetTimelineResponse> TimelineAsync(EngineHarness harness, string id) => harness.Engine.GetTimelineAsync(
        EngineHarness.Tenant, new GetTimelineRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = id } }, Cancel).AsTask();

    private static async Task ReadAsync(SqliteRecordStore store, int records, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            for (var number = 1; number <= records; number++)
            {
                Assert.True((await store.LoadAsync(number, Cancel)).Found);
                await store.LoadSectionAsync(number, 1, Cancel);
                await store.ReadTimelineAsync(number, 0, 100, Cancel);
            }

            Assert.Equal(records, (await store.ReadEffectsAsync(1, "mail", 0, 100, Cancel)).Count);
            await store.ReadJournalAsync(0, 1000, Cancel);
            await store.ReadActivityAsync(1, 1, 0, 1000, Cancel);
        }
    }

    /// <summary>All that does not depend on the journal.</summary>
    private static async Task<string> StateAsync(IRecordStore store)
    {
        var text = new List<string>();
        foreach (var head in await store.ScanRecordsAsync(0, 10_000, Cancel))
        {
            text.Add($"{head.Number} {Convert.ToHexString(head.Head.Span)}");
            for (var section = 1; section < 5; section++)
            {
                text.Add(Convert.ToHexString(await store.LoadSectionAsync(head.Number, section, Cancel) ?? []));
            }
        }

        text.AddRange((await store.ReadTimersAsync(default, 10_000, Cancel)).Select(timer => $"{timer}"));
        foreach (var queue in (await store.ReadEffectQueuesAsync(Cancel)).OrderBy(q => q.Tenant).ThenBy(q => q.Queue, StringComparer.Ordinal))
        {
            text.AddRange((await store.ReadEffectsAsync(queue.Tenant, queue.Queue, 0, 10_000, Cancel)).Select(e => $"{e.Id} {Convert.ToHexString(e.Task)}"));
        }

        foreach (var tenant in RandomWorkload.Tenants)
        {
            text.AddRange((await store.ReadCountersAsync(tenant, Cancel)).Where(c => c.Value != 0).Select(c => $"{c}").Order(StringComparer.Ordinal));
        }

        text.AddRange((await store.ReadDocumentsAsync(Cancel)).Select(d => $"{d.Tenant} {d.Kind} {d.Id} {Convert.ToHexString(d.Content!)}"));
        return string.Join('\n', text);
    }

    /// <summary>Writes a checkpoint and waits until old turns were removed after it.</summary>
    private async Task CheckpointAsync(SqliteRecordStore store, System.Threading.Channels.Channel<long> removals, bool isWithCommit = false)
    {
        if (isWithCommit)
        {
            await _batch.Turn(new TestRecord(new RecordKey(7, 1, "last"), 1_000)).CommitAsync(store);
        }

        while (removals.Reader.TryRead(out _))
        {
        }

        await store.CheckpointAsync(Cancel);
        await removals.Reader.ReadAsync(Cancel);
    }

    private Task<(SqliteRecordStore Store, System.Threading.Channels.Channel<long> Removals)> OpenAsync(
        long? keepBytes = null, TimeSpan? keepAge = null, TimeProvider? clock = null, StoreHooks? hooks = null) => OpenAsync(_folder, keepBytes, keepAge, clock, hooks);

    private static async Task<(SqliteRecordStore Store, System.Threading.Channels.Channel<long> Removals)> OpenAsync(
        DataFolder folder, long? keepBytes = null, TimeSpan? keepAge = null, TimeProvider? clock = null, StoreHooks? hooks = null)
    {
        var removals = System.Threading.Channels.Channel.CreateUnbounded<long>();
        hooks ??= new StoreHooks();
        hooks.OldTurnsRemoved = begin => removals.Writer.TryWrite(begin);
        var store = await SqliteRecordStore.OpenAsync(
            new SqliteStoreOptions
            {
                Folder = folder.Path,
                JournalKeepBytes = keepBytes,
                JournalKeepAge = keepAge,
                Time = clock ?? TimeProvider.System,
                Hooks = hooks,
                RecentLogBytes = 0,
            },
            Cancel);

        // Once at the opening.
        var begin = await removals.Reader.ReadAsync(Cancel);
        removals.Writer.TryWrite(begin);
        return (store, removals);
    }
}
