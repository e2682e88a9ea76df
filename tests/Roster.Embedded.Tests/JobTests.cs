using System.Collections.Concurrent;
using Google.Protobuf;
using Roster.Engine;
using Roster.Engine.Operations;
using Roster.Engine.Stores;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Documents of jobs: when they are written, what is in them, and how long they are kept (TRG-12, UNE-03).</summary>
public sealed class JobTests
{
    [Fact]
    public async Task LST_05_A_rebuild_sees_what_was_decided_before_the_new_criteria_and_became_durable_after_them()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var decided = new TaskCompletionSource();
        Action beforeTurn = static () => { };
        var options = new EmbeddedOptions { Shards = 1, BeforeTurn = _ => beforeTurn() };
        await using var harness = await EngineHarness.StartAsync(options, store);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "x")));
        await harness.ListAsync(Criteria("never"));
        await harness.SettleAsync();

        // The commit of the list waits until the event was decided by the old criteria; the commit of the event waits until the list is saved.
        var (ofList, ofEvent, commits) = (new TaskCompletionSource(), new TaskCompletionSource(), 0);
        store.Gate = () => ++commits == 1 ? ofList.Task : ofEvent.Task;
        beforeTurn = () => decided.TrySetResult();
        var saving = harness.ListAsync(Criteria("won"));
        while (commits == 0)
        {
            await Task.Yield();
        }

        var sending = harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "won")));
        await decided.Task;
        ofList.SetResult();
        await saving;
        var hasScanned = false;
        store.OnScan = records =>
        {
            hasScanned = true;
            return records;
        };
        for (var i = 0; i < 1_000 && !hasScanned; i++)
        {
            await Task.Yield();
        }

        ofEvent.SetResult();
        await sending;
        await harness.SettleAsync();
        Assert.Equal(["ada"], await harness.MembersAsync("l"));
        await harness.VerifyAsync();

        static string Criteria(string stage) => $$"""
            { "id": "l", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["{{stage}}"] } ] } ] } }
            """;
    }

    private const string Manual = """
        { "id": "w", "objectType": "contact", "start": { "manual": {}, "reenroll": true }, "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(3, Operation.Types.State.Succeeded)]
    [InlineData(int.MaxValue, Operation.Types.State.Failed)]
    public async Task A_job_goes_on_after_reads_that_failed_and_ends_when_they_always_do(int failures, Operation.Types.State state)
    {
        var faults = new FaultStore(new Roster.Engine.Stores.VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(new EmbeddedOptions { PauseWhenOverloaded = _ => Task.CompletedTask }, faults);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "x")));
        var left = failures;
        faults.OnScan = records => left-- > 0 ? throw new IOException("the connection is broken") : records;
        await harness.ListAsync("""{ "id": "all", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "constant": true } ] } ] } }""");
        await harness.SettleAsync();
        var operation = Assert.Single(await OperationsAsync(harness));
        Assert.Equal((state, failures > 3 ? "IOException: the connection is broken" : ""), (operation.State, operation.Error));
    }

    [Fact]
    public async Task EDT_06_Jobs_let_waiting_events_go_first_and_take_turns_among_themselves()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var ways = new ConcurrentQueue<TaskCompletionSource>();
        var asked = new SemaphoreSlim(0);
        var options = new EmbeddedOptions
        {
            GiveWayToEvents = _ =>
            {
                var way = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                ways.Enqueue(way);
                asked.Release();
                return way.Task;
            },
        };
        await using var harness = await EngineHarness.StartAsync(options, store);
        await harness.PublishAsync(Manual);
        await harness.SendAsync(harness.Event("r0"), harness.Event("r1"));
        var loading = new TaskCompletionSource();
        store.LoadGate = () => loading.Task;
        var waiting = harness.SendAsync(harness.Event("unknown"));
        await BulkAsync(harness, "one", 1);
        await BulkAsync(harness, "two", 2);
        await asked.WaitAsync(Token);

        // Neither job does anything while the first of them gives way.
        Assert.Single(ways);
        Assert.All(await OperationsAsync(harness), o => Assert.Equal(0, o.Done));
        loading.SetResult();
        await waiting;
        Assert.True(ways.TryDequeue(out var first));
        first.SetResult();
        await harness.SettleAsync();

        // With no event waiting they give way to nobody.
        Assert.Empty(ways);
        Assert.All(await OperationsAsync(harness), o => Assert.Equal(Operation.Types.State.Succeeded, o.State));
    }

    [Fact]
    public async Task API_03_One_request_id_for_enrolling_and_for_unenrolling_is_two_operations()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.PublishAsync("""{ "id": "w", "objectType": "contact", "start": { "manual": {} }, "steps": [ { "id": "d", "delay": { "amount": 9, "unit": "DAYS" } } ] }""");
        await harness.SendAsync(harness.Event("ada"));
        var ada = new RecordRef { ObjectType = "contact", RecordId = "ada" };
        var enrolled = await harness.Engine.BulkEnrollAsync(EngineHarness.Tenant, new BulkEnrollRequest { WorkflowId = "w", RequestId = "r", Refs = { ada } }, TestContext.Current.CancellationToken);
        await harness.SettleAsync();
        var unenrolled = await harness.Engine.BulkUnenrollAsync(EngineHarness.Tenant, new BulkUnenrollRequest { WorkflowId = "w", RequestId = "r", Refs = { ada } }, TestContext.Current.CancellationToken);
        await harness.SettleAsync();
        Assert.Equal(("bulk_enroll", "bulk_unenroll"), (enrolled.Kind, unenrolled.Kind));
        Assert.Empty((await harness.RecordAsync("ada")).Enrollments);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task API_03_The_request_id_of_a_bulk_request_is_refused_for_another_request_also_after_a_restart(bool restarts)
    {
        var store = await EngineHarness.OpenStore();
        var clock = new ManualClock(EngineHarness.Start);
        var harness = await EngineHarness.StartAsync(store: store, clock: clock);
        await harness.PublishAsync(Manual);
        var first = await BulkAsync(harness, "bulk", 3);
        await harness.SettleAsync();
        if (restarts)
        {
            await harness.Engine.DisposeAsync();
            harness = await EngineHarness.StartAsync(store: store, clock: clock);
        }

        Assert.Equal(first.Id, (await BulkAsync(harness, "bulk", 3)).Id);
        var failure = await Assert.ThrowsAsync<RosterException>(() => BulkAsync(harness, "bulk", 4));
        Assert.Equal((RosterError.InvalidArgument, "request_id"), (failure.Error, failure.Refusal!.Path));
        await harness.SettleAsync();
        Assert.Equal(3, (await harness.StatsAsync("w")).Enrolled);
        await harness.DisposeAsync();
    }

    [Fact]
    public async Task TRG_12_The_records_of_a_bulk_job_are_written_once_and_removed_when_it_ends()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        var written = new List<StoredDocument>();
        store.OnCommit = batch => written.AddRange(batch.Documents);
        await BulkAsync(harness, "bulk", 1_700);
        await harness.SettleAsync();
        Assert.Equal([true, false], written.Where(d => d.Kind == "operation_refs").Select(d => d.Content is not null));
        Assert.All(written.Where(d => d.Kind == "operation"), d => Assert.InRange(d.Content!.Length, 1, 500));
        Assert.DoesNotContain(await store.ReadDocumentsAsync(Token), d => d.Kind == "operation_refs");
        Assert.Equal(1_700, (await harness.StatsAsync("w")).Enrolled);
    }

    [Fact]
    public async Task TRG_12_A_bulk_job_whose_records_are_in_its_own_document_as_they_once_were_goes_on()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var clock = new ManualClock(EngineHarness.Start);
        var first = await EngineHarness.StartAsync(store: store, clock: clock);
        await first.PublishAsync(Manual);
        await first.Engine.DisposeAsync();
        var old = new OperationDocument { RequestId = "r", WorkflowId = "w", Operation = new Operation { Id = "bulk-old", Kind = "bulk_enroll", State = Operation.Types.State.Running, Total = 3, WorkflowId = "w" } };
        old.Operation.CreatedAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(EngineHarness.Start);
        old.Refs.AddRange(Refs(3));
        var batch = new TurnBatch();
        batch.Documents.Add(new StoredDocument(1, "operation", "bulk-old", old.ToByteArray()));
        await store.CommitAsync(batch, Token);

        await using var second = await EngineHarness.StartAsync(store: store, clock: clock);
        await second.SettleAsync();
        var done = Assert.Single(await OperationsAsync(second));
        Assert.Equal((Operation.Types.State.Succeeded, 3L), (done.State, done.Done));
        Assert.Equal(3, (await second.StatsAsync("w")).Enrolled);
    }

    [Theory]
    [InlineData("refs")]
    [InlineData("list")]
    public async Task TRG_12_UNE_03_The_journal_says_who_asked_for_a_bulk_request_and_else_names_the_job(string who)
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("r0", "", EngineHarness.Text("stage", "x")));
        await harness.ListAsync("""{ "id": "batch", "objectType": "contact" }""");
        await harness.AddAsync("batch", "r0");
        await harness.PublishAsync(Manual);
        var (refs, list) = who == "refs" ? (Refs(1).ToList(), "") : ([], "batch");
        await harness.Engine.BulkEnrollAsync(EngineHarness.Tenant, new BulkEnrollRequest { WorkflowId = "w", RequestId = "in", Refs = { refs }, ListId = list, Caller = "ann" }, Token);
        await harness.SettleAsync();
        await harness.Engine.BulkUnenrollAsync(EngineHarness.Tenant, new BulkUnenrollRequest { WorkflowId = "w", RequestId = "out", Refs = { refs }, ListId = list, Caller = "bob" }, Token);
        await harness.SettleAsync();
        var job = await harness.Engine.BulkEnrollAsync(EngineHarness.Tenant, new BulkEnrollRequest { WorkflowId = "w", RequestId = "again", Refs = { refs }, ListId = list }, Token);
        await harness.SettleAsync();
        var commands = (await harness.JournalAsync(JournalEntry.Types.Kind.CommandReceived)).Skip(1);
        Assert.Equal(["ann", "bob", job.Id], commands.Select(e => e.Source));
    }

    [Fact]
    public async Task A_caller_of_a_bulk_request_that_is_too_long_is_refused()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.PublishAsync(Manual);
        var request = new BulkEnrollRequest { WorkflowId = "w", RequestId = "r", Refs = { Refs(1) }, Caller = new string('x', 101) };
        var failure = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.BulkEnrollAsync(EngineHarness.Tenant, request, Token));
        Assert.Equal("caller", failure.Refusal!.Path);
    }

    [Fact]
    public async Task UNE_03_A_bulk_job_whose_records_are_gone_fails_and_touches_nobody()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var clock = new ManualClock(EngineHarness.Start);
        var first = await EngineHarness.StartAsync(store: store, clock: clock);
        await first.PublishAsync(Manual);
        await BulkAsync(first, "bulk", 3);
        await first.SettleAsync();
        await first.Engine.DisposeAsync();
        var lost = new OperationDocument { WorkflowId = "w", Operation = new Operation { Id = "bulk-lost", Kind = "bulk_unenroll", State = Operation.Types.State.Running, Total = 3, WorkflowId = "w" } };
        lost.Operation.CreatedAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(EngineHarness.Start);
        var batch = new TurnBatch();
        batch.Documents.Add(new StoredDocument(1, "operation", "bulk-lost", lost.ToByteArray()));
        await store.CommitAsync(batch, Token);

        await using var second = await EngineHarness.StartAsync(store: store, clock: clock);
        await second.SettleAsync();
        Assert.Equal(Operation.Types.State.Failed, Assert.Single(await OperationsAsync(second), o => o.Id == "bulk-lost").State);
        Assert.Equal(3, (await second.StatsAsync("w")).Active);
    }

    [Fact]
    public async Task TRG_12_A_repeated_request_is_answered_when_the_job_is_durable_and_nobody_sees_it_before()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        var gate = new TaskCompletionSource();
        var commits = 0;
        store.Gate = () => ++commits == 1 ? gate.Task : Task.CompletedTask;
        var first = BulkAsync(harness, "bulk", 3);
        var second = BulkAsync(harness, "bulk", 3);
        Assert.False(second.IsCompleted);
        Assert.Empty(await OperationsAsync(harness));
        gate.SetResult();
        Assert.Equal((await first).Id, (await second).Id);
        Assert.Single(await OperationsAsync(harness));
    }

    [Fact]
    public async Task TRG_12_A_repeated_request_fails_with_the_first_when_the_disk_is_full_and_a_later_one_begins_the_job()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        var gate = new TaskCompletionSource();
        var commits = 0;
        store.Gate = () => ++commits == 1 ? gate.Task : Task.CompletedTask;
        store.FailAt(1);
        var first = BulkAsync(harness, "bulk", 3);
        var second = BulkAsync(harness, "bulk", 3);
        gate.SetResult();
        Assert.Equal(RosterError.Overloaded, (await Assert.ThrowsAsync<RosterException>(() => first)).Error);
        Assert.Equal(RosterError.Overloaded, (await Assert.ThrowsAsync<RosterException>(() => second)).Error);
        await BulkAsync(harness, "bulk", 3);
        await harness.SettleAsync();
        Assert.Equal(3, (await harness.StatsAsync("w")).Enrolled);
    }

    [Fact]
    public async Task An_operation_is_seen_as_ended_only_when_that_is_durable()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        var reached = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var commits = 0;
        store.Gate = () =>
        {
            // The job, its turns, its progress, its end.
            if (++commits == 4)
            {
                reached.SetResult();
                return gate.Task;
            }

            return Task.CompletedTask;
        };
        await BulkAsync(harness, "bulk", 1);
        await reached.Task;
        Assert.Equal(Operation.Types.State.Running, Assert.Single(await OperationsAsync(harness)).State);
        gate.SetResult();
        await harness.SettleAsync();
        Assert.Equal(Operation.Types.State.Succeeded, Assert.Single(await OperationsAsync(harness)).State);
    }

    [Fact]
    public async Task Of_ended_operations_the_newest_are_kept_also_after_a_restart()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var clock = new ManualClock(EngineHarness.Start);
        var first = await EngineHarness.StartAsync(store: store, clock: clock);
        await first.PublishAsync(Manual);
        await first.Engine.DisposeAsync();
        var ids = new List<string>();
        var ended = new TurnBatch();
        for (var i = 0; i < Jobs.EndedMax; i++)
        {
            var at = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(EngineHarness.Start.AddSeconds(i));
            ids.Add($"run-1-{i}");
            var job = new OperationDocument { Operation = new Operation { Id = ids[i], Kind = "scheduled_run", State = Operation.Types.State.Succeeded, CreatedAt = at, EndedAt = at } };
            ended.Documents.Add(new StoredDocument(1, "operation", ids[i], job.ToByteArray()));
        }

        await store.CommitAsync(ended, Token);
        clock.MoveTo(clock.GetUtcNow().AddSeconds(Jobs.EndedMax));
        first = await EngineHarness.StartAsync(store: store, clock: clock);
        for (var i = 0; i < 3; i++)
        {
            clock.MoveTo(clock.GetUtcNow().AddSeconds(1));
            ids.Add((await BulkAsync(first, $"bulk{i}", 1)).Id);
            await first.SettleAsync();
        }

        Assert.Equal(ids.Skip(3).Reverse(), (await OperationsAsync(first)).Select(o => o.Id));
        await first.Engine.DisposeAsync();

        await using var second = await EngineHarness.StartAsync(store: store, clock: clock);
        clock.MoveTo(clock.GetUtcNow().AddSeconds(1));
        ids.Add((await BulkAsync(second, "bulk3", 1)).Id);
        await second.SettleAsync();
        Assert.Equal(ids.Skip(4).Reverse(), (await OperationsAsync(second)).Select(o => o.Id));
        Assert.Equal(Jobs.EndedMax, (await store.ReadDocumentsAsync(Token)).Count(d => d.Kind == "operation"));
        Assert.Equal(1, (await second.StatsAsync("w")).Enrolled);
    }

    [Fact]
    public async Task A_page_token_of_operations_that_is_none_is_refused()
    {
        await using var harness = await EngineHarness.StartAsync();
        var failure = await Assert.ThrowsAsync<RosterException>(async () => await harness.Engine.ListOperationsAsync(EngineHarness.Tenant, new ListOperationsRequest { PageToken = "x" }, Token));
        Assert.Equal("page_token", failure.Refusal!.Path);
    }

    [Fact]
    public async Task DLY_18_The_zone_database_and_the_jobs_of_its_change_are_one_commit_and_each_change_has_its_own()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var clock = new ManualClock(EngineHarness.Start);
        foreach (var (version, jobs) in new[] { ("one", 0), ("two", 1), ("one", 2), ("two", 3) })
        {
            clock.MoveTo(clock.GetUtcNow().AddSeconds(1));
            await using var engine = await EmbeddedEngine.StartAsync(new EmbeddedOptions { ZonesVersion = version }, store, clock, Token);
            await engine.GetTenantAsync(EngineHarness.Tenant, Token);
            await engine.AdvanceClockAsync(new AdvanceClockRequest { To = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(clock.GetUtcNow()) }, Token);
            var operations = (await engine.ListOperationsAsync(EngineHarness.Tenant, new ListOperationsRequest(), Token)).Operations;
            Assert.Equal(jobs, operations.Count(o => o.Kind == "zones_changed" && o.State == Operation.Types.State.Succeeded));
        }

        store.CrashAt(2);
        await using var crashed = await EmbeddedEngine.StartAsync(new EmbeddedOptions { ZonesVersion = "three" }, store, clock, Token);
        await Assert.ThrowsAsync<IOException>(() => crashed.Failed);
        await using var again = await EmbeddedEngine.StartAsync(new EmbeddedOptions { ZonesVersion = "three" }, store, clock, Token);
        await again.AdvanceClockAsync(new AdvanceClockRequest { To = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(clock.GetUtcNow()) }, Token);
        Assert.Equal(4, (await again.ListOperationsAsync(EngineHarness.Tenant, new ListOperationsRequest(), Token)).Operations.Count(o => o.State == Operation.Types.State.Succeeded));
    }

    private static IEnumerable<RecordRef> Refs(int count) => Enumerable.Range(0, count).Select(i => new RecordRef { ObjectType = "contact", RecordId = $"r{i}" });

    private static Task<Operation> BulkAsync(EngineHarness harness, string requestId, int count) =>
        harness.Engine.BulkEnrollAsync(EngineHarness.Tenant, new BulkEnrollRequest { WorkflowId = "w", RequestId = requestId, Refs = { Refs(count) } }, Token).AsTask();

    private static async Task<List<Operation>> OperationsAsync(EngineHarness harness)
    {
        var all = new List<Operation>();
        var request = new ListOperationsRequest { PageSize = 300 };
        do
        {
            var page = await harness.Engine.ListOperationsAsync(EngineHarness.Tenant, request, Token);
            all.AddRange(page.Operations);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return all;
    }
}
