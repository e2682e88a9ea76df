using Roster.Core;
using Roster.Embedded.Tests;
using Roster.Engine.Stores;
using Roster.Storage.TestKit;

namespace Roster.Storage.Postgres.Tests;

/// <summary>The journal in parts: old ones are dropped, and nothing but old history is gone.</summary>
public sealed class RetentionTests
{
    private const string Parts = "SELECT count(*) FROM roster.partitions";
    private const string Age = "UPDATE roster.partitions SET made_at = now() - interval '2 days'";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Old_parts_of_the_journal_are_dropped_and_links_to_them_say_so()
    {
        var connectionString = await Databases.CreateAsync();
        var (quiet, busy) = (new TestRecord(new RecordKey(1, 1, "quiet"), 1), new TestRecord(new RecordKey(1, 1, "busy"), 2));
        var positions = await FillAsync(connectionString, quiet, busy);
        await using var store = await OpenAsync(connectionString, TimeSpan.FromDays(1));
        var before = (quiet.Head, Parts: await Databases.QueryAsync<long>(connectionString, Parts));
        Assert.Equal(positions[^1], store.Status.JournalPosition);
        await new TestBatch().Turn(busy, TurnPart.Concerns(1)).CommitAsync(store);

        // The two newest stay whatever their age, and what was made ahead.
        Assert.Equal(2, await Databases.QueryAsync<long>(connectionString, Parts));
        Assert.True(before.Parts > 4);
        Assert.Equal(4L, await Databases.QueryAsync<long>(connectionString, "SELECT count(*) FROM pg_tables WHERE schemaname = 'roster' AND tablename ~ '_[0-9]+$'"));
        var journal = await store.ReadJournalAsync(0, 1000, Cancel);
        var timeline = await store.ReadTimelineAsync(2, 0, 1000, Cancel);
        Assert.InRange(journal.Count, 2, 32);
        Assert.Equal(journal.Reverse().Select(turn => turn.Position), timeline.Select(turn => turn.Position));
        Assert.Equal(-1, timeline[^1].Previous);
        Assert.Equal(timeline[^1].Position, timeline[^2].Previous);
        Assert.Equal(timeline.Select(turn => turn.Position), (await store.ReadActivityAsync(1, 1, 0, 1000, Cancel)).Select(turn => turn.Position));
        Assert.Empty(await store.ReadTimelineAsync(1, 0, 10, Cancel));
        Assert.Equal(before.Head, (await store.LoadAsync(1, Cancel)).Head.ToArray());
        Assert.Single(await store.ReadEffectsAsync(1, "mail", 0, 10, Cancel));
        Assert.True((await new TestBatch().Turn(quiet).CommitAsync(store))[0] > 0);
        Assert.Equal(-1, Assert.Single(await store.ReadTimelineAsync(1, 0, 10, Cancel)).Previous);

        // The next opening knows as well.
        await store.DisposeAsync();
        await using var again = await OpenAsync(connectionString, TimeSpan.FromDays(1));
        Assert.Equal(-1, (await again.ReadTimelineAsync(1, 0, 10, Cancel))[0].Previous);
    }

    [Fact]
    public async Task HIS_08_Past_retention_entries_are_gone_and_what_rules_need_stays()
    {
        var connectionString = await Databases.CreateAsync();
        var first = await EngineHarness.StartAsync(store: await OpenAsync(connectionString, null));
        await first.SendAsync(first.Event("seed", "", EngineHarness.Text("stage", "x")));
        await first.PublishAsync("""
            { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
              "goals": [ { "id": "won", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["won"] } ] } ] } } ],
              "steps": [ { "id": "d", "delay": { "amount": 9, "unit": "DAYS" } } ] }
            """);
        await first.SendAsync(first.Event("ada", "go"));
        await first.SendAsync(first.Event("ada", "", EngineHarness.Text("stage", "won")));
        for (var i = 0; i < 100; i++)
        {
            await first.SendAsync(first.Event("busy", "", EngineHarness.Text("stage", $"{i}")));
        }

        var clock = first.Clock;
        await first.DisposeAsync();
        await Databases.ExecuteAsync(connectionString, Age);
        await using var later = await EngineHarness.StartAsync(store: await OpenAsync(connectionString, TimeSpan.FromDays(1)), clock: clock);
        var again = later.Event("busy");
        again.EventId = "after the retention";
        await later.SendAsync(again);
        var go = later.Event("ada", "go");
        go.EventId = "again";
        await later.SendAsync(go);
        var timeline = await later.Engine.GetTimelineAsync(
            EngineHarness.Tenant, new Roster.V1.GetTimelineRequest { Ref = new Roster.V1.RecordRef { ObjectType = "contact", RecordId = "ada" } }, Cancel);
        Assert.True(timeline.OlderRemoved);
        Assert.DoesNotContain(timeline.Entries, e => e.Kind == Roster.V1.JournalEntry.Types.Kind.Enrolled);
        Assert.Equal(Roster.V1.Decision.Types.Code.ReenrollmentOff, timeline.Entries.Single(e => e.Kind == Roster.V1.JournalEntry.Types.Kind.EnrollmentRefused).Decision);
        Assert.Equal(1, Assert.Single((await later.RecordAsync("ada")).Summaries).TimesEnrolled);
        Assert.Equal(1, (await later.StatsAsync("w")).Enrolled);
        var verified = await later.Engine.VerifyAsync(Cancel);
        Assert.Empty(verified.Differences);
        Assert.Equal(verified.StateHash, verified.ReplayHash);
        Assert.True(verified.CountersSkipped && verified.JournalBegin > 0 && verified.PartlyReplayed > 0);
    }

