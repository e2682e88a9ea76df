using Roster.Core;
using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Postgres.Tests;

/// <summary>The connection breaks while COMMIT is on its way: the store finds out what became of it, and nothing happens twice (X03).</summary>
public sealed class UnknownCommitTests(OwnServer own) : IClassFixture<OwnServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Cut.BeforeServer)]
    [InlineData(Cut.AfterServer)]
    [InlineData(Cut.WhileClientAsksAgain)]
    public async Task A_commit_whose_connection_is_cut_is_durable_once(Cut cut)
    {
        var direct = await own.CreateAsync();
        await using var proxy = new CommitProxy(own.Server.Socket);
        await using var store = await PostgresRecordStore.OpenAsync(OwnServer.Options(proxy.Through(direct.ConnectionString)), Cancel);
        var batch = new TestBatch();
        var (a, b) = (new TestRecord(new RecordKey(1, 1, "a"), 1), new TestRecord(new RecordKey(1, 1, "b"), 2));
        var key = new CounterKey(1, 0, 0, CounterKind.Applied, 0, 0);
        await batch.Turn(a).Count(key, 1).CommitAsync(store);

        proxy.Arm(cut);
        var stale = a.Fork();
        stale.TurnId = 4711;
        var cutPositions = await batch.Turn(a).Turn(stale).Turn(b).Count(key, 2).CommitAsync(store);
        var last = await batch.Turn(b).Count(key, 1).CommitAsync(store);

        Assert.Equal(1, proxy.Cuts);
        Assert.Equal(0, cutPositions[1]);
        Assert.True(cutPositions[0] > 0 && cutPositions[2] > cutPositions[0] && last[0] > cutPositions[2]);
        var journal = await store.ReadJournalAsync(0, 100, Cancel);
        Assert.Equal([cutPositions[0], cutPositions[2], last[0]], journal.Skip(1).Select(turn => turn.Position));
        Assert.Equal(4, Assert.Single(await store.ReadCountersAsync(1, Cancel)).Value);
        Assert.Equal(2, store.Status.Records);
        Assert.Equal(a.Head, (await store.LoadAsync(1, Cancel)).Head.ToArray());
    }

    [Fact]
    public async Task Fenced_before_the_outcome_was_learned_it_stays_unknown()
    {
        var direct = await own.CreateAsync();
        await using var proxy = new CommitProxy(own.Server.Socket);
        await using var store = await PostgresRecordStore.OpenAsync(OwnServer.Options(proxy.Through(direct.ConnectionString)), Cancel);
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await new TestBatch().Turn(record).CommitAsync(store);
        PostgresRecordStore? second = null;
        proxy.BeforeReset = async () => second = await PostgresRecordStore.OpenAsync(direct, Cancel);
        proxy.Arm(Cut.AfterServer);
        var batch = new TestBatch().Turn(record);
        var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => batch.CommitAsync(store));
        Assert.IsType<StoreFencedException>(failed.InnerException);

        // It had come through, so that an answer of "nothing was written" would have been wrong.
        Assert.Equal(2, (await second!.ReadJournalAsync(0, 10, Cancel)).Count);
        await second.DisposeAsync();
    }

    [Fact]
    public async Task Cut_at_every_third_commit_a_random_workload_is_as_in_memory()
    {
        var direct = await own.CreateAsync();
        await using var proxy = new CommitProxy(own.Server.Socket);
        await using var store = await PostgresRecordStore.OpenAsync(OwnServer.Options(proxy.Through(direct.ConnectionString)), Cancel);
        await using var model = new VolatileRecordStore();
        var workload = new RandomWorkload(7);
        var cuts = Enum.GetValues<Cut>();
        for (var i = 0; i < 60; i++)
        {
            if (i % 3 == 0)
            {
                proxy.Arm(cuts[i / 3 % cuts.Length]);
            }

            await workload.CommitAsync(model, store);
        }

        Assert.True(proxy.Cuts >= 15, $"{proxy.Cuts} cuts");
        Assert.Equal(await RandomWorkload.DumpAsync(model), await RandomWorkload.DumpAsync(store));
    }
}
