using System.Runtime.CompilerServices;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Engine.Stores;

namespace Roster.Storage.Postgres.Tests;

/// <summary>The tests of the embedded host, which this project runs again, get a database of their own each.</summary>
public sealed class EmbeddedOverPostgres
{
    [Fact]
    public async Task The_tests_of_the_host_run_over_this_store()
    {
        await using var harness = await EngineHarness.StartAsync();
        Assert.Equal("postgres", harness.Store.Name);
    }

    [Fact]
    public async Task A_second_host_on_the_database_stops_the_first()
    {
        var options = OwnServer.Options(await Databases.CreateAsync());
        await using var first = await EngineHarness.StartAsync(store: await PostgresRecordStore.OpenAsync(options, TestContext.Current.CancellationToken));
        await first.SendAsync(first.Event("a"));
        await using var second = await EngineHarness.StartAsync(store: await PostgresRecordStore.OpenAsync(options, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<RosterException>(() => first.SendAsync(first.Event("b")));
        await Assert.ThrowsAsync<StoreFencedException>(() => first.Engine.Failed);
        await second.SendAsync(second.Event("c"));
        Assert.Equal(2, second.Store.Status.Records);
        await second.VerifyAsync();
    }

    [ModuleInitializer]
    internal static void UsePostgres() => EngineHarness.OpenStore = async () => await PostgresRecordStore.OpenAsync(
        new PostgresStoreOptions { ConnectionString = await Databases.CreateAsync() }, TestContext.Current.CancellationToken);
}
