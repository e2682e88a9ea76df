using Google.Protobuf;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;
using Roster.Engine;
using Roster.V1;

namespace Roster.Embedded.Tests;

/// <summary>Short ways to say things to any engine, for the tenant of the harness: to each of several front doors, or to an engine that has no harness.</summary>
internal static class EngineCalls
{
    /// <summary>A workflow with a task, a timer and a change: who does <c>go</c> waits for a worker, then two days, and is <c>done</c>.</summary>
    public const string Follow = """
        { "id": "follow", "objectType": "contact", "start": { "event": { "anyOf": [ { "eventType": "go", "allowNewRecord": true } ] }, "reenroll": true },
          "steps": [
            { "id": "mail", "next": "wait", "worker": { "queue": "mail" } },
            { "id": "wait", "next": "done", "delay": { "amount": 2, "unit": "DAYS" } },
            { "id": "done", "setProperty": { "property": "stage", "value": "done" } } ] }
        """;

    private const string Tenant = EngineHarness.Tenant;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static Event Event(string id, string record, string type, params PropertyValue[] writes)
    {
        var e = new Event { EventId = id, ObjectType = "contact", RecordId = record, Type = type };
        e.Writes.AddRange(writes);
        return e;
    }

    /// <summary>Lets events write properties that nobody has declared.</summary>
    public static async Task AcceptUndeclaredAsync(IRosterEngine engine) => await engine.UpdateSettingsAsync(
        Tenant, new UpdateSettingsRequest { Settings = new TenantSettings { Undeclared = TenantSettings.Types.Undeclared.Declare } }, Token);

    /// <summary>Declares the property that <see cref="Follow"/> writes, and leaves the others to the events.</summary>
    public static async Task DeclareAsync(IRosterEngine engine)
    {
        await AcceptUndeclaredAsync(engine);
        await engine.DeclarePropertiesAsync(
            Tenant, new DeclarePropertiesRequest { ObjectType = "contact", Properties = { new PropertyDefinition { Name = "stage", Type = PropertyType.Types.Kind.String } } }, Token);
    }

    /// <summary>Saves a workflow and turns it on.</summary>
    public static async Task PublishAsync(IRosterEngine engine, string json)
    {
        var workflow = JsonParser.Default.Parse<Workflow>(json);
        await engine.SaveWorkflowAsync(Tenant, new SaveWorkflowRequest { Workflow = workflow }, Token);
        await engine.SetWorkflowStateAsync(Tenant, new SetWorkflowStateRequest { WorkflowId = workflow.Id, State = Workflow.Types.State.On }, Token);
    }

    /// <summary>A record that is there.</summary>
    public static async Task<V1.Record> RecordAsync(IRosterEngine engine, string id) =>
        await engine.GetRecordAsync(Tenant, new RecordRef { ObjectType = "contact", RecordId = id }, Token) ?? throw new InvalidOperationException($"No record {id}.");

    public static async Task AdvanceAsync(IRosterEngine engine, TimeSpan time) => await engine.AdvanceClockAsync(
        new AdvanceClockRequest { To = Timestamp.FromDateTimeOffset(engine.Clock.GetUtcNow() + time) }, Token);

    /// <summary>Completes the tasks of <see cref="Follow"/>, which are so many.</summary>
    public static async Task CompleteAllAsync(IRosterEngine engine, int count)
    {
        var tasks = await engine.LeaseTasksAsync(Tenant, "mail", count + 1, TimeSpan.FromMinutes(1), "w", Token);
        Assert.Equal(count, tasks.Count);
        foreach (var task in tasks)
        {
            await CompleteAsync(engine, task);
        }
    }

    /// <summary>Completes a task that is leased and open.</summary>
    public static async Task CompleteAsync(IRosterEngine engine, WorkTask task) => Assert.True(
        await engine.CompleteTaskAsync(Tenant, new TaskCompletion { Key = task.Key, Outcome = TaskCompletion.Types.Outcome.Completed }, Token));

    /// <summary>Checks the invariants, and that a replay of the journal gives the same states.</summary>
    public static async Task VerifyAsync(IRosterEngine engine)
    {
        var verified = await engine.VerifyAsync(Token);
        Assert.Empty(verified.Differences);
        Assert.Equal(verified.StateHash, verified.ReplayHash);
    }
}
