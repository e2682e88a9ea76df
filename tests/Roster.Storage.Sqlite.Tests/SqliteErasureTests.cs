using System.Text;
using Roster.Core;
using Roster.Core.Journal;
using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>What erasure leaves in the files of the store (REC-17).</summary>
public sealed class SqliteErasureTests : IDisposable
{
    private const string Mark = "to-be-erased";

    private readonly DataFolder _folder = new();
    private readonly TestBatch _batch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task REC_17_Rows_that_were_moved_from_page_to_page_leave_no_bytes_behind(int seed)
    {
        var random = new Random(seed);
        await using var store = await _folder.OpenAsync();
        var records = Enumerable.Range(1, 900)
            .Select(i => new TestRecord(new RecordKey(1, 1, $"{random.NextInt64():x}-{(i % 9 == 0 ? Mark : "stays")}-{new string('k', random.Next(60))}"), i))
            .ToArray();
        for (var round = 0; round < 4; round++)
        {
            foreach (var record in records.Where(_ => random.Next(2) == 0))
            {
                var text = string.Concat(Enumerable.Repeat(record.Key.Id.Contains(Mark, StringComparison.Ordinal) ? Mark : "something", random.Next(1, 60)));
                _batch.Turn(record, TurnPart.Set(random.Next(1, 4), text));
            }

            await _batch.CommitAsync(store);
            await store.CheckpointAsync(Cancel);
        }

        Assert.True(CountMarks(_folder.Path) > 100);
        foreach (var record in records.Where(r => r.Head.Length > 0 && r.Key.Id.Contains(Mark, StringComparison.Ordinal)))
        {
            await _batch.Turn(record, new TurnPart { Entries = { JournalEntry.RecordErased(), JournalEntry.IdErased() } }).CommitAsync(store);
            var turns = await store.ReadTimelineAsync(record.Number, 0, 100, Cancel);
            var to = record.Key with { Id = $"~erased/{record.Number}" };
            await store.EraseAsync(new Erasure([.. turns.Select(t => new RewrittenTurn(t.Position, default))], new RenamedKey(record.Key, to)), Cancel);
        }

        await store.ScrubAsync(Cancel);
        Assert.Equal(0, CountMarks(_folder.Path));
        var heads = await HeadsAsync(store);
        using var image = _folder.CrashImage();
        await using var again = await image.OpenAsync();
        Assert.Equal(heads, await HeadsAsync(again));
    }

    [Fact]
    public async Task REC_17_Tables_of_an_older_backup_than_the_log_are_refused_when_the_log_has_erased_since()
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        DataFolder older;
        await using (var store = await _folder.OpenAsync())
        {
            await _batch.Turn(record, TurnPart.Set(1, "v1")).CommitAsync(store);
            older = _folder.CrashImage();
            var turns = await store.ReadTimelineAsync(record.Number, 0, 100, Cancel);
            await store.EraseAsync(new Erasure([new RewrittenTurn(turns[0].Position, default)]), Cancel);
            await store.ScrubAsync(Cancel);
        }

        using (older)
        {
            File.Delete(Path.Combine(older.Path, "log.db-wal"));
            File.Copy(Path.Combine(_folder.Path, "log.db"), Path.Combine(older.Path, "log.db"), overwrite: true);
            var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => older.OpenAsync());
            Assert.Contains("older than an erasure", refused.Message, StringComparison.Ordinal);
        }
    }

    private static async Task<List<string>> HeadsAsync(IRecordStore store) =>
        [.. (await store.ScanRecordsAsync(0, 10_000, Cancel)).Select(r => $"{r.Number} {r.Position} {Convert.ToHexString(r.Head.Span)}")];

    private static int CountMarks(string folder)
    {
        var count = 0;
        foreach (var path in Directory.EnumerateFiles(folder, "*.db*"))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            for (var at = 0; bytes.AsSpan(at).IndexOf(Encoding.UTF8.GetBytes(Mark)) is >= 0 and var found; at += found + 1)
            {
                count++;
            }
        }

        return count;
    }
}
