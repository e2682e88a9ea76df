using System.Collections.Concurrent;
using System.Globalization;
using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;
using Roster.Storage.TestKit;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>Reopening, crashes at every stage of a checkpoint, full disks.</summary>
public sealed class SqliteRecoveryTests : IDisposable
{
    private readonly DataFolder _folder = new();
    private readonly TestBatch _batch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Writes => ["create", "change", "section", "timer", "effect", "completion", "activity", "document", "counter"];

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task Each_kind_of_write_is_there_after_a_crash_and_after_a_checkpoint(string kind)
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        var id = new EffectId(1, 1, 1, 1);
        await using var store = await _folder.OpenAsync();
        await _batch.Turn(record, TurnPart.Add(id, "mail", 1)).CommitAsync(store);
        await store.CheckpointAsync(Cancel);
        _ = kind switch
        {
            "create" => _batch.Turn(new TestRecord(new RecordKey(2, 1, "b"), 2)),
            "change" => _batch.Turn(record, TurnPart.Set(1, "x")),
            "section" => _batch.Turn(record, TurnPart.Events(1, 41)).Turn(record, TurnPart.Events(42, 32)),
            "timer" => _batch.Turn(record, TurnPart.Due(7)),
            "effect" => _batch.Turn(record, TurnPart.Add(id with { Step = 2 }, "web", 9)),
            "completion" => _batch.Turn(record, TurnPart.Remove(id)),
            "activity" => _batch.Turn(record, TurnPart.Concerns(1)),
            "document" => _batch.Document(1, "schema", "s", [1]),
            _ => _batch.Count(new CounterKey(1, 0, 0, CounterKind.Duplicate, 0, 0), 5),
        };
        await _batch.CommitAsync(store);
        var expected = await RandomWorkload.DumpAsync(store);
        await AssertSameAsync(_folder.CrashImage(), expected);
        await store.CheckpointAsync(Cancel);
        Assert.Equal(expected, await RandomWorkload.DumpAsync(store));
        await AssertSameAsync(_folder.CrashImage(), expected);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(1_000, false)]
    public async Task A_checkpoint_is_paced_unless_somebody_waits_for_it(int dirtyRecords, bool isPaced)
    {
        var stages = new ConcurrentQueue<string>();
        var ended = new TaskCompletionSource();
        var hooks = new StoreHooks
        {
            CheckpointStage = stage =>
            {
                stages.Enqueue(stage);
                if (stage == "done")
                {
                    ended.TrySetResult();
                }
            },
        };
        var options = new SqliteStoreOptions { Folder = _folder.Path, Hooks = hooks, PacedFrom = 1, CheckpointDirtyRecords = dirtyRecords };
        await using var store = await SqliteRecordStore.OpenAsync(options, Cancel);
        for (var i = 1; i <= 3; i++)
        {
            _batch.Turn(new TestRecord(new RecordKey(1, 1, $"r{i}"), i));
        }

        // As many as make one due, or fewer.
        await _batch.CommitAsync(store);
        if (!isPaced)
        {
            await store.CheckpointAsync(Cancel);
        }

        await ended.Task.WaitAsync(Cancel);
        Assert.Equal(isPaced, stages.Contains("pause"));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task A_crash_at_any_stage_of_a_checkpoint_loses_nothing(int seed)
    {
        var images = new List<(string Stage, DataFolder Image)>();
        var hooks = new StoreHooks();
        var workload = new RandomWorkload(seed);
        await using var store = await _folder.OpenAsync(hooks);
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 60; i++)
            {
                await workload.CommitAsync(store);
            }

            hooks.CheckpointStage = stage => images.Add(($"{round} {stage}", _folder.CrashImage()));
            await store.CheckpointAsync(Cancel);
            hooks.CheckpointStage = null;
            var expected = await RandomWorkload.DumpAsync(store);
            Assert.True(images.Count >= 8);
            foreach (var (_, image) in images)
            {
                await AssertSameAsync(image, expected);
            }

            images.Clear();
        }
    }

    [Fact]
    public async Task Commits_during_a_checkpoint_survive_a_crash_in_it()
    {
        var hooks = new StoreHooks();
        var workload = new RandomWorkload(21);
        await using var store = await _folder.OpenAsync(hooks);
        for (var i = 0; i < 60; i++)
        {
            await workload.CommitAsync(store);
        }

        var stages = 0;
        hooks.CheckpointStage = _ =>
        {
            // On the thread of the checkpoint: it waits while the world goes on.
            workload.CommitAsync(store).GetAwaiter().GetResult();
            stages++;
            var expected = RandomWorkload.DumpAsync(store).GetAwaiter().GetResult();
            AssertSameAsync(_folder.CrashImage(), expected).GetAwaiter().GetResult();
        };
        await store.CheckpointAsync(Cancel);
        Assert.True(stages >= 8);
    }

    [Fact]
    public async Task A_record_that_a_checkpoint_took_while_it_was_committed_again_may_be_forgotten_before_the_next_one()
    {
        // More records than the map remembers when they are clean, and each is written in the delta before and after the freeze.
        var hooks = new StoreHooks();
        var options = new SqliteStoreOptions { Folder = _folder.Path, Hooks = hooks, KnownRecordsMax = 0, RecentLogBytes = 0 };
        var first = NewRecords(1, 4_000);
        await using var store = await SqliteRecordStore.OpenAsync(options, Cancel);
        await CommitAsync(store, first);
        var isCommitted = false;
        hooks.CheckpointStage = _ =>
        {
            if (!isCommitted)
            {
                isCommitted = true;
                CommitAsync(store, first).GetAwaiter().GetResult();
            }
        };
        await store.CheckpointAsync(Cancel);

        // New records push the clean ones out of the map.
        hooks.CheckpointStage = null;
        await CommitAsync(store, NewRecords(4_001, 40_000));
        await store.CheckpointAsync(Cancel);
        await CommitAsync(store, first);
    }

    private static TestRecord[] NewRecords(int from, int count) =>
        [.. Enumerable.Range(from, count).Select(i => new TestRecord(new RecordKey(1, 1, $"r{i}"), i))];

    private static async Task CommitAsync(SqliteRecordStore store, IEnumerable<TestRecord> records)
    {
        foreach (var chunk in records.Chunk(500))
        {
            var batch = new TestBatch();
            foreach (var record in chunk)
            {
                batch.Turn(record);
            }

            await store.CommitAsync(batch.Batch, Cancel);
        }
    }

    [Fact]
    public async Task A_crash_after_a_crash_in_a_checkpoint_loses_nothing()
    {
        DataFolder? image = null;
        var slices = 0;
        var hooks = new StoreHooks { CheckpointStage = stage => image ??= stage == "slice" && ++slices == 4 ? _folder.CrashImage() : null };
        var workload = new RandomWorkload(31);
        await using var store = await _folder.OpenAsync(hooks);
        for (var i = 0; i < 100; i++)
        {
            await workload.CommitAsync(store);
        }

        await store.CheckpointAsync(Cancel);
        var second = await image!.OpenAsync();
        for (var i = 0; i < 50; i++)
        {
            await workload.CommitAsync(store, second);
        }

        var expected = await RandomWorkload.DumpAsync(store);
        Assert.Equal(expected, await RandomWorkload.DumpAsync(second));
        await AssertSameAsync(image.CrashImage(), expected);
        await second.CheckpointAsync(Cancel);
        Assert.Equal(expected, await RandomWorkload.DumpAsync(second));
        await second.DisposeAsync();
        await AssertSameAsync(image, expected);
    }

    [Fact]
    public async Task An_effect_that_is_completed_before_the_checkpoint_never_touches_a_table()
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await using var store = await _folder.OpenAsync();
        await _batch.Turn(record, TurnPart.Add(new EffectId(1, 1, 1, 1), "mail"), TurnPart.Add(new EffectId(1, 1, 1, 2), "mail")).CommitAsync(store);
        await _batch.Turn(record, TurnPart.Remove(new EffectId(1, 1, 1, 1))).CommitAsync(store);
        await store.CheckpointAsync(Cancel);
        using var tables = Database.OpenReader(Path.Combine(_folder.Path, TableFile.FileName), 4096);
        Assert.Equal("1", tables.Query("SELECT count(*) FROM effects"));
    }

    [Fact]
    public async Task Numbers_that_were_reserved_are_not_given_again_after_a_restart()
    {
        long first;
        await using (var store = await _folder.OpenAsync())
        {
            first = await store.ReserveRecordSequencesAsync(10, Cancel);
        }

        await using var again = await _folder.OpenAsync();
        Assert.True(await again.ReserveRecordSequencesAsync(1, Cancel) >= first + 10);
    }

    [Fact]
    public async Task A_checkpoint_takes_heads_from_the_source()
    {
        var source = new Source();
        var records = Enumerable.Range(1, 50).Select(i => new TestRecord(new RecordKey(1, 1, $"r{i}"), i)).ToArray();
        await using var store = await _folder.OpenAsync(new StoreHooks());
        store.UseCheckpointSource(source);
        foreach (var record in records)
        {
            await _batch.Turn(record, TurnPart.Set(1, "first"), TurnPart.Due(5)).CommitAsync(store);
            var position = (await _batch.Turn(record, TurnPart.Set(1, "second")).CommitAsync(store))[0];
            if (record.Number % 2 == 0)
            {
                source.Heads[record.Number] = new DurableHead(position, record.Head);
            }
        }

        // A head that another turn overtook after it was copied is as good.
        source.AfterCopy = () => _batch.Turn(records[1], TurnPart.Set(1, "third"), TurnPart.Due(9)).CommitAsync(store).GetAwaiter().GetResult();
        await store.CheckpointAsync(Cancel);
        Assert.Equal(50, source.Asked);
        var expected = await RandomWorkload.DumpAsync(store);
        Assert.Equal(records.Select(r => Convert.ToHexString(r.Head)), (await store.ScanRecordsAsync(0, 100, Cancel)).Select(r => Convert.ToHexString(r.Head.Span)));
        await AssertSameAsync(_folder.CrashImage(), expected);
    }

    [Fact]
    public async Task A_full_disk_loses_nothing_and_heals()
    {
        Database? log = null;
        var workload = new RandomWorkload(41);
        await using var store = await _folder.OpenAsync(new StoreHooks { LogOpened = database => log = database });
        for (var i = 0; i < 40; i++)
        {
            await workload.CommitAsync(store);
        }

        var before = await RandomWorkload.DumpAsync(store);
        log!.Execute($"PRAGMA max_page_count = {log.Query("PRAGMA page_count")}");
        var (fork, large) = (new TestRecord(new RecordKey(1, 1, "large"), 1_000_000), new string('x', 200_000));
        for (var i = 0; i < 3; i++)
        {
            _batch.Clear().Turn(fork.Fork(), TurnPart.Set(1, large), TurnPart.Add(new EffectId(1, 7, 7, 7), "mail"), TurnPart.Due(3));
            await Assert.ThrowsAsync<StoreFullException>(() => store.CommitAsync(_batch.Batch, Cancel).AsTask());
            Assert.Equal(new long[] { 0 }, _batch.Positions);
            Assert.Equal(before, await RandomWorkload.DumpAsync(store));
        }

        await AssertSameAsync(_folder.CrashImage(), before);
        log.Execute("PRAGMA max_page_count = 1000000");
        Assert.DoesNotContain(0, await _batch.Clear().Turn(fork, TurnPart.Set(1, large)).CommitAsync(store));
        Assert.Equal(fork.Head, (await store.LoadAsync(fork.Number, Cancel)).Head.ToArray());
    }

    [Fact]
    public async Task A_checkpoint_without_room_is_given_up_and_succeeds_later()
    {
        Database? tables = null;
        var hooks = new StoreHooks { TablesOpened = database => tables = database };
        var workload = new RandomWorkload(51);
        await using var store = await _folder.OpenAsync(hooks);
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 60; i++)
            {
                await workload.CommitAsync(store);
            }

            var position = store.Status.CheckpointPosition;
            tables!.Execute($"PRAGMA max_page_count = {PageCount(tables) + (3 * round)}");
            hooks.CheckpointStage = _ => workload.CommitAsync(store).GetAwaiter().GetResult();
            await Assert.ThrowsAsync<StoreFullException>(() => store.CheckpointAsync(Cancel).AsTask());
            hooks.CheckpointStage = null;
            Assert.Equal(position, store.Status.CheckpointPosition);
            await workload.CommitAsync(store);
            var expected = await RandomWorkload.DumpAsync(store);
            await AssertSameAsync(_folder.CrashImage(), expected);
            tables.Execute("PRAGMA max_page_count = 1000000");
            await store.CheckpointAsync(Cancel);
            Assert.Equal(expected, await RandomWorkload.DumpAsync(store));
            await AssertSameAsync(_folder.CrashImage(), expected);
        }
    }

    private static int PageCount(Database database) => int.Parse(database.Query("PRAGMA page_count")!, CultureInfo.InvariantCulture);

    private static async Task AssertSameAsync(DataFolder image, string expected)
    {
        // Twice: what recovery does must not matter to the next recovery.
        using (image)
        {
            for (var i = 0; i < 2; i++)
            {
                await using var store = await image.OpenAsync();
                Assert.Equal(expected, await RandomWorkload.DumpAsync(store));
            }
        }
    }

    private sealed class Source : ICheckpointSource
    {
        public Dictionary<long, DurableHead> Heads { get; } = [];

        public int Asked { get; private set; }

        public Action? AfterCopy { get; set; }

        public ValueTask CopyHeadsAsync(IReadOnlyList<long> recordNumbers, IList<DurableHead?> heads, CancellationToken cancellationToken)
        {
            Asked += recordNumbers.Count;
            for (var i = 0; i < recordNumbers.Count; i++)
            {
                heads[i] = Heads.GetValueOrDefault(recordNumbers[i]);
            }

            AfterCopy?.Invoke();
            AfterCopy = null;
            return default;
        }
    }
}
