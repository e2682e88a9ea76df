using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;
using Roster.Storage.TestKit;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>What <see cref="SqliteFolder.CheckAsync"/> finds, and that it finds nothing where nothing is wrong.</summary>
public sealed class FolderCheckTests : IDisposable
{
    private readonly DataFolder _folder = new();
    private readonly TestBatch _batch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    public async Task Nothing_is_wrong_with_what_a_crash_leaves_at_any_stage_of_a_checkpoint(int seed)
    {
        var images = new List<DataFolder>();
        var hooks = new StoreHooks();
        var workload = new RandomWorkload(seed);
        await using (var store = await _folder.OpenAsync(hooks))
        {
            for (var round = 0; round < 3; round++)
            {
                await FillAsync(workload, store, 60);
                hooks.CheckpointStage = _ =>
                {
                    FillAsync(workload, store, 3).GetAwaiter().GetResult();
                    images.Add(_folder.CrashImage());
                };
                await store.CheckpointAsync(Cancel);
            }
        }

        images.Add(_folder.CrashImage());
        foreach (var image in images)
        {
            using (image)
            {
                var report = await CheckAsync(image);
                Assert.Empty(report.Faults);
                Assert.True(report.Turns > 0 && report.JournalBegin == 1 && report.JournalEnd > 1);
            }
        }
    }

    [Fact]
    public async Task A_deep_check_replays_every_record()
    {
        await using (var store = await _folder.OpenAsync())
        {
            await FillAsync(new RandomWorkload(103), store, 100);
            await store.CheckpointAsync(Cancel);
        }

        var report = await CheckAsync(_folder);
        Assert.Equal(report.Records, report.Replayed);
        Assert.True(report.Records > 0);
        Assert.Equal(0, (await SqliteFolder.CheckAsync(_folder.Path, isDeep: false, Cancel)).Replayed);
    }

    [Fact]
    public async Task A_folder_that_is_open_or_missing_is_refused()
    {
        await using var store = await _folder.OpenAsync();
        await Assert.ThrowsAsync<StoreRefusedException>(() => CheckAsync(_folder));
        await Assert.ThrowsAsync<StoreRefusedException>(() => SqliteFolder.CheckAsync(_folder.Path + "-none", isDeep: false, Cancel));
    }

    [Fact]
    public async Task A_missing_file_is_found()
    {
        await (await _folder.OpenAsync()).DisposeAsync();
        File.Delete(Path.Combine(_folder.Path, LogFile.FileName));
        Assert.Equal(new FolderFault("log.db", 0, 0, "the file is missing"), Assert.Single((await CheckAsync(_folder)).Faults));
    }

    [Theory]
    [InlineData("UPDATE log SET frames = substr(frames, 1, 60) || x'FF' || substr(frames, 62) WHERE start = {1}", "log.db", "checksum of a turn")]
    [InlineData("UPDATE log SET batch = substr(batch, 1, length(batch) - 1) || x'FF' WHERE start = {1}", "log.db", "checksum of a batch")]
    [InlineData("DELETE FROM log WHERE start = {1}", "log.db", "the log goes on at position {2}")]
    [InlineData("DELETE FROM log WHERE start > {1}", "log.db", "the log ends here, but the tables have turns")]
    [InlineData("UPDATE meta SET value = 'x' WHERE name = 'store'", "log.db", "not of the store")]
    public async Task Damage_in_the_log_is_found_where_it_is(string damage, string file, string what)
    {
        var starts = await FillSomeAsync();
        Change(LogFile.FileName, Place(damage, starts));
        var report = await SqliteFolder.CheckAsync(_folder.Path, isDeep: false, Cancel);
        Assert.Contains(report.Faults, fault => fault.File == file && fault.What.Contains(Place(what, starts), StringComparison.Ordinal));
        Assert.Equal(report.FaultCount, report.Faults.Count);
    }

