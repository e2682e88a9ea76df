using Roster.Engine;
using Roster.Engine.Stores;
using Roster.V1;
using State = Roster.V1.Workflow.Types.State;

namespace Roster.Embedded.Tests;

/// <summary>Schedules on a host (SCH-01 to SCH-05): a run is a job, once, in the order of time with the timers of records.</summary>
public sealed class ScheduleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string Monthly(string who, bool reenroll = true) => $$"""
        { "id": "news", "objectType": "contact", "timeZone": "Europe/Berlin",
          "start": { "schedule": { "monthly": { "days": [1, 31] }, "timeOfDay": "09:00", {{who}} }, "reenroll": {{(reenroll ? "true" : "false")}} },
          "steps": [ { "id": "send", "worker": { "queue": "mail", "wait": false } } ] }
        """;

    private const string Leads = "\"criteria\": { \"anyOf\": [ { \"allOf\": [ { \"property\": \"stage\", \"operator\": \"IS_EQUAL_TO\", \"values\": [\"lead\"] } ] } ] }";

    private static async Task<EngineHarness> StartAsync(IRecordStore? store = null, ManualClock? clock = null)
    {
        var harness = await EngineHarness.StartAsync(store: store, clock: clock);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "lead")), harness.Event("bob", "", EngineHarness.Text("stage", "customer")));
        return harness;
    }

    [Fact]
    public async Task SCH_01_SCH_02_SCH_04_Each_run_considers_who_meets_the_criteria_at_the_local_time_of_days_that_exist()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Monthly(Leads));
        await harness.AdvanceAsync(TimeSpan.FromDays(100));
        var enrolled = await harness.JournalAsync(JournalEntry.Types.Kind.Enrolled);
        Assert.All(enrolled, e => Assert.Equal(("ada", "schedule"), (e.Ref.RecordId, e.Type)));
        Assert.Equal(
            ["2026-01-01T08:00", "2026-01-31T08:00", "2026-02-01T08:00", "2026-03-01T08:00", "2026-03-31T07:00", "2026-04-01T07:00"],
            enrolled.Select(e => e.At.ToDateTime().ToString("yyyy-MM-dd'T'HH:mm", System.Globalization.CultureInfo.InvariantCulture)));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task SCH_03_Without_re_enrollment_each_record_is_enrolled_once()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Monthly("\"allRecords\": true", reenroll: false));
        await harness.AdvanceAsync(TimeSpan.FromDays(70));
        Assert.Equal(["ada", "bob"], (await harness.JournalAsync(JournalEntry.Types.Kind.Enrolled)).Select(e => e.Ref.RecordId).Order(StringComparer.Ordinal));
        Assert.All(await harness.JournalAsync(JournalEntry.Types.Kind.EnrollmentRefused), e => Assert.Equal(Decision.Types.Code.ReenrollmentOff, e.Decision));
    }

    [Fact]
    public async Task SCH_02_A_schedule_without_criteria_must_say_all_records()
    {
        await using var harness = await StartAsync();
        var refused = await Assert.ThrowsAsync<RosterException>(() => harness.PublishAsync(Monthly("\"allRecords\": false")));
        Assert.Contains("SCH-02", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SCH_05_Runs_missed_while_off_are_lost()
    {
        await using var harness = await StartAsync();
        await harness.PublishAsync(Monthly(Leads));
        await harness.SwitchAsync("news", State.Off);
        await harness.AdvanceAsync(TimeSpan.FromDays(45));
        await harness.SwitchAsync("news", State.On);
        await harness.SettleAsync();
        Assert.Equal(0, (await harness.StatsAsync("news")).Enrolled);
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("\"catchUp\": \"SKIP\",", 0)]
    public async Task SCH_05_Of_runs_missed_while_the_engine_was_down_only_the_latest_is_made_up(string more, int expected)
    {
        var store = await EngineHarness.OpenStore();
        var first = await StartAsync(store, new ManualClock(EngineHarness.Start));
        await first.PublishAsync(Monthly(Leads).Replace("\"steps\"", more + "\"steps\"", StringComparison.Ordinal));
        await first.Engine.DisposeAsync();

        var later = new ManualClock(EngineHarness.Start + TimeSpan.FromDays(50));
        await using var second = await EngineHarness.StartAsync(store: store, clock: later);
        await second.SettleAsync();
        Assert.Equal(expected, (await second.StatsAsync("news")).Enrolled);
    }

    [Fact]
    public async Task DLY_18_Another_zone_database_has_pending_due_instants_computed_again()
    {
        var store = await EngineHarness.OpenStore();
        var clock = new ManualClock(EngineHarness.Start);
        var first = await EngineHarness.StartAsync(new EmbeddedOptions { ZonesVersion = "one" }, store, clock);
        await first.PublishAsync("""
            { "id": "w", "objectType": "contact", "start": { "manual": {} }, "steps": [ { "id": "d", "delay": { "amount": 3, "unit": "DAYS" } } ] }
            """);
        await first.Engine.EnrollAsync(EngineHarness.Tenant, new EnrollRequest { Ref = new RecordRef { ObjectType = "contact", RecordId = "ada" }, WorkflowId = "w", RequestId = "r" }, Token);
        await first.Engine.DisposeAsync();

        var same = await EngineHarness.StartAsync(new EmbeddedOptions { ZonesVersion = "one" }, store, clock);
        await same.SettleAsync();
        Assert.DoesNotContain((await same.Engine.ListOperationsAsync(EngineHarness.Tenant, new ListOperationsRequest(), Token)).Operations, o => o.Kind == "zones_changed");
        await same.Engine.DisposeAsync();

        await using var other = await EngineHarness.StartAsync(new EmbeddedOptions { ZonesVersion = "two" }, store, clock);
        await other.SettleAsync();
        var job = Assert.Single((await other.Engine.ListOperationsAsync(EngineHarness.Tenant, new ListOperationsRequest(), Token)).Operations, o => o.Kind == "zones_changed");
        Assert.Equal((Operation.Types.State.Succeeded, 1L), (job.State, job.Done));
        Assert.Equal(EngineHarness.Start.AddDays(3), Assert.Single((await other.RecordAsync("ada")).Enrollments).DueAt.ToDateTimeOffset());
        await other.VerifyAsync();
    }

    [Fact]
    public async Task SCH_01_A_birthday_comes_every_year_at_the_local_time_of_day()
    {
        await using var harness = await StartAsync();
        await harness.Engine.DeclarePropertiesAsync(
            EngineHarness.Tenant,
            new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = "born", Type = PropertyType.Types.Kind.Date } } },
            Token);
        await harness.SendAsync(harness.Event("ada", "", new PropertyValue { Name = "born", Value = new Value { Date = "1990-02-10" } }));
        await harness.PublishAsync("""
            { "id": "birthday", "objectType": "contact", "start": { "schedule": { "date": { "property": "born", "yearly": true }, "timeOfDay": "08:00", "allRecords": true }, "reenroll": true },
              "steps": [ { "id": "send", "worker": { "queue": "mail", "wait": false } } ] }
            """);
        await harness.SettleAsync();
        await harness.AdvanceAsync(TimeSpan.FromDays(800));
        Assert.Equal(
            ["2026-02-10T08", "2027-02-10T08", "2028-02-10T08"],
            (await harness.JournalAsync(JournalEntry.Types.Kind.Enrolled)).Select(e => e.At.ToDateTime().ToString("yyyy-MM-dd'T'HH", System.Globalization.CultureInfo.InvariantCulture)));
        await harness.VerifyAsync();
    }
}
