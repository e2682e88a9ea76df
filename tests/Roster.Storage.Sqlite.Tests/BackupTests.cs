using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;
using Roster.Storage.TestKit;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>Backups of a store that is in use, and what is made of them.</summary>
public sealed class BackupTests : IDisposable
{
    private readonly DataFolder _folder = new();
    private readonly DataFolder _other = new();
    private readonly TestBatch _batch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Backup => Path.Combine(_other.Path, "backup");

    private string Restored => Path.Combine(_other.Path, "restored");

    public void Dispose()
    {
        _folder.Dispose();
        _other.Dispose();
    }

    [Theory]
    [InlineData(61)]
    [InlineData(62)]
    public async Task A_backup_has_what_was_committed_before_it_and_goes_on_by_itself(int seed)
    {
        var workload = new RandomWorkload(seed);
        await using var store = await _folder.OpenAsync();
        await CommitAsync(workload, store, 100);
        var expected = await RandomWorkload.DumpAsync(store);
        var taken = await store.BackupAsync(Backup, Cancel);
        Assert.Equal((store.Status.JournalPosition, store.Status.Records), (taken.Position, taken.Records));
        Assert.Equal(["backup.json", "log.db", "tables.db"], Names(Backup));

        // The original goes on, and the backup does not.
        await CommitAsync(workload, store, 20);
        await SqliteFolder.RestoreAsync(Backup, Restored, Cancel);
        Assert.Equal(["log.db", "tables.db"], Names(Restored));
        await using var restored = await OpenAsync(Restored);
        Assert.Equal(expected, await RandomWorkload.DumpAsync(restored));
        await _batch.Turn(new TestRecord(new RecordKey(9, 1, "new"), 1_000_000)).CommitAsync(restored);
        await restored.CheckpointAsync(Cancel);
        Assert.Empty(Directory.GetDirectories(_other.Path, "*.partial*"));
    }

    [Theory]
    [InlineData(71, 1_000_000)]
    [InlineData(72, 5)]
    [InlineData(73, 1)]
    public async Task A_backup_under_load_is_one_moment_of_the_store(int seed, int checkpointDirtyRecords)
    {
        // Commits and checkpoints come between any two steps; the copy must be what the store was after one of the commits.
        var hooks = new StoreHooks();
        var workload = new RandomWorkload(seed);
        await using var store = await SqliteRecordStore.OpenAsync(
            new SqliteStoreOptions { Folder = _folder.Path, Hooks = hooks, CheckpointDirtyRecords = checkpointDirtyRecords, TablePageBytes = 512 }, Cancel);
        await CommitAsync(workload, store, 200);
        var moments = new List<string> { await RandomWorkload.DumpAsync(store) };
        var stages = new HashSet<string>();
        hooks.BackupStage = stage =>
        {
            stages.Add(stage);
            for (var i = 0; i < 5; i++)
            {
                CommitAsync(workload, store, 1).GetAwaiter().GetResult();
                moments.Add(RandomWorkload.DumpAsync(store).GetAwaiter().GetResult());
            }

            store.ReserveRecordSequencesAsync(65_536, Cancel).AsTask().GetAwaiter().GetResult();
            store.CheckpointAsync(Cancel).AsTask().GetAwaiter().GetResult();
        };
        await store.BackupAsync(Backup, Cancel);
        hooks.BackupStage = null;
        Assert.Equal(["log", "tables"], stages.Order(StringComparer.Ordinal));
        await SqliteFolder.RestoreAsync(Backup, Restored, Cancel);
        await using var restored = await OpenAsync(Restored);
        Assert.Contains(await RandomWorkload.DumpAsync(restored), moments);
    }

    [Fact]
    public async Task Numbers_that_were_reserved_while_the_backup_was_made_are_not_given_again_by_it()
    {
        var hooks = new StoreHooks();
        var last = 0L;
        await using (var store = await _folder.OpenAsync(hooks))
        {
            hooks.BackupStage = _ => last = store.ReserveRecordSequencesAsync(100_000, Cancel).AsTask().GetAwaiter().GetResult() + 99_999;
            await store.BackupAsync(Backup, Cancel);
        }

        await SqliteFolder.RestoreAsync(Backup, Restored, Cancel);
        await using var restored = await OpenAsync(Restored);
        Assert.True(await restored.ReserveRecordSequencesAsync(1, Cancel) > last);
    }

    [Fact]
    public async Task An_erasure_waits_for_a_backup_and_is_not_in_it()
    {
        var hooks = new StoreHooks();
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await using var store = await _folder.OpenAsync(hooks);
        var position = (await _batch.Turn(record, TurnPart.Set(1, "secret")).CommitAsync(store))[0];
        Task? erasure = null;
        hooks.BackupStage = _ => erasure ??= store.EraseAsync(new Erasure([new RewrittenTurn(position, ReadOnlyMemory<byte>.Empty)]), Cancel).AsTask();
        var expected = await RandomWorkload.DumpAsync(store);
        await store.BackupAsync(Backup, Cancel);
        await erasure!;
        Assert.True((await store.ReadJournalAsync(0, 1, Cancel))[0].Payload.IsEmpty);
        await SqliteFolder.RestoreAsync(Backup, Restored, Cancel);
        await using var restored = await OpenAsync(Restored);
        Assert.Equal(expected, await RandomWorkload.DumpAsync(restored));
    }

