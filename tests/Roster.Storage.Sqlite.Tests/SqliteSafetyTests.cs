using System.Diagnostics;
using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;
using Roster.Storage.TestKit;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>What the store refuses, and damage that it must notice.</summary>
public sealed class SqliteSafetyTests : IDisposable
{
    private readonly DataFolder _folder = new();
    private readonly TestBatch _batch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_folder_that_is_open_is_refused_with_its_name_and_the_holder()
    {
        await using var store = await _folder.OpenAsync();
        var refusal = await Assert.ThrowsAsync<StoreRefusedException>(() => _folder.OpenAsync());
        Assert.Contains(_folder.Path, refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"process {Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_another_process_has_open_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/flock"), "Needs flock to stand in for another process.");
        await (await _folder.OpenAsync()).DisposeAsync();
        var start = new ProcessStartInfo("/usr/bin/flock", [Path.Combine(_folder.Path, "LOCK"), "/bin/sh", "-c", "echo held; cat"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var other = Process.Start(start)!;
        Assert.Equal("held", await other.StandardOutput.ReadLineAsync(Cancel));
        await Assert.ThrowsAsync<StoreRefusedException>(() => _folder.OpenAsync());
        other.StandardInput.Close();
        await other.WaitForExitAsync(Cancel);
        await (await _folder.OpenAsync()).DisposeAsync();
    }

    [Theory]
    [InlineData(SqliteRecordStore.TimersOfInstantSql, "SEARCH heads USING COVERING INDEX heads_due (next_due=? AND rowid>?)")]
    [InlineData(SqliteRecordStore.LaterTimersSql, "SEARCH heads USING COVERING INDEX heads_due (next_due>?)")]
    public async Task DLY_17_A_page_of_timers_is_read_from_the_index_beginning_where_the_page_before_ended(string sql, string plan)
    {
        await (await _folder.OpenAsync()).DisposeAsync();
        using var database = Database.OpenReader(Path.Combine(_folder.Path, TableFile.FileName), 1 << 20);
        using var explained = database.Prepare($"EXPLAIN QUERY PLAN {sql}");
        Assert.True(explained.Step());
        Assert.Equal(plan, explained.Text(3));
        Assert.False(explained.Step());
    }

    [Theory]
    [InlineData(LogFile.FileName)]
    [InlineData(TableFile.FileName)]
    public async Task A_file_of_a_later_format_is_refused_and_left_alone(string file)
    {
        await (await _folder.OpenAsync()).DisposeAsync();
        ChangeFile(file, "UPDATE meta SET value = 2 WHERE name = 'format'");
        var refusal = await Assert.ThrowsAsync<StoreRefusedException>(() => _folder.OpenAsync());
        Assert.Contains("format 2", refusal.Message, StringComparison.Ordinal);
        ChangeFile(file, "UPDATE meta SET value = 1 WHERE name = 'format'");
        await (await _folder.OpenAsync()).DisposeAsync();
    }

    [Theory]
    [InlineData("PRAGMA synchronous = off")]
    [InlineData("PRAGMA synchronous = normal")]
    [InlineData("PRAGMA journal_mode = delete")]
    public async Task Settings_that_could_lose_what_was_acknowledged_are_refused(string setting)
    {
        await Assert.ThrowsAsync<StoreRefusedException>(() => _folder.OpenAsync(new StoreHooks { LogOpened = log => log.Execute(setting) }));
        await Assert.ThrowsAsync<StoreRefusedException>(() => _folder.OpenAsync(new StoreHooks { TablesOpened = tables => tables.Execute(setting) }));
        await (await _folder.OpenAsync()).DisposeAsync();
    }

    [Fact]
    public async Task Files_of_two_stores_and_lost_files_are_refused()
    {
        await FillAsync();
        using var other = new DataFolder();
        await (await other.OpenAsync()).DisposeAsync();
        var (log, tables) = (Path.Combine(_folder.Path, LogFile.FileName), Path.Combine(_folder.Path, TableFile.FileName));
        File.Move(tables, tables + ".kept");
        await Assert.ThrowsAsync<StoreRefusedException>(() => _folder.OpenAsync());
        File.Copy(Path.Combine(other.Path, TableFile.FileName), tables);
        await Assert.ThrowsAsync<StoreRefusedException>(() => _folder.OpenAsync());
        File.Move(tables + ".kept", tables, overwrite: true);
        File.Move(log, log + ".kept");
        await Assert.ThrowsAsync<StoreRefusedException>(() => _folder.OpenAsync());
    }

    [Fact]
    public async Task A_log_that_is_older_than_its_tables_is_damage()
    {
        var old = Path.Combine(_folder.Path, "old");
        await using (var store = await _folder.OpenAsync())
        {
            await _batch.Turn(new TestRecord(new RecordKey(1, 1, "a"), 1)).CommitAsync(store);
        }

        File.Copy(Path.Combine(_folder.Path, LogFile.FileName), old);
        await using (var store = await _folder.OpenAsync())
        {
            await _batch.Turn(new TestRecord(new RecordKey(1, 1, "b"), 2)).CommitAsync(store);
            await store.CheckpointAsync(Cancel);
        }

        File.Move(old, Path.Combine(_folder.Path, LogFile.FileName), overwrite: true);
        await Assert.ThrowsAsync<StoreCorruptException>(() => _folder.OpenAsync());
    }

    [Fact]
    public async Task A_flipped_byte_anywhere_in_the_log_is_noticed_at_recovery()
    {
        await FillAsync();
        for (var at = 0; at < 4096 && await TryFlipAsync(column: "frames", at); at += 3)
        {
            var damage = await Assert.ThrowsAsync<StoreCorruptException>(() => _folder.OpenAsync());
            Assert.Contains(LogFile.FileName, damage.Message, StringComparison.Ordinal);
            Assert.True(await TryFlipAsync(column: "frames", at));
        }

        for (var at = 0; at < 4096 && await TryFlipAsync(column: "batch", at); at++)
        {
            await Assert.ThrowsAsync<StoreCorruptException>(() => _folder.OpenAsync());
            Assert.True(await TryFlipAsync(column: "batch", at));
        }

        await (await _folder.OpenAsync()).DisposeAsync();
    }

    [Fact]
    public async Task A_flipped_byte_anywhere_in_a_turn_is_noticed_when_it_is_read()
    {
        await FillAsync();
        await using (var store = await _folder.OpenAsync())
        {
            await store.CheckpointAsync(Cancel);
        }

        for (var at = 0; at < 4096 && await TryFlipAsync(column: "frames", at); at += 5)
        {
            // Not replayed, so it opens: what is read must be right all the same.
            await using (var store = await _folder.OpenAsync())
            {
                await Assert.ThrowsAsync<StoreCorruptException>(() => ReadAllAsync(store));
            }

            Assert.True(await TryFlipAsync(column: "frames", at));
        }
    }

    [Theory]
    [InlineData("DELETE FROM log WHERE start = (SELECT max(start) FROM log WHERE batch IS NULL)")]
    [InlineData("DELETE FROM log WHERE start = (SELECT start FROM log ORDER BY start LIMIT 1 OFFSET 1)")]
    [InlineData("UPDATE log SET batch = NULL WHERE start = (SELECT start FROM log ORDER BY start LIMIT 1 OFFSET 1)")]
    [InlineData("UPDATE log SET start = start + 1 WHERE start = (SELECT max(start) FROM log)")]
    [InlineData("UPDATE log SET frames = substr(frames, 1, length(frames) - 1) WHERE start = (SELECT max(start) FROM log)")]
    public async Task A_row_that_is_missing_or_not_whole_is_noticed(string damage)
    {
        await FillAsync();
        await using (var store = await _folder.OpenAsync())
        {
            var record = new TestRecord(new RecordKey(1, 1, "large"), 1000);
            for (var i = 0; i < 5; i++)
            {
                _batch.Turn(record, TurnPart.Set(1, new string('x', 10_000)));
            }

            await _batch.CommitAsync(store);
        }

        ChangeFile(LogFile.FileName, damage);
        await Assert.ThrowsAsync<StoreCorruptException>(() => _folder.OpenAsync());
    }

    [Fact]
    public async Task A_store_that_failed_takes_no_more_commits()
    {
        Database? log = null;
        await using var store = await _folder.OpenAsync(new StoreHooks { LogOpened = database => log = database });
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await _batch.Turn(record).CommitAsync(store);
        var head = record.Head;
        log!.Execute("PRAGMA query_only = on");
        _batch.Turn(record.Fork(), TurnPart.Set(1, "x"));
        await Assert.ThrowsAsync<IOException>(() => store.CommitAsync(_batch.Batch, Cancel).AsTask());
        log.Execute("PRAGMA query_only = off");
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.CommitAsync(_batch.Batch, Cancel).AsTask());
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.CheckpointAsync(Cancel).AsTask());
        Assert.Equal(head, (await store.LoadAsync(1, Cancel)).Head.ToArray());
    }

    private async Task FillAsync()
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await using var store = await _folder.OpenAsync();
        await _batch.Turn(record, TurnPart.Set(1, "x"), TurnPart.Add(new EffectId(1, 1, 1, 1), "mail", 1, 2), TurnPart.Due(5), TurnPart.Concerns(1))
            .Turn(record, TurnPart.Events(1, 3))
            .Document(1, "workflow", "w", [1, 2, 3])
            .Count(new CounterKey(1, 1, 1, CounterKind.Applied, 0, 0), 2)
            .CommitAsync(store);
        await _batch.Turn(record, TurnPart.Remove(new EffectId(1, 1, 1, 1))).CommitAsync(store);
    }

    private static async Task ReadAllAsync(SqliteRecordStore store)
    {
        await store.ReadJournalAsync(0, 100, Cancel);
        await store.ReadTimelineAsync(1, 0, 100, Cancel);
    }

    /// <summary>Flips a bit of a byte of the first row; false beyond its end.</summary>
    private Task<bool> TryFlipAsync(string column, int at)
    {
        using var log = Database.OpenWriter(Path.Combine(_folder.Path, LogFile.FileName), 4096, null);
        using var read = log.Prepare($"SELECT {column} FROM log ORDER BY start LIMIT 1");
        read.Step();
        var bytes = read.Blob(0).ToArray();
        read.Reset();
        if (at >= bytes.Length)
        {
            return Task.FromResult(false);
        }

        bytes[at] ^= (byte)(1 << (at % 8));
        using var write = log.Prepare($"UPDATE log SET {column} = ?1 WHERE start = (SELECT min(start) FROM log)");
        write.Bind(1, bytes).Run();
        return Task.FromResult(true);
    }

    private void ChangeFile(string file, string sql)
    {
        using var database = Database.OpenWriter(Path.Combine(_folder.Path, file), 4096, null);
        database.Execute(sql);
    }
}
