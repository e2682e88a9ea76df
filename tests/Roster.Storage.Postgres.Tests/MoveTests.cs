using Roster.Embedded;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Engine.Moving;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite;
using Roster.V1;
using Kind = Roster.V1.JournalEntry.Types.Kind;

namespace Roster.Storage.Postgres.Tests;

/// <summary>A tenant moves from any store to any store with all it is, all that waits, and all that was.</summary>
public sealed class MoveTests
{
    private const string Tenant = EngineHarness.Tenant;

    private static readonly string[] Workflows =
    [
        """
        {
          "id": "nurture", "objectType": "contact",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } } },
          "goals": [ { "id": "customer", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["customer"] } ] } ] } } ],
          "steps": [ { "id": "wait", "next": "mark", "delay": { "amount": 2, "unit": "DAYS" } }, { "id": "mark", "setProperty": { "property": "stage", "value": "mql" } } ]
        }
        """,
        """
        {
          "id": "greet", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] }, "reenroll": true },
          "steps": [ { "id": "mail", "next": "done", "worker": { "queue": "mail", "properties": ["stage"] } }, { "id": "done", "setProperty": { "property": "greeted", "value": "yes" } } ]
        }
        """,
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Pairs()
    {
        string[] kinds = ["volatile", "sqlite", "postgres"];
        return [.. from one in kinds from other in kinds select (one, other)];
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task DLY_01_GOAL_04_ACT_03_REC_08_A_tenant_goes_on_elsewhere_as_if_nothing_had_been(string one, string other)
    {
        using var from = await StorePlace.CreateAsync(one);
        using var to = await StorePlace.CreateAsync(other);
        var clock = new ManualClock(EngineHarness.Start);
        var world = await FillAsync(from, clock);
        var file = await from.ExportAsync();
        var moved = await to.ImportAsync(new MemoryStream(file));
        Assert.Equal(await from.HashAsync(), moved);
        Assert.Equal(moved, await to.HashAsync());

        await using var harness = await EngineHarness.StartAsync(store: await to.OpenAsync(), clock: clock);
        Assert.Equal(world.Journal, await JournalAsync(harness));
        await harness.VerifyAsync();
        var (duplicate, mismatch) = ((await harness.Engine.IngestAsync(Tenant, [world.Acknowledged], Cancel))[0], world.Acknowledged.Clone());
        Assert.Equal(EventResult.Types.Code.Duplicate, duplicate.Result.Code);
        mismatch.Writes[0].Value.Text = "other";
        Assert.Equal(EventResult.Types.Code.DuplicateMismatch, (await harness.Engine.IngestAsync(Tenant, [mismatch], Cancel))[0].Result.Code);

        // One task had been leased and one not; a lease does not move, the key does.
        var tasks = await harness.Engine.LeaseTasksAsync(Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Cancel);
        Assert.Equal(world.Tasks.Order(StringComparer.Ordinal), tasks.Select(task => task.Key).Order(StringComparer.Ordinal));
        foreach (var task in tasks)
        {
            Assert.True(await CompleteAsync(harness, task.Key));
            Assert.False(await CompleteAsync(harness, task.Key));
        }

        await harness.SendAsync(New(harness, "bob", "", EngineHarness.Text("stage", "customer")), New(harness, "newcomer", "", EngineHarness.Text("stage", "lead")));
        Assert.Equal("GOAL_MET", Assert.Single((await harness.StatsAsync("nurture")).Unenrolled).Name);
        await harness.AdvanceAsync(TimeSpan.FromDays(1) - TimeSpan.FromMilliseconds(1));
        Assert.Equal("wait", Assert.Single((await harness.RecordAsync("ada")).Enrollments).StepId);
        await harness.AdvanceAsync(TimeSpan.FromMilliseconds(1));
        Assert.Equal("mql", Text(await harness.RecordAsync("ada"), "stage"));
        Assert.Equal("customer", Text(await harness.RecordAsync("bob"), "stage"));
        await harness.AdvanceAsync(TimeSpan.FromDays(30));
        Assert.Equal((3, 2), (await HowManyAsync(harness, Kind.Enrolled, "nurture"), (await harness.StatsAsync("nurture")).Completed));
        Assert.Equal(300, (await harness.RecordAsync("hub")).AssociationCount);
        var again = await harness.SendAsync(New(harness, "gone@example.org", "", EngineHarness.Text("stage", "lead")));
        Assert.NotNull(Assert.Single(again).Result.Refusal);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task The_hash_is_the_same_all_the_way_and_back_and_changes_with_the_state()
    {
        using var first = await StorePlace.CreateAsync("sqlite");
        using var second = await StorePlace.CreateAsync("postgres");
        using var third = await StorePlace.CreateAsync("sqlite");
        var clock = new ManualClock(EngineHarness.Start);
        await FillAsync(first, clock);
        var hash = await second.ImportAsync(new MemoryStream(await first.ExportAsync()));
        Assert.Equal(hash, await third.ImportAsync(new MemoryStream(await second.ExportAsync())));
        Assert.Equal([hash, hash, hash], new[] { await first.HashAsync(), await second.HashAsync(), await third.HashAsync() });
        Assert.Matches("^[0-9a-f]{64}$", hash.Hash);
        Assert.True(hash is { Records: > 300, Turns: > 300, Timers: 3, Effects: 2, Documents: > 4 }, $"{hash}");

        await using (var harness = await EngineHarness.StartAsync(store: await third.OpenAsync(), clock: clock))
        {
            await harness.SendAsync(New(harness, "ada", "", EngineHarness.Text("name", "Ada")));
            await harness.VerifyAsync();
        }

        Assert.NotEqual(hash.Hash, (await third.HashAsync()).Hash);
    }

    [Fact]
    public async Task HIS_08_A_tenant_moves_whose_first_turns_are_gone()
    {
        using var folder = new TemporaryFolder();
        var clock = new ManualClock(EngineHarness.Start);
        var data = Path.Combine(folder.Path, "data");
        byte[] file;
        await using (var harness = await StartAsync(data, keepBytes: null, clock))
        {
            await FillAsync(harness);
        }

        await using (var harness = await StartAsync(data, keepBytes: 20_000, clock))
        {
            await harness.SendAsync(New(harness, "ada", "", EngineHarness.Text("name", "Ada")));
            await harness.Engine.CheckpointAsync(Cancel);
        }

        await using (var store = await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = data }, Cancel))
        {
            Assert.True(store.Status.JournalBegin > 0);
            using var memory = new MemoryStream();
            await TenantMove.ExportAsync(store, Tenant, memory, clock.GetUtcNow(), Cancel);
            file = memory.ToArray();
        }

        foreach (var kind in new[] { "volatile", "sqlite", "postgres" })
        {
            using var to = await StorePlace.CreateAsync(kind);
            var moved = await to.ImportAsync(new MemoryStream(file));
            Assert.Equal(moved, await to.HashAsync());
            using var next = await StorePlace.CreateAsync(kind == "postgres" ? "sqlite" : "postgres");
            Assert.Equal(moved, await next.ImportAsync(new MemoryStream(await to.ExportAsync())));
            await using var harness = await EngineHarness.StartAsync(store: await to.OpenAsync(), clock: clock);
            var verified = await harness.Engine.VerifyAsync(Cancel);
            Assert.Empty(verified.Differences);
            Assert.False(verified.CountersSkipped);
            Assert.True(verified is { PartlyReplayed: > 0, JournalBegin: > 0 });
            await harness.SendAsync(New(harness, "bob", "", EngineHarness.Text("name", "Bob")));
            await harness.VerifyAsync();
        }
    }

    [Theory]
    [InlineData("volatile")]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task A_damaged_or_shortened_file_is_refused_and_nothing_of_it_is_there(string kind)
    {
        using var from = await StorePlace.CreateAsync("volatile");
        await FillAsync(from, new ManualClock(EngineHarness.Start));
        var file = await from.ExportAsync();
        using var to = await StorePlace.CreateAsync(kind);
        for (var i = 0; i < 24; i++)
        {
            var at = (int)((long)file.Length * i / 24) + (i == 0 ? 3 : 0);
            var damaged = (byte[])file.Clone();
            damaged[at] ^= 0x10;
            await Assert.ThrowsAsync<TenantFileException>(() => to.ImportAsync(new MemoryStream(damaged)));
            await Assert.ThrowsAsync<TenantFileException>(() => to.ImportAsync(new MemoryStream(file, 0, at)));
        }

        await Assert.ThrowsAsync<TenantFileException>(() => to.ImportAsync(new MemoryStream([.. file, 0])));
        var last = await Assert.ThrowsAsync<TenantFileException>(() => to.ImportAsync(new MemoryStream(file, 0, file.Length - 1)));
        Assert.Contains("ends before its last frame", last.Message, StringComparison.Ordinal);
        Assert.True(await to.IsEmptyAsync());
        Assert.Equal(await from.HashAsync(), await to.ImportAsync(new MemoryStream(file)));
    }

    [Theory]
    [InlineData("volatile")]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task An_import_that_dies_anywhere_leaves_nothing_and_can_be_done_again(string kind)
    {
        using var from = await StorePlace.CreateAsync("volatile");
        await FillAsync(from, new ManualClock(EngineHarness.Start));
        var file = await from.ExportAsync();
        using var to = await StorePlace.CreateAsync(kind);
        var reads = 0;
        for (var stops = 1; ; stops++)
        {
            using var failing = new FailingStream(file, stops);
            try
            {
                await to.ImportAsync(failing);
                break;
            }
            catch (IOException)
            {
                reads = stops;
                Assert.True(await to.IsEmptyAsync());
            }
        }

        Assert.True(reads > 10, $"The file was read in {reads} steps only.");
        Assert.Equal(await from.HashAsync(), await to.HashAsync());
    }

    [Theory]
    [InlineData("volatile")]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task A_store_that_has_the_tenant_or_its_numbers_is_refused_and_stays_as_it_is(string kind)
    {
        var clock = new ManualClock(EngineHarness.Start);
        using var from = await StorePlace.CreateAsync("volatile");
        await FillAsync(from, clock);
        var file = await from.ExportAsync();
        using var to = await StorePlace.CreateAsync(kind);
        await using (var harness = await EngineHarness.StartAsync(store: await to.OpenAsync(), clock: clock))
        {
            await harness.SendAsync(New(harness, "own"));
        }

        var before = await to.HashAsync();
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => to.ImportAsync(new MemoryStream(file)));
        Assert.Contains(kind == "sqlite" ? "is not empty" : "The store has the tenant `acme` with number 1", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await to.HashAsync());
    }

