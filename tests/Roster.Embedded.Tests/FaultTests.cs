using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>What holds when the store fails, is slow, or a turn has a bug.</summary>
public sealed class FaultTests
{
    private const string Manual = """
        { "id": "w", "objectType": "contact", "start": { "manual": {}, "reenroll": true },
          "steps": [ { "id": "t", "next": "d", "worker": { "queue": "mail" } }, { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_disk_refuses_the_batch_and_the_same_batch_is_taken_later()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "a")));
        var events = Enumerable.Range(0, 100).Select(i => harness.Event($"r{i % 7}", "", EngineHarness.Text("stage", $"v{i}"))).ToArray();
        store.FailNext(1);
        var failure = await Assert.ThrowsAsync<RosterException>(async () => await harness.SendAsync(events));
        Assert.Equal(RosterError.Overloaded, failure.Error);
        Assert.All(await harness.SendAsync(events), r => Assert.Equal(EventResult.Types.Code.Duplicate, r.Result.Code));
        Assert.Equal("v99", (await harness.RecordAsync("r1")).Properties.Single().Value.Text);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task ENG_02_A_commit_that_fails_in_the_middle_of_a_batch_does_not_let_its_rest_go_first()
    {
        // Sections make a batch pause, so that it spans commits; each of them may fail.
        for (var fail = 1; fail <= 12; fail++)
        {
            var store = new FaultStore(new VolatileRecordStore());
            await using var harness = await EngineHarness.StartAsync(new EmbeddedOptions { Shards = 1 }, store);
            await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "x")));
            await harness.PublishAsync("""
                { "id": "h", "objectType": "contact", "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "HAS_EVER_BEEN_EQUAL_TO", "values": ["never"] } ] } ] } } },
                  "steps": [ { "id": "d", "delay": { "amount": 1, "unit": "DAYS" } } ] }
                """);
            var events = Enumerable.Range(0, 300).Select(i => harness.Event("ada", "", EngineHarness.Text("stage", $"v{i}"))).ToArray();
            store.FailAt(fail);
            await SendUntilTakenAsync(harness, events);
            var entries = await TimelineAsync(harness, "ada");
            Assert.Equal(
                Enumerable.Range(0, 300).Select(i => $"v{i}"),
                entries.Where(e => e.Kind == JournalEntry.Types.Kind.PropertyChanged).Select(e => e.Value.Text).Skip(1));
            await harness.VerifyAsync();
        }
    }

    [Fact]
    public async Task An_engine_with_all_events_in_flight_that_there_may_be_is_full_until_they_are_durable()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(new EmbeddedOptions { EventsInFlightMax = 1_000 }, store);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "a")));
        var gate = new TaskCompletionSource();
        store.Gate = () => gate.Task;
        var first = harness.SendAsync([.. Enumerable.Range(0, 999).Select(i => harness.Event($"r{i}", "", EngineHarness.Text("stage", "b")))]);
        Assert.False(harness.Engine.IsFull);
        var last = harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "c")));
        Assert.True(harness.Engine.IsFull);
        var refused = await Assert.ThrowsAsync<RosterException>(() => harness.SendAsync(harness.Event("eve", "", EngineHarness.Text("stage", "d"))));
        Assert.Contains("1000 events are in flight already (setting events_in_flight_max)", refused.Message, StringComparison.Ordinal);
        gate.SetResult();
        await Task.WhenAll(first, last);
        await harness.SettleAsync();
        Assert.False(harness.Engine.IsFull);
    }

    [Fact]
    public async Task A_full_disk_while_the_clock_moves_loses_no_timer()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        await EnrollAsync(harness, "ada");
        await CompleteAllAsync(harness);
        store.IsFull = true;
        var failure = await Assert.ThrowsAsync<RosterException>(() => harness.AdvanceAsync(TimeSpan.FromDays(2)));
        Assert.Equal(RosterError.Overloaded, failure.Error);
        Assert.Equal(EngineHarness.Start, harness.Clock.GetUtcNow());
        store.IsFull = false;
        await harness.AdvanceAsync(TimeSpan.FromDays(2));
        Assert.Equal(1, (await harness.StatsAsync("w")).Completed);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task After_a_fatal_failure_nobody_is_acknowledged_nobody_waits_for_ever_and_the_engine_can_be_closed()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var harness = await EngineHarness.StartAsync(store: store);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "a")));
        var gate = new TaskCompletionSource();
        store.Gate = () => gate.Task;
        var first = harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "b")));
        var second = harness.SendAsync(harness.Event("bob", "", EngineHarness.Text("stage", "c")));
        store.FatalNext = new IOException("fsync failed");
        gate.SetResult();
        await Assert.ThrowsAsync<RosterException>(() => first);
        await Assert.ThrowsAsync<RosterException>(() => second);
        await Assert.ThrowsAsync<IOException>(() => harness.Engine.Failed);
        await Assert.ThrowsAsync<RosterException>(() => harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "d"))));
        await harness.Engine.DisposeAsync();

        // The process starts again over the same store: only what was durable is there.
        store.Gate = null;
        await using var again = await EngineHarness.StartAsync(store: store);
        Assert.Equal("a", (await again.RecordAsync("ada")).Properties.Single().Value.Text);
        Assert.Null(await again.Engine.GetRecordAsync(EngineHarness.Tenant, new RecordRef { ObjectType = "contact", RecordId = "bob" }, Token));
    }

    [Fact]
    public async Task ENG_15_Who_waits_for_messages_hears_that_the_engine_has_failed()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var harness = await EngineHarness.StartAsync(store: store);
        var linked = harness.Event("ada");
        linked.Associations.Add(new AssociationChange { ObjectType = "deal", RecordId = "d1" });

        // The second commit is that of the message.
        store.CrashAt(2);
        await harness.SendAsync(linked);
        await Assert.ThrowsAsync<IOException>(() => harness.Engine.Failed.WaitAsync(Token));
        var failure = await Assert.ThrowsAsync<RosterException>(() => harness.SettleAsync().WaitAsync(TimeSpan.FromMinutes(1), Token));
        Assert.Equal(RosterError.Unavailable, failure.Error);
        await harness.Engine.DisposeAsync();
    }

    [Fact]
    public async Task ENG_15_Who_fires_timers_that_send_messages_hears_that_the_engine_has_failed()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var harness = await EngineHarness.StartAsync(store: store);
        var deal = harness.Event("d1", "", EngineHarness.Number("amount", "1"));
        deal.ObjectType = "deal";
        deal.Associations.Add(new AssociationChange { ObjectType = "contact", RecordId = "ada" });
        await harness.SendAsync(deal);
        await harness.PublishAsync("""
            { "id": "w", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go" } ] } }, "dataSources": [ { "name": "d", "objectType": "deal" } ],
              "steps": [ { "id": "wait", "next": "s", "delay": { "amount": 1, "unit": "DAYS" } },
                         { "id": "s", "setProperty": { "property": "amount", "dataSource": "d", "mode": "INCREMENT", "value": "1" } } ] }
            """);
        await harness.SettleAsync();
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.SettleAsync();

        // The second commit is that of the message that the timer's turn sends.
        store.CrashAt(2);
        var failure = await Assert.ThrowsAsync<RosterException>(() => harness.AdvanceAsync(TimeSpan.FromDays(2)).WaitAsync(TimeSpan.FromMinutes(1), Token));
        Assert.Equal(RosterError.Unavailable, failure.Error);
        await harness.Engine.DisposeAsync();
    }

    [Fact]
    public async Task Reads_see_only_what_is_durable_and_two_batches_in_a_row_keep_their_order_while_a_commit_is_slow()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "a")));
        var gate = new TaskCompletionSource();
        store.Gate = () => gate.Task;
        var sends = Enumerable.Range(0, 20).Select(i => harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", $"v{i}")))).ToList();
        var read = harness.RecordAsync("ada");
        Assert.False(read.IsCompleted);
        Assert.All(sends, s => Assert.False(s.IsCompleted));
        store.Gate = null;
        gate.SetResult();
        await Task.WhenAll(sends);
        Assert.Equal("v19", (await read).Properties.Single().Value.Text);
        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => $"v{i}"),
            (await TimelineAsync(harness, "ada")).Where(e => e.Kind == JournalEntry.Types.Kind.PropertyChanged).Select(e => e.Value.Text).Skip(1));
    }

    [Fact]
    public async Task A_poison_turn_is_refused_alone_by_event_and_by_timer()
    {
        // A bug in a turn: it throws for record x, and for record y once it waits in a delay.
        var options = new EmbeddedOptions
        {
            BeforeTurn = state =>
            {
                if (state.Id == "x" || (state.Id == "y" && state.Enrollments.Length > 0))
                {
                    throw new InvalidOperationException("A bug.");
                }
            },
        };
        await using var harness = await EngineHarness.StartAsync(options);
        await harness.PublishAsync("""
            { "id": "poison", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "poison", "allowNewRecord": true } ] } },
              "steps": [ { "id": "a", "delay": { "amount": 1, "unit": "DAYS" } } ] }
            """);
        await harness.PublishAsync(Manual);
        var results = await harness.SendAsync(harness.Event("x", "at_once"), harness.Event("ada", "", EngineHarness.Text("stage", "a")), harness.Event("y", "poison"));
        Assert.Equal((0, Refusal.Types.Reason.Internal), (Assert.Single(results).Index, results[0].Result.Refusal.Reason));
        Assert.Equal("a", (await harness.RecordAsync("ada")).Properties.Single().Value.Text);
        await EnrollAsync(harness, "ada");
        await CompleteAllAsync(harness);

        await harness.AdvanceAsync(TimeSpan.FromDays(3));
        Assert.Equal(1, (await harness.StatsAsync("w")).Completed);
        Assert.Equal(1, (await harness.StatsAsync("poison")).Active);
        Assert.Equal(Refusal.Types.Reason.Internal, Assert.Single(await harness.SendAsync(harness.Event("y", "", EngineHarness.Text("stage", "a")))).Result.Refusal.Reason);
        Assert.Equal(3, (await harness.Engine.GetStatusAsync(Token)).Events.Refused);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task An_engine_over_the_same_store_goes_on_where_the_last_one_stopped()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var clock = new ManualClock(EngineHarness.Start);
        var first = await EngineHarness.StartAsync(store: store, clock: clock);
        await first.PublishAsync(Manual);
        await EnrollAsync(first, "ada");
        await EnrollAsync(first, "bob");
        var leased = await first.Engine.LeaseTasksAsync(EngineHarness.Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Token);
        Assert.Equal(2, leased.Count);
        await first.Engine.DisposeAsync();

        await using var second = await EngineHarness.StartAsync(store: store, clock: clock);

        // A failure that may be retried leaves the task open, though the leases are gone with the process (ERR-07, ERR-08).
        Assert.True(await second.Engine.CompleteTaskAsync(
            EngineHarness.Tenant, new TaskCompletion { Key = leased[1].Key, Outcome = TaskCompletion.Types.Outcome.Failed, Retryable = true }, Token));
        var again = await second.Engine.LeaseTasksAsync(EngineHarness.Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Token);
        Assert.Equal(leased.Select(t => t.Key), again.Select(t => t.Key));
        await CompleteAllAsync(second, again);
        await second.AdvanceAsync(TimeSpan.FromDays(1));
        Assert.Equal(2, (await second.StatsAsync("w")).Completed);
        await second.VerifyAsync();
    }

    [Fact]
    public async Task API_03_A_repeated_request_returns_the_first_answer()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.PublishAsync(Manual);
        var request = new EnrollRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, WorkflowId = "w", RequestId = "r1" };
        var first = await harness.Engine.EnrollAsync(EngineHarness.Tenant, request, Token);
        await harness.Engine.UnenrollAsync(EngineHarness.Tenant, new UnenrollRequest { Ref = request.Ref, WorkflowId = "w", RequestId = "r2" }, Token);
        var second = await harness.Engine.EnrollAsync(EngineHarness.Tenant, request, Token);
        Assert.Equal((Decision.Types.Code.Enrolled, 1), (first.Decision, first.EnrollmentNumber));
        Assert.Equal((EventResult.Types.Code.Duplicate, first.Decision, first.EnrollmentNumber), (second.Result.Code, second.Decision, second.EnrollmentNumber));
        var unenrolled = await harness.Engine.UnenrollAsync(EngineHarness.Tenant, new UnenrollRequest { Ref = request.Ref, WorkflowId = "w", RequestId = "r2" }, Token);
        Assert.True(unenrolled.Unenrolled);
        Assert.Equal(0, (await harness.StatsAsync("w")).Active);
    }

    [Fact]
    public async Task UNE_07_The_report_of_a_withdrawn_task_counts_as_in_flight_until_it_is_durable()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        await EnrollAsync(harness, "ada");
        Assert.Equal(0, harness.Engine.EventsInFlight);
        var gate = new TaskCompletionSource();
        var commits = 0;
        store.Gate = () => ++commits == 1 ? Task.CompletedTask : gate.Task;
        await harness.Engine.UnenrollAsync(
            EngineHarness.Tenant, new UnenrollRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, WorkflowId = "w", RequestId = "out" }, Token);
        Assert.Equal(1, harness.Engine.EventsInFlight);
        gate.SetResult();
        await harness.SettleAsync();
        Assert.Equal(0, harness.Engine.EventsInFlight);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task UNE_07_A_full_disk_delays_the_report_of_a_withdrawn_task_and_a_job_by_the_pause_of_the_host()
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
        await harness.PublishAsync(Manual);
        await EnrollAsync(harness, "ada");
        await EnrollAsync(harness, "bob");
        store.FailAt(2);
        await harness.Engine.UnenrollAsync(
            EngineHarness.Tenant, new UnenrollRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, WorkflowId = "w", RequestId = "out" }, Token);
        await harness.SettleAsync();
        Assert.Equal(1, pauses);
        store.FailAt(2);
        await harness.Engine.BulkUnenrollAsync(EngineHarness.Tenant, new BulkUnenrollRequest { WorkflowId = "w", RequestId = "all" }, Token);
        await harness.SettleAsync();
        Assert.Equal((2, 0L), (pauses, (await harness.StatsAsync("w")).Active));
        Assert.Empty(await harness.Engine.LeaseTasksAsync(EngineHarness.Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Token));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task TRG_12_A_bulk_enrollment_goes_on_after_a_restart_and_enrolls_nobody_twice()
    {
        var store = new FaultStore(new VolatileRecordStore());
        var clock = new ManualClock(EngineHarness.Start);
        var first = await EngineHarness.StartAsync(store: store, clock: clock);
        await first.PublishAsync(Manual);
        var request = new BulkEnrollRequest { WorkflowId = "w", RequestId = "bulk" };
        request.Refs.AddRange(Enumerable.Range(0, 1_700).Select(i => new RecordRef { ObjectType = "contact", RecordId = $"r{i}" }));
        var job = await first.Engine.BulkEnrollAsync(EngineHarness.Tenant, request, Token);
        await first.Engine.DisposeAsync();

        await using var second = await EngineHarness.StartAsync(store: store, clock: clock);
        var done = await EndAsync(second, job.Id);
        Assert.Equal((Operation.Types.State.Succeeded, 1_700L), (done.State, done.Done));
        Assert.Equal(1_700, Assert.Single(done.Counts).Count);
        var stats = await second.StatsAsync("w");
        Assert.Equal((1_700, 1_700), (stats.Enrolled, stats.RecordsEnrolled));
        Assert.Equal(job.Id, (await second.Engine.BulkEnrollAsync(EngineHarness.Tenant, request, Token)).Id);
        await second.VerifyAsync();
    }

    [Fact]
    public async Task TRG_12_A_full_disk_delays_a_bulk_enrollment_and_does_not_end_it()
    {
        var store = new FaultStore(new VolatileRecordStore());
        await using var harness = await EngineHarness.StartAsync(store: store);
        await harness.PublishAsync(Manual);
        var request = new BulkEnrollRequest { WorkflowId = "w", RequestId = "bulk" };
        request.Refs.AddRange(Enumerable.Range(0, 600).Select(i => new RecordRef { ObjectType = "contact", RecordId = $"r{i}" }));
        store.FailNext(1);
        await Assert.ThrowsAnyAsync<Exception>(async () => await harness.Engine.BulkEnrollAsync(EngineHarness.Tenant, request, Token));
        store.FailAt(3);
        var job = await harness.Engine.BulkEnrollAsync(EngineHarness.Tenant, request, Token);
        var done = await EndAsync(harness, job.Id);
        Assert.Equal(Operation.Types.State.Succeeded, done.State);
        Assert.Equal(600, (await harness.StatsAsync("w")).RecordsEnrolled);
    }

    /// <summary>Waits for a job by what it makes durable; the clock moves, so that its pauses end.</summary>
    private static async Task<Operation> EndAsync(EngineHarness harness, string id)
    {
        for (var i = 0; i < 100_000; i++)
        {
            var job = await harness.Engine.GetOperationAsync(EngineHarness.Tenant, new GetOperationRequest { OperationId = id }, Token);
            if (job.State != Operation.Types.State.Running)
            {
                return job;
            }

            harness.Clock.MoveTo(harness.Clock.GetUtcNow().AddSeconds(1));
            await Task.Yield();
        }

        throw new InvalidOperationException($"Job {id} does not end.");
    }

    private static async Task SendUntilTakenAsync(EngineHarness harness, Event[] events)
    {
        while (true)
        {
            try
            {
                await harness.SendAsync(events);
                return;
            }
            catch (RosterException failure) when (failure.Error == RosterError.Overloaded)
            {
                // It is sent again, as a client would.
            }
        }
    }

    private static async Task EnrollAsync(EngineHarness harness, string record)
    {
        var request = new EnrollRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = record }, WorkflowId = "w", RequestId = $"enroll-{record}" };
        Assert.Equal(Decision.Types.Code.Enrolled, (await harness.Engine.EnrollAsync(EngineHarness.Tenant, request, Token)).Decision);
    }

    private static async Task CompleteAllAsync(EngineHarness harness, IReadOnlyList<WorkTask>? tasks = null)
    {
        tasks ??= await harness.Engine.LeaseTasksAsync(EngineHarness.Tenant, "mail", 100, TimeSpan.FromMinutes(1), "w", Token);
        foreach (var task in tasks)
        {
            Assert.True(await harness.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed }, Token));
        }
    }

    private static async Task<List<JournalEntry>> TimelineAsync(EngineHarness harness, string record)
    {
        var entries = new List<JournalEntry>();
        var request = new GetTimelineRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = record }, PageSize = 100 };
        do
        {
            var page = await harness.Engine.GetTimelineAsync(EngineHarness.Tenant, request, Token);
            entries.AddRange(page.Entries);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        entries.Reverse();
        return entries;
    }
}