    [Fact]
    public async Task Without_a_retention_and_before_it_is_over_everything_stays()
    {
        var connectionString = await Databases.CreateAsync();
        var busy = new TestRecord(new RecordKey(1, 1, "busy"), 2);
        var positions = await FillAsync(connectionString, new TestRecord(new RecordKey(1, 1, "quiet"), 1), busy);
        foreach (var retention in new TimeSpan?[] { null, TimeSpan.FromDays(3) })
        {
            await using var store = await OpenAsync(connectionString, retention);
            positions.AddRange(await new TestBatch().Turn(busy).CommitAsync(store));
            Assert.Equal(positions, (await store.ReadJournalAsync(0, 1000, Cancel)).Select(turn => turn.Position));
        }
    }

    [Fact]
    public async Task A_part_that_somebody_reads_stays_and_holds_up_no_commit_for_long()
    {
        var connectionString = await Databases.CreateAsync();
        var busy = new TestRecord(new RecordKey(1, 1, "busy"), 2);
        await FillAsync(connectionString, new TestRecord(new RecordKey(1, 1, "quiet"), 1), busy);
        var parts = await Databases.QueryAsync<long>(connectionString, Parts);
        await using var reader = new Npgsql.NpgsqlConnection(connectionString);
        await reader.OpenAsync(Cancel);
        await using (var transaction = await reader.BeginTransactionAsync(Cancel))
        {
            await using var read = new Npgsql.NpgsqlCommand("SELECT count(*) FROM roster.journal", reader, transaction);
            await read.ExecuteScalarAsync(Cancel);
            await using var store = await OpenAsync(connectionString, TimeSpan.FromDays(1));
            Assert.True((await new TestBatch().Turn(busy).CommitAsync(store))[0] > 0);
            Assert.Equal(parts, await Databases.QueryAsync<long>(connectionString, Parts));
        }

        await using var later = await OpenAsync(connectionString, TimeSpan.FromDays(1));
        Assert.True((await new TestBatch().Turn(busy).CommitAsync(later))[0] > 0);
        Assert.Equal(2, await Databases.QueryAsync<long>(connectionString, Parts));
    }

    private static Task<PostgresRecordStore> OpenAsync(string connectionString, TimeSpan? retention) => PostgresRecordStore.OpenAsync(
        new PostgresStoreOptions { ConnectionString = connectionString, PartitionPositions = 16, JournalRetention = retention }, Cancel);

    /// <summary>One turn of a record, then 80 of another, two days ago.</summary>
    private static async Task<List<long>> FillAsync(string connectionString, TestRecord quiet, TestRecord busy)
    {
        await using var store = await OpenAsync(connectionString, retention: null);
        var effect = new EffectId(quiet.Number, 1, 1, 1);
        var positions = new List<long>(await new TestBatch().Turn(quiet, TurnPart.Add(effect, "mail"), TurnPart.Concerns(1)).CommitAsync(store));
        for (var i = 0; i < 80; i++)
        {
            positions.AddRange(await new TestBatch().Turn(busy, TurnPart.Concerns(1)).CommitAsync(store));
        }

        await Databases.ExecuteAsync(connectionString, Age);
        return positions;
    }
}
