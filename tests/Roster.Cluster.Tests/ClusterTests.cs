using Google.Protobuf;
using Roster.Embedded.Tests;
using Roster.Engine;
using Roster.Engine.Delivery;
using Roster.Engine.Tests.Delivery;
using Roster.V1;
using static Roster.Embedded.Tests.EngineCalls;

namespace Roster.Cluster.Tests;

/// <summary>Several silos: where things are, and what becomes of them when silos come and go.</summary>
public sealed class ClusterTests
{
    private const string Tenant = EngineHarness.Tenant;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<TestSilos> StartAsync(short count)
    {
        var silos = await TestSilos.StartAsync(count, new ManualClock(EngineHarness.Start));
        await DeclareAsync(silos[0]);
        return silos;
    }

    private static async Task<long> EnrolledAsync(IRosterEngine front) =>
        (await front.GetWorkflowStatsAsync(Tenant, new GetWorkflowStatsRequest { WorkflowId = "follow" }, Token)).Enrolled;

    [Fact]
    public async Task One_silo_takes_an_event_to_its_record_and_answers_when_it_is_durable()
    {
        await using var silos = await StartAsync(1);
        await PublishAsync(silos[0], Follow);
        Assert.Empty(await silos[0].IngestAsync(Tenant, [Event("a", "ada", "go", EngineHarness.Text("name", "Ada"))], Token));
        var record = await RecordAsync(silos[0], "ada");
        Assert.Equal("mail", Assert.Single(record.Enrollments).StepId);
        Assert.Equal(EventResult.Types.Code.Duplicate, Assert.Single(await silos[0].IngestAsync(Tenant, [Event("a", "ada", "go", EngineHarness.Text("name", "Ada"))], Token)).Result.Code);
        var explained = await silos[0].ExplainAsync(Tenant, new ExplainRequest { Ref = record.Ref, WorkflowId = "follow" }, Token);
        Assert.NotNull(explained);
        var status = await silos[0].GetStatusAsync(Token);
        Assert.Equal(("cluster", 1L), (status.Host, status.Records));
        await VerifyAsync(silos[0]);
    }

    [Fact]
    public async Task Events_at_three_front_doors_meet_at_their_records_in_the_order_of_each_door()
    {
        await using var silos = await StartAsync(3);
        await PublishAsync(silos[1], Follow);
        var doors = Enumerable.Range(0, 3).Select(async door =>
        {
            // The next batch leaves before the one before has come back.
            var sent = new List<Task<IReadOnlyList<IndexedResult>>>();
            for (var batch = 0; batch < 20; batch++)
            {
                var events = Enumerable.Range(0, 30).Select(i => Event($"{door}-{batch}-{i}", $"r{i}", "", EngineHarness.Number($"door{door}", $"{batch}"))).ToArray();
                sent.Add(silos[door].IngestAsync(Tenant, events, Token).AsTask());
            }

            foreach (var results in await Task.WhenAll(sent))
            {
                Assert.Empty(results);
            }
        });
        await Task.WhenAll(doors);
        for (var i = 0; i < 30; i++)
        {
            var record = await RecordAsync(silos[i % 3], $"r{i}");
            Assert.Equal(["19", "19", "19"], record.Properties.Where(p => p.Name.StartsWith("door", StringComparison.Ordinal)).Select(p => p.Value.Number));
        }

        Assert.Equal(1_800, (await silos[2].GetStatusAsync(Token)).Events.Applied);
        await VerifyAsync(silos[0]);
    }

    [Fact]
    public async Task A_credential_made_at_one_silo_is_good_at_the_others_until_one_of_them_revokes_it()
    {
        await using var silos = await StartAsync(2);
        var wanted = new Credential { Name = "crm", Rights = { Credential.Types.Right.View } };
        var made = await silos[0].Credentials.CreateAsync(Tenant, wanted, string.Empty, Token);
        Assert.True(await silos[1].Credentials.LookAgainAsync(Token));
        Assert.Equal(Tenant, silos[1].Credentials.FindKey(made.Key)?.Credential.Tenant);

        // Two at most have one name, wherever they were made.
        await silos[1].Credentials.CreateAsync(Tenant, wanted, string.Empty, Token);
        Assert.Equal(RosterError.FailedPrecondition, (await Assert.ThrowsAsync<RosterException>(() => silos[0].Credentials.CreateAsync(Tenant, wanted, string.Empty, Token))).Error);
        Assert.Equal(2, (await silos[0].Credentials.ListAsync(Tenant, 0, string.Empty, Token)).Credentials.Count);

        await silos[1].Credentials.RevokeAsync(Tenant, made.Credential.Id, Token);
        Assert.Null(silos[1].Credentials.FindKey(made.Key));
        Assert.Single((await silos[0].Credentials.ListAsync(Tenant, 0, string.Empty, Token)).Credentials);
        Assert.Null(silos[0].Credentials.FindKey(made.Key));
    }