    [Fact]
    public async Task A_restored_folder_is_not_the_original()
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await using (var store = await _folder.OpenAsync())
        {
            await _batch.Turn(record).CommitAsync(store);
            await store.BackupAsync(Backup, Cancel);
        }

        var second = Path.Combine(_other.Path, "second");
        await SqliteFolder.RestoreAsync(Backup, Restored, Cancel);
        await SqliteFolder.RestoreAsync(Backup, second, Cancel);
        foreach (var folder in new[] { _folder.Path, Backup, second })
        {
            // A log of one beside the tables of the other: both reach as far.
            using var mixed = new DataFolder();
            File.Copy(Path.Combine(Restored, TableFile.FileName), Path.Combine(mixed.Path, TableFile.FileName));
            File.Copy(Path.Combine(folder, LogFile.FileName), Path.Combine(mixed.Path, LogFile.FileName));
            await Assert.ThrowsAsync<StoreRefusedException>(() => mixed.OpenAsync());
        }

        await (await OpenAsync(Restored)).DisposeAsync();
        await (await OpenAsync(second)).DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_overwritten_and_nothing_is_left_of_what_was_given_up()
    {
        await using var store = await _folder.OpenAsync();
        await _batch.Turn(new TestRecord(new RecordKey(1, 1, "a"), 1)).CommitAsync(store);
        Directory.CreateDirectory(Backup);
        await store.BackupAsync(Backup, Cancel);
        var refusal = await Assert.ThrowsAsync<StoreRefusedException>(() => store.BackupAsync(Backup, Cancel).AsTask());
        Assert.Contains($"{Backup} is not empty", refusal.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StoreRefusedException>(() => store.BackupAsync("relative", Cancel).AsTask());
        await Assert.ThrowsAsync<StoreRefusedException>(() => SqliteFolder.RestoreAsync(Backup, _folder.Path, Cancel));
        await Assert.ThrowsAsync<StoreRefusedException>(() => SqliteFolder.RestoreAsync(_folder.Path, Restored, Cancel));
        Assert.Equal([Backup], Directory.GetFileSystemEntries(_other.Path));
    }

    [Fact]
    public async Task A_backup_that_is_given_up_leaves_nothing_and_harms_nothing()
    {
        var hooks = new StoreHooks();
        using var stop = new CancellationTokenSource();
        await using var store = await _folder.OpenAsync(hooks);
        await CommitAsync(new RandomWorkload(81), store, 30);
        hooks.BackupStage = stage =>
        {
            if (stage == "log")
            {
                stop.Cancel();
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.BackupAsync(Backup, stop.Token).AsTask());
        Assert.Empty(Directory.GetFileSystemEntries(_other.Path));
        await store.BackupAsync(Backup, Cancel);
    }

    [Fact]
    public async Task A_log_that_is_damaged_gives_no_backup()
    {
        await using (var store = await _folder.OpenAsync())
        {
            await _batch.Turn(new TestRecord(new RecordKey(1, 1, "a"), 1), TurnPart.Set(1, "x")).CommitAsync(store);
            await store.CheckpointAsync(Cancel);
        }

        using (var log = Database.OpenWriter(Path.Combine(_folder.Path, LogFile.FileName), 4096, null))
        {
            log.Execute("UPDATE log SET frames = substr(frames, 1, length(frames) - 1) || x'00'");
        }

        await using var damaged = await _folder.OpenAsync();
        var found = await Assert.ThrowsAsync<StoreCorruptException>(() => damaged.BackupAsync(Backup, Cancel).AsTask());
        Assert.Contains("position 1", found.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_other.Path));
    }

    [Theory]
    [InlineData("log.db")]
    [InlineData("tables.db")]
    [InlineData("backup.json")]
    public async Task A_backup_in_which_a_byte_was_flipped_is_not_restored(string file)
    {
        await using (var store = await _folder.OpenAsync())
        {
            await CommitAsync(new RandomWorkload(91), store, 30);
            await store.BackupAsync(Backup, Cancel);
        }

        var path = Path.Combine(Backup, file);
        var bytes = await File.ReadAllBytesAsync(path, Cancel);
        for (var at = 0; at < bytes.Length; at += 1 + (bytes.Length / 40))
        {
            bytes[at] ^= 1;
            await File.WriteAllBytesAsync(path, bytes, Cancel);
            if (file != "backup.json" || at == 0)
            {
                await Assert.ThrowsAsync<StoreCorruptException>(() => SqliteFolder.RestoreAsync(Backup, Restored, Cancel));
            }

            bytes[at] ^= 1;
        }

        await File.WriteAllBytesAsync(path, bytes, Cancel);
        await SqliteFolder.RestoreAsync(Backup, Restored, Cancel);
    }

    private static async Task CommitAsync(RandomWorkload workload, SqliteRecordStore store, int commits)
    {
        for (var i = 0; i < commits; i++)
        {
            await workload.CommitAsync(store);
        }
    }

    private static Task<SqliteRecordStore> OpenAsync(string folder) => SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = folder }, Cancel);

    private static IEnumerable<string?> Names(string folder) => Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
