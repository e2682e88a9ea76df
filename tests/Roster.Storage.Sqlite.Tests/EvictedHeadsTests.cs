using Roster.Core;
using Roster.Storage.Sqlite.Internal;
using Roster.Storage.TestKit;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>Heads that the host dropped before a checkpoint wrote them.</summary>
public sealed class EvictedHeadsTests : IDisposable
{
    private readonly DataFolder _folder = new();
    private readonly TestBatch _batch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_head_that_was_given_is_taken_as_it_is_until_the_next_turn_or_checkpoint()
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await using var store = await _folder.OpenAsync();
        await _batch.Turn(record, TurnPart.Set(1, "x")).CommitAsync(store);
        var first = await store.LoadAsync(record.Number, Cancel);

        // Bytes that no fold gives show where they come from.
        store.KeepHead(record.Number, first.Position, [1, 2, 3]);
        Assert.Equal([1, 2, 3], (await store.LoadAsync(record.Number, Cancel)).Head.ToArray());

        await _batch.Turn(record, TurnPart.Set(1, "y")).CommitAsync(store);
        var second = await store.LoadAsync(record.Number, Cancel);
        Assert.True(second.Head.Length > 3);
        store.KeepHead(record.Number, first.Position, [4, 5, 6]);
        Assert.Equal(second.Head.ToArray(), (await store.LoadAsync(record.Number, Cancel)).Head.ToArray());

        await store.CheckpointAsync(Cancel);
        store.KeepHead(record.Number, second.Position, [7, 8, 9]);
        Assert.Equal(second.Head.ToArray(), (await store.LoadAsync(record.Number, Cancel)).Head.ToArray());
    }

    [Fact]
    public async Task A_checkpoint_writes_the_head_that_was_given()
    {
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await using var store = await _folder.OpenAsync();
        await _batch.Turn(record, TurnPart.Set(1, "x")).CommitAsync(store);
        var loaded = await store.LoadAsync(record.Number, Cancel);
        store.KeepHead(record.Number, loaded.Position, loaded.Head.Span);
        await store.CheckpointAsync(Cancel);
        Assert.Equal(loaded.Head.ToArray(), (await store.LoadAsync(record.Number, Cancel)).Head.ToArray());
    }

    [Fact]
    public async Task A_checkpoint_comes_before_there_is_no_room_for_them()
    {
        var done = new TaskCompletionSource();
        var hooks = new StoreHooks
        {
            CheckpointStage = stage =>
            {
                if (stage == "done")
                {
                    done.TrySetResult();
                }
            },
        };
        await using var store = await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = _folder.Path, Hooks = hooks, EvictedHeadBytes = 1024 * 1024 }, Cancel);
        for (var i = 1; i <= 5; i++)
        {
            Assert.False(done.Task.IsCompleted);
            var record = new TestRecord(new RecordKey(1, 1, $"r{i}"), i);
            await _batch.Turn(record, TurnPart.Set(1, "x")).CommitAsync(store);
            store.KeepHead(i, (await store.LoadAsync(i, Cancel)).Position, new byte[200 * 1024]);
        }

        // More than half of the room is taken; the next commit finds it.
        await _batch.Turn(new TestRecord(new RecordKey(1, 1, "last"), 6), TurnPart.Set(1, "x")).CommitAsync(store);
        await done.Task.WaitAsync(Cancel);
    }

    [Fact]
    public void Many_heads_come_back_and_leave_no_file()
    {
        using var files = new ScratchFiles(_folder.Path);
        using var heads = new EvictedHeads(files, long.MaxValue);
        for (var i = 1; i <= 2_000; i++)
        {
            heads.Add(i, i * 10, Head(i));
        }

        Assert.Equal(2_000, heads.Count);
        for (var i = 1; i <= 2_000; i++)
        {
            Assert.True(heads.TryRead(i, i * 10, out var head));
            Assert.Equal(Head(i), head.ToArray());
            Assert.False(heads.TryRead(i, (i * 10) + 1, out _));
        }

        heads.Dispose();
        Assert.False(heads.TryRead(1, 10, out _));
        Assert.Empty(Directory.GetFiles(_folder.Path));

        byte[] Head(int i) => [.. Enumerable.Repeat((byte)i, 100 + (i % 700))];
    }

    [Fact]
    public void What_exceeds_the_room_or_cannot_be_written_is_not_kept()
    {
        using var files = new ScratchFiles(_folder.Path);
        using var small = new EvictedHeads(files, bytesMax: 272);
        small.Add(1, 1, new byte[200]);
        small.Add(2, 2, new byte[61]);
        small.Add(3, 3, new byte[60]);
        Assert.Equal([true, false, true], new long[] { 1, 2, 3 }.Select(n => small.TryRead(n, n, out _)));

        using var nowhere = new ScratchFiles(Path.Combine(_folder.Path, "missing"));
        using var none = new EvictedHeads(nowhere, long.MaxValue);
        none.Add(1, 1, new byte[200]);
        Assert.False(none.TryRead(1, 1, out _));
    }

    [Fact]
    public void A_file_is_used_again_until_it_is_to_be_forgotten()
    {
        using var files = new ScratchFiles(_folder.Path);
        var (first, second) = (files.Rent(), files.Rent());
        Assert.NotSame(first, second);
        files.Return(first);
        Assert.Same(first, files.Rent());
        files.Return(first);

        files.Forget();
        Assert.True(first.Handle.IsClosed);
        Assert.False(second.Handle.IsClosed);
        files.Return(second);
        Assert.True(second.Handle.IsClosed);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }
}
