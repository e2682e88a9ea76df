using Roster.Embedded;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Engine.Moving;
using Roster.Storage.Postgres;
using Roster.Storage.Postgres.Tests;
using Roster.Storage.Sqlite;
using Roster.V1;
using static Roster.Embedded.Tests.EngineCalls;

namespace Roster.Cluster.Tests;

/// <summary>From one process with a data folder to silos on a database, with enrollments in flight.</summary>
public sealed class MoveToClusterTests : IDisposable
{
    private const string Tenant = "acme";

    private const string Nurture = """
        {
          "id": "nurture", "objectType": "contact",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } } },
          "goals": [ { "id": "customer", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["customer"] } ] } ] } } ],
          "steps": [ { "id": "mail", "next": "wait", "worker": { "queue": "mail" } }, { "id": "wait", "next": "mark", "delay": { "amount": 2, "unit": "DAYS" } }, { "id": "mark", "setProperty": { "property": "stage", "value": "mql" } } ]
        }
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-move-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task DLY_01_GOAL_04_ACT_03_REC_08_Enrollments_in_flight_go_on_in_the_cluster()
    {
        var clock = new ManualClock(EngineHarness.Start);
        var database = await Databases.CreateAsync();
        await ClusterSchema.MigrateAsync(database, Token);
        var keys = await FillAsync(clock);
        var file = new MemoryStream();
        TenantSummary exported, imported;
        await using (var from = await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = _folder.FullName }, Token))
        {
            exported = await TenantMove.ExportAsync(from, Tenant, file, clock.GetUtcNow(), Token);
        }

        file.Position = 0;
        await using (var to = await PostgresRecordStore.OpenAsync(new PostgresStoreOptions { ConnectionString = database, MayTakeOver = false }, Token))
        {
            await using (var import = await to.BeginImportAsync(Token))
            {
                await TenantMove.ImportAsync(file, import, Token);
            }

            imported = await TenantMove.HashAsync(to, Tenant, Token);
        }

        Assert.Equal(exported, imported);
        await using var silos = await TestSilos.StartAsync(2, clock, database: database);
        var engine = silos[0];
        Assert.All(await silos[1].IngestAsync(Tenant, [Lead("r0"), Lead("r1")], Token), result => Assert.Equal(EventResult.Types.Code.Duplicate, result.Result.Code));
        var tasks = await engine.LeaseTasksAsync(Tenant, "mail", 100, TimeSpan.FromMinutes(1), "w", Token);
        Assert.Equal(keys.Order(StringComparer.Ordinal), tasks.Select(task => task.Key).Order(StringComparer.Ordinal));
        await CompleteAsync(engine, tasks.Single(task => task.Ref.RecordId == "r1"));
        var customer = Lead("r0");
        (customer.EventId, customer.Writes[0].Value.Text) = ("won", "customer");
        await engine.IngestAsync(Tenant, [customer], Token);
        await AdvanceAsync(engine, TimeSpan.FromDays(1));
        var stats = await engine.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = "nurture" }, Token);
        Assert.Equal((20, 7, 12), (stats.Enrolled, stats.Active, stats.Completed));
        Assert.Equal("GOAL_MET", Assert.Single(stats.Unenrolled).Name);
        await AdvanceAsync(engine, TimeSpan.FromDays(2));
        stats = await engine.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = "nurture" }, Token);
        Assert.Equal((6, 13), (stats.Active, stats.Completed));
        await VerifyAsync(engine);
    }

    /// <summary>Twenty enrollments: r8 to r19 wait for a day more, the others for a worker. Returns the keys of open tasks.</summary>
    private async Task<string[]> FillAsync(ManualClock clock)
    {
        await using var store = await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = _folder.FullName }, Token);
        await using var engine = await EmbeddedEngine.StartAsync(new EmbeddedOptions(), store, clock, Token);
        await DeclareAsync(engine);
        await PublishAsync(engine, Nurture);
        await engine.IngestAsync(Tenant, [.. Enumerable.Range(0, 20).Select(i => Lead($"r{i}"))], Token);
        var tasks = await engine.LeaseTasksAsync(Tenant, "mail", 100, TimeSpan.FromHours(1), "w", Token);
        foreach (var task in tasks.Where(task => int.Parse(task.Ref.RecordId.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture) >= 8))
        {
            await CompleteAsync(engine, task);
        }

        await AdvanceAsync(engine, TimeSpan.FromDays(1));
        return [.. tasks.Where(task => int.Parse(task.Ref.RecordId.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture) < 8).Select(task => task.Key)];
    }

    private static Event Lead(string record)
    {
        var e = new Event { EventId = $"e-{record}", ObjectType = "contact", RecordId = record };
        e.Writes.Add(new PropertyValue { Name = "stage", Value = new Value { Text = "lead" } });
        return e;
    }
}
