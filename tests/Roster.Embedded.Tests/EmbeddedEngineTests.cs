using Roster.V1;

namespace Roster.Embedded.Tests;

public sealed class EmbeddedEngineTests
{
    private const string Nurture = """
        {
          "id": "nurture", "objectType": "contact",
          "start": { "filter": { "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["lead"] } ] } ] } } },
          "goals": [ { "id": "customer", "criteria": { "anyOf": [ { "allOf": [ { "property": "stage", "operator": "IS_EQUAL_TO", "values": ["customer"] } ] } ] } } ],
          "steps": [
            { "id": "welcome", "next": "wait", "worker": { "queue": "mail", "fields": [ { "name": "template", "text": "welcome" } ], "properties": ["name"] } },
            { "id": "wait", "next": "hot", "delay": { "amount": 2, "unit": "DAYS" } },
            { "id": "hot", "branch": { "branches": [ { "name": "scored", "next": "mark", "criteria": { "anyOf": [ { "allOf": [ { "property": "score", "operator": "IS_GREATER_THAN", "values": ["10"] } ] } ] } } ], "defaultNext": "" } },
            { "id": "mark", "setProperty": { "property": "stage", "value": "mql" } }
          ]
        }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_record_enrolls_waits_branches_and_completes()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Text("stage", "x"), EngineHarness.Number("score", "1"), EngineHarness.Text("name", "n")));
        await harness.PublishAsync(Nurture);

        Assert.Empty(await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "lead"), EngineHarness.Text("name", "Ada"), EngineHarness.Number("score", "12"))));
        var tasks = await harness.Engine.LeaseTasksAsync(EngineHarness.Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Token);
        var task = Assert.Single(tasks);
        Assert.Equal("ada", task.Ref.RecordId);
        Assert.Equal("Ada", Assert.Single(task.Properties).Value.Text);
        Assert.True(await harness.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed }, Token));
        Assert.False(await harness.Engine.CompleteTaskAsync(EngineHarness.Tenant, new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed }, Token));

        await harness.AdvanceAsync(TimeSpan.FromDays(2) - TimeSpan.FromMilliseconds(1));
        Assert.Equal("wait", Assert.Single((await harness.RecordAsync("ada")).Enrollments).StepId);
        await harness.AdvanceAsync(TimeSpan.FromMilliseconds(1));

        var record = await harness.RecordAsync("ada");
        Assert.Empty(record.Enrollments);
        Assert.Equal("mql", record.Properties.Single(p => p.Name == "stage").Value.Text);
        var stats = await harness.StatsAsync("nurture");
        Assert.Equal((1, 0, 1), (stats.Enrolled, stats.Active, stats.Completed));
        Assert.Equal(1, stats.Steps.Single(s => s.StepId == "hot").Branches.Single(b => b.Name == "scored").Count);
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task GOAL_04_A_met_goal_ends_the_enrollment_at_once_and_its_timer_has_no_effect()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.SendAsync(harness.Event("seed", "", EngineHarness.Text("stage", "x"), EngineHarness.Number("score", "1"), EngineHarness.Text("name", "n")));
        await harness.PublishAsync(Nurture);
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "lead")));
        await harness.SendAsync(harness.Event("ada", "", EngineHarness.Text("stage", "customer")));
        await harness.AdvanceAsync(TimeSpan.FromDays(30));

        var stats = await harness.StatsAsync("nurture");
        Assert.Equal(0, stats.Active);
        Assert.Equal("GOAL_MET", Assert.Single(stats.Unenrolled).Name);
        Assert.Empty(await harness.Engine.LeaseTasksAsync(EngineHarness.Tenant, "mail", 10, TimeSpan.FromMinutes(1), "w", Token));
        await harness.VerifyAsync();
    }

    [Fact]
    public async Task REC_08_The_same_event_id_twice_changes_nothing()
    {
        await using var harness = await EngineHarness.StartAsync();
        var first = harness.Event("ada", "", EngineHarness.Text("stage", "lead"));
        var other = first.Clone();
        other.Writes[0].Value.Text = "customer";
        await harness.SendAsync(first);

        Assert.Equal(EventResult.Types.Code.Duplicate, Assert.Single(await harness.SendAsync(first.Clone())).Result.Code);
        Assert.Equal(EventResult.Types.Code.DuplicateMismatch, Assert.Single(await harness.SendAsync(other)).Result.Code);
        Assert.Equal("lead", Assert.Single((await harness.RecordAsync("ada")).Properties).Value.Text);
        var status = await harness.Engine.GetStatusAsync(Token);
        Assert.Equal((1, 1, 1), (status.Events.Applied, status.Events.Duplicate, status.Events.Mismatch));
    }
}
