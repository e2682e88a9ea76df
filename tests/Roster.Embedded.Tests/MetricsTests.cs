using Roster.Engine.Turns;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Counters, rates, series and times in step: folds of the journal (MET).</summary>
public sealed class MetricsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private const string Funnel = """
        { "id": "w", "objectType": "contact",
          "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] }, "reenroll": true },
          "goals": [ { "id": "won", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["won"] } ] } ] } } ],
          "steps": [
            { "id": "wait", "next": "mail", "delay": { "amount": 2, "unit": "DAYS" } },
            { "id": "mail", "next": "bad", "worker": { "queue": "mail" } },
            { "id": "bad", "setProperty": { "property": "score", "source": { "property": "stage" } } } ] }
        """;

    private static async Task<EngineHarness> StartAsync()
    {
        var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Text("stage", "x"), EngineHarness.Number("score", "1")));
        await harness.PublishAsync(Funnel);
        return harness;
    }

    private static async Task CompleteAsync(EngineHarness harness)
    {
        foreach (var task in await harness.Engine.LeaseTasksAsync(EngineHarness.Tenant, "mail", 100, TimeSpan.FromMinutes(1), "w", Token))
        {
            await harness.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed }, Token);
        }
    }

    [Fact]
    public async Task MET_02_MET_12_MET_14_Counts_conversion_errors_bottleneck_and_time_in_step()
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(harness.Event("ada", "go"), harness.Event("bob", "go"), harness.Event("cleo", "go"), harness.Event("dan", "go"));
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "won")));
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "lost")));
        await harness.SendAsync(harness.Event("bob", "", EngineHarness.Text("stage", "no number")));
        await harness.AdvanceAsync(TimeSpan.FromDays(2));
        var stats = await harness.StatsAsync("w");
        Assert.Equal("mail", stats.Bottleneck);
        await CompleteAsync(harness);
        stats = await harness.StatsAsync("w");
        Assert.Equal((4L, 4L, 0L, 3L), (stats.Enrolled, stats.RecordsEnrolled, stats.Active, stats.Completed));
        Assert.Equal(0.25, Assert.Single(stats.Conversions).Rate);
        Assert.Equal(("INVALID_VALUE", 1L), (Assert.Single(stats.Errors).Name, stats.Errors[0].Count));
        Assert.Equal("", stats.Bottleneck);
        var wait = stats.Steps.Single(s => s.StepId == "wait");
        Assert.Equal((4L, 0L, 3L), (wait.Entered, wait.Waiting, wait.Succeeded));
        var day = (double)TimeSpan.FromDays(2).TotalMilliseconds;
        Assert.InRange(wait.MedianMs, day * 0.95, day * 1.05);
        Assert.Equal(0, stats.Steps.Single(s => s.StepId == "bad").MedianMs);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task HIS_02_The_action_log_has_each_execution_with_result_times_and_outputs()
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(harness.Event("bob", "go"), harness.Event("bob", "", EngineHarness.Text("stage", "no number")));
        await harness.AdvanceAsync(TimeSpan.FromDays(2));
        var task = Assert.Single(await harness.Engine.LeaseTasksAsync(EngineHarness.Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Token));
        await harness.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed, Outputs = { EngineHarness.Text("message_id", "m1") } }, Token);
        var finished = await harness.JournalAsync(JournalEntry.Types.Kind.StepFinished);
        Assert.Equal(["wait:SUCCESS", "mail:SUCCESS", "bad:FAILED"], finished.Select(e => $"{e.StepId}:{e.Result}"));
        Assert.Equal(EngineHarness.Start.AddDays(2), finished[0].At.ToDateTimeOffset());
        Assert.Equal("INVALID_VALUE", finished[2].Detail);
        Assert.Equal("m1", Assert.Single(Assert.Single(await harness.JournalAsync(JournalEntry.Types.Kind.EffectCompleted)).Properties).Value.Text);
    }

    [Fact]
    public async Task MET_12_A_rate_without_a_denominator_is_left_out()
    {
        await using var harness = await StartAsync();
        Assert.Empty((await harness.StatsAsync("w")).Conversions);
    }

    [Fact]
    public async Task MET_03_Series_by_day_week_and_month_in_the_tenants_zone_without_empty_buckets()
    {
        await using var harness = await StartAsync();
        await harness.Engine.UpdateSettingsAsync(EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { TimeZone = "America/New_York" } }, Token);
        await harness.SendAsync(harness.Event("ada", "go"));
        await harness.AdvanceAsync(TimeSpan.FromDays(5));
        await CompleteAsync(harness);
        await harness.SendAsync(harness.Event("ada", "go"));
        Assert.Equal("2025-12-31:1/0/0 2026-01-05:1/0/1", await SeriesAsync(harness, GetWorkflowStatsRequest.Types.Period.Day));
        Assert.Equal("2025-12-29:1/0/0 2026-01-05:1/0/1", await SeriesAsync(harness, GetWorkflowStatsRequest.Types.Period.Week));
        Assert.Equal("2025-12-01:1/0/0 2026-01-01:1/0/1", await SeriesAsync(harness, GetWorkflowStatsRequest.Types.Period.Month));

        // Another zone later changes no day of the past.
        await harness.Engine.UpdateSettingsAsync(EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { TimeZone = "Asia/Tokyo" } }, Token);
        Assert.StartsWith("2025-12-31:1/0/0", await SeriesAsync(harness, GetWorkflowStatsRequest.Types.Period.Day), StringComparison.Ordinal);
        await harness.VerifyAsync();
    }

    private static async Task<string> SeriesAsync(EngineHarness harness, GetWorkflowStatsRequest.Types.Period period)
    {
        var stats = await harness.Engine.GetWorkflowStatsAsync(EngineHarness.Tenant, new GetWorkflowStatsRequest { WorkflowId = "w", Period = period }, Token);
        return string.Join(' ', stats.Series.Select(b => $"{b.From}:{b.Enrolled}/{b.Unenrolled}/{b.Completed}"));
    }

    [Fact]
    public async Task MET_02_Counts_by_version_stay_right_when_enrollments_go_over_to_a_new_one()
    {
        await using var harness = await StartAsync();
        await harness.SendAsync(harness.Event("ada", "go"), harness.Event("bob", "go"));
        await harness.RepublishAsync(Funnel.Replace("\"amount\": 2", "\"amount\": 3", StringComparison.Ordinal));
        await harness.SettleAsync();
        var first = await harness.Engine.GetWorkflowStatsAsync(EngineHarness.Tenant, new GetWorkflowStatsRequest { WorkflowId = "w", Version = 1 }, Token);
        var second = await harness.Engine.GetWorkflowStatsAsync(EngineHarness.Tenant, new GetWorkflowStatsRequest { WorkflowId = "w", Version = 2 }, Token);
        Assert.Equal([1, 2], second.Versions);
        Assert.Equal((2L, 0L, 0L), (first.Enrolled, first.Active, first.Steps.Single(s => s.StepId == "wait").Waiting));
        Assert.Equal((0L, 2L, 2L), (second.Enrolled, second.Active, second.Steps.Single(s => s.StepId == "wait").Waiting));
        await harness.VerifyAsync();
    }

    [Fact]
    public void MET_01_The_histogram_is_off_by_less_than_five_percent()
    {
        for (var ms = 1L; ms < 10_000_000_000; ms += 1 + (ms / 37))
        {
            Assert.InRange(StepTimes.MsOf(StepTimes.BucketOf(ms)), ms * 0.95 - 1, ms * 1.05 + 1);
        }

        Assert.Equal(0, StepTimes.BucketOf(0));
        Assert.Null(StepTimes.Percentile([], 0.5));
    }

    [Fact]
    public async Task MET_17_Late_writes_duplicates_and_loop_guards_are_counted_per_tenant()
    {
        await using var harness = await StartAsync();
        var first = harness.Event("ada", "", EngineHarness.Text("stage", "a"));
        first.OccurredAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(new DateTime(2025, 6, 1, 0, 0, 0, DateTimeKind.Utc));
        var late = harness.Event("ada", "", EngineHarness.Text("stage", "b"));
        late.OccurredAt = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(new DateTime(2025, 5, 1, 0, 0, 0, DateTimeKind.Utc));
        await harness.SendAsync(first, late);
        await harness.SendAsync(first.Clone());
        var counters = await harness.Store.ReadCountersAsync(1, Token);
        Assert.Equal(1, counters.Single(c => c.Key.Kind == Engine.Stores.CounterKind.LateWrite).Value);
        Assert.Equal(1, (await harness.Engine.GetStatusAsync(Token)).Events.Duplicate);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task LIM_04_The_cap_of_a_tenant_refuses_the_next_enrollment()
    {
        await using var harness = await StartAsync();
        await harness.Engine.UpdateSettingsAsync(EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { ActiveEnrollmentsMax = 2 } }, Token);
        foreach (var record in new[] { "ada", "bob", "cleo" })
        {
            await harness.SendAsync(harness.Event(record, "go"));
            await harness.CountAsync();
        }

        Assert.Equal(Decision.Types.Code.LimitReached, Assert.Single(await harness.JournalAsync(JournalEntry.Types.Kind.EnrollmentRefused)).Decision);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "won")));
        await harness.CountAsync();
        await harness.SendAsync(harness.Event("cleo", "go"));
        Assert.Equal(2, (await harness.StatsAsync("w")).Active);
        await harness.VerifyAsync();
    }
}