    [Fact]
    public async Task ACT_60_Webhooks_of_records_at_every_silo_are_sent_by_the_one_that_has_the_duties()
    {
        await using var receiver = new WebhookReceiver(new ReceiverAnswer(200));
        Assert.Null(AddressRules.TryParse(["127.0.0.1"], out var rules));
        await using var transport = new HttpWebhookTransport(new HostConnector(rules, new SystemHostResolver()), TimeProvider.System);
        await using var silos = await TestSilos.StartAsync(3, new ManualClock(EngineHarness.Start), silo => silo.Webhooks = transport);
        await DeclareAsync(silos[0]);
        var endpoint = new WebhookEndpoint { Id = "crm", Url = receiver.Url };
        await silos[1].SaveWebhookEndpointAsync(Tenant, new SaveWebhookEndpointRequest { Endpoint = endpoint }, Token);
        await PublishAsync(silos[2], """
            { "id": "hook", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] } },
              "steps": [ { "id": "hook", "webhook": { "endpoint": "crm", "properties": ["stage"] } } ] }
            """);
        Assert.Empty(await silos[0].IngestAsync(Tenant, [.. Enumerable.Range(0, 12).Select(i => Event($"e{i}", $"r{i}", "go", EngineHarness.Text("stage", $"{i}")))], Token));
        var keys = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 12; i++)
        {
            Assert.True(keys.Add((await receiver.NextAsync(Token)).Key));
        }

