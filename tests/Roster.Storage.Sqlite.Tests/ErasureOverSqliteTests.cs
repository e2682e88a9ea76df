using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Roster.Embedded;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Engine.Stores;
using Roster.Storage.Sqlite.Internal;
using Roster.V1;
using Value = Roster.V1.Value;

namespace Roster.Storage.Sqlite.Tests;

/// <summary>Erasure of a record down to the bytes of the files (REC-17).</summary>
public sealed class ErasureOverSqliteTests : IDisposable
{
    private const string Tenant = EngineHarness.Tenant;
    private const string Id = "grace.hopper@erased.example";

    /// <summary>All that the tests say of the person, and of nobody else. None of it may be left.</summary>
    private static readonly string[] Traces =
    [
        Id, "Brewster-Murray", "tier-of-grace", "former-tier", "event-of-grace", "source-of-grace", "clicked-by-grace", "request-of-grace", "answer-for-grace", "caller-of-grace",
    ];

    private readonly DataFolder _folder = new();
    private readonly StoreHooks _hooks = new();
    private readonly ManualClock _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private int _ids;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static RecordRef Grace => new() { ObjectType = "contact", RecordId = Id };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task REC_17_No_byte_of_an_erased_record_is_left_and_all_counts_stay()
    {
        await using var store = await _folder.OpenAsync(_hooks);
        var engine = await StartAsync(store);
        try
        {
            await FillAsync(engine, store);
            Assert.All(Traces.Except(["request-of-grace"]), trace => Assert.Contains(trace, FindTraces(_folder)));
            var before = await CountsAsync(engine);
            var erased = await EraseAsync(engine);
            Assert.Equal((EventResult.Types.Code.Applied, true), (erased.Result.Code, erased.OperationId.Length > 0));
            await SettleAsync(engine);
            Assert.Equal(Operation.Types.State.Succeeded, (await engine.GetOperationAsync(Tenant, new GetOperationRequest { OperationId = erased.OperationId }, Cancel)).State);
            Assert.Empty(FindTraces(_folder));
            await CheckErasedAsync(engine);
            Assert.Equal(before with { Active = 0, Ended = before.Ended + 1, Members = before.Members - 1 }, await CountsAsync(engine));
        }
        finally
        {
            await engine.DisposeAsync();
        }

        Assert.Empty(FindTraces(_folder));
    }

    [Fact]
    public async Task REC_17_A_restart_after_an_erasure_finds_what_is_left()
    {
        await using (var store = await _folder.OpenAsync())
        {
            await using var engine = await StartAsync(store);
            await FillAsync(engine, store);
            await EraseAsync(engine);
            await SettleAsync(engine);
        }

        await using var again = await _folder.OpenAsync();
        await using var restarted = await StartAsync(again);
        await CheckErasedAsync(restarted);
        Assert.Empty(FindTraces(_folder));
    }

    [Fact]
    public async Task REC_17_An_erasure_that_a_crash_cut_short_anywhere_is_completed_by_the_next_start()
    {
        var images = new List<DataFolder>();
        await using (var store = await _folder.OpenAsync(_hooks))
        {
            await using var engine = await StartAsync(store);
            await FillAsync(engine, store);
            _hooks.CheckpointStage = _ => images.Add(_folder.CrashImage());
            await EraseAsync(engine);
            await SettleAsync(engine);
            _hooks.CheckpointStage = null;
        }

        Assert.True(images.Count > 4);
        foreach (var image in images)
        {
            using (image)
            {
                await using (var store = await image.OpenAsync())
                {
                    await using var engine = await StartAsync(store);
                    await SettleAsync(engine);
                    Assert.Empty(FindTraces(image));
                    await CheckErasedAsync(engine);
                }

                Assert.Empty(FindTraces(image));
            }
        }
    }

