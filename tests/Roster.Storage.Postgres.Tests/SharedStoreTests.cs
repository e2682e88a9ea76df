using Google.Protobuf;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;
using static Roster.Embedded.Tests.EngineCalls;

namespace Roster.Storage.Postgres.Tests;

/// <summary>Several processes on one database: whatever comes to whichever of them, the store sees to it that nothing is decided on what is old.</summary>
public sealed class SharedStoreTests
{
    private const string Tenant = EngineHarness.Tenant;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<SharedHosts> StartAsync(int count)
    {
        var hosts = await SharedHosts.StartAsync(count);
        await DeclareAsync(hosts[0]);
        return hosts;
    }

    [Fact]
    public async Task Events_of_the_same_records_at_two_hosts_are_applied_once_each_and_one_after_another()
    {
        await using var hosts = await StartAsync(2);
        await PublishAsync(hosts[0], Follow);
        await hosts[1].RefreshAsync(Token);
        var sent = Enumerable.Range(0, 40).Select(async batch =>
        {
            var host = hosts[batch % 2];
            var events = Enumerable.Range(0, 25).Select(i => Event($"e{batch}-{i}", $"r{i % 5}", i == 24 ? "go" : "", EngineHarness.Number("score", $"{batch}"))).ToArray();
            Assert.Empty(await host.IngestAsync(Tenant, events, Token));

            // The other host hears it a second time.
            var again = await hosts[(batch + 1) % 2].IngestAsync(Tenant, events, Token);
            Assert.Equal(25, again.Count(r => r.Result.Code == EventResult.Types.Code.Duplicate));
        });
        await Task.WhenAll(sent);
        Assert.True(hosts[0].Conflicts + hosts[1].Conflicts > 0, "The hosts never met.");
        var status = await hosts[1].GetStatusAsync(Token);
        Assert.Equal((1_000, 1_000, 5), (status.Events.Applied, status.Events.Duplicate, status.Records));
        await VerifyAsync(hosts[0]);
    }

