using System.Runtime.CompilerServices;
using Roster.Embedded.Tests;

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

    [ModuleInitializer]
    internal static void UsePostgres() => EngineHarness.OpenStore = async () => await PostgresRecordStore.OpenAsync(
        new PostgresStoreOptions { ConnectionString = await Databases.CreateAsync() }, TestContext.Current.CancellationToken);
}
