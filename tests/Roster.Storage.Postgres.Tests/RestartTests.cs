using System.Diagnostics;
using Npgsql;
using Roster.Core;
using Roster.Embedded.Tests;
using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Postgres.Tests;

/// <summary>PostgreSQL restarts while the store commits: it waits and goes on, and nothing is lost or happens twice (X03, X05).</summary>
public sealed class RestartTests(OwnServer own) : IClassFixture<OwnServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Stop.Fast)]
    [InlineData(Stop.Immediate)]
    public Task A_restart_of_the_server_while_commits_go_on_loses_nothing(Stop mode) => RunAsync(4, async _ =>
    {
        await own.Server.StopAsync(mode);
        await own.Server.StartAsync();
    });

    [Fact]
    public Task A_killed_backend_while_commits_go_on_loses_nothing() => RunAsync(3, async database =>
    {
        var connectionString = new NpgsqlConnectionStringBuilder(own.Server.ConnectionString) { Database = database, Pooling = false }.ConnectionString;
        await using var connection = new NpgsqlConnection(connectionString);

        // The server may still be recovering from the kill before.
        while (true)
        {
            try
            {
                await connection.OpenAsync(Cancel);
                break;
            }
            catch (NpgsqlException)
            {
                await Task.Yield();
            }
        }

        await using var command = new NpgsqlCommand(
            $"SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE datname = '{database}' AND application_name = 'roster'", connection);
        if (await command.ExecuteScalarAsync(Cancel) is int and > 0 and var pid)
        {
            using var backend = Process.GetProcessById(pid);
            backend.Kill();
        }
    });

    [Fact]
    public async Task The_host_goes_on_over_restarts_and_every_event_is_applied_once()
    {
        var store = await PostgresRecordStore.OpenAsync(await own.CreateAsync(), Cancel);
        await using var harness = await EngineHarness.StartAsync(store: store);
        var sent = 0;
        var progress = new SemaphoreSlim(0);
        using var isOver = new CancellationTokenSource();
        var working = Task.Run(
            async () =>
            {
                while (!isOver.IsCancellationRequested)
                {
                    // New records for a while, so that keys are looked up all the time.
                    var events = Enumerable.Range(0, 50).Select(_ => harness.Event($"r{sent++ % 5000}", "", EngineHarness.Number("n", $"{sent}"))).ToArray();
                    Assert.Empty(await harness.SendAsync(events));
                    progress.Release();
                }
            },
            Cancel);
        foreach (var mode in new[] { Stop.Fast, Stop.Immediate })
        {
            for (var i = 0; i < 20; i++)
            {
                await await Task.WhenAny(progress.WaitAsync(Cancel), working);
            }

            await own.Server.StopAsync(mode);
            await own.Server.StartAsync();
        }

        await isOver.CancelAsync();
        await working;
        progress.Dispose();
        var applied = (await store.ReadCountersAsync(1, Cancel)).Single(counter => counter.Key.Kind == CounterKind.Applied);
        Assert.Equal(sent, applied.Value);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task A_server_that_stays_away_fails_reads_and_ends_commits_for_good()
    {
        var made = await own.CreateAsync();
        var options = new PostgresStoreOptions { ConnectionString = made.ConnectionString, ReconnectTimeout = TimeSpan.Zero };
        await using var store = await PostgresRecordStore.OpenAsync(options, Cancel);
        var batch = new TestBatch().Turn(new TestRecord(new RecordKey(1, 1, "a"), 1));
        await own.Server.StopAsync(Stop.Fast);
        try
        {
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => store.LoadAsync(1, Cancel).AsTask());
            await Assert.ThrowsAsync<InvalidOperationException>(() => batch.CommitAsync(store));
        }
        finally
        {
            await own.Server.StartAsync();
        }

        Assert.False((await store.LoadAsync(1, Cancel)).Found);
        var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => batch.CommitAsync(store));
        Assert.Contains("takes no more commits", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_comes_back_with_unsafe_settings_ends_commits_for_good()
    {
        var options = await own.CreateAsync();
        await using var store = await PostgresRecordStore.OpenAsync(options, Cancel);
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await new TestBatch().Turn(record).CommitAsync(store);
        await own.Server.StopAsync(Stop.Fast);
        own.Server.Set("synchronous_commit", "off");
        try
        {
            await own.Server.StartAsync();
            var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => new TestBatch().Turn(record).CommitAsync(store));
            Assert.Contains("`synchronous_commit`", Assert.IsType<StoreRefusedException>(failed.InnerException).Message, StringComparison.Ordinal);
        }
        finally
        {
            await own.Server.StopAsync(Stop.Fast);
            own.Server.Set("synchronous_commit", "on");
            await own.Server.StartAsync();
        }
    }

    /// <summary>Random commits against the volatile store, and reads, until so many disturbances are over.</summary>
    private async Task RunAsync(int times, Func<string, Task> disturb)
    {
        var options = await own.CreateAsync();
        var database = new NpgsqlConnectionStringBuilder(options.ConnectionString).Database!;
        await using var store = await PostgresRecordStore.OpenAsync(options, Cancel);
        await using var model = new VolatileRecordStore();
        var workload = new RandomWorkload(times);
        var commits = 0;
        var progress = new SemaphoreSlim(0);
        using var isOver = new CancellationTokenSource();
        var working = Task.Run(
            async () =>
            {
                while (!isOver.IsCancellationRequested)
                {
                    await workload.CommitAsync(model, store);
                    await store.ReadTimersAsync(default, 10, Cancel);
                    commits++;
                    progress.Release();
                }
            },
            Cancel);
        for (var i = 0; i < times; i++)
        {
            // Commits go on between two disturbances, and while there is one.
            await WaitAsync(5);
            await disturb(database);
        }

        await WaitAsync(5);
        await isOver.CancelAsync();
        await working;
        progress.Dispose();
        Assert.True(commits >= 5 * times, $"{commits} commits");
        Assert.Equal(await RandomWorkload.DumpAsync(model), await RandomWorkload.DumpAsync(store));

        async Task WaitAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var next = progress.WaitAsync(Cancel);
                await await Task.WhenAny(next, working);
            }
        }
    }
}
