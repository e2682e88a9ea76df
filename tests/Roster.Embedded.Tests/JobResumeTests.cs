using Google.Protobuf;
using Roster.Engine;
using Roster.Engine.Operations;
using Roster.Engine.Stores;
using Roster.Storage.V1;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Jobs that were cancelled or have failed go on where they stopped, and do nothing twice (TRG-12, ENR-02).</summary>
public sealed class JobResumeTests
{
    private const string Manual = """
        { "id": "w", "objectType": "contact", "start": { "manual": {}, "reenroll": true }, "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
        """;

    private const string Everybody = """{ "id": "all", "objectType": "contact", "criteria": { "anyOf": [ { "allOf": [ { "constant": true } ] } ] } }""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TRG_12_A_cancelled_bulk_job_goes_on_where_it_stopped_also_after_a_restart(bool restarts)
    {
        var store = new FaultStore(new VolatileRecordStore());
        var clock = new ManualClock(EngineHarness.Start);
        var harness = await EngineHarness.StartAsync(store: store, clock: clock);
        await harness.PublishAsync(Manual);
        var id = await CancelledAsync(harness, store, 1_700);
        var cancelled = await GetAsync(harness, id);
        Assert.Equal((Operation.Types.State.Cancelled, 1_000L), (cancelled.State, cancelled.Done));
        if (restarts)
        {
            await harness.Engine.DisposeAsync();
            harness = await EngineHarness.StartAsync(store: store, clock: clock);
        }

        var going = await ResumeAsync(harness, id);
        Assert.Equal((id, Operation.Types.State.Running, null), (going.Id, going.State, going.EndedAt));
        await harness.SettleAsync();
        var done = await GetAsync(harness, id);
        Assert.Equal((Operation.Types.State.Succeeded, 1_700L), (done.State, done.Done));
        Assert.Equal(1_700, Assert.Single(done.Counts).Count);
        Assert.Equal(1_700, (await harness.StatsAsync("w")).Enrolled);
        Assert.DoesNotContain(await store.ReadDocumentsAsync(Token), d => d.Kind == "operation_refs");
        Assert.Equal(RosterError.FailedPrecondition, (await Assert.ThrowsAsync<RosterException>(() => ResumeAsync(harness, id))).Error);
        await harness.DisposeAsync();
    }

    [Fact]
    public async Task TRG_12_A_request_to_stop_is_withdrawn_when_the_job_is_told_to_go_on_before_it_has_stopped()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        var asked = Task.CompletedTask;
        var id = await OnFirstChunkAsync(harness, store, 1_700, job => asked = Task.WhenAll(CancelAsync(harness, job), ResumeAsync(harness, job)));
        await asked;
        Assert.Equal((Operation.Types.State.Succeeded, 1_700L), (await GetAsync(harness, id) is var done ? done.State : default, done.Done));
    }

    [Fact]
    public async Task TRG_12_Two_that_tell_a_job_to_go_on_at_once_have_it_go_on_once()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        var id = await CancelledAsync(harness, store, 1_700);
        var both = await Task.WhenAll(ResumeAsync(harness, id), ResumeAsync(harness, id));
        Assert.All(both, operation => Assert.Equal(id, operation.Id));
        await harness.SettleAsync();
        Assert.Equal(1_700, (await harness.StatsAsync("w")).Enrolled);
        Assert.Equal(1_700, (await GetAsync(harness, id)).Done);
    }

    [Fact]
    public async Task ENR_02_A_job_that_fails_on_its_way_does_nothing_twice_when_it_goes_on()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var turns = 0;
        var options = new EmbeddedOptions
        {
            Shards = 1,
            BeforeTurn = _ => store.ReadFailure = ++turns == 700 ? new InvalidOperationException("a defect") : store.ReadFailure,
        };
        await using var harness = await EngineHarness.StartAsync(options, store);
        await harness.PublishAsync(Manual);
        var id = (await BulkAsync(harness, 1_700)).Id;
        await harness.SettleAsync();
        var failed = await GetAsync(harness, id);
        Assert.Equal(Operation.Types.State.Failed, failed.State);
        Assert.InRange(failed.Done, 500, 1_500);
        store.ReadFailure = null;
        await ResumeAsync(harness, id);
        await harness.SettleAsync();
        var done = await GetAsync(harness, id);
        Assert.Equal((Operation.Types.State.Succeeded, 1_700L, string.Empty), (done.State, done.Done, done.Error));
        Assert.Equal(("ENROLLED", 1_700L), Assert.Single(done.Counts) is var count ? (count.Name, count.Count) : default);
        Assert.Equal(1_700, (await harness.StatsAsync("w")).Enrolled);
        await harness.VerifyAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_that_meets_a_defect_has_failed_at_once_with_it_and_goes_on_when_told(bool isCancellation)
    {
        var store = new FaultStore(new VolatileRecordStore());
        var pauses = 0;
        var options = new EmbeddedOptions
        {
            PauseWhenOverloaded = _ =>
            {
                pauses++;
                return Task.CompletedTask;
            },
        };
        await using var harness = await EngineHarness.StartAsync(options, store);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "x")));

        // A cancellation that nobody asked for is a read that failed: it is tried again for a while, and is no stop of the engine.
        store.OnScan = _ => throw (isCancellation ? new OperationCanceledException("nobody asked") : new InvalidOperationException("a defect"));
        await harness.ListAsync(Everybody);
        await harness.SettleAsync();
        var id = Assert.Single((await harness.Engine.ListOperationsAsync(EngineHarness.Tenant, new ListOperationsRequest(), Token)).Operations).Id;
        var failed = await GetAsync(harness, id);
        Assert.Equal(Operation.Types.State.Failed, failed.State);
        Assert.Equal(isCancellation ? "OperationCanceledException: nobody asked" : "InvalidOperationException: a defect", failed.Error);
        Assert.Equal(isCancellation, pauses > 0);

        store.OnScan = null;
        Assert.Empty(await harness.MembersAsync("all"));
        await ResumeAsync(harness, id);
        await harness.SettleAsync();
        Assert.Equal((Operation.Types.State.Succeeded, string.Empty), (await GetAsync(harness, id) is var done ? done.State : default, done.Error));
        Assert.Equal(["ada"], await harness.MembersAsync("all"));
    }

    [Fact]
    public async Task TRG_12_The_records_of_the_newest_cancelled_jobs_are_kept_and_older_jobs_say_why_they_cannot_go_on()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var clock = new ManualClock(EngineHarness.Start);
        var first = await EngineHarness.StartAsync(store: store, clock: clock);
        await first.PublishAsync(Manual);
        await first.Engine.DisposeAsync();
        var batch = new TurnBatch();
        for (var i = 0; i < Jobs.ResumableMax; i++)
        {
            var at = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(EngineHarness.Start.AddSeconds(i));
            var job = new OperationDocument
            {
                WorkflowId = "w",
                Operation = new Operation { Id = $"bulk-{i}", Kind = "bulk_enroll", State = Operation.Types.State.Cancelled, Total = 2, WorkflowId = "w", CreatedAt = at, EndedAt = at },
            };
            batch.Documents.Add(new StoredDocument(1, "operation", $"bulk-{i}", job.ToByteArray()));
            batch.Documents.Add(new StoredDocument(1, "operation_refs", $"bulk-{i}", new OperationRefs { Refs = { Refs(2) } }.ToByteArray()));
        }

        await store.CommitAsync(batch, Token);
        clock.MoveTo(clock.GetUtcNow().AddMinutes(1));
        await using var second = await EngineHarness.StartAsync(store: store, clock: clock);
        await CancelledAsync(second, store, 1_700);
        var failure = await Assert.ThrowsAsync<RosterException>(() => ResumeAsync(second, "bulk-0"));
        Assert.Equal(RosterError.FailedPrecondition, failure.Error);
        Assert.Contains("newest 10", failure.Message, StringComparison.Ordinal);
        Assert.Equal(Jobs.ResumableMax, (await store.ReadDocumentsAsync(Token)).Count(d => d.Kind == "operation_refs"));
        await ResumeAsync(second, "bulk-1");
        await second.SettleAsync();
        Assert.Equal(Operation.Types.State.Succeeded, (await GetAsync(second, "bulk-1")).State);
    }

    [Fact]
    public async Task A_job_of_a_workflow_that_was_deleted_and_one_that_never_was_do_not_go_on()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        var id = await CancelledAsync(harness, store, 1_700);
        await harness.Engine.DeleteWorkflowAsync(EngineHarness.Tenant, new DeleteWorkflowRequest { WorkflowId = "w" }, Token);
        await harness.SettleAsync();
        Assert.Equal(RosterError.FailedPrecondition, (await Assert.ThrowsAsync<RosterException>(() => ResumeAsync(harness, id))).Error);
        Assert.Equal(RosterError.NotFound, (await Assert.ThrowsAsync<RosterException>(() => ResumeAsync(harness, "none"))).Error);
    }

    [Fact]
    public async Task A_job_that_could_not_be_told_to_go_on_because_the_disk_is_full_can_be_told_again()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        var id = await CancelledAsync(harness, store, 1_700);
        store.FailNext(1);
        Assert.Equal(RosterError.Overloaded, (await Assert.ThrowsAsync<RosterException>(() => ResumeAsync(harness, id))).Error);
        Assert.Equal(Operation.Types.State.Cancelled, (await GetAsync(harness, id)).State);
        await ResumeAsync(harness, id);
        await harness.SettleAsync();
        Assert.Equal(1_700, (await harness.StatsAsync("w")).Enrolled);
    }

    private static IEnumerable<RecordRef> Refs(int count) => Enumerable.Range(0, count).Select(i => new RecordRef { ObjectType = "contact", RecordId = $"r{i}" });

    private static Task<Operation> BulkAsync(EngineHarness harness, int count) =>
        harness.Engine.BulkEnrollAsync(EngineHarness.Tenant, new BulkEnrollRequest { WorkflowId = "w", RequestId = "bulk", Refs = { Refs(count) } }, Token).AsTask();

    private static Task<Operation> CancelAsync(EngineHarness harness, string id) =>
        harness.Engine.CancelOperationAsync(EngineHarness.Tenant, new CancelOperationRequest { OperationId = id }, Token).AsTask();

    private static Task<Operation> ResumeAsync(EngineHarness harness, string id) =>
        harness.Engine.ResumeOperationAsync(EngineHarness.Tenant, new ResumeOperationRequest { OperationId = id }, Token).AsTask();

    private static Task<Operation> GetAsync(EngineHarness harness, string id) =>
        harness.Engine.GetOperationAsync(EngineHarness.Tenant, new GetOperationRequest { OperationId = id }, Token).AsTask();

    /// <summary>A bulk job that is asked to stop while the end of its first chunk is written: it stops after its second.</summary>
    private static async Task<string> CancelledAsync(EngineHarness harness, FaultStore store, int count)
    {
        var asked = Task.CompletedTask;
        var id = await OnFirstChunkAsync(harness, store, count, job => asked = CancelAsync(harness, job));
        await asked;
        return id;
    }

    private static async Task<string> OnFirstChunkAsync(EngineHarness harness, FaultStore store, int count, Action<string> action)
    {
        store.OnCommit = batch =>
        {
            var chunk = batch.Documents.Where(d => d.Kind == "operation").Select(d => OperationDocument.Parser.ParseFrom(d.Content)).FirstOrDefault(d => d.Operation.Done > 0);
            if (chunk is not null)
            {
                store.OnCommit = null;
                action(chunk.Operation.Id);
            }
        };
        var id = (await BulkAsync(harness, count)).Id;
        await harness.SettleAsync();
        return id;
    }
}
