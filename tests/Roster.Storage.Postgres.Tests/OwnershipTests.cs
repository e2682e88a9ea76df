using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Postgres.Tests;

/// <summary>Two processes on one database: the one that opened it last commits, the other never again.</summary>
public sealed class OwnershipTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_opens_the_store_fences_who_had_it()
    {
        var options = OwnServer.Options(await Databases.CreateAsync());
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await using var first = await PostgresRecordStore.OpenAsync(options, Cancel);
        await new TestBatch().Turn(record).CommitAsync(first);
        await using var second = await PostgresRecordStore.OpenAsync(options, Cancel);
        var late = record.Fork();
        var fenced = await Assert.ThrowsAsync<StoreFencedException>(() => new TestBatch().Turn(late).CommitAsync(first));
        Assert.Contains("taken over", fenced.Message, StringComparison.Ordinal);
        Assert.Equal(record.Head, (await second.LoadAsync(1, Cancel)).Head.ToArray());
        Assert.True((await new TestBatch().Turn(record).CommitAsync(second))[0] > 0);

        // For good: also after the second is gone.
        await second.DisposeAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => new TestBatch().Turn(record.Fork()).CommitAsync(first));
        Assert.Equal(2, (await first.ReadJournalAsync(0, 10, Cancel)).Count);
    }

    [Fact]
    public async Task A_take_over_while_commits_go_on_keeps_all_that_were_answered_and_nothing_after_it()
    {
        var options = OwnServer.Options(await Databases.CreateAsync());
        await using var first = await PostgresRecordStore.OpenAsync(options, Cancel);
        var answered = new List<long>();
        var progress = new SemaphoreSlim(0);
        var working = Task.Run(
            async () =>
            {
                var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
                while (true)
                {
                    answered.AddRange(await new TestBatch().Turn(record).CommitAsync(first));
                    progress.Release();
                }
            },
            Cancel);
        for (var i = 0; i < 20; i++)
        {
            await progress.WaitAsync(Cancel);
        }

        await using var second = await PostgresRecordStore.OpenAsync(options, Cancel);
        var before = await second.ReadJournalAsync(0, 100_000, Cancel);
        await Assert.ThrowsAsync<StoreFencedException>(() => working);
        progress.Dispose();
        Assert.Equal(answered, before.Select(turn => turn.Position));
        Assert.Equal(answered, (await second.ReadJournalAsync(0, 100_000, Cancel)).Select(turn => turn.Position));
        Assert.Equal(answered[^1], second.Status.JournalPosition);
    }

    [Fact]
    public async Task Two_that_open_an_empty_database_at_once_make_the_tables_once()
    {
        var options = OwnServer.Options(await Databases.CreateAsync());
        var stores = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostgresRecordStore.OpenAsync(options, Cancel)));
        var committed = 0;
        for (var i = 0; i < stores.Length; i++)
        {
            try
            {
                await new TestBatch().Turn(new TestRecord(new RecordKey(1, 1, $"r{i}"), i + 1)).CommitAsync(stores[i]);
                committed++;
            }
            catch (StoreFencedException)
            {
                // All but the last.
            }

            await stores[i].DisposeAsync();
        }

        Assert.Equal(1, committed);
    }
}
