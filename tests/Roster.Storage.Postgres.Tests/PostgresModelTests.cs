using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Postgres.Tests;

/// <summary>Random commits, with reopenings in between, against the volatile store.</summary>
public sealed class PostgresModelTests
{
    [Theory]
    [InlineData(1, 1 << 24)]
    [InlineData(2, 1 << 24)]
    [InlineData(3, 256)]
    public async Task Random_commits_and_reopenings_are_as_in_memory(int seed, int partitionPositions)
    {
        var options = new PostgresStoreOptions { ConnectionString = await Databases.CreateAsync(), PartitionPositions = partitionPositions };
        var random = new Random(seed);
        var workload = new RandomWorkload(seed);
        await using var model = new VolatileRecordStore();
        var store = await PostgresRecordStore.OpenAsync(options, TestContext.Current.CancellationToken);
        for (var i = 0; i < 300; i++)
        {
            await workload.CommitAsync(model, store);
            switch (random.Next(60))
            {
                case 0:
                    await store.DisposeAsync();
                    store = await PostgresRecordStore.OpenAsync(options, TestContext.Current.CancellationToken);
                    break;
                case 1:
                    Assert.Equal(await RandomWorkload.DumpAsync(model), await RandomWorkload.DumpAsync(store));
                    break;
            }
        }

        await store.DisposeAsync();
        store = await PostgresRecordStore.OpenAsync(options, TestContext.Current.CancellationToken);
        Assert.Equal(await RandomWorkload.DumpAsync(model), await RandomWorkload.DumpAsync(store));
        await store.DisposeAsync();
    }

    [Fact]
    public async Task Batches_of_thousands_of_turns_are_as_in_memory()
    {
        await using var model = new VolatileRecordStore();
        await using var store = await PostgresRecordStore.OpenAsync(
            new PostgresStoreOptions { ConnectionString = await Databases.CreateAsync(), PartitionPositions = 4096 }, TestContext.Current.CancellationToken);
        var records = Enumerable.Range(1, 3000).Select(i => new TestRecord(new Core.RecordKey(1 + (i % 2), 1, $"record-{i}"), i)).ToArray();
        for (var round = 1; round <= 3; round++)
        {
            var batch = new TestBatch();
            foreach (var record in records)
            {
                var effect = new EffectId(record.Number, 1, 1, round);
                batch.Turn(record, TurnPart.Set(1, $"value {round}"), TurnPart.Add(effect, "mail", (byte)round), TurnPart.Due(1000 + (round * record.Number)), TurnPart.Concerns(1));
                batch.Turn(record, record.Number % 2 == 0 ? TurnPart.Remove(effect) : TurnPart.Concerns(2));
            }

            await model.CommitAsync(batch.Batch, TestContext.Current.CancellationToken);
            await store.CommitAsync(batch.Batch, TestContext.Current.CancellationToken);
            Assert.DoesNotContain(0, batch.Positions);
        }

        Assert.Equal(model.Status with { JournalPosition = 0, CheckpointPosition = 0 }, store.Status with { JournalPosition = 0, CheckpointPosition = 0 });
        Assert.Equal(18_000, await CountAsync(store));
        var expected = await model.ScanRecordsAsync(0, 5000, TestContext.Current.CancellationToken);
        var found = await store.ScanRecordsAsync(0, 5000, TestContext.Current.CancellationToken);
        Assert.Equal(expected.Select(head => Convert.ToHexString(head.Head.Span)), found.Select(head => Convert.ToHexString(head.Head.Span)));
        Assert.Equal(
            await model.ReadTimersAsync(default, 5000, TestContext.Current.CancellationToken), await store.ReadTimersAsync(default, 5000, TestContext.Current.CancellationToken));
    }

    private static async Task<int> CountAsync(PostgresRecordStore store)
    {
        var (count, last) = (0, 0L);
        while (await store.ReadJournalAsync(last, 5000, TestContext.Current.CancellationToken) is { Count: > 0 } turns)
        {
            (count, last) = (count + turns.Count, turns[^1].Position);
        }

        return count;
    }

    [Fact]
    public async Task No_statement_reads_a_whole_table_also_when_it_was_planned_on_an_empty_one()
    {
        const string Scanned = """
            SELECT coalesce(string_agg(relname, ' '), '') FROM pg_stat_user_tables
            WHERE seq_scan > 0 AND relname ~ '^(keys|heads|sections|enrollments|effects|journal_.*|activity_.*)$'
            """;
        var options = new PostgresStoreOptions { ConnectionString = await Databases.CreateAsync() };
        var workload = new RandomWorkload(1);
        await using (var store = await PostgresRecordStore.OpenAsync(options, TestContext.Current.CancellationToken))
        {
            // Making tables and their parts reads them.
            await new TestBatch().Turn(new TestRecord(new Core.RecordKey(1, 1, "first"), 1)).CommitAsync(store);
        }

        await WaitForStatisticsAsync(options.ConnectionString);
        await Databases.ExecuteAsync(options.ConnectionString, "SELECT pg_stat_reset()");
        await using (var store = await PostgresRecordStore.OpenAsync(options, TestContext.Current.CancellationToken))
        {
            for (var i = 0; i < 100; i++)
            {
                await workload.CommitAsync(store);
            }

            await RandomWorkload.DumpAsync(store);
        }

        await WaitForStatisticsAsync(options.ConnectionString);
        Assert.True(await Databases.QueryAsync<bool>(options.ConnectionString, "SELECT idx_scan > 100 FROM pg_stat_user_tables WHERE relname = 'heads'"));
        Assert.Equal(string.Empty, await Databases.QueryAsync<string>(options.ConnectionString, Scanned));
    }

    /// <summary>A session hands in what it counted when it ends, before it leaves the list of sessions.</summary>
    private static async Task WaitForStatisticsAsync(string connectionString)
    {
        const string Others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'roster'";
        while (await Databases.QueryAsync<long>(connectionString, Others) > 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }
}
