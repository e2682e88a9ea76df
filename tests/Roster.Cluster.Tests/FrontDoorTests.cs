using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Grpc.Health.V1;
using Npgsql;
using Roster.Crash.Tests;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Storage.Postgres.Tests;
using Roster.V1;
using static Roster.Embedded.Tests.EngineCalls;

namespace Roster.Cluster.Tests;

/// <summary>Front doors without a silo, and silos without a front door.</summary>
public sealed class FrontDoorTests
{
    private const string Tenant = EngineHarness.Tenant;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_front_door_without_a_silo_does_all_that_one_with_a_silo_does()
    {
        await using var silos = await TestSilos.StartAsync(2, new ManualClock(EngineHarness.Start), hasDoor: true);
        var door = silos.Door;
        await DeclareAsync(door);
        await PublishAsync(door, Follow);
        Assert.Empty(await door.IngestAsync(Tenant, [.. Enumerable.Range(0, 20).Select(r => Event($"go-{r}", $"r{r}", "go"))], Token));
        Assert.Equal(EventResult.Types.Code.Duplicate, Assert.Single(await silos[1].IngestAsync(Tenant, [Event("go-3", "r3", "go")], Token)).Result.Code);
        await CompleteAllAsync(door, 20);
        await AdvanceAsync(door, TimeSpan.FromDays(2));
        var record = await RecordAsync(door, "r7");
        Assert.Equal("done", record.Properties.Single(p => p.Name == "stage").Value.Text);
        var unknown = await door.EnrollAsync(Tenant, new EnrollRequest { Ref = record.Ref, WorkflowId = "none", RequestId = "q" }, Token);
        Assert.Equal(Refusal.Types.Reason.UnknownWorkflow, unknown.Result.Refusal.Reason);
        var status = await door.GetStatusAsync(Token);
        Assert.Equal(("cluster", 20L), (status.Host, status.Records));
        await VerifyAsync(door);
    }

    [Fact]
    public async Task MET_17_Each_process_measures_its_own_turns()
    {
        await using var silos = await TestSilos.StartAsync(2, new ManualClock(EngineHarness.Start), hasDoor: true);
        await DeclareAsync(silos[0]);
        Assert.Empty(await silos.Door.IngestAsync(Tenant, [.. Enumerable.Range(0, 40).Select(r => Event($"e{r}", $"r{r}", ""))], Token));
        Assert.Equal(40, await TurnsAsync(silos[0]) + await TurnsAsync(silos[1]));
        Assert.Equal(0, await TurnsAsync(silos.Door));

        static async Task<long> TurnsAsync(IRosterEngine engine) =>
            (await engine.GetMeasuresHereAsync(new GetMeasuresRequest(), Token)).Tenants.Where(t => t.Tenant == Tenant).Sum(t => (long)t.TurnTime.Count);
    }

    [Fact]
    public async Task LIM_02_A_front_door_without_a_silo_has_the_part_of_a_silo()
    {
        await using var silos = await TestSilos.StartAsync(2, new ManualClock(EngineHarness.Start), hasDoor: true);
        while (silos.Door.Rates.Processes != 2)
        {
            await Task.Yield();
        }
    }

