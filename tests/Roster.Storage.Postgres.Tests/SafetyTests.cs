using Roster.Core;
using Roster.Core.Journal;
using Roster.Engine.Stores;
using Roster.Storage.Postgres.Internal;
using Roster.Storage.TestKit;

namespace Roster.Storage.Postgres.Tests;

/// <summary>What is refused, and what stops: settings, versions, a full disk, stored bytes that changed, a second active enrollment.</summary>
public sealed class SafetyTests(OwnServer own) : IClassFixture<OwnServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("fsync")]
    [InlineData("full_page_writes")]
    [InlineData("synchronous_commit")]
    public async Task A_server_that_may_lose_what_it_answered_is_refused_and_the_setting_is_named(string setting)
    {
        _ = own.Server;
        await using var server = await PostgresServer.StartNewAsync((setting, "off"));
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => PostgresRecordStore.OpenAsync(OwnServer.Options(server.ConnectionString), Cancel));
        Assert.Contains($"`{setting}` is `off`", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_of_the_database_counts_too()
    {
        var connectionString = await Databases.CreateAsync();
        var name = new Npgsql.NpgsqlConnectionStringBuilder(connectionString).Database;
        await Databases.ExecuteAsync(connectionString, $"ALTER DATABASE {name} SET synchronous_commit = off");
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => PostgresRecordStore.OpenAsync(OwnServer.Options(connectionString), Cancel));
        Assert.Contains("`synchronous_commit` is `off`", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_owner_of_the_database_needs_no_other_right()
    {
        var role = $"role_{Guid.NewGuid():N}";
        await Databases.ExecuteAsync(own.Server.ConnectionString, $"CREATE ROLE {role} LOGIN");
        await Databases.ExecuteAsync(own.Server.ConnectionString, $"CREATE DATABASE {role} OWNER {role}");
        var connectionString = new Npgsql.NpgsqlConnectionStringBuilder(own.Server.ConnectionString) { Database = role, Username = role }.ConnectionString;
        await using var store = await PostgresRecordStore.OpenAsync(OwnServer.Options(connectionString), Cancel);
        Assert.True((await new TestBatch().Turn(new TestRecord(new RecordKey(1, 1, "a"), 1)).CommitAsync(store))[0] > 0);
    }

    [Fact]
    public async Task A_database_that_cannot_be_reached_is_told_without_the_password()
    {
        var connectionString = new Npgsql.NpgsqlConnectionStringBuilder(await Databases.CreateAsync()) { Database = "nowhere", Password = "secret" };
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => PostgresRecordStore.OpenAsync(OwnServer.Options(connectionString.ConnectionString), Cancel));
        Assert.Contains("nowhere", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_schema_is_made_in_an_empty_database_and_left_alone_when_it_is_the_newest()
    {
        const string Tables = "SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_class WHERE relnamespace = 'roster'::regnamespace";
        const string Versions = "SELECT string_agg(version || ' ' || applied_at, ', ' ORDER BY version) FROM roster.schema_versions";
        var connectionString = await Databases.CreateAsync();
        var seen = new HashSet<(string, string)>();
        for (var i = 0; i < 3; i++)
        {
            await using var store = await PostgresRecordStore.OpenAsync(OwnServer.Options(connectionString), Cancel);
            seen.Add((await Databases.QueryAsync<string>(connectionString, Tables), await Databases.QueryAsync<string>(connectionString, Versions)));
        }

        Assert.Single(seen);
        Assert.Equal(Migrator.Newest, await Databases.QueryAsync<int>(connectionString, "SELECT max(version) FROM roster.schema_versions"));
    }

    [Fact]
    public async Task A_schema_of_a_later_version_is_refused_and_not_touched()
    {
        var connectionString = await Databases.CreateAsync();
        await using (await PostgresRecordStore.OpenAsync(OwnServer.Options(connectionString), Cancel))
        {
            await Databases.ExecuteAsync(connectionString, $"INSERT INTO roster.schema_versions (version) VALUES ({Migrator.Newest + 1})");
        }

        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => PostgresRecordStore.OpenAsync(OwnServer.Options(connectionString), Cancel));
        Assert.Contains($"is of version {Migrator.Newest + 1}", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1L, await Databases.QueryAsync<long>(connectionString, "SELECT epoch FROM roster.owners"));
    }

    [Theory]
    [InlineData("AFTER INSERT ON roster.journal", "TRIGGER")]
    [InlineData("AFTER INSERT ON roster.journal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW", "CONSTRAINT TRIGGER")]
    public async Task A_full_disk_writes_nothing_and_the_next_commit_may_succeed(string when, string kind)
    {
        var connectionString = await Databases.CreateAsync();
        await using var store = await PostgresRecordStore.OpenAsync(OwnServer.Options(connectionString), Cancel);
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await new TestBatch().Turn(record).CommitAsync(store);
        var before = await RandomWorkload.DumpAsync(store);

        // The second case fails COMMIT itself.
        await Databases.ExecuteAsync(
            connectionString,
            $"""
            CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no space left'' USING ERRCODE = ''53100''; END';
            CREATE {kind} full_disk {when} EXECUTE FUNCTION full_disk()
            """);
        var batch = new TestBatch().Turn(record.Fork()).Count(new CounterKey(1, 0, 0, CounterKind.Applied, 0, 0), 1);
        await Assert.ThrowsAsync<StoreFullException>(() => batch.CommitAsync(store));
        Assert.Equal([0L], batch.Positions);
        Assert.Equal(before, await RandomWorkload.DumpAsync(store));
        await Databases.ExecuteAsync(connectionString, "DROP TRIGGER full_disk ON roster.journal");
        Assert.True((await new TestBatch().Turn(record).CommitAsync(store))[0] > 0);
    }

    [Fact]
    public async Task A_failure_that_is_none_of_the_known_ones_stops_the_store()
    {
        var connectionString = await Databases.CreateAsync();
        await using var store = await PostgresRecordStore.OpenAsync(OwnServer.Options(connectionString), Cancel);
        await Databases.ExecuteAsync(connectionString, "DROP TABLE roster.activity");
        var record = new TestRecord(new RecordKey(1, 1, "a"), 1);
        await Assert.ThrowsAsync<InvalidOperationException>(() => new TestBatch().Turn(record, TurnPart.Concerns(1)).CommitAsync(store));
        Assert.Empty(await store.ReadJournalAsync(0, 10, Cancel));
        var after = await Assert.ThrowsAsync<InvalidOperationException>(() => new TestBatch().Turn(new TestRecord(record.Key, 1)).CommitAsync(store));
        Assert.Contains("takes no more commits", after.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE roster.heads SET head = set_byte(head, 3, get_byte(head, 3) # 1)")]
    [InlineData("UPDATE roster.heads SET position = position + 1")]
    [InlineData("UPDATE roster.journal SET payload = set_byte(payload, 1, get_byte(payload, 1) # 1)")]
    [InlineData("UPDATE roster.sections SET content = set_byte(content, 1, get_byte(content, 1) # 1)")]
    public async Task Bytes_that_changed_are_told_and_not_believed(string sql)
    {
        var connectionString = await Databases.CreateAsync();
        await using var store = await PostgresRecordStore.OpenAsync(OwnServer.Options(connectionString), Cancel);
        await new TestBatch().Turn(new TestRecord(new RecordKey(1, 1, "a"), 1), TurnPart.Set(1, "some text"), TurnPart.Events(0, 45)).CommitAsync(store);
        await Databases.ExecuteAsync(connectionString, sql);
        await Assert.ThrowsAsync<StoreCorruptException>(async () =>
        {
            await store.LoadAsync(1, Cancel);
            await store.ReadTimelineAsync(1, 0, 10, Cancel);
            await store.LoadSectionAsync(1, 1, Cancel);
        });
    }

    [Fact]
    public async Task Active_enrollments_are_rows_and_a_second_one_is_never_stored()
    {
        var connectionString = await Databases.CreateAsync();
        await using var store = await PostgresRecordStore.OpenAsync(OwnServer.Options(connectionString), Cancel);
        var (a, b) = (new TestRecord(new RecordKey(1, 1, "a"), 1), new TestRecord(new RecordKey(1, 1, "b"), 2));
        await new TestBatch().Turn(a, Begin(5, 1)).Turn(b, Begin(5, 1), End(5, 1), Begin(6, 2)).CommitAsync(store);
        Assert.Equal("5/1 6/2", await ActiveAsync(connectionString));
        await new TestBatch().Turn(a, End(5, 1)).Turn(a, Begin(5, 2)).Turn(b, End(6, 2)).CommitAsync(store);
        Assert.Equal("5/1", await ActiveAsync(connectionString));
        Assert.True((await new TestBatch().Turn(b, Begin(5, 3)).CommitAsync(store))[0] > 0);

        await Databases.ExecuteAsync(connectionString, "INSERT INTO roster.enrollments (tenant, workflow, record) VALUES (1, 6, 2)");
        var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => new TestBatch().Turn(b, Begin(6, 4)).CommitAsync(store));
        Assert.Contains("enrollments_pkey", failed.Message, StringComparison.Ordinal);
        Assert.Equal(6, (await store.ReadJournalAsync(0, 10, Cancel)).Count);
    }

    private static TurnPart Begin(int workflow, int enrollment) =>
        new() { Entries = { JournalEntry.Enrolled(workflow, 1, enrollment, TriggerKind.Manual, firstStep: 1, isFirst: enrollment == 1) } };

    private static TurnPart End(int workflow, int enrollment) =>
        new() { Entries = { JournalEntry.EnrollmentEnded(workflow, 1, enrollment, 1, EndReason.Completed) } };

    private static Task<string> ActiveAsync(string connectionString) => Databases.QueryAsync<string>(
        connectionString, "SELECT string_agg(workflow || '/' || record, ' ' ORDER BY workflow, record) FROM roster.enrollments");
}