    [Fact]
    public async Task EDT_06_What_one_host_published_every_later_event_sees_at_every_other()
    {
        await using var hosts = await StartAsync(3);
        await hosts[2].IngestAsync(Tenant, [Event("a", "ada", "", EngineHarness.Text("name", "Ada"))], Token);
        await PublishAsync(hosts[1], Follow);
        Assert.Empty(await hosts[2].IngestAsync(Tenant, [Event("b", "ada", "go")], Token));
        Assert.Equal("follow", Assert.Single((await RecordAsync(hosts[1], "ada")).Enrollments).WorkflowId);

        // Neither is an event refused by a schema that has grown elsewhere.
        await hosts[0].UpdateSettingsAsync(Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Refuse } }, Token);
        await hosts[1].DeclarePropertiesAsync(
            Tenant, new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = "city", Type = PropertyType.Types.Kind.String } } }, Token);
        Assert.Empty(await hosts[2].IngestAsync(Tenant, [Event("c", "ada", "", EngineHarness.Text("city", "Oslo"))], Token));
        await VerifyAsync(hosts[2]);
    }

    [Fact]
    public async Task Definitions_changed_at_two_hosts_at_once_do_not_get_lost()
    {
        await using var hosts = await StartAsync(2);
        var saves = Enumerable.Range(0, 20).Select(i => hosts[i % 2].SaveWorkflowAsync(
            Tenant, new SaveWorkflowRequest { Workflow = JsonParser.Default.Parse<Workflow>(Follow.Replace("\"follow\"", $"\"w{i}\"", StringComparison.Ordinal)) }, Token).AsTask());
        await Task.WhenAll(saves);
        await hosts[0].RefreshAsync(Token);
        await hosts[1].RefreshAsync(Token);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(20, (await hosts[i].ListWorkflowsAsync(Tenant, new ListWorkflowsRequest(), Token)).Workflows.Count);
        }

        // The same holds for tenants, which the first call makes.
        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => hosts[i % 2].GetTenantAsync($"t{i / 2}", Token).AsTask()));
        await hosts[0].IngestAsync("t1", [Event("x", "one", "")], Token);
        await hosts[1].IngestAsync("t1", [Event("y", "one", "")], Token);
        Assert.NotNull(await hosts[1].GetRecordAsync("t1", new RecordRef { ObjectType = "contact", RecordId = "one" }, Token));
        await VerifyAsync(hosts[1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_host_that_has_the_duties_does_what_was_decided_at_the_others(bool isDeaf)
    {
        await using var hosts = await StartAsync(3);
        await PublishAsync(hosts[0], Follow);
        hosts.IsDeaf = isDeaf;
        Assert.Empty(await hosts[1].IngestAsync(Tenant, [Event("a", "ada", ""), Event("b", "bob", "")], Token));

        // Host 0 has both in memory as they were before.
        Assert.Empty(await hosts[0].IngestAsync(Tenant, [Event("c", "ada", ""), Event("d", "bob", "")], Token));
        Assert.Empty(await hosts[2].IngestAsync(Tenant, [Event("e", "ada", "go"), Event("f", "bob", "go")], Token));
        if (isDeaf)
        {
            await hosts[0].ResyncAsync(Token);
        }

        var tasks = await hosts[0].LeaseTasksAsync(Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Token);
        Assert.Equal(["ada", "bob"], tasks.Select(t => t.Ref.RecordId).Order());
        foreach (var task in tasks)
        {
            await CompleteAsync(hosts[0], task);
        }

        // And an event in between, elsewhere, so that host 0 knows an old state again when the timers are due.
        Assert.Empty(await hosts[1].IngestAsync(Tenant, [Event("g", "ada", "", EngineHarness.Number("score", "7"))], Token));
        await AdvanceAsync(hosts[0], TimeSpan.FromDays(2));
        foreach (var record in new[] { "ada", "bob" })
        {
            Assert.Equal("done", (await RecordAsync(hosts[2], record)).Properties.Single(p => p.Name == "stage").Value.Text);
        }

        await VerifyAsync(hosts[1]);
    }

    [Fact]
    public async Task Duties_move_and_what_was_begun_goes_on()
    {
        await using var hosts = await StartAsync(2);
        await PublishAsync(hosts[0], Follow);
        Assert.Empty(await hosts[0].IngestAsync(Tenant, [Event("a", "ada", "go")], Token));
        await hosts[0].DropDutiesAsync();
        await hosts[1].TakeDutiesAsync(Token);
        await CompleteAllAsync(hosts[1], 1);
        await AdvanceAsync(hosts[1], TimeSpan.FromDays(2));
        Assert.Empty((await RecordAsync(hosts[0], "ada")).Enrollments);
        await VerifyAsync(hosts[1]);
    }

    [Fact]
    public async Task A_host_whose_right_to_commit_was_taken_commits_nothing_more_and_the_others_go_on()
    {
        await using var hosts = await StartAsync(2);
        Assert.Empty(await hosts[0].IngestAsync(Tenant, [Event("a", "ada", "")], Token));
        Assert.True(await hosts.Store(1).FenceAsync("host0", Token));
        Assert.False(await hosts.Store(1).FenceAsync("host0", Token));
        await Assert.ThrowsAsync<RosterException>(async () => await hosts[0].IngestAsync(Tenant, [Event("b", "ada", "")], Token));
        await Assert.ThrowsAsync<StoreFencedException>(() => hosts[0].Failed);
        Assert.Empty(await hosts[1].IngestAsync(Tenant, [Event("c", "ada", "")], Token));
        Assert.Equal(2, (await hosts[1].GetStatusAsync(Token)).Events.Applied);
    }

    [Fact]
    public async Task Preparing_a_database_takes_it_from_nobody()
    {
        var options = OwnServer.Options(await Databases.CreateAsync());
        Assert.Equal(3, await PostgresRecordStore.MigrateAsync(options, Token));
        await using var harness = await EngineHarness.StartAsync(store: await PostgresRecordStore.OpenAsync(options, Token));
        Assert.Equal(3, await PostgresRecordStore.MigrateAsync(options, Token));
        Assert.Empty(await harness.SendAsync(harness.Event("ada")));
    }

    [Fact]
    public async Task Who_takes_the_store_for_himself_stops_all_who_share_it()
    {
        await using var hosts = await StartAsync(2);
        Assert.Empty(await hosts[0].IngestAsync(Tenant, [Event("a", "ada", "")], Token));
        await using var alone = await PostgresRecordStore.OpenAsync(OwnServer.Options(hosts.Database), Token);
        await Assert.ThrowsAsync<RosterException>(async () => await hosts[0].IngestAsync(Tenant, [Event("b", "ada", "")], Token));
        await Assert.ThrowsAsync<RosterException>(async () => await hosts[1].IngestAsync(Tenant, [Event("c", "ada", "")], Token));
        Assert.Equal(1, alone.Status.Records);
    }
}