    [Fact]
    public async Task EDT_06_What_one_kind_of_front_door_changes_the_other_sees_at_once()
    {
        await using var silos = await TestSilos.StartAsync(2, new ManualClock(EngineHarness.Start), hasDoor: true);
        await DeclareAsync(silos[0]);
        IRosterEngine[] doors = [silos.Door, silos[0], silos[1]];
        for (var i = 0; i < 6; i++)
        {
            var id = $"w{i}";
            await PublishAsync(doors[i % 3], Follow.Replace("\"follow\"", $"\"{id}\"", StringComparison.Ordinal));
            Assert.Empty(await doors[(i + 1) % 3].IngestAsync(Tenant, [Event(id, "ada", "go")], Token));
            Assert.Contains((await RecordAsync(doors[(i + 2) % 3], "ada")).Enrollments, e => e.WorkflowId == id);
        }

        // Schema and settings are changed by the front door itself, under its own name in the store.
        await silos.Door.DeclarePropertiesAsync(
            Tenant, new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = "size", Type = PropertyType.Types.Kind.Number } } }, Token);
        var wrong = Assert.Single(await silos[1].IngestAsync(Tenant, [Event("s", "ada", "", EngineHarness.Text("size", "large"))], Token));
        Assert.Equal(EventResult.Types.Code.Refused, wrong.Result.Code);
    }

    [Fact]
    public async Task Processes_of_each_role_work_together_and_a_silo_that_dies_is_noticed()
    {
        Databases.Require(ownServer: true);
        await using var postgres = await PostgresServer.StartNewAsync();
        await using var first = await ServerUnderTest.StartAsync(Settings(postgres, "silo"), Token);
        await using var second = await ServerUnderTest.StartAsync(Settings(postgres, "silo"), Token);
        await using var door = await ServerUnderTest.StartAsync(Settings(postgres, "door"), Token);

        // A silo says how it is, and nothing else.
        var health = await new Health.HealthClient(first.Channel).CheckAsync(new HealthCheckRequest(), cancellationToken: Token);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
        var shut = await Assert.ThrowsAsync<RpcException>(
            async () => await new IngestService.IngestServiceClient(first.Channel).IngestAsync(new IngestRequest(), cancellationToken: Token));
        Assert.Equal(StatusCode.Unimplemented, shut.StatusCode);

        await new TenantService.TenantServiceClient(door.Channel).DeclarePropertiesAsync(
            new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = "stage", Type = PropertyType.Types.Kind.String } } }, cancellationToken: Token);
        await SendAsync(door, "a");
        await first.KillAsync();
        await SendAsync(door, "b");
        var status = await new AdminService.AdminServiceClient(door.Channel).GetStatusAsync(new GetStatusRequest(), cancellationToken: Token);
        Assert.Equal((100L, 50L), (status.Events.Applied, status.Records));

        Assert.Equal(1, await CountDoorsAsync(postgres));
        using (var kill = Process.Start("kill", ["-TERM", door.ProcessId.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync(Token);
        }

        await door.WaitForExitAsync(Token);
        Assert.Equal(0, await CountDoorsAsync(postgres));
    }

    private static Dictionary<string, string> Settings(PostgresServer postgres, string role) => new()
    {
        ["host"] = "cluster",
        ["role"] = role,
        ["clock"] = "real",
        ["store"] = "postgres",
        ["postgres"] = postgres.ConnectionString,
        ["silo_port"] = ServerUnderTest.FreePort().ToString(CultureInfo.InvariantCulture),
        ["gateway_port"] = ServerUnderTest.FreePort().ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Fifty events of fifty records, sent again with the same ids while the cluster notices that a silo is gone.</summary>
    private static async Task SendAsync(ServerUnderTest door, string name)
    {
        var request = new IngestRequest();
        request.Events.Add(Enumerable.Range(0, 50).Select(r => new Event
        {
            EventId = $"{name}-{r}",
            ObjectType = "contact",
            RecordId = $"r{r}",
            Writes = { new PropertyValue { Name = "stage", Value = new Value { Text = name } } },
        }));
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Token);
        over.CancelAfter(TimeSpan.FromSeconds(90));
        while (true)
        {
            try
            {
                var response = await new IngestService.IngestServiceClient(door.Channel).IngestAsync(request, cancellationToken: over.Token);
                Assert.All(response.Results, r => Assert.True(r.Code is EventResult.Types.Code.Applied or EventResult.Types.Code.Duplicate, $"{r}"));
                return;
            }
            catch (RpcException failure) when (failure.StatusCode == StatusCode.Unavailable && !over.IsCancellationRequested)
            {
                await Task.Yield();
            }
        }
    }

    private static async Task<long> CountDoorsAsync(PostgresServer postgres)
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var command = source.CreateCommand("SELECT count(*) FROM roster.owners WHERE name LIKE 'door/%'");
        return (long)(await command.ExecuteScalarAsync(Token))!;
    }
}
