using Roster.Engine;
using Roster.V1;

namespace Roster.Embedded.Tests;

public sealed class QuotaTests
{
    private const string Manual = """
        { "id": "w", "objectType": "contact", "start": { "manual": {} },
          "steps": [ { "id": "set", "setProperty": { "property": "stage", "value": "in" } } ] }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LIM_01_A_record_too_many_is_refused_with_the_setting_and_those_that_are_there_go_on()
    {
        await using var harness = await EngineHarness.StartAsync();
        await harness.Engine.UpdateSettingsAsync(EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { RecordsMax = 2 } }, Token);
        Assert.Empty(await harness.SendAsync(harness.Event("ada"), harness.Event("grace")));
        await harness.CountAsync();
        var refused = Assert.Single(await harness.SendAsync(harness.Event("linus"), harness.Event("ada")));
        Assert.Equal((0, Refusal.Types.Reason.LimitReached, "records_max"), (refused.Index, refused.Result.Refusal.Reason, refused.Result.Refusal.Setting));
        var tenant = await harness.Engine.UpdateSettingsAsync(EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { RecordsMax = 0 } }, Token);
        Assert.False(tenant.Settings.HasRecordsMax);
        Assert.Empty(await harness.SendAsync(harness.Event("linus")));
    }

    [Fact]
    public async Task LIM_01_Records_are_counted_after_a_restart()
    {
        var store = await EngineHarness.OpenStore();
        await using (var harness = await EngineHarness.StartAsync(store: store))
        {
            await harness.SendAsync(harness.Event("ada"), harness.Event("grace"));
            await harness.Engine.UpdateSettingsAsync(EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { RecordsMax = 2 } }, Token);
        }

        await using var again = await EngineHarness.StartAsync(store: store);
        await again.CountAsync();
        var late = again.Event("linus");
        late.EventId = "after-restart";
        Assert.Equal("records_max", Assert.Single(await again.SendAsync(late)).Result.Refusal.Setting);
    }

    [Fact]
    public async Task LIM_02_A_bulk_enrollment_goes_at_the_tenants_rate()
    {
        var real = new ManualClock(EngineHarness.Start);
        await using var harness = await EngineHarness.StartAsync(new EmbeddedOptions { Stopwatch = real });
        await harness.SendAsync([.. Enumerable.Range(0, 20).Select(i => harness.Event($"r{i}", "", EngineHarness.Text("stage", "lead")))]);
        await harness.PublishAsync(Manual);
        await harness.Engine.UpdateSettingsAsync(EngineHarness.Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { TurnsPerS = 10 * EngineHarness.Processes } }, Token);
        await harness.CountAsync();
        var request = new BulkEnrollRequest { WorkflowId = "w", RequestId = "b", Refs = { Enumerable.Range(0, 20).Select(i => new RecordRef { ObjectType = "contact", RecordId = $"r{i}" }) } };
        var operation = await harness.Engine.BulkEnrollAsync(EngineHarness.Tenant, request, Token);
        var seconds = 0.0;
        while ((await harness.Engine.GetOperationAsync(EngineHarness.Tenant, new GetOperationRequest { OperationId = operation.Id }, Token)).State == Operation.Types.State.Running)
        {
            await Task.Yield();
            if (real.NextTimer is { } next)
            {
                seconds += (next - real.GetUtcNow()).TotalSeconds;
                real.MoveTo(next);
            }
        }

        // Five at once, and the other fifteen at ten per second.
        Assert.Equal(1.5, seconds, 0.001);
    }
}