    /// <summary>A record with everything: values and former values, events, a list, an open task, outputs, links, copies at others.</summary>
    private async Task FillAsync(EmbeddedEngine engine, SqliteRecordStore store)
    {
        await SendAsync(engine, Write("contact", "seed", "tier", "x", "name", "x"), Write("deal", "seed", "stage", "x"));
        await engine.SaveListAsync(Tenant, new SaveListRequest { List = JsonParser.Default.Parse<List>("""{ "id": "vip", "objectType": "contact" }""") }, Cancel);
        await EngineCalls.PublishAsync(engine, """
            { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go" } ] } },
              "steps": [ { "id": "ask", "next": "tell", "worker": { "queue": "mail", "properties": ["name"] } },
                         { "id": "tell", "worker": { "queue": "mail", "fields": [ { "name": "text", "text": "Dear {{name}}" } ], "properties": ["tier"] } } ] }
            """);
        await EngineCalls.PublishAsync(engine, """
            { "id": "copies", "objectType": "deal", "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "contact", "allOf": [
                { "property": "tier", "operator": "IS_EQUAL_TO", "values": ["gold"] }, { "property": "name", "operator": "IS_EQUAL_TO", "values": ["x"] } ] } } ] } ] } } },
              "steps": [ { "id": "mark", "setProperty": { "property": "stage", "value": "won" } } ] }
            """);
        await EngineCalls.PublishAsync(engine, """
            { "id": "stages", "objectType": "contact", "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "associated": { "objectType": "deal", "allOf": [
                { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["none"] } ] } } ] } ] } } },
              "steps": [ { "id": "mark", "setProperty": { "property": "tier", "value": "won" } } ] }
            """);
        await SendAsync(engine, Write("contact", Id, "name", "Grace Brewster-Murray", "tier", "former-tier"));
        var deals = Enumerable.Range(1, 30).Select(i => $"d{i}").ToArray();
        foreach (var deal in deals)
        {
            var others = Write("deal", deal, "stage", "open");
            others.Associations.AddRange(new[] { Id, "bob" }.Select(c => new AssociationChange { ObjectType = "contact", RecordId = c }));
            await SendAsync(engine, others);
        }

        await SettleAsync(engine);

        // Of these turns only the message that each sends names her.
        await SendAsync(engine, Write("deal", "d3", "stage", "later"), Write("deal", "d4", "stage", "later"));
        await SettleAsync(engine);
        await store.CheckpointAsync(Cancel);
        var longer = Write("contact", Id, "tier", "tier-of-grace");
        longer.EventId = "event-of-grace";
        longer.Source = "source-of-grace";
        var clicked = new Event { EventId = $"e{++_ids}", ObjectType = "contact", RecordId = Id, Type = "go" };
        clicked.Properties.Add(new PropertyValue { Name = "what", Value = new Value { Text = "clicked-by-grace" } });
        await SendAsync(engine, [longer, clicked, .. Enumerable.Range(0, 60).Select(i => Write("contact", Id, "tier", $"tier-of-grace-{i}")), .. Enumerable.Range(0, 300).Select(i => Write("contact", $"c{i}", "name", new string('n', 50 + i)))]);
        await engine.ChangeMembershipAsync(
            Tenant, new ChangeMembershipRequest { ListId = "vip", Ref = Grace, RequestId = "r1", Caller = "caller-of-grace" }, adds: true, Cancel);
        var task = Assert.Single(await engine.LeaseTasksAsync(Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Cancel));
        var completion = new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed };
        completion.Outputs.Add(new PropertyValue { Name = "answer", Value = new Value { Text = "answer-for-grace" } });
        await engine.CompleteTaskAsync(Tenant, completion, Cancel);
        await SettleAsync(engine);
        await store.CheckpointAsync(Cancel);
    }

    private async Task CheckErasedAsync(EmbeddedEngine engine)
    {
        await EngineCalls.VerifyAsync(engine);
        Assert.Null(await engine.GetRecordAsync(Tenant, Grace, Cancel));
        Assert.Empty(await engine.LeaseTasksAsync(Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Cancel));
        var links = await engine.ListAssociationsAsync(Tenant, new ListAssociationsRequest { Ref = new RecordRef { ObjectType = "deal", RecordId = "d1" } }, Cancel);
        Assert.Equal(["bob"], links.Associations.Select(a => a.Ref.RecordId));
        var journal = new List<JournalEntry>();
        await foreach (var page in engine.ReadJournalAsync(Tenant, new ReadJournalRequest(), Cancel))
        {
            journal.AddRange(page.Entries);
        }

        Assert.All(Traces, trace => Assert.DoesNotContain(trace, string.Join('\n', journal), StringComparison.Ordinal));
        Assert.Contains(journal, e => e.Kind == JournalEntry.Types.Kind.EnrollmentEnded && e.EndReason == Enrollment.Types.EndReason.Erased);

        // The refused event leaves its id nowhere, and neither does a second erasure.
        var refused = Assert.Single(await engine.IngestAsync(Tenant, [Write("contact", Id, "tier", "x")], Cancel));
        Assert.Equal(Refusal.Types.Reason.RecordGone, refused.Result.Refusal.Reason);
        var again = await EraseAsync(engine);
        Assert.Equal(EventResult.Types.Code.Duplicate, again.Result.Code);
        await SettleAsync(engine);
        Assert.Equal(Operation.Types.State.Succeeded, (await engine.GetOperationAsync(Tenant, new GetOperationRequest { OperationId = again.OperationId }, Cancel)).State);
    }

    private async Task<EmbeddedEngine> StartAsync(IRecordStore store)
    {
        var engine = await EmbeddedEngine.StartAsync(new EmbeddedOptions(), store, _clock, Cancel);
        await EngineCalls.AcceptUndeclaredAsync(engine);
        return engine;
    }

    private static async Task<EraseRecordResponse> EraseAsync(EmbeddedEngine engine) =>
        await engine.EraseRecordAsync(Tenant, new EraseRecordRequest { Ref = Grace, RequestId = "request-of-grace", Caller = "caller-of-grace" }, Cancel);

    private static async Task SendAsync(EmbeddedEngine engine, params Event[] events) => Assert.Empty(await engine.IngestAsync(Tenant, events, Cancel));

    private Event Write(string type, string id, params string[] values)
    {
        var e = new Event { EventId = $"e{++_ids}", ObjectType = type, RecordId = id };
        e.Writes.AddRange(values.Chunk(2).Select(v => new PropertyValue { Name = v[0], Value = new Value { Text = v[1] } }));
        return e;
    }

    private async Task SettleAsync(EmbeddedEngine engine) =>
        await engine.AdvanceClockAsync(new AdvanceClockRequest { To = Timestamp.FromDateTimeOffset(_clock.GetUtcNow()) }, Cancel);

    private static async Task<Counts> CountsAsync(EmbeddedEngine engine)
    {
        var stats = await engine.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = "w" }, Cancel);
        var members = (await engine.ListMembersAsync(Tenant, new ListMembersRequest { ListId = "vip" }, Cancel)).Members.Count;
        return new Counts(stats.Enrolled, stats.Active, stats.Enrolled - stats.Active, members);
    }

    private static List<string> FindTraces(DataFolder folder) =>
        [.. Traces.Where(trace => Directory.EnumerateFiles(folder.Path, "*.db*").Any(file => Read(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(trace)) >= 0))];

    private static byte[] Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private sealed record Counts(long Enrolled, long Active, long Ended, int Members);
}