    [Theory]
    [InlineData("volatile")]
    [InlineData("postgres")]
    public async Task Two_tenants_of_one_store_move_one_after_the_other(string kind)
    {
        var clock = new ManualClock(EngineHarness.Start);
        using var from = await StorePlace.CreateAsync("sqlite");
        await using (var harness = await EngineHarness.StartAsync(store: await from.OpenAsync(), clock: clock))
        {
            await FillAsync(harness);
            await harness.Engine.UpdateSettingsAsync("other", new UpdateSettingsRequest { Settings = new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Declare } }, Cancel);
            await harness.Engine.IngestAsync("other", [New(harness, "ada", "", EngineHarness.Text("stage", "x"))], Cancel);
            await harness.SettleAsync();
        }

        using var to = await StorePlace.CreateAsync(kind);
        foreach (var tenant in new[] { "acme", "other" })
        {
            var moved = await to.ImportAsync(new MemoryStream(await from.ExportAsync(tenant)));
            Assert.Equal(await from.HashAsync(tenant), moved);
            Assert.Equal(moved, await to.HashAsync(tenant));
        }

        await using var engine = await EngineHarness.StartAsync(store: await to.OpenAsync(), clock: clock);
        await engine.VerifyAsync();
        Assert.Equal("x", Text((await engine.Engine.GetRecordAsync("other", new RecordRef { ObjectType = "contact", RecordId = "ada" }, Cancel))!, "stage"));
    }

    [Fact]
    public async Task REC_17_An_erased_id_is_known_elsewhere_only_under_the_same_key()
    {
        var clock = new ManualClock(EngineHarness.Start);
        using var from = await StorePlace.CreateAsync("volatile");
        await FillAsync(from, clock);
        using var to = await StorePlace.CreateAsync("volatile");
        var batch = new TurnBatch();
        batch.Documents.Add(new StoredDocument(0, "erasure", "key", new byte[32]));
        await (await to.OpenAsync()).CommitAsync(batch, Cancel);
        var file = await from.ExportAsync();
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => to.ImportAsync(new MemoryStream(file)));
        Assert.Contains("ids of erased records are hashed with another key", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DLY_18_Instants_of_another_zone_database_are_not_taken()
    {
        using var from = await StorePlace.CreateAsync("volatile");
        await FillAsync(from, new ManualClock(EngineHarness.Start));
        using var to = await StorePlace.CreateAsync("volatile");
        var batch = new TurnBatch();
        batch.Documents.Add(new StoredDocument(0, "zones", "zones", "2001a"u8.ToArray()));
        await (await to.OpenAsync()).CommitAsync(batch, Cancel);
        var file = await from.ExportAsync();
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => to.ImportAsync(new MemoryStream(file)));
        Assert.Contains("instants were computed with another zone database", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tenant_that_is_not_there_is_not_exported()
    {
        using var from = await StorePlace.CreateAsync("volatile");
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => from.ExportAsync("nobody"));
        Assert.Equal("The store `volatile` has no tenant `nobody`.", refused.Message);
    }

    [Fact]
    public async Task A_database_that_a_process_has_open_is_not_taken_from_it()
    {
        var options = new PostgresStoreOptions { ConnectionString = await Databases.CreateAsync() };
        await using var harness = await EngineHarness.StartAsync(store: await PostgresRecordStore.OpenAsync(options, Cancel));
        await harness.SendAsync(New(harness, "a"));
        var polite = new PostgresStoreOptions { ConnectionString = options.ConnectionString, MayTakeOver = false };
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => PostgresRecordStore.OpenAsync(polite, Cancel));
        Assert.Contains("is in use by another process of Roster", refused.Message, StringComparison.Ordinal);
        await harness.SendAsync(New(harness, "b"));
    }

    [Fact]
    public void Positions_of_records_are_found_whatever_their_numbers()
    {
        var positions = new RecordPositions();
        long[] numbers = [1, 2, 255, 256, 257, (1L << 40) + 7, 4_096 * 256, (4_096 * 256) + 3];
        for (var i = 0; i < numbers.Length; i++)
        {
            positions.Set(numbers[i], i + 1);
        }

        Assert.Equal(Enumerable.Range(1, numbers.Length).Select(i => (long)i), numbers.Select(positions.Find));
        positions.Set(2, 1L << 54);
        Assert.Equal((1, 1L << 54, 0), (positions.Find(1), positions.Find(2), positions.Find(3)));
    }

    /// <summary>A tenant with timers, tasks, goals, sections, an erased record, duplicates, and definitions.</summary>
    private static async Task<World> FillAsync(StorePlace place, ManualClock clock)
    {
        await using var harness = await EngineHarness.StartAsync(store: await place.OpenAsync(), clock: clock);
        return await FillAsync(harness);
    }

    private static async Task<World> FillAsync(EngineHarness harness)
    {
        await harness.SendAsync(New(harness, "seed", "", EngineHarness.Text("stage", "x"), EngineHarness.Text("name", "n"), EngineHarness.Text("greeted", "no")));
        foreach (var workflow in Workflows)
        {
            await harness.PublishAsync(workflow);
        }

        await harness.ListAsync("""
            { "id": "leads", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } }
            """);
        await harness.Engine.SaveWebhookEndpointAsync(Tenant, new SaveWebhookEndpointRequest { Endpoint = new WebhookEndpoint { Id = "crm", Url = "https://93.184.216.34/" } }, Cancel);
        for (var chunk = 0; chunk < 5; chunk++)
        {
            var e = New(harness, "hub");
            e.Associations.AddRange(Enumerable.Range(chunk * 60, 60).Select(i => new AssociationChange { ObjectType = "contact", RecordId = $"c{i}" }));
            await harness.SendAsync(e);
        }

        await harness.SendAsync(New(harness, "gone@example.org", "", EngineHarness.Text("stage", "x")));
        await harness.Engine.EraseRecordAsync(Tenant, new EraseRecordRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "gone@example.org" }, RequestId = "erase" }, Cancel);
        await harness.SettleAsync();
        var acknowledged = New(harness, "ada", "", EngineHarness.Text("stage", "lead"));
        await harness.SendAsync(acknowledged, New(harness, "bob", "", EngineHarness.Text("stage", "lead")));
        await harness.SendAsync(acknowledged);
        await harness.SendAsync(New(harness, "ada", "go"));
        var leased = await harness.Engine.LeaseTasksAsync(Tenant, "mail", 1, TimeSpan.FromHours(1), "w", Cancel);
        await harness.SendAsync(New(harness, "cleo", "go"));
        var waiting = await harness.Engine.LeaseTasksAsync(Tenant, "mail", 10, TimeSpan.FromHours(1), "w", Cancel);
        await harness.AdvanceAsync(TimeSpan.FromDays(1));
        await harness.VerifyAsync();
        return new World(acknowledged, [.. leased.Concat(waiting).Select(task => task.Key)], await JournalAsync(harness));
    }

    /// <summary>An event with an id that no other harness of the test gives out.</summary>
    private static Event New(EngineHarness harness, string record, string type = "", params PropertyValue[] writes)
    {
        var e = harness.Event(record, type, writes);
        e.EventId = $"{Guid.NewGuid():N}";
        return e;
    }

    private static async Task<EngineHarness> StartAsync(string folder, long? keepBytes, ManualClock clock) => await EngineHarness.StartAsync(
        store: await SqliteRecordStore.OpenAsync(new SqliteStoreOptions { Folder = folder, JournalKeepBytes = keepBytes }, Cancel), clock: clock);

    private static async Task<List<string>> JournalAsync(EngineHarness harness) => [.. (await harness.JournalAsync()).Select(entry =>
    {
        // Positions are the store's own.
        entry.Position = 0;
        return entry.ToString();
    })];

    private static async Task<int> HowManyAsync(EngineHarness harness, Kind kind, string workflow) => (await harness.JournalAsync(kind)).Count(entry => entry.WorkflowId == workflow);

    private static async Task<bool> CompleteAsync(EngineHarness harness, string key) =>
        await harness.Engine.CompleteTaskAsync(Tenant, new TaskCompletion { Key = key, Outcome = TaskCompletion.Types.Outcome.Completed }, Cancel);

    private static string Text(Roster.V1.Record record, string property) => record.Properties.Single(p => p.Name == property).Value.Text;

    private sealed record World(Event Acknowledged, string[] Tasks, List<string> Journal);

    private sealed class TemporaryFolder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("roster-move-");

        public string Path => _folder.FullName;

        public void Dispose() => _folder.Delete(recursive: true);
    }

    /// <summary>Fails at a read, as a disk does.</summary>
    private sealed class FailingStream(byte[] bytes, int failsAt) : MemoryStream(bytes, writable: false)
    {
        private int _reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ++_reads >= failsAt ? throw new IOException("The disk is gone.") : base.ReadAsync(buffer, cancellationToken);
    }
}