        Assert.Equal("crm", Assert.Single((await silos[2].ListWebhookEndpointsAsync(Tenant, Token)).Endpoints).Id);
        await VerifyAsync(silos[1]);
    }

    [Fact]
    public async Task EDT_06_What_was_published_at_one_front_door_the_next_event_at_another_sees()
    {
        await using var silos = await StartAsync(3);
        for (var i = 0; i < 5; i++)
        {
            var id = $"w{i}";
            await PublishAsync(silos[i % 3], Follow.Replace("\"follow\"", $"\"{id}\"", StringComparison.Ordinal));
            Assert.Empty(await silos[(i + 1) % 3].IngestAsync(Tenant, [.. Enumerable.Range(0, 10).Select(r => Event($"{id}-{r}", $"r{r}", "go"))], Token));
            for (var r = 0; r < 10; r++)
            {
                Assert.Contains((await RecordAsync(silos[(i + 2) % 3], $"r{r}")).Enrollments, e => e.WorkflowId == id);
            }
        }

        await VerifyAsync(silos[0]);
    }

    [Fact]
    public async Task A_refusal_travels_with_all_that_it_says()
    {
        await using var silos = await StartAsync(2);
        var broken = JsonParser.Default.Parse<Workflow>(Follow.Replace("\"property\": \"stage\"", "\"property\": \"\"", StringComparison.Ordinal));
        await silos[0].SaveWorkflowAsync(Tenant, new SaveWorkflowRequest { Workflow = broken }, Token);
        var refused = await Assert.ThrowsAsync<RosterException>(
            async () => await silos[1].SetWorkflowStateAsync(Tenant, new SetWorkflowStateRequest { WorkflowId = "follow", State = Workflow.Types.State.On }, Token));
        Assert.Equal(RosterError.FailedPrecondition, refused.Error);
        Assert.NotEmpty(refused.Problems);
        var unknown = await silos[1].EnrollAsync(
            Tenant, new EnrollRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, WorkflowId = "none", RequestId = "q" }, Token);
        Assert.Equal(Refusal.Types.Reason.UnknownWorkflow, unknown.Result.Refusal.Reason);
        var bad = Assert.Single(await silos[0].IngestAsync(Tenant, [Event("a", new string('x', 2_000), "")], Token));
        Assert.Equal(EventResult.Types.Code.Refused, bad.Result.Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_the_silo_with_the_duties_goes_another_one_goes_on_and_nothing_is_lost(bool isStopped)
    {
        await using var silos = await StartAsync(3);
        await PublishAsync(silos[0], Follow);
        Assert.Empty(await silos[0].IngestAsync(Tenant, [.. Enumerable.Range(0, 20).Select(r => Event($"go-{r}", $"r{r}", "go"))], Token));
        await CompleteAllAsync(silos[1], 20);
        var conductor = silos.FindConductor();
        Assert.True(conductor >= 0);
        await (isStopped ? silos.StopAsync(conductor) : silos.KillAsync(conductor));
        await UntilAsync(async () => await AdvanceAsync(silos[0], TimeSpan.Zero));
        Assert.Equal(2, silos.Count);
        Assert.True(silos.FindConductor() >= 0);
        await AdvanceAsync(silos[0], TimeSpan.FromDays(2));
        await UntilAsync(async () => Assert.Empty(await silos[1].IngestAsync(Tenant, [.. Enumerable.Range(0, 20).Select(r => Event($"late-{r}-{Guid.NewGuid()}", $"r{r}", ""))], Token)));
        for (var r = 0; r < 20; r++)
        {
            Assert.Equal("done", (await RecordAsync(silos[r % 2], $"r{r}")).Properties.Single(p => p.Name == "stage").Value.Text);
        }

        await VerifyAsync(silos[1]);
    }

    [Fact]
    public async Task ENR_02_TRG_12_A_bulk_job_of_a_silo_that_dies_goes_on_at_another_and_enrolls_nobody_twice()
    {
        const int Records = 300;
        await using var silos = await StartAsync(3);
        await PublishAsync(silos[0], Follow);
        Assert.Empty(await silos[0].IngestAsync(Tenant, [.. Enumerable.Range(0, Records).Select(r => Event($"e-{r}", $"r{r}", ""))], Token));

        // Slow enough to be under way when its silo dies (LIM-02).
        await silos[0].UpdateSettingsAsync(Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { TurnsPerS = 40 } }, Token);
        var request = new BulkEnrollRequest { WorkflowId = "follow", RequestId = "bulk" };
        request.Refs.AddRange(Enumerable.Range(0, Records).Select(r => new RecordRef { ObjectType = "contact", RecordId = $"r{r}" }));
        var job = await silos[1].BulkEnrollAsync(Tenant, request, Token);
        while ((await EnrolledAsync(silos[1])) == 0)
        {
            await Task.Yield();
        }

        await silos.KillAsync(silos.FindConductor());
        Assert.InRange(await EnrolledAsync(silos[0]), 1, Records - 1);
        await UntilAsync(async () => await silos[0].UpdateSettingsAsync(Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { TurnsPerS = 100_000 } }, Token));
        await UntilAsync(async () => job = await silos[1].GetOperationAsync(Tenant, new GetOperationRequest { OperationId = job.Id }, Token));
        while (job.State == Operation.Types.State.Running)
        {
            await UntilAsync(async () => job = await silos[1].WaitOperationAsync(Tenant, job.Id, Token));
        }

        Assert.Equal((Operation.Types.State.Succeeded, Records), (job.State, job.Done));
        Assert.Equal(Records, await EnrolledAsync(silos[0]));
        for (var r = 0; r < Records; r += 37)
        {
            Assert.Equal(1, Assert.Single((await RecordAsync(silos[r % 2], $"r{r}")).Enrollments).Number);
        }

        // Who asks again hears of the same job.
        Assert.Equal(job.Id, (await silos[0].BulkEnrollAsync(Tenant, request, Token)).Id);
        await VerifyAsync(silos[0]);
    }

    [Fact]
    public async Task MET_01_Verify_begins_again_when_another_silo_has_committed_meanwhile()
    {
        await using var silos = await StartAsync(2);
        await PublishAsync(silos[0], Follow);
        var sending = Task.Run(SendAsync, Token);
        do
        {
            await VerifyAsync(silos[0]);
            await VerifyAsync(silos[1]);
        }
        while (!sending.IsCompleted);
        await sending;

        async Task SendAsync()
        {
            for (var batch = 0; batch < 60; batch++)
            {
                Assert.Empty(await silos[batch % 2].IngestAsync(Tenant, [Event($"go-{batch}", $"r{batch}", "go")], Token));
            }
        }
    }

    [Fact]
    public async Task The_end_of_the_journal_is_that_of_all_silos()
    {
        await using var silos = await StartAsync(2);
        Assert.Empty(await silos[0].IngestAsync(Tenant, [.. Enumerable.Range(0, 30).Select(r => Event($"e-{r}", $"r{r}", ""))], Token));
        for (var i = 0; i < 2; i++)
        {
            // One of them was not the last to commit.
            await foreach (var page in silos[i].ReadJournalAsync(Tenant, new ReadJournalRequest { FromEnd = true }, Token))
            {
                Assert.Empty(page.Entries);
            }
        }
    }

    [Fact]
    public async Task LIM_01_LIM_04_A_silo_learns_within_a_second_what_others_have_counted()
    {
        await using var silos = await StartAsync(2);
        await PublishAsync(silos[0], Follow);
        await silos[0].UpdateSettingsAsync(Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { ActiveEnrollmentsMax = 30, RecordsMax = 30 } }, Token);
        Assert.Empty(await silos[0].IngestAsync(Tenant, [.. Enumerable.Range(0, 30).Select(r => Event($"go-{r}", $"r{r}", "go"))], Token));
        var explain = new ExplainRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "r0" }, WorkflowId = "follow" };
        for (var i = 0; i < 2; i++)
        {
            // Each has run a part of the turns.
            while (!(await silos[i].ExplainAsync(Tenant, explain, Token)).ToString().Contains("30 of at most 30 of the tenant (active_enrollments_max)", StringComparison.Ordinal))
            {
                await Task.Yield();
            }
        }

        var refused = await silos[1].IngestAsync(Tenant, [.. Enumerable.Range(0, 8).Select(r => Event($"new-{r}", $"n{r}", "go"))], Token);
        Assert.Equal(8, refused.Count);
        Assert.All(refused, r => Assert.Equal((Refusal.Types.Reason.LimitReached, "records_max"), (r.Result.Refusal.Reason, r.Result.Refusal.Setting)));
    }

    [Fact]
    public async Task LIM_02_Silos_share_a_tenants_rates_and_who_is_left_has_them_alone()
    {
        await using var silos = await StartAsync(3);
        await silos.CountAsync();
        Assert.Equal([3, 3, 3], Enumerable.Range(0, 3).Select(i => silos[i].Rates.Processes));
        await silos.StopAsync(2);
        await silos.StopAsync(1);
        await silos.CountAsync();
        Assert.Equal(1, silos[0].Rates.Processes);
    }

    [Fact]
    public async Task A_silo_that_was_declared_dead_and_lives_commits_nothing()
    {
        await using var silos = await StartAsync(2);
        Assert.Empty(await silos[0].IngestAsync(Tenant, [.. Enumerable.Range(0, 20).Select(r => Event($"a-{r}", $"r{r}", ""))], Token));
        var frozen = silos.Silo(1);
        await silos.Silo(0).FenceAsync(frozen.Name, Token);

        // What still comes to it is not acknowledged.
        var refused = await Assert.ThrowsAsync<RosterException>(async () => await frozen.Engine.IngestAsync(Tenant, [Event("b", "r0", "")], Token));
        Assert.Equal(RosterError.Unavailable, refused.Error);
        Assert.True(frozen.Engine.Failed.IsFaulted);
        Assert.Equal(20, (await silos[0].GetStatusAsync(Token)).Events.Applied);
    }

    [Fact]
    public async Task DLY_16_Timers_fire_by_themselves_at_the_silos_that_have_their_parts()
    {
        var clock = new LeapingClock();
        await using var silos = await TestSilos.StartAsync(3, clock);
        await DeclareAsync(silos[0]);
        await PublishAsync(silos[0], Follow);
        Assert.Empty(await silos[0].IngestAsync(Tenant, [.. Enumerable.Range(0, 40).Select(r => Event($"go-{r}", $"r{r}", "go"))], Token));
        await CompleteAllAsync(silos[1], 40);
        clock.Leap(TimeSpan.FromDays(2));
        for (var i = 0; i < 3; i++)
        {
            // The clock of a machine does not leap: a shard sleeps until what was due first.
            await silos.Silo(i).Engine.ResyncAsync(Token);
        }

        var ended = 0;
        await foreach (var page in silos[2].ReadJournalAsync(Tenant, new ReadJournalRequest { Follow = true }, Token))
        {
            ended += page.Entries.Count(e => e.Kind == JournalEntry.Types.Kind.EnrollmentEnded);
            if (ended == 40)
            {
                break;
            }
        }

        var parts = Enumerable.Range(0, 3).SelectMany(i => silos.Silo(i).Engine.TimerPartsHere).Order();
        Assert.Equal(Enumerable.Range(0, Roster.Engine.Hosting.EngineHost.TimerParts), parts);
        await VerifyAsync(silos[0]);
    }

    /// <summary>Real time, but for leaps.</summary>
    private sealed class LeapingClock : TimeProvider
    {
        private long _leapTicks;

        public void Leap(TimeSpan time) => Interlocked.Add(ref _leapTicks, time.Ticks);

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _leapTicks));
    }

    /// <summary>While the cluster notices, calls are UNAVAILABLE; the caller tries again, as a client does.</summary>
    private static async Task UntilAsync(Func<Task> attempt)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Token);
        over.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            try
            {
                await attempt();
                return;
            }
            catch (RosterException failure) when (failure.Error == RosterError.Unavailable && !over.IsCancellationRequested)
            {
                await Task.Yield();
            }
        }
    }
}