    [Fact]
    public async Task A_turn_that_names_the_wrong_one_before_it_is_found_with_its_record()
    {
        var positions = await FillSomeAsync();
        using (var log = Database.OpenWriter(Path.Combine(_folder.Path, LogFile.FileName), 4096, null))
        {
            using var row = log.Prepare("SELECT frames FROM log WHERE start = ?1").Bind(1, positions[2]);
            Assert.True(row.Step());
            var frame = row.Blob(0).ToArray();
            row.Reset();
            var header = LogFormat.ReadFrame(frame, positions[2], "log");
            LogFormat.SealFrame(frame, header.SkeletonLength, header.PayloadLength, header.Flags, positions[0], positions[2]);
            using var write = log.Prepare("UPDATE log SET frames = ?2 WHERE start = ?1").Bind(1, positions[2]).Bind(2, frame);
            write.Run();
        }

        var fault = Assert.Single((await SqliteFolder.CheckAsync(_folder.Path, isDeep: false, Cancel)).Faults);
        Assert.Equal((LogFile.FileName, positions[2], 1L), (fault.File, fault.Position, fault.Record));
        Assert.Contains($"names position {positions[0]} as the one before it; the record's latest turn is at {positions[1]}", fault.What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "UPDATE heads SET position = {0} WHERE number = 1", "turn id or due instant")]
    [InlineData(false, "UPDATE heads SET position = position + 1 WHERE number = 1", "a turn that the log does not have")]
    [InlineData(false, "UPDATE heads SET turn_id = turn_id + 1 WHERE number = 1", "turn id or due instant")]
    [InlineData(false, "UPDATE heads SET next_due = 77 WHERE number = 1", "turn id or due instant")]
    [InlineData(false, "UPDATE heads SET head = x'FF' WHERE number = 1", "the state cannot be read")]
    [InlineData(false, "UPDATE heads SET head = (SELECT head FROM heads WHERE number = 2) WHERE number = 1", "the state is of another record")]
    [InlineData(false, "DELETE FROM heads WHERE number = 1", "the record has no row")]
    [InlineData(false, "DELETE FROM keys WHERE number = 1", "no key names the record")]
    [InlineData(false, "UPDATE keys SET number = 2 WHERE number = 1", "two keys name one record")]
    [InlineData(false, "UPDATE keys SET number = 3 WHERE number = 1", "a key names a record that does not exist")]
    [InlineData(false, "UPDATE meta SET value = value + 1 WHERE name = 'records'", "records of the checkpoint")]
    [InlineData(true, "UPDATE heads SET head = substr(head, 1, length(head) - 1) || x'7F' WHERE number = 1", "state")]
    [InlineData(true, "UPDATE keys SET id = 'other' WHERE number = 1", "the key is not the one")]
    [InlineData(true, "UPDATE effects SET task = x'07' WHERE record = 1", "the open task of")]
    [InlineData(true, "DELETE FROM effects", "is missing")]
    [InlineData(true, "UPDATE queues SET open = 7", "has 7 open tasks")]
    [InlineData(true, "UPDATE counters SET value = value + 1", "the journal gives 2")]
    [InlineData(true, "DELETE FROM counters", "is missing")]
    [InlineData(true, "UPDATE documents SET content = x'07'", "document")]
    [InlineData(true, "DELETE FROM documents", "document")]
    [InlineData(true, "UPDATE activity SET first = first + 1", "the activity of workflow 1")]
    [InlineData(true, "DELETE FROM activity", "the activity of workflow 1")]
    [InlineData(true, "UPDATE sections SET content = x'07'", "is not what the journal gives")]
    [InlineData(true, "DELETE FROM sections", "is missing")]
    public async Task Rows_that_do_not_go_with_the_log_are_found(bool isDeep, string damage, string what)
    {
        var positions = await FillSomeAsync();
        Assert.Empty((await CheckAsync(_folder)).Faults);
        Change(TableFile.FileName, Place(damage, positions));
        Assert.Contains(
            (await SqliteFolder.CheckAsync(_folder.Path, isDeep, Cancel)).Faults,
            fault => fault.File == TableFile.FileName && fault.What.Contains(what, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("log.db")]
    [InlineData("tables.db")]
    public async Task A_flipped_byte_anywhere_in_a_file_is_found_or_changes_nothing(string file)
    {
        string expected;
        await using (var store = await _folder.OpenAsync())
        {
            await FillAsync(new RandomWorkload(104), store, 30);
            await store.CheckpointAsync(Cancel);
            expected = await RandomWorkload.DumpAsync(store);
        }

        var path = Path.Combine(_folder.Path, file);
        var bytes = await File.ReadAllBytesAsync(path, Cancel);
        var found = 0;
        for (var at = 0; at < bytes.Length; at += 1 + (bytes.Length / 120))
        {
            using var image = _folder.CrashImage();
            bytes[at] ^= 4;
            await File.WriteAllBytesAsync(Path.Combine(image.Path, file), bytes, Cancel);
            bytes[at] ^= 4;
            if (await FindsAsync(image))
            {
                found++;
            }
            else
            {
                // Unused bytes of a page, or bytes that say nothing of the content.
                await using var store = await image.OpenAsync();
                Assert.Equal(expected, await RandomWorkload.DumpAsync(store));
            }
        }

        Assert.True(found > 20, $"Only {found} were found.");
    }

    [Theory]
    [InlineData("log.db-wal")]
    [InlineData("tables.db-wal")]
    public async Task A_flipped_byte_in_a_write_ahead_log_is_found_when_it_would_lose_what_was_acknowledged(string file)
    {
        await using var store = await _folder.OpenAsync();
        await FillAsync(new RandomWorkload(105), store, 30);
        await store.CheckpointAsync(Cancel);
        using var image = _folder.CrashImage();
        var path = Path.Combine(image.Path, file);
        var bytes = await File.ReadAllBytesAsync(path, Cancel);
        Assert.True(bytes.Length > 50_000);
        for (var at = 0; at < bytes.Length / 2; at += 1 + (bytes.Length / 100))
        {
            bytes[at] ^= 4;
            await File.WriteAllBytesAsync(path, bytes, Cancel);
            bytes[at] ^= 4;
            var fault = (await CheckAsync(image)).Faults.First(fault => fault.File == file);
            Assert.Contains("write-ahead log", fault.What, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_transaction_that_a_crash_cut_short_is_no_fault()
    {
        await using var store = await _folder.OpenAsync();
        await FillSomeAsync(store);
        using var whole = _folder.CrashImage();
        await _batch.Turn(new TestRecord(new RecordKey(1, 1, "c"), 3)).CommitAsync(store);
        using var image = _folder.CrashImage();
        var path = Path.Combine(image.Path, "log.db-wal");
        var bytes = await File.ReadAllBytesAsync(path, Cancel);
        var end = new FileInfo(Path.Combine(whole.Path, "log.db-wal")).Length;
        Assert.True(end < bytes.Length);
        bytes[end + 100] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, Cancel);
        Assert.Empty((await CheckAsync(image)).Faults);
    }

    private static async Task FillAsync(RandomWorkload workload, SqliteRecordStore store, int commits)
    {
        for (var i = 0; i < commits; i++)
        {
            await workload.CommitAsync(store);
        }
    }

    /// <summary>One turn per batch; returns their positions: three of record 1, one of record 2.</summary>
    private async Task<List<long>> FillSomeAsync()
    {
        await using var store = await _folder.OpenAsync();
        return await FillSomeAsync(store);
    }

    private async Task<List<long>> FillSomeAsync(SqliteRecordStore store)
    {
        var (record, other) = (new TestRecord(new RecordKey(1, 1, "a"), 1), new TestRecord(new RecordKey(1, 1, "b"), 2));
        var positions = new List<long>();
        positions.AddRange(await _batch.Turn(record, TurnPart.Set(1, "x"), TurnPart.Add(new EffectId(1, 1, 1, 1), "mail", 1, 2), TurnPart.Due(5), TurnPart.Concerns(1))
            .Document(1, "workflow", "w", [1, 2, 3])
            .Count(new CounterKey(1, 1, 1, CounterKind.Applied, 0, 0), 2)
            .CommitAsync(store));
        positions.AddRange(await _batch.Turn(record, TurnPart.Events(1, 41)).CommitAsync(store));
        positions.AddRange(await _batch.Turn(record, TurnPart.Events(42, 32)).CommitAsync(store));
        positions.AddRange(await _batch.Turn(other).CommitAsync(store));
        await store.CheckpointAsync(Cancel);
        return positions;
    }

    private static async Task<bool> FindsAsync(DataFolder folder)
    {
        try
        {
            return (await CheckAsync(folder)).FaultCount > 0;
        }
        catch (Exception e) when (e is StoreRefusedException or StoreCorruptException or IOException)
        {
            // A file that cannot be opened at all, or whose format is another one now.
            return true;
        }
    }

    private static Task<FolderReport> CheckAsync(DataFolder folder) => SqliteFolder.CheckAsync(folder.Path, isDeep: true, Cancel);

    private static string Place(string text, List<long> positions) => text.Replace("{0}", $"{positions[0]}", StringComparison.Ordinal)
        .Replace("{1}", $"{positions[1]}", StringComparison.Ordinal).Replace("{2}", $"{positions[2]}", StringComparison.Ordinal);

    private void Change(string file, string sql)
    {
        using var database = Database.OpenWriter(Path.Combine(_folder.Path, file), 4096, null);
        database.Execute(sql);
    }
}
